"""From outcomes on record to events that can be replayed, and why the others cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from engine.trials.replay import WindowQuestion
from warehouse.asof.inputs import Inputs

WORLD = "WLD"
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Replay:
    """The day on which an outcome is forecast.

    Attributes:
        as_of: first day of the window on which the curb was in force and announced.
        known_at: the day before; where the curb was announced on the day itself or later, the day of announcement.
        window_share: part of the window in which the curb was in force.
    """

    as_of: date
    known_at: date
    window_share: float


@dataclass(frozen=True)
class Outcome:
    """One outcome on record.

    Attributes:
        row: the fact, as `Inputs.outcomes` gives it.
        replay: the day of its forecast; None where the curb was in force on no day of the window.
        why_not: why it is not compared; empty where it is.
    """

    row: Mapping[str, Any]
    replay: Replay | None
    why_not: str

    @property
    def name(self) -> str:
        """Its id."""
        return str(self.row["outcome_id"])

    @property
    def is_held_out(self) -> bool:
        """Kept for an independent test."""
        return bool(self.row["is_held_out"])

    @property
    def seen(self) -> float:
        """Share that went missing; negative for a rise."""
        return 1.0 - float(self.row["observed_ratio_best"])

    @property
    def episode(self) -> str:
        """The curb and the mineral."""
        return f"{self.row['measure_id']} {self.row['mineral']}"


def read_outcomes(facts: Inputs) -> list[Outcome]:
    """Return every outcome known on the day of ``facts``, by window and id."""
    return [_outcome(row) for row in facts.outcomes.iter_rows(named=True)]


def _outcome(row: Mapping[str, Any]) -> Outcome:
    replay = _replay(row)
    return Outcome(row, replay, _why_not(row, replay))


def _replay(row: Mapping[str, Any]) -> Replay | None:
    start, end, begins = row["window_from"], row["window_to"], row["in_force_from"]
    if begins is None:
        return None
    effect, last = max(start, begins), min(end, row["in_force_to"] or end)
    if effect >= last:
        return None
    known_from = row["curb_known_from"]
    return Replay(max(effect, known_from), max(effect - ONE_DAY, known_from), (last - effect) / (end - start))


def _why_not(row: Mapping[str, Any], replay: Replay | None) -> str:
    if replay is None:
        return "the curb was in force on no day of the window"
    if row["observed_ratio_best"] is None:
        return "no baseline is on record"
    if row["baseline_from"] is not None and row["baseline_from"] >= row["date_announced"]:
        return "its baseline begins after the curb was announced"
    return ""


def question_of(outcome: Outcome, facts: Inputs, window_share: float) -> WindowQuestion:
    """Return what is asked of the day of ``facts``, groups of minerals and blocs opened."""
    row = outcome.row
    members = _members(facts.group_members.filter(group_mineral=row["mineral"])["mineral"])
    inside = _members(facts.blocs.filter(bloc=row["importer"])["country"])
    named = () if row["importer"] == WORLD else inside or (row["importer"],)
    return WindowQuestion(
        row["kind"],
        members or (row["mineral"],),
        row["stage"] or "",
        row["form"] or "",
        named,
        row["importer"] if inside else "",
        (row["window_to"] - row["window_from"]).days,
        window_share,
    )


def _members(names: Any) -> tuple[str, ...]:
    return tuple(names.to_list())
