"""Small files as users had them, by the command line: what is stored, what is set aside, and with what exit code."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from jobs.cli import main

CASES = Path(__file__).parent / "cases"
COMTRADE = ("--release", "202611", "--as-of", "2026-11-27")
BACI = ("--as-of", "2024-06-30")
WGI = ("--release", "2025", "--as-of", "2026-06-30")


def imported(
    out: Path, capsys: pytest.CaptureFixture[str], source: str, file: str | Path, *options: str
) -> tuple[int, dict[str, Any], str]:
    """Import a file: exit code, report, and what was said on standard error."""
    given = ["facts", "import", source, "--file", str(CASES / file), "--out", str(out)]
    code = main([*given, "--any-size", "--json", *options])
    said = capsys.readouterr()
    return code, json.loads(said.out) if said.out.startswith("{") else {}, said.err


def lanes(out: Path) -> set[tuple[Any, ...]]:
    trade = pl.read_parquet(out / "trade.parquet")
    return set(trade.select("exporter", "importer", "hs_revision", "value_usd", "quantity_t").iter_rows())


def estimates(out: Path) -> set[tuple[Any, ...]]:
    found = pl.read_parquet(out / "governance.parquet")
    return set(found.select("country", "year", "indicator", "estimate", "standard_error").iter_rows())


def test_a_good_that_means_the_same_in_hs_2022_is_stored_in_its_own_revision(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    code, report, _ = imported(out, capsys, "comtrade", "h6/one_h6_one_h0.csv", *COMTRADE)
    assert (code, report["stored"], report["outside"], report["set_aside"]) == (0, 2, {}, {})
    assert lanes(out) == {("CHN", "JPN", "22", 50_000.0, 1.0), ("VNM", "JPN", "92", 50_000.0, 1.0)}


def test_a_wanted_good_in_a_revision_that_no_span_reaches_is_set_aside_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # 811211, unwrought beryllium, ended with HS 1996.
    text = (
        (CASES / "h6/one_h6_one_h0.csv").read_text(encoding="utf-8").replace(",H6,,,280530", ",H6,,,811211")
    )
    (tmp_path / "beryllium.csv").write_text(text, encoding="utf-8")
    code, report, _ = imported(tmp_path / "out", capsys, "comtrade", tmp_path / "beryllium.csv", *COMTRADE)
    assert (code, report["stored"]) == (10, 1)
    assert [("HS 2022 (H6)" in reason, count) for reason, count in report["set_aside"].items()] == [(True, 1)]


def test_a_zero_may_have_decimals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, report, _ = imported(tmp_path / "out", capsys, "comtrade", "floats/floats2.csv", *COMTRADE)
    assert (code, report["stored"]) == (0, 2)
    assert lanes(tmp_path / "out") == {
        ("CHN", "JPN", "92", 50_000.0, 1.0),
        ("VNM", "JPN", "92", 20_000.0, 0.5),
    }


def test_every_code_of_a_data_frame_may_have_decimals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (CASES / "floats/floats2.csv").read_text(encoding="utf-8")
    for whole, decimal in {
        ",2024,392,": ",2024.0,392.0,",
        ",156,": ",156.0,",
        ",704,": ",704.0,",
        ",280530,": ",280530.0,",
        ",8,": ",8.0,",
    }.items():
        assert whole in text
        text = text.replace(whole, decimal)
    (tmp_path / "all.csv").write_text(text, encoding="utf-8")
    code, report, _ = imported(tmp_path / "out", capsys, "comtrade", tmp_path / "all.csv", *COMTRADE)
    assert (code, report["stored"]) == (0, 2)


@pytest.mark.parametrize(
    ("source", "file", "options", "said"),
    [
        ("comtrade", "comtrade/empty.json", COMTRADE, "it has no entry"),
        ("comtrade", "h6.csv", COMTRADE, "HS 2022 (H6)"),
        ("baci", "BACI_HS92_Y2022_V202401.csv", BACI, "code outside the map"),
    ],
)
def test_an_import_that_stores_nothing_writes_nothing(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    source: str,
    file: str,
    options: tuple[str, ...],
    said: str,
) -> None:
    head, newer, _ = (CASES / "h6/one_h6_one_h0.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "h6.csv").write_text(head + newer.replace("280530", "811211"), encoding="utf-8")
    made = tmp_path / "BACI_HS92_Y2022_V202401.csv"
    made.write_text("t,i,j,k,v,q\n2022,156,842,010121,1.5,2\n", encoding="utf-8")
    path = CASES / file if (CASES / file).is_file() else tmp_path / file
    code, _, error = imported(tmp_path / "out", capsys, source, path, *options)
    assert code == 30
    assert "contains nothing that can be stored" in error
    assert said in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("file", ["BACI_HS92_V202401b_clean.zip", "BACI_HS92_V202401b_mac.zip"])
def test_what_macos_adds_to_an_archive_of_baci_is_ignored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str
) -> None:
    code, report, _ = imported(tmp_path / "out", capsys, "baci", f"maczip/{file}", *BACI)
    assert (code, report["stored"], report["rejected"]) == (0, 7, 0)


def test_what_macos_adds_to_an_archive_of_comtrade_is_ignored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = "maczip/TradeData_11_24_2026_1_1_1.zip"
    code, report, _ = imported(tmp_path / "out", capsys, "comtrade", file, "--as-of", "2026-11-27")
    assert (code, report["stored"], report["rejected"]) == (0, 2, 0)


PV = "political_stability"


@pytest.mark.parametrize(
    ("file", "code", "stored"),
    [
        ("nostderr", 0, {("CHN", 2024, PV, -0.44, None), ("NAM", 2024, PV, 0.51, None)}),
        ("emptystderr", 0, {("CHN", 2024, PV, -0.44, None), ("NAM", 2024, PV, 0.51, None)}),
        ("long_wb2023", 0, {("CHN", 2022, PV, -0.44, 0.2), ("NAM", 2022, PV, 0.5, 0.2)}),
        ("long_renamed_lower", 0, {("CHN", 2022, PV, -0.44, 0.2), ("NAM", 2022, PV, 0.5, 0.2)}),
        ("bundle2025", 0, {("CHN", 2023, PV, -0.5, 0.2)}),
        ("databank", 0, {("CHN", 2022, PV, -0.44, None), ("CHN", 2023, PV, -0.5, None)}),
        # ABC is not a country.
        (
            "wide_wb2022",
            10,
            {("CHN", 2021, PV, -0.48, 0.2), ("CHN", 2021, "voice_accountability", -1.6, 0.1)},
        ),
    ],
)
def test_the_layouts_of_the_world_bank(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, code: int, stored: set[tuple[Any, ...]]
) -> None:
    ended, report, _ = imported(tmp_path / "out", capsys, "wgi", f"wgi/{file}.csv", *WGI)
    assert (ended, report["stored"]) == (code, len(stored))
    assert estimates(tmp_path / "out") == stored


def test_databank_pairs_an_estimate_with_its_error_and_ends_with_notes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "databank.csv"
    path.write_text(
        "Country Name,Country Code,Series Name,Series Code,2022 [YR2022],2023 [YR2023]\n"
        "China,CHN,Political Stability: Estimate,GOV_WGI_PV.EST,-0.44,..\n"
        "China,CHN,Political Stability: Standard Error,GOV_WGI_PV.STD.ERR,0.2,..\n"
        "China,CHN,Political Stability: Number of Sources,GOV_WGI_PV.NO.SRC,8,8\n"
        ",,,,,\n"
        "Data from database: Worldwide Governance Indicators,,,,,\n"
        "Last Updated: 11/05/2025\n",
        encoding="utf-8",
    )
    code, report, _ = imported(tmp_path / "out", capsys, "wgi", path, *WGI)
    assert (code, report["stored"], report["rejected"]) == (0, 1, 0)
    assert estimates(tmp_path / "out") == {("CHN", 2022, PV, -0.44, 0.2)}


@pytest.mark.parametrize("source", ["wgi", "oecd", "csv", "iea", "usgs-mcs-2026"])
def test_a_workbook_that_is_none_is_called_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], source: str
) -> None:
    path = tmp_path / "table.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
    options = [] if source.startswith("usgs") else ["--release", "2025"]
    if source == "csv":
        mapping = tmp_path / "mapping.toml"
        row = 'source_id = "x"\npublisher = "x"\ntitle = "x"\npublished = 2025-01-01\nlicence = "x"\ngrade = "A"\n'
        mapping.write_text(
            f'table = "governance"\n[source]\n{row}[columns]\nyear = {{column = "year"}}\n', encoding="utf-8"
        )
        options = ["--mapping", str(mapping)]
    code, _, error = imported(tmp_path / "out", capsys, source, path, *options)
    assert code == 30
    assert "is a workbook" in error
    assert "JSON" in error if source == "iea" else "save it as CSV" in error
