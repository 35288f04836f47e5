"""Any CSV by a mapping: what it turns into, what it refuses, and two hundred damaged files."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from jobs.cli import main
from jobs.resources import facts_template
from tests.warehouse.sources.mutate import torture
from warehouse.errors import BundleError
from warehouse.sources import mapped
from warehouse.sources.parsed import ParsedFile, Reading

FACTS = Path(__file__).parents[3] / "warehouse" / "facts"
TABLES = {name: pl.read_csv(FACTS / f"{name}.csv", infer_schema=False) for name in ("countries", "minerals")}
HEAD = "Country;Year;Output (thousand t);Remark\n"
ROW = "Chile;2024;1.234,5;quoted\n"
PLAIN = """
table = "production"
source = {source_id = "survey", publisher = "S", title = "T", published = 2025-11-30, licence = "free", grade = "A"}
[columns]
mineral = {value = "tin"}
stage = {value = "mined"}
country = {column = "iso3"}
year = {column = "year"}
production_t = {column = "t", factor = 1}
qualifier = {value = "reported"}
"""


def read(folder: Path, text: str, mapping: str = "") -> ParsedFile:
    path = folder / "output.csv"
    path.write_bytes(text.encode("cp1252"))
    return mapped.parse(path, Reading(TABLES, mapping=mapping or facts_template("mapping")))


def test_the_template_reads_a_file_with_commas_and_thousand_tonnes(tmp_path: Path) -> None:
    parsed = read(tmp_path, HEAD + ROW + "Congo (Kinshasa);2024;7;\n")
    rows = parsed.tables["production"].sort("country")
    assert rows["country"].to_list() == ["CHL", "COD"]
    assert rows.row(0, named=True) == {
        "mineral": "lithium",
        "stage": "mined",
        "country": "CHL",
        "year": 2024,
        "production_t_low": 1_234_500.0,
        "production_t_best": 1_234_500.0,
        "production_t_high": 1_234_500.0,
        "qualifier": "reported",
        "vintage": "2025",
        "form": None,
        "note": None,
        "source_id": "example-survey-2025",
        "known_from": date(2025, 11, 30),
    }
    assert parsed.tables["sources"].row(0, named=True)["grade"] == "A"


@pytest.mark.parametrize("unknown", ["", "NA", "W", "—"])
def test_no_figure_is_no_zero(tmp_path: Path, unknown: str) -> None:
    parsed = read(tmp_path, HEAD + ROW + f"Congo (Kinshasa);2024;{unknown};\n")
    assert parsed.tables["production"]["country"].to_list() == ["CHL"]
    assert parsed.outside == {"no figure published": 1}


def test_rows_that_the_mapping_leaves_out_are_counted(tmp_path: Path) -> None:
    parsed = read(tmp_path, HEAD + ROW + "World total;2024;99;\n")
    assert (parsed.stored, parsed.outside) == (1, {"left out by the mapping": 1})


@pytest.mark.parametrize(
    ("row", "column", "value", "message"),
    [
        ("Chle;2024;1;", "country", "Chle", "is not written as it must be here"),
        ("CHX;2024;1;", "country", "CHX", "is in no row of countries"),
        ("Congo (Kinshasa);2024;1,234.5;", "Output (thousand t)", "1,234.5", "with ',' as decimal mark"),
        ("Congo (Kinshasa);24;1;", "year", "24", "is below 1900"),
        ("Congo (Kinshasa);2024;-1;", "production_t_low", "-1000.0", "is below 0"),
        ("Chile;2024;2;", "mineral", "lithium", "repeats the key"),
        ("Chile;2023", "", "Chile,2023", "has 2 cells where the header has 4"),
    ],
)
def test_a_bad_row_is_rejected_with_its_line(
    tmp_path: Path, row: str, column: str, value: str, message: str
) -> None:
    parsed = read(tmp_path, HEAD + ROW + "Congo (Kinshasa);2022;1;\n" + row + "\n")
    assert (parsed.stored, parsed.rows_in) == (2, 3)
    fault = parsed.rejected[0]
    assert (fault.file, fault.line, fault.column, fault.value) == ("output.csv", 4, column, value)
    assert message in fault.reason


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (("table = ", "tabel = "), "table: Field required"),
        (('"production"', '"produktion"'), "is not a fact table; did you mean 'production'"),
        (("qualifier =", "qualifyer ="), "is not a column of production to map; did you mean 'qualifier'"),
        (("factor = 1", 'factor = "many"'), "factor"),
        (('{value = "tin"}', "{}"), "takes either column or value"),
        (('{value = "tin"}', '{value = "tin", factor = 2}'), "have nothing to do"),
        (('grade = "A"', 'grade = "E"'), "source.grade"),
        (("[columns]", "[columns"), "is not TOML"),
        (('column = "t"', 'column = "tonnes"'), "column 'tonnes' is missing"),
        (("[columns]", '[file]\nencoding = "klingon"\n[columns]'), "file.encoding 'klingon' is not known"),
    ],
)
def test_a_mapping_that_is_wrong(tmp_path: Path, edit: tuple[str, str], message: str) -> None:
    with pytest.raises(BundleError) as problem:
        read(tmp_path, "iso3,year,t\nCHN,2024,5\n", PLAIN.replace(*edit))
    assert message in str(problem.value)


def test_two_hundred_damaged_files(tmp_path: Path) -> None:
    countries = ("CHN", "IDN", "PER", "BOL", "BRA", "AUS", "RUS", "VNM")
    rows = [f"{code},{year},{1000 + year}.5\n" for code in countries for year in range(2015, 2025)]
    reading = Reading(TABLES, mapping=PLAIN)
    found = torture(
        lambda path: mapped.parse(path, reading), tmp_path / "output.csv", "iso3,year,t\n" + "".join(rows)
    )
    print(found.table())
    assert not found.broken


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["facts", "template", "mapping"]) == 0
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(capsys.readouterr().out, encoding="utf-8")
    (tmp_path / "output.csv").write_bytes((HEAD + ROW).encode("cp1252"))
    given = ["facts", "import", "csv", "--file", str(tmp_path / "output.csv"), "--out", str(tmp_path / "new")]
    assert main(given) == 40
    assert "--mapping" in capsys.readouterr().err
    assert main([*given, "--mapping", str(mapping)]) == 0
    assert main(["facts", "check", str(tmp_path / "new"), "--strict"]) == 0
    assert "0 faults" in capsys.readouterr().out
    assert main(["facts", "template", "maping"]) == 40


@pytest.mark.parametrize("written", ["1250", "1250.0", "1250.", "1.25E+03"])
def test_a_number_may_be_written_in_every_way_of_a_data_frame(tmp_path: Path, written: str) -> None:
    parsed = read(tmp_path, f"iso3,year,t\nCHL,2024.0,{written}\n", PLAIN)
    assert parsed.tables["production"].select("year", "production_t_best").rows() == [(2024, 1250.0)]
