"""The facts worth finding out about a portfolio: how much of the doubt about its money missing each of them makes.

A portfolio is a sum of minerals, and few inputs reach more than one of them. So an input is held against the sum of
those minerals alone that it reaches: what it explains is the same, and the noise of all others stays out. This
matters: among 25,000 inputs and 256 draws, pure chance makes some explain 8 % of any total. An input counts as a fact only
where chance would show as much in one list of twenty (a Bonferroni bound over the inputs of a mineral), and what the
facts found explain is taken off before more are looked for.

Source: Sudret (2008), "Global sensitivity analysis using polynomial chaos expansions"; Plischke, Borgonovo and Smith
(2013) on given-data estimates; Pati, Rezaiifar and Krishnaprasad (1993), "Orthogonal matching pursuit".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

import numpy as np
from scipy import special

from engine.scoring.curbs import Mask
from engine.scoring.doubt import Draws, Name
from engine.scoring.ranges import Array
from engine.scoring.score import score

Basis = Callable[[Name], Draws]

FALSE_FACT_CHANCE: Final = 0.05  # that a mineral's list holds an input by chance alone
ROUNDS: Final = 4  # of looking for facts in what those before leave unexplained
AT_ONCE: Final = 4  # taken in a round, per mineral
LEAST_PART: Final = (
    1e-3  # of the total's variance: a mineral below it has no fact of its own worth finding out
)
WIDENS_CHANCE: Final = 0.005  # that a fact is taken to widen or narrow the others though it does not
TAILS: Final = (0.1, 0.9)


@dataclass(frozen=True)
class Fact:
    """One input of a portfolio.

    Attributes:
        name: of the input.
        explained_share: of the variance, by itself, 0..1 (first order). Noise is taken off.
        total_share: the same and what it explains by multiplying with the other facts found, 0..1.
        remaining_usd: mean width p90 - p10 that is left once it is known.
        remaining_points: the same in points of score.
    """

    name: Name
    explained_share: float
    total_share: float
    remaining_usd: float
    remaining_points: float


@dataclass(frozen=True)
class Inputs:
    """Inputs by name, each with the first column of its basis: (n, D)."""

    names: Sequence[Name]
    columns: Draws


@dataclass(frozen=True)
class Part:
    """One mineral of a portfolio.

    Attributes:
        usd: (D,) missing.
        own: inputs that can move this mineral alone.
        is_sought: (n,) which of them may be named as facts.
        is_shared: (s,) which of the inputs of several minerals can move it.
    """

    usd: Array
    own: Inputs
    is_sought: Mask
    is_shared: Mask


@dataclass
class _Fitted:
    """A part with the facts found so far: what each explains of it, (D,), and what none does."""

    part: Part
    rest: Array
    chosen: dict[Name, None] = field(default_factory=dict)
    fits: dict[Name, Array] = field(default_factory=dict)


def width(usd: Array, traded_usd: float) -> tuple[float, float]:
    """Return p90 - p10 of money missing (D,), in USD and in points of the score of its share in the money traded."""
    low, high = np.quantile(usd, TAILS)
    return float(high - low), float(_points(high, traded_usd) - _points(low, traded_usd))


def facts_worth_knowing(
    parts: Sequence[Part], shared: Inputs, traded_usd: float, basis: Basis, shown: int
) -> list[Fact]:
    """Return the inputs that explain most of the variance of a portfolio's money missing, the first ones first.

    Args:
        parts: by mineral.
        shared: inputs that can move several minerals.
        traded_usd: of the portfolio over the horizon, for points.
        basis: gives what an input is regressed on (`engine.scoring.doubt.basis`).
        shown: how many at most.

    Returns:
        Empty where nothing varies. Fewer than ``shown`` where no more can be told from chance.
    """
    usd = np.sum([part.usd for part in parts], axis=0)
    variance = float(usd.var())
    if variance <= 0:
        return []
    fitted, spent = _found(_joined(parts, variance), shared, basis)
    effects: dict[Name, Array] = {}
    for own in fitted:
        for name, fit in own.fits.items():
            effects[name] = effects[name] + fit if name in effects else fit
    shares = {}
    for name, fit in effects.items():
        reached = np.sum([own.rest for own in fitted if name in own.fits], axis=0)
        noise = basis(name).shape[1] * float(reached.var()) / max(1, len(usd) - spent)
        shares[name] = min(1.0, (float(fit.var()) - noise) / variance)
    first = sorted((name for name in shares if shares[name] > 0), key=lambda name: (-shares[name], name))
    first = first[:shown]
    rest = np.sum([own.rest for own in fitted], axis=0)
    multiplied = _multiplied([effects[name] for name in first], rest, variance)
    return [
        Fact(
            name,
            shares[name],
            min(1.0, shares[name] + more),
            *_remaining(usd, effects[name], basis(name), traded_usd),
        )
        for name, more in zip(first, multiplied, strict=True)
    ]


def _joined(parts: Sequence[Part], variance: float) -> list[Part]:
    """Return the large parts, and the sum of all small ones, in which only inputs of several minerals are sought."""
    spread = [float(part.usd.var()) for part in parts]
    large = [part for part, own in zip(parts, spread, strict=True) if own >= LEAST_PART * variance]
    small = [part for part, own in zip(parts, spread, strict=True) if 0 < own < LEAST_PART * variance]
    if not small:
        return large
    usd = np.sum([part.usd for part in small], axis=0)
    none = Inputs([], np.zeros((0, len(usd)), dtype=np.float32))
    reached = np.any([part.is_shared for part in small], axis=0)
    return [*large, Part(usd, none, np.zeros(0, dtype=bool), reached)]


def _found(parts: Sequence[Part], shared: Inputs, basis: Basis) -> tuple[list[_Fitted], int]:
    """Return the parts with the facts that explain them, and the most columns that one of them is fitted with."""
    fitted = [_Fitted(part, part.usd - part.usd.mean()) for part in parts]
    reaches = np.stack([part.is_shared for part in parts], axis=1)
    spent, changed = 1, set(range(len(parts)))
    for _ in range(ROUNDS):
        found: list[tuple[int, Name]] = []
        rests = np.stack([own.rest for own in fitted])
        reached = reaches.astype(np.float64) @ rests
        along, square = (shared.columns * reached).sum(axis=1), (reached**2).sum(axis=1)
        for k in _tested(along, square, np.asarray(reaches.any(axis=1)), rests.shape[1]):
            found += [(int(place), shared.names[k]) for place in np.flatnonzero(reaches[k])]
        for place in sorted(changed):
            part, rest = parts[place], rests[place]
            along = part.own.columns @ rest.astype(np.float32)
            tested = _tested(along, np.asarray(rest @ rest), part.is_sought, len(rest))
            found += [(place, part.own.names[k]) for k in tested]
        changed = {place for place, name in found if name not in fitted[place].chosen}
        for place, name in found:
            fitted[place].chosen[name] = None
        if not changed:
            break
        for place in sorted(changed):
            spent = max(spent, _fit(fitted[place], basis))
    return fitted, spent


def _tested(along: Array, square: Array, is_sought: Mask, draws: int) -> list[int]:
    """Return places of the inputs that explain more than chance would, the strongest first.

    Args:
        along: (n,) sum over the draws of the input (of mean 0 and variance 1) times what is left to explain.
        square: sum over the draws of the square of what is left, of all or (n,).
        is_sought: (n,) which of them may be found.
        draws: D.
    """
    share = np.where(is_sought, along**2 / draws / np.maximum(square, 1e-300), 0.0)
    edge = special.chdtri(1, FALSE_FACT_CHANCE / max(1, int(is_sought.sum())))
    strongest = np.argsort(-share, kind="stable")[:AT_ONCE]
    return [int(k) for k in strongest if share[k] > 0 and draws * share[k] >= edge * (1.0 - share[k])]


def _fit(own: _Fitted, basis: Basis) -> int:
    """Fit all facts of a part together, by least squares; returns how many columns that takes."""
    bases = [basis(name) for name in own.chosen]
    x = np.concatenate([np.ones((len(own.rest), 1)), *bases], axis=1, dtype=np.float64)
    # Columns of different inputs hardly go together, so the normal equations are safe; a little on the diagonal holds
    # them up where an input is a yes or no that is always one of the two.
    weight = np.linalg.solve(x.T @ x + 1e-9 * len(x) * np.eye(x.shape[1]), x.T @ own.part.usd)
    ends = np.cumsum([1, *(b.shape[1] for b in bases)])
    own.fits = {
        name: b @ weight[start:stop]
        for name, b, start, stop in zip(own.chosen, bases, ends[:-1], ends[1:], strict=True)
    }
    own.rest = own.part.usd - x @ weight
    return int(x.shape[1])


def _multiplied(effects: Sequence[Array], rest: Array, variance: float) -> list[float]:
    """Return what each fact explains by its product with another: a chance times a range has this form exactly."""
    more = [0.0] * len(effects)
    pairs = list(combinations(range(len(effects)), 2))
    if not pairs:
        return more
    centred = [effect - effect.mean() for effect in effects]
    products = np.stack([centred[i] * centred[j] for i, j in pairs], axis=1)
    products -= products.mean(axis=0)
    products /= np.maximum(np.sqrt((products**2).sum(axis=0)), 1e-300)
    explained = (products.T @ rest) ** 2 / len(rest)
    noise = float(rest @ rest) / len(rest) ** 2
    edge = special.chdtri(1, FALSE_FACT_CHANCE / len(pairs))
    for (i, j), found in zip(pairs, explained, strict=True):
        if found >= edge * noise:
            more[i] += (found - noise) / variance
            more[j] += (found - noise) / variance
    return more


def _remaining(usd: Array, effect: Array, columns: Draws, traded_usd: float) -> tuple[float, float]:
    """Return the mean width p90 - p10 of the money missing once a fact is known, in USD and in points.

    The fact moves the middle by its effect. Where it widens or narrows what the others do as well, more than chance
    would, the rest is looked at among draws of nearly the same fact; else among all, which has less noise.
    """
    rest = usd - effect
    size = np.abs(rest - np.median(rest))
    along = columns.T @ (size - size.mean())
    strength = float(along @ along) / len(rest) / max(float(size.var()), 1e-300)
    order = np.argsort(columns[:, 0], kind="stable")
    starts = np.zeros(1, dtype=np.intp)
    if strength > special.chdtri(columns.shape[1], WIDENS_CHANCE):
        values = np.unique(columns[:, 0])
        bins = max(1, round(np.sqrt(len(rest)) / 2))  # narrower, and fuller, as draws grow
        is_few = len(values) <= bins
        starts = np.searchsorted(columns[order, 0], values) if is_few else np.arange(bins) * len(rest) // bins
    rest, middle = rest[order], effect[order]
    low, high = np.empty_like(rest), np.empty_like(rest)
    for start, stop in zip(starts, [*starts[1:], len(rest)], strict=True):
        inside = np.sort(rest[start:stop])
        low[start:stop], high[start:stop] = (_hazen(inside, share) for share in TAILS)
    points = _points(middle + high, traded_usd) - _points(middle + low, traded_usd)
    return float((high - low).mean()), float(points.mean())


def _hazen(ordered: Array, share: float) -> float:
    """Return a quantile of ordered numbers by Hazen's plotting positions, unbiased even for few numbers."""
    place = min(max(share * len(ordered) - 0.5, 0.0), len(ordered) - 1.0)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return float(ordered[below] + (place - below) * (ordered[above] - ordered[below]))


def _points(usd: Array | float, traded_usd: float) -> Array:
    return score(np.clip(np.asarray(usd) / max(traded_usd, 1e-300), 0.0, 1.0))
