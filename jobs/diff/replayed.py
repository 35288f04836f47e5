"""A night that was never published, or need not be read: scored in memory from the facts and rules of today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from engine.language.rules import RuleSet
from ground.question import Question
from jobs.diff.night import gathered
from jobs.diff.swaps import score_minerals
from jobs.gather import only_minerals
from warehouse.asof.known import Rows


@dataclass(frozen=True)
class ReplayedNight:
    """A day and its state of knowledge; `minerals` restricts what is scored, none means all."""

    question: Question
    rows: Rows = field(repr=False)
    rules: Mapping[str, str] = field(repr=False)
    ruleset: RuleSet = field(repr=False)
    code: str
    draws: int
    minerals: Sequence[str] = ()
    run_id: str = ""

    @cached_property
    def scores(self) -> pl.DataFrame:
        """Compared scores."""
        inputs = only_minerals(gathered(self.rows, self.question), self.minerals)
        minerals = sorted(set(inputs["flows"]["mineral"]))
        return score_minerals(inputs, self.ruleset, minerals, self.draws)
