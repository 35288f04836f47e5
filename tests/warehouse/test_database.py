from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tests.warehouse.helpers import given
from warehouse.asof.state import Warehouse
from warehouse.database import Sandbox
from warehouse.errors import (
    DamagedError,
    QueryError,
    QueryTimeoutError,
    SandboxError,
    SnapshotError,
    StateError,
)
from warehouse.published.snapshot import build_snapshot


@pytest.fixture(scope="module")
def published(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("published") / "curbline.duckdb"
    with Warehouse.open_memory() as state:
        state.load_bundles([tiny])
        build_snapshot(path, state, given())
    return path


@pytest.fixture(scope="module")
def sandbox(published: Path) -> Iterator[Sandbox]:
    with Sandbox.open(published, timeout_s=20, row_limit=5) as found:
        yield found


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO '{dir}/out.csv'",
        "COPY core.trade TO '{dir}/out.parquet' (FORMAT parquet)",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM glob('/etc/*')",
        "ATTACH '{dir}/other.duckdb' AS other",
        "EXPORT DATABASE '{dir}/export'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "DELETE FROM core.trade",
        "CREATE TABLE core.mine (a INTEGER)",
        "DROP TABLE core.trade",
    ],
)
def test_the_sandbox_refuses_what_reaches_outside(sandbox: Sandbox, tmp_path: Path, sql: str) -> None:
    with pytest.raises(SandboxError, match="the read-only sandbox refuses"):
        sandbox.query(sql.format(dir=tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_the_sandbox_sees_no_python_variables(sandbox: Sandbox) -> None:
    secret = pl.DataFrame({"a": [1]})
    assert secret.height == 1
    with pytest.raises(QueryError, match="secret"):
        sandbox.query("SELECT * FROM secret")


def test_reading_works_and_is_limited(sandbox: Sandbox) -> None:
    rows, more = sandbox.query("SELECT * FROM core.trade")
    assert (rows.height, more) == (5, True)
    rows, more = sandbox.query("SELECT state FROM measures_at(DATE '2026-11-23', DATE '2026-11-23') LIMIT 2")
    assert (rows.height, more) == (2, False)
    sandbox.query("CREATE TEMP TABLE mine AS SELECT 1 AS a")
    assert sandbox.query("SELECT a FROM mine")[0].item() == 1


def test_errors_are_sentences(sandbox: Sandbox) -> None:
    with pytest.raises(QueryError, match="one statement at a time"):
        sandbox.query("SELECT 1; SELECT 2")
    with pytest.raises(QueryError, match="nope"):
        sandbox.query("SELECT nope FROM core.trade")


def test_a_long_statement_is_stopped(published: Path) -> None:
    with Sandbox.open(published, timeout_s=0.2) as sandbox:
        with pytest.raises(QueryTimeoutError, match=r"stopped after 0\.2 s"):
            sandbox.query("SELECT count(*) FROM range(10000000000) a, range(100000) b")
        assert sandbox.query("SELECT 1 AS a")[0].item() == 1


def test_a_missing_or_broken_file(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match=r"does not exist\. Run `curbline run`"):
        Sandbox.open(tmp_path / "none.duckdb")
    broken = tmp_path / "broken.duckdb"
    broken.write_bytes(b"not a database" * 1000)
    with pytest.raises(DamagedError, match=r"broken\.duckdb is damaged: .* rebuilds it"):
        Sandbox.open(broken)
    with pytest.raises(DamagedError, match=r"broken\.duckdb is damaged"):
        Warehouse.open_state(broken)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot be opened"):
        Warehouse.open_state(tmp_path / "none" / "state.duckdb")


def test_a_newer_state_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.duckdb"
    with Warehouse.open_state(path) as state:
        state.execute("UPDATE meta.schema_version SET version = 99")
    with pytest.raises(StateError, match="has schema 99"):
        Warehouse.open_state(path)


def test_frames_are_lent_only_for_one_query() -> None:
    with Warehouse.open_memory() as warehouse:
        lent = pl.DataFrame({"a": [1, 2], "d": [date(2026, 1, 1), None]})
        assert warehouse.query("SELECT * FROM given", given=lent).equals(lent)
        with pytest.raises(QueryError):
            warehouse.query("SELECT * FROM given")


def test_an_older_state_gains_the_new_tables_and_keeps_its_ledger(tmp_path: Path) -> None:
    path = tmp_path / "state.duckdb"
    with Warehouse.open_state(path) as state:
        state.execute("UPDATE meta.schema_version SET version = 1")
        state.execute(
            "DROP TABLE core.governance; DROP TABLE core.outcomes; INSERT INTO meta.facts VALUES ('hash', 'old')"
        )
        state.execute(
            "INSERT INTO meta.ledger BY NAME SELECT 'r' run_id, 'a' attempt_id, DATE '2026-01-01' as_of, DATE '2026-01-01' known_at, "
            "'CHN' curbing_country, 'f' facts_hash, 'r' rules_hash, '1' code_version, 'published' status, now()::TIMESTAMP started_at"
        )
    with Warehouse.open_state(path) as state:
        assert state.query("SELECT count(*) FROM core.governance").item() == 0
        assert state.query("SELECT count(*) FROM core.outcomes").item() == 0
        assert state.query("SELECT count(*) FROM meta.facts").item() == 0
        assert state.query("SELECT run_id FROM meta.ledger").item() == "r"
