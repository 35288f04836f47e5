"""A run says what changed since the last published night; scoring itself is faked here."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import jobs.nightly.run
from jobs.cli import main
from jobs.output.history import days_there
from jobs.output.layout import Layout
from tests.jobs.bundle import write_bundle
from tests.jobs.test_run import Scorer
from warehouse.database import Database

Marts = dict[str, pl.DataFrame]
RAISED = ["active", "active_high", "snapback", "snapback_high", "full_stop", "full_stop_high", "s1", "t002"]
EVE, DAY = date(2026, 11, 22), date(2026, 11, 23)


def harsher(marts: Marts) -> Marts:
    """The same marts with the route to America ten points higher, in every regime."""
    here = (pl.col("mineral") == "gallium") & (pl.col("importer") == "USA")
    changed = dict(marts)
    for name in ("route_score", "contribution_wide", "importer_score", "importer_contribution_wide"):
        score = [column for column in RAISED if column in marts[name].columns]
        changed[name] = marts[name].with_columns(
            pl.when(here).then(pl.col(column) + 10).otherwise(column).alias(column) for column in score
        )
    return changed


def test_a_night_tells_what_moved_since_the_one_before(
    marts: Marts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scorer = Scorer(dict(marts))
    monkeypatch.setattr(jobs.nightly.run, "recalculate", scorer)
    monkeypatch.setattr(jobs.nightly.run, "require_tested", lambda _: None)
    monkeypatch.setattr("jobs.commands.work.now", lambda: datetime(2026, 11, 23, 2, 30, tzinfo=UTC))
    bundle, out = write_bundle(tmp_path / "bundle"), tmp_path / "out"

    def run(day: date) -> dict[str, Any]:
        assert main(["run", "--facts", str(bundle), "--out", str(out), "--as-of", f"{day}", "--json"]) in (
            0,
            10,
        )
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    first = run(EVE)
    assert first["since"] is None
    scorer.marts = harsher(marts)
    second = run(DAY)
    since = second["since"]
    assert since["before"]["run_id"] == first["run_id"]
    assert [one["cause"] for one in since["causes"]] == ["calendar"]
    assert any("1 day later" in reason for reason in since["causes"][0]["reasons"])
    with Database.open(out / "curbline.duckdb", read_only=True) as reader:
        rows = reader.query(
            "SELECT DISTINCT importer, cause, round(points, 9) AS points FROM mart.score_change"
        )
        stamp = reader.query("SELECT since_run_id, since_as_of FROM meta.run").row(0)
        files = reader.query("SELECT count(*) AS n FROM meta.rule_file WHERE length(text) > 0").item()
    assert set(rows.iter_rows()) == {("USA", "calendar", 10.0)}
    assert stamp == (first["run_id"], EVE)
    assert files > 50
    assert days_there(Layout(out), "CHN") == [EVE, DAY]
    # The same night again is compared with the same night before.
    assert run(DAY)["since"] == since
    assert main(["diff", str(EVE), str(DAY), "--out", str(out)]) == 0
    assert "Calendar (only the day)" in capsys.readouterr().out
    run(date(2026, 11, 24))  # a day to come: nobody knows yet what will be known then
    assert days_there(Layout(out), "CHN") == [EVE, DAY]
