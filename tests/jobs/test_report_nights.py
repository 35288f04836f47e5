"""Nights write the report where the settings ask for it, and it says what moved; scoring itself is faked here."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

import jobs.nightly.run
from jobs.cli import main
from tests.jobs.bundle import write_bundle
from tests.jobs.test_run import Scorer
from tests.jobs.test_since import harsher


def test_two_nights_and_a_report_that_says_what_moved(
    marts: dict[str, pl.DataFrame],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    scorer = Scorer(dict(marts))
    monkeypatch.setattr(jobs.nightly.run, "recalculate", scorer)
    monkeypatch.setattr(jobs.nightly.run, "require_tested", lambda _: None)
    monkeypatch.setattr("jobs.commands.work.now", lambda: datetime(2026, 11, 23, 2, 30, tzinfo=UTC))
    settings, out = tmp_path / "curbline.toml", tmp_path / "out"
    write_bundle(tmp_path / "bundle")
    settings.write_text('facts = ["bundle"]\nout = "out"\n[export]\nreport = true\n', encoding="utf-8")
    latest = out / "report" / "latest"

    def night(day: str) -> str:
        assert main(["run", "--settings", str(settings), "--as-of", day]) in (0, 10)
        return (latest / "index.html").read_text(encoding="utf-8")

    assert "no earlier night is on hand to compare with" in night("2026-11-22")
    scorer.marts = harsher(marts)
    second = night("2026-11-23")
    assert "1 route moved since 2026-11-22" in second
    assert "55.0 → 65.0" in second
    capsys.readouterr()

    # A folder that is no report is left alone; the night is published all the same, with a warning.
    (latest / ".curbline-report").unlink()
    before = (latest / "index.html").read_bytes()
    assert main(["run", "--settings", str(settings), "--as-of", "2026-11-23"]) == 10
    assert "is not an earlier report" in "".join(capsys.readouterr())
    assert (latest / "index.html").read_bytes() == before

    # By hand, into a folder of one's own; a run that is not there is a sentence.
    assert main(["report", "--settings", str(settings), "--to", str(tmp_path / "mine")]) == 0
    assert "have a page, `curbline explain` tells of the others" in capsys.readouterr().out
    assert main(["report", "--settings", str(settings), "--run", "fff"]) == 40
    assert (
        main(["picture", "origin", "gallium", "-o", str(tmp_path / "a.svg"), "--settings", str(settings)])
        == 30
    )
    assert "no producer of gallium is known" in capsys.readouterr().err
