"""A portfolio on one day: every route and importer of every mineral, scored and explained.

Flow: frames -> chains and first-pass rules -> attribution and shock -> second-pass rules -> scores and waterfall.
What follows the first pass is done for a few minerals at a time, so that memory does not grow with their number.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Final

import polars as pl

from engine.language.rules import RuleSet
from engine.scoring import events
from engine.scoring.assemble import ChainFrames, RuledMeasures, build_chains, rule_measures
from engine.scoring.blocks import BLOC_AS_IMPORTER, Block, ChainBlocks
from engine.scoring.draws import Numbers
from engine.scoring.expect import Expectations, answered
from engine.scoring.finish import Finisher
from engine.scoring.inputs import Inputs
from engine.scoring.law_marts import flow_measures, reconciliation, withheld_shares
from engine.scoring.ranges import Array
from engine.scoring.responses import EVERY_EXPORTER, respond, unit_frame
from engine.scoring.supply import RuledAccess, chain_supply, rule_access
from engine.scoring.waterfall import build_waterfall, terms_last
from ground.draws import DEFAULT_DRAWS
from ground.words import REGIMES

Phase = Callable[[str], AbstractContextManager[object]]
Marts = Mapping[str, pl.DataFrame]

#: Minerals are scored together until they have this many routes, at the default number of draws: the rules are compiled
#: once for all of them. With more draws they are fewer, for the sake of memory.
ROUTES_AT_ONCE: Final = 5_000


def score_portfolio(inputs: Inputs, ruleset: RuleSet, phase: Phase = lambda _: nullcontext()) -> Marts:
    """Score everything and hold it at once; see `score_in_parts` for a portfolio of many minerals.

    Returns:
        Frames by mart name, as `score_in_parts` gives them, with the minerals one below the other.
    """
    totals = Expectations(Numbers(), inputs, ruleset)
    parts = list(score_in_parts(inputs, ruleset, phase, totals))
    marts = {
        name: terms_last(pl.concat([part[name] for part in parts], how="diagonal_relaxed"))
        for name in parts[0]
    }
    return {**marts, "exposure": totals.exposure()}


def score_in_parts(
    inputs: Inputs,
    ruleset: RuleSet,
    phase: Phase = lambda _: nullcontext(),
    totals: Expectations | None = None,
) -> Iterator[Marts]:
    """Score a few minerals at a time, in alphabetical order; `jobs.nightly.processes` scores them side by side.

    Args:
        inputs: the day's facts and law.
        ruleset: checked rules.
        phase: called with the name of each phase; its context lasts as long as the phase.
        totals: takes in the draws of every part; asked for `mart.exposure` when all have been scored.

    Yields:
        Frames by mart name: route_score, importer_score, contribution_wide, importer_contribution_wide,
        contribution_term, flow_measure, withheld_share, reconciliation; sorted, without run columns. No mineral
        is in two parts.
    """
    totals = totals or Expectations(Numbers(), inputs, ruleset)
    for part in parts_of(inputs, ruleset, totals.numbers.draws, phase):
        marts = score_part(part, totals, phase)
        totals.take(totals.drain())
        yield marts


@dataclass(frozen=True)
class Part:
    """A few minerals: their chains, and what the first-pass rules say of the day's law on them."""

    chains: Sequence[ChainFrames]
    inputs: Inputs
    measures: RuledMeasures
    access: RuledAccess


def parts_of(
    inputs: Inputs, ruleset: RuleSet, draws: int, phase: Phase = lambda _: nullcontext()
) -> Iterator[Part]:
    """Yield minerals that are scored together, in alphabetical order. Arguments as of `score_in_parts`."""
    with phase("rules, first pass"):
        chains = build_chains(inputs)
        measures, access = rule_measures(inputs, ruleset), rule_access(inputs, ruleset)
    for some in _few_at_a_time(chains, ROUTES_AT_ONCE * min(1.0, DEFAULT_DRAWS / draws)):
        minerals = [frames.chain.mineral for frames in some]
        yield Part(some, inputs.only(minerals).alone, measures.only(minerals), _only(access, minerals))


def _only(ruled: Mapping[tuple[object, ...], pl.DataFrame], minerals: Sequence[str]) -> RuledAccess:
    return {key: rows for key, rows in ruled.items() if key[0] in minerals}


def _few_at_a_time(chains: Sequence[ChainFrames], routes_at_once: float) -> Iterator[list[ChainFrames]]:
    some: list[ChainFrames] = []
    routes = 0
    for frames in chains:
        some.append(frames)
        routes += sum(flows.height for flows in frames.flows)
        if routes >= routes_at_once:
            yield some
            some, routes = [], 0
    if some:
        yield some


