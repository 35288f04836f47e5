"""What changed since the last published night, told by the night that is being made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

import polars as pl

from engine.language.errors import RuleError
from engine.scoring.blocks import BLOC_AS_IMPORTER
from ground.question import Question
from jobs.diff.asked import told_of
from jobs.diff.changes import NOTHING, Changes, changes_between, ends_of
from jobs.diff.compared import MEMBERS, compared
from jobs.diff.night import PublishedNight, published_night
from jobs.diff.swaps import Timer
from jobs.errors import JobError
from jobs.nightly.meta import RunStamp
from jobs.nightly.vintage import Delivered
from jobs.output.layout import Layout, Snapshot
from jobs.rules.rulebook import Rulebook
from warehouse.asof.known import Rows, rows_known
from warehouse.asof.state import Warehouse
from warehouse.database import Database
from warehouse.errors import DataError


@dataclass
class RunningNight:
    """The night that is being made: its scores are taken in as they are delivered."""

    run_id: str
    question: Question
    code: str
    draws: int
    rules: Mapping[str, str] = field(repr=False)
    state: Warehouse = field(repr=False)
    delivered: Delivered = field(default_factory=Delivered, repr=False)

    @cached_property
    def rows(self) -> Rows:
        """The facts as known, table by table."""
        return rows_known(self.state, self.question.known_at)

    @cached_property
    def scores(self) -> pl.DataFrame:
        """Compared scores."""
        return compared(self.delivered.routes, self.delivered.totals, self.members())

    def members(self) -> list[str]:
        """Return the countries of the bloc that is an importer by itself."""
        asked = {"as_of": self.question.as_of, "known_at": self.question.known_at, "bloc": BLOC_AS_IMPORTER}
        found: list[str] = self.state.query(MEMBERS, asked)["country"].to_list()
        return found


class Since:
    """The comparison of a run with the last published night of its curbing country.

    Args:
        layout: the output folder, before this run publishes.
        stamp: the run.
        rulebook: its rules.
        state: its facts.

    Attributes:
        before: the night compared with; None where there is none, or none that can be.
        notes: why nothing can be said, where something was expected.
    """

    def __init__(self, layout: Layout, stamp: RunStamp, rulebook: Rulebook, state: Warehouse) -> None:
        self.notes: list[str] = []
        self._rulebook = rulebook
        self._stamp = stamp
        self.before = self._night_before(layout)
        self._own = RunningNight(
            stamp.run_id, stamp.question, stamp.code_version, stamp.draws, rulebook.texts, state
        )

    def told(self) -> Mapping[str, Any] | None:
        """Return run_id and as_of of the night compared with; None where there is none."""
        return None if self.before is None else told_of(self.before)

    def take(self, marts: Mapping[str, pl.DataFrame]) -> None:
        """Take in mart tables as they are delivered."""
        self._own.delivered.take(marts)

    @property
    def routes(self) -> pl.DataFrame | None:
        """The routes of this night as far as they are compared; None where none were scored."""
        return None if self._own.delivered.is_empty else self._own.delivered.routes

    @property
    def as_of(self) -> date:
        """The day of this night."""
        return self._stamp.question.as_of

    def history(self) -> pl.DataFrame:
        """Return this night as `mart.score_history` keeps it."""
        return self._own.delivered.history(self._own.members())

    def marts(self, timer: Timer) -> dict[str, pl.DataFrame]:
        """Return `mart.score_change` and `mart.score_change_reason`, empty where there is nothing to compare with.

        A night is published whether or not its changes can be told: what hinders is noted.
        """
        changes = self._changes(timer)
        run = {"run_id": pl.lit(None, pl.String)}
        run |= {name: pl.lit(value) for name, value in asdict(self._stamp.question).items()}
        return {
            "score_change": changes.moves.with_columns(**run),
            "score_change_reason": changes.reasons,
        }

    def _changes(self, timer: Timer) -> Changes:
        if self.before is None:
            return NOTHING
        try:
            ends = ends_of(self.before, self._own, self._own.code, self._rulebook.vocabulary)
            return changes_between(ends, timer)
        except (JobError, DataError, RuleError) as problem:
            self._say(self.before.run_id, problem)
            self.before = None
            return NOTHING

    def _night_before(self, layout: Layout) -> PublishedNight | None:
        snapshot = self._snapshot_before(layout)
        if snapshot is None:
            return None
        try:
            night = published_night(snapshot)
        except (JobError, DataError) as problem:
            self._say(snapshot.run_id, problem)
            return None
        same = night.question.curbing_country == self._stamp.question.curbing_country
        return night if same and night.question.known_at <= self._stamp.question.known_at else None

    def _snapshot_before(self, layout: Layout) -> Snapshot | None:
        """Return the file behind the pointer; for a run that is that file already, the one it was compared with."""
        pointed = layout.pointed()
        if pointed is None or not pointed.path.is_file() or pointed.as_of > self._stamp.question.as_of:
            return None
        if pointed.run_id != self._stamp.run_id:
            return pointed
        try:
            with Database.open(pointed.path, read_only=True) as reader:
                since = reader.query("SELECT since_run_id FROM meta.run").item()
        except DataError:
            return None
        return next((one for one in layout.list_snapshots() if one.run_id == since), None)

    def _say(self, run_id: str, problem: Exception) -> None:
        self.notes.append(f"what changed since run {run_id} is not told: {problem}")
