"""Bundles held to their whole: the goods under one trade code, and the elements of one ore, in every draw.

Each good's share is drawn by itself, and the shares drawn may add up to more than the code or the ore holds. Then all
keep their lowest shares, and what lies above them shrinks by the same factor, until they fill the whole: every share
stays within its range. Method section 1, "Ranges".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from engine.scoring.draws import Numbers, quantile
from engine.scoring.inputs import Inputs, ends
from engine.scoring.ranges import Array

Index = np.typing.NDArray[np.intp]


@dataclass(frozen=True)
class Good:
    """What one bundle is made of.

    Attributes:
        names: (rows,) names of the numbers that shares are drawn with.
        good: (rows,) which good a row belongs to, in order; one that is counted for several contents has several rows.
        share: (3, rows) low, best, high of the whole.
    """

    names: Sequence[tuple[str, ...]]
    good: Index
    share: Array


@dataclass(frozen=True)
class Bundles:
    """The bundles whose highest shares add up to more than the whole."""

    made_of: Mapping[str, Good]
    _rooms: dict[tuple[str, int, str], Array] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, inputs: Inputs) -> "Bundles":
        """Return the bundles of the day."""
        made_of = {}
        told = inputs["bundle_goods"].drop("mineral").unique(maintain_order=True)
        for (bundle,), rows in told.group_by("bundle", maintain_order=True):
            names = rows.select("kind", "good_mineral", "good_stage", "country").rows()
            good = rows["good"].to_numpy().astype(np.intp)
            made_of[str(bundle)] = Good(names, good, rows.select(ends("share")).to_numpy().T)
        return cls(made_of)

    def room(self, bundles: Sequence[str], numbers: Numbers, spread: str) -> Array:
        """Return (D, b) the part of what is drawn above the lowest share that the goods of each bundle keep, 0..1."""
        rooms = np.empty((numbers.draws, len(bundles)))
        for place, bundle in enumerate(bundles):
            key = bundle, numbers.draws, spread
            if key not in self._rooms:
                self._rooms[key] = _room(self.made_of[bundle], numbers, spread)
            rooms[:, place] = self._rooms[key]
        return rooms


def _room(made_of: Good, numbers: Numbers, spread: str) -> Array:
    """Return (D,) the part that is kept."""
    u = np.stack([numbers.of(*name) for name in made_of.names], axis=1)
    share = quantile(made_of.share, u, spread)
    # A good that is counted for several contents takes what the largest of them says.
    starts = np.flatnonzero(np.diff(made_of.good, prepend=-1))
    lowest = made_of.share[0, starts]
    above = (np.maximum.reduceat(share, starts, axis=1) - lowest).sum(axis=1)
    free = max(0.0, 1.0 - float(lowest.sum()))
    return np.asarray(np.where(above > free, free / np.where(above > 0, above, 1.0), 1.0))


@dataclass(frozen=True)
class Bundled:
    """What of a stage's tonnes is a part of bundles.

    Attributes:
        bundles: of the day.
        exporter, importer: (p,) places of the lanes of which a part is shipped under such a code.
        part_t: (3, p) low, best, high of the part.   code: (p,) its bundle.
        maker: (q,) producers whose output is a share of an ore.   ore: (q,) its bundle.
    """

    bundles: Bundles
    exporter: Index
    importer: Index
    part_t: Array
    code: Sequence[str]
    maker: Index
    ore: Sequence[str]

    @classmethod
    def of(
        cls, bundles: Bundles, trade: pl.DataFrame, production: pl.DataFrame, place: Mapping[str, int]
    ) -> "Bundled":
        """Lay out the rows of one stage (frames ``bundled_trade`` and ``bundled_production``)."""

        def places(frame: pl.DataFrame, column: str) -> Index:
            return np.array([place[country] for country in frame[column]], dtype=np.intp)

        return cls(
            bundles,
            places(trade, "exporter"),
            places(trade, "importer"),
            trade.select(ends("part_t")).to_numpy().T,
            trade["bundle"].to_list(),
            places(production, "country"),
            production["bundle"].to_list(),
        )

    def lane_t(self, lane: Index, ends_t: Array, u: Array, numbers: Numbers, spread: str) -> Array:
        """Return (D, lanes) tonnes, what is a part of bundles held to their whole.

        Args:
            lane: (n, n) which lane each pair of countries is.
            ends_t: (3, lanes) low, best, high.
            u: (D, lanes) numbers of the lanes.
            numbers: of all inputs.
            spread: how they are drawn.
        """
        at = lane[self.exporter, self.importer]
        rest_t = ends_t.copy()
        np.subtract.at(rest_t.T, at, self.part_t.T)
        # What is left of a lane after all its parts is nothing, but for rounding.
        rest_t[:, rest_t[2] < 1e-9 * ends_t[2]] = 0.0
        lanes = quantile(rest_t, u, spread)
        lowest = self.part_t[0]
        above = quantile(self.part_t, u[:, at], spread) - lowest
        held = lowest + above * self.bundles.room(self.code, numbers, spread)
        np.add.at(lanes.T, at, held.T)
        return lanes

    def lane_room(self, lane: Index, best_t: Array, numbers: Numbers, spread: str) -> Array:
        """Return (D, lanes) the part of what is drawn above its lowest share that each lane keeps, over all its codes.

        Args:
            lane: (n, n) which lane each pair of countries is.
            best_t: (lanes,) tonnes at best.
            numbers: of all inputs.
            spread: how they are drawn.
        """
        at = lane[self.exporter, self.importer]
        weight = self.part_t[1] / np.where(best_t > 0, best_t, 1.0)[at]
        rooms = np.ones((numbers.draws, len(best_t)))
        np.subtract.at(rooms.T, at, ((1.0 - self.bundles.room(self.code, numbers, spread)) * weight).T)
        return rooms

    def production_t(self, lowest_t: Array, made_t: Array, numbers: Numbers, spread: str) -> Array:
        """Return (D, n) production with the elements of an ore held to their whole.

        Args:
            lowest_t: (n,) the low ends.
            made_t: (D, n) as drawn.
            numbers: of all inputs.
            spread: how they are drawn.
        """
        held = made_t.copy()
        lowest = lowest_t[self.maker]
        room = self.bundles.room(self.ore, numbers, spread)
        held[:, self.maker] = lowest + (made_t[:, self.maker] - lowest) * room
        return held
