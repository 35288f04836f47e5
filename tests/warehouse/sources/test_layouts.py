"""Layouts as they are met: what clients, spreadsheets and older editions make of a publisher's file."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from tests.warehouse.sources.comtrade_rows import OLD_HEADER, READING, answer, months, record, table
from warehouse.bundle.files import read_table as read_csv
from warehouse.errors import BundleError
from warehouse.sources import baci, comtrade, mapped, wgi
from warehouse.sources.figures import is_unknown, number, with_point
from warehouse.sources.parsed import ParsedFile, Reading

FACTS = Path(__file__).parents[3] / "warehouse" / "facts"
GOOD, OTHER = record("842", "M", "156"), record("392", "M", "156", primaryValue="700")
PV = "political_stability"


def book(*sheets: tuple[str, Sequence[Any]]) -> bytes:
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink, {"in_memory": True}) as made:
        for name, rows in sheets:
            sheet = made.add_worksheet(name)
            for place, row in enumerate(rows):
                sheet.write_row(place, 0, list(row))
    return sink.getvalue()


def rows_of(*records: dict[str, str]) -> list[list[str]]:
    return [list(records[0]), *(list(row.values()) for row in records)]


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).replace(
        "_i_s_o", "_iso"
    )


def old_record(**other: object) -> dict[str, object]:
    return {
        "pfCode": "H0", "yr": 2023, "period": 2023, "periodDesc": "2023", "aggrLevel": 6, "IsLeaf": 1, "rgCode": 1,
        "rgDesc": "Import", "rtCode": 842, "rtTitle": "USA", "rt3ISO": "USA", "ptCode": 156, "ptTitle": "China",
        "pt3ISO": "CHN", "ptCode2": None, "ptTitle2": "", "pt3ISO2": "", "cstCode": "", "motCode": "",
        "cmdCode": "284690", "cmdDescE": "Compounds", "qtCode": 8, "qtDesc": "kg", "TradeQuantity": 12500,
        "NetWeight": 12500, "GrossWeight": None, "TradeValue": 50000.5, "CIFValue": None, "FOBValue": None, "estCode": 0,
    } | other  # fmt: skip


COMTRADE: dict[str, tuple[str, str | bytes, int]] = {
    "snake case, as comtradr writes it": (
        "a.csv", table({snake(name): cell for name, cell in GOOD.items()}), 1),
    "upper case and blanks in the names": ("a.csv", table(GOOD).replace("cmdCode", "CMD Code"), 1),
    "semicolons": ("a.csv", table(GOOD, OTHER, separator=";"), 2),
    "semicolons and decimal commas": ("a.csv", table(GOOD, separator=";").replace("50000.5", "50000,5"), 1),
    "tabs": ("a.txt", table(GOOD, OTHER, separator="\t"), 2),
    "records of a data frame": ("a.json", json.dumps([GOOD, OTHER]), 2),
    "records in which an unknown is NaN": (
        "a.json", json.dumps([GOOD | {"netWgt": float("nan"), "qty": float("nan")}]), 1),
    "records with floating codes": ("a.json", json.dumps([GOOD | {"reporterCode": 842.0, "period": 2023.0}]), 1),
    "an answer of the interface": ("a.json", answer(GOOD, OTHER), 2),
    "an answer of the interface before 2023": (
        "a.json", json.dumps({"validation": {"count": {"value": 1}}, "dataset": [old_record()]}), 1),
    "a workbook": ("a.xlsx", book(("Sheet1", rows_of(GOOD, OTHER))), 2),
    "a workbook with a cover sheet and a title": (
        "a.xlsx", book(("Notes", [["UN Comtrade"]]), ("Data", [["Exported"], [], *rows_of(GOOD)])), 1),
    "a byte order mark and Windows line ends": ("a.csv", "\ufeff" + table(GOOD, end="\r\n"), 1),
    "a table before 2023 with floating codes": (
        "a.csv",
        table(dict.fromkeys(OLD_HEADER, "") | {
            "Classification": "H0", "Year": "2023", "Period": "2023.0", "Trade Flow Code": "1.0",
            "Reporter Code": "842.0", "Partner Code": "156.0", "Commodity Code": "284690.0",
            "Netweight (kg)": "12500.0", "Trade Value (US$)": "50000.5", "Flag": "0.0"}),
        1,
    ),
    "twelve months": ("a.csv", table(*months("842", "M", "156")), 12),
}  # fmt: skip


@pytest.mark.parametrize("name", COMTRADE)
def test_layouts_of_comtrade(tmp_path: Path, name: str) -> None:
    file, content, stored = COMTRADE[name]
    path = tmp_path / file
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    parsed = comtrade.parse(path, Reading(READING.tables, "202611", any_size=True))
    assert (parsed.stored, parsed.rejected, parsed.set_aside) == (stored, [], {})
    first = parsed.tables["trade"].filter(importer="USA").row(0, named=True)
    times = 12 if name == "twelve months" else 1
    tonnes = None if "NaN" in name else 12.5 * times
    assert (first["exporter"], first["value_usd"], first["quantity_t"]) == ("CHN", 50000.5 * times, tonnes)


WGI_ROWS = [["iso3", "year", "indicator", "estimate", "stderr"], ["CHN", 2022, "pv", -0.44, 0.2]]
OLD_WGI = [
    ["Political Stability and Absence of Violence/Terrorism"],
    [],
    ["", "", 2021, "", "", 2022, "", ""],
    ["Country/Territory", "Code", "Estimate", "StdErr", "NumSrc", "Estimate", "StdErr", "NumSrc"],
    ["China", "CHN", -0.48, 0.2, 8, -0.44, 0.2, 8],
    ["Namibia", "NAM", "#N/A", "#N/A", "#N/A", 0.5, "#N/A", 3],
]
WGI: dict[str, tuple[bytes, set[tuple[object, ...]]]] = {
    "a workbook of the long layout": (book(("Sheet1", WGI_ROWS)), {("CHN", 2022, PV, -0.44, 0.2)}),
    "a workbook with a title above": (book(("WGI", [["Governance"], ["2023"], *WGI_ROWS])), {("CHN", 2022, PV, -0.44, 0.2)}),
    "a sheet per indicator and two rows of heads": (
        book(("Introduction", [["Notes"]]), ("Political StabilityNoViolence", OLD_WGI)),
        {("CHN", 2021, PV, -0.48, 0.2), ("CHN", 2022, PV, -0.44, 0.2), ("NAM", 2022, PV, 0.5, None)},
    ),
    "several such sheets": (
        book(("RuleofLaw", OLD_WGI[:4] + OLD_WGI[4:5]), ("ControlofCorruption", OLD_WGI[:4] + OLD_WGI[4:5])),
        {("CHN", year, name, value, 0.2) for name in ("rule_of_law", "control_of_corruption")
         for year, value in ((2021, -0.48), (2022, -0.44))},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WGI)
def test_workbooks_of_the_governance_indicators(tmp_path: Path, name: str) -> None:
    content, stored = WGI[name]
    path = tmp_path / "wgidataset.xlsx"
    path.write_bytes(content)
    parsed = wgi.parse(
        path, Reading({"countries": read_csv(FACTS / "countries.csv", "").frame}, "2023", any_size=True)
    )
    found = parsed.tables["governance"].select("country", "year", "indicator", "estimate", "standard_error")
    assert (set(found.iter_rows()), parsed.rejected) == (stored, [])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (book(("Cover", [["World Bank"]]), ("Notes", [["a"]])), "its sheets are Cover, Notes"),
        (b"PK\x03\x04 cut off", "cannot be read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "cannot be read"),
    ],
)
def test_a_workbook_without_such_a_table_says_what_it_has(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "wgi.xlsx"
    path.write_bytes(content)
    with pytest.raises(BundleError, match=says):
        wgi.parse(
            path, Reading({"countries": read_csv(FACTS / "countries.csv", "").frame}, "2023", any_size=True)
        )


def test_a_workbook_under_another_name_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "wgi.csv"
    path.write_bytes(book(("Sheet1", WGI_ROWS)))
    parsed = wgi.parse(
        path, Reading({"countries": read_csv(FACTS / "countries.csv", "").frame}, "2023", any_size=True)
    )
    assert parsed.stored == 1


def by_mapping(path: Path, columns: str, file: str = "", skip: str = "") -> ParsedFile:
    text = (
        'table = "production"\n[source]\nsource_id = "survey"\npublisher = "Survey"\ntitle = "Output"\n'
        f'published = 2025-11-30\nlicence = "x"\ngrade = "B"\n[file]\n{file}\n[skip]\n{skip}\n[columns]\n'
        'mineral = {value = "lithium"}\nstage = {value = "mined"}\nqualifier = {value = "reported"}\n'
        + columns
    )
    tables = {name: read_csv(FACTS / f"{name}.csv", "").frame for name in ("minerals", "chains", "countries")}
    return mapped.parse(path, Reading(tables, mapping=text))


def test_world_mining_data_by_a_mapping(tmp_path: Path) -> None:
    """Its workbook has a sheet per commodity: a title, then countries with a column per year; unknown is empty or n.a."""
    path = tmp_path / "wmd.xlsx"
    rows = [["Lithium (Li2O)"], ["Country", "unit", 2022, 2023, "data source"], ["Chile", "metr. t", 84000, 92000, "r"],
            ["Portugal", "metr. t", "n.a.", 380, "e"], ["Total", "metr. t", 84000, 92380, ""]]  # fmt: skip
    path.write_bytes(
        book(
            ("Iron (Fe)", [["Iron"], ["Country", "unit", 2022, 2023], ["Chile", "t", 1, 1]]),
            ("Lithium", rows),
        )
    )
    columns = (
        'country = {column = "Country", words = {Chile = "CHL", Portugal = "PRT"}}\nyear = {value = 2022}\n'
        'production_t = {column = "2022", factor = 0.464}\nvintage = {value = "2025"}\n'
    )
    parsed = by_mapping(path, columns, 'sheet = "Lithium"', 'Country = ["Total"]')
    assert parsed.rejected == []
    assert parsed.outside == {"left out by the mapping": 1, "no figure published": 1}
    assert parsed.tables["production"].select("country", "production_t_best").rows() == [
        ("CHL", pytest.approx(38976))
    ]


def test_a_world_table_of_the_usgs_before_2025_by_a_mapping(tmp_path: Path) -> None:
    """Until 2024 a file per commodity, with two years side by side and W for what is withheld."""
    path = tmp_path / "mcs2024-lithi_world.csv"
    path.write_text(
        "Source,Country,Type,Prod_t_2022,Prod_t_est_2023,Prod_notes,Reserves_t\n"
        'MCS2024,Chile,"Mine production, lithium content",38000,44000,,9300000\n'
        'MCS2024,United States,"Mine production, lithium content",W,W,,1100000\n'
        'MCS2024,World total (rounded),"Mine production, lithium content",146000,180000,,28000000\n',
        encoding="utf-8",
    )
    columns = (
        'country = {column = "Country", words = {Chile = "CHL", "United States" = "USA"}}\nyear = {value = 2022}\n'
        'production_t = {column = "Prod_t_2022", factor = 1}\nvintage = {value = "MCS2024"}\n'
    )
    parsed = by_mapping(path, columns, 'unknown = ["", "W", "NA"]', 'Country = ["World total (rounded)"]')
    assert parsed.tables["production"].select("country", "production_t_best").rows() == [("CHL", 38000.0)]
    assert parsed.outside == {"left out by the mapping": 1, "no figure published": 1}


def test_an_archive_of_baci_with_foreign_members_and_words_for_the_unknown(tmp_path: Path) -> None:
    path = tmp_path / "BACI_HS92_V202601.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "BACI_HS92_Y2023_V202601.csv",
            "t,i,j,k,v,q\n2023,156,842,284690,5,NaN\n2023,156,392,284690,5, N/A\n",
        )
        archive.writestr("__MACOSX/._BACI_HS92_Y2023_V202601.csv", "\x00\x05\x16\x07")
        archive.writestr("Thumbs.db", "\x00")
        archive.writestr("country_codes_V202601.csv", "country_code,country_name\n156,China\n")
    wanted = baci.Wanted(
        {"92": frozenset({"284690"})}, {"156": "CHN", "842": "USA", "392": "JPN"}, min_rows=0
    )
    parsed = baci.parse(path, wanted)
    assert (parsed.stored, parsed.rejected) == (2, [])
    assert parsed.tables["trade"]["quantity_t"].to_list() == [None, None]


@pytest.mark.parametrize(
    "word", ["", "NA", "n/a", "N.A.", "..", "...", "NaN", "null", "#N/A", "-", "–", "—", ":"]
)
def test_words_for_the_unknown_are_the_same_everywhere(word: str) -> None:
    assert is_unknown(word)
    assert is_unknown(f" {word} ")


@pytest.mark.parametrize(
    ("written", "read"),
    [("8.0", 8.0), ("1e3", 1000.0), (".5", 0.5), ("1,000", None), ("1 000", None), ("inf", None), ("1e999", None),
     ("٣", None), ("0x10", None), ("1_000", None)],
)  # fmt: skip
def test_a_figure_is_read_one_way(written: str, read: float | None) -> None:
    assert number(written) == read


def test_a_decimal_comma_is_taken_where_semicolons_part() -> None:
    assert [with_point(cell) for cell in ("1250,5", "-3,25", "1,250,5", "a,5", "12")] == [
        "1250.5", "-3.25", "1,250,5", "a,5", "12"]  # fmt: skip


def test_a_good_of_hs_2022_that_stayed_is_mapped_without_what_left() -> None:
    """811292 of HS 2022 holds what 811292 of HS 2017 did, less hafnium and rhenium, and its shares add up to the rest."""
    codes = read_csv(FACTS / "hs_codes.csv", "").frame.filter(
        hs6="811292", exporter="*", importer="*", share_of="weight"
    )
    new = {
        row["mineral"]: float(row["share_best"])
        for row in codes.filter(hs_revision="22").iter_rows(named=True)
    }
    old = {
        row["mineral"]: float(row["share_best"])
        for row in codes.filter(hs_revision="17").iter_rows(named=True)
    }
    assert set(old) - set(new) == {"hafnium", "rhenium"}
    gone = old["hafnium"] + old["rhenium"]
    assert new["gallium"] == pytest.approx(old["gallium"] / (1 - gone), rel=1e-5)
    assert sum(new.values()) == pytest.approx(1, abs=1e-3)


def test_days_in_a_workbook_are_days(tmp_path: Path) -> None:
    from warehouse.sources.workbook import sheets

    path = tmp_path / "days.xlsx"
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as made:
        sheet = made.add_worksheet("a")
        sheet.write_row(0, 0, ["day", date(2025, 4, 4), 8.0, 0.25, True])
    path.write_bytes(sink.getvalue())
    assert next(iter(sheets(path))).rows == [["day", "2025-04-04", "8", "0.25", "true"]]
