"""References that have not been checked for too long."""

from collections.abc import Iterable, Iterator
from datetime import date

from engine.language.errors import Problem
from engine.language.rules import Reference, RuleSet
from ground.counted import counted


def check_age(ruleset: RuleSet, on: date, longest_days: int) -> list[Problem]:
    """Return a warning (R061) for each reference of the scorecard and of rules in use that was checked too long ago.

    Args:
        ruleset: checked rules.
        on: the day of the check; the engine knows no clock.
        longest_days: allowed age of a reference's `checked`, in days.
    """
    found = list(_old(ruleset.scorecard.references.values(), on, longest_days))
    for rule in ruleset.rules:
        if rule.status != "retired":
            found += _old(rule.references.values(), on, longest_days)
    return sorted(found)


def _old(references: Iterable[Reference], on: date, longest_days: int) -> Iterator[Problem]:
    for reference in references:
        if reference.checked is None:
            continue
        age = (on - reference.checked).days
        if age > longest_days:
            yield Problem(
                reference.at,
                "R061",
                f"'{reference.key}' was checked {counted(age, 'day')} ago, on {reference.checked}; {longest_days} are allowed",
                "read it again, then set checked: to that day",
                is_warning=True,
            )
        elif age < 0:
            yield Problem(
                reference.at,
                "R061",
                f"'{reference.key}' was checked on {reference.checked}, which is after {on}",
                "correct checked:",
                is_warning=True,
            )
