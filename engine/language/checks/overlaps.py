"""Rules that can apply to one row where only the first of them decides."""

from collections.abc import Iterator, Sequence
from datetime import date
from math import inf

from engine.language.errors import Problem
from engine.language.rules import Condition, Rule, Scorecard, Value, resolve


def check_overlaps(rules: Sequence[Rule], scorecard: Scorecard) -> Iterator[Problem]:
    """Yield rules that can apply to the same row, where the first decides or one may stay unknown (R051)."""
    for factor in scorecard.factors.values():
        own = [rule for rule in rules if rule.sets == factor.name and rule.status == "active"]
        if factor.combine != "first" and not any(rule.stays_unknown for rule in own):
            continue
        for place, rule in enumerate(own):
            for other in own[place + 1 :]:
                unsure = rule.stays_unknown or other.stays_unknown
                if not unsure and (factor.combine != "first" or rule.priority != other.priority):
                    continue
                if not _may_meet(rule, other):
                    continue
                at, both = other.place("applies_when"), f"'{other.id}' and '{rule.id}' can apply to one row"
                if unsure:
                    found = f"{both}, and one of them may stay unknown"
                    yield Problem(at, "R051", found, "narrow a filter, so that one rule answers for each row")
                else:
                    found = f"{both}, and '{factor.name}' takes the first"
                    yield Problem(at, "R051", found, "give one a priority:, or narrow a filter")


def _may_meet(one: Rule, other: Rule) -> bool:
    """Return whether any day in the life of both leaves rows that pass the filters of both."""
    filters = {condition.feature: condition for condition in one.conditions}
    pairs = [(filters[c.feature], c) for c in other.conditions if c.feature in filters]
    return any(
        not any(_apart(one, mine, other, theirs, day) for mine, theirs in pairs)
        for day in _common_days(one, other)
    )


def _common_days(one: Rule, other: Rule) -> list[date]:
    """Return the first day on which both apply, and each later one on which a parameter or bloc of either changes."""
    start = max(one.effective_from, other.effective_from)
    end = min(one.effective_to or date.max, other.effective_to or date.max)
    days = {start}
    for rule in (one, other):
        for parameter in rule.parameters.values():
            days |= {value.start for value in parameter.values if value.start > start}
        members = [m for c in rule.conditions for bloc in c.blocs.values() for m in bloc]
        days |= {day for m in members for day in (m.start, m.end) if day is not None and day > start}
    return sorted(day for day in days if day < end)


def _apart(one: Rule, mine: Condition, other: Rule, theirs: Condition, day: date) -> bool:
    """Return whether no value passes both filters on a day."""
    if not mine.is_stretch and not theirs.is_stretch:
        return not set(mine.listed(day)) & set(theirs.listed(day))
    if mine.is_stretch and theirs.is_stretch:
        (low, high), (least, most) = _stretch(one, mine, day), _stretch(other, theirs, day)
        return high <= least or most <= low
    rule, stretch, listed = (one, mine, theirs) if mine.is_stretch else (other, theirs, mine)
    low, high = _stretch(rule, stretch, day)
    return not any(isinstance(value, int | float) and low <= value < high for value in listed.listed(day))


def _stretch(rule: Rule, condition: Condition, day: date) -> tuple[float, float]:
    return _edge(rule, condition.at_least, day, -inf), _edge(rule, condition.below, day, inf)


def _edge(rule: Rule, value: Value | None, day: date, open_end: float) -> float:
    if value is None:
        return open_end
    try:
        return resolve(value, rule.parameters, day).best
    except LookupError:
        return open_end  # R022 or R024 says it already
