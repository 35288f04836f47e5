"""Monthly trade: UN Comtrade and China's customs, kept beside the years and never added to them."""

from __future__ import annotations

import gzip
import io
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter

from jobs.facts.importing import import_file, read_map
from tests.warehouse.sources.comtrade_rows import READING, months, record, table
from warehouse.errors import BundleError
from warehouse.sources import comtrade_months, gacc
from warehouse.sources.parsed import ParsedFile, Reading

NAME = "TradeData_11_24_2026_10_30_9.csv"


def monthly(folder: Path, *rows: dict[str, str], name: str = NAME, **shape: str) -> ParsedFile:
    path = folder / name
    path.write_text(table(*rows, **shape), encoding="utf-8")
    return comtrade_months.parse(path, READING)


def test_a_month_of_a_lane_says_who_reports_it(tmp_path: Path) -> None:
    parsed = monthly(
        tmp_path,
        *months("842", "M", "156", 1),
        *months("156", "X", "842", 1, primaryValue="47000", netWgt="12000"),
    )
    wanted = (
        "month",
        "exporter",
        "importer",
        "code",
        "hs_revision",
        "reported_by",
        "value_usd",
        "quantity_t",
    )
    assert parsed.tables["trade_months"].select(wanted).rows() == [
        (date(2023, 1, 1), "CHN", "USA", "284690", "92", "exporter", 47000.0, 12.0),
        (date(2023, 1, 1), "CHN", "USA", "284690", "92", "importer", 50000.5, 12.5),
    ]
    assert parsed.source_id.startswith("comtrade-months-20261124-")
    assert (parsed.rows_in, parsed.stored, parsed.rejected, parsed.outside) == (2, 2, [], {})


def test_years_are_left_to_the_other_source_and_never_added(tmp_path: Path) -> None:
    parsed = monthly(tmp_path, *months("842", "M", "156"), record("842", "M", "156"))
    assert parsed.tables["trade_months"].height == 12
    assert parsed.outside == {"a whole year; the source comtrade reads years": 1}


def test_the_total_of_an_exporter_is_kept_and_that_of_an_importer_is_a_sum(tmp_path: Path) -> None:
    parsed = monthly(tmp_path, *months("156", "X", "0", 1), *months("842", "M", "0", 1))
    assert parsed.tables["trade_months"].select("exporter", "importer").rows() == [("CHN", "WLD")]
    assert parsed.outside == {"imports from the world: the sum of all": 1}


@pytest.mark.parametrize(
    ("other", "left", "column"),
    [
        ({"cmdCode": "010121"}, "outside the map", ""),
        ({"classificationCode": "H6"}, "outside the map in its revision", ""),
        ({"flowCode": "RX"}, "part of a flow", ""),
        ({"partner2Code": "344"}, "part of a total", ""),
        ({"partnerCode": "899", "partnerISO": "_X "}, "an area", ""),
        ({"typeCode": "S"}, "services", ""),
        ({"partnerCode": "711", "partnerISO": "ZA1"}, "", "partnerCode"),
        ({"primaryValue": ""}, "", "primaryValue"),
        ({"primaryValue": "1,000"}, "", "primaryValue"),
        ({"primaryValue": "-1"}, "", "primaryValue"),
        ({"netWgt": "heavy"}, "", "netWgt"),
        ({"period": "202313"}, "", "period"),
        ({"period": "203001"}, "", "period"),
    ],
)
def test_what_is_not_stored_is_accounted_for(
    tmp_path: Path, other: dict[str, str], left: str, column: str
) -> None:
    good = months("842", "M", "156", 3)
    quoted = {name: f'"{cell}"' if "," in cell else cell for name, cell in other.items()}
    parsed = monthly(
        tmp_path,
        *good,
        *months("392", "M", "156", 1, **quoted)
        if "period" not in other
        else [record("392", "M", "156", **other)],
    )
    assert parsed.stored == 3
    assert [column] * bool(column) == [row.column for row in parsed.rejected]
    assert [row.line for row in parsed.rejected] == [5] * bool(column)
    assert (left in next(iter(parsed.outside), "")) == bool(left) or not left


def test_an_estimated_weight_is_unknown_and_a_repeated_row_is_rejected(tmp_path: Path) -> None:
    guessed = months("842", "M", "156", 1, isNetWgtEstimated="true", isQtyEstimated="true")
    parsed = monthly(tmp_path, *guessed, *guessed, *months("392", "M", "156", 1))
    assert parsed.tables["trade_months"]["quantity_t"].to_list() == [12.5, None]
    assert parsed.left_empty == {"no tonnes: nobody weighed them": 1}
    assert ["repeats" in row.reason for row in parsed.rejected] == [True]


