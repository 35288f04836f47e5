"""Past days in a row: resumable, the same as each day by itself, and strict where asked."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

import jobs.nightly.series
from ground.question import Question
from jobs.cli import main
from jobs.diff.compared import TOTAL
from jobs.errors import ExitCode, InputError, SettingsError
from jobs.nightly.phases import Phases
from jobs.nightly.series import KEPT, REFUSED, WRITTEN, SeriesOutcome, Vintage, backfill, days_of
from jobs.output.history import days_there, run_of, vintage_path, write_vintage
from jobs.output.layout import Layout
from jobs.resources import default_facts_dir, default_rules_dir
from jobs.settings import Settings
from warehouse.database import Database

TODAY = date(2026, 11, 28)
NOW = datetime(2026, 11, 28, 2, 30, tzinfo=UTC)
MONTHS = [date(2023, 6, 1), date(2023, 7, 1), date(2023, 8, 1)]


@pytest.fixture(scope="module")
def gallium(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded facts with the trade of gallium and of natural graphite alone."""
    bundle = tmp_path_factory.mktemp("facts") / "bundle"
    shutil.copytree(default_facts_dir(), bundle)
    trade = pl.read_parquet(bundle / "trade.parquet")
    trade.filter(pl.col("hs6").is_in(["811292", "250410"])).write_parquet(bundle / "trade.parquet")
    return bundle


def settings(bundle: Path, out: Path, *, strict: bool = False) -> Settings:
    return Settings(facts=(bundle,), rules=default_rules_dir(), out=out, draws=16, strict_knowledge=strict)


@pytest.fixture(autouse=True)
def no_rule_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs.nightly.series, "require_tested", lambda _: None)


def run(chosen: Settings, days: list[date]) -> list[Vintage]:
    return list(backfill(chosen, days, NOW, Phases(Console(quiet=True))))


def history(out: Path, day: date) -> pl.DataFrame:
    return pl.read_parquet(vintage_path(Layout(out), Question(day, day, "CHN")), hive_partitioning=False)


@pytest.mark.slow
def test_a_series_shares_what_did_not_change_and_is_what_each_day_would_be(
    gallium: Path, tmp_path: Path
) -> None:
    shared = run(settings(gallium, tmp_path / "shared"), MONTHS)
    assert [one.outcome for one in shared] == [WRITTEN] * 3
    # From June to July little becomes known; on 3 July the licences of August do.
    assert shared[0].scored == shared[0].minerals > 0
    assert shared[1].scored < shared[1].minerals / 2
    assert 0 < shared[2].scored < shared[2].minerals
    for day in MONTHS[1:]:
        alone = tmp_path / f"alone-{day}"
        assert run(settings(gallium, alone), [day])[0].scored > 0
        assert history(tmp_path / "shared", day).equals(history(alone, day))
    scores = history(tmp_path / "shared", MONTHS[2]).filter(mineral="gallium", horizon_days=365)
    japan = scores.filter(exporter="CHN", importer="JPN").row(0, named=True)
    assert japan["active"] > 10
    assert history(tmp_path / "shared", MONTHS[1]).filter(mineral="gallium")["active"].max() == 0
    lanes = scores.filter((pl.col("importer") == "JPN") & (pl.col("exporter") != TOTAL))
    total = scores.filter(exporter=TOTAL, importer="JPN")["active_expected_missing_t"].item()
    assert total == pytest.approx(lanes["active_expected_missing_t"].sum(), rel=1e-3)


@pytest.mark.slow
def test_a_stopped_series_goes_on_where_it_was(gallium: Path, tmp_path: Path) -> None:
    chosen = settings(gallium, tmp_path)
    stopped = backfill(chosen, MONTHS, NOW, Phases(Console(quiet=True)))
    assert next(stopped).outcome == WRITTEN
    stopped.close()  # as an interrupt does: the lock is let go
    first = vintage_path(Layout(tmp_path), Question(MONTHS[0], MONTHS[0], "CHN"))
    written = first.stat().st_mtime_ns
    assert [one.outcome for one in run(chosen, MONTHS)] == [KEPT, WRITTEN, WRITTEN]
    assert first.stat().st_mtime_ns == written
    assert [one.outcome for one in run(chosen, MONTHS)] == [KEPT] * 3
    assert days_there(Layout(tmp_path), "CHN") == MONTHS
    first.write_bytes(b"not parquet")
    assert [one.outcome for one in run(chosen, MONTHS[:1])] == [WRITTEN]


