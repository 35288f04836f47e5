"""BACI as CEPII ships it: quirks, refusals, and two hundred damaged files."""

from __future__ import annotations

import json
import random
import zipfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from jobs.cli import main
from jobs.facts.importing import import_file
from tests.warehouse.sources.mutate import torture
from warehouse.bundle.reading import read_bundles
from warehouse.errors import BundleError
from warehouse.sources import baci

SHARED = Path(__file__).parents[3].parent / "shared"
FACTS = Path(__file__).parents[3] / "warehouse" / "facts"
COUNTRIES = {"156": "CHN", "490": "TWN", "842": "USA", "392": "JPN", "104": "MMR"}
WANTED = baci.Wanted({"92": frozenset({"284690", "081110"})}, COUNTRIES, min_rows=1)
NAME = "BACI_HS92_Y2024_V202601.csv"
HEAD = "t,i,j,k,v,q\n"
ROW = "2024,104,156,284690,817835.388,44365.512\n"


def write(folder: Path, text: str, name: str = NAME) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_thousand_dollars_become_dollars_and_known_from_the_edition(tmp_path: Path) -> None:
    parsed = baci.parse(write(tmp_path, HEAD + ROW), WANTED)
    row = parsed.tables["trade"].row(0, named=True)
    assert (row["exporter"], row["importer"], row["hs6"], row["hs_revision"]) == (
        "MMR",
        "CHN",
        "284690",
        "92",
    )
    assert row["value_usd"] == pytest.approx(817_835_388)
    assert row["quantity_t"] == 44365.512
    assert row["known_from"] == date(2026, 1, 31)
    assert row["source_id"] == "baci-202601-hs92-import"


def test_taiwan_stands_as_490(tmp_path: Path) -> None:
    parsed = baci.parse(write(tmp_path, HEAD + "2024,490,842,284690,1.5,2\n"), WANTED)
    assert parsed.tables["trade"].get_column("exporter").to_list() == ["TWN"]


@pytest.mark.parametrize("quantity", ["", "NA", "   NA", "na"])
def test_unknown_quantity_is_empty_not_zero(tmp_path: Path, quantity: str) -> None:
    parsed = baci.parse(write(tmp_path, f"{HEAD}2024,156,842,284690,1.5,{quantity}\n"), WANTED)
    assert parsed.tables["trade"].get_column("quantity_t").to_list() == [None]
    assert not parsed.rejected


def test_padded_cells_and_lost_leading_zero(tmp_path: Path) -> None:
    parsed = baci.parse(write(tmp_path, HEAD + "2024, 156, 842, 81110,      1.5,   2.0\n"), WANTED)
    assert parsed.tables["trade"].get_column("hs6").to_list() == ["081110"]


def test_codes_with_decimals_are_the_codes(tmp_path: Path) -> None:
    parsed = baci.parse(write(tmp_path, HEAD + "2024.0,104.0,156.0,284690.0,1.5,2.0\n"), WANTED)
    assert parsed.tables["trade"].select("year", "exporter", "hs6").rows() == [(2024, "MMR", "284690")]
    assert not parsed.rejected


def test_other_goods_are_counted_outside(tmp_path: Path) -> None:
    parsed = baci.parse(write(tmp_path, HEAD + ROW + "2024,156,842,010121,1.5,2\n"), WANTED)
    assert (parsed.rows_in, parsed.outside) == (1, {"code outside the map": 1})


@pytest.mark.parametrize(
    ("row", "column", "value"),
    [
        ("2024,711,156,284690,1,1", "i", "711"),
        ("2024,104,,284690,1,1", "j", ""),
        ("2023,104,156,284690,1,1", "t", "2023"),
        ("2031,104,156,284690,1,1", "t", "2031"),
        ('2024,104,156,284690,"1,000.5",1', "v", "1,000.5"),
        ("2024,104,156,284690,-1,1", "v", "-1"),
        ("2024,104,156,284690,,1", "v", ""),
        ("2024,104,156,284690,1,many", "q", "many"),
        ("2024,104,156,284690,1,inf", "q", "inf"),
        ("2024,104,156,rare earths,1,1", "k", "rare earths"),
        (ROW.strip(), "k", "2024 104 156 284690"),
    ],
)
def test_a_bad_row_is_rejected_with_its_line(tmp_path: Path, row: str, column: str, value: str) -> None:
    second = "2024,156,842,284690,1,1\n"
    parsed = baci.parse(write(tmp_path, f"{HEAD}{ROW}{second}{row}\n"), WANTED)
    assert (parsed.tables["trade"].height, parsed.rows_in) == (2, 3)
    fault = parsed.rejected[0]
    assert (fault.file, fault.line, fault.column, fault.value) == (NAME, 4, column, value)


