"""Writing the file that is published: facts as known, marts, meta, macros, views, and a comment on everything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import polars as pl

from warehouse.database import Database, literal, quoted
from warehouse.ddl import core_ddl, macro_ddl, sql_text
from warehouse.errors import MartError, QueryError, SnapshotError
from warehouse.mart_columns import TABLES_OF_MART, VIEW_COLUMNS, VIEWS
from warehouse.marts import Conformed, conform, create_table
from warehouse.meta_columns import META
from warehouse.published import MartTable
from warehouse.records import TABLES, columns
from warehouse.state import Warehouse

_FILE = "snapshot_file"
#: Tables that say what names mean; they do not depend on who knew what when.
_STRUCTURE = ("minerals", "chains", "countries", "blocs", "sources")
_WIDE = ("contribution_wide", "importer_contribution_wide")


def build_snapshot(
    path: Path, state: Warehouse, marts: Mapping[str, pl.DataFrame], meta: Mapping[str, pl.DataFrame]
) -> None:
    """Write one complete database file and close it.

    Args:
        path: file to write; the caller publishes it by renaming.
        state: warehouse with the facts.
        marts: frame per table of schema mart; tables without a frame are written empty.
        meta: frame per table of schema meta; `run` must have one row, whose known_at cuts the facts.

    Raises:
        MartError: a frame does not match its published columns.
        SnapshotError: the file cannot be written or is not whole; nothing is left of it.
    """
    known_at = _known_at(meta)
    conformed = _conform_all(marts, meta, state)
    _remove(path)
    database = state.database
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
                    _copy(str(home), name), {"known_at": known_at} if name not in _STRUCTURE else None
                )
            for (schema, name), table in conformed.items():
                database.execute(create_table(schema, name, table))
                if table.frame.height:
                    with database.frame("incoming", table.frame):
                        database.execute(f"INSERT INTO {schema}.{quoted(name)} SELECT * FROM incoming")
            database.execute(macro_ddl())
            database.execute(sql_text("views"))
            database.execute(_view_comments(database))
        _verify(database, conformed)
        database.execute(f"CHECKPOINT {_FILE}")
    except QueryError as error:
        _leave(database, str(home))
        _remove(path)
        raise SnapshotError(
            f"{path.name} could not be written: {error}. Check that the disk has room, and run again."
        ) from error
    except BaseException:
        _leave(database, str(home))
        _remove(path)
        raise
    _leave(database, str(home))
    if path.with_name(path.name + ".wal").exists():
        _remove(path)
        raise SnapshotError(
            f"{path.name} was closed with a write-ahead log left. Run again; nothing was published."
        )


def _known_at(meta: Mapping[str, pl.DataFrame]) -> date:
    run = meta.get("run")
    if run is None or run.height != 1 or "known_at" not in run.columns:
        raise MartError("meta.run must be given, with exactly one row and its known_at")
    known_at = run.get_column("known_at").item()
    if not isinstance(known_at, date):
        raise MartError(f"meta.run: known_at is {known_at!r}, not a date")
    return known_at


def _conform_all(
    marts: Mapping[str, pl.DataFrame], meta: Mapping[str, pl.DataFrame], state: Warehouse
) -> dict[tuple[str, str], Conformed]:
    for schema, given, tables in (("mart", marts, TABLES_OF_MART), ("meta", meta, META)):
        for name, frame in given.items():
            if name not in tables:
                conform(schema, name, frame)  # raises with a did-you-mean
    found: dict[tuple[str, str], Conformed] = {}
    for name, table in TABLES_OF_MART.items():
        frame = marts[name] if name in marts else _no_rows(table)
        if name in _WIDE and not any(c not in {k.name for k in table.columns} for c in frame.columns):
            # The long views need at least one term column to turn.
            frame = frame.with_columns(pl.lit(None, dtype=pl.Float64).alias("t000"))
        found["mart", name] = conform("mart", name, frame)
    for name, table in META.items():
        if name in meta:
            frame = meta[name]
        elif name == "rejected_row":
            frame = state.query("SELECT * FROM meta.rejected_row ORDER BY ALL")
        else:
            frame = _no_rows(table)
        found["meta", name] = conform("meta", name, frame)
    return found


def _no_rows(table: MartTable) -> pl.DataFrame:
    return pl.DataFrame(schema={c.name: c.dtype for c in table.columns})


def _copy(home: str, name: str) -> str:
    """Copy a fact table as known; of what was not known, only what hindsight falls back on."""
    source = f"{quoted(home)}.core.{quoted(name)}"
    target = f"INSERT INTO core.{quoted(name)} SELECT * FROM {source}"
    if name in _STRUCTURE:
        return target
    series = TABLES[name].series
    if not series:
        return f"{target} WHERE known_from <= $known_at"
    names = ", ".join(series)
    return f"{target} QUALIFY known_from <= $known_at OR known_from = min(known_from) OVER (PARTITION BY {names})"


def _view_comments(database: Database) -> str:
    lines = []
    for view, says in VIEWS.items():
        lines.append(f"COMMENT ON VIEW mart.{view} IS {literal(says)};")
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


def _verify(database: Database, conformed: Mapping[tuple[str, str], Conformed]) -> None:
    for (schema, name), table in conformed.items():
        count = database.query(f"SELECT count(*) AS n FROM {schema}.{quoted(name)}").item()
        if count != table.frame.height:
            raise SnapshotError(f"{schema}.{name} holds {count} rows where {table.frame.height} were written")


def _leave(database: Database, home: str) -> None:
    database.execute(f"USE {quoted(home)}")
    database.execute(f"DETACH {_FILE}")


def _remove(path: Path) -> None:
    for leftover in (path, path.with_name(path.name + ".wal")):
        leftover.unlink(missing_ok=True)
