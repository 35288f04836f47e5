"""A night that moved too far from the last one waits for a person; scoring itself is faked here."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

import jobs.nightly.against
import jobs.nightly.run
from ground.words import HORIZONS, MAIN_HORIZON
from jobs.cli import main
from jobs.errors import CheckError
from jobs.nightly.against import BAND, COUNTED, against_last, require_like_last
from jobs.nightly.checks import CheckResult
from jobs.operating import CheckSettings
from jobs.output.layout import Layout
from tests.jobs.bundle import write_bundle
from tests.jobs.test_run import Scorer
from warehouse.database import Database

ROWS = dict.fromkeys(COUNTED, 400)


def night(*, low: int = 100, unknown: int = 0, usd: float = 1e6, count: int = 400) -> pl.DataFrame:
    """Routes of which the first have band low, the last none, and those between high."""
    bands = ["low"] * low + ["high"] * (count - low - unknown) + [None] * unknown
    one = pl.DataFrame(
        {
            "mineral": ["gallium"] * count,
            "stage": ["refined"] * count,
            "exporter": [f"X{number:03d}" for number in range(count)],
            "importer": ["USA"] * count,
            BAND: bands,
            "route_usd": [usd] * count,
        },
        schema_overrides={BAND: pl.String},
    )
    return pl.concat([one.with_columns(horizon_days=pl.lit(horizon)) for horizon in HORIZONS])


@pytest.fixture(scope="module")
def last(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("last") / "last.duckdb"
    with Database.open(path) as database:
        database.execute("CREATE SCHEMA mart")
        with database.frame("incoming", night()):
            database.execute("CREATE TABLE mart.route_score AS SELECT * FROM incoming")
            for name in COUNTED[1:]:
                database.execute(
                    f"CREATE TABLE mart.{name} AS SELECT 1 AS one FROM incoming WHERE horizon_days = {MAIN_HORIZON}"
                )
    return path


@pytest.fixture
def failed(last: Path) -> Callable[..., list[CheckResult]]:
    def held(routes: pl.DataFrame, **rows: int) -> list[CheckResult]:
        counts = {**ROWS, "route_score": routes.height, **rows}
        return [one for one in against_last(routes, counts, last, CheckSettings()) if not one.passed]

    return held


def test_the_same_night_again_passes(failed: Callable[..., list[CheckResult]]) -> None:
    assert failed(night()) == []


def test_a_tenth_of_the_bands_may_move_and_no_more(failed: Callable[..., list[CheckResult]]) -> None:
    assert failed(night(low=140)) == []
    (found,) = failed(night(low=141))
    assert found.check_id == "bands_like_last_night"
    assert found.detail.startswith("10.2% of the routes changed their band, where at most 10% may; first: ")
    assert "gallium refined X100 USA high → low; gallium refined X101 USA high → low" in found.detail


def test_scores_that_go_missing_are_told(failed: Callable[..., list[CheckResult]]) -> None:
    assert failed(night(unknown=20)) == []
    (found,) = failed(night(unknown=21))
    assert found.check_id == "unknown_like_last_night"
    assert (
        "5.2% of the routes have no score, where it was 0.0%; first: gallium refined X379 USA" in found.detail
    )


def test_rows_and_money_that_come_or_go_are_told(failed: Callable[..., list[CheckResult]]) -> None:
    (rows,) = failed(night(), reconciliation=319)
    assert (rows.table_name, rows.check_id) == ("reconciliation", "rows_like_last_night")
    assert rows.detail == "319 rows where the last night had 400; at most 20% may come or go"
    assert failed(night(), reconciliation=320, measure_coverage=480) == []
    (money,) = failed(night(usd=1.31e6))
    assert money.check_id == "value_like_last_night"
    assert failed(night(usd=0.71e6)) == []


def test_a_few_routes_are_no_share(failed: Callable[..., list[CheckResult]], tmp_path: Path) -> None:
    path = tmp_path / "small.duckdb"
    with Database.open(path) as database, database.frame("incoming", night(count=10, low=10)):
        database.execute("CREATE SCHEMA mart; CREATE TABLE mart.route_score AS SELECT * FROM incoming")
        for name in COUNTED[1:]:
            database.execute(f"CREATE TABLE mart.{name} AS SELECT 1 AS one")
    found = against_last(night(count=10, low=0), dict.fromkeys(COUNTED, 1), path, CheckSettings())
    assert [one.check_id for one in found if not one.passed] == ["rows_like_last_night"]


def test_a_person_accepts(failed: Callable[..., list[CheckResult]]) -> None:
    results = failed(night(low=200))
    with pytest.raises(
        CheckError, match=r"too unlike the last one \(4f0c\).*\n.*25.0%.*\n.*curbline run --accept"
    ):
        require_like_last(results, "4f0c", accepted=False)
    (warning,) = require_like_last(results, "4f0c", accepted=True)
    assert warning.startswith("accepted: route_score: bands_like_last_night: 25.0% of the routes")


def test_a_night_too_unlike_the_last_leaves_it_until_it_is_accepted(
    marts: dict[str, pl.DataFrame],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    scorer = Scorer(dict(marts))
    monkeypatch.setattr(jobs.nightly.run, "recalculate", scorer)
    monkeypatch.setattr(jobs.nightly.run, "require_tested", lambda _: None)
    monkeypatch.setattr(jobs.nightly.against, "FEW", 0)
    monkeypatch.setattr("jobs.commands.work.now", lambda: datetime(2026, 11, 23, 2, 30, tzinfo=UTC))
    bundle, out = write_bundle(tmp_path / "bundle"), tmp_path / "out"

    def run(day: int, *more: str) -> int:
        return main(["run", "--facts", str(bundle), "--out", str(out), "--as-of", f"2026-11-{day}", *more])

    assert run(22) in {0, 10}
    scorer.marts["route_score"] = marts["route_score"].with_columns(pl.col("route_usd") * 2)
    assert run(23) == 20
    said = " ".join(capsys.readouterr().err.split())
    assert "value_like_last_night: the routes are worth" in said
    assert "`curbline run --accept`" in said
    assert str(Layout(out).resolve_published().as_of) == "2026-11-22"
    assert run(23, "--accept") == 10
    assert "accepted: route_score: value_like_last_night" in " ".join(capsys.readouterr().out.split())
    pointed = Layout(out).resolve_published()
    assert str(pointed.as_of) == "2026-11-23"
    with Database.open(pointed.path, read_only=True) as reader:
        failed = reader.query("SELECT check_name FROM meta.check WHERE NOT passed")["check_name"].to_list()
    assert failed == ["route_score: value_like_last_night"]
