"""Severities estimated anew from what happened: a small hierarchical model, and the rule parameters it proposes.

    severity = general mean + cell + episode + noise

A cell is a rule at a horizon (the rules part destinations by class and lanes by size), an episode is one curb on one
mineral. All parts are normal; given their four spreads everything has a closed form (the posterior of a Gaussian
linear model), and the spreads are those of highest posterior density. The noise of a lane grows as it gets smaller,
and where the law reached a part of the flow alone, the rest moves too:

    variance = (whole^2 + lane^2 (1 - share of the exporter's trade)) / reach^2

Few episodes are on record, so predictions use Student's t with one degree of freedom less than there are episodes.
Nothing is written: `propose` returns data for a person to judge.

Source: Gelman and Hill (2007), "Data analysis using regression and multilevel/hierarchical models", chapters 11 to 13.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import optimize, special

from engine.scoring.ranges import Array

#: Ends of a proposed range: nineteen of twenty new episodes fall within.
LEVELS: Final = (0.025, 0.5, 0.975)


@dataclass(frozen=True)
class Seen:
    """One observed severity.

    Attributes:
        severity: share withheld of what the law reached; beyond 0..1 where the rest of the flow moved as well.
        episode: a curb on a mineral.   rule_id, horizon_days: the cell.
        lane_share: what the lane is of the exporter's trade, 0..1; 1 for all of it.
        reach: share of the flow that the law reached, by goods and days, above 0 and up to 1.
    """

    severity: float
    episode: str
    rule_id: str
    horizon_days: int
    lane_share: float = 1.0
    reach: float = 1.0

    @property
    def cell(self) -> tuple[str, int]:
        """The rule at its horizon."""
        return self.rule_id, self.horizon_days


@dataclass(frozen=True)
class Prior:
    """What is believed beforehand: weak, and the same for every event.

    Attributes:
        mean, sd: of a severity about which nothing is known.
        spread, spread_log_sd: middle of each of the four spreads, and the standard deviation of its logarithm.
    """

    mean: float = 0.5
    sd: float = 0.5
    spread: float = 0.2
    spread_log_sd: float = 0.7


@dataclass(frozen=True)
class Spreads:
    """Standard deviations: between cells, between episodes, of a whole flow, and what a small lane adds."""

    cell: float
    episode: float
    whole: float
    lane: float


class SeverityModel:
    """The model, fitted to what was seen.

    Args:
        seen: at least one observation.
        prior: what is believed beforehand.

    Raises:
        ValueError: nothing was seen, or a lane's share or reach cannot be.
    """

    def __init__(self, seen: Sequence[Seen], prior: Prior | None = None) -> None:
        if not seen:
            message = "no outcome is left to estimate from; add outcomes, or leave fewer out"
            raise ValueError(message)
        if any(not 0.0 <= one.lane_share <= 1.0 for one in seen):
            message = "a lane's share of the exporter's trade lies outside 0..1"
            raise ValueError(message)
        if any(not 0.0 < one.reach <= 1.0 for one in seen):
            message = "a law reached none of the flow, or more than all of it; its severity cannot be told"
            raise ValueError(message)
        self.seen, self.prior = list(seen), prior or Prior()
        self._residual = np.array([one.severity for one in seen]) - self.prior.mean
        self._same_cell = _equal([one.cell for one in seen])
        self._same_episode = _equal([one.episode for one in seen])
        self._small = np.array([1.0 - one.lane_share for one in seen])
        self._reach = np.array([one.reach for one in seen])
        self.episodes = len({one.episode for one in seen})
        start = np.full(4, np.log(self.prior.spread))
        found = optimize.minimize(self._minus_log_density, start, method="L-BFGS-B", bounds=[(-7.0, 2.0)] * 4)
        self.spreads = Spreads(*np.exp(found.x))

    def _covariance(self, spreads: Spreads) -> Array:
        noise = (spreads.whole**2 + spreads.lane**2 * self._small) / self._reach**2
        shared = self.prior.sd**2 + spreads.cell**2 * self._same_cell
        return np.asarray(shared + spreads.episode**2 * self._same_episode + np.diag(noise))

    def _minus_log_density(self, logs: Array) -> float:
        factor = np.linalg.cholesky(self._covariance(Spreads(*np.exp(logs))))
        scaled = np.linalg.solve(factor, self._residual)
        prior = np.sum(((logs - np.log(self.prior.spread)) / self.prior.spread_log_sd) ** 2) / 2.0
        return float(scaled @ scaled / 2.0 + np.log(np.diag(factor)).sum() + prior)

    def predict_fall(
        self, cell: tuple[str, int], u: Array, lane_share: float = 1.0, reach: float = 1.0
    ) -> Array:
        """Return the fall of a flow in a new episode at numbers in 0..1, ordinary movement included; at most 1."""
        mean, sd = self.moments(cell)
        noise = self.noise_sd(lane_share)
        spread = np.sqrt((reach * sd) ** 2 + noise**2)
        return np.asarray(np.minimum(reach * mean + spread * self._wide(u), 1.0))

    def predict_severity(self, cell: tuple[str, int], u: Array) -> Array:
        """Return the severity of a new episode at numbers in the unit interval, cut to 0..1."""
        mean, sd = self.moments(cell)
        return np.asarray(np.clip(mean + sd * self._wide(u), 0.0, 1.0))

    def _wide(self, u: Array) -> Array:
        return np.asarray(special.stdtrit(max(self.episodes - 1, 1), u))

    def noise_sd(self, lane_share: float = 1.0) -> float:
        """Return the standard deviation of a flow's ordinary movement over a window."""
        return float(np.hypot(self.spreads.whole, self.spreads.lane * np.sqrt(1.0 - lane_share)))

    def moments(self, cell: tuple[str, int]) -> tuple[float, float]:
        """Return the mean and standard deviation of the severity of a new episode, before it is cut to 0..1."""
        s = self.spreads
        like = np.array([one.cell == cell for one in self.seen], dtype=np.float64)
        link = self.prior.sd**2 + s.cell**2 * like
        solved = np.linalg.solve(self._covariance(s), np.column_stack([self._residual, link]))
        mean = self.prior.mean + link @ solved[:, 0]
        own = self.prior.sd**2 + s.cell**2 + s.episode**2
        return float(mean), float(np.sqrt(own - link @ solved[:, 1]))


