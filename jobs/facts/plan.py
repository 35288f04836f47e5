"""What the next run would change if facts were added: the portfolio scored in memory with and without them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from engine.language.rules import RuleSet
from ground.question import Question
from jobs.gather import gather
from jobs.rules.trial import KEYS, Moves, compare, score_routes
from warehouse.asof.inputs import Inputs
from warehouse.asof.state import Warehouse
from warehouse.bundle.reading import Facts, read_bundles


def plan(
    stack: Sequence[Path],
    with_rows: Facts,
    ruleset: RuleSet,
    question: Question,
    horizon: int,
) -> tuple[list[Moves], int, int]:
    """Score the routes with and without the new rows.

    Args:
        stack: bundles as they are.
        with_rows: the same facts with the new rows.
        ruleset: rules to score with.
        question: day to score, day of knowledge, and whose curbs.
        horizon: days of the horizon that is shown.

    Returns:
        What moves per regime, how many routes are new, and how many are gone.
    """
    before = _scored(read_bundles([path for path in stack if path.is_dir()]), ruleset, question)
    after = _scored(with_rows, ruleset, question)
    new = after.join(before, on=list(KEYS), how="anti").filter(pl.col("horizon_days") == horizon)
    gone = before.join(after, on=list(KEYS), how="anti").filter(pl.col("horizon_days") == horizon)
    return compare(before, after, horizon), new.height, gone.height


def _scored(facts: Facts, ruleset: RuleSet, question: Question) -> pl.DataFrame:
    with Warehouse.open_memory() as state:
        state.load_facts(facts)
        inputs = gather(Inputs(state, question))
    return score_routes(inputs, ruleset)
