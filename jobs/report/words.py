"""Figures and names as the report writes them: an unknown is a word, never a zero."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from jobs.explain.text import amount, points, share, signed

UNKNOWN = "unknown"
#: Characters that turn the direction of what follows; in a name they would make a page read backwards.
_TURNS = dict.fromkeys(map(ord, "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
LONGEST_NAME = 100
_SCALES = ((1e9, "billion"), (1e6, "million"), (1e3, "thousand"))
#: From here on a figure of the scale below would be written with four digits.
_ROUNDS_UP = 0.9995


def money(usd: float | None) -> str:
    """Return dollars in three figures, such as ``513 million USD``; ``unknown`` where they are."""
    if usd is None:
        return UNKNOWN
    for scale, word in _SCALES:
        if abs(usd) >= scale * _ROUNDS_UP:
            return f"{_three(usd / scale)} {word} USD"
    return "nothing" if usd == 0 else "under 1 USD" if abs(usd) < 1 else f"{usd:.0f} USD"


def _three(value: float) -> str:
    """Return three figures, never as a power of ten."""
    digits = 0 if abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2
    return f"{value:,.{digits}f}"


def money_range(low: float | None, high: float | None) -> str:
    """Return the eight chances in ten; the unit is said once where both ends have it."""
    if low is None or high is None:
        return "range unknown"
    first, last = money(low), money(high)
    head, _, unit = first.partition(" ")
    return f"{head} to {last}" if unit and last.endswith(f" {unit}") else f"{first} to {last}"


def percent(value: float | None) -> str:
    """Return a share in percent, or ``unknown``."""
    return UNKNOWN if value is None else share(value)


def score(value: float | None) -> str:
    """Return a score with one decimal, or ``unknown``."""
    return UNKNOWN if value is None else points(value)


def tonnes(value: float | None) -> str:
    """Return tonnes, or ``unknown``."""
    return UNKNOWN if value is None else amount(value)


def change(value: float | None) -> str:
    """Return points with their sign, or ``unknown``."""
    return UNKNOWN if value is None else signed(value)


def plain_name(code: str | None) -> str:
    """Return a code of the facts as words: ``natural_graphite`` is ``natural graphite``."""
    return UNKNOWN if code is None else "other codes" if code == "REST" else code.replace("_", " ")


def shown(value: Any) -> Any:
    """Return what a place of a template prints: None is unknown, and no text turns the direction of a page."""
    if value is None:
        return UNKNOWN
    # Markup is a str whose translate would drop that it is escaped; its own parts have been here before.
    return value.translate(_TURNS) if type(value) is str else value


def slug(*parts: str) -> str:
    """Return a file name for codes, safe on every file system; what it cannot hold is told apart by a digest."""
    name = "-".join(parts)
    safe = _UNSAFE.sub("-", name)
    if safe == name and len(name) <= LONGEST_NAME:
        return safe
    return f"{safe[:LONGEST_NAME].strip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
