"""One recalculation: the facts of a day in, the tables of schema mart out. No file, no clock."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

from engine.portfolio import score_portfolio
from engine.portfolio_withheld import withheld_portfolio
from jobs.coverage import measure_coverage
from jobs.gather import LONGEST_DAYS, gather
from jobs.settings import ALL_COUNTRIES
from jobs.terms import term_frame
from warehouse import Inputs as WarehouseInputs
from warehouse import publishable

if TYPE_CHECKING:
    from engine import RuleSet
    from warehouse import Warehouse

Phase = Callable[[str], AbstractContextManager[object]]
LEDGER_COUNTRIES = (
    "SELECT DISTINCT curbing_country FROM core.measures WHERE known_from <= $known_at ORDER BY 1"
)
MAIN_HORIZON = 365


@dataclass(frozen=True)
class RunRequest:
    """What is asked: the day of the law, the state of knowledge, and whose curbs (ISO3, or ``all``)."""

    as_of: date
    known_at: date
    curbing_country: str
    strict_knowledge: bool = False


@dataclass
class RunResult:
    """Frames by mart table, with a null run_id, and what a reader should be warned of."""

    marts: dict[str, pl.DataFrame]
    summary: dict[str, object] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def recalculate(request: RunRequest, state: Warehouse, ruleset: RuleSet, on_phase: Phase) -> RunResult:
    """Score every route and importer, or give c of every ledger country where the curbing country is ``all``.

    Raises:
        InputError: no trade was known, or figures from later had to be used and ``strict_knowledge`` is set.
    """
    if request.curbing_country == ALL_COUNTRIES:
        return _every_country(request, state, ruleset, on_phase)
    facts = WarehouseInputs(state, request.as_of, request.known_at, request.curbing_country)
    with on_phase("gather"):
        inputs = gather(facts, strict_knowledge=request.strict_knowledge)
    marts = dict(score_portfolio(inputs, ruleset, on_phase))
    with on_phase("tables"):
        marts["contribution_term"] = term_frame(marts, inputs)
        marts["measure_coverage"] = measure_coverage(state, request.known_at, marts["route_score"])
        marts["calendar"] = _calendar(facts)
        for name in ("route_score", "importer_score"):
            marts[name] = marts[name].with_columns(pl.lit(None, pl.String).alias("run_id"))
        marts = {name: publishable(name, frame) for name, frame in marts.items()}
    return RunResult(marts, _summary(marts, facts), _warnings(marts, facts))


def _every_country(request: RunRequest, state: Warehouse, ruleset: RuleSet, on_phase: Phase) -> RunResult:
    parts = []
    countries = state.query(LEDGER_COUNTRIES, {"known_at": request.known_at})["curbing_country"]
    calendars = []
    with on_phase("withheld shares"):
        for country in countries:
            facts = WarehouseInputs(state, request.as_of, request.known_at, country)
            parts.append(
                withheld_portfolio(gather(facts, strict_knowledge=request.strict_knowledge), ruleset)
            )
            calendars.append(_calendar(facts))
    filled = [part for part in parts if part.height]
    keys = ["curbing_country", "mineral", "stage", "importer", "horizon_days"]
    return RunResult({"withheld_share": pl.concat(filled).sort(keys), "calendar": pl.concat(calendars)})


def _calendar(facts: WarehouseInputs) -> pl.DataFrame:
    """Changes of measures that are already known to come, within the longest horizon."""
    return facts.measure_timeline(facts.as_of + timedelta(days=LONGEST_DAYS)).select(
        event_date="valid_from",
        measure_id="measure_id",
        clause="clause",
        event=pl.format("{} becomes {} for {}", "notice", "state", "importer").str.replace_all("_", " "),
        state_after="state",
        notice="notice",
        source_id="source_id",
    )


def _summary(marts: dict[str, pl.DataFrame], facts: WarehouseInputs) -> dict[str, object]:
    routes = marts["route_score"].filter(pl.col("horizon_days") == MAIN_HORIZON)
    return {
        "minerals": routes["mineral"].n_unique(),
        "routes": routes.height,
        "lanes_new_since_baseline": facts.flows.filter(pl.col("route_t_high") == 0).height,
        "gap_rows": int(facts.gaps["row_count"].sum()),
    }


def _warnings(marts: dict[str, pl.DataFrame], facts: WarehouseInputs) -> list[str]:
    warnings = []
    weak = marts["reconciliation"].filter(pl.col("grade") == "insufficient")
    if weak.height:
        names = ", ".join(f"{m} {s}" for m, s in weak.select("mineral", "stage").iter_rows())
        warnings.append(f"trade and production do not reconcile for {names}: these scores are unverified.")
    gaps = facts.gaps.filter(pl.col("hs6").is_not_null())
    if gaps.height:
        by_reason = gaps.group_by("reason").agg(pl.col("row_count").sum()).sort("reason")
        told = "; ".join(f"{count} because {reason}" for reason, count in by_reason.iter_rows())
        warnings.append(f"trade rows that could not become tonnes of a lane: {told}.")
    return warnings
