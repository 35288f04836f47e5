"""How many joint draws there may be: needed by the engine that makes them, and by settings that are read before it."""

import math
from typing import Final

DEFAULT_DRAWS: Final = 256
#: Past this a portfolio of 80,000 routes needs more than 4 GB; more draws move the second digit of a quantile.
MOST_DRAWS: Final = 4096


class DrawsError(ValueError):
    """A number of draws that cannot be used."""


def check_draws(draws: int) -> int:
    """Return the same number, if it can be used.

    Raises:
        DrawsError: it is not a power of two, or more than memory holds.
    """
    if draws > MOST_DRAWS:
        message = f"{draws} draws do not fit into memory; {MOST_DRAWS} are the most"
        raise DrawsError(message)
    if draws < 2 or draws & (draws - 1):
        near = 2 ** max(1, round(math.log2(max(draws, 2))))
        message = f"{draws} is not a power of two; write one for the draws, such as {min(near, MOST_DRAWS)}"
        raise DrawsError(message)
    return draws
