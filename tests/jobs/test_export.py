import errno
import hashlib
import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from jobs.errors import InputError, PublishError, SettingsError
from jobs.export.bands import BAND_COLOURS
from jobs.export.book import Selection, load_book, without_small
from jobs.export.columns import IMPORTERS, MEASURES, REASONS, RISK, SOURCES
from jobs.export.csv import csv_text, write_csv
from jobs.export.tables import MANIFEST, TableFormat, export_tables, whole_folder, write_manifest
from jobs.export.xlsx import write_book
from jobs.output.layout import Layout
from warehouse.database import Database

FORMATS = tuple(TableFormat)


@pytest.fixture(scope="module")
def reader(small_root: Path) -> Iterator[Database]:
    with Database.open(Layout(small_root).resolve_published().path, read_only=True) as database:
        yield database


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_text_that_starts_a_formula_is_made_text() -> None:
    frame = pl.DataFrame(
        {"text": ["=1+1", "+1", "-1", "@x", "\tx", "a=b", "", None], "number": [-1.5, 0, 1, 2, 3, 4, 5, None]}
    )
    assert csv_text(frame) == (
        "text,number\n'=1+1,-1.5\n'+1,0.0\n'-1,1.0\n'@x,2.0\n'\tx,3.0\na=b,4.0\n\"\",5.0\n,\n"
    )


def test_lists_dates_and_booleans_are_plain() -> None:
    frame = pl.DataFrame({"ids": [["a", "b"], []], "day": [date(2026, 11, 23), None], "flag": [True, None]})
    assert csv_text(frame) == 'ids,day,flag\n"[a, b]",2026-11-23,true\n[],,\n'


def test_rows_come_in_the_order_of_their_key(tmp_path: Path) -> None:
    with Database.open() as database:
        database.execute(
            "CREATE SCHEMA mart; CREATE TABLE mart.reconciliation AS SELECT * FROM (VALUES "
            "('tin', 'mined', 1), ('gallium', 'refined', 2), ('gallium', 'mined', 3)) t (mineral, stage, n);"
            "CREATE TABLE mart.waterfall_step AS SELECT * FROM (VALUES ('S1', 'x'), ('S0', 'y')) t (step, words)"
        )
        export_tables(database, tmp_path, FORMATS)
    by_key = [("gallium", "mined", 3), ("gallium", "refined", 2), ("tin", "mined", 1)]
    for name, rows in (("reconciliation", by_key), ("waterfall_step", [("S0", "y"), ("S1", "x")])):
        assert pl.read_parquet(tmp_path / f"{name}.parquet").rows() == rows
        assert pl.read_csv(tmp_path / f"{name}.csv").rows() == rows


def test_csv_reads_back_with_the_types_of_parquet(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "score": [1.5, None], "year": [2024, 2025], "day": [date(2026, 11, 28), None], "sure": [True, False],
            "hs6": [["811292"], ["284690", "280530"]], "flags": [[], None], "text": ["=1+1", "a, b"],
        },
        schema_overrides={"flags": pl.List(pl.String)},
    )  # fmt: skip
    path = tmp_path / "table.csv"
    write_csv([frame.head(1), frame.tail(1)], path)
    read = pl.read_csv(path, try_parse_dates=True, infer_schema_length=1)
    assert read.schema == frame.with_columns(pl.lit("").alias(name) for name in ("hs6", "flags")).schema
    assert read["hs6"].to_list() == ["[811292]", "[284690, 280530]"]
    assert read["flags"].to_list() == ["[]", None]
    with Database.open() as database:
        types = "{'hs6': 'VARCHAR[]', 'flags': 'VARCHAR[]'}"
        back = database.query(f"SELECT * FROM read_csv('{path}', types = {types})")
    assert back["hs6"].to_list() == frame["hs6"].to_list()
    assert back["flags"].to_list() == frame["flags"].to_list()


