"""What a company's purchases lose in every draw: the gap of each route, less the company's own stock, times its money.

Draw d is the same world in all routes, so lines are summed inside a draw and totals have honest tails. Lines with the
same route and stock share their draws: such a pair is a profile, and money is only a weight on it. So a million lines
cost what their profiles cost, and no matrix of lines times draws is ever made.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse

from engine.scoring.attribution import Index
from engine.scoring.exposure import DAYS_A_YEAR, QUANTILES, row_quantile
from engine.scoring.ranges import Array

AT_ONCE: Final = 4096  # profiles whose draws are held at the same time
TAIL: Final = 0.1  # the worst tenth of the draws


@dataclass(frozen=True)
class Profiles:
    """Distinct pairs of what is bought and how long the own stock lasts.

    Attributes:
        unit: (p,) place of the gap.
        stock_days: (p,) own stock; NaN where none is stated, and the gap then counts from the first day.
        of_line: (lines,) place of each line's profile.
    """

    unit: Index
    stock_days: Array
    of_line: Index

    @classmethod
    def of(cls, unit: Index, stock_days: Array) -> "Profiles":
        """Return the profiles of lines, given the unit and the stock of each, (lines,)."""
        pairs = np.stack([unit.astype(np.float64), np.where(np.isnan(stock_days), -1.0, stock_days)], axis=1)
        distinct, of_line = np.unique(pairs, axis=0, return_inverse=True)
        stock = np.where(distinct[:, 1] < 0, np.nan, distinct[:, 1])
        return cls(distinct[:, 0].astype(np.intp), stock, of_line.reshape(-1))

    def __len__(self) -> int:
        """Return p."""
        return len(self.unit)


@dataclass(frozen=True)
class Shares:
    """What is missing of each profile over the horizon, (p,) each.

    Attributes:
        gap: mean share before any own stock.
        missing: mean share after it.   missing_p10, missing_p90: one draw in ten has less, one in ten more.
        chance: share of the draws in which anything is missing.
        days: days until goods run short, (3, p) by p10, p50, p90 of the draws; NaN where it lasts in such a draw.
    """

    gap: Array
    missing: Array
    missing_p10: Array
    missing_p90: Array
    chance: Array
    days: Array


def missing_draws(gap: Array, profiles: Profiles, at: slice, horizon_days: float) -> Array:
    """Return (profiles of the slice, D) share missing: the own stock covers the first days of a shortage, once.

    Args:
        gap: (units, D) share of normal tonnes missing over the horizon before stocks.
        profiles: of the lines.
        at: which of them.
        horizon_days: of the gap.
    """
    covered = np.nan_to_num(profiles.stock_days[at]) / horizon_days
    return np.maximum(0.0, gap[profiles.unit[at]] - covered[:, None])


def shares(gap: Array, profiles: Profiles, horizon_days: float) -> Shares:
    """Return what is missing of each profile; arguments as of `missing_draws`."""
    size, draws = len(profiles), gap.shape[1]
    out = {name: np.empty(size) for name in ("gap", "missing", "low", "high", "chance")}
    days = np.full((len(QUANTILES), size), np.nan)
    places = [int(np.ceil(share * draws)) - 1 for share in QUANTILES.values()]
    for at in _slices(size):
        own = gap[profiles.unit[at]]
        lost = missing_draws(gap, profiles, at, horizon_days)
        out["gap"][at], out["missing"][at] = own.mean(axis=1), lost.mean(axis=1)
        out["chance"][at] = (lost > 0).mean(axis=1)
        stock = np.nan_to_num(profiles.stock_days[at])[:, None]
        first = np.full(own.shape, np.inf)
        np.divide(np.broadcast_to(stock, own.shape), own, out=first, where=lost > 0)
        first.sort(axis=1)
        found = first[:, places].T
        days[:, at] = np.where(np.isfinite(found), found, np.nan)
        lost.sort(axis=1)
        out["low"][at] = row_quantile(lost, QUANTILES["p10"])
        out["high"][at] = row_quantile(lost, QUANTILES["p90"])
    return Shares(out["gap"], out["missing"], out["low"], out["high"], out["chance"], days)


def sums(
    weights: sparse.csr_array, gap: Array, profiles: Profiles, horizon_days: float
) -> tuple[Array, Array]:
    """Return what groups of lines lose in every draw: (groups, D) before the own stock, and after it.

    Args:
        weights: (groups, p) money, or tonnes, of each group on each profile over the horizon.
        gap: (units, D).
        profiles: of the lines.
        horizon_days: of the gap.
    """
    before, after = (np.zeros((weights.shape[0], gap.shape[1])) for _ in range(2))
    for at in _slices(len(profiles)):
        own = weights[:, at]
        before += own @ gap[profiles.unit[at]]
        after += own @ missing_draws(gap, profiles, at, horizon_days)
    return before, after


def tail_shares(gap: Array, profiles: Profiles, horizon_days: float, worst: Index) -> Array:
    """Return (p,) mean share missing in the draws that are the worst of the whole portfolio."""
    mean = np.empty(len(profiles))
    for at in _slices(len(profiles)):
        mean[at] = missing_draws(gap[:, worst], profiles, at, horizon_days).mean(axis=1)
    return mean


def worst_draws(total: Array, tail: float = TAIL) -> Index:
    """Return the draws in which most is lost, the last tenth of them; (D,) in, in the order of the draws out."""
    count = max(1, round(len(total) * tail))
    return np.sort(np.argsort(-total, kind="stable")[:count])


def weighed(group: Index, profile: Index, amount: Array, shape: tuple[int, int]) -> sparse.csr_array:
    """Return (groups, p) sums of the lines' amounts; lines whose amount is unknown (NaN) are left out."""
    known = ~np.isnan(amount)
    return sparse.csr_array((amount[known], (group[known], profile[known])), shape=shape)


def yearly(horizon_days: float) -> float:
    """Return the part of a year's purchases that falls into the horizon."""
    return horizon_days / DAYS_A_YEAR


def _slices(size: int) -> Iterator[slice]:
    for start in range(0, size, AT_ONCE):
        yield slice(start, min(size, start + AT_ONCE))
