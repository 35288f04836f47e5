"""Every rule that looked at one route, and why it did or did not apply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from textwrap import wrap
from typing import Any

import polars as pl

from engine.language.describe import range_words
from engine.language.rules import Range, RuleSet
from engine.language.trace import Verdict, trace_factor
from engine.scoring import events
from engine.scoring.assemble import measure_rows, pledge_rows
from engine.scoring.inputs import Inputs
from ground.question import Question
from ground.words import ENDS
from jobs.errors import SettingsError
from jobs.gather import gather
from jobs.rules.rulebook import require_horizon
from jobs.suggest import did_you_mean
from warehouse.asof.inputs import Inputs as WarehouseInputs
from warehouse.asof.state import Warehouse
from warehouse.database import Database

ANY = "*"
# Columns of the published route_score that the second-pass rules read under another name.
_RENAMED = {"is_hindsight": "hindsight"}
_SECOND_PASS = ("alternatives", "substitution", "stock_days", "flag")


@dataclass(frozen=True)
class Lane:
    """The route that is asked about."""

    mineral: str
    stage: str
    exporter: str
    importer: str
    horizon: int


@dataclass(frozen=True)
class Look:
    """Rows on which every rule of a factor said the same."""

    factor: str
    subjects: tuple[str, ...]
    verdicts: tuple[Verdict, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the look as data."""
        return {
            "factor": self.factor,
            "rows": list(self.subjects),
            "rules": [
                {
                    "rule_id": v.rule_id,
                    "applies": v.applies,
                    "reason": v.reason or None,
                    "value_low_best_high": list(v.value),
                }
                for v in self.verdicts
            ],
        }


def who(database: Database, ruleset: RuleSet, lane: Lane) -> tuple[date, list[Look]]:
    """Return the day of the published run, and what each rule says of the route.

    Args:
        database: a published file; its facts, day and route features are used.
        ruleset: the rules that are asked, which may be newer than those of the run.
        lane: the route and horizon.

    Raises:
        SettingsError: the route or the horizon is not in the published file.
    """
    require_horizon(ruleset, lane.horizon)
    route = _route(database, lane)
    question = Question(route["as_of"], route["known_at"], route["curbing_country"])
    facts = gather(WarehouseInputs(Warehouse(database), question))
    inputs = facts.only([lane.mineral])
    looks = [
        *_of_measures(inputs, ruleset, lane),
        *_of_pledges(inputs, ruleset, lane),
        *_of_access(inputs, ruleset, lane),
        *_of_route(inputs, ruleset, lane, route),
    ]
    return inputs.as_of, looks


def _route(database: Database, lane: Lane) -> dict[str, Any]:
    keys = {
        "mineral": lane.mineral,
        "stage": lane.stage,
        "exporter": lane.exporter,
        "importer": lane.importer,
    }
    found = database.query(
        "SELECT * FROM mart.route_score WHERE mineral = $mineral AND stage = $stage AND exporter = $exporter "
        "AND importer = $importer AND horizon_days = $horizon",
        {**keys, "horizon": lane.horizon},
    )
    if found.height:
        return found.row(0, named=True)
    for column, written in keys.items():
        known = (
            database.query(f"SELECT DISTINCT {column} FROM mart.route_score ORDER BY 1").to_series().to_list()
        )
        if written not in known:
            raise SettingsError(f"no route has the {column} '{written}'{did_you_mean(written, known)}")
    raise SettingsError(
        f"{lane.exporter} ships no {lane.mineral} ({lane.stage}) to {lane.importer} in the published file; "
        "`curbline sql` lists the routes of mart.route_score."
    )


def _of_measures(inputs: Inputs, ruleset: RuleSet, lane: Lane) -> list[Look]:
    """Return the measures on the lane: those that hold back the curbing country's own shipments, or reach foreign ones."""
    reach = lane.exporter != inputs.curbing_country
    # Rules look at one row at a time, so the rows of other importers may stay out.
    own = inputs["measures"].filter(pl.col("importer") == lane.importer, pl.col("stage") == lane.stage)
    small = Inputs(inputs.question, {**inputs.frames, "measures": own})
    factors = ("extraterritorial", "reroute") if reach else ("withheld", "reroute")
    rows = (
        measure_rows(small, ruleset)
        .filter(
            pl.col("mineral") == lane.mineral,
            pl.col("horizon_days") == lane.horizon,
            pl.col("is_extraterritorial") == reach,
        )
        .to_dicts()
    )
    if not rows:
        return [Look(factor, (), ()) for factor in factors]
    looks: list[Look] = []
    for factor in factors:
        told = ((_measure_words(row), row) for row in rows)
        looks += _looks(ruleset, factor, told, inputs.as_of)
    return looks


def _measure_words(row: Mapping[str, Any]) -> str:
    form = f", {row['form']}" if row["form"] else ""
    return f"{row['notice']}, {row['clause']}{form}: {row['instrument']}, {row['state']}, for {row['scope']}"


def _of_pledges(inputs: Inputs, ruleset: RuleSet, lane: Lane) -> list[Look]:
    on_lane = inputs["measures"].filter(
        pl.col("mineral") == lane.mineral, pl.col("stage") == lane.stage, pl.col("importer") == lane.importer
    )
    rows = pledge_rows(inputs, ruleset).filter(
        pl.col("mineral") == lane.mineral,
        pl.col("stage") == lane.stage,
        pl.col("importer").is_in([lane.importer, ANY]),
        pl.col("horizon_days") == lane.horizon,
        pl.col("instrument").is_in(on_lane["instrument"].unique().to_list()),
    )
    told = (
        (f"{row['pledge_id']}: {row['kind']}, {row['backing']}, on {row['instrument']}", row)
        for row in rows.iter_rows(named=True)
    )
    return _looks(ruleset, "mitigation", told, inputs.as_of)


