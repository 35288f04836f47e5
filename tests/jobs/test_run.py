"""The run as operators know it: exit codes, sentences, what is published; scoring itself is faked here."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import jobs.nightly.run
from jobs.cli import main
from jobs.export.tables import WIDE_TABLES
from jobs.nightly.recalculate import Deliver, RunRequest
from jobs.output.layout import Layout
from jobs.output.ledger import tail
from jobs.output.lock import exclusive
from jobs.resources import default_rules_dir
from tests.jobs.bundle import TABLES, write_bundle
from warehouse.database import Database

Marts = dict[str, pl.DataFrame]


class Scorer:
    """Stands in for the engine: gives the marts that it is told to give."""

    def __init__(self, marts: Marts) -> None:
        self.marts = marts
        self.warnings: list[str] = []

    def __call__(
        self, request: RunRequest, _state: object, _rules: object, _phase: object, deliver: Deliver
    ) -> list[str]:
        stamp = asdict(request.question)
        marts = {
            name: frame.with_columns(
                pl.lit(value).alias(column) for column, value in stamp.items() if column in frame.columns
            )
            if name != "withheld_share"
            else frame
            for name, frame in self.marts.items()
        }
        deliver(marts)
        return list(self.warnings)


@pytest.fixture
def scorer(marts: Marts, monkeypatch: pytest.MonkeyPatch) -> Scorer:
    fake = Scorer(dict(marts))
    monkeypatch.setattr(jobs.nightly.run, "recalculate", fake)
    # The rules' own tests are run by tests/rules; here they would only take time.
    monkeypatch.setattr(jobs.nightly.run, "require_tested", lambda _: None)
    monkeypatch.setattr("jobs.commands.work.now", lambda: datetime(2026, 11, 23, 2, 30, tzinfo=UTC))
    return fake


@pytest.fixture
def start(scorer: Scorer, tmp_path: Path) -> Callable[..., int]:
    bundle = write_bundle(tmp_path / "bundle")

    def run(*arguments: str) -> int:
        return main(["run", "--facts", str(bundle), "--out", str(tmp_path / "out"), *arguments])

    return run


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "out")


def pointed(layout: Layout) -> str:
    return layout.resolve_published().path.name


def test_a_run_publishes_exports_and_logs(
    start: Callable[..., int], layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start("--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["as_of"] == "2026-11-23", "today in UTC"
    assert summary["pointer_moved"]
    assert summary["routes"] == {
        "horizon_days": 365,
        "total": 5,
        "by_band": {"critical": 0, "high": 0, "moderate": 4, "low": 0, "minimal": 0, "unknown": 1},
        "by_reconciliation": {"good": 4, "fair": 0, "weak": 0, "insufficient": 1},
    }
    assert [row["importer"] for row in summary["top"]][:2] == ["USA", "DEU"]
    assert summary["without_trade"]["without"] == 1
    assert pointed(layout) == f"curbline-2026-11-23-{summary['run_id']}.duckdb"
    exports = layout.exports / summary["run_id"]
    assert {"importer_score.csv", "route_score.parquet", "routes-all-top50-365d.xlsx", "manifest.json"} <= {
        p.name for p in exports.iterdir()
    }
    for wide in WIDE_TABLES:
        assert not list(exports.glob(f"{wide}.csv")), "Parquet only, unless asked for"
    with Database.open(layout.state, read_only=True) as state:
        entry = tail(state, 5).row(0, named=True)
    assert (entry["run_id"], entry["status"], entry["file"]) == (
        summary["run_id"],
        "published",
        pointed(layout),
    )
    with Database.open(layout.pointer, read_only=True) as reader:
        stored = reader.query("SELECT DISTINCT run_id FROM mart.route_score")["run_id"].to_list()
        assert stored == [summary["run_id"]]
        assert reader.query("SELECT count(*) AS n FROM meta.step").item() > 2
        assert reader.query('SELECT count(*) AS n FROM meta."check" WHERE passed').item() > 20


def test_the_summary_reads_well(
    start: Callable[..., int], layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start() == 0
    said = capsys.readouterr().out
    for part in (
        "Curbline, as of 2026-11-23, curbs of CHN", "in tiny 1;", "Routes at 365 days: 5 (4 moderate, 1 unknown)",
        "Top 4 by priority", "gallium / refined", "CHN → USA", "Curbed items without trade: 1 of 2: holmium 1",
        "Unverified on 2026-11-23: nothing.", f"Open:      {layout.pointer}", "Time: rules",
    ):  # fmt: skip
        assert part in said.replace("\n", " "), part


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_run_twice_gives_the_same_bytes(start: Callable[..., int], layout: Layout) -> None:
    assert start() == 0
    first = {run.name: files_of(run) for run in layout.exports.iterdir()}
    assert start() == 0
    assert {run.name: files_of(run) for run in layout.exports.iterdir()} == first
    assert len(layout.list_snapshots()) == 1


def test_a_replay_and_another_country_publish_beside(
    start: Callable[..., int], layout: Layout, scorer: Scorer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start() == 0
    newest = pointed(layout)
    assert start("--as-of", "2025-06-01") == 0
    assert start("--curbing-country", "cod") == 0
    assert start("--as-of", "2062-11-23") == 0
    assert "Beside" in capsys.readouterr().out
    assert pointed(layout) == newest
    assert len(layout.list_snapshots()) == 4
    with Database.open(layout.state, read_only=True) as state:
        assert tail(state, 9)["status"].to_list() == ["published"] * 4


def test_warnings_are_exit_code_10(
    start: Callable[..., int], scorer: Scorer, capsys: pytest.CaptureFixture[str]
) -> None:
    scorer.warnings = ["production of gallium was not known by then"]
    assert start() == 10
    assert "Warning: production of gallium" in capsys.readouterr().out


def test_rows_set_aside_are_a_warning_or_with_strict_fatal(
    scorer: Scorer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = TABLES["trade"] + "2024,CHN,XXX,811292,17,1000,-5,true,src-a,2026-02-01\n"
    bundle = write_bundle(tmp_path / "bad", trade=bad)
    arguments = ["run", "--facts", str(bundle), "--out", str(tmp_path / "out")]
    assert main(arguments) == 10
    assert "1 rows of the facts were set aside (bad/trade.csv 1)" in capsys.readouterr().out.replace(
        "\n", " "
    )
    assert main([*arguments, "--strict"]) == 30
    assert "bad/trade.csv:4" in capsys.readouterr().err


def broken(name: str, frame: pl.DataFrame, change: dict[str, Any], marts: Marts) -> Marts:
    return {**marts, name: frame.with_columns(**change)}


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("route_score", {"active": pl.lit(101.0)}, "active outside 0..100"),
        ("route_score", {"active": pl.lit(float("nan"))}, "not a finite number in: active"),
        ("route_score", {"active_low": pl.lit(100.0)}, "the ends of active are out of order"),
        (
            "route_score",
            {
                "exporter": pl.lit("CHN"),
                "importer": pl.lit("USA"),
                "mineral": pl.lit("gallium"),
                "stage": pl.lit("refined"),
            },
            "the key repeats",
        ),
        ("route_score", {"stage": pl.lit(None, pl.String)}, "a key is empty"),
        (
            "route_score",
            {"active": pl.lit(None, pl.Float64), "unknown_reason": pl.lit(None, pl.String)},
            "no score and no reason",
        ),
        ("route_score", {"snapback": pl.lit(0.0)}, "active is above snapback"),
        ("flow_measure", {"horizon_days": pl.lit(365)}, "flow_measure: key_unique: the key repeats"),
        ("calendar", {"event": pl.lit(None, pl.String)}, "calendar: key_known: a key is empty"),
        ("waterfall_step", {"step": pl.lit("S0")}, "waterfall_step: key_unique: the key repeats"),
        ("contribution_wide", {"s4": pl.lit(1.0)}, "steps do not sum to the score"),
        ("contribution_wide", {"t001": pl.lit(1.0)}, "terms do not sum to step s0"),
        ("importer_contribution_wide", {"importer": pl.lit("BRA")}, "points without a row in importer_score"),
    ],
)
def test_a_failed_check_publishes_nothing(
    start: Callable[..., int],
    layout: Layout,
    scorer: Scorer,
    capsys: pytest.CaptureFixture[str],
    name: str,
    change: dict[str, pl.Expr],
    said: str,
) -> None:
    assert start() == 0
    before = pointed(layout)
    scorer.marts = {**scorer.marts, name: scorer.marts[name].with_columns(**change)}
    assert start("--as-of", "2026-11-23", "--known-at", "2026-11-22") == 20
    errors = capsys.readouterr().err
    assert said in errors
    assert "nothing was published" in errors
    assert "Traceback" not in errors
    assert pointed(layout) == before
    assert len(layout.list_snapshots()) == 1
    with Database.open(layout.state, read_only=True) as state:
        assert sorted(tail(state, 5)["status"]) == ["failed", "published"]


def test_a_mineral_in_two_parts_publishes_nothing(
    start: Callable[..., int],
    layout: Layout,
    monkeypatch: pytest.MonkeyPatch,
    scorer: Scorer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def twice(*given: Any) -> list[str]:
        scorer(*given)
        return scorer(*given)

    monkeypatch.setattr(jobs.nightly.run, "recalculate", twice)
    assert start() == 20
    assert (
        "route_score: mineral_given_once: given in two parts: dysprosium, gallium" in capsys.readouterr().err
    )
    assert not layout.list_snapshots()


@pytest.mark.parametrize("name", ["route_score", "reconciliation"])
def test_an_empty_table_publishes_nothing(
    start: Callable[..., int], scorer: Scorer, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    scorer.marts = {**scorer.marts, name: scorer.marts[name].clear()}
    assert start() == 20
    assert f"{name}: has_rows: the table has no rows" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--as-of", "2021-01-31"], 30, "--as-of 2021-01-31 is before 2021-02-01"),
        (["--known-at", "2020-12-31"], 30, "--known-at 2020-12-31 is before 2021-02-01"),
        (["--as-of", "2026-13-01"], 40, "--as-of '2026-13-01' is not a date; write YYYY-MM-DD"),
        (["--as-of", "23.11.2026"], 40, "is not a date"),
        (["--as-of", "20261123"], 40, "is not a date"),
        (["--curbing-country", "CHM"], 40, "unknown curbing country 'CHM'; did you mean 'CHN'?"),
        (["--curbing-country", "China"], 40, "write an ISO 3166 alpha-3 code"),
        (["--rules", "/no/such"], 40, "/no/such: there is no such folder of rules"),
        (["--facts", "/no/such"], 30, "no such folder"),
        (["--settings", "/no/such.toml"], 40, "no such settings file"),
        (["--asof", "2026-11-23"], 40, "--as-of"),
        (["surplus"], 40, "surplus"),
    ],
)  # fmt: skip
def test_bad_requests_are_sentences(
    start: Callable[..., int], capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    assert start(*arguments) == code
    errors = capsys.readouterr().err
    assert said in errors.replace("\n", " ")
    assert "Traceback" not in errors


def test_a_broken_rule_stops_the_run_with_its_place(
    start: Callable[..., int], tmp_path: Path, layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    rules = tmp_path / "rules"
    shutil.copytree(default_rules_dir(), rules)
    target = min((rules / "withholding").glob("*.yml"))
    target.write_text(
        target.read_text(encoding="utf-8").replace("horizon_days", "horizn_days"), encoding="utf-8"
    )
    assert start("--rules", str(rules)) == 40
    errors = capsys.readouterr().err
    assert f"rules/withholding/{target.name}:" in errors
    assert "did you mean 'horizon_days'?" in errors
    assert not layout.pointer.exists()


def test_a_second_run_is_busy(
    start: Callable[..., int], layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    with exclusive(layout.lock, since=datetime(2026, 11, 23, tzinfo=UTC)):
        assert start() == 75
    assert "another run is under way (process" in capsys.readouterr().err


def test_an_analyst_with_the_published_file_open_blocks_nothing(
    start: Callable[..., int], layout: Layout
) -> None:
    assert start() == 0
    with Database.open(layout.pointer, read_only=True) as held:
        before = held.query("SELECT count(*) AS n FROM mart.route_score").item()
        assert start("--known-at", "2026-11-23", "--as-of", "2026-11-23") == 0
        assert held.query("SELECT count(*) AS n FROM mart.route_score").item() == before


def test_a_full_disk_is_a_sentence(
    start: Callable[..., int],
    layout: Layout,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert start() == 0
    before = pointed(layout)

    def full(path: Path, *_: object) -> None:
        path.write_text("hal", encoding="utf-8")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(jobs.nightly.run, "build_snapshot", full)
    assert start("--as-of", "2026-11-22") == 50
    errors = capsys.readouterr().err
    assert "the disk is full" in errors
    assert "Traceback" not in errors
    assert pointed(layout) == before
    assert not [path for path in layout.root.rglob("*") if path.name.startswith(".build-")]


def test_a_fault_in_curbline_says_so(
    start: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fault(*_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(jobs.nightly.run, "recalculate", fault)
    assert start() == 50
    errors = capsys.readouterr().err
    assert "a fault in Curbline: ZeroDivisionError: division by zero (test_run.py:" in errors
    assert "Traceback" not in errors


def test_a_deleted_snapshot_is_published_again(
    start: Callable[..., int], layout: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start() == 0
    layout.resolve_published().path.unlink()
    assert main(["sql", "SELECT 1", "--out", str(layout.root)]) == 30
    assert "which is gone" in capsys.readouterr().err
    assert start() == 0
    assert layout.resolve_published().path.is_file()


def test_old_snapshots_are_dropped(
    start: Callable[..., int], layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "curbline.toml"
    settings.write_text("keep_snapshots = 2\n", encoding="utf-8")
    for day in (23, 20, 21, 22):
        assert start("--as-of", f"2026-11-{day}", "--settings", str(settings)) == 0
    assert sorted(str(item.as_of) for item in layout.list_snapshots()) == [
        "2026-11-21",
        "2026-11-22",
        "2026-11-23",
    ]
    assert len(list(layout.exports.iterdir())) == 3


SLOW = """
import sys, time
import jobs.nightly.run
from jobs.cli import main
def slow(*_):
    print("scoring", flush=True)
    time.sleep(60)
