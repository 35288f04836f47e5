"""What a cell of the United States Geological Survey says: a figure with its range, or why there is none."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_PLAIN = re.compile(_NUMBER)
#: A point before three digits is a thousands separator as likely as a decimal sign; no figure of ours needs it.
_AMBIGUOUS = re.compile(r"\d{1,3}\.\d{3}")
_BOUND = re.compile(rf"([<>])\s*({_NUMBER})")
_RANGE = re.compile(rf"({_NUMBER})\s*[-–]\s*({_NUMBER})")
_HALF = re.compile(r"less than (½|1/2) unit", re.IGNORECASE)
_SIZE = r"(?:large|moderate|small|very small)"
_WORDS = re.compile(rf"{_SIZE}(?: to {_SIZE})?", re.IGNORECASE)
_ABSENT = {
    "NA": "not published",
    "XX": "not applicable",
    "E": "a net exporter, without a figure",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure in the unit of its cell; the ends are empty where it is withheld.

    Attributes:
        low: low end.
        best: best estimate.
        high: high end.
        is_withheld: it exists and is not told: unknown, never zero.
        remark: what a reader must know, such as that it is a lower bound; empty where there is nothing to say.
        is_range: the ends come from the cell itself.
    """

    low: float | None
    best: float | None
    high: float | None
    is_withheld: bool = False
    remark: str = ""
    is_range: bool = False


@dataclass(frozen=True, slots=True)
class Absent:
    """A cell without a figure, and why."""

    reason: str


def parse_value(text: str, note: str = "") -> Figure | Absent:
    """Return what a cell says.

    Args:
        text: the cell; thousands are parted by commas, an em dash is zero.
        note: note beside it, which tells what `s` means.

    Raises:
        ValueError: It says nothing that the publisher is known to write.
    """
    text = text.strip()
    if _AMBIGUOUS.search(text):
        raise ValueError(text)
    if text in _ABSENT:
        return Absent(_ABSENT[text])
    if _WORDS.fullmatch(text):
        return Absent("stated in words only")
    found = _sign(text, note) or _numbers(text)
    if found is None:
        raise ValueError(text)
    return found


def _sign(text: str, note: str) -> Figure | None:
    if text == "—":
        return Figure(0.0, 0.0, 0.0)
    if text == "W":
        said = "withheld so as not to disclose one company's data"
        return Figure(None, None, None, is_withheld=True, remark=said)
    if (text == "s" and _HALF.search(note)) or _HALF.fullmatch(text):
        return Figure(0.0, 0.25, 0.5, remark="less than half a unit of the file", is_range=True)
    if text == "s":
        return Figure(None, None, None, is_withheld=True, remark="counted with another row of the file")
    return None


def _numbers(text: str) -> Figure | None:
    if _PLAIN.fullmatch(text):
        plain = _number(text)
        return Figure(plain, plain, plain)
    ends = _RANGE.fullmatch(text)
    if ends and (low := _number(ends[1])) <= (high := _number(ends[2])):
        return Figure(low, (low + high) / 2, high, remark="published as a range", is_range=True)
    bound = _BOUND.fullmatch(text)
    if bound and bound[1] == ">":
        least = _number(bound[2])
        return Figure(least, least, least, remark="lower bound: published as more than this", is_range=True)
    if bound:
        most = _number(bound[2])
        return Figure(0.0, most, most, remark="upper bound: published as less than this", is_range=True)
    return None


def _number(text: str) -> float:
    return float(text.replace(",", ""))
