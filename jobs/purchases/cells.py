"""Cells as people write them: numbers with comma or point, percent, currencies, and words for "not known"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

UNKNOWN = frozenset(
    [
        "-",
        "--",
        "–",
        "—",
        "?",
        "n/a",
        "na",
        "n.a.",
        "#n/a",
        "#na",
        "nan",
        "null",
        "none",
        "nil",
        "unknown",
        "tbd",
        "tba",
        "k.a.",
        "unbekannt",
        "inconnu",
        "nd",
        "n.d.",
        "#value!",
        "#ref!",
        "#div/0!",
        "#name?",
        "#null!",
        "#num!",
    ]
) | {"", "k. a.", "not known", "not available"}
#: What people write for currencies besides their codes; a bare dollar sign is taken for US dollars.
CURRENCY_WORDS = {"€": "EUR", "$": "USD", "us$": "USD", "£": "GBP", "¥": "JPY", "eur": "EUR", "usd": "USD"}
_CODE = re.compile(r"[A-Za-z]{3}")
_NUMBER = re.compile(r"^[+-]?[\d.,]*\d[\d.,]*(e[+-]?\d+)?$", re.IGNORECASE)
_SPACES = dict.fromkeys(map(ord, " \u00a0\u202f\u2009'’_"), None)


class CellError(ValueError):
    """A cell says nothing that can be used; the message completes the sentence `quantity '…' `."""


@dataclass(frozen=True)
class Money:
    """An amount and the currency that its cell names; None where it names none."""

    amount: float | None
    currency: str | None


def clean(cell: str) -> str:
    """Return a cell without padding, empty where it says that nothing is known."""
    text = " ".join(cell.split())
    return "" if text.casefold() in UNKNOWN else text


def comma_is_decimal(cells: Iterable[str]) -> bool | None:
    """Return whether a column writes decimals with a comma; None where its cells leave it open.

    Raises:
        CellError: some say yes and some say no.
    """
    yes = no = ""
    for cell in cells:
        text = cell.translate(_SPACES)
        if "," in text and "." in text:
            if text.rfind(",") > text.rfind("."):
                yes = yes or cell
            else:
                no = no or cell
        elif (text.count(",") == 1 and not re.search(r",\d{3}(\D|$)", text)) or text.count(".") > 1:
            yes = yes or cell
        elif text.count(",") > 1 or (text.count(".") == 1 and not re.search(r"\.\d{3}(\D|$)", text)):
            no = no or cell
    if yes and no:
        raise CellError(f"writes '{yes}' and '{no}': decimals with a comma and with a point")
    return True if yes else False if no else None


def number(text: str, *, decimal_comma: bool | None) -> float:
    """Return the number of a cell that is not empty.

    Args:
        text: cleaned.
        decimal_comma: what the column does; where it is open, a point is decimal and a comma groups thousands.

    Raises:
        CellError: it is none.
    """
    bare = text.translate(_SPACES)
    negative = bare.startswith("(") and bare.endswith(")")
    bare = bare.strip("()") if negative else bare
    if not _NUMBER.match(bare):
        raise CellError("is not a number")
    both = "," in bare and "." in bare
    comma = bare.rfind(",") > bare.rfind(".") if both else bool(decimal_comma)
    group, point = (".", ",") if comma else (",", ".")
    whole, _, part = bare.partition(point)
    if point in part or group in part or not _grouped(whole, group):
        raise CellError("has its points and commas in places where no number has them")
    value = float(f"{whole.replace(group, '')}.{part}" if part else whole.replace(group, ""))
    return -value if negative else value


def _grouped(whole: str, group: str) -> bool:
    first, *rest = whole.lstrip("+-").split(group)
    return all(len(part) == 3 for part in rest) and (not rest or 1 <= len(first) <= 3)


def share(text: str, *, decimal_comma: bool | None) -> float:
    """Return a share in 0..1 of a cell such as `0.3`, `30 %` or `30,5%`.

    Raises:
        CellError: it is none, or lies outside.
    """
    percent = text.endswith("%")
    value = number(text.rstrip("% "), decimal_comma=decimal_comma) / (100.0 if percent else 1.0)
    if not 0.0 <= value <= 1.0:
        raise CellError("is no share between 0 and 1; write 0.3 or 30 %")
    return value


def money(text: str, *, decimal_comma: bool | None) -> Money:
    """Return the amount and the currency of a cell such as `1.234,50 €`.

    Raises:
        CellError: it is no amount, or names two currencies.
    """
    named = {CURRENCY_WORDS[mark] for mark in ("us$", "€", "£", "¥") if mark in text.casefold()}
    if "$" in text and "us$" not in text.casefold():
        named.add("USD")
    codes = {code.upper() for code in _CODE.findall(text)} - {"MIO", "TSD"}
    named |= codes
    if len(named) > 1:
        raise CellError(f"names two currencies ({' and '.join(sorted(named))}); give the line one of them")
    bare = re.sub(r"US\$|[€$£¥]|[A-Za-z]{3}", "", text).strip()
    return Money(number(bare, decimal_comma=decimal_comma), next(iter(named), None))


def numeric_part(text: str) -> str:
    """Return a cell without its letters and signs of currencies and percent, to judge a column's decimals by."""
    return re.sub(r"[^\d.,'’ \u00a0\u202f]", "", text).strip()
