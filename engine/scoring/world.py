"""A mineral's chain of stages among countries, and the worlds in which its uncertain tonnes may lie.

Method section 1: with tonnes and production fixed, the corners of severity are guaranteed bounds. In tonnes and
production the missing share is not monotone, so the chain is evaluated in a set of worlds: best, both ends and
sixteen seeded draws, and the same half-way to best for the likely range.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from engine.scoring.draws import Numbers, quantile
from engine.scoring.ranges import BEST, HIGH, LIKELY_HIGH, LIKELY_LOW, LOW, Array

DRAWS: Final = 16
UNLISTED: Final = "*"  # names the number that all producers without a row share


@dataclass(frozen=True)
class StageFacts:
    """What is known of one stage of one mineral, in tonnes of contained mineral a year.

    Attributes:
        name: the stage.
        trade_t: (3, n, n) low, best, high tonnes from exporter (row) to importer (column).
        production_t: (3, n) low, best, high; 0 where nothing is known to be made.
        unlisted_t: (3,) what all producers without a row may make together (method section 3).
        is_listed: (n,) whether a production row stands for the country.
    """

    name: str
    trade_t: Array
    production_t: Array
    unlisted_t: Array
    is_listed: "np.typing.NDArray[np.bool_]"


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
        """The row in which every input stands at its best value."""
        return int(np.flatnonzero(self.row_point == BEST)[0])


def _seed(*words: str) -> int:
    """A seed that depends on the words alone, so that the same facts give the same bytes."""
    return int.from_bytes(hashlib.sha256("/".join(words).encode()).digest()[:8], "big")


def _between(ends: Array, u: Array) -> Array:
    """Straight from low through best (u = 0.5) to high."""
    low, best, high = ends
    return np.asarray(np.where(u < 0.5, low + (best - low) * 2 * u, best + (high - best) * (2 * u - 1)))


def _unlisted_producers(facts: StageFacts) -> Array:
    """(3, n) production of exporters without a production row: unknown, not zero (method section 3).

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
    """The chain with every tonne certain, at its best value: it has one world, and the same scores at best."""
    stages = []
    for facts in chain.stages:
        trade, made = facts.trade_t[1], facts.production_t[1] + _unlisted_producers(facts)[1]
        certain = np.ones_like(facts.is_listed)
        stages.append(
            StageFacts(facts.name, np.stack([trade] * 3), np.stack([made] * 3), np.zeros(3), certain)
        )
    return replace(chain, stages=tuple(stages))


def build_worlds(chain: Chain, draws: int = DRAWS) -> Worlds:
    """Lay out best, both ends, ``draws`` seeded draws, and all of these half-way to best.

    A chain whose tonnes are all certain has one world. Draws move an exporter's shares together, and a producer's
    output by itself: a share range belongs to a code and its exporter, not to a single lane.
    """
    trades: list[Array] = []
    outputs: list[Array] = []
    uncertain = False
    for facts in chain.stages:
        output = facts.production_t + _unlisted_producers(facts)
        uncertain |= bool(np.any(facts.trade_t[0] != facts.trade_t[2]) or np.any(output[0] != output[2]))
        rng = np.random.default_rng(_seed(chain.mineral, facts.name))
        n = len(chain.countries)
        u_trade, u_output = rng.random((draws, n, 1)), rng.random((draws, n))
        low, best, high = facts.trade_t
        full_trade = np.concatenate([[best, low, high], _between(facts.trade_t[:, None], u_trade)])
        full_output = np.concatenate([[output[1], output[0], output[2]], _between(output[:, None], u_output)])
        trades.append(np.concatenate([full_trade, (full_trade[1:] + best) / 2]))
        outputs.append(np.concatenate([full_output, (full_output[1:] + output[1]) / 2]))
    if not uncertain:
        return Worlds(
            tuple(t[:1] for t in trades),
            tuple(p[:1] for p in outputs),
            np.arange(5),
            np.zeros(5, dtype=np.intp),
        )
    variants = 2 + draws
    full: Sequence[int] = range(variants + 1)
    half: Sequence[int] = [0, *range(variants + 1, 2 * variants + 1)]
    rows = [
        *((LOW, w) for w in full),
        *((LIKELY_LOW, w) for w in half),
        (BEST, 0),
        *((LIKELY_HIGH, w) for w in half),
        *((HIGH, w) for w in full),
    ]
    points, worlds = np.array(rows, dtype=np.intp).T
    return Worlds(tuple(trades), tuple(outputs), points, worlds)


@dataclass(frozen=True)
class DrawnStage:
    """One stage's tonnes in D draws, lane by lane: few of all pairs of countries trade.

    Attributes:
        exporter, importer: (lanes,) places.   lane_t: (D, lanes).   production_t: (D, n).
    """

    exporter: "np.typing.NDArray[np.intp]"
    importer: "np.typing.NDArray[np.intp]"
    lane_t: Array
    production_t: Array


def drawn_stages(chain: Chain, numbers: Numbers, spread: str) -> list[DrawnStage]:
    """The chain's tonnes in every draw.

    An exporter's lanes move together, since a share range belongs to a code and its exporter. A producer's output
    moves by itself; producers without a row share one number, as they share one world estimate.
    """
    stages = []
    for facts in chain.stages:
        exporter, importer = np.nonzero(facts.trade_t[2] > 0)
        who, at = np.unique(exporter, return_inverse=True)
        names = [chain.countries[k] for k in who]
        u = numbers.each("trade", chain.mineral, facts.name, names=names)
        lane_t = quantile(facts.trade_t[:, exporter, importer], u[:, at], spread)
        output = facts.production_t + _unlisted_producers(facts)
        made = np.repeat(output[[1]], numbers.draws, axis=0)
        for k in np.flatnonzero(output[2] > output[0]):
            maker = chain.countries[k] if facts.is_listed[k] else UNLISTED
            u_made = numbers.of("production", chain.mineral, facts.name, maker)
            made[:, k] = quantile(output[:, k], u_made, spread)
        stages.append(DrawnStage(exporter, importer, lane_t, made))
    return stages
