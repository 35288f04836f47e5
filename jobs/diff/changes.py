"""What moved between two nights, by cause and with its reasons."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from engine.language.errors import RuleError
from engine.language.rules import RuleSet
from engine.language.ruleset import load_ruleset
from engine.language.vocabulary import Vocabulary
from jobs.diff.night import Night
from jobs.diff.ranges import with_ranges
from jobs.diff.reasons import EVERY, REASON, reasons_between
from jobs.diff.split import CHANGE, split
from jobs.diff.swaps import Ends, Timer, no_timer, states_between
from jobs.errors import InputError


@dataclass(frozen=True)
class Changes:
    """Rows of `mart.score_change` and `mart.score_change_reason`, without the columns of their run."""

    moves: pl.DataFrame
    reasons: pl.DataFrame


NOTHING = Changes(pl.DataFrame(schema=CHANGE), pl.DataFrame(schema=REASON))


def changes_between(ends: Ends, timer: Timer = no_timer, *, ranges: bool = False) -> Changes:
    """Split every move between two nights into causes; see `split` and `reasons_between`.

    Args:
        ends: the nights.
        timer: times each phase.
        ranges: score the minerals that moved on both nights again, for `with_ranges`.
    """
    states = states_between(ends, timer)
    with timer("causes"):
        scores = [night.scores for night in (ends.before, ends.after)]
        if ends.minerals:
            scores = [frame.filter(pl.col("mineral").is_in(list(ends.minerals))) for frame in scores]
        moves = split(scores[0], scores[1], states)
        reasons = reasons_between(ends)
        moved = moves.select("cause", "mineral").unique()
        kept = reasons.join(
            pl.concat([moved, moved.select("cause").unique().with_columns(mineral=pl.lit(EVERY))]),
            on=["cause", "mineral"],
            how="semi",
            maintain_order="left",
        )
    if ranges:
        with timer("ranges"):
            moves = with_ranges(moves, ends)
    return Changes(moves, kept)


def read_rules(night: Night, vocabulary: Vocabulary | None) -> RuleSet:
    """Return the rules of a night as this code reads them.

    Raises:
        InputError: it refuses them.
    """
    try:
        return load_ruleset(night.rules, vocabulary)
    except RuleError as problem:
        raise InputError(
            f"the rules of run {night.run_id or night.question.as_of} are refused by this Curbline "
            f"({len(problem.problems)} problems, the first {problem.problems[0].code}), so nothing can be swapped. "
            "Publish that day again."
        ) from problem


def ends_of(
    before: Night,
    after: Night,
    code: str,
    vocabulary: Vocabulary | None,
    minerals: Collection[str] = (),
) -> Ends:
    """Return two nights ready to be compared; equal rules are read once.

    Raises:
        SettingsError: they cannot be compared. InputError: the rules of one are refused.
    """
    rules = read_rules(before, vocabulary)
    same = before.rules == after.rules
    return Ends(before, after, rules, rules if same else read_rules(after, vocabulary), code, minerals)
