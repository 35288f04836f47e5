"""Money missing by importer and bloc: sums over lanes, made inside a draw, so that totals have honest tails."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl
from scipy import sparse

from engine.scoring.attribution import Index
from engine.scoring.blocks import Block
from engine.scoring.doubt import Draws, Name
from engine.scoring.draws import Numbers
from engine.scoring.inputs import Inputs
from engine.scoring.portfolio_doubt import EVERY, At, PortfolioDoubt, names_of
from engine.scoring.ranges import Array

QUANTILES: Final = {"p10": 0.1, "p50": 0.5, "p90": 0.9}
DAYS_A_YEAR: Final = 365.0
EXPOSURE: Final = {
    **dict.fromkeys(("importer", "mineral", "stage"), pl.String),
    "horizon_days": pl.Int64,
    "regime": pl.String,
    **dict.fromkeys(("traded_usd", "expected_missing_usd", "missing_usd_p10", "missing_usd_p90"), pl.Float64),
}


@dataclass(frozen=True)
class Lanes:
    """What buyers buy on the lanes of a block; a lane counts for each buyer that its importer is part of.

    Attributes:
        buyer: (k,) places of the buyers.
        usd: (k, lanes) what each trades within the horizon on each lane of known value.
    """

    buyer: Index
    usd: sparse.csr_array


@dataclass(frozen=True)
class Money:
    """What buyers trade within a horizon, and what of it is missing.

    Attributes:
        traded_usd, expected_usd: (b,) at best, and the mean missing of it.
        missing_usd: (D, b) in every draw, where how much of its codes a mineral is moves the money too.
    """

    traded_usd: Array
    expected_usd: Array
    missing_usd: Array

    def __add__(self, other: "Money") -> "Money":
        """Return both together, draw by draw."""
        return Money(
            self.traded_usd + other.traded_usd,
            self.expected_usd + other.expected_usd,
            self.missing_usd + other.missing_usd,
        )


@dataclass(frozen=True)
class Sums:
    """What some minerals come to.

    Attributes:
        rows: of `mart.exposure`, by stage and mineral.
        everything: by horizon and regime, all minerals together.
        minerals: each with the inputs that can move it, and USD traded (k,) and missing (D, k) of the shown importers.
        outcomes: what yes-or-no inputs turned out to be.
    """

    rows: pl.DataFrame
    everything: Mapping[At, Money]
    minerals: Sequence[tuple[str, Collection[Name], Mapping[At, tuple[Array, Array]]]]
    outcomes: Mapping[Name, Array]


class Exposure:
    """Sums by buyer of a stage, of a mineral and of everything, block by block.

    Args:
        numbers: of all inputs.
        inputs: the day's frames.
        shown_importers: importers and blocs whose doubts are told; those that nobody trades with are left out.
    """

    def __init__(self, numbers: Numbers, inputs: Inputs, shown_importers: Sequence[str]) -> None:
        self.numbers = numbers
        self._buyers, self._buys = buyers_of(inputs)
        self._place = {name: at for at, name in enumerate(self._buyers)}
        self._rows: list[pl.DataFrame] = []
        self._every: dict[At, Money] = {}
        self._minerals: list[tuple[str, dict[Name, None], dict[At, tuple[Array, Array]]]] = []
        self._taken: list[pl.DataFrame] = []
        self._all: dict[At, Money] = {}
        self._mineral, self._own = "", dict[At, Money]()
        self._names: dict[Name, None] = {}
        self._lanes: dict[str, Lanes] = {}
        shown = [name for name in dict.fromkeys((*shown_importers, EVERY)) if name in self._place]
        self._shown = [self._place[name] for name in shown]
        members = {name: {c for c, of in self._buys.items() if name in of} for name in shown}
        self.doubts = PortfolioDoubt(numbers, members, inputs)

    def enter(self, block: Block) -> Lanes:
        """Begin a block of routes: its lanes of known value by buyer, for `add`."""
        self._mineral = block.mineral
        self._names |= names_of(block)
        if block.stage not in self._lanes:  # the same at every horizon
            self._lanes[block.stage] = self._by_buyer(block)
        yearly = self._lanes[block.stage]
        return replace(yearly, usd=yearly.usd * (block.horizon_days / DAYS_A_YEAR))

    def _by_buyer(self, block: Block) -> Lanes:
        """Return the lanes of a stage, in USD a year."""
        sold = block.units.select("exporter", "importer", "route_usd").iter_rows()
        pairs = [
            (self._place[buyer], lane, usd)
            for lane, (exporter, importer, usd) in enumerate(sold)
            if usd is not None
            for buyer in self._buys[importer]
            # What moves between members of a bloc is not an import of the bloc.
            if buyer in (importer, EVERY) or buyer not in self._buys.get(exporter, ())
        ]
        of, lane, usd = np.array(sorted(pairs)).reshape(-1, 3).T
        buyer, row = np.unique(of.astype(np.intp), return_inverse=True)
        shape = (len(buyer), block.units.height)
        return Lanes(buyer, sparse.csr_array((usd, (row, lane.astype(np.intp))), shape=shape))

    def add(self, block: Block, regime: str, missing: Draws, by_buyer: Lanes) -> None:
        """Take a block's lanes into the sums of its stage, its mineral and of everything.

        Args:
            block: of routes.
            regime: in which L is missing.
            missing: (u, D) L.
            by_buyer: what `enter` gave.
        """
        traded, lost = np.zeros(len(self._buyers)), np.zeros((self.numbers.draws, len(self._buyers)))
        traded[by_buyer.buyer] = by_buyer.usd.sum(axis=1)
        at_best = by_buyer.usd @ missing
        expected = np.zeros(len(self._buyers))
        expected[by_buyer.buyer] = at_best.mean(axis=1)
        if block.parts is not None and len(block.parts.at):
            at_best += by_buyer.usd[:, block.parts.at] @ (block.parts.of(missing) - missing[block.parts.at])
        lost[:, by_buyer.buyer] = at_best.T
        money = Money(traded, expected, lost)
        at = (block.horizon_days, regime)
        self._rows.append(self._frame(block.mineral, block.stage, at, money))
        for sums in (self._own, self._every):
            sums[at] = money + sums[at] if at in sums else money

    def close(self) -> None:
        """End a mineral: all its blocks have been taken in."""
        self._rows += [self._frame(self._mineral, EVERY, at, money) for at, money in self._own.items()]
        shown = self._shown
        money = {at: (m.traded_usd[shown], m.missing_usd[:, shown]) for at, m in self._own.items()}
        self._minerals.append((self._mineral, self._names, money))
        self._own, self._names, self._lanes = {}, {}, {}

    def drain(self) -> Sums:
        """Return what has been added since the last time, and forget it."""
        rows = pl.concat([pl.DataFrame(schema=EXPOSURE), *self._rows])
        sums = Sums(rows, self._every, self._minerals, dict(self.numbers.outcomes))
        self._rows, self._every, self._minerals = [], {}, []
        return sums

    def take(self, sums: Sums) -> None:
        """Take in what was drained, here or in another process; minerals in their order."""
        self._taken.append(sums.rows)
        for at, money in sums.everything.items():
            self._all[at] = self._all[at] + money if at in self._all else money
        for name, outcome in sums.outcomes.items():
            self.numbers.outcomes.setdefault(name, outcome)
        for mineral in sums.minerals:
            self.doubts.add(*mineral)

    def frame(self) -> pl.DataFrame:
        """Return the columns of `mart.exposure`."""
        rows = [*self._taken, *(self._frame(EVERY, EVERY, at, money) for at, money in self._all.items())]
        keys = ["importer", "mineral", "stage", "horizon_days", "regime"]
        return pl.concat([pl.DataFrame(schema=EXPOSURE), *rows]).sort(keys)

    def doubt(self) -> pl.DataFrame:
        """Return the columns of `mart.doubt`."""
        return self.doubts.frame()

    def _frame(self, mineral: str, stage: str, at: tuple[int, str], money: Money) -> pl.DataFrame:
        bought = np.flatnonzero(money.traded_usd > 0)
        lost = np.sort(money.missing_usd[:, bought].T, axis=1)
        return pl.DataFrame(
            {
                "importer": [self._buyers[k] for k in bought],
                "mineral": [mineral] * len(bought),
                "stage": [stage] * len(bought),
                "horizon_days": np.full(len(bought), at[0]),
                "regime": [at[1]] * len(bought),
                "traded_usd": money.traded_usd[bought],
                "expected_missing_usd": money.expected_usd[bought],
                "missing_usd_p10": row_quantile(lost, QUANTILES["p10"]),
                "missing_usd_p90": row_quantile(lost, QUANTILES["p90"]),
            },
            schema=EXPOSURE,
        )


def buyers_of(inputs: Inputs) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """Return importers and blocs in order, and the buyers each country is part of: itself, its blocs, everybody."""
    blocs = inputs["blocs"].select("bloc", "country").unique().sort("bloc", "country")
    of: dict[str, list[str]] = {}
    for bloc, country in blocs.iter_rows():
        of.setdefault(country, []).append(bloc)
    countries = sorted({*inputs["flows"]["importer"], *inputs["flows"]["exporter"]})
    # The curbing country is not hit by its own curbs, and what an entrepot buys is bought again: everybody is
    # everybody else.
    no_victims = {inputs.curbing_country, *inputs["countries"].filter("is_entrepot")["country"]}
    buys = {c: (c, *of.get(c, ()), *([] if c in no_victims else [EVERY])) for c in countries}
    return sorted({*countries, *blocs["bloc"], EVERY}), buys


def row_quantile(ordered: Array | Draws, share: float) -> Array:
    """Return (u,) a quantile of rows (u, D) that are in order, straight between two draws."""
    last = ordered.shape[1] - 1
    low = int(share * last)
    part = share * last - low
    return np.asarray(
        ordered[:, low] * (1.0 - part) + ordered[:, min(low + 1, last)] * part, dtype=np.float64
    )
