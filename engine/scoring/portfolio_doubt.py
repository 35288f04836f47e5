"""`mart.doubt`: the facts worth finding out about importers, minerals and everything, by regime and horizon."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Final

import numpy as np
import polars as pl

from engine.scoring.blocks import Block
from engine.scoring.doubt import LABELS, Name, basis, in_words, rising
from engine.scoring.draws import Numbers
from engine.scoring.inputs import Inputs as DayInputs
from engine.scoring.ranges import Array
from engine.scoring.world import UNLISTED
from engine.scoring.worth import Fact, Inputs, Part, facts_worth_knowing, width

EVERY: Final = "*"  # all importers, or all minerals
SHOWN: Final = 10
At = tuple[int, str]  # horizon and regime
#: No fact that anybody can find out: how likely measures are to bind of which nothing is known.
NO_FACT: Final = "state of the law"
COLUMNS: Final = {
    **dict.fromkeys(("importer", "mineral"), pl.String),
    "horizon_days": pl.Int64,
    "regime": pl.String,
    "fact_rank": pl.Int64,
    **dict.fromkeys(("kind", "fact", "fact_id"), pl.String),
    **dict.fromkeys(("explained_share", "total_share", "width_usd", "remaining_width_usd"), pl.Float64),
    **dict.fromkeys(("width_points", "remaining_width_points"), pl.Float64),
}


@dataclass(frozen=True)
class _Mineral:
    """What a mineral brings: its inputs, and USD traded (k,) and missing (D, k) of the importers shown."""

    names: Sequence[Name]
    money: Mapping[At, tuple[Array, Array]]


class PortfolioDoubt:
    """Takes in mineral after mineral; asked for the table when all have been scored.

    Args:
        numbers: of all inputs.
        importers: the importers and blocs to tell of, each with its countries.
        inputs: the day's frames, for what measures are called.
    """

    def __init__(
        self,
        numbers: Numbers,
        importers: Mapping[str, Collection[str]],
        inputs: DayInputs,
    ) -> None:
        self.numbers, self.importers = numbers, importers
        notices = inputs["measures"].select("measure_id", "notice").drop_nulls().sort("notice")
        self._notices: dict[str, str] = dict(notices.iter_rows())
        self._minerals: dict[str, _Mineral] = {}

    def add(self, mineral: str, names: Collection[Name], money: Mapping[At, tuple[Array, Array]]) -> None:
        """Take in a mineral, if anybody trades it.

        Args:
            mineral: not given before.
            names: of the inputs that can move it.
            money: USD traded (k,) and missing (D, k) of the importers, in their order, by horizon and regime.
        """
        if money:
            self._minerals[mineral] = _Mineral([name for name in names if name[0] != NO_FACT], money)

    def frame(self) -> pl.DataFrame:
        """Return a row per portfolio and fact: each importer for all minerals, and all importers for each mineral."""
        times = Counter(name for one in self._minerals.values() for name in one.names)
        shared = self._inputs([name for name, count in times.items() if count > 1])
        own = {
            mineral: self._inputs([name for name in one.names if times[name] == 1])
            for mineral, one in self._minerals.items()
        }
        is_shared = {
            mineral: np.isin(
                np.arange(len(shared.names)), [place[name] for name in one.names if name in place]
            )
            for place in [{name: k for k, name in enumerate(shared.names)}]
            for mineral, one in self._minerals.items()
        }
        bases = cache(partial(basis, self.numbers))
        rows: list[tuple[object, ...]] = []
        for place, (importer, countries) in enumerate(self.importers.items()):
            sought = {
                mineral: np.array([_reaches(name, countries) for name in inputs.names], dtype=bool)
                for mineral, inputs in own.items()
            }
            every = list(self._minerals)
            for title, chosen in [(EVERY, every), *((m, [m]) for m in every if importer == EVERY)]:
                for at in dict.fromkeys(at for mineral in chosen for at in self._minerals[mineral].money):
                    traded, parts = 0.0, []
                    for mineral in chosen:
                        traded_usd, missing_usd = self._minerals[mineral].money[at]
                        traded += float(traded_usd[place])
                        usd = missing_usd[:, place].astype(np.float64)
                        if usd.any():
                            parts.append(Part(usd, own[mineral], sought[mineral], is_shared[mineral]))
                    if parts:
                        facts = facts_worth_knowing(parts, shared, traded, bases, SHOWN)
                        total = width(np.sum([part.usd for part in parts], axis=0), traded)
                        rows += [
                            (importer, title, *at, rank, *self._row(fact, total))
                            for rank, fact in enumerate(facts, start=1)
                        ]
        return pl.DataFrame(rows, schema=COLUMNS, orient="row")

    def _inputs(self, names: Sequence[Name]) -> Inputs:
        columns = np.zeros((len(names), self.numbers.draws), dtype=np.float32)
        for k, name in enumerate(names):
            columns[k] = rising(self.numbers, name)
        return Inputs(names, columns)

    def _row(self, fact: Fact, total: tuple[float, float]) -> tuple[object, ...]:
        usd, points = total
        return (
            *(LABELS[fact.name[0]], in_words(fact.name, self._notices), "/".join(fact.name)),
            *(fact.explained_share, fact.total_share, usd, fact.remaining_usd, points, fact.remaining_points),
        )


def names_of(block: Block) -> dict[Name, None]:
    """Return the names of the inputs that a block's units may depend on, in order."""
    importers = block.units["importer"].unique(maintain_order=True).to_list()
    exporters = (
        importers if block.is_importer else block.units["exporter"].unique(maintain_order=True).to_list()
    )
    mineral, stage = block.mineral, block.stage
    names = dict.fromkeys(block.asked)
    names |= dict.fromkeys([("substitution", mineral), ("rebuilding of stocks",)])
    names |= dict.fromkeys(("stock", mineral, importer) for importer in importers)
    for kind in ("trade", "production"):
        names |= dict.fromkeys((kind, mineral, stage, exporter) for exporter in (*exporters, UNLISTED))
    return names


def _reaches(name: Name, countries: Collection[str]) -> bool:
    """Return whether an input may move what these countries buy; those of other buyers hardly can."""
    is_of_buyer = name[0] in ("stock", "named buyers") or (name[0] == "severity" and len(name) > 2)
    return not is_of_buyer or name[-1] in countries
