"""The smallest sets of stops that take a loss over a threshold, by branch and bound.

The loss only grows with what ceases, and what several stops take is never more than each takes alone, added up
(`engine.scoring.stops`). So a branch whose most favourable end stays below the threshold is left out whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.scoring.attribution import Index
from engine.scoring.ranges import Array
from engine.scoring.stops import Taken

Places = tuple[int, ...]
ROUNDING: Final = 1e-9


@dataclass(frozen=True)
class Loss:
    """What a set of stops does: (D,) shares missing before and after any response, and tonnes that all users lose."""

    before: Array
    after: Array
    lost_t: Array

    @property
    def expected(self) -> float:
        """The expected share missing."""
        return float(self.after.mean())


@dataclass(frozen=True)
class Found:
    """A set of stops that takes the loss over the threshold, and of which no part does."""

    places: Places
    loss: Loss


@dataclass(frozen=True)
class Problem:
    """What is asked.

    Attributes:
        most: what each stop takes at most.
        solve: gives the loss of a set of stops.
        relieved: gives (sets, D) L at most, from the most that can be missing before any response, from the most that
            all users can lose, and from the most of what others could add that can be closed to the buyer.
        threshold: share missing from which on a set counts.
    """

    most: Taken
    solve: Callable[[Places], Loss]
    relieved: Callable[[Array, Array, Array], Array]
    threshold: float

    def may(self, before: Array, lost_t: Array, closed: Array) -> np.typing.NDArray[np.bool_]:
        """Return (sets,) whether the threshold can be reached; arguments as of ``relieved``."""
        share = self.relieved(np.minimum(before, 1.0), lost_t, closed).mean(axis=1)
        return np.asarray(share >= self.threshold - ROUNDING)

    def reached(self, share: float) -> bool:
        """Return whether a share is over the threshold; a miss by rounding counts."""
        return share >= self.threshold - ROUNDING


def smallest_sets(problem: Problem, largest: int) -> list[Found]:
    """Return every set of at most ``largest`` stops that reaches the threshold and of which no part does.

    Smaller sets come first, and among those of one size the greatest loss. Without any stop the threshold must not be
    reached already.
    """
    order = np.argsort(-problem.most.before.mean(axis=1), kind="stable")
    found: list[Found] = []
    for size in range(1, largest + 1):
        own = [Found(places, loss) for places, loss in _of_size(problem, order, size, found)]
        found += sorted(own, key=lambda one: (-one.loss.expected, one.places))
    return found


def _of_size(
    problem: Problem, order: Index, size: int, smaller: Sequence[Found]
) -> Iterator[tuple[Places, Loss]]:
    """Yield the sets of one size that reach the threshold and hold no smaller one."""
    parts = [set(one.places) for one in smaller]
    most = Taken(problem.most.before[order], problem.most.lost_t[order], problem.most.spare[order])
    later = Taken(_later(most.before), _later(most.lost_t), _later(most.spare))

    def extend(chosen: Places, loss: Loss, closed: float, start: int) -> Iterator[tuple[Places, Loss]]:
        lacking = size - len(chosen)
        rest = slice(start, None)
        may = problem.may(
            loss.before + most.before[rest] + (lacking - 1) * later.before[rest],
            loss.lost_t + most.lost_t[rest] + (lacking - 1) * later.lost_t[rest],
            closed + most.spare[rest] + (lacking - 1) * later.spare[rest],
        )
        for rank in (start + np.flatnonzero(may)).tolist():
            with_it = tuple(sorted((*chosen, int(order[rank]))))
            if any(part <= set(with_it) for part in parts):
                continue
            more = problem.solve(with_it)
            if lacking > 1:
                yield from extend(with_it, more, closed + float(most.spare[rank]), rank + 1)
            elif problem.reached(more.expected):
                yield with_it, more

    if len(order) >= size:
        yield from extend((), problem.solve(()), 0.0, 0)


def _later(values: Array) -> Array:
    """Return the most of all stops that follow: they take less on average, though not in every draw."""
    later = np.zeros_like(values)
    later[:-1] = np.maximum.accumulate(values[:0:-1], axis=0)[::-1]
    return later


def greedy_set(problem: Problem, tries: int = 8) -> Found | None:
    """Return a set that reaches the threshold, adding what takes most of the next few; none where all together do not."""
    everything = tuple(range(len(problem.most.before)))
    if not problem.reached(problem.solve(everything).expected):
        return None
    left = sorted(everything, key=lambda place: -problem.most.before[place].mean())
    chosen: Places = ()
    loss = problem.solve(chosen)
    while not problem.reached(loss.expected):
        options = [(problem.solve((*chosen, place)), place) for place in left[:tries]]
        loss, place = max(options, key=lambda one: (one[0].expected, one[0].before.mean(), -one[1]))
        chosen = (*chosen, place)
        left.remove(place)
    return Found(tuple(sorted(chosen)), loss)
