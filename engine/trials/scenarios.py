"""Scoring the small worlds of scenario tests, and comparing field by field.

Scenarios of one day and one curbing country share a run if their minerals differ: their chains never meet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from engine.language.errors import Problem
from engine.language.load import SCENARIOS
from engine.language.rules import Band, Range, RuleSet
from engine.language.scenarios import FACTS, RANGES, Cell, Expectation, Scenario
from engine.scoring.inputs import COLUMNS, Inputs, ends
from engine.scoring.portfolio import score_portfolio
from engine.scoring.steps import STEPS
from ground.question import Question
from ground.words import ENDS, HORIZONS

FAILED = "R090"
SOURCE = "scenario"
_TYPES: Mapping[str, "type[pl.DataType]"] = {
    "stage_order": pl.Int64, "horizon_days": pl.Int64, "trade_year": pl.Int64, "baseline_year": pl.Int64, "valid_from": pl.Date,
    "state_valid_from": pl.Date, "start_date": pl.Date, "latest_t": pl.Float64, "route_usd": pl.Float64,
    "part_low": pl.Float64, "part_high": pl.Float64,
}  # fmt: skip
_RANGES = (*RANGES, *(f"add_{days}_t" for days in HORIZONS), "reserves_t", "transit_days")


@dataclass(frozen=True)
class ScenarioResult:
    """One expectation of one scenario, and how it failed; no problem where it came out."""

    scenario: str
    name: str
    problem: Problem | None

    @property
    def passed(self) -> bool:
        """Whether it came out as wanted."""
        return self.problem is None

    @property
    def suite(self) -> str:
        """What a report files it under."""
        return f"{SCENARIOS}{self.scenario}"


def run_scenarios(ruleset: RuleSet, scenarios: Sequence[Scenario]) -> list[ScenarioResult]:
    """Score every world and compare it, in the order given."""
    found: dict[str, list[ScenarioResult]] = {}
    for group in _groups(scenarios):
        wanted = {one.horizon_days for scenario in group for one in scenario.expectations}
        horizons = tuple(days for days in ruleset.scorecard.horizons if days in wanted)
        asked = replace(ruleset, scorecard=replace(ruleset.scorecard, horizons=horizons))
        marts = score_portfolio(_inputs(group), asked)
        for scenario in group:
            found[scenario.name] = [
                _compared(scenario, one, marts, ruleset.scorecard.bands) for one in scenario.expectations
            ]
    return [result for scenario in scenarios for result in found[scenario.name]]


def _groups(scenarios: Sequence[Scenario]) -> list[list[Scenario]]:
    groups: list[list[Scenario]] = []
    for scenario in scenarios:
        for group in groups:
            same = (group[0].as_of, group[0].curbing_country) == (scenario.as_of, scenario.curbing_country)
            if same and not any(scenario.minerals & other.minerals for other in group):
                group.append(scenario)
                break
        else:
            groups.append([scenario])
    return groups


def _inputs(group: Sequence[Scenario]) -> Inputs:
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in COLUMNS}
    day = group[0].as_of
    for scenario in group:
        for name in FACTS:
            for fact in scenario.facts[name]:
                rows[name] += _opened(name, fact, day)
    countries = {str(row[key]) for row in rows["flows"] for key in ("exporter", "importer")}
    rows["countries"] = [{"country": country, "is_entrepot": False} for country in sorted(countries)]
    frames = {name: _frame(name, rows[name]) for name in COLUMNS}
    return Inputs(Question(day, day, group[0].curbing_country), frames)


def _opened(name: str, fact: Mapping[str, Cell], day: date) -> list[dict[str, object]]:
    """Return a fact as rows of the engine's frame; what a scenario never states has its simplest value."""
    row: dict[str, object] = {}
    for key, value in fact.items():
        if key in RANGES:
            span = value if isinstance(value, Range) else None
            column = f"add_{fact['horizon_days']}_t" if key == "add_t" else key
            row |= {f"{column}_{end}": None if span is None else span.end(end) for end in ENDS}
        else:
            row[key] = value
    if name == "chains":
        stages = fact["stages"] if isinstance(fact["stages"], tuple) else ()
        return [
            {"mineral": fact["mineral"], "stage": stage, "stage_order": place}
            for place, stage in enumerate(stages, 1)
        ]
    if name == "flows":
        plain = {
            "trade_basis": "exact",
            "trade_completeness": "complete",
            "trade_year": day.year,
            "baseline_year": day.year,
        }
        return [row | plain | {"latest_t": row["route_t_best"]}]
    if name == "production":
        return [row | {"is_hindsight": False}]
    if name == "measures":
        importers = fact["importers"] if isinstance(fact["importers"], tuple) else ()
        item = "-".join(str(fact[key]) for key in ("measure_id", "clause", "mineral", "stage", "form"))
        more = {
            "item_id": f"{item}-{'-'.join(importers)}",
            "notice": fact["measure_id"],
            "state_valid_from": day,
            "start_date": day,
        }
        classes = dict.fromkeys(ends("destination_class"), fact["destination_class"])
        return [row | more | classes | {"importer": importer, "source_id": SOURCE} for importer in importers]
    return [row | {"source_id": SOURCE}]