jobs.nightly.run.recalculate = slow
sys.exit(main(sys.argv[1:]))
"""


def test_two_processes_and_a_kill(
    start: Callable[..., int], layout: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [
        sys.executable,
        "-c",
        SLOW,
        "run",
        "--facts",
        str(tmp_path / "bundle"),
        "--out",
        str(layout.root),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "scoring\n"
        assert start() == 75
        assert f"process {first.pid}" in capsys.readouterr().err
        assert main(["status", "--out", str(layout.root)]) == 30
        assert "A run is under way" in capsys.readouterr().out
        first.send_signal(signal.SIGKILL)
        first.wait(timeout=10)
    began = time.perf_counter()
    assert start() == 0, "the kill freed the lock, and nothing half-made is in the way"
    assert time.perf_counter() - began < 30


def test_dates_of_the_run_reach_the_engine(
    start: Callable[..., int], monkeypatch: pytest.MonkeyPatch, scorer: Scorer
) -> None:
    seen: list[RunRequest] = []

    def spy(request: RunRequest, *rest: Any) -> list[str]:
        seen.append(request)
        return scorer(request, *rest)

    monkeypatch.setattr(jobs.nightly.run, "recalculate", spy)
    assert start("--as-of", "2025-06-01", "--strict-knowledge") == 0
    assert start("--as-of", "2025-06-01", "--known-at", "2026-11-23") == 0
    assert [(r.question.as_of, r.question.known_at, r.strict_knowledge) for r in seen] == [
        (date(2025, 6, 1), date(2025, 6, 1), True),
        (date(2025, 6, 1), date(2026, 11, 23), False),
    ]
