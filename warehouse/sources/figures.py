"""How a figure is written in a public file, and which words say that there is none: one reading for every importer.

Publishers that give a sign a meaning of their own keep it: an em dash is zero to the USGS (`usgs_values`), and a mapping
may name the words of its file.
"""

from __future__ import annotations

import math
import re
from typing import Final

from warehouse.records.fields import NUMBER

#: Cells without a figure, in lower case and without padding. They stay unknown and never become zero.
UNKNOWN_WORDS: Final = frozenset({
    *("", "na", "n/a", "n.a.", "#n/a", "nan", "null", "none", "..", "...", ":", "-", "--", "–", "—"),
})  # fmt: skip


_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")


def is_unknown(written: str) -> bool:
    """Say whether a cell holds no figure."""
    return written.strip().lower() in UNKNOWN_WORDS


def number(written: str) -> float | None:
    """Return a figure written with a point and without separators; None where it is not one, or not finite."""
    if not NUMBER.fullmatch(written):
        return None
    found = float(written)
    return found if math.isfinite(found) else None


def ungrouped(written: str) -> str:
    """Return a figure whose thousands are parted by commas without them; anything else as it is."""
    return written.replace(",", "") if _GROUPED.fullmatch(written) else written


def with_point(written: str) -> str:
    """Return a figure with a decimal comma, as tables parted by semicolons have it, with a point."""
    whole, comma, part = written.partition(",")
    is_figure = comma and whole.lstrip("+-").isdigit() and part.isdigit()
    return f"{whole}.{part}" if is_figure else written
