"""Did-you-mean: one wording for every name that a person may mistype."""

from __future__ import annotations

from collections.abc import Iterable

from ground.nearest import nearest

MAX_LISTED = 12


def did_you_mean(value: str, known: Iterable[str]) -> str:
    """Return the tail of an error sentence that offers the nearest known names.

    Args:
        value: What was written.
        known: The names that would have been accepted.

    Returns:
        ``; did you mean 'gallium'?``, or the list of known names when nothing is near and the list is short,
        or an empty string.
    """
    names = sorted(set(known))
    if close := nearest(value, names):
        return f"; did you mean '{close}'?"
    if 0 < len(names) <= MAX_LISTED:
        return f"; known: {', '.join(names)}"
    return ""
