"""The waterfall in points: steps and terms that sum to the score exactly (method section 5).

Stored wide: one column a step, one a term; a term's slot is its place in its mineral's list of terms.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from engine.scoring.blocks import Block
from engine.scoring.chain_score import Swap
from engine.scoring.finish import Finisher
from engine.scoring.ranges import Array
from engine.scoring.score import score
from engine.scoring.steps import BY_NAME, COLUMNS, STEPS
from ground.words import REGIMES

AFTER_LAW: Final = (Swap("S4", stage="upstream"), Swap("S4"), Swap("S5"), Swap("S6"), Swap("S7"))


@dataclass(frozen=True)
class Waterfall:
    """Wide contributions of routes and importers, and what each slot means.

    Attributes:
        routes, importers: keys, regime, a column per step (s0..), t01.. in points.
        terms: mineral, term, step, step_name, term_stage, measure_id, clause, pledge_id, sort_order.
    """

    routes: pl.DataFrame
    importers: pl.DataFrame
    terms: pl.DataFrame


ROUTE: Final = ("mineral", "stage", "exporter", "importer")
IMPORTER: Final = ("mineral", "stage", "importer")
RESPONSES: Final = tuple(step.response for step in STEPS if step.response)


def build_waterfall(
    blocks: Sequence[Block],
    finisher: Finisher,
    rule_ids: Mapping[str, pl.Series],
    final: Mapping[str, Array],
) -> Waterfall:
    """Return the points of every step and term. The terms of a step telescope, so that they sum to it.

    Args:
        blocks: in order, those of a mineral together.
        finisher: the scores.
        rule_ids: factor to the rule that decided, a value per unit in the order of the blocks.
        final: regime to the score of each unit, which the draws give: the last step leads to it.
    """
    slots = _slots(blocks)
    wide: dict[bool, list[pl.DataFrame]] = {False: [], True: []}
    own: dict[bool, list[pl.DataFrame]] = {False: [], True: []}
    later = {
        regime: np.concatenate([finisher.steps_after_law(regime), final[regime][None]]) for regime in REGIMES
    }
    start = 0
    for place, block in enumerate(blocks):
        at = slice(start, start + block.units.height)
        start = at.stop
        rules = [
            rule_ids[factor].slice(at.start, block.units.height).alias(f"{factor}_rule_id")
            for factor in RESPONSES
        ]
        for regime in REGIMES:
            own[block.is_importer].append(_rows(block, regime, later[regime][:, at], slots, rules))
        if place + 1 == len(blocks) or blocks[place + 1].mineral != block.mineral:
            for is_importer, parts in own.items():
                keys = [*(IMPORTER if is_importer else ROUTE), "horizon_days", "regime"]
                wide[is_importer].append(pl.concat(parts, how="diagonal").sort(keys))
                parts.clear()
    routes, importers = (
        terms_last(pl.concat(wide[key], how="diagonal", rechunk=False)) for key in (False, True)
    )
    return Waterfall(routes, importers, _term_frame(slots))


def _rows(
    block: Block,
    regime: str,
    later: Array,
    slots: Mapping[tuple[str, Swap], str],
    rules: Sequence[pl.Series],
) -> pl.DataFrame:
    """Return one row per unit: steps, rules of the responses, and the terms in play."""
    steps = {column: np.zeros(block.units.height) for column in COLUMNS}
    terms: dict[str, Array] = {}
    for swap, gained in _points(block, regime, later):
        steps[BY_NAME[swap.step].column] += gained
        terms[slots[block.mineral, swap]] = gained
    return block.units.select(IMPORTER if block.is_importer else ROUTE).with_columns(
        pl.lit(block.horizon_days, pl.Int64).alias("horizon_days"),
        pl.lit(regime).alias("regime"),
        *(pl.Series(name, values) for name, values in steps.items()),
        *rules,
        *(pl.Series(name, values) for name, values in terms.items()),
    )


def _points(block: Block, regime: str, later: Array) -> Iterator[tuple[Swap, Array]]:
    """Yield each swap with the points that it adds."""
    own = block.regimes[regime]
    reached = score(np.concatenate([np.zeros((1, own.after_swap.shape[1])), own.after_swap]))
    for place, swap in enumerate(own.swaps):
        yield swap, reached[place + 1] - reached[place]
    before = reached[-1]
    for swap, after in zip(AFTER_LAW, later, strict=True):
        yield swap, after - before
        before = after


def _slots(blocks: Sequence[Block]) -> dict[tuple[str, Swap], str]:
    """Return a column name for every term of every mineral, in the order of the steps."""
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


def terms_last(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the same frame with its columns of terms, if it has any, in order at the end."""
    terms = sorted(column for column in frame.columns if column[0] == "t" and column[1:].isdigit())
    return frame.select([column for column in frame.columns if column not in set(terms)] + terms)


def _term_frame(slots: dict[tuple[str, Swap], str]) -> pl.DataFrame:
    rows = [
        {
            "mineral": mineral,
            "term": term,
            "step": swap.step,
            "step_name": BY_NAME[swap.step].words,
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
