"""How good forecasts of a share were: scores of draws against what happened, and of forecasts against baselines.

Every function takes draws of one forecast, (D,), and what was seen, a number; or many of both. Nothing here knows
what was forecast.

Source: Gneiting and Raftery (2007), "Strictly proper scoring rules, prediction, and estimation"; Czado, Gneiting and
Held (2009), "Predictive model assessment for count data" (histogram under ties).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from engine.scoring.ranges import Array
from ground.counted import counted

#: Central intervals that are judged, by the share that they promise.
INTERVALS: Final = (0.5, 0.8, 0.9)
#: Bars of the histogram, and bins of the log score.
TENTHS: Final = 10
#: A rank narrower than this is a point: it falls within one bar whatever it is divided by.
_POINT: Final = 1e-9


def interval(draws: Array, share: float) -> tuple[float, float]:
    """Return the ends of the central interval that holds a share of the draws, straight between two of them."""
    low, high = np.quantile(draws, [(1.0 - share) / 2.0, (1.0 + share) / 2.0])
    return float(low), float(high)


def is_covered(draws: Array, seen: float, share: float) -> bool:
    """Return whether the central interval holds what was seen, its ends included."""
    low, high = interval(draws, share)
    # Rounding of an interpolated quantile must not push out what equals every draw.
    return low - 1e-12 <= seen <= high + 1e-12


def crps(draws: Array, seen: float) -> float:
    """Return the continuous ranked probability score of the draws, in the unit of what was seen; 0 is best.

    E|X - y| - E|X - X'| / 2 over all pairs of draws. For a point it is the absolute error.
    """
    ordered = np.sort(np.asarray(draws, dtype=np.float64))
    size = len(ordered)
    weight = 2.0 * np.arange(1, size + 1) - size - 1.0
    return float(np.abs(ordered - seen).mean() - (weight @ ordered) / size**2)


def log_score(draws: Array, seen: float) -> float:
    """Return minus the log of the density that the draws gave to what was seen, in tenths of a share; lower is better.

    The forecast is read as a histogram of ten bins on 0..1, each with one draw more than it has, so that no event is
    impossible; what lies beyond an end counts to the last bin. A forecast that knows nothing scores 0. No kernel is
    used: points and pile-ups at 0 and 1 are common here, and a bandwidth would decide their score.
    """
    counts = np.bincount(_tenth(np.asarray(draws)), minlength=TENTHS) + 1.0
    return float(-np.log(TENTHS * counts[_tenth(np.asarray([seen]))[0]] / counts.sum()))


def _tenth(values: Array) -> "np.typing.NDArray[np.intp]":
    return np.clip(np.floor(values * TENTHS), 0, TENTHS - 1).astype(np.intp)


def rank_span(draws: Array, seen: float) -> tuple[float, float]:
    """Return the shares of the draws below what was seen and not above it; equal unless draws tie with it."""
    return float((draws < seen).mean()), float((draws <= seen).mean())


def pit_histogram(spans: Sequence[tuple[float, float]], bars: int = TENTHS) -> Array:
    """Return (bars,) mean probability integral transform; flat at 1 / bars where forecasts are calibrated.

    Where draws tie with what was seen, its unit of mass is spread evenly between both ends of its rank, so that no
    chance enters and a forecast of a point is not counted at one end.

    Raises:
        ValueError: there is no forecast.
    """
    if not spans:
        message = "there is no forecast to draw a histogram of"
        raise ValueError(message)
    edges = np.linspace(0.0, 1.0, bars + 1)
    total = np.zeros(bars)
    for low, high in spans:
        if high - low > _POINT:
            total += np.diff(np.clip((edges - low) / (high - low), 0.0, 1.0))
        else:
            total[min(int(low * bars), bars - 1)] += 1.0
    return np.asarray(total / len(spans))


def rank_correlation(forecast: Array, seen: Array) -> float | None:
    """Return Spearman's correlation, ties at their mean rank; None where fewer than three pairs, or one side, vary."""
    if len(forecast) < 3 or np.ptp(forecast) == 0.0 or np.ptp(seen) == 0.0:
        return None
    ranks = [stats.rankdata(values) for values in (forecast, seen)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


@dataclass(frozen=True)
class Calibration:
    """How one way of forecasting did over all events.

    Attributes:
        events: how many.
        coverage: share of them inside the central interval, by the share that it promises.
        crps, log_score: means.
        bias: mean of (mean of the draws - seen); positive where too much was expected.
        rank_correlation: of the means with what was seen; None where it cannot be formed.
        pit: histogram, see `pit_histogram`.
    """

    events: int
    coverage: dict[float, float]
    crps: float
    log_score: float
    bias: float
    rank_correlation: float | None
    pit: Array


def calibrate(forecasts: Sequence[Array], seen: Sequence[float]) -> Calibration:
    """Score many forecasts, each (D,), against what was seen.

    Raises:
        ValueError: there are none, or the two differ in number.
    """
    if not forecasts or len(forecasts) != len(seen):
        message = f"{counted(len(forecasts), 'forecast')} against {counted(len(seen), 'outcome')}; give as many of both, at least one"
        raise ValueError(message)
    pairs = list(zip(forecasts, seen, strict=True))
    means = np.array([float(np.mean(draws)) for draws in forecasts])
    actual = np.asarray(seen, dtype=np.float64)
    return Calibration(
        len(pairs),
        {share: float(np.mean([is_covered(d, y, share) for d, y in pairs])) for share in INTERVALS},
        float(np.mean([crps(d, y) for d, y in pairs])),
        float(np.mean([log_score(d, y) for d, y in pairs])),
        float(np.mean(means - actual)),
        rank_correlation(means, actual),
        pit_histogram([rank_span(d, y) for d, y in pairs]),
    )