def _of_access(inputs: Inputs, ruleset: RuleSet, lane: Lane) -> list[Look]:
    """Limits and pledges of every supplier towards this importer: they say who could step in."""
    rows = inputs["access"].filter(
        pl.col("stage") == lane.stage, pl.col("importer").is_in([lane.importer, ANY])
    )
    told = (
        (
            f"{row['fact_id']}: {row['access_of']} of {row['exporter']}",
            {**row, "horizon_days": lane.horizon},
        )
        for row in rows.iter_rows(named=True)
    )
    return _looks(ruleset, "access", told, inputs.as_of)


def _of_route(inputs: Inputs, ruleset: RuleSet, lane: Lane, route: Mapping[str, Any]) -> list[Look]:
    """Return the second pass on the route itself, without what only a run computes (alternative_share)."""
    row = {name: route[column] for name, column in _RENAMED.items()} | dict(route)
    stock = inputs["stocks"].filter(pl.col("importer") == lane.importer)
    switch = inputs["substitution"].filter(pl.col("horizon_days") == lane.horizon)
    for frame, feature in ((stock, "stock_known_days"), (switch, "switch_share")):
        known = frame.row(0, named=True) if frame.height else {}
        row |= {column: known.get(column) for column in ruleset.features[feature].columns}
    normal, latest = route["route_t"], route["latest_t"]
    row["latest_to_baseline_share"] = latest / normal if normal and latest is not None else None
    party = lane.importer if lane.exporter == inputs.curbing_country else lane.exporter
    known_events = events.by_party(inputs, inputs["chains"].select("mineral", "stage", "stage_order"))
    own = known_events.filter(pl.col("stage") == lane.stage, pl.col("party") == party)
    row["has_unverified_state"] = bool(own["has_unverified_state"].any())
    name = f"{lane.exporter} to {lane.importer}"
    return [look for factor in _SECOND_PASS for look in _looks(ruleset, factor, [(name, row)], inputs.as_of)]


def _looks(
    ruleset: RuleSet, factor: str, rows: Iterable[tuple[str, Mapping[str, object]]], on: date
) -> list[Look]:
    """Put rows with equal verdicts together, those on which a rule applies first."""
    grouped: dict[tuple[Verdict, ...], list[str]] = {}
    for subject, row in rows:
        grouped.setdefault(tuple(trace_factor(ruleset, factor, row, on)), []).append(subject)
    found = [Look(factor, tuple(sorted(set(names))), verdicts) for verdicts, names in grouped.items()]
    found.sort(key=lambda look: (not any(v.applies for v in look.verdicts), look.subjects))
    return found or [Look(factor, (), ())]


def as_text(ruleset: RuleSet, lane: Lane, as_of: date, looks: list[Look]) -> str:
    """Return looks as lines: the rows, then every rule with its value or the first filter that failed."""
    lines = [
        f"{lane.mineral}, {lane.stage}, {lane.exporter} to {lane.importer}, {lane.horizon} days, on {as_of}"
    ]
    for name, group in groupby(looks, key=lambda look: look.factor):
        factor = ruleset.scorecard.factors[name]
        lines += ["", f"{name} (in {factor.unit}, {factor.combine})"]
        idle = 0
        for look in group:
            if name == "access" and not any(verdict.applies for verdict in look.verdicts):
                idle += len(look.subjects)
                continue
            lines += [f"  {subject}" for subject in look.subjects] or ["  no row of this route to look at"]
            lines += _verdict_lines(look, factor.unit)
        if idle:
            lines.append(
                f"  {idle} more limits and pledges of suppliers, to none of which a rule applies; --json has them"
            )
    lines += ["", "Measures on the flows that feed the exporter: `curbline explain` with the same words."]
    return "\n".join(lines)


def _verdict_lines(look: Look, unit: str) -> list[str]:
    """Return rules that apply, then those that came close, then the many that want something else altogether."""
    lines, others = [], dict[tuple[str, str], list[str]]()
    for verdict in sorted(look.verdicts, key=lambda v: (not v.applies, -v.filters_held)):
        name = f"    {verdict.rule_id}"
        if verdict.applies:
            lines.append(f"{name}: applies: {_value_words(verdict, unit)}")
        elif any(end is not None for end in verdict.value):
            lines.append(f"{name}: at one end alone: {_value_words(verdict, unit)}; {verdict.reason}")
        elif verdict.filters_held or verdict.standing:
            lines.append(f"{name}: no: {verdict.reason}")
        else:
            others.setdefault((verdict.feature, verdict.got), []).append(
                f"{verdict.rule_id} ({verdict.want})"
            )
    for (feature, got), names in others.items():
        said = f"no: {feature} is {got}, other rules want another: {', '.join(names)}"
        lines += wrap(said, 110, initial_indent="    ", subsequent_indent="      ", break_on_hyphens=False)
    return lines


def _value_words(verdict: Verdict, unit: str) -> str:
    low, best, high = verdict.value
    if best is None and low is None and high is None:
        return "its value rests on what a run computes between the passes"
    if low is not None and best is not None and high is not None:
        return range_words(Range(low, best, high), unit)
    shown = ("nothing" if end is None else range_words(Range.exact(end), unit) for end in verdict.value)
    return ", ".join(f"{name} {end}" for name, end in zip(ENDS, shown, strict=True))


def as_data(lane: Lane, as_of: date, looks: list[Look]) -> dict[str, Any]:
    """Return the same as data."""
    return {"route": vars(lane), "as_of": as_of, "looks": [look.as_dict() for look in looks]}