def test_archive_of_years(tmp_path: Path) -> None:
    path = tmp_path / "BACI_HS92_V202601.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("country_codes_V202601.csv", "country_code,country_name\n4,Afghanistan\n")
        archive.writestr(NAME, HEAD + ROW)
        archive.writestr(NAME.replace("2024", "2023"), HEAD + ROW.replace("2024", "2023"))
    parsed = baci.parse(path, WANTED)
    assert parsed.tables["trade"].get_column("year").to_list() == [2023, 2024]
    cut = tmp_path / "BACI_HS92_V202601_cut.zip"
    cut.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(BundleError, match="not a complete archive"):
        baci.parse(cut, WANTED)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html></html>\n", "web page"),
        ((HEAD + ROW).encode("utf-16"), "UTF-16"),
        ((HEAD + ROW)[:-4].encode(), "ends within a row"),
        (b"t,i,j,k,v\n2024,1,2,284690,1\n", "lacks column q"),
        (b"t;i;j;k;v;q\n2024;1;2;284690;1;1\n", "lacks column"),
        ((HEAD + "2024,104,156,284690,1,000.5,1\n").encode(), "thousands separators"),
        ((HEAD + "2024,4,8,284690,1,1\n").encode(), "cannot be used"),
        (HEAD.encode(), "outside 1 to"),
        ((HEAD + ROW).encode().replace(b"\n", b"\x00\n"), "zero bytes"),
    ],
)
def test_bad_files_are_refused_with_a_sentence(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / NAME
    path.write_bytes(content)
    with pytest.raises(BundleError, match=says) as caught:
        baci.parse(path, WANTED)
    assert str(caught.value).startswith(NAME)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("BACI_Y2024_V202601.csv", "HS revision"),
        ("BACI_HS17_Y2024_V202601.csv", "no code"),
        ("BACI_HS92_Y2024.csv", "--release"),
        ("BACI_HS92_Y2024_V202613.csv", "not a month"),
        ("BACI_HS92_V202601.txt", "neither"),
    ],
)
def test_a_name_that_says_too_little(tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(BundleError, match=says):
        baci.parse(write(tmp_path, HEAD + ROW, name), WANTED)


def test_half_its_rows_gone(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="outside 5,000 to"):
        baci.parse(write(tmp_path, HEAD + ROW), baci.Wanted(WANTED.codes, COUNTRIES))


def test_damaged_files_lose_nothing_in_silence(tmp_path: Path) -> None:
    draw = random.Random(0)
    # Forty rows with distinct keys: every pair of five countries, two codes.
    rows = [
        f"2024,{a},{b},{k},{draw.randint(1, 10**6) / 1000},{draw.randint(1, 10**6) / 1000}\n"
        for a in COUNTRIES
        for b in COUNTRIES
        if a != b
        for k in ("284690", "081110")
    ]
    wanted = baci.Wanted(WANTED.codes, COUNTRIES, min_rows=40)
    found = torture(lambda path: baci.parse(path, wanted), tmp_path / NAME, HEAD + "".join(rows))
    print(found.table())
    assert not found.broken


def test_bundle_stacks_on_the_embedded_one(tmp_path: Path) -> None:
    path = write(tmp_path, HEAD + ROW + "2024,711,156,284690,1,1\n")
    out = tmp_path / "bundle"
    with pytest.raises(BundleError, match="outside"):
        import_file("baci", path, out)
    assert not out.exists()
    done = import_file("baci", path, out, any_size=True)
    assert (done.tables, len(done.rejected), done.rows_in) == ({"trade": 1}, 1, 2)
    base = read_bundles([FACTS]).report.row_counts
    report = read_bundles([FACTS, out], strict=True).report
    assert report.row_counts["trade"] == base["trade"] + 1
    assert "711" in (out / "rejected-rows.txt").read_text(encoding="utf-8")


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, HEAD + ROW)
    given = ["facts", "import", "baci", "--file", str(path), "--out", str(tmp_path / "new"), "--any-size"]
    given += ["--as-of", "2026-11-23"]
    assert main([*given, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows_in"] == 1
    assert main(given) == 40
    assert "is not empty" in capsys.readouterr().err
    assert main(["facts", "import", "bacci", "--file", str(path), "--out", str(tmp_path / "x")]) == 40
    assert "did you mean 'baci'" in capsys.readouterr().err
    assert main(["facts", "import", "baci", "--file", "none.csv", "--out", str(tmp_path / "y")]) == 30


@pytest.mark.skipif(not (SHARED / "data" / "baci").is_dir(), reason="needs ../shared/data/baci")
def test_the_real_extract(tmp_path: Path) -> None:
    path = SHARED / "data" / "baci" / "baci_hs92_1995_2024.parquet"
    done = import_file("baci", path, tmp_path / "bundle", release="202601")
    assert done.rows_in == done.tables["trade"] + len(done.rejected)
    assert (
        done.rows_in + sum(done.outside.values()) == pl.scan_parquet(path).select(pl.len()).collect().item()
    )
    # Only dissolved countries are left out, and none of them traded in the years that are scored.
    assert {row.value for row in done.rejected} <= {"711", "58", "891", "736", "530", "849"}
