"""What trade since the curbs began says of their severities: Bayes' rule on the numbers that they are drawn with.

A lane's last year over its baseline is compared with what a severity leaves of it. Trade also moves by itself, small
lanes more than large ones, and all lanes of a mineral together, so a year says little of one lane:

    log(last year / baseline) = log(1 - reach x severity) + movement of the mineral + movement of the lane

Draws keep their equal weights, else sums over lanes would lose their meaning. In each draw the part of a severity that
all lanes of a rule have in common comes from its posterior, then the lane's own part from its posterior given that
common part: the same Latin hypercube number, sent through the posterior instead of the prior.

Source: method section 6 of the joint draws; the scorecard's parameters name the data behind the ordinary movement.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby
from typing import Final

import numpy as np
import polars as pl
from scipy import special

from engine.language.rules import RuleSet
from engine.scoring.assemble import (
    ChainFrames,
    RuledMeasures,
    build_chains,
    rule_measures,
    stage_measures,
    state_weights,
)
from engine.scoring.curbs import CurbSet
from engine.scoring.drawn_curbs import Spread
from engine.scoring.draws import Numbers, quantile
from engine.scoring.inputs import Inputs
from engine.scoring.ranges import BEST, HIGH, Array
from ground.words import HORIZONS

CELLS: Final = 32  # equal parts of the unit interval in which a likelihood is formed
DAYS_A_YEAR: Final = 365
#: Which parameter says how lanes of a value (USD a year, from here on) move by themselves.
MOVEMENTS: Final = (
    (10e6, "movement_from_10m_usd_multiple"),
    (1e6, "movement_from_1m_usd_multiple"),
    (1e5, "movement_from_100k_usd_multiple"),
    (0.0, "movement_of_small_lanes_multiple"),
)


@dataclass(frozen=True)
class Observed:
    """One lane of the curbing country that was traded before its curb and after.

    Attributes:
        rule_id: the rule that governs it.   mineral, stage, importer: the lane.
        ends: (3,) severity at the horizon nearest to how long the curb had been in force.
        reach: share of the year's goods that the curb reaches: what it covers at best, times its part of the year.
        log_ratio: logarithm of the last year's tonnes over the baseline's.
        lane_sd, common_sd: of the logarithm, by the lane itself and by all of the mineral's.
    """

    rule_id: str
    mineral: str
    stage: str
    importer: str
    ends: tuple[float, float, float]
    reach: float
    log_ratio: float
    lane_sd: float
    common_sd: float


@dataclass(frozen=True)
class Evidence:
    """Numbers of severities after trade has been looked at.

    Attributes:
        numbers: as they are before.
        learnt: those that changed, by name.
        told: by rule, mineral and importer, by how much the variance of the severity's number fell, 0..1; with an
            empty mineral and importer, of a lane of the rule on which nothing was seen.
    """

    numbers: Numbers
    learnt: Mapping[tuple[str, ...], Array] = field(default_factory=dict)
    told: Mapping[tuple[str, str, str], float] = field(default_factory=dict)

    @property
    def rules(self) -> set[str]:
        """Rules of which anything was learnt."""
        return {rule for rule, _, _ in self.told}

    def of(self, *name: str) -> Array:
        """Return (D,) numbers of one input."""
        return self.learnt[name] if name in self.learnt else self.numbers.of(*name)

    def told_share(self, rule_id: str, mineral: str, importer: str) -> float:
        """Return by how much the variance of a lane's severity number fell, 0..1."""
        return self.told.get((rule_id, mineral, importer), self.told.get((rule_id, "", ""), 0.0))

    def told_of(self, curbs: CurbSet, weight: Array, mineral: str, countries: Sequence[str]) -> Array:
        """Return (n,) the same for the curb that governs each country's flow."""
        governing = curbs.governing(weight)
        told = np.zeros(len(countries))
        for place in np.flatnonzero(governing >= 0):
            rule = str(curbs.rule_ids[governing[place], place])
            told[place] = self.told_share(rule, mineral, countries[int(place)])
        return told


