"""Joint draws: the numbers that every uncertain input is drawn with (method section 1, "Ranges").

Draw d is one world everywhere. An input is known by its name ("severity", rule, importer); its D numbers are a
Latin hypercube column, one number in each D-th of the unit interval, shuffled by a seed made of the name. So the
same facts give the same bytes, a new fact moves no other input, and inputs of different names are independent.

Source: McKay, Beckman and Conover (1979), "A comparison of three methods for selecting values of input variables";
PERT: Malcolm and others (1959).
"""

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

import numpy as np
from scipy import special

from engine.language.rules import SPREADS
from engine.scoring.ranges import Array
from ground.draws import DEFAULT_DRAWS, check_draws

_SHAPES: Final = 129  # places of the mode in a PERT table
_STEPS: Final = 1025  # quantiles in a PERT table


def latin(name: Sequence[str], draws: int) -> Array:
    """Return (D,) numbers in the open unit interval, one in each D-th of it, in an order that the name seeds."""
    seed = int.from_bytes(hashlib.sha256("/".join(name).encode()).digest()[:8], "big")
    rng = np.random.Generator(np.random.PCG64(seed))
    return np.asarray((rng.permutation(draws) + rng.uniform(1e-9, 1.0 - 1e-9, draws)) / draws)


class Numbers:
    """The numbers of every named input, made when they are first asked for.

    Args:
        draws: D, a power of two.
    """

    def __init__(self, draws: int = DEFAULT_DRAWS) -> None:
        self.draws = check_draws(draws)
        self._known: dict[tuple[str, ...], Array] = {}
        #: (D,) what yes-or-no inputs turned out to be, where their chance is itself drawn.
        self.outcomes: dict[tuple[str, ...], Array] = {}

    def of(self, *name: str) -> Array:
        """Return (D,) numbers of one input."""
        if name not in self._known:
            self._known[name] = latin(name, self.draws)
        return self._known[name]

    def each(self, *prefix: str, names: Sequence[str]) -> Array:
        """Return (D, names) numbers of inputs that share the first part of their name. Not kept."""
        return np.stack([latin((*prefix, name), self.draws) for name in names], axis=1)


def by_kind(kinds: Sequence[str]) -> Iterator[tuple[str, "np.typing.NDArray[np.intp]"]]:
    """Yield each distribution with the places of the inputs that are drawn from it."""
    named = np.array(kinds, dtype=str)
    for kind in dict.fromkeys(kinds):
        yield kind, np.flatnonzero(named == kind)


def shared(common: Array, own: Array, common_share: float) -> Array:
    """Return numbers of inputs that have a part in common (a Gaussian copula).

    Args:
        common: (D, 1) the part that all have.
        own: (D, n) the part of each.
        common_share: share of the variance that is common, 0..1.

    Returns:
        (D, n) numbers in the unit interval, uniform each by itself.
    """
    mixed = np.sqrt(common_share) * special.ndtri(common) + np.sqrt(1.0 - common_share) * special.ndtri(own)
    return np.asarray(special.ndtr(mixed))


def quantile(ends: Array, u: Array, kind: str = "pert") -> Array:
    """Return the value of an input at a number in the unit interval.

    Args:
        ends: (3, ...) low, best and high of the range, in order.
        u: numbers in 0..1; broadcasts with one end.
        kind: ``pert`` (beta with its mode at best, weight 4), ``triangular``, ``uniform`` (best plays no part),
            ``lognormal`` (median best, cut at the ends; for positive ranges), or ``chance`` (one of both ends, the
            mean of which is best: of [0, 0.4, 1] in two draws of five 1, else 0).

    Raises:
        ValueError: a kind that does not exist.
    """
    low, best, high = ends
    width = high - low
    safe = np.where(width > 0, width, 1.0)
    mode = np.clip(np.where(width > 0, (best - low) / safe, 0.5), 0.0, 1.0)
    match kind:
        case "pert":
            part = _pert(mode, u)
        case "triangular":
            rise = np.sqrt(u * mode)
            fall = 1.0 - np.sqrt((1.0 - u) * (1.0 - mode))
            part = np.where(u < mode, rise, fall)
        case "uniform":
            part = np.asarray(u)
        case "lognormal":
            return _lognormal(low, best, high, u)
        case "chance":
            part = (u >= 1.0 - mode).astype(np.float64)
        case _:
            message = f"unknown spread '{kind}'; there are {', '.join(SPREADS)}"
            raise ValueError(message)
    return np.asarray(np.where(width > 0, low + width * part, best))


@cache
def _pert_table() -> tuple[Array, Array]:
    """Return quantiles of the PERT on 0..1 by mode (rows) and step (columns); steps are denser towards the ends."""
    steps = (1.0 - np.cos(np.pi * np.linspace(0.0, 1.0, _STEPS))) / 2.0
    mode = np.linspace(0.0, 1.0, _SHAPES)[:, None]
    return steps, np.asarray(special.betaincinv(1.0 + 4.0 * mode, 5.0 - 4.0 * mode, steps[None, :]))


def _pert(mode: Array, u: Array) -> Array:
    """Return PERT on 0..1, straight between the points of the table."""
    _, table = _pert_table()
    flat = table.ravel()
    step = np.arccos(np.clip(1.0 - 2.0 * u, -1.0, 1.0)) * ((_STEPS - 1) / np.pi)
    column = np.minimum(step.astype(np.intp), _STEPS - 2)
    right = step - column
    shape = mode * (_SHAPES - 1)
    row = np.minimum(shape.astype(np.intp), _SHAPES - 2)
    down = shape - row
    at = row * _STEPS + column
    upper = flat[at] + right * (flat[at + 1] - flat[at])
    at = at + _STEPS
    lower = flat[at] + right * (flat[at + 1] - flat[at])
    return np.asarray(upper + down * (lower - upper))


def _lognormal(low: Array, best: Array, high: Array, u: Array) -> Array:
    """Return a value whose median is best, with the ends at the outer half per cent of the wider side; cut there."""
    positive = (low > 0) & (best > 0)
    floor = np.log(np.where(positive, low, 1.0))
    middle = np.log(np.where(positive, best, 1.0))
    ceiling = np.log(np.where(positive, np.maximum(high, best), 1.0))
    wider = np.maximum(ceiling - middle, middle - floor)
    value = np.exp(np.clip(middle + wider / special.ndtri(0.995) * special.ndtri(u), floor, ceiling))
    return np.asarray(np.where(positive, np.clip(value, low, high), low + (high - low) * u))
