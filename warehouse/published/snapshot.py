"""Writing the file that is published: facts as known, marts, meta, macros, views, and a comment on everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from shutil import rmtree

import polars as pl

from ground.counted import counted
from warehouse.asof.known import STRUCTURE, known_rows
from warehouse.asof.state import Warehouse
from warehouse.database import Database, literal, quoted
from warehouse.ddl import core_ddl, macro_ddl, sql_text
from warehouse.errors import MartError, QueryError, SnapshotError
from warehouse.published.columns import MartTable
from warehouse.published.mart_columns import TABLES_OF_MART
from warehouse.published.marts import conform, create_table
from warehouse.published.meta_columns import META
from warehouse.published.view_columns import VIEW_COLUMNS, VIEWS
from warehouse.records.tables import TABLES, columns

_FILE = "snapshot_file"

Frames = Mapping[str, pl.DataFrame]
Append = Callable[[Frames], None]


def build_snapshot(path: Path, state: Warehouse, fill: Callable[[Append], Frames]) -> None:
    """Write one complete database file and close it.

    Args:
        path: file to write; the caller publishes it by renaming.
        state: warehouse with the facts; `fill` may read it.
        fill: called once, with a function that appends rows to tables of schema mart: a frame per table, as often as
            there are parts of them, each with the columns of terms that it has. What is given no rows is written
            empty. It returns a frame per table of schema meta; `run` must have one row, whose known_at cuts the facts.

    Raises:
        MartError: a frame does not match its published columns.
        SnapshotError: the file cannot be written or is not whole; nothing is left of it.
    """
    _remove(path)
    try:
        waiting = _Waiting(_parts(path))
        _write(path, state, fill(waiting.append), waiting)
    except BaseException:
        _remove(path)
        raise
    rmtree(_parts(path))
    if path.with_name(path.name + ".wal").exists():
        _remove(path)
        raise SnapshotError(
            f"{path.name} was closed with a write-ahead log left. Run again; nothing was published."
        )


class _Waiting:
    """Rows of mart tables that wait on the disk until all are there.

    In the file they would have to wait in memory for the end of its transaction, or be written again and again.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir()
        except OSError as error:
            raise SnapshotError(
                f"{folder.name} cannot be created: {error}. Check that the folder exists, can be written, and has room."
            ) from error
        self._folder = folder
        self.rows = dict.fromkeys(TABLES_OF_MART, 0)
        self.files: dict[str, list[str]] = {name: [] for name in TABLES_OF_MART}
        self.columns: dict[str, set[str]] = {name: set() for name in TABLES_OF_MART}

    def append(self, marts: Frames) -> None:
        """Add rows below those that wait.

        Raises:
            MartError: a frame does not match its published columns.
        """
        for name, given in marts.items():
            frame = conform("mart", name, given)
            if frame.height:
                file = self._folder / f"{name}-{len(self.files[name])}.parquet"
                frame.write_parquet(file, compression="lz4", statistics=False)
                self.files[name].append(str(file))
                self.rows[name] += frame.height
                self.columns[name].update(frame.columns)


def _write(path: Path, state: Warehouse, meta: Frames, waiting: _Waiting) -> None:
    known_at = _known_at(meta)
    rejected = state.query("SELECT * FROM meta.rejected_row ORDER BY ALL")
    conformed = {
        name: conform("meta", name, frame) for name, frame in {"rejected_row": rejected, **meta}.items()
    }
    database = state.database
    database.keep_small()
    home = database.query("SELECT current_database() AS name").item()
    database.attach_new(path, _FILE)
    try:
        database.execute(f"USE {_FILE}")
        with database.transaction():
            for schema in ("core", "mart", "meta"):
                database.execute(f"CREATE SCHEMA {schema}")
            database.execute(core_ddl())
            for name in TABLES:
                database.execute(
                    _copy(str(home), name), {"known_at": known_at} if name not in STRUCTURE else None
                )
            for name, table in TABLES_OF_MART.items():
                database.execute(create_table("mart", name, table, _many(table, waiting.columns[name])))
                if waiting.files[name]:
                    database.execute(
                        f"INSERT INTO mart.{quoted(name)} BY NAME SELECT * FROM read_parquet($files, union_by_name = true)",
                        {"files": waiting.files[name]},
                    )
            for name, table in META.items():
                database.execute(create_table("meta", name, table))
                if name in conformed and conformed[name].height:
                    with database.frame("incoming", conformed[name]):
                        database.execute(f"INSERT INTO meta.{quoted(name)} SELECT * FROM incoming")
            database.execute(macro_ddl())
            database.execute(sql_text("published/views"))
            database.execute(_view_comments(database))
        rows = {f"mart.{quoted(name)}": count for name, count in waiting.rows.items()}
        rows |= {f"meta.{quoted(name)}": frame.height for name, frame in conformed.items()}
        _verify(database, rows)
        database.execute(f"CHECKPOINT {_FILE}")
    except QueryError as error:
        raise SnapshotError(
            f"{path.name} could not be written: {error}. Check that the disk has room, and run again."
        ) from error
    finally:
        database.execute(f"USE {quoted(str(home))}")
        database.execute(f"DETACH {_FILE}")


def _many(table: MartTable, names: set[str]) -> list[str]:
    """Return columns of a table's families, in order; the long views need at least one of each to turn."""
    return [name for many in table.families for name in sorted(many.of(names)) or [many.example]]


def _known_at(meta: Mapping[str, pl.DataFrame]) -> date:
    run = meta.get("run")
    if run is None or run.height != 1 or "known_at" not in run.columns:
        raise MartError("meta.run must be given, with exactly one row and its known_at")
    known_at = run.get_column("known_at").item()
    if not isinstance(known_at, date):
        raise MartError(f"meta.run: known_at is {known_at!r}, not a date")
    return known_at


def _copy(home: str, name: str) -> str:
    """Copy a fact table as known."""
    return f"INSERT INTO core.{quoted(name)} {known_rows(name, f'{quoted(home)}.core')}"


def _view_comments(database: Database) -> str:
    lines = []
    for view, table in VIEWS.items():
        lines.append(f"COMMENT ON VIEW mart.{view} IS {literal(table.says)};")
        found = database.query(
            "SELECT column_name FROM duckdb_columns() "
            f"WHERE database_name = '{_FILE}' AND schema_name = 'mart' AND table_name = $view",
            {"view": view},
        )
        lines += [
            f"COMMENT ON COLUMN mart.{view}.{quoted(c)} IS {literal(VIEW_COLUMNS[c])};"
            for c in found.to_series().to_list()
        ]
    lines.append(f"COMMENT ON VIEW meta.source IS {literal(TABLES['sources'].model.says)};")
    lines += [
        f"COMMENT ON COLUMN meta.source.{quoted(c.name)} IS {literal(c.comment)};" for c in columns("sources")
    ]
    return "\n".join(lines)


def _verify(database: Database, rows: Mapping[str, int]) -> None:
    for table, given in rows.items():
        count = database.query(f"SELECT count(*) AS n FROM {table}").item()
        if count != given:
            raise SnapshotError(f"{table} holds {counted(count, 'row')} where {given} were written")


def _parts(path: Path) -> Path:
    return path.with_name(path.name + ".parts")


def _remove(path: Path) -> None:
    rmtree(_parts(path), ignore_errors=True)
    for leftover in (path, path.with_name(path.name + ".wal")):
        leftover.unlink(missing_ok=True)
