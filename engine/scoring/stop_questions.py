"""The buyers of a part of the portfolio, each with what may cease and with what that would take from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from engine.scoring.blocks import BLOC_AS_IMPORTER, Block
from engine.scoring.expect import Expectations
from engine.scoring.fewest import Loss, Places, Problem
from engine.scoring.law_marts import reconciliation
from engine.scoring.portfolio import Part, binding_days_of, chain_blocks, described_units, grade_edges
from engine.scoring.ranges import Array
from engine.scoring.responses import respond
from engine.scoring.stops import Stop, StoppedChain

EXPORTERS, ROUTES, MEASURES = BY = ("exporters", "routes", "measures")
OF_THE_DAY: Final = "active"


@dataclass(frozen=True)
class Buyer:
    """One buyer of one stage.

    Attributes:
        chain: solves sets of stops.
        place: of the buyer there; n for the bloc.
        left: gives (sets, D) L from H and the share that others could replace, (sets, D).
    """

    mineral: str
    stage: str
    importer: str
    chain: StoppedChain
    place: int
    left: Callable[[Array, Array], Array]

    def stops(self, by: str) -> Sequence[Stop]:
        """Return what may cease, see `BY`; what the buyer itself sends abroad is left out."""
        if by == MEASURES:
            return self.chain.measures()
        own = self.chain.members if self.importer == BLOC_AS_IMPORTER else {self.importer}
        return self.chain.exporters(own) if by == EXPORTERS else self.chain.routes(own)

    def loss(self, stops: Sequence[Stop]) -> Loss:
        """Return what is missing when some stops have come about, on top of the law of the day."""
        ceased = self.chain.after(stops)
        before = ceased.importer[[self.place]]
        return Loss(before[0], self.left(before, ceased.alternatives[[self.place]])[0], ceased.lost_t)

    def problem(self, stops: Sequence[Stop], threshold: float) -> Problem:
        """Return the search for the fewest of the stops that take L to a threshold."""

        def solve(places: Places) -> Loss:
            return self.loss([stops[place] for place in places])

        def relieved(before: Array, lost_t: Array, closed: Array) -> Array:
            return self.left(before, self.chain.least_replaced(self.place, lost_t, closed))

        return Problem(self.chain.most(self.place, stops), solve, relieved, threshold)


def buyers_in(part: Part, totals: Expectations, importers: Sequence[str]) -> Iterator[Buyer]:
    """Yield importers at every stage at which they buy or make goods, mineral by mineral.

    Args:
        part: a few minerals.
        totals: of a scorecard with one horizon, at which no new plant is built.
        importers: countries, or the bloc that is an importer by itself.
    """
    built = [chain_blocks(frames, part, totals) for frames in part.chains]
    results = [one.build() for one in built]
    blocks = [block for result in results for block in result.blocks]
    edges = grade_edges(part.inputs, totals.ruleset)
    grades = [
        row
        for frames, result in zip(part.chains, results, strict=True)
        for row in reconciliation(frames, result.scorer, edges)
    ]
    units = described_units(blocks, part.chains, pl.DataFrame(grades, infer_schema_length=None), part.inputs)
    responses = respond(blocks, units, part.inputs, totals.ruleset)
    binding = binding_days_of(units, part)
    start = 0
    for builder, result in zip(built, results, strict=True):
        joint = builder.joint()
        law = [result.curbs[stage, result.blocks[0].horizon_days, OF_THE_DAY][2] for stage in builder.stages]
        for block in result.blocks:
            at, start = start, start + block.units.height
            units_of = [one for importer in importers if (one := _unit(block, importer)) is not None]
            if not units_of:
                continue
            supply = builder.supply[block.stage, block.horizon_days]
            chain = StoppedChain(joint, law, builder.stages.index(block.stage), supply, totals.evidence.of)
            for place, alone in units_of:
                own = slice(at + place, at + place + 1)
                left = totals.under(alone, responses, own, binding[own])
                importer = alone.units["importer"].item()
                yield Buyer(block.mineral, block.stage, importer, chain, int(alone.buyer[0]), left)


def _unit(block: Block, importer: str) -> tuple[int, Block] | None:
    """Return the place of an importer in a block and the block of it alone; None where it is not in it."""
    names = block.units["importer"].to_list()
    if not block.is_importer or importer not in names:
        return None
    place = names.index(importer)
    regime = block.regimes[OF_THE_DAY]
    alone = replace(regime, drawn_missing=regime.drawn_missing[[place]])
    return place, replace(
        block, units=block.units[[place]], buyer=block.buyer[[place]], regimes={OF_THE_DAY: alone}
    )
