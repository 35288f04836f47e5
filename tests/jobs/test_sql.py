import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.table import Table

from jobs.errors import SettingsError
from jobs.output.layout import Layout
from jobs.sql import Format, ask, render


@pytest.fixture
def snapshot(small_root: Path) -> Path:
    return Layout(small_root).resolve_published().path


def test_rows_are_cut_at_the_limit(snapshot: Path) -> None:
    answer = ask(snapshot, "SELECT * FROM mart.route_score;", limit=4, timeout_s=30)
    assert answer.frame.height == 4
    assert answer.is_cut
    assert not ask(snapshot, "SELECT 1 AS one", limit=4, timeout_s=30).is_cut


def test_formats(snapshot: Path) -> None:
    answer = ask(
        snapshot,
        "SELECT DATE '2026-11-23' AS day, NULL AS nothing, 1.5::DOUBLE AS x, '=1' AS t",
        limit=9,
        timeout_s=30,
    )
    assert render(answer, Format.CSV) == "day,nothing,x,t\n2026-11-23,,1.5,'=1\n"
    text = render(answer, Format.JSON)
    assert isinstance(text, str)
    assert json.loads(text) == [{"day": "2026-11-23", "nothing": None, "x": 1.5, "t": "=1"}]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY mart.route_score TO 'x.csv'",
        "CREATE TABLE mart.mine AS SELECT 1",
        "DROP TABLE mart.route_score",
        "ATTACH 'other.duckdb'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "SELECT 1; SELECT 2",
        "SELEC 1",
        "SELECT * FROM mart.rout_score",
    ],
)
def test_what_writes_or_reaches_out_or_is_wrong_is_refused(snapshot: Path, query: str) -> None:
    with pytest.raises(SettingsError, match="query was refused"):
        ask(snapshot, query, limit=9, timeout_s=30)


@pytest.mark.parametrize("query", ["", "  ;  "])
def test_an_empty_query_is_refused_with_an_example(snapshot: Path, query: str) -> None:
    with pytest.raises(SettingsError, match="query is empty; write for example"):
        ask(snapshot, query, limit=9, timeout_s=30)


def test_a_long_query_is_stopped(snapshot: Path) -> None:
    start = time.perf_counter()
    endless = "SELECT count(*) FROM range(100000) AS a, range(100000) AS b, range(1000) AS c WHERE a.range * b.range % 7 = c.range"
    with pytest.raises(SettingsError, match=r"stopped after 0.3 s.*--timeout"):
        ask(snapshot, endless, limit=9, timeout_s=0.3)
    assert time.perf_counter() - start < 10


def test_an_answer_is_for_reading(snapshot: Path) -> None:
    with pytest.raises(SettingsError, match=r"the answer has 19\d MB, more than the 100 .*--limit"):
        ask(snapshot, "SELECT repeat('x', 1000000) FROM range(200)", limit=1000, timeout_s=30)
    long = ask(snapshot, "SELECT repeat('x', 30000) AS a", limit=1, timeout_s=30)
    table = render(long, Format.TABLE)
    assert isinstance(table, Table)
    assert "(30,000 characters; --format csv prints all)" in str(next(iter(table.columns[0].cells)))
    assert "x" * 30_000 in str(render(long, Format.CSV))


def test_a_statement_that_cannot_be_interrupted_ends_with_its_process(small_root: Path) -> None:
    start = time.perf_counter()
    query = "SELECT length(repeat('x', 1900000000))"
    command = [sys.executable, "-m", "jobs.cli", "sql", query, "--timeout", "0.2", "--out", str(small_root)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 40
    assert "stopped after 0.2 s" in ended.stderr or "did not stop after 0.2 s" in ended.stderr
    assert time.perf_counter() - start < 20


def test_memory_that_was_mapped_before_is_not_the_statement_s(small_root: Path) -> None:
    """A bound below what is mapped already let the watch find no stack, and the command wait for it without end."""
    code = (
        "import mmap, sys; from jobs.cli import main;"
        "kept = mmap.mmap(-1, 4 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS);"
        "sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "sql", "SELECT 1 AS one", "--format", "csv", "--out", str(small_root)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "one\n1\n"), done.stderr