@pytest.mark.slow
def test_hindsight_is_marked_and_refused_where_asked(gallium: Path, tmp_path: Path) -> None:
    assert run(settings(gallium, tmp_path), MONTHS[:1])[0].has_hindsight
    assert history(tmp_path, MONTHS[0])["hindsight"].any()
    refused = run(settings(gallium, tmp_path / "strict", strict=True), MONTHS[:1])
    assert [one.outcome for one in refused] == [REFUSED]
    assert SeriesOutcome(refused).code == ExitCode.INPUT
    assert SeriesOutcome([*refused, Vintage(TODAY, WRITTEN)]).code == ExitCode.WARNINGS
    assert days_there(Layout(tmp_path / "strict"), "CHN") == []
    again = run(settings(gallium, tmp_path, strict=True), MONTHS[:1])
    assert [one.outcome for one in again] == [REFUSED]  # a day that is there is no way round it


def test_a_day_before_any_fact_is_refused_before_anything_is_scored(gallium: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--from 2019-01-01 is before 20\d\d-\d\d-\d\d.*choose"):
        run(settings(gallium, tmp_path), [date(2019, 1, 1), MONTHS[0]])
    assert not (tmp_path / "history").exists()


@pytest.mark.parametrize(
    ("first", "last", "every", "says"),
    [
        (date(2026, 2, 1), date(2025, 1, 1), "month", "is after --to 2025-01-01; swap them"),
        (date(2026, 2, 1), date(2027, 1, 1), "month", "is after today, 2026-11-28"),
        (date(2030, 1, 1), TODAY, "month", "--from 2030-01-01 is after today"),
        (date(2026, 2, 1), date(2026, 3, 1), "monthly", "did you mean 'month'"),
        (date(1990, 1, 1), date(2026, 1, 1), "day", "more than 2,000 days"),
    ],
)
def test_a_wrong_range_is_refused_with_its_mend(first: date, last: date, every: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        days_of(first, last, every, TODAY)


def test_months_end_on_their_last_day() -> None:
    found = days_of(date(2024, 1, 31), date(2024, 4, 30), "month", TODAY)
    assert found == [date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 30)]
    assert len(days_of(date(2024, 1, 1), date(2024, 1, 29), "week", TODAY)) == 5
    assert days_of(TODAY, TODAY, "day", TODAY) == [TODAY]


def test_history_is_read_from_the_published_file_and_by_a_bare_client(
    small_root: Path, tmp_path: Path
) -> None:
    layout = Layout(tmp_path)
    question = Question(date(2026, 1, 1), date(2026, 1, 1), "CHN")
    write_vintage(layout, question, "abc", whole_row())
    assert run_of(vintage_path(layout, question)) == "abc"
    with Database.open(small_root / "curbline.duckdb", read_only=True) as reader:
        found = reader.query(f"SELECT as_of, mineral, active FROM mart.score_history('{tmp_path}')")
    assert found.rows() == [(date(2026, 1, 1), "gallium", 12.5)]
    with Database.open() as bare:
        same = bare.query(f"SELECT as_of, mineral, active FROM '{tmp_path}/history/*/*/*.parquet'")
    assert same.rows() == found.rows()


def whole_row() -> pl.DataFrame:
    from warehouse.published.history_columns import HISTORY

    given = {"mineral": "gallium", "active": 12.5}
    own = [
        column
        for column in HISTORY.own
        if column.name not in {"run_id", "as_of", "known_at", "curbing_country"}
    ]
    return pl.DataFrame([pl.Series(c.name, [given.get(c.name)], dtype=c.dtype) for c in own])


def test_the_command_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backfill", "--from", "yesterday"]) == ExitCode.SETTINGS
    assert "--from 'yesterday' is not a date" in capsys.readouterr().err
    assert main(["backfill"]) == ExitCode.SETTINGS


@pytest.mark.slow
def test_some_minerals_alone_are_kept_and_never_take_the_place_of_all(gallium: Path, tmp_path: Path) -> None:
    chosen, days = settings(gallium, tmp_path / "out"), MONTHS[-1:]
    quiet = Phases(Console(quiet=True))

    def some(minerals: list[str]) -> list[Vintage]:
        return list(backfill(chosen, days, NOW, quiet, minerals))

    with pytest.raises(
        SettingsError, match=r"--mineral galium: no mineral is called so; did you mean 'gallium'\?"
    ):
        some(["galium"])
    assert [(one.outcome, one.minerals) for one in some(["gallium"])] == [(WRITTEN, 1)]
    alone = history(tmp_path / "out", days[0])
    assert set(alone["mineral"]) == {"gallium"}
    assert [one.outcome for one in some(["gallium"])] == [KEPT]
    with pytest.raises(SettingsError, match="holds 1 mineral that --mineral leaves out"):
        some(["natural_graphite"])
    assert [one.outcome for one in run(chosen, days)] == [WRITTEN]
    whole = history(tmp_path / "out", days[0])
    own = whole.filter(mineral="gallium").drop("run_id")
    assert own.equals(alone.drop("run_id"))  # scored alone or with others, it is the same
    assert [one.outcome for one in some(["gallium"])] == [KEPT]  # the whole holds the part
    assert history(tmp_path / "out", days[0]).equals(whole)