def test_layouts_of_clients_are_read(tmp_path: Path) -> None:
    rows = months("842", "M", "156", 2)
    floats = [
        row | {"period": row["period"] + ".0", "reporterCode": "842.0", "cmdCode": "284690.0"} for row in rows
    ]
    assert monthly(tmp_path, *floats, separator=";").stored == 2
    path = tmp_path / "COMTRADE-FINAL-CM202301[2026-11-24].gz"
    path.write_bytes(gzip.compress(table(*rows, separator="\t").encode()))
    assert comtrade_months.parse(path, READING).stored == 2


def test_a_bundle_of_months_validates(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_text(table(*months("842", "M", "156")), encoding="utf-8")
    done = import_file("comtrade-months", path, tmp_path / "out", any_size=True)
    assert (done.stored, done.tables) == (12, {"trade_months": 12})


HEAD = "数据年月,商品编码,商品名称,贸易伙伴编码,贸易伙伴名称,第一数量,第一计量单位,第二数量,第二计量单位,美元"
LANE = '202504,85051110,稀土永磁铁,502,美国,"301,000",千克,,,"12,345,678"'


def customs(folder: Path, text: str, name: str = "出口_202504.csv", encoding: str = "gb18030") -> ParsedFile:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return gacc.parse(path, Reading(read_map(), "202505", any_size=True))


def test_a_table_of_chinas_customs_in_its_own_encoding(tmp_path: Path) -> None:
    parsed = customs(tmp_path, f"{HEAD}\n{LANE}\n")
    row = parsed.tables["trade_months"].row(0, named=True)
    assert (row["month"], row["exporter"], row["importer"], row["code"], row["hs_revision"]) == (
        date(2025, 4, 1), "CHN", "USA", "85051110", "22")  # fmt: skip
    assert (row["quantity_t"], row["value_usd"], row["reported_by"]) == (301.0, 12345678.0, "exporter")


def test_parts_of_one_lane_are_summed_and_an_unknown_part_makes_the_sum_unknown(tmp_path: Path) -> None:
    other = LANE.replace("301,000", "1,000")
    unknown = LANE.replace("502,美国", "116,日本").replace('"301,000"', "-")
    known = LANE.replace("502,美国", "116,日本")
    parsed = customs(tmp_path, f"{HEAD}\n{LANE}\n{other}\n{unknown}\n{known}\n")
    found = parsed.tables["trade_months"]
    assert found.select("importer", "quantity_t").rows() == [("JPN", None), ("USA", 302.0)]
    assert parsed.stored == 4


def test_a_workbook_with_merged_heads_and_cells(tmp_path: Path) -> None:
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink, {"in_memory": True}) as made:
        sheet = made.add_worksheet("Sheet1")
        sheet.merge_range(0, 0, 0, 6, "China Customs Statistics")
        head = [
            "Date of data",
            "Commodity code",
            "Trading partner code",
            "Trading partner",
            "First Quantity",
            "First Unit",
            "US dollar",
        ]
        sheet.write_row(2, 0, head)
        sheet.merge_range(3, 0, 4, 0, "202504")
        sheet.merge_range(3, 1, 4, 1, "85051110")
        sheet.write_row(3, 2, [304, "Germany", 764000, "kg", 1000])
        sheet.write_row(4, 2, [502, "United States", 353000, "kg", 900])
    path = tmp_path / "export 2025.xlsx"
    path.write_bytes(sink.getvalue())
    parsed = gacc.parse(path, Reading(read_map(), "202505", any_size=True))
    found = parsed.tables["trade_months"].select("month", "importer", "quantity_t").rows()
    assert found == [(date(2025, 4, 1), "DEU", 764.0), (date(2025, 4, 1), "USA", 353.0)]


@pytest.mark.parametrize(
    ("edit", "column"),
    [
        (("202504", "202513"), "month"),
        (("202504", "203001"), "month"),
        (("85051110", "8505111"), "code"),
        (("502,美国", "999,火星"), "partner"),
        (('"12,345,678"', '"12,34,5"'), "value"),
        (('"301,000"', "many"), "quantity"),
    ],
)
def test_a_bad_row_of_customs_is_rejected_by_its_column(
    tmp_path: Path, edit: tuple[str, str], column: str
) -> None:
    more = LANE.replace("502,美国", "304,德国")
    parsed = customs(tmp_path, f"{HEAD}\n{LANE}\n{more}\n{LANE.replace(*edit)}\n")
    assert (parsed.stored, [row.column for row in parsed.rejected]) == (2, [column])


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("table.csv", f"{HEAD}\n{LANE}\n", "exports or imports"),
        ("出口.csv", "a,b,c\n1,2,3\n", "lacks column"),
    ],
)
def test_a_table_that_says_too_little_is_refused(tmp_path: Path, name: str, text: str, says: str) -> None:
    with pytest.raises(BundleError, match=says):
        customs(tmp_path, text, name)
