"""One recalculation: the facts of a day in, the tables of schema mart out. No file, no clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from engine.scoring.draws import Numbers
from engine.scoring.expect import Expectations
from engine.scoring.inputs import Inputs as EngineInputs
from engine.scoring.portfolio import Marts, parts_of, score_in_parts
from engine.scoring.steps import step_frame
from engine.scoring.withheld import withheld_portfolio
from ground.draws import DEFAULT_DRAWS
from ground.question import Question
from jobs.errors import InputError
from jobs.explain.terms import term_frame
from jobs.gather import gather
from jobs.nightly.calendar import calendar_frame
from jobs.nightly.coverage import measure_coverage
from jobs.nightly.listing import Floors, with_listing
from jobs.nightly.processes import ROUTES_WORTH_A_PROCESS, score_in_processes
from jobs.nightly.unknown import unknown_scores
from jobs.purchases.risk import purchase_marts
from jobs.purchases.store import Portfolio
from jobs.settings import ALL_COUNTRIES
from warehouse.asof.inputs import Inputs as WarehouseInputs
from warehouse.published.marts import publishable

if TYPE_CHECKING:
    from engine.language.rules import RuleSet
    from warehouse.asof.state import Warehouse

Phase = Callable[[str], AbstractContextManager[object]]
Deliver = Callable[[Mapping[str, pl.DataFrame]], None]
Choose = Callable[[EngineInputs], Sequence[str]]
LEDGER_COUNTRIES = (
    "SELECT DISTINCT curbing_country FROM core.measures WHERE known_from <= $known_at ORDER BY 1"
)
ROUTE_COLUMNS = ("mineral", "stage", "exporter", "importer", "horizon_days", "route_usd")


@dataclass(frozen=True)
class RunRequest:
    """What is asked, with how many draws, of whom doubts are told, and whether figures from later are refused.

    The curbing country may be ``all``. ``processes`` is how many at most; it changes no figure. ``purchases`` are the company's own lines.
    """

    question: Question
    draws: int = DEFAULT_DRAWS
    importers: tuple[str, ...] = ()
    strict_knowledge: bool = False
    processes: int = 1
    purchases: Portfolio | None = None


def recalculate(
    request: RunRequest,
    state: Warehouse,
    ruleset: RuleSet,
    on_phase: Phase,
    deliver: Deliver,
    choose: Choose | None = None,
) -> list[str]:
    """Score every route and importer, or give c of every ledger country where the curbing country is ``all``.

    Args:
        request: what is asked.
        state: the facts.
        ruleset: checked rules.
        on_phase: times a phase; the phases of scoring come again for every few minerals.
        deliver: is given the mart tables, with a null run_id, a few minerals at a time; what has been delivered is
            not kept, so that memory does not grow with the number of minerals.
        choose: is given the day's inputs, and returns the minerals that must be scored; by default all are. Tables that
            sum over minerals are then left out.

    Returns:
        What a reader should be warned of.

    Raises:
        InputError: no trade was known, no chain or measure can be scored, or figures from later had to be used and ``strict_knowledge`` is set.
    """
    question = request.question
    if question.curbing_country == ALL_COUNTRIES:
        return _every_country(request, state, ruleset, on_phase, deliver)
    facts = WarehouseInputs(state, question)
    with on_phase("gather"):
        inputs = gather(facts, strict_knowledge=request.strict_knowledge)
    unmeasured = facts.unmeasured
    if choose is not None:
        minerals = choose(inputs)
        if not minerals:
            return []
        inputs = inputs.only(minerals)
        unmeasured = unmeasured.filter(pl.col("mineral").is_in(minerals))
    run = {
        "run_id": pl.lit(None, pl.String),
        **{name: pl.lit(value) for name, value in asdict(question).items()},
    }
    entrepots = inputs["countries"].filter("is_entrepot")["country"].to_list()
    floors = Floors.of(ruleset, question.as_of)
    listed = partial(
        with_listing, floors=floors, curbing_country=question.curbing_country, entrepots=entrepots
    )
    routes, grades, empty = [], [], {}
    totals = Expectations(Numbers(request.draws), inputs, ruleset, request.importers)
    for scored in _scored(inputs, ruleset, on_phase, totals, request.processes):
        with on_phase("tables"):
            marts = dict(scored)
            marts["contribution_term"] = term_frame(marts, inputs)
            for name in ("route_score", "importer_score"):
                marts[name] = marts[name].with_columns(run["run_id"].alias("run_id"))
                empty[name] = marts[name].clear()
            routes.append(marts["route_score"].select(ROUTE_COLUMNS))
            grades.append(marts["reconciliation"])
            here = pl.col("mineral").is_in(marts["reconciliation"]["mineral"].unique().to_list())
            marts |= unknown_scores(marts, unmeasured.filter(here), ruleset.scorecard.horizons, run)
            marts["route_score"] = listed(marts["route_score"])
            unmeasured = unmeasured.filter(~here)
        deliver({name: publishable(name, frame) for name, frame in marts.items()})
        del scored, marts  # before the next minerals are scored
    if empty and unmeasured.height:  # minerals of which no lane at all has tonnes
        rest = unknown_scores(empty, unmeasured, ruleset.scorecard.horizons, run)
        rest["route_score"] = listed(rest["route_score"])
        deliver({name: publishable(name, frame) for name, frame in rest.items()})
    if choose is not None:
        return []  # what follows sums over all minerals, and only some were scored
    with on_phase("doubt"):
        doubt = totals.doubt().with_columns(pl.lit(None, pl.String).alias("run_id"))
    with on_phase("tables"):
        every_route, every_grade = pl.concat(routes), pl.concat(grades, how="vertical_relaxed")
        last = {
            "exposure": totals.exposure().with_columns(pl.lit(None, pl.String).alias("run_id")),
            "doubt": doubt,
            "measure_coverage": measure_coverage(state, question.known_at, every_route),
            "calendar": calendar_frame(facts, ruleset),
            "waterfall_step": step_frame(),
        }
    deliver({name: publishable(name, frame) for name, frame in last.items()})
    if request.purchases is not None:
        with on_phase("purchases"):
            bought = purchase_marts(request.purchases, inputs, ruleset, totals.numbers, totals.evidence)
        deliver({name: publishable(name, frame) for name, frame in bought.items()})
    return _warnings(every_grade, facts)


def _scored(
    inputs: EngineInputs, ruleset: RuleSet, on_phase: Phase, totals: Expectations, processes: int
) -> Iterator[Marts]:
    """Yield the tables of a few minerals at a time, from several processes where there is enough to do for each."""
    processes = min(processes, inputs["flows"].height // ROUTES_WORTH_A_PROCESS)
    if processes < 2:
        yield from score_in_parts(inputs, ruleset, on_phase, totals)
        return
    parts = list(parts_of(inputs, ruleset, totals.numbers.draws, on_phase))
    with closing(score_in_processes(parts, totals, processes)) as scored:
        for _ in parts:
            with on_phase(f"scores, in {processes} processes"):
                marts, sums = next(scored)
                totals.take(sums)
            yield marts


def _every_country(
    request: RunRequest, state: Warehouse, ruleset: RuleSet, on_phase: Phase, deliver: Deliver
) -> list[str]:
    countries = state.query(LEDGER_COUNTRIES, {"known_at": request.question.known_at})["curbing_country"]
    every = [
        WarehouseInputs(state, replace(request.question, curbing_country=country)) for country in countries
    ]
    with on_phase("withheld shares"):
        parts = [
            withheld_portfolio(gather(facts, strict_knowledge=request.strict_knowledge), ruleset)
            for facts in every
        ]
    filled = [part for part in parts if part.height]
    if not filled:
        raise InputError(
            f"no country's measures reach any trade on {request.question.as_of}, as known on "
            f"{request.question.known_at}, so there is nothing to score. Add `measures` with their states and items to a bundle, or name one country with "
            "--curbing-country."
        )
    keys = ["curbing_country", "mineral", "stage", "importer", "horizon_days"]
    deliver({"withheld_share": pl.concat(filled).sort(keys), "calendar": calendar_frame(every[0], ruleset)})
    return []


def _warnings(grades: pl.DataFrame, facts: WarehouseInputs) -> list[str]:
    warnings = []
    weak = grades.filter(pl.col("grade") == "insufficient")
    if weak.height:
        names = ", ".join(f"{m} {s}" for m, s in weak.select("mineral", "stage").iter_rows())
        warnings.append(f"trade and production do not reconcile for {names}: these scores are unverified.")
    gaps = facts.gaps.filter(pl.col("hs6").is_not_null())
    if gaps.height:
        by_reason = gaps.group_by("reason").agg(pl.col("row_count").sum()).sort("reason")
        told = "; ".join(f"{count} because {reason}" for reason, count in by_reason.iter_rows())
        warnings.append(f"trade rows that could not become tonnes of a lane: {told}.")
    return warnings