def _frame(name: str, rows: list[dict[str, object]]) -> pl.DataFrame:
    numbers = {column for base in _RANGES for column in ends(base)}
    schema: dict[str, type[pl.DataType]] = {}
    for column in COLUMNS[name]:
        plain = (
            pl.Float64
            if column in numbers
            else pl.Boolean
            if column.startswith(("is_", "holds_"))
            else pl.String
        )
        schema[column] = _TYPES.get(column, plain)
    return pl.DataFrame(
        [{column: row.get(column) for column in schema} for row in rows], schema=schema, orient="row"
    )


def _compared(
    scenario: Scenario, want: Expectation, marts: Mapping[str, pl.DataFrame], bands: Sequence[Band]
) -> ScenarioResult:
    keys = dict(zip(("mineral", "stage", "exporter", "importer"), want.route, strict=True))
    found = marts["route_score"].filter(horizon_days=want.horizon_days, **keys)
    if not found.height:
        differences = ["the world has no such route"]
    else:
        row = found.row(0, named=True)
        differences = _numbers("score", want.score, row, want.regime, want.tolerance)
        share = f"{want.regime}_missing_share"
        differences += _numbers("missing_share", want.missing_share, row, share, want.tolerance / 100)
        band = _band(bands, row[f"{want.regime}_best"])
        if want.band is not None and want.band != band:
            differences.append(f"band: want {want.band}, got {band}")
        flags = set(row["flags"])
        differences += _missing("flags", want.flags, flags)
        differences += _missing("rules", want.rules, _deciding(marts, keys, want) if want.rules else set())
    problem = None
    if differences:
        said = f"scenario '{scenario.name}', {want.name}: {'; '.join(differences)}"
        problem = Problem(want.at, FAILED, said, "correct the rule, or the expectation if the rule is right")
    return ScenarioResult(scenario.name, want.name, problem)


def _band(bands: Sequence[Band], best: float) -> str:
    """Return the band of the score at best, which is what a scenario states."""
    return next(band.name for band in reversed(bands) if best >= band.start - 1e-9)


def _numbers(
    name: str, want: float | Range | None, row: Mapping[str, float | None], column: str, tolerance: float
) -> list[str]:
    if want is None:
        return []
    asked = [("best", f"{column}_best", want)] if not isinstance(want, Range) else [
        (end, f"{column}_{end}", want.end(end)) for end in ENDS
    ]  # fmt: skip
    told = []
    for end, place, value in asked:
        got = row[place]
        if got is None or abs(got - value) > tolerance:
            told.append(f"{name} {end}: want {value:g}, got {'unknown' if got is None else f'{got:.4g}'}")
    return told


def _missing(name: str, want: Sequence[str], got: set[str]) -> list[str]:
    lacking = [one for one in want if one not in got]
    return [f"{name}: want {', '.join(lacking)}, got {', '.join(sorted(got)) or 'none'}"] if lacking else []


def _deciding(marts: Mapping[str, pl.DataFrame], keys: Mapping[str, str], want: Expectation) -> set[str]:
    """Return the rules behind the points of a route: of the measures and pledges that move it, and its responses."""
    at = {"horizon_days": want.horizon_days, "regime": want.regime}
    wide = marts["contribution_wide"].filter(**at, **keys)
    points = wide.row(0, named=True) if wide.height else {}
    found = {
        points.get(f"{step.response}_rule_id") for step in STEPS if step.response and points.get(step.column)
    }
    law = marts["flow_measure"].filter(mineral=keys["mineral"], **at)
    for term in marts["contribution_term"].filter(mineral=keys["mineral"]).iter_rows(named=True):
        if points.get(term["term"]):
            found.add(term["pledge_rule_id"])
            if term["measure_id"]:
                found |= set(law.filter(measure_id=term["measure_id"], clause=term["clause"])["rule_id"])
    return {str(rule) for rule in found if rule}