def score_part(part: Part, totals: Expectations, phase: Phase = lambda _: nullcontext()) -> Marts:
    """Score the minerals of a part: the frames by mart name that `score_in_parts` yields."""
    chains, inputs, ruleset = part.chains, part.inputs, totals.ruleset
    edges = grade_edges(inputs, ruleset)
    blocks: list[Block] = []
    flows, withheld, grade_rows = [], [], []
    with phase("attribution and shock"):
        for frames in chains:
            result = chain_blocks(frames, part, totals).build()
            # A chain's matrices are large: what is published of them is taken at once, and they are let go.
            blocks += result.blocks
            flows.append(flow_measures(frames, result))
            withheld.append(withheld_shares(frames, result))
            grade_rows += reconciliation(frames, result.scorer, edges)
    grades = pl.DataFrame(grade_rows, infer_schema_length=None)
    with phase("rules, second pass"):
        units = described_units(blocks, chains, grades, inputs)
        responses = respond(blocks, units, inputs, ruleset)
    with phase("scores"):
        finisher = Finisher(blocks, units, responses)
        scored = pl.concat([units, finisher.columns()], how="horizontal")
    with phase("draws"):
        drawn = totals.columns(blocks, responses, binding_days_of(units, part))
        scored = answered(pl.concat([scored, drawn], how="horizontal"), ruleset)
        scored = scored.with_columns(
            unknown_reason=pl.lit(None, pl.String),
            flags=pl.coalesce(responses.flags.str.split(";"), pl.lit([], pl.List(pl.String))),
            curbing_country=pl.lit(inputs.curbing_country),
            as_of=pl.lit(inputs.as_of),
            known_at=pl.lit(inputs.known_at),
        ).rename({"is_hindsight": "hindsight"})
    with phase("waterfall"):
        final = {regime: scored[regime].to_numpy() for regime in REGIMES}
        waterfall = build_waterfall(blocks, finisher, responses.rule_ids, final)
    is_importer = units["is_importer"]
    return {
        "route_score": scored.filter(~is_importer)
        .with_columns(route_t=pl.col("route_t_best"))
        .sort("mineral", "stage", "exporter", "importer", "horizon_days"),
        "importer_score": scored.filter(is_importer)
        .drop("exporter")
        .sort("mineral", "stage", "importer", "horizon_days"),
        "contribution_wide": waterfall.routes,
        "importer_contribution_wide": waterfall.importers,
        "contribution_term": waterfall.terms.join(
            _pledge_rules(part.measures),
            on=["mineral", "pledge_id"],
            how="left",
            maintain_order="left",
        ),
        "flow_measure": pl.concat(flows),
        "withheld_share": pl.concat(withheld),
        "reconciliation": grades,
    }


def chain_blocks(frames: ChainFrames, part: Part, totals: Expectations) -> ChainBlocks:
    """Return what builds the blocks of one chain of a part."""
    inputs, ruleset = part.inputs, totals.ruleset
    return ChainBlocks(
        inputs,
        ruleset,
        part.measures,
        frames,
        chain_supply(inputs, ruleset, part.access, frames.chain, ruleset.scorecard.horizons),
        inputs["blocs"].filter(pl.col("bloc") == BLOC_AS_IMPORTER)["country"].to_list(),
        numbers=totals.numbers,
        evidence=totals.evidence,
    )


def binding_days_of(units: pl.DataFrame, part: Part) -> Array:
    """Return (u,) how long measures have withheld the goods of each unit of a part; 0 where none is in force."""
    parties = units.select("mineral", "stage", party=_party(part.inputs))
    ruled = part.measures.measures.values()
    return events.binding_days(parties, part.inputs, ruled, _stage_orders(part.chains)).to_numpy()


def described_units(
    blocks: Sequence[Block], chains: Sequence[ChainFrames], grades: pl.DataFrame, inputs: Inputs
) -> pl.DataFrame:
    """Return a row per unit of the blocks, with all that second-pass rules read except the share of alternatives."""
    notes = _stage_notes(inputs, grades)
    units = unit_frame(blocks, inputs, notes)
    # A route's note is of its own trade (then it has another name), an importer's of all that its stage needs.
    units = units.with_columns(pl.coalesce("^is_hindsight(_right)?$").alias("is_hindsight"))
    return _with_events(units, inputs, _stage_orders(chains))


def grade_edges(inputs: Inputs, ruleset: RuleSet) -> tuple[float, float, float]:
    """Return the unexplained shares from which a stage is fair, weak and insufficient."""
    fair, weak, insufficient = (
        ruleset.parameter(f"reconciliation_{grade}_from", inputs.as_of).best
        for grade in ("fair", "weak", "insufficient")
    )
    return fair, weak, insufficient


def _pledge_rules(ruled: RuledMeasures) -> pl.DataFrame:
    """Return mineral, pledge_id, pledge_rule_id: the mitigation rule that decided at best."""
    schema = {"mineral": pl.String, "pledge_id": pl.String, "pledge_rule_id": pl.String}
    parts = [
        part.group_by("mineral", "pledge_id").agg(
            pledge_rule_id=pl.col("rule_id").drop_nulls().sort().first()
        )
        for part in ruled.pledges.values()
    ]
    return pl.concat([pl.DataFrame(schema=schema), *parts])


def _stage_notes(inputs: Inputs, grades: pl.DataFrame) -> pl.DataFrame:
    """Return mineral, stage, reconciliation, is_hindsight."""
    hindsight = inputs["production"].group_by("mineral", "stage").agg(pl.col("is_hindsight").any())
    return (
        grades.select("mineral", "stage", reconciliation="grade")
        .join(hindsight, on=["mineral", "stage"], how="left")
        .with_columns(pl.col("is_hindsight").fill_null(value=False))
    )


def _stage_orders(chains: Sequence[ChainFrames]) -> pl.DataFrame:
    rows = [
        (frames.chain.mineral, facts.name, order)
        for frames in chains
        for order, facts in enumerate(frames.chain.stages)
    ]
    return pl.DataFrame(rows, schema=["mineral", "stage", "stage_order"], orient="row")


def _with_events(units: pl.DataFrame, inputs: Inputs, stages: pl.DataFrame) -> pl.DataFrame:
    return (
        units.with_columns(party=_party(inputs))
        .join(
            events.by_party(inputs, stages),
            on=["mineral", "stage", "party"],
            how="left",
            maintain_order="left",
        )
        .with_columns(pl.col("has_unverified_state").fill_null(value=False))
        .drop("party")
    )


def _party(inputs: Inputs) -> pl.Expr:
    """Return whom the curbing country's law looks at: the importer of its own goods, the exporter of all others."""
    own = pl.col("exporter").is_in([inputs.curbing_country, EVERY_EXPORTER])
    return pl.when(own).then("importer").otherwise("exporter")