def evidence_since(inputs: Inputs, ruleset: RuleSet, numbers: Numbers) -> Evidence:
    """Learn from every lane of the curbing country, also of minerals that are not asked for.

    Args:
        inputs: the day's facts; `Inputs.whole` where some minerals alone are scored.
        ruleset: checked rules.
        numbers: of all inputs.
    """
    learnt: dict[tuple[str, ...], Array] = {}
    told: dict[tuple[str, str, str], float] = {}
    spread = Spread.on(ruleset, inputs.as_of)
    floor = ruleset.parameter("least_observed_share", inputs.as_of).best
    every = sorted(
        observed_lanes(inputs.whole, ruleset), key=lambda one: (one.rule_id, one.mineral, one.importer)
    )
    for rule, own in groupby(every, key=lambda one: one.rule_id):
        _Rule(rule, list(own), numbers, spread, floor).learn(learnt, told)
    return Evidence(numbers, learnt, told)


def nearest_horizon(ruleset: RuleSet, days: int) -> int:
    """Return the scorecard's horizon that is nearest to a number of days, the shorter of two."""
    return min(sorted(ruleset.scorecard.horizons), key=lambda horizon: abs(horizon - days))


def lane_movement(ruleset: RuleSet, on: date, usd: float | None) -> float:
    """Return the standard deviation of the log by which a lane of that value moves in a year without curbs.

    A lane of unknown value may be a parcel: it is taken to move as the smallest do, which says least.
    """
    name = MOVEMENTS[-1][1] if usd is None else next(name for least, name in MOVEMENTS if usd >= least)
    return float(np.log(ruleset.parameter(name, on).best))


def common_movement(ruleset: RuleSet, on: date) -> float:
    """Return the same of all lanes of a mineral out of one country together."""
    return float(np.log(ruleset.parameter("common_movement_multiple", on).best))


# -- what was seen ----------------------------------------------------------------------------------------------


def observed_lanes(inputs: Inputs, ruleset: RuleSet) -> Sequence[Observed]:
    """Return lanes under a curb that binds today and bound in the last year of trade, with a baseline before it.

    A lane whose baseline is zero or unknown says nothing, nor does one of lists of named buyers, which have a quantity
    of their own. Where several curbs meet, the one that withholds most at best is held responsible.
    """
    return inputs.remembered("observed lanes", ruleset, lambda: _observed_lanes(inputs, ruleset))


def _observed_lanes(inputs: Inputs, ruleset: RuleSet) -> list[Observed]:
    since = _since(inputs)
    minerals = sorted(since["mineral"].unique())
    if not minerals:
        return []
    # What is learnt must not hang on which horizons are asked for.
    ruleset = replace(ruleset, scorecard=replace(ruleset.scorecard, horizons=HORIZONS))
    own = inputs.only(minerals)
    ruled = rule_measures(own, ruleset)
    return [
        one
        for frames in build_chains(own)
        for place, flows in enumerate(frames.flows)
        for one in _stage(own, ruleset, ruled, frames, place, flows)
    ]


def _since(inputs: Inputs, flows: pl.DataFrame | None = None) -> pl.DataFrame:
    return (inputs["flows"] if flows is None else flows).filter(
        (pl.col("exporter") == inputs.curbing_country)
        & (pl.col("trade_year") > pl.col("baseline_year"))
        & (pl.col("route_t_best") > 0)
        & pl.col("latest_t").is_not_null()
    )


