"""A digest of every table of a database: equal rows give equal digests, whatever their order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from warehouse.database import Database, quoted

TABLES_SQL = """
SELECT schema_name AS schema, table_name AS name FROM duckdb_tables()
WHERE database_name = current_database() AND NOT internal ORDER BY ALL
"""


@dataclass(frozen=True, slots=True)
class TableDigest:
    """The rows of one table: how many, and a digest of them all."""

    rows: int
    digest: str


def engine_version(database: Database) -> str:
    """Return the version of DuckDB: digests are only comparable within one."""
    return str(database.query("SELECT version() AS version").item())


def table_names(database: Database) -> list[tuple[str, str]]:
    """Return schema and name of every table, sorted."""
    return [(schema, name) for schema, name in database.query(TABLES_SQL).iter_rows()]


def table_digest(database: Database, schema: str, name: str) -> TableDigest:
    """Read a whole table and return its digest.

    Raises:
        DamagedError: a block of the file is not what was written.
    """
    found = database.query(
        "SELECT count(*)::BIGINT AS n, coalesce(sum(hash(every_column)), 0)::VARCHAR AS digest "
        f"FROM {quoted(schema)}.{quoted(name)} AS every_column"
    )
    count, digest = found.row(0)
    return TableDigest(count, digest)


def table_digests(database: Database) -> Iterator[tuple[str, TableDigest]]:
    """Yield every table as `schema.name` with its digest.

    Raises:
        DamagedError: a block of the file is not what was written.
    """
    for schema, name in table_names(database):
        yield f"{schema}.{name}", table_digest(database, schema, name)
