"""Five points of a range, and which way they run.

Facts and rules give three ends, ``low, best, high``. Scores are published at five points: the guaranteed
ends, and a *likely* range in which every input stands half-way between best and its end (method section 1).
"""

from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

LOW: Final = 0
LIKELY_LOW: Final = 1
BEST: Final = 2
LIKELY_HIGH: Final = 3
HIGH: Final = 4
POINTS: Final = 5
SUFFIXES: Final = ("low", "likely_low", "best", "likely_high", "high")


def five_points(low: Array, best: Array, high: Array) -> Array:
    """Stack ``low, likely_low, best, likely_high, high`` along a new first axis.

    Args:
        low: the low ends; all three are arrays of one shape without NaN.
        best: the best values.
        high: the high ends.
    """
    return np.stack([low, (low + best) / 2, best, (best + high) / 2, high])


def mirrored(points: Array) -> Array:
    """The same five points seen from the other side: the low end of a loss meets the high end of its relief."""
    return points[::-1]


def in_order(points: Array) -> Array:
    """Make five points nested along the first axis without moving best.

    An envelope over half-way worlds can stick out of the envelope over full worlds by chance of the draws;
    the wider range then takes the narrower one in.
    """
    ordered = points.copy()
    ordered[LIKELY_LOW] = np.minimum(ordered[LIKELY_LOW], ordered[BEST])
    ordered[LOW] = np.minimum(ordered[LOW], ordered[LIKELY_LOW])
    ordered[LIKELY_HIGH] = np.maximum(ordered[LIKELY_HIGH], ordered[BEST])
    ordered[HIGH] = np.maximum(ordered[HIGH], ordered[LIKELY_HIGH])
    return ordered
