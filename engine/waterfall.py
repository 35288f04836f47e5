"""The waterfall in points: steps and terms that sum to the score exactly (method section 5).

Stored wide: one column a step, one a term; a term's slot is its place in its mineral's list of terms.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from engine.blocks import REGIMES, Block
from engine.chain_score import Swap
from engine.finish import Finisher
from engine.ranges import Array
from engine.score import score

STEP_NAMES: Final = {
    "S0": "full stop",
    "S1": "law",
    "S2": "pledges",
    "S3": "extraterritorial reach",
    "S4": "alternatives",
    "S5": "substitution",
    "S6": "stocks",
}
AFTER_LAW: Final = (Swap("S4", stage="upstream"), Swap("S4"), Swap("S5"), Swap("S6"))


@dataclass(frozen=True)
class Waterfall:
    """Wide contributions of routes and importers, and what each slot means.

    Attributes:
        routes, importers: keys, regime, s0..s6, t01.. in points.
        terms: mineral, term, step, step_name, term_stage, measure_id, clause, pledge_id, sort_order.
    """

    routes: pl.DataFrame
    importers: pl.DataFrame
    terms: pl.DataFrame


def build_waterfall(blocks: Sequence[Block], finisher: Finisher) -> Waterfall:
    """Points of every step and term. The terms of a step telescope, so that they sum to it."""
    slots = _slots(blocks)
    parts: dict[bool, list[pl.DataFrame]] = {False: [], True: []}
    later = {regime: finisher.steps_after_law(regime) for regime in REGIMES}
    start = 0
    for block in blocks:
        at = slice(start, start + block.units.height)
        start = at.stop
        keys = (
            ["mineral", "stage", "importer"]
            if block.is_importer
            else ["mineral", "stage", "exporter", "importer"]
        )
        head = block.units.select(keys).with_columns(
            pl.lit(block.horizon_days, pl.Int64).alias("horizon_days")
        )
        for regime in REGIMES:
            points = _points(block, regime, later[regime][:, at])
            steps = {name.lower(): np.zeros(block.units.height) for name in STEP_NAMES}
            terms: dict[str, Array] = {}
            for swap, gained in points:
                steps[swap.step.lower()] = steps[swap.step.lower()] + gained
                terms[slots[block.mineral, swap]] = gained
            parts[block.is_importer].append(
                head.with_columns(
                    pl.lit(regime).alias("regime"),
                    *(
                        pl.Series(name, values)
                        for name, values in {**steps, **dict(sorted(terms.items()))}.items()
                    ),
                )
            )
    wide = {is_importer: pl.concat(frames, how="diagonal") for is_importer, frames in parts.items()}
    return Waterfall(_ordered(wide[False]), _ordered(wide[True]), _term_frame(slots))


def _points(block: Block, regime: str, later: Array) -> Iterator[tuple[Swap, Array]]:
    """Each swap with the points that it adds."""
    own = block.regimes[regime]
    reached = score(np.concatenate([np.zeros((1, own.after_swap.shape[1])), own.after_swap]))
    for place, swap in enumerate(own.swaps):
        yield swap, reached[place + 1] - reached[place]
    before = reached[-1]
    for swap, after in zip(AFTER_LAW, later, strict=True):
        yield swap, after - before
        before = after


def _slots(blocks: Sequence[Block]) -> dict[tuple[str, Swap], str]:
    """A column name for every term of every mineral, in the order of the steps."""
    seen: dict[str, dict[Swap, None]] = {}
    for block in blocks:
        own = seen.setdefault(block.mineral, {})
        for regime in REGIMES:
            own.update(dict.fromkeys(block.regimes[regime].swaps))
    slots = {}
    for mineral, swaps in seen.items():
        ordered = sorted([*swaps, *AFTER_LAW], key=lambda swap: swap.step)
        slots.update({(mineral, swap): f"t{place:02d}" for place, swap in enumerate(ordered, start=1)})
    return slots


def _ordered(frame: pl.DataFrame) -> pl.DataFrame:
    terms = sorted(column for column in frame.columns if column[0] == "t" and column[1:].isdigit())
    return frame.select([column for column in frame.columns if column not in set(terms)] + terms)


def _term_frame(slots: dict[tuple[str, Swap], str]) -> pl.DataFrame:
    rows = [
        {
            "mineral": mineral,
            "term": term,
            "step": swap.step,
            "step_name": STEP_NAMES[swap.step],
            "term_stage": swap.stage or None,
            "measure_id": swap.measure_id or None,
            "clause": swap.clause or None,
            "pledge_id": swap.pledge_id or None,
            "sort_order": int(term[1:]),
        }
        for (mineral, swap), term in slots.items()
    ]
    schema = dict.fromkeys(rows[0], pl.String) | {"sort_order": pl.Int64}
    return pl.DataFrame(rows, schema=schema).sort("mineral", "sort_order")
