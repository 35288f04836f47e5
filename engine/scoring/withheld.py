"""c of a country's own flows without any look-through: what a run for every ledger country gives."""

import numpy as np
import polars as pl

from engine.language.rules import RuleSet
from engine.scoring.assemble import build_chains, rule_measures, stage_measures, state_weights
from engine.scoring.curbs import combine
from engine.scoring.inputs import Inputs, ends
from engine.scoring.ranges import BEST, HIGH, LOW
from ground.words import LAW_REGIMES

REASON = "No look-through is made in a run for all curbing countries; run one country to have it."


def withheld_portfolio(inputs: Inputs, ruleset: RuleSet) -> pl.DataFrame:
    """Return the withheld share of every flow out of the curbing country.

    Returns:
        curbing_country, mineral, stage, exporter, importer, horizon_days, {active, snapback}_c_{low, best, high},
        and touched_share_best, full_stop: null, with the reason in unknown_reason.
    """
    own = inputs["flows"].filter(pl.col("exporter") == inputs.curbing_country)
    if not own.height or not inputs["measures"].height:
        return pl.DataFrame()
    only = Inputs(inputs.question, {**inputs.frames, "flows": own})
    ruled = rule_measures(only, ruleset)
    parts = []
    for frames in build_chains(only):
        chain = frames.chain
        for facts, (_, importers) in zip(chain.stages, frames.routes, strict=True):
            for horizon in ruleset.scorecard.horizons:
                part = stage_measures(ruled, chain, facts.name, horizon, reach=False)
                columns = {}
                for regime in LAW_REGIMES:
                    weight = state_weights(ruleset, regime, part.state, inputs.as_of)
                    shares = part.curbs.item_shares(weight, None if regime == "active" else 0)
                    c = combine(part.curbs.items, shares)
                    points = zip(ends(f"{regime}_c"), (LOW, BEST, HIGH), strict=True)
                    columns.update({name: c[point, importers] for name, point in points})
                parts.append(
                    pl.DataFrame(
                        {
                            "curbing_country": inputs.curbing_country,
                            "mineral": chain.mineral,
                            "stage": facts.name,
                            "exporter": inputs.curbing_country,
                            "importer": np.array(chain.countries)[importers],
                            "horizon_days": horizon,
                            **columns,
                        }
                    )
                )
    if not parts:  # what the country sells belongs to no chain
        return pl.DataFrame()
    nothing = pl.lit(None, pl.Float64)
    return pl.concat(parts).with_columns(
        touched_share_best=nothing, full_stop=nothing, unknown_reason=pl.lit(REASON)
    )
