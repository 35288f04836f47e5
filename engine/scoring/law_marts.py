"""Frames that say what the law does flow by flow: c of every measure, c in all, and how well a stage reconciles."""

import numpy as np
import polars as pl

from engine.scoring.assemble import ChainFrames, StageMeasures
from engine.scoring.attribution import reconciliation_grade
from engine.scoring.blocks import ChainResult
from engine.scoring.chain_score import ChainScorer, StageLaw
from engine.scoring.inputs import ends
from engine.scoring.ranges import BEST, HIGH, LOW
from ground.words import LAW_REGIMES

_ENDS = (("low", LOW), ("best", BEST), ("high", HIGH))

FLOW_MEASURE_SCHEMA = {
    "mineral": pl.String,
    "flow_stage": pl.String,
    "flow_exporter": pl.String,
    "flow_importer": pl.String,
    "horizon_days": pl.Int64,
    "regime": pl.String,
    "measure_id": pl.String,
    "clause": pl.String,
    "item_id": pl.String,
    "scope": pl.String,
    "is_extraterritorial": pl.Boolean,
    "state": pl.String,
    "coverage_share_best": pl.Float64,
    **dict.fromkeys(ends("withheld_share"), pl.Float64),
    "rule_id": pl.String,
    "source_id": pl.String,
}


FLOW_MEASURE_KEYS = (
    *("mineral", "flow_stage", "flow_importer", "horizon_days", "regime"),
    *("measure_id", "clause", "item_id", "scope"),
)


def flow_measures(frames: ChainFrames, result: ChainResult) -> pl.DataFrame:
    """Return which measure withholds how much of which of the curbing country's flows: only where it withholds any."""
    parts = [pl.DataFrame(schema=FLOW_MEASURE_SCHEMA)]
    for (stage, horizon, regime), (own, foreign, law) in result.curbs.items():
        if regime in LAW_REGIMES:
            for part, reach in ((own, False), (foreign, True)):
                if part.curbs.size:
                    parts.append(_flow_rows(frames, stage, horizon, regime, part, law, reach=reach))
    return pl.concat(parts).sort(FLOW_MEASURE_KEYS)


def _flow_rows(
    frames: ChainFrames,
    stage: str,
    horizon: int,
    regime: str,
    part: StageMeasures,
    law: StageLaw,
    *,
    reach: bool,
) -> pl.DataFrame:
    chain = frames.chain
    weight = law.reach_weight if reach else law.weight
    shares = part.curbs.item_shares(weight, None if law.pledges_stand and not reach else 0)
    item, place = np.nonzero(shares[:, HIGH] > 0)
    items = part.curbs.items
    countries = np.array(chain.countries)
    return pl.DataFrame(
        {
            "mineral": chain.mineral,
            "flow_stage": stage,
            "flow_exporter": chain.countries[chain.curbing],
            "flow_importer": countries[place],
            "horizon_days": horizon,
            "regime": regime,
            "measure_id": [items[m].measure_id for m in item],
            "clause": [items[m].clause for m in item],
            "item_id": [items[m].item_id for m in item],
            "scope": [items[m].scope for m in item],
            "is_extraterritorial": reach,
            "state": part.state[item, place],
            "coverage_share_best": part.curbs.coverage[item, BEST],
            **{f"withheld_share_{end}": shares[item, p, place] for end, p in _ENDS},
            "rule_id": part.curbs.rule_ids[item, place],
            "source_id": [items[m].source_id for m in item],
        },
        schema=FLOW_MEASURE_SCHEMA,
    )


WITHHELD_SCHEMA = {
    **dict.fromkeys(("curbing_country", "mineral", "stage", "exporter", "importer"), pl.String),
    "horizon_days": pl.Int64,
    **{column: pl.Float64 for regime in LAW_REGIMES for column in ends(f"{regime}_c")},
}


def withheld_shares(frames: ChainFrames, result: ChainResult) -> pl.DataFrame:
    """Return c of the curbing country's flows to every importer that buys from it, in active and snapback."""
    chain = frames.chain
    parts = [pl.DataFrame(schema=WITHHELD_SCHEMA)]
    for facts in chain.stages:
        buyers = np.flatnonzero(facts.trade_t[1][chain.curbing] > 0)
        for horizon in sorted({h for stage, h, _ in result.withheld if stage == facts.name}):
            shares = {r: result.withheld[facts.name, horizon, r][:, buyers] for r in LAW_REGIMES}
            columns = {
                "curbing_country": chain.countries[chain.curbing],
                "mineral": chain.mineral,
                "stage": facts.name,
                "exporter": chain.countries[chain.curbing],
                "importer": [chain.countries[j] for j in buyers],
                "horizon_days": horizon,
                **{f"{r}_c_{end}": shares[r][p] for r in LAW_REGIMES for end, p in _ENDS},
            }
            parts.append(pl.DataFrame(columns, schema=WITHHELD_SCHEMA))
    return pl.concat(parts)


def reconciliation(
    frames: ChainFrames, scorer: ChainScorer, edges: tuple[float, float, float]
) -> list[dict[str, object]]:
    """Return how far trade and production of every stage agree, and what would mend it: one row a stage."""
    rows: list[dict[str, object]] = []
    for s, facts in enumerate(frames.chain.stages):
        made = float(scorer.production_t[s][0].sum())
        gaps = scorer.pools[s].unexplained_t[0]
        unexplained = float(gaps.sum())
        worst = np.argsort(-gaps, kind="stable")[:3]
        names = [frames.chain.countries[k] for k in worst if gaps[k] > 0]
        entered = made + unexplained
        grade = reconciliation_grade(unexplained, made, edges)
        rows.append(
            {
                "mineral": frames.chain.mineral,
                "stage": facts.name,
                "trade_year": frames.flows[s]["trade_year"][0],
                "baseline_year": frames.flows[s]["baseline_year"][0],
                "production_t": made,
                "unexplained_t": unexplained,
                "unexplained_share": unexplained / entered if entered > 0 else None,
                "grade": grade,
                "producer_count": int((facts.production_t[1] > 0).sum()),
                "exporter_count": int((facts.trade_t[1].sum(axis=1) > 0).sum()),
                "unlisted_t_best": float(facts.unlisted_t[1]),
                "what_would_mend": _mend(facts.name, names, grade),
            }
        )
    return rows


def _mend(stage: str, countries: list[str], grade: str) -> str | None:
    if grade == "good" or not countries:
        return None
    return f"production of the {stage} stage, or a split of the codes, for {', '.join(countries)}"