def test_a_sparse_column_shows_its_type_at_the_top_of_a_csv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.export.tables.ROWS_AT_ONCE", 70)
    with Database.open() as database:
        database.execute(
            "CREATE SCHEMA mart; CREATE TABLE mart.reconciliation AS "
            "SELECT format('{:04}', i) AS mineral, 'mined' AS stage, i AS n, if(i = 49, 0.5::DOUBLE, NULL) AS seen, "
            "if(i >= 250, i / 2, NULL) AS late, if(i >= 240 AND i <> 250, DATE '2026-11-28', NULL) AS day, "
            "NULL::DOUBLE AS never FROM range(300) t (i)"
        )
        export_tables(database, tmp_path, FORMATS)
    lines = (tmp_path / "reconciliation.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in lines[:4]] == ["mineral", "0240", "0250", "0000"]
    assert lines[52].startswith("0049,"), "not moved, and still in sight"
    read = pl.read_csv(tmp_path / "reconciliation.csv", try_parse_dates=True)
    parquet = pl.read_parquet(tmp_path / "reconciliation.parquet")
    assert read.drop("mineral", "never").schema == parquet.drop("mineral", "never").schema
    assert read["n"].to_list() == [240, 250, *(i for i in range(300) if i not in (240, 250))]
    assert read.sort("n").drop("mineral", "never").equals(parquet.drop("mineral", "never"))


def test_a_table_is_written_in_pieces_without_a_seam(
    reader: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, marts: dict[str, pl.DataFrame]
) -> None:
    export_tables(reader, tmp_path, (TableFormat.CSV,))
    whole = (tmp_path / "route_score.csv").read_bytes()
    monkeypatch.setattr("jobs.export.tables.ROWS_AT_ONCE", 7)
    assert marts["route_score"].height % 7, "the last piece is a short one"
    export_tables(reader, tmp_path, (TableFormat.CSV,))
    assert (tmp_path / "route_score.csv").read_bytes() == whole
    assert whole.count(b"\n") == marts["route_score"].height + 1


def test_the_same_file_gives_the_same_bytes(reader: Database, tmp_path: Path) -> None:
    sums = []
    for name in ("first", "second"):
        with whole_folder(tmp_path / name) as folder:
            export_tables(reader, folder, FORMATS)
            write_book(load_book(reader, Selection(importer="DEU")), folder / "book.xlsx")
            write_manifest(folder)
        sums.append(digests(tmp_path / name))
    assert sums[0] == sums[1]
    assert {"route_score.csv", "route_score.parquet", "calendar.csv", "book.xlsx", MANIFEST} <= set(sums[0])


def test_the_manifest_holds_the_sum_of_every_file(reader: Database, tmp_path: Path) -> None:
    with whole_folder(tmp_path / "out") as folder:
        export_tables(reader, folder, FORMATS)
        write_manifest(folder)
    listed = {
        entry["file"]: entry["sha256"]
        for entry in json.loads((tmp_path / "out" / MANIFEST).read_text())["files"]
    }
    assert listed == {name: value for name, value in digests(tmp_path / "out").items() if name != MANIFEST}


def test_parquet_keeps_types(reader: Database, tmp_path: Path, marts: dict[str, pl.DataFrame]) -> None:
    export_tables(reader, tmp_path, (TableFormat.PARQUET,))
    frame = pl.read_parquet(tmp_path / "route_score.parquet")
    assert frame.schema["as_of"] == pl.Date
    assert frame.height == marts["route_score"].height


def test_a_failed_export_leaves_the_old_files(tmp_path: Path) -> None:
    target = tmp_path / "exports" / "run"
    target.mkdir(parents=True)
    (target / "route_score.csv").write_text("old", encoding="utf-8")

    def export() -> None:
        with whole_folder(target) as folder:
            (folder / "route_score.csv").write_text("hal", encoding="utf-8")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(PublishError, match="disk is full"):
        export()
    assert (target / "route_score.csv").read_text(encoding="utf-8") == "old"
    assert [path.name for path in target.parent.iterdir()] == ["run"]


@pytest.fixture(scope="module")
def workbook(reader: Database, tmp_path_factory: pytest.TempPathFactory) -> "openpyxl.Workbook":
    path = tmp_path_factory.mktemp("book") / "book.xlsx"
    write_book(load_book(reader, Selection(importer="DEU")), path)
    return openpyxl.load_workbook(path)


@pytest.fixture(scope="module")
def top_workbook(reader: Database, tmp_path_factory: pytest.TempPathFactory) -> "openpyxl.Workbook":
    path = tmp_path_factory.mktemp("book") / "top.xlsx"
    write_book(load_book(reader, Selection(top=3)), path)
    return openpyxl.load_workbook(path)


def test_sheets_and_headers(workbook: "openpyxl.Workbook") -> None:
    assert workbook.sheetnames == ["README", "Importers", "Risk table", "Reasons", "Measures", "Sources"]
    for name, columns in (
        ("Importers", IMPORTERS),
        ("Risk table", RISK),
        ("Reasons", REASONS),
        ("Measures", MEASURES),
        ("Sources", SOURCES),
    ):
        assert [cell.value for cell in workbook[name][1]] == [column.header for column in columns]


def test_every_table_is_frozen_filtered_and_set_up_for_print(workbook: "openpyxl.Workbook") -> None:
    for name in ("Importers", "Risk table", "Reasons", "Measures", "Sources"):
        sheet = workbook[name]
        assert sheet.freeze_panes[1:] == "2", "the header stays"
        assert sheet.auto_filter.ref.startswith("A1:")
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.print_title_rows in {"$1:$1", "1:1"}
        assert not sheet.merged_cells.ranges


def test_the_book_leads_with_importers_and_money(published: Path) -> None:
    with Database.open(published, read_only=True) as reader:
        book = load_book(reader, Selection(top=20))
        whole = reader.query(
            "SELECT importer, expected_missing_usd FROM mart.exposure "
            "WHERE mineral = '*' AND stage = '*' AND regime = 'active' AND horizon_days = 365"
        )
    usd = book.risk["expected_missing_usd"].to_list()
    assert usd == sorted(usd, reverse=True)
    first = book.importers.unique("importer", keep="first", maintain_order=True)
    assert first["importer"].to_list() == ["USA", "EU27", "JPN", "KOR", "GBR", "IND"]
    assert set(first["mineral"]) == {"all minerals"}
    money = dict(whole.iter_rows())
    assert first["expected_missing_usd"].to_list() == [money[name] for name in first["importer"]]
    japan = book.importers.filter(importer="JPN")["expected_missing_usd"].to_list()
    assert japan[0] == pytest.approx(sum(japan[1:]), rel=1e-6)  # minerals below one dollar are left out


def column_of(sheet: "openpyxl.worksheet.worksheet.Worksheet", header: str) -> int:
    return [cell.value for cell in sheet[1]].index(header) + 1


def test_values_are_typed_and_bands_are_words_in_colour(workbook: "openpyxl.Workbook") -> None:
    sheet = workbook["Risk table"]
    assert [row[0].value for row in sheet.iter_rows(min_row=2)] == ["gallium", "gallium", "dysprosium"]
    score = sheet.cell(2, column_of(sheet, "Score (0–100)"))
    assert (score.value, score.number_format) == (45, "0.0")
    share = sheet.cell(2, column_of(sheet, "Expected missing (% of tonnes)"))
    assert share.value == pytest.approx(0.2025)
    assert share.number_format == "0.0%"
    day = sheet.cell(2, column_of(sheet, "Date of next event"))
    assert day.value == datetime(2026, 11, 28)  # noqa: DTZ001  (spreadsheets know no zones)
    assert day.number_format == "yyyy-mm-dd"
    band = sheet.cell(2, column_of(sheet, "Band"))
    assert band.value == "moderate"
    assert band.fill.fgColor.rgb == "FF" + BAND_COLOURS["moderate"][0].removeprefix("#")


def test_unknown_is_a_word_and_an_empty_score(workbook: "openpyxl.Workbook") -> None:
    sheet = workbook["Risk table"]
    row = next(row for row in sheet.iter_rows(min_row=2) if row[0].value == "dysprosium")
    assert row[column_of(sheet, "Band") - 1].value == "unknown"
    assert row[column_of(sheet, "Score (0–100)") - 1].value is None
    assert row[column_of(sheet, "Why unknown") - 1].value == "no pool can be formed"


def test_only_sources_carry_links_and_nothing_is_a_formula(top_workbook: "openpyxl.Workbook") -> None:
    for sheet in top_workbook:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f", f"{sheet.title} {cell.coordinate} is a formula"
                assert cell.hyperlink is None or sheet.title in {"Sources", "Risk table"}
    sources = top_workbook["Sources"]
    assert sources.cell(2, 4).hyperlink.target == "https://example.org/a"
    assert sources.cell(2, 3).value == '=HYPERLINK("x") notice 23'


def test_the_top_routes_carry_their_reason(top_workbook: "openpyxl.Workbook") -> None:
    sheet = top_workbook["Risk table"]
    assert [row[3].value for row in sheet.iter_rows(min_row=2)] == ["USA", "DEU", "DEU"]
    reason = sheet.cell(2, column_of(sheet, "Main reason")).value
    assert reason == "MOFCOM 23/2023 (in force) is expected to withhold 35 % of refined CHN → USA"
    reasons = top_workbook["Reasons"]
    points = [row[6].value for row in reasons.iter_rows(min_row=2) if row[3].value == "USA"]
    assert sum(points) == pytest.approx(55.0)


def test_readme_counts_the_bands(workbook: "openpyxl.Workbook") -> None:
    cells = {row[0].value: row[1].value for row in workbook["README"].iter_rows() if row[0].value}
    assert cells["As of"] == "2026-11-23"
    assert cells["moderate"].endswith("Routes here: 2")
    assert cells["unknown"].endswith("Routes here: 1")


def test_a_bloc_holds_the_routes_of_its_members(reader: Database) -> None:
    for written in ("EU27", "EU", "eu"):
        book = load_book(reader, Selection(importer=written))
        assert set(book.risk["importer"]) == {"DEU", "FRA"}
        assert book.selection.file_name == "routes-EU27-365d.xlsx"


def test_small_lanes_are_left_out_of_the_top_and_counted(reader: Database) -> None:
    everything = load_book(reader, Selection(importer="DEU"))
    assert everything.left_out == ""
    with pytest.raises(InputError, match=r"5 routes worth less than 2,000,000 USD .* lower --min-usd"):
        load_book(reader, Selection(top=3, min_usd=2e6))


def test_the_main_reason_carries_its_link_and_small_terms_share_a_row(reader: Database) -> None:
    book = load_book(reader, Selection(top=1))
    assert book.risk["reason_url"].to_list() == ["https://example.org/a"]
    row = {**book.reasons.row(0, named=True), "step": "S4", "step_name": "alternatives", "rule_id": None}
    small = pl.DataFrame(
        [{**row, "points": points} for points in (0.01, -0.02, 3.0)], schema=book.reasons.schema
    )
    shown = without_small(small)
    assert shown["points"].to_list() == pytest.approx([3.0, -0.01])
    assert shown["sentence"].to_list()[1] == "And 2 smaller terms of this step together."


def test_an_importer_without_routes_is_refused_with_a_suggestion(reader: Database) -> None:
    with pytest.raises(SettingsError, match=r"unknown importer 'DUE'; did you mean 'DEU'"):
        load_book(reader, Selection(importer="DUE"))
    with pytest.raises(InputError, match="known: 90, 365, 1825"):
        load_book(reader, Selection(top=3, horizon_days=30))
