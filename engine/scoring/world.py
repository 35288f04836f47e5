"""A mineral's chain of stages among countries, and the worlds that its uncertain tonnes may make.

Method section 1: with tonnes and production fixed, the corners of severity are guaranteed bounds. In tonnes and
production the missing share is not monotone, so the bounds are taken over best, both ends and every joint draw.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from engine.scoring.bundles import Bundled
from engine.scoring.draws import Numbers, quantile
from engine.scoring.ranges import BEST, HIGH, LOW, Array

UNLISTED: Final = "*"  # names the number that all producers without a row share


@dataclass(frozen=True)
class StageFacts:
    """What is known of one stage of one mineral, in tonnes of contained mineral a year.

    Attributes:
        name: the stage.
        trade_t: (3, n, n) low, best, high tonnes from exporter (row) to importer (column).
        production_t: (3, n) low, best, high; 0 where nothing is known to be made.
        unlisted_t: (3,) what all producers without a row may make together (method section 3).
        is_listed: (n,) whether the country has a production row.
        bundled: what of these tonnes is a share of a code or an ore that holds other goods too; None for nothing.
    """

    name: str
    trade_t: Array
    production_t: Array
    unlisted_t: Array
    is_listed: "np.typing.NDArray[np.bool_]"
    bundled: Bundled | None = None


@dataclass(frozen=True)
class Chain:
    """A mineral's ordered stages over one list of countries; ``curbing`` is the curbing country's place in it."""

    mineral: str
    countries: tuple[str, ...]
    stages: tuple[StageFacts, ...]
    curbing: int


@dataclass(frozen=True)
class Worlds:
    """The chain's tonnes in ``w`` worlds, and the rows (point, world) that are evaluated.

    Attributes:
        trade_t: per stage (w, n, n).   production_t: per stage (w, n).
        row_point, row_world: (rows,) which point of the range is evaluated in which world. World 0 is best.
    """

    trade_t: tuple[Array, ...]
    production_t: tuple[Array, ...]
    row_point: "np.typing.NDArray[np.intp]"
    row_world: "np.typing.NDArray[np.intp]"

    @property
    def best_row(self) -> int:
        """The row in which every input has its best value."""
        return int(np.flatnonzero(self.row_point == BEST)[0])


def _unlisted_producers(facts: StageFacts) -> Array:
    """Return (3, n) production of exporters without a production row: unknown, not zero (method section 3).

    Low is nothing beyond the unexplained exports, which attribution adds by itself. Best and high share the
    world estimate for unlisted producers in proportion to what each of them ships.
    """
    shipped = facts.trade_t[1].sum(axis=1) * ~facts.is_listed
    total = shipped.sum()
    if total == 0:
        return np.zeros_like(facts.production_t)
    share = shipped / total
    spread: Array = facts.unlisted_t[:, None] * share[None, :]
    spread[0] = 0.0
    return spread


def at_best(chain: Chain) -> Chain:
    """Return the chain with every tonne certain, at its best value: it has one world, and the same scores at best."""
    stages = []
    for facts in chain.stages:
        trade, made = facts.trade_t[1], facts.production_t[1] + _unlisted_producers(facts)[1]
        certain = np.ones_like(facts.is_listed)
        stages.append(
            StageFacts(facts.name, np.stack([trade] * 3), np.stack([made] * 3), np.zeros(3), certain)
        )
    return replace(chain, stages=tuple(stages))


def build_worlds(chain: Chain) -> Worlds:
    """Return a world for each end of each uncertain tonne, and best; a chain of certain tonnes has one world."""
    trades = tuple(facts.trade_t[[BEST, LOW, HIGH]] for facts in chain.stages)
    outputs = tuple(
        (facts.production_t + _unlisted_producers(facts))[[BEST, LOW, HIGH]] for facts in chain.stages
    )
    if all(np.array_equal(ends[1], ends[2]) for ends in (*trades, *outputs)):
        trades, outputs = tuple(t[:1] for t in trades), tuple(p[:1] for p in outputs)
    count = len(trades[0])
    rows = [*((LOW, w) for w in range(count)), (BEST, 0), *((HIGH, w) for w in range(count))]
    points, worlds = np.array(rows, dtype=np.intp).T
    return Worlds(trades, outputs, points, worlds)


@dataclass(frozen=True)
class DrawnStage:
    """One stage's tonnes in D draws, lane by lane: few of all pairs of countries trade.

    Attributes:
        exporter, importer: (lanes,) places.   lane_t: (D, lanes).   production_t: (D, n).
        u: (D, lanes) the numbers of the lanes.
        room: (D, lanes) the part of what is drawn above its lowest share that a lane keeps; None where all is kept.
    """

    exporter: "np.typing.NDArray[np.intp]"
    importer: "np.typing.NDArray[np.intp]"
    lane_t: Array
    production_t: Array
    u: Array
    room: Array | None


def drawn_stages(chain: Chain, numbers: Numbers, spread: str) -> list[DrawnStage]:
    """Return the chain's tonnes in every draw.

    An exporter's lanes move together, since a share range belongs to a code and its exporter. A producer's output
    moves by itself; producers without a row share one number, as they share one world estimate. What is a share of a
    code or an ore is held to its whole.
    """
    stages = []
    for facts in chain.stages:
        exporter, importer = np.nonzero(facts.trade_t[2] > 0)
        who, at = np.unique(exporter, return_inverse=True)
        names = [chain.countries[k] for k in who]
        u = numbers.each("trade", chain.mineral, facts.name, names=names)
        ends_t, u_lane = facts.trade_t[:, exporter, importer], u[:, at]
        output = facts.production_t + _unlisted_producers(facts)
        made = np.repeat(output[[1]], numbers.draws, axis=0)
        for k in np.flatnonzero(output[2] > output[0]):
            maker = chain.countries[k] if facts.is_listed[k] else UNLISTED
            u_made = numbers.of("production", chain.mineral, facts.name, maker)
            made[:, k] = quantile(output[:, k], u_made, spread)
        room = None
        if facts.bundled is None:
            lane_t = quantile(ends_t, u_lane, spread)
        else:
            lane = np.zeros(facts.trade_t.shape[1:], dtype=np.intp)
            lane[exporter, importer] = np.arange(len(exporter))
            lane_t = facts.bundled.lane_t(lane, ends_t, u_lane, numbers, spread)
            room = facts.bundled.lane_room(lane, ends_t[1], numbers, spread)
            made = facts.bundled.production_t(output[0], made, numbers, spread)
        stages.append(DrawnStage(exporter, importer, lane_t, made, u_lane, room))
    return stages
