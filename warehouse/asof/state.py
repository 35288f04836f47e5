"""The warehouse: facts in core, the ledger in meta, in memory or in state.duckdb."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl

from warehouse.bundle.hashing import facts_hash
from warehouse.bundle.reading import Facts, LoadReport, read_bundles
from warehouse.database import Database, Parameters, quoted
from warehouse.ddl import SCHEMA_VERSION, core_ddl, macro_ddl, sql_text
from warehouse.digest import table_digests
from warehouse.errors import DamagedError, StateError
from warehouse.records.tables import TABLES, columns


class Warehouse:
    """One database with the facts of one or several bundles."""

    def __init__(self, database: Database) -> None:
        self.database = database
        #: What a person should know of how the state was found.
        self.notes: list[str] = []

    @classmethod
    def open_memory(cls) -> Self:
        """Return an empty warehouse in memory."""
        return cls._prepared(Database.open())

    @classmethod
    def open_state(cls, path: Path) -> Self:
        """Open or create state.duckdb; only jobs do, briefly, under their lock.

        Raises:
            StateBusyError: another process holds the file.
            DamagedError: it is not what was written to it; all of it is read to find out.
            StateError: it cannot be opened, or a newer Curbline wrote it.
        """
        state = cls._prepared(Database.open(path))
        try:
            for _ in table_digests(state.database):
                pass
        except BaseException:
            state.close()
            raise
        return state

    @classmethod
    def _prepared(cls, database: Database) -> Self:
        try:
            database.one_thread()
            with database.transaction():
                database.execute(sql_text("asof/schema"))
                version = database.query("SELECT max(version) AS version FROM meta.schema_version").item()
                if version is not None and version > SCHEMA_VERSION:
                    raise StateError(
                        f"state.duckdb has schema {version}, this Curbline knows {SCHEMA_VERSION}. "
                        "Use the newer Curbline, or another output folder."
                    )
                if version == SCHEMA_VERSION and _shape(database, "meta") != _meta_shape():
                    raise DamagedError(
                        "state.duckdb is damaged: columns of its schema meta were altered by hand."
                    )
                if version != SCHEMA_VERSION or _shape(database, "core") != _core_shape():
                    # Facts are a copy of the bundles and are loaded again by the next run; the ledger stays.
                    database.execute(core_ddl())
                    database.execute("DELETE FROM meta.facts")
                if version != SCHEMA_VERSION:
                    database.execute("INSERT INTO meta.schema_version VALUES ($1)", [SCHEMA_VERSION])
                database.execute(macro_ddl())
        except BaseException:
            database.close()
            raise
        return cls(database)

    def load_bundles(self, folders: Sequence[Path], *, strict: bool = False) -> LoadReport:
        """Read bundles and replace the facts by theirs; nothing is changed if they are at fault.

        Args:
            folders: bundle folders, stacked in this order.
            strict: refuse rejected rows.

        Raises:
            BundleError: a file cannot be used; StrictError: strict and rows were rejected.
        """
        facts = read_bundles(folders, strict=strict)
        self.load_facts(facts)
        return facts.report

    def load_facts(self, facts: Facts) -> None:
        """Replace the facts by those read before, in one transaction; equal facts are left as they are.

        Facts that are no longer what was loaded, since somebody altered them, are replaced too and noted.
        """
        report = facts.report
        same = self.database.query("SELECT facts_hash FROM meta.facts").to_series().to_list()
        altered = same == [report.facts_hash] and self.stored_hash() != report.facts_hash
        if altered:
            self.notes.append(
                "the facts in state.duckdb were altered since they were loaded; they were loaded again from their bundles."
            )
        with self.database.transaction():
            if altered or same != [report.facts_hash]:
                for name in TABLES:
                    self._replace(f"core.{quoted(name)}", _with_lists(name, facts.tables[name]))
            bundles = "; ".join(f"{m.name} {m.version}" for m in report.bundles)
            self._replace("meta.rejected_row", _rejected_frame(report))
            self._replace(
                "meta.facts", pl.DataFrame({"facts_hash": [report.facts_hash], "bundles": [bundles]})
            )

    @contextmanager
    def supposing(self, tables: Mapping[str, pl.DataFrame]) -> Iterator[None]:
        """Hold other rows of some fact tables for the length of the block; afterwards all is as it was loaded.

        Args:
            tables: table name to its rows, as `Facts.tables` has them.
        """
        self.execute("BEGIN")
        try:
            for name, frame in tables.items():
                self._replace(f"core.{quoted(name)}", _with_lists(name, frame))
            yield
        finally:
            self.execute("ROLLBACK")

    def stored_hash(self) -> str:
        """Hash what is stored, as the bundles were hashed when they were read."""
        stored = {}
        for name in TABLES:
            names = ", ".join(
                f"array_to_string({quoted(column.name)}, ';') AS {quoted(column.name)}"
                if column.is_list
                else quoted(column.name)
                for column in columns(name)
            )
            stored[name] = self.database.query(f"SELECT {names} FROM core.{quoted(name)}")
        return facts_hash(stored)

    def put(self, name: str, rows: pl.DataFrame) -> None:
        """Replace the rows of one fact table by rows as it stores them, lists as lists."""
        self._replace(f"core.{quoted(name)}", rows)

    def _replace(self, table: str, frame: pl.DataFrame) -> None:
        self.database.execute(f"DELETE FROM {table}")
        if frame.height:
            with self.database.frame("incoming", frame):
                self.database.execute(f"INSERT INTO {table} BY NAME SELECT * FROM incoming")

    def query(self, sql: str, parameters: Parameters = None, **frames: pl.DataFrame) -> pl.DataFrame:
        """Run one statement; frames given by name can be read in it.

        Raises:
            QueryError: DuckDB refused it.
        """
        with ExitStack() as lent:
            for name, frame in frames.items():
                lent.enter_context(self.database.frame(name, frame))
            return self.database.query(sql, parameters)

    def execute(self, sql: str, parameters: Parameters = None) -> None:
        """Run statements whose results do not matter, such as a ledger row."""
        self.database.execute(sql, parameters)

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _with_lists(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a fact table with its cells of several names as lists."""
    lists = [column.name for column in columns(name) if column.is_list]
    return frame.with_columns(pl.col(column).str.split(";") for column in lists)


Shape = frozenset[tuple[str, str, str]]


def _shape(database: Database, schema: str) -> Shape:
    """Table, column and type of every column of a schema."""
    found = database.query(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = current_database() AND schema_name = $schema",
        {"schema": schema},
    )
    return frozenset(found.iter_rows())


def _core_shape() -> Shape:
    return frozenset((name, column.name, column.sql_type) for name in TABLES for column in columns(name))


@cache
def _meta_shape() -> Shape:
    with Database.open() as empty:
        empty.execute(sql_text("asof/schema"))
        return _shape(empty, "meta")


def _rejected_frame(report: LoadReport) -> pl.DataFrame:
    names = ("file", "line", "column", "value", "reason")
    types = {name: pl.Int64() if name == "line" else pl.String() for name in names}
    rows = [(r.file, r.line, r.column, r.value, r.reason) for r in report.rejected]
    return pl.DataFrame(rows, schema=types, orient="row")
