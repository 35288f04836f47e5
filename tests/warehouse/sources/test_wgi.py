"""World Bank governance indicators: quirks, refusals, the real file, and two hundred damaged ones."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from jobs.facts.importing import import_file
from tests.warehouse.sources.mutate import torture
from warehouse.bundle.reading import read_bundles
from warehouse.errors import BundleError
from warehouse.sources import wgi
from warehouse.sources.parsed import ParsedFile, Reading

SHARED = Path(__file__).parents[3].parent / "shared"
REAL = SHARED / "data" / "wgi" / "wgi_political_stability_1996_2024.csv"
FACTS = Path(__file__).parents[3] / "warehouse" / "facts"
READING = Reading(
    {"countries": pl.read_csv(FACTS / "countries.csv", infer_schema=False)}, release="2025", any_size=True
)
HEAD = "country,iso3,m49,year,estimate,stderr,numsrc,rank,lower,upper,normalized,indicator\n"
ROW = "China,CHN,156,2023,-0.5,0.2,9,28.3,10.0,40.0,0.6,PV\n"


def read(folder: Path, *rows: str, head: str = HEAD) -> ParsedFile:
    path = folder / "wgi.csv"
    path.write_text(head + "".join(rows), encoding="utf-8")
    return wgi.parse(path, READING)


def test_a_row_becomes_an_estimate_known_from_its_edition(tmp_path: Path) -> None:
    row = read(tmp_path, ROW).tables["governance"].row(0, named=True)
    assert (row["country"], row["year"], row["indicator"]) == ("CHN", 2023, "political_stability")
    assert (row["estimate"], row["standard_error"]) == (-0.5, 0.2)
    assert (row["source_id"], row["known_from"]) == ("wgi-2025-import", date(2025, 12, 31))


def test_rank_is_never_read(tmp_path: Path) -> None:
    percentile = read(tmp_path, ROW).tables["governance"]
    score = read(tmp_path, ROW.replace("28.3", "62.9")).tables["governance"]
    assert percentile.equals(score)


@pytest.mark.parametrize(
    ("code", "country"), [("ROM", "ROU"), ("ZAR", "COD"), ("TMP", "TLS"), ("KSV", "XKX")]
)
def test_codes_of_its_own(tmp_path: Path, code: str, country: str) -> None:
    parsed = read(tmp_path, ROW.replace("CHN", code))
    assert parsed.tables["governance"]["country"].to_list() == [country]


@pytest.mark.parametrize("unknown", ["", "NA", "..", "#N/A"])
def test_no_estimate_is_no_zero(tmp_path: Path, unknown: str) -> None:
    parsed = read(tmp_path, ROW, ROW.replace("2023", "2022").replace("-0.5", unknown))
    assert parsed.tables["governance"].height == 1
    assert parsed.outside == {"no estimate published": 1}


def test_a_missing_error_is_unknown(tmp_path: Path) -> None:
    parsed = read(tmp_path, ROW.replace(",0.2,", ",,"))
    assert parsed.tables["governance"]["standard_error"].to_list() == [None]


@pytest.mark.parametrize(
    ("edit", "column", "value"),
    [
        (("CHN", "ANT"), "iso3", "ANT"),
        (("2023", "2031"), "year", "2031"),
        (("2023", "1995"), "year", "1995"),
        (("-0.5", "-62.9"), "estimate", "-62.9"),
        (("-0.5", "inf"), "estimate", "inf"),
        ((",0.2,", ",0,"), "stderr", "0"),
        (("PV", "XX"), "indicator", "XX"),
    ],
)
def test_a_bad_row_is_rejected_with_its_line(
    tmp_path: Path, edit: tuple[str, str], column: str, value: str
) -> None:
    parsed = read(tmp_path, ROW.replace("CHN", "JPN"), ROW.replace("CHN", "DEU"), ROW.replace(*edit))
    assert (parsed.stored, parsed.rows_in) == (2, 3)
    fault = parsed.rejected[0]
    assert (fault.file, fault.line, fault.column, fault.value) == ("wgi.csv", 4, column, value)


def test_a_repeated_row_is_rejected(tmp_path: Path) -> None:
    parsed = read(tmp_path, ROW, ROW)
    assert (parsed.stored, [fault.line for fault in parsed.rejected]) == (1, [3])


def test_the_edition_must_be_named(tmp_path: Path) -> None:
    path = tmp_path / "wgi.csv"
    path.write_text(HEAD + ROW)
    with pytest.raises(BundleError, match="give --release YYYY"):
        wgi.parse(path, Reading(READING.tables, any_size=True))


def test_a_missing_column_is_named_with_its_neighbour(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="column 'stderr' is missing; did you mean 'std_err'"):
        read(tmp_path, ROW, head=HEAD.replace("stderr", "std_err"))


def test_two_hundred_damaged_files(tmp_path: Path) -> None:
    countries = ("CHN", "JPN", "DEU", "USA", "ZAR", "KOR", "FRA", "CHL")
    text = HEAD + "".join(
        ROW.replace("CHN", code).replace("2023", str(year))
        for code in countries
        for year in range(2015, 2025)
    )
    found = torture(lambda path: wgi.parse(path, READING), tmp_path / "wgi.csv", text)
    print(found.table())
    assert not found.broken


@pytest.mark.skipif(not REAL.exists(), reason="../shared is not here")
def test_the_real_file_is_accounted_for_and_gives_the_embedded_rows(tmp_path: Path) -> None:
    done = import_file("wgi", REAL, tmp_path / "wgi", release="2025")
    assert (done.rows_in, done.stored, len(done.rejected)) == (5391, 5291, 100)
    # Territories without a country row, and one economy that is no more.
    assert {row.value for row in done.rejected} == {"ANT", "JEY", "MTQ", "PUS", "R20", "REU"}
    facts = read_bundles([FACTS, tmp_path / "wgi"], strict=True).tables["governance"]
    key = ["country", "year", "indicator"]
    imported = facts.filter(source_id="wgi-2025-import").filter(pl.col("year") >= 2015)
    embedded = facts.filter(pl.col("source_id") != "wgi-2025-import")
    values = [*key, "estimate", "standard_error"]
    assert imported.select(values).sort(key).equals(embedded.select(values).sort(key))
