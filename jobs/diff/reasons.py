"""Which rows, notices, rules and dates stand behind a cause, mineral by mineral."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from engine.language.rules import Parameter, Range, RuleSet
from ground.counted import counted
from ground.question import Question
from jobs.diff.swaps import Ends, changed_card, changed_rules, differing, mixed
from warehouse.asof.known import LAW, STRUCTURE, Rows, warehouse_of
from warehouse.records.tables import TABLES

EVERY = "*"
REASON = {
    "cause": pl.String,
    "mineral": pl.String,
    "reason_id": pl.String,
    "kind": pl.String,
    "reason": pl.String,
    "source_id": pl.String,
}
#: Tables that no score reads, or that only say what names mean.
_SILENT = frozenset(
    ("sources", "statements", "governance", "import_shares", "import_share_codes", "outcomes")
)
_STATES = """
SELECT s.measure_id, s.clause, s.destination, coalesce(m.notice, m.title) AS notice, s.state, s.source_id
FROM measure_state_at($as_of, $known_at) s JOIN core.measures m USING (measure_id)
WHERE m.curbing_country = $curbing_country
"""
_PLEDGES = """
SELECT pledge_id, is_expired, agreement_state, source_id FROM pledges_at($as_of, $known_at)
"""
_ITEMS = "SELECT DISTINCT measure_id, clause, mineral FROM core.measure_items WHERE known_from <= $known_at"
_PLEDGED = "SELECT DISTINCT pledge_id, mineral FROM core.pledge_items WHERE known_from <= $known_at"


@dataclass(frozen=True)
class Reason:
    """One thing that differs between two nights; `mineral` is `*` where it may reach every one."""

    cause: str
    mineral: str
    reason_id: str
    kind: str
    reason: str
    source_id: str | None = None


def reasons_between(ends: Ends) -> pl.DataFrame:
    """Return rows of REASON: everything that was swapped, in the order of causes, minerals and ids."""
    found = {
        (one.cause, one.mineral, one.reason_id): one
        for one in (*_code(ends), *_rules(ends), *_rows(ends), *_calendar(ends))
    }
    rows = [tuple(getattr(one, name) for name in REASON) for _, one in sorted(found.items())]
    return pl.DataFrame(rows, schema=REASON, orient="row")


def _code(ends: Ends) -> Iterator[Reason]:
    before, after = ends.before.code, ends.after.code
    if before != after:
        yield Reason("code", EVERY, "code", "code", f"the code went from {before} to {after}")
    elif before != ends.code:
        yield Reason(
            "code", EVERY, "code", "code", f"both nights are of the code {before}, this is {ends.code}"
        )


def _rules(ends: Ends) -> Iterator[Reason]:
    rules = [{rule.id: rule for rule in one.rules} for one in (ends.rules_before, ends.rules_after)]
    for name in changed_rules(ends.rules_before, ends.rules_after):
        before, after = (known.get(name) for known in rules)
        if before is None or after is None:
            yield Reason("rules", EVERY, f"rule:{name}", "rule", f"{name} {'is new' if after else 'is gone'}")
            continue
        said = [*_parameters(before.parameters.values(), after.parameters.values())]
        versions = (
            "" if before.version == after.version else f" (version {before.version} to {after.version})"
        )
        what = f": {'; '.join(said)}" if said else " changed"
        yield Reason("rules", EVERY, f"rule:{name}", "rule", f"{name}{what}{versions}")
    cards = [one.scorecard for one in (ends.rules_before, ends.rules_after)]
    for part in changed_card(ends.rules_before, ends.rules_after):
        said = [*_parameters(cards[0].parameters.values(), cards[1].parameters.values())]
        detail = f": {'; '.join(said)}" if part == "parameters" and said else ""
        yield Reason("rules", EVERY, f"scorecard:{part}", "rule", f"{part} of the scorecard changed{detail}")


def _parameters(before: Iterable[Parameter], after: Iterable[Parameter]) -> Iterator[str]:
    known = [{one.name: one for one in parameters} for parameters in (before, after)]
    for name in sorted({*known[0], *known[1]}):
        values = [
            {value.start: value.value for value in parameters[name].values} if name in parameters else {}
            for parameters in known
        ]
        for start in sorted({*values[0], *values[1]}):
            old, new = values[0].get(start), values[1].get(start)
            if old != new:
                yield f"{name} from {start}: {_range(old)} to {_range(new)}"


def _range(value: Range | None) -> str:
    if value is None:
        return "nothing"
    if value.low == value.high:
        return f"{value.best:g}"
    return f"[{value.low:g}, {value.best:g}, {value.high:g}]"


def _rows(ends: Ends) -> Iterator[Reason]:
    """Yield rows of facts and law that came, went or were changed."""
    before, after = ends.before.rows, ends.after.rows
    minerals = {
        **_by_id(after, before, "measure_items", "measure_id"),
        **_by_id(after, before, "pledge_items", "pledge_id"),
    }
    for name in sorted(differing(before, after) - _SILENT):
        for row, what in _differences(name, before[name], after[name]):
            cause = "law" if name in LAW else "calendar" if _begins_later(row, ends) else "facts"
            key = " ".join(_cell(row[column]) for column in TABLES[name].key if column != "known_from")
            owner = row.get("measure_id") or row.get("pledge_id")
            of = [str(row["mineral"])] if row.get("mineral") else minerals.get(str(owner), [EVERY])
            for mineral in of:
                yield Reason(
                    cause,
                    mineral,
                    f"{name}:{key}:{row['known_from']}",
                    "row",
                    f"{_cell(name)} {key} {what}, known from {row['known_from']}",
                    row.get("source_id"),
                )


def _begins_later(row: dict[str, Any], ends: Ends) -> bool:
    """Return whether a figure counts only from a day after the earlier night: it is the day that brings it."""
    begins = row.get("valid_from")
    return isinstance(begins, date) and begins > ends.before.question.as_of


def _by_id(after: Rows, before: Rows, table: str, column: str) -> dict[str, list[str]]:
    both = pl.concat([rows[table].select(column, "mineral") for rows in (before, after)]).unique()
    listed = both.sort(column, "mineral").group_by(column, maintain_order=True).agg("mineral")
    return dict(listed.iter_rows())


def _cell(value: object) -> str:
    return "" if value is None else str(value).replace("_", " ")


def _differences(
    name: str, before: pl.DataFrame, after: pl.DataFrame
) -> Iterator[tuple[dict[str, Any], str]]:
    lists = [column for column, kind in after.schema.items() if kind == pl.List]
    old, new = (frame.with_columns(pl.col(lists).list.join(";")) for frame in (before, after))
    came = new.join(old, on=new.columns, how="anti", nulls_equal=True)
    went = old.join(new, on=new.columns, how="anti", nulls_equal=True)
    key = list(TABLES[name].key)
    changed = came.join(went, on=key, how="inner", nulls_equal=True, suffix="_was")
    for row in changed.sort(key).iter_rows(named=True):
        told = [
            f"{column} {_cell(row[f'{column}_was']) or 'empty'} to {_cell(row[column]) or 'empty'}"
            for column in new.columns
            if column not in (*key, "note") and row[column] != row[f"{column}_was"]
        ]
        yield row, f"changed ({', '.join(told) or 'its note'})"
    for row in came.join(went, on=key, how="anti", nulls_equal=True).sort(key).iter_rows(named=True):
        yield row, "came"
    for row in went.join(came, on=key, how="anti", nulls_equal=True).sort(key).iter_rows(named=True):
        yield row, "went"


def _calendar(ends: Ends) -> Iterator[Reason]:
    """Yield what the day alone has changed: states of the law, terms of pledges, dated parameters, and stocks."""
    after = ends.after.question
    before = Question(ends.before.question.as_of, after.known_at, after.curbing_country)
    if before.as_of == after.as_of:
        return
    days = (after.as_of - before.as_of).days
    moved = f"{counted(abs(days), 'day')} {'later' if days > 0 else 'earlier'}"
    yield Reason(
        "calendar", EVERY, f"date:{after.as_of}", "date",
        f"{moved}: stocks are drawn down under measures in force, and days until known events are fewer",
    )  # fmt: skip
    if before.as_of.year != after.as_of.year:
        yield Reason(
            "calendar", EVERY, f"year:{after.as_of.year}", "date",
            f"figures of years up to {after.as_of.year} count instead of {before.as_of.year}",
        )  # fmt: skip
    yield from _law_by_day(mixed(ends.after.rows, ends.before.rows), before, after)
    yield from dated_between(ends.rules_after, before.as_of, after.as_of)


def _law_by_day(rows: Rows, before: Question, after: Question) -> Iterator[Reason]:
    law = {name: frame for name, frame in rows.items() if name in LAW | STRUCTURE}
    with warehouse_of(law) as facts:
        asked = [{"as_of": q.as_of, "known_at": q.known_at} for q in (before, after)]
        country = {"curbing_country": after.curbing_country}
        states = [facts.query(_STATES, {**one, **country}) for one in asked]
        pledges = [facts.query(_PLEDGES, one) for one in asked]
        known = {"known_at": after.known_at}
        items, pledged = facts.query(_ITEMS, known), facts.query(_PLEDGED, known)
    pair = ["measure_id", "clause", "destination"]
    both = states[0].join(states[1], on=pair, how="full", coalesce=True, suffix="_after")
    for row in (
        both.filter(pl.col("state").ne_missing(pl.col("state_after"))).sort(pair).iter_rows(named=True)
    ):
        own = items.filter(pl.col("measure_id") == row["measure_id"])
        exact = own.filter(pl.col("clause") == row["clause"])
        minerals = (exact if exact.height else own)["mineral"].unique().sort().to_list()
        notice = row["notice"] or row["notice_after"]
        clause = "" if row["clause"] == "all" or notice.endswith(row["clause"]) else f" {row['clause']}"
        whom = "" if row["destination"] == EVERY else f" for {row['destination']}"
        was, now = (_cell(row[name]) or "without a state" for name in ("state", "state_after"))
        said = f"{notice}{clause}{whom}: {was}, now {now}"
        for mineral in minerals:
            yield Reason(
                "calendar", mineral, f"measure_states:{row['measure_id']}|{row['clause']}|{row['destination']}",
                "notice", said, row["source_id_after"] or row["source_id"],
            )  # fmt: skip
    terms = pledges[0].join(pledges[1], on="pledge_id", how="full", coalesce=True, suffix="_after")
    for row in terms.sort("pledge_id").iter_rows(named=True):
        said = _pledge(row)
        if said:
            for mineral in pledged.filter(pledge_id=row["pledge_id"])["mineral"].unique().sort():
                yield Reason(
                    "calendar", mineral, f"pledges:{row['pledge_id']}", "row", said,
                    row["source_id_after"] or row["source_id"],
                )  # fmt: skip


def _pledge(row: dict[str, Any]) -> str:
    name = f"pledge {row['pledge_id']}"
    if row["is_expired"] is None:
        return f"{name} begins"
    if row["is_expired"] != row["is_expired_after"]:
        return f"{name} {'expired' if row['is_expired_after'] is not False else 'is in its term again'}"
    was, now = row["agreement_state"], row["agreement_state_after"]
    return (
        ""
        if was == now
        else f"{name}: its agreement was {_cell(was) or 'unknown'}, now {_cell(now) or 'unknown'}"
    )


def dated_between(rules: RuleSet, before: date, after: date) -> Iterator[Reason]:
    """Yield parameters and rules that another day finds otherwise."""
    for rule in rules.rules:
        if rule.stands_on(before) != rule.stands_on(after):
            said = "begins" if rule.stands_on(after) else "ends"
            yield Reason("calendar", EVERY, f"rule:{rule.id}", "rule", f"{rule.id} {said} by its dates")
        elif rule.stands_on(after):
            yield from _values(rule.id, rule.parameters.values(), before, after)
    yield from _values("scorecard", rules.scorecard.parameters.values(), before, after)


def _values(owner: str, parameters: Iterable[Parameter], before: date, after: date) -> Iterator[Reason]:
    for one in parameters:
        old, new = one.on(before), one.on(after)
        if old != new:
            said = f"{owner}: {one.name} was {_range(old)}, now {_range(new)}"
            yield Reason("calendar", EVERY, f"parameter:{owner}.{one.name}", "parameter", said)


def told(reasons: pl.DataFrame, cause: str, minerals: Sequence[str]) -> list[str]:
    """Return the reasons of a cause for some minerals in the order of the frame, each once; those of all last."""
    own = reasons.filter((pl.col("cause") == cause) & pl.col("mineral").is_in([*minerals, EVERY]))
    first = own.filter(pl.col("mineral") != EVERY)["reason"].unique(maintain_order=True)
    return list(dict.fromkeys([*first, *own.filter(mineral=EVERY)["reason"]]))