def _stage(
    inputs: Inputs,
    ruleset: RuleSet,
    ruled: RuledMeasures,
    frames: ChainFrames,
    place: int,
    flows: pl.DataFrame,
) -> Iterator[Observed]:
    since = _since(inputs, flows)
    if not since.height:
        return
    chain, stage = frames.chain, frames.chain.stages[place].name
    governing = _governing(inputs, ruleset, ruled, frames, stage, int(since["trade_year"][0]))
    least = ruleset.parameter("least_observed_share", inputs.as_of).best
    bundle_sd = np.log(ruleset.parameter("bundle_share_multiple", inputs.as_of).best)
    common_sd = common_movement(ruleset, inputs.as_of)
    for row in since.iter_rows(named=True):
        if row["importer"] not in governing:
            continue
        rule_id, ends, reach = governing[row["importer"]]
        if reach < least:
            continue
        years = row["trade_year"] - row["baseline_year"]
        moves = lane_movement(ruleset, inputs.as_of, row["route_usd"])
        ratio = row["latest_t"] / row["route_t_best"]
        # What part of a bundled code is this mineral is a judgement in both years.
        judged = bundle_sd if row["trade_basis"] == "bundle" else 0.0
        yield Observed(
            rule_id,
            chain.mineral,
            stage,
            row["importer"],
            ends,
            reach,
            float(np.log(max(ratio, least))),
            float(np.hypot(moves * np.sqrt(years), judged)),
            float(common_sd * np.sqrt(years)),
        )


def _governing(
    inputs: Inputs, ruleset: RuleSet, ruled: RuledMeasures, frames: ChainFrames, stage: str, year: int
) -> dict[str, tuple[str, tuple[float, float, float], float]]:
    """Return by importer: the rule, its range and its reach, of what withheld most at best in a year."""
    chain, last = frames.chain, date(year, 12, 31)
    strongest = np.zeros(len(chain.countries))
    found: dict[str, tuple[str, tuple[float, float, float], float]] = {}
    for horizon in ruleset.scorecard.horizons:
        part = stage_measures(ruled, chain, stage, horizon, reach=False)
        binds = state_weights(ruleset, "active", part.state, inputs.as_of)[:, HIGH] > 0
        for m, item in enumerate(part.curbs.items):
            days = (last - date.fromisoformat(item.start_date)).days
            if days <= 0 or item.is_named_buyers or nearest_horizon(ruleset, days) != horizon:
                continue
            reach = float(part.curbs.coverage[m, BEST]) * min(days, DAYS_A_YEAR) / DAYS_A_YEAR
            strength = reach * part.curbs.withheld[m, BEST] * binds[m]
            for j in np.flatnonzero(strength > strongest):
                strongest[j] = strength[j]
                low, best, high = (float(end) for end in part.curbs.withheld[m, :, j])
                found[chain.countries[j]] = str(part.curbs.rule_ids[m, j]), (low, best, high), reach
    return found


# -- what it says -----------------------------------------------------------------------------------------------


