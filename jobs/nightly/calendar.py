"""`mart.calendar`: what is dated, in the law of every country, in pledges, and in the rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

from engine.language.describe import range_words
from ground.words import HORIZONS
from warehouse.published.mart_columns import TABLES_OF_MART

if TYPE_CHECKING:
    from engine.language.rules import Parameter, RuleSet
    from warehouse.asof.inputs import Inputs

#: How far back an event counts as just passed; what lapsed and is unverified stays for as long as it is.
PASSED_DAYS = 90


def calendar_frame(facts: Inputs, ruleset: RuleSet) -> pl.DataFrame:
    """Return the rows of `mart.calendar`, from `PASSED_DAYS` ago to the end of the longest horizon.

    Args:
        facts: of the day; lanes are those of its flows.
        ruleset: whose parameters and rules may begin or end within the time.
    """
    since, until = facts.as_of - timedelta(days=PASSED_DAYS), facts.as_of + timedelta(days=max(HORIZONS))
    columns = TABLES_OF_MART["calendar"].own
    rows = [
        row
        for row in (*_parameters(ruleset), *_rules(ruleset))
        if since < row["event_date"] <= until  # type: ignore[operator]
    ]
    schema = {column.name: column.dtype for column in columns}
    lists = [name for name, kind in schema.items() if isinstance(kind, pl.List)]
    of_rules = pl.DataFrame(
        [{name: row.get(name, [] if name in lists else None) for name in schema} for row in rows],
        schema=schema,
        orient="row",
    )
    found = facts.calendar(since, until).select(pl.col(name).cast(kind) for name, kind in schema.items())
    return pl.concat([found, of_rules]).sort("event_date", "kind", "subject_id", "clause", "event")


def _parameters(ruleset: RuleSet) -> Iterator[Mapping[str, object]]:
    owners = [
        ("scorecard", ruleset.scorecard.parameters),
        *((rule.id, rule.parameters) for rule in ruleset.rules),
    ]
    for owner, parameters in owners:
        for parameter in parameters.values():
            yield from _values(owner, parameter)


def _values(owner: str, parameter: Parameter) -> Iterator[Mapping[str, object]]:
    for old, new in zip(parameter.values, parameter.values[1:], strict=False):
        before, after = (range_words(one.value, parameter.unit) for one in (old, new))
        yield _row(
            owner,
            parameter.name,
            new.start,
            f"{owner}: {parameter.name} is {after} instead of {before}",
            before,
            after,
        )


def _rules(ruleset: RuleSet) -> Iterator[Mapping[str, object]]:
    for rule in ruleset.rules:
        if rule.status == "active":
            yield _row(
                rule.id, "all", rule.effective_from, f"the rule {rule.id} begins", "not_begun", "stands"
            )
            if rule.effective_to is not None:
                yield _row(
                    rule.id, "all", rule.effective_to, f"the rule {rule.id} is over", "stands", "expired"
                )


def _row(owner: str, clause: str, day: date, event: str, before: str, after: str) -> Mapping[str, object]:
    return {
        "event_date": day, "kind": "rule", "subject_id": owner, "clause": clause, "event": event,
        "state_before": before, "state_after": after, "is_unverified": False, "notice": owner,
    }  # fmt: skip
