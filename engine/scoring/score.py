"""From the missing share before any response to the score, its band and its priority (method section 5)."""

from collections.abc import Sequence

import numpy as np

from engine.scoring.ranges import Array


def replaced_share(alternatives: Array, substitution: Array) -> Array:
    """Return N: share of the loss that other suppliers or other materials can replace within the horizon."""
    return 1.0 - (1.0 - alternatives) * (1.0 - substitution)


def missing_share(before: Array, replaced: Array, stock_days: Array, horizon_days: Array | float) -> Array:
    """Return L = max(0, H (1 - N) - stock_days / horizon_days)."""
    return np.maximum(0.0, before * (1.0 - replaced) - stock_days / horizon_days)


def score(missing: Array) -> Array:
    """Return 100 sqrt(L): the same order as L, stretched at the low end."""
    return 100.0 * np.sqrt(missing)


def priority(dependence: Array, missing: Array) -> Array:
    """Return 100 sqrt(d L): the score weighed by how much of the importer's supply the route carries."""
    return 100.0 * np.sqrt(np.clip(dependence, 0.0, 1.0) * missing)


def time_to_shortage_days(before: Array, replaced: Array, stock_days: Array, transit_days: Array) -> Array:
    """Return transit + stock / (H (1 - N)); NaN where nothing is missing."""
    net = before * (1.0 - replaced)
    return np.where(net > 0, transit_days + stock_days / np.where(net > 0, net, 1.0), np.nan)


def band_index(scores: Array, edges: Sequence[float]) -> "np.typing.NDArray[np.intp]":
    """Return the index of the band of each score; lower edges are inclusive.

    A score that misses an edge only by rounding of the arithmetic belongs to the band above it.
    """
    return np.searchsorted(np.asarray(edges[1:]) - 1e-9, scores, side="right")
