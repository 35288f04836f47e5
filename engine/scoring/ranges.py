"""The three ends of a range, and which way they run.

Facts and rules give ``low, best, high``. The ends are guaranteed bounds; what lies between them is drawn
(`engine.scoring.draws`), never taken half-way.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

LOW: Final = 0
BEST: Final = 1
HIGH: Final = 2
POINTS: Final = 3


def three_points(low: Array, best: Array, high: Array) -> Array:
    """Stack ``low, best, high`` along a new first axis; all three are arrays of one shape without NaN."""
    return np.stack([low, best, high])


def mirrored(points: Array) -> Array:
    """Return the same points seen from the other side: the low end of a loss meets the high end of its relief."""
    return points[::-1]


def in_order(points: Array) -> Array:
    """Make the ends take best in, without moving best: an envelope over worlds can miss it by rounding."""
    ordered = points.copy()
    ordered[LOW] = np.minimum(ordered[LOW], ordered[BEST])
    ordered[HIGH] = np.maximum(ordered[HIGH], ordered[BEST])
    return ordered
