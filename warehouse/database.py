"""The only door to DuckDB: connections, queries as polars frames, and the analysts' sandbox."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import polars as pl

from warehouse.errors import (
    DamagedError,
    DataError,
    LackingError,
    QueryError,
    QueryTimeoutError,
    SandboxError,
    SnapshotError,
    StateBusyError,
    StateError,
)

#: DuckDB 1.5 clients and the BI tools that embed them can open files of this version.
STORAGE_VERSION = "v1.5.0"
#: Name under which the sandbox attaches a published file.
CATALOG = "wh"
#: Memory that an analyst's statement may take, in GB; the widest tables of a night sort in half of it.
SANDBOX_GB = 2
#: No extension is fetched, and no Python variable can be read as a table by accident.
_CLOSED: Mapping[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
}
_REFUSED = (
    "disabled by configuration",
    "configuration has been locked",
    "read-only",
    "autoload",
    "extension",
    "file system operations are disabled",
)

#: What DuckDB says of an answer that does not fit, in its memory or in one column of Arrow.
_TOO_LARGE = ("out of memory", "failed to allocate", "bad allocation", "maximum total string size")

#: What DuckDB says of a file that is cut off or overwritten.
_DAMAGED = (
    "not a valid duckdb database",
    "could not read enough bytes",
    "corrupt",
    "checksum",
    "failed to deserialize",
    "replaying wal",
)

Parameters = Sequence[Any] | Mapping[str, Any] | None


def quoted(name: str) -> str:
    """Return an SQL identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return an SQL string in single quotes, for the places where DuckDB takes no parameter (comments, ATTACH)."""
    return "'" + text.replace("'", "''") + "'"


class Database:
    """One DuckDB connection with extensions off."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, name: str) -> None:
        self._connection = connection
        self._name = name

    @classmethod
    def open(cls, path: Path | None = None, *, read_only: bool = False) -> Self:
        """Open a file, or a database in memory.

        Args:
            path: file; None for memory.
            read_only: refuse every change.

        Raises:
            StateBusyError: another process holds the file.
            DamagedError: the file is not a DuckDB database, or is half-written.
            StateError: the file cannot be opened or created.
        """
        try:
            if path is not None and not path.exists() and not read_only:
                # Created through ATTACH: only there can the storage version be named.
                with duckdb.connect(":memory:", config=dict(_CLOSED)) as maker:
                    maker.execute(
                        f"ATTACH {literal(str(path))} AS made (STORAGE_VERSION {literal(STORAGE_VERSION)})"
                    )
                    maker.execute("DETACH made")
            target = ":memory:" if path is None else str(path)
            return cls(duckdb.connect(target, read_only=read_only, config=dict(_CLOSED)), _name(path))
        except duckdb.Error as error:
            raise _state_error(path, error) from None

    def execute(self, sql: str, parameters: Parameters = None) -> None:
        """Run one or more statements; results are thrown away.

        Raises:
            QueryError: DuckDB refused a statement.
            DamagedError: the file is not what was written to it.
        """
        try:
            self._connection.execute(sql, parameters)
        except duckdb.Error as error:
            raise self._failed("a statement", error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the block does, or nothing of it. One commit for hundreds of statements is also far quicker."""
        self.execute("BEGIN")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(QueryError):  # a failed commit has ended the transaction by itself
                self.execute("ROLLBACK")
            raise

    def query(self, sql: str, parameters: Parameters = None) -> pl.DataFrame:
        """Run one statement and return its rows.

        Raises:
            QueryError: DuckDB refused the statement.
            DamagedError: the file is not what was written to it.
        """
        try:
            return _rows(self._connection.sql(sql, params=parameters))
        except duckdb.Error as error:
            raise self._failed("a query", error) from error

    def _failed(self, what: str, error: duckdb.Error) -> DataError:
        lacking = isinstance(error, (duckdb.CatalogException, duckdb.BinderException))
        kind = LackingError if lacking else QueryError
        return damage(self._name, error) or kind(f"{what} failed: {error}")

    def copy_parquet(self, query: str, path: Path) -> None:
        """Write the rows of a query as Parquet, in their order and without holding them; equal rows give equal bytes.

        Raises:
            QueryError: DuckDB refused the query, or the file cannot be written.
        """
        self.execute(f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)")

    def one_thread(self) -> None:
        """Add numbers up in the order of their rows: the order of two threads differs in the last digit from run to run."""
        self.execute("SET threads = 1")

    def keep_small(self) -> None:
        """Write whole tables in little memory; one thread also fills row groups one after another."""
        self.one_thread()
        self.execute("SET memory_limit = '512MB'")

    @contextmanager
    def frame(self, name: str, frame: pl.DataFrame) -> Iterator[str]:
        """Lend a polars frame to SQL under a name, for the length of the block."""
        self._connection.register(name, frame)
        try:
            yield name
        finally:
            with contextlib.suppress(duckdb.Error):  # what failed before must not be hidden by the clean-up
                self._connection.unregister(name)

    def attach_new(self, path: Path, alias: str) -> None:
        """Attach a new file with the published storage version.

        Raises:
            SnapshotError: the file cannot be created.
        """
        try:
            self._connection.execute(
                f"ATTACH {literal(str(path))} AS {quoted(alias)} (STORAGE_VERSION {literal(STORAGE_VERSION)})"
            )
        except duckdb.Error as error:
            raise SnapshotError(
                f"{path.name} cannot be created: {error}. Check that the folder exists, can be written, and has room."
            ) from error

    def interrupt(self) -> None:
        """Stop the running statement from another thread."""
        self._connection.interrupt()

    def close(self) -> None:
        """Close the connection; a clean close leaves no write-ahead log."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _rows(relation: Any, limit: int | None = None) -> pl.DataFrame:
    """Return rows of a result; none for a statement without one, for which DuckDB gives None against its types."""
    if relation is None:
        return pl.DataFrame()
    # Straight over the Arrow interface: `.pl()` would load pyarrow first, which takes longer than most questions.
    return pl.DataFrame(relation if limit is None else relation.limit(limit))


def _name(path: Path | None) -> str:
    return path.name if path else "the database in memory"


def damage(name: str, error: duckdb.Error) -> DamagedError | None:
    """Return an error of its own kind where DuckDB says that a file is damaged; None for every other cause."""
    text = str(error)
    # What is wrong with a statement quotes the statement, which may hold any word.
    if isinstance(error, duckdb.ProgrammingError) or not any(word in text.lower() for word in _DAMAGED):
        return None
    return DamagedError(
        f"{name} is damaged: {text.splitlines()[0].rstrip('.!')}. `curbline run` rebuilds it."
    )


def _state_error(path: Path | None, error: duckdb.Error) -> DataError:
    name = _name(path)
    text = str(error)
    damaged = damage(name, error)
    if damaged is not None:
        return damaged
    if "could not set lock" in text.lower():
        return StateBusyError(
            f"{name} is held by another process. Wait for the other run to end, or close the client that has it open."
        )
    return StateError(
        f"{name} cannot be opened: {text.splitlines()[0]}. If the file is half-written, move it away; "
        "it is built again from the facts."
    )


class Sandbox:
    """Analysts' SQL over one published file: it can be read, and nothing else can be reached.

    Reading and writing files, attaching, loading extensions and changing the configuration are refused. Temporary
    tables and databases in memory are allowed, within the memory that a statement may take: nothing of them reaches a
    disk. The file is attached as `wh` and is the default catalogue, so `FROM mart.route_score` works.
    """

    def __init__(self, database: Database, name: str, timeout_s: float, row_limit: int) -> None:
        self._database = database
        self._name = name
        self._timeout_s = timeout_s
        self._row_limit = row_limit

    @classmethod
    def open(cls, path: Path, *, timeout_s: float = 30.0, row_limit: int = 10_000) -> Self:
        """Open a published file for reading.

        Args:
            path: a snapshot, or the pointer to one.
            timeout_s: seconds after which a statement is stopped.
            row_limit: rows returned at most.

        Raises:
            SnapshotError: the file is missing or cannot be read.
            DamagedError: the file is not a complete DuckDB database.
        """
        if not path.exists():
            raise SnapshotError(f"{path.name} does not exist. Run `curbline run` to build it.")
        database = Database.open()
        try:
            database.execute(f"ATTACH {literal(str(path.resolve()))} AS {CATALOG} (READ_ONLY)")
            database.execute(f"USE {CATALOG}")
            database.execute("SET temp_directory = ''")
            database.execute(f"SET memory_limit = '{SANDBOX_GB}GB'")
            database.execute("SET enable_external_access = false")
            database.execute("SET lock_configuration = true")
        except DataError as error:
            database.close()
            cause = error.__cause__
            damaged = damage(path.name, cause) if isinstance(cause, duckdb.Error) else None
            raise damaged or SnapshotError(
                f"{path.name} cannot be read: {error}. Run `curbline run` to rebuild it."
            ) from None
        return cls(database, path.name, timeout_s, row_limit)

    def query(self, sql: str) -> tuple[pl.DataFrame, bool]:
        """Run one statement.

        Returns:
            The rows, at most `row_limit`, and whether there were more.

        Raises:
            SandboxError: it reaches outside the file.
            DamagedError: the file is not what was published.
            QueryTimeoutError: it ran too long.
            QueryError: it is wrong, or takes more than SANDBOX_GB of memory.
        """
        stopped = threading.Event()

        def stop() -> None:
            stopped.set()
            self._database.interrupt()

        timer = threading.Timer(self._timeout_s, stop)
        timer.daemon = True
        timer.start()
        try:
            rows = self._limited(sql)
        except (duckdb.Error, pl.exceptions.ComputeError, MemoryError) as error:
            damaged = damage(self._name, error) if isinstance(error, duckdb.Error) else None
            if damaged is not None:
                raise damaged from None
            if stopped.is_set():
                raise QueryTimeoutError(
                    f"the statement was stopped after {self._timeout_s:g} s. Narrow it, or allow more time."
                ) from None
            text = str(error)
            if isinstance(error, MemoryError) or any(word in text.lower() for word in _TOO_LARGE):
                raise QueryError(
                    f"the statement needs more than {SANDBOX_GB} GB of memory. Select fewer rows or columns, "
                    "or open the file in a DuckDB of your own."
                ) from None
            if isinstance(error, duckdb.PermissionException) or any(word in text for word in _REFUSED):
                raise SandboxError(f"the read-only sandbox refuses this statement: {text}") from None
            raise QueryError(text) from None
        finally:
            timer.cancel()
        return rows.head(self._row_limit), rows.height > self._row_limit

    def _limited(self, sql: str) -> pl.DataFrame:
        statements = duckdb.extract_statements(sql)
        if len(statements) > 1:
            raise QueryError("give one statement at a time")
        return _rows(self._database._connection.sql(sql), self._row_limit + 1)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
