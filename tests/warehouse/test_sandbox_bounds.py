"""Sixty ways that lead out of the sandbox or beyond its bounds: none does, none leaves a file, none takes long."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from warehouse.database import Database, Sandbox
from warehouse.errors import QueryError

READING = (
    "SELECT * FROM read_csv('{secret}')",
    "SELECT * FROM read_text('{secret}')",
    "SELECT * FROM read_blob('{secret}')",
    "SELECT * FROM read_json('{secret}')",
    "SELECT * FROM read_parquet('{secret}')",
    "SELECT * FROM '{secret}'",
    "SELECT * FROM sniff_csv('{secret}')",
    "SELECT * FROM glob('{dir}/*')",
    "SELECT * FROM parquet_metadata('{secret}')",
    "SELECT * FROM parquet_schema('{secret}')",
    "SELECT * FROM query('SELECT * FROM read_text(''{secret}'')')",
    "SELECT * FROM query_table('{secret}')",
    "FROM read_csv_auto('{secret}')",
    "WITH a AS (SELECT * FROM read_text('{secret}')) SELECT * FROM a",
    "SELECT (SELECT content FROM read_text('{secret}'))",
    "CREATE TEMP VIEW v AS SELECT * FROM read_text('{secret}')",
    "CREATE TEMP TABLE t AS SELECT * FROM read_text('{secret}')",
    "CREATE TEMP MACRO m() AS TABLE SELECT * FROM read_text('{secret}')",
    "EXPLAIN ANALYZE SELECT * FROM read_text('{secret}')",
    "DESCRIBE SELECT * FROM read_csv('{secret}')",
    "SUMMARIZE SELECT * FROM read_csv('{secret}')",
    "PREPARE p AS SELECT * FROM read_text('{secret}')",
    "IMPORT DATABASE '{dir}'",
    "SELECT getenv('HOME')",
    "SELECT * FROM read_text('https://example.org/')",
    "SELECT * FROM sqlite_scan('{secret}', 'a')",
    "SELECT * FROM postgres_scan('host=localhost', 'a', 'b')",
    "COPY core.day FROM '{secret}'",
)
WRITING = (
    "COPY (SELECT 1) TO '{dir}/out.csv'",
    "COPY (SELECT 1) TO '{dir}/out.parquet' (FORMAT parquet)",
    "COPY (SELECT 1) TO '/dev/stderr'",
    "EXPORT DATABASE '{dir}/export'",
    "ATTACH '{dir}/new.duckdb' AS other",
    "ATTACH '{dir}/new.db' AS other (TYPE sqlite)",
    "ATTACH 'https://example.org/a.duckdb' AS other",
    "DETACH wh",
    "CREATE TABLE core.mine AS SELECT 1 AS a",
    "CREATE VIEW core.mine AS SELECT 1 AS a",
    "CREATE SCHEMA mine",
    "CREATE MACRO core.mine() AS 1",
    "CREATE SEQUENCE core.mine",
    "INSERT INTO core.day VALUES (1)",
    "UPDATE core.day SET a = 0",
    "DELETE FROM core.day",
    "TRUNCATE core.day",
    "DROP TABLE core.day",
    "ALTER TABLE core.day ADD COLUMN b INTEGER",
    "COMMENT ON TABLE core.day IS 'mine'",
)
LOOSENING = (
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "RESET lock_configuration",
    "SET memory_limit = '1TB'",
    "PRAGMA memory_limit = '1TB'",
    "SET temp_directory = '{dir}'",
    "SET log_query_path = '{dir}/log'",
    "PRAGMA enable_profiling = 'json'",
    "SET profile_output = '{dir}/profile'",
    "SET allowed_directories = ['{dir}']",
    "INSTALL httpfs",
    "LOAD '{dir}/mine.duckdb_extension'",
    "CREATE SECRET mine (TYPE s3)",
)
TOO_LARGE = (
    "CREATE TEMP TABLE t AS SELECT list(range) AS a FROM range(500000000)",
    "SELECT string_agg(repeat('x', 1000000), '') FROM range(100000)",
)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("published") / "curbline.duckdb"
    with Database.open(path) as database:
        database.execute("CREATE SCHEMA core; CREATE TABLE core.day AS SELECT 1 AS a")
    return path


@pytest.fixture
def sandbox(published: Path) -> Iterator[Sandbox]:
    with Sandbox.open(published, timeout_s=8) as found:
        yield found


@pytest.mark.parametrize("sql", [*READING, *WRITING, *LOOSENING])
def test_nothing_is_read_written_or_loosened(
    sandbox: Sandbox, published: Path, tmp_path: Path, sql: str
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("word\nopensesame\n")
    before = published.read_bytes()
    with pytest.raises(QueryError) as refusal:
        sandbox.query(sql.format(dir=tmp_path, secret=secret))
    assert "opensesame" not in str(refusal.value)
    assert list(tmp_path.iterdir()) == [secret]
    assert published.read_bytes() == before
    assert sandbox.query("SELECT a FROM core.day")[0].item() == 1


def test_tables_in_memory_are_allowed_and_leave_nothing(sandbox: Sandbox, published: Path) -> None:
    for sql in (
        "CREATE TEMP TABLE mine AS SELECT range AS a FROM range(1000)",
        "ATTACH ':memory:' AS beside",
        "CREATE TABLE beside.mine AS SELECT range AS a FROM range(1000)",
        "COPY FROM DATABASE wh TO memory",
    ):
        sandbox.query(sql)
    assert sandbox.query("SELECT count(*) FROM mine JOIN beside.mine USING (a)")[0].item() == 1000
    assert [path.name for path in published.parent.iterdir()] == [published.name]


@pytest.mark.parametrize("sql", TOO_LARGE)
def test_what_needs_too_much_memory_is_stopped_and_said(sandbox: Sandbox, sql: str) -> None:
    began = time.perf_counter()
    with pytest.raises(QueryError, match=r"needs more than 2 GB of memory|stopped after 8 s"):
        sandbox.query(sql)
    assert time.perf_counter() - began < 15
    assert sandbox.query("SELECT a FROM core.day")[0].item() == 1
