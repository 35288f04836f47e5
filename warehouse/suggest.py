"""Did-you-mean: the clause of the warehouse's sentences that offers a known word."""

from __future__ import annotations

from collections.abc import Iterable

from ground.nearest import nearest


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a clause for a word that is not among those that are known; empty when nothing comes close."""
    close = nearest(word, known)
    return f"; did you mean '{close}'?" if close else ""
