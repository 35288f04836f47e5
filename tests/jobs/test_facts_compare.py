"""Editions compared on the command line, and an import that stops when one drifts."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from jobs.cli import main
from jobs.resources import default_facts_dir


@pytest.fixture
def year(tmp_path: Path) -> Path:
    """One year of the embedded HS92 trade, as CEPII would ship it."""
    countries = pl.read_csv(default_facts_dir() / "countries.csv", infer_schema=False).drop_nulls("baci_code")
    number = dict(countries.select("country", "baci_code").iter_rows())
    trade = pl.read_parquet(default_facts_dir() / "trade.parquet").filter(
        pl.col("year") == 2024, pl.col("hs_revision") == "92", pl.col("source_id").str.starts_with("baci")
    )
    path = tmp_path / "BACI_HS92_Y2024_V202701.csv"
    trade.select(
        t="year",
        i=pl.col("exporter").replace_strict(number, default=None),
        j=pl.col("importer").replace_strict(number, default=None),
        k="hs6",
        v=pl.col("value_usd") / 1000,
        q="quantity_t",
    ).drop_nulls(["i", "j"]).write_csv(path)
    return path


def run(file: Path, out: Path, *more: str) -> int:
    return main(["facts", "import", "baci", "--file", str(file), "--out", str(out), *more])


def test_the_same_figures_in_a_new_edition_pass(year: Path, tmp_path: Path) -> None:
    assert run(year, tmp_path / "new") == 0
    report = (tmp_path / "new" / "edition-report.txt").read_text()
    assert " 0 lost, 0 new, 0 revised." in report


def test_an_edition_that_lost_a_tenth_of_its_rows_stops_until_accepted(
    year: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header, *lines = year.read_text().splitlines(keepends=True)
    year.write_text(header + "".join(line for number, line in enumerate(lines) if number % 8))
    assert run(year, tmp_path / "cut") == 30
    said = capsys.readouterr().err
    assert "rows of the earlier edition missing (12%" in said or "(13%" in said
    assert "--accept-drift" in said
    assert not (tmp_path / "cut").exists()
    assert run(year, tmp_path / "cut", "--accept-drift", "CEPII dropped small flows") == 0
    assert "accepted: CEPII dropped small flows" in (tmp_path / "cut" / "edition-report.txt").read_text()


def test_a_world_total_that_moves_by_half_stops(
    year: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pl.read_csv(year, infer_schema=False)
    tin = pl.col("k") == "260900"
    frame.with_columns(
        pl.when(tin).then((pl.col("v").cast(pl.Float64) * 2).cast(pl.String)).otherwise("v").alias("v")
    ).write_csv(year)
    assert run(year, tmp_path / "new") == 30
    assert "the world total of 92 260900 2024 moved" in capsys.readouterr().err


def test_two_editions_in_one_bundle(capsys: pytest.CaptureFixture[str]) -> None:
    sources = ["--earlier-source", "usgs-mcs-2025", "--later-source", "usgs-mcs-2026"]
    assert main(["facts", "compare", "embedded", "embedded", *sources, "--json"]) in {0, 10}
    found = json.loads(capsys.readouterr().out)
    assert found["reserves"]["revised"] > 50
    assert main(["facts", "compare", "embedded", "embedded", "--later-source", "nobody"]) == 0
    assert "nothing to compare" in capsys.readouterr().out