def _equal(names: Sequence[object]) -> Array:
    codes = {name: place for place, name in enumerate(dict.fromkeys(names))}
    at = np.array([codes[name] for name in names])
    return np.asarray(at[:, None] == at[None, :], dtype=np.float64)


@dataclass(frozen=True)
class Proposal:
    """A range that outcomes suggest for a rule at a horizon.

    Attributes:
        outcomes, episodes: that bear on this rule and horizon themselves; the others count by what all have in common.
        reference: title for the rule's references.
    """

    rule_id: str
    horizon_days: int
    low: float
    best: float
    high: float
    outcomes: int
    episodes: int
    reference: str


def propose(seen: Sequence[Seen], prior: Prior | None = None) -> list[Proposal]:
    """Return a range for each rule and horizon that was seen, for a new episode and a whole flow; sorted."""
    model = SeverityModel(seen, prior)
    found = []
    for rule_id, horizon in sorted({one.cell for one in seen}):
        own = [one for one in seen if one.cell == (rule_id, horizon)]
        low, best, high = model.predict_severity((rule_id, horizon), np.array(LEVELS))
        episodes = sorted({one.episode for one in own})
        reference = (
            f"Curbline, hierarchical estimate from {len(seen)} outcomes of {model.episodes} episodes; of this rule and "
            f"horizon {len(own)} of {', '.join(episodes)}"
        )
        found.append(
            Proposal(
                rule_id, horizon, float(low), float(best), float(high), len(own), len(episodes), reference
            )
        )
    return found
