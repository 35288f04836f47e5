"""The whole portfolio on one day: every route and importer of every mineral, scored and explained.

Flow: frames -> chains and first-pass rules -> attribution and shock -> second-pass rules -> scores and waterfall.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext

import polars as pl

from engine import events
from engine.assemble import ChainFrames, RuledMeasures, build_chains, rule_measures
from engine.blocks import BLOC_AS_IMPORTER, ChainBlocks, ChainResult
from engine.finish import Finisher
from engine.inputs import Inputs
from engine.law_marts import flow_measures, reconciliation, withheld_shares
from engine.responses import EVERY_EXPORTER, respond, unit_frame
from engine.rules import RuleSet
from engine.supply import chain_supply, rule_access
from engine.waterfall import build_waterfall

Phase = Callable[[str], AbstractContextManager[object]]


def score_portfolio(
    inputs: Inputs, ruleset: RuleSet, phase: Phase = lambda _: nullcontext()
) -> Mapping[str, pl.DataFrame]:
    """Score everything.

    Args:
        inputs: the day's facts and law.
        ruleset: checked rules.
        phase: called with the name of each phase; its context lasts as long as the phase.

    Returns:
        Frames by mart name: route_score, importer_score, contribution_wide, importer_contribution_wide,
        contribution_term, flow_measure, withheld_share, reconciliation. Without run columns.
    """
    with phase("rules, first pass"):
        chains = build_chains(inputs)
        ruled = rule_measures(inputs, ruleset)
        access = rule_access(inputs, ruleset)
    bloc = inputs["blocs"].filter(pl.col("bloc") == BLOC_AS_IMPORTER)["country"].to_list()
    horizons = ruleset.scorecard.horizons
    results: list[ChainResult] = []
    with phase("attribution and shock"):
        for frames in chains:
            supply = chain_supply(inputs, ruleset, access, frames.chain, horizons)
            results.append(ChainBlocks(inputs, ruleset, ruled, frames, supply, bloc).build())
    edges = tuple(
        ruleset.parameter(f"reconciliation_{grade}_from", inputs.as_of).best
        for grade in ("fair", "weak", "insufficient")
    )
    scorers = [result.scorer for result in results if result.scorer is not None]
    grades = reconciliation(chains, scorers, (edges[0], edges[1], edges[2]))
    blocks = [block for result in results for block in result.blocks]
    with phase("rules, second pass"):
        notes = _stage_notes(inputs, grades)
        stages = _stage_orders(chains)
        units = _with_events(unit_frame(blocks, inputs, notes), inputs, stages)
        responses = respond(blocks, units, inputs, ruleset)
    with phase("scores"):
        finisher = Finisher(blocks, units, responses, ruleset)
        scored = pl.concat([units, finisher.columns()], how="horizontal")
        scored = scored.with_columns(
            unknown_reason=pl.lit(None, pl.String),
            flags=responses.flags,
            curbing_country=pl.lit(inputs.curbing_country),
            as_of=pl.lit(inputs.as_of),
            known_at=pl.lit(inputs.known_at),
        ).rename({"is_hindsight": "hindsight"})
    with phase("waterfall"):
        waterfall = build_waterfall(blocks, finisher)
        ids = pl.DataFrame({f"{factor}_rule_id": series for factor, series in responses.rule_ids.items()})
        is_importer = units["is_importer"]
        routes = pl.concat(
            [units.select("mineral", "stage", "exporter", "importer", "horizon_days"), ids], how="horizontal"
        )
    return {
        "route_score": scored.filter(~is_importer)
        .with_columns(route_t=pl.col("route_t_best"))
        .sort("mineral", "stage", "exporter", "importer", "horizon_days"),
        "importer_score": scored.filter(is_importer)
        .drop("exporter")
        .sort("mineral", "stage", "importer", "horizon_days"),
        "contribution_wide": waterfall.routes.join(
            routes.filter(~is_importer),
            on=["mineral", "stage", "exporter", "importer", "horizon_days"],
            how="left",
        ).sort("mineral", "stage", "exporter", "importer", "horizon_days", "regime"),
        "importer_contribution_wide": waterfall.importers.join(
            routes.filter(is_importer).drop("exporter"),
            on=["mineral", "stage", "importer", "horizon_days"],
            how="left",
        ).sort("mineral", "stage", "importer", "horizon_days", "regime"),
        "contribution_term": waterfall.terms.join(
            _pledge_rules(ruled), on=["mineral", "pledge_id"], how="left", maintain_order="left"
        ),
        "flow_measure": flow_measures(chains, results),
        "withheld_share": withheld_shares(chains, results),
        "reconciliation": grades,
    }


def _pledge_rules(ruled: RuledMeasures) -> pl.DataFrame:
    """mineral, pledge_id, pledge_rule_id: the mitigation rule that decided at best."""
    schema = {"mineral": pl.String, "pledge_id": pl.String, "pledge_rule_id": pl.String}
    parts = [
        part.group_by("mineral", "pledge_id").agg(
            pledge_rule_id=pl.col("rule_id").drop_nulls().sort().first()
        )
        for part in ruled.pledges.values()
    ]
    return pl.concat([pl.DataFrame(schema=schema), *parts])


def _stage_notes(inputs: Inputs, grades: pl.DataFrame) -> pl.DataFrame:
    """mineral, stage, reconciliation, is_hindsight."""
    hindsight = inputs["production"].group_by("mineral", "stage").agg(pl.col("is_hindsight").any())
    return (
        grades.select("mineral", "stage", reconciliation="grade")
        .join(hindsight, on=["mineral", "stage"], how="left")
        .with_columns(pl.col("is_hindsight").fill_null(value=False))
    )


def _stage_orders(chains: list[ChainFrames]) -> pl.DataFrame:
    rows = [
        (frames.chain.mineral, facts.name, order)
        for frames in chains
        for order, facts in enumerate(frames.chain.stages)
    ]
    return pl.DataFrame(rows, schema=["mineral", "stage", "stage_order"], orient="row")


def _with_events(units: pl.DataFrame, inputs: Inputs, stages: pl.DataFrame) -> pl.DataFrame:
    own = pl.col("exporter").is_in([inputs.curbing_country, EVERY_EXPORTER])
    return (
        units.with_columns(party=pl.when(own).then("importer").otherwise("exporter"))
        .join(
            events.by_party(inputs, stages),
            on=["mineral", "stage", "party"],
            how="left",
            maintain_order="left",
        )
        .with_columns(pl.col("has_unverified_state").fill_null(value=False))
        .drop("party")
    )
