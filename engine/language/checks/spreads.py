"""Checks of how a rule's ranges are drawn."""

from collections.abc import Iterator, Sequence
from datetime import date

from engine.language.errors import Problem
from engine.language.rules import DRAWN_FACTORS, Range, Rule, resolve


def check_spread(rule: Rule, days: Sequence[date]) -> Iterator[Problem]:
    """Yield problems of ``spread``: a factor that is not drawn, a rule without a range, a range that it does not suit.

    Args:
        rule: whose values may refer to parameters.
        days: those on which a value changes.
    """
    if not rule.spread:
        return
    at = rule.place("spread")
    if rule.sets not in DRAWN_FACTORS:
        said = f"the ranges of '{rule.sets}' are parts of others, which are drawn as a whole"
        hint = f"remove spread; it is for {', '.join(DRAWN_FACTORS[:-1])} and {DRAWN_FACTORS[-1]}"
        yield Problem(at, "R037", said, hint)
        return
    spans = [span for span in _ranges(rule, days) if span.low < span.high]
    if not spans:
        said = f"the spread '{rule.spread}' has no range to draw from: every value is one number"
        yield Problem(at, "R037", said, "write [low, best, high] for what is uncertain, or remove spread")
    lowest = min(spans, key=lambda span: span.low, default=None)
    if rule.spread == "lognormal" and lowest is not None and lowest.low <= 0:
        said = (
            f"a lognormal range begins above 0; [{lowest.low:g}, {lowest.best:g}, {lowest.high:g}] does not"
        )
        yield Problem(at, "R037", said, "raise the low end, or write spread: pert")


def _ranges(rule: Rule, days: Sequence[date]) -> Iterator[Range]:
    values = [rule.score.value, rule.if_unknown, *(value for _, value in rule.score.points)]
    for value in values:
        for day in days:
            try:
                span = None if value is None else resolve(value, rule.parameters, day)
            except LookupError:
                continue  # R022 or R024 says it already
            if span is not None:
                yield span
