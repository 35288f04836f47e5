"""One night with all that it was made of: its question, facts, rules, code and draws, and its scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import polars as pl

from engine.scoring.inputs import Inputs as EngineInputs
from ground.question import Question
from jobs.diff.compared import read_compared
from jobs.errors import InputError
from jobs.gather import gather
from jobs.output.layout import Snapshot
from warehouse.asof.inputs import Inputs
from warehouse.asof.known import Rows, warehouse_of
from warehouse.database import Database
from warehouse.records.tables import TABLES, columns

RUN = """
SELECT run_id, as_of, known_at, curbing_country, code_version, rules_hash, draws FROM meta.run
"""
FILES = "SELECT file, text FROM meta.rule_file ORDER BY file"
COLUMNS = """
SELECT table_schema, table_name, column_name FROM information_schema.columns
WHERE table_schema IN ('core', 'meta', 'mart') ORDER BY ALL
"""


class Night(Protocol):
    """What a diff needs of a night."""

    @property
    def run_id(self) -> str:
        """Its run; empty for a night that was never published."""

    @property
    def question(self) -> Question:
        """What it answers."""

    @property
    def code(self) -> str:
        """Version of the code that scored it."""

    @property
    def draws(self) -> int:
        """How many joint draws its figures rest on."""

    @property
    def rules(self) -> Mapping[str, str]:
        """Texts of its rule files."""

    @property
    def rows(self) -> Rows:
        """The facts as known, table by table."""

    @property
    def scores(self) -> pl.DataFrame:
        """Compared scores."""


@dataclass(frozen=True)
class PublishedNight:
    """A night as its published file holds it."""

    snapshot: Snapshot
    run_id: str
    question: Question
    code: str
    draws: int
    rules: Mapping[str, str] = field(repr=False)

    @cached_property
    def rows(self) -> Rows:
        """The facts as known, table by table."""
        with Database.open(self.snapshot.path, read_only=True) as reader:
            return {name: reader.query(f"SELECT * FROM core.{name}") for name in TABLES}

    @cached_property
    def scores(self) -> pl.DataFrame:
        """Compared scores."""
        with Database.open(self.snapshot.path, read_only=True) as reader:
            reader.one_thread()
            return read_compared(reader)


def published_night(snapshot: Snapshot) -> PublishedNight:
    """Read a published file as far as a diff needs it at once.

    Raises:
        InputError: it does not hold its own inputs, since an earlier Curbline published it.
        DamagedError, StateError: it cannot be read.
    """
    with Database.open(snapshot.path, read_only=True) as reader:
        found = {tuple(row) for row in reader.query(COLUMNS).iter_rows()}
        wanted = {("core", name, column.name) for name in TABLES for column in columns(name)}
        wanted |= {("meta", "rule_file", "text"), ("meta", "run", "draws")}
        lacking = sorted({f"{schema}.{table}" for schema, table, _ in wanted - found})
        if lacking:
            raise InputError(
                f"{snapshot.path.name} was published by an earlier Curbline and does not hold all that it was made of "
                f"({', '.join(lacking[:3])}), so its causes cannot be told apart. Publish that day again: "
                f"`curbline run --as-of {snapshot.as_of}`."
            )
        run = reader.query(RUN).row(0, named=True)
        rules = dict(reader.query(FILES).iter_rows())
    question = Question(run["as_of"], run["known_at"], run["curbing_country"])
    return PublishedNight(snapshot, run["run_id"], question, run["code_version"], run["draws"], rules)


def gathered(rows: Rows, question: Question) -> EngineInputs:
    """Return the engine's frames of facts as known."""
    with warehouse_of(rows) as facts:
        return gather(Inputs(facts, question))