class _Rule:
    """The lanes of one rule: a common part of their severities, then the part of each."""

    def __init__(
        self, rule_id: str, observed: Sequence[Observed], numbers: Numbers, spread: Spread, floor: float
    ) -> None:
        self.rule_id, self.observed, self.numbers, self.floor = rule_id, observed, numbers, floor
        self.kind = spread.of_rule(rule_id)
        self.common, self.own = np.sqrt(spread.common_share), np.sqrt(1.0 - spread.common_share)
        self.z = special.ndtri((np.arange(CELLS) + 0.5) / CELLS)
        self._known: dict[tuple[object, ...], Array] = {}

    def learn(self, learnt: dict[tuple[str, ...], Array], told: dict[tuple[str, str, str], float]) -> None:
        """Add the numbers of the rule and of its lanes, and by how much their variance fell."""
        minerals = {
            mineral: list(own) for mineral, own in groupby(self.observed, key=lambda one: one.mineral)
        }
        # (cells of the common part, cells of the mineral's movement) each.
        likely = {mineral: self._mineral(own) for mineral, own in minerals.items()}
        total = np.sum([_log_mean(found, axis=1) for found in likely.values()], axis=0)
        name = "severity", self.rule_id
        before = self.numbers.of(*name)
        after = _through(before, np.broadcast_to(_weights(total), (len(before), CELLS)))
        learnt[name] = after
        z = special.ndtri(after)
        told[self.rule_id, "", ""] = self._fall(special.ndtri(before), z, None, None)
        mixed = self.common * z[:, None] + self.own * self.z
        cell = np.minimum((after * CELLS).astype(np.intp), CELLS - 1)
        for mineral, own in minerals.items():
            moved = self._moved(mineral, own[0].common_sd, likely[mineral][cell])
            for importer, lane in groupby(own, key=lambda one: one.importer):
                mine = *name, mineral, importer
                first = self.numbers.of(*mine)
                learnt[mine] = _through(first, _weights(self._lane(list(lane), mixed, moved[:, None])))
                told[self.rule_id, mineral, importer] = self._fall(
                    special.ndtri(before), z, special.ndtri(first), special.ndtri(learnt[mine])
                )

    def _mineral(self, observed: Sequence[Observed]) -> Array:
        """Return (cells, cells) log likelihood of all lanes, by the common part and by the mineral's movement."""
        mixed = (self.common * self.z[:, None] + self.own * self.z)[:, None, :]
        moved = observed[0].common_sd * self.z[None, :, None]
        lanes = [list(lane) for _, lane in groupby(observed, key=lambda one: one.importer)]
        return np.asarray(sum(_log_mean(self._lane(lane, mixed, moved), axis=2) for lane in lanes))

    def _lane(self, observed: Sequence[Observed], mixed: Array, moved: Array) -> Array:
        """Return the log likelihood of one lane's observations, at severity numbers and movements of the mineral."""
        total = np.zeros(np.broadcast_shapes(mixed.shape, moved.shape))
        for one in observed:
            total -= 0.5 * ((one.log_ratio - self._left(one, mixed) - moved) / one.lane_sd) ** 2
        return total

    def _left(self, one: Observed, mixed: Array) -> Array:
        """Return the logarithm of what severities leave of a lane; many lanes share it."""
        key = one.ends, one.reach, mixed.shape
        if key not in self._known:
            severity = quantile(np.array(one.ends), special.ndtr(mixed), self.kind)
            self._known[key] = np.log(np.maximum(1.0 - one.reach * severity, self.floor))
        return self._known[key]

    def _moved(self, mineral: str, common_sd: float, likely: Array) -> Array:
        """Return (D,) movement of the mineral in each draw, out of its posterior given the common part."""
        u = _through(self.numbers.of("movement", self.rule_id, mineral), _weights(likely))
        return np.asarray(common_sd * special.ndtri(u))

    def _fall(self, before: Array, after: Array, own_before: Array | None, own_after: Array | None) -> float:
        """Return by how much the variance fell; where the lane's own part was not seen it keeps its variance."""
        if own_before is None or own_after is None:
            kept = self.common**2 * after.var() / before.var() + self.own**2
        else:
            whole = self.common * after + self.own * own_after
            kept = whole.var() / (self.common * before + self.own * own_before).var()
        return float(np.clip(1.0 - kept, 0.0, 1.0))


def _weights(log_likelihood: Array) -> Array:
    """Return the posterior of cells of equal prior, along the last axis."""
    likelihood = np.exp(log_likelihood - log_likelihood.max(axis=-1, keepdims=True))
    return np.asarray(likelihood / likelihood.sum(axis=-1, keepdims=True))


def _log_mean(log_values: Array, axis: int) -> Array:
    most = log_values.max(axis=axis, keepdims=True)
    return np.asarray(np.log(np.exp(log_values - most).mean(axis=axis)) + most.squeeze(axis))


def _through(u: Array, weights: Array) -> Array:
    """Return (D,) numbers sent through posteriors (D, cells): the value below which the posterior has the mass u."""
    above = np.cumsum(weights, axis=1)
    cell = np.minimum((above < u[:, None]).sum(axis=1), weights.shape[1] - 1)
    rows = np.arange(len(u))
    mass = weights[rows, cell]
    part = (u - (above[rows, cell] - mass)) / np.where(mass > 0, mass, 1.0)
    edge = 1e-9
    return np.asarray(np.clip((cell + np.clip(part, 0.0, 1.0)) / weights.shape[1], edge, 1.0 - edge))
