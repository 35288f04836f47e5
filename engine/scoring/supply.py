"""What countries outside the curbing one could add, and to whom: the inputs of alternatives (method section 5)."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from engine.language.evaluation import evaluate
from engine.language.rules import RuleSet
from engine.scoring.inputs import Inputs, ends, partition
from engine.scoring.ranges import Array
from engine.scoring.response import Supply
from engine.scoring.world import Chain

MINED = "mined"
LONG_HORIZON = 1825  # from here new mines and plants count (method section 1)


ACCESS_KEPT = ("mineral", "stage", "horizon_days", "access_of", "exporter", "importer")
RuledAccess = dict[tuple[object, ...], pl.DataFrame]


def rule_access(inputs: Inputs, ruleset: RuleSet) -> RuledAccess:
    """Return the access rows by mineral, stage and horizon, with the access rules' value_low, _best and _high."""
    ruled: RuledAccess = {}
    for (
        horizon
    ) in ruleset.scorecard.horizons:  # one after another: opened to all minerals and buyers, they are many
        frame = inputs["access"].with_columns(pl.lit(horizon, pl.Int64).alias("horizon_days"))
        value = evaluate(ruleset, "access", frame, on=inputs.as_of)
        known = pl.concat([frame.select(ACCESS_KEPT), value], how="horizontal").filter(
            pl.col("value_best").is_not_null()
        )
        ruled |= partition(known, "mineral", "stage", "horizon_days")
    return ruled


def access_share(ruled: RuledAccess, chain: Chain, stage: str, horizon: int) -> Array:
    """Return (3, n, n) share that exporter o leaves open to importer i: 1 less its bans, in part restored by pledges.

    The strictest ban governs, and the best pledge restores. A country always has access to its own supply.
    """
    n = len(chain.countries)
    place = {country: i for i, country in enumerate(chain.countries)}
    left, restored = np.ones((3, n, n)), np.zeros((3, n, n))
    rows = ruled.get((chain.mineral, stage, horizon))
    for row in rows.iter_rows(named=True) if rows is not None else ():
        exporter = place.get(row["exporter"])
        if exporter is None:
            continue
        value = np.array([row["value_low"], row["value_best"], row["value_high"]])
        to: slice | int
        if row["importer"] == "*":
            to = slice(None)
        elif row["importer"] in place:
            to = place[row["importer"]]
        else:
            continue
        span = value[:, None] if isinstance(to, slice) else value
        if row["access_of"] == "ban":
            left[:, exporter, to] = np.minimum(left[:, exporter, to], span)
        else:
            restored[:, exporter, to] = np.maximum(restored[:, exporter, to], span)
    access = left + (1.0 - left) * restored
    access[:, np.arange(n), np.arange(n)] = 1.0
    return access


def stage_supply(
    inputs: Inputs, ruleset: RuleSet, access: RuledAccess, chain: Chain, stage: str, horizon: int
) -> Supply:
    """Return what could be added at one stage within one horizon.

    Over five years mines answer too: feed = min(reserves / years behind a mine, ramp x today's mine), less what
    plants outside the curbing country use already. The two ends oppose each other: few reserves go with a
    long-lived mine. At shorter horizons only plant that can be restarted counts. Where no capacity is on record, what
    others could add is unknown, not nothing.
    """
    capacity = inputs.part("capacity", mineral=chain.mineral, stage=stage)
    on_record = capacity.filter(pl.col(f"add_{horizon}_t_best").is_not_null())
    is_known = on_record.height > 0
    added = _by_country(on_record, chain, f"add_{horizon}_t")
    open_to = access_share(access, chain, stage, horizon)
    has_mines = MINED in set(inputs.part("chains", mineral=chain.mineral)["stage"])
    if horizon < LONG_HORIZON or not has_mines:
        return Supply(added, None, np.zeros(3), open_to, open_to, is_known)
    feed = _feed(inputs, ruleset, chain)
    used = _made(inputs, chain, stage).sum(axis=1)
    if stage == MINED:
        return Supply(feed, feed, used, open_to, open_to)
    return Supply(added, feed, used, open_to, access_share(access, chain, MINED, horizon), is_known)


def _made(inputs: Inputs, chain: Chain, stage: str) -> Array:
    rows = inputs.part("production", mineral=chain.mineral, stage=stage, is_unlisted_total=False)
    return _by_country(rows, chain, "production_t")


def _feed(inputs: Inputs, ruleset: RuleSet, chain: Chain) -> Array:
    """Return (3, n) ore that mines outside the curbing country could raise within the horizon, tonnes a year."""
    on = inputs.as_of
    years, ramp = ruleset.parameter("reserve_years", on), ruleset.parameter("ramp_share", on)
    mined = _made(inputs, chain, MINED)
    ramped = mined * np.array([ramp.low, ramp.best, ramp.high])[:, None]
    known = inputs.part("reserves", mineral=chain.mineral)
    known = known.filter(pl.col("reserves_t_best").is_not_null())
    reserves = _by_country(known, chain, "reserves_t")
    has_reserves = np.isin(np.array(chain.countries), known["country"])
    limit = reserves / np.array([years.high, years.best, years.low])[:, None]
    return np.asarray(np.where(has_reserves, np.minimum(limit, ramped), ramped))


def _by_country(rows: pl.DataFrame, chain: Chain, name: str) -> Array:
    """Return (3, n) sums by country, without the curbing one; an unknown adds nothing to what could relieve."""
    place = {country: i for i, country in enumerate(chain.countries)}
    rows = rows.filter(pl.col("country").is_in(list(place)))
    total = np.zeros((3, len(place)))
    where = np.array([place[c] for c in rows["country"]], dtype=np.intp)
    for end, column in enumerate(ends(name)):
        np.add.at(total[end], where, rows[column].fill_null(0.0).to_numpy())
    total[:, chain.curbing] = 0.0
    return total


def chain_supply(
    inputs: Inputs, ruleset: RuleSet, access: RuledAccess, chain: Chain, horizons: Sequence[int]
) -> dict[tuple[str, int], Supply]:
    """Return supply by stage and horizon."""
    return {
        (facts.name, horizon): stage_supply(inputs, ruleset, access, chain, facts.name, horizon)
        for facts in chain.stages
        for horizon in horizons
    }
