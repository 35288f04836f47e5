"""UN Comtrade: which rows count once, which do not count, and what files look like."""

from __future__ import annotations

import gzip
import zipfile
from datetime import date
from pathlib import Path

import pytest

from jobs.facts.importing import import_file
from tests.warehouse.sources.comtrade_rows import (
    HEADER,
    OLD_HEADER,
    READING,
    answer,
    months,
    record,
    table,
)
from warehouse.bundle.reading import read_bundles
from warehouse.errors import BundleError
from warehouse.sources import comtrade
from warehouse.sources.parsed import ParsedFile, Reading

FACTS = Path(__file__).parents[3] / "warehouse" / "facts"
NAME = "TradeData_11_24_2026_10_30_9.csv"
GOOD = record("842", "M", "156")


def parse(folder: Path, *rows: dict[str, str], **shape: str) -> ParsedFile:
    path = folder / NAME
    path.write_text(table(*rows, **shape), encoding="utf-8")
    return comtrade.parse(path, READING)


def lanes(parsed: ParsedFile) -> list[tuple[object, ...]]:
    wanted = ("exporter", "importer", "value_usd", "quantity_t", "is_complete")
    return list(parsed.tables["trade"].select(wanted).iter_rows())


def test_an_import_as_the_importer_reports_it(tmp_path: Path) -> None:
    parsed = parse(tmp_path, GOOD)
    assert parsed.tables["trade"].row(0, named=True) == {
        "year": 2023,
        "exporter": "CHN",
        "importer": "USA",
        "hs6": "284690",
        "hs_revision": "92",
        "value_usd": 50000.5,
        "quantity_t": 12.5,
        "is_complete": True,
        "source_id": "comtrade-20261124-tradedata-11-24-2026-10-30-9-import",
        "known_from": date(2026, 11, 24),
    }
    assert (parsed.rows_in, parsed.stored, parsed.outside) == (1, 1, {})


def test_exports_only_where_the_importer_is_silent(tmp_path: Path) -> None:
    parsed = parse(
        tmp_path,
        record("842", "M", "156"),
        record("156", "X", "842", primaryValue="47000"),  # the same lane, seen from China
        record("490", "X", "842", primaryValue="9"),  # a lane of which the United States say nothing
        record("156", "X", "104", primaryValue="300"),  # Myanmar reports nothing
    )
    assert lanes(parsed) == [("CHN", "MMR", 300.0, 12.5, False), ("CHN", "USA", 50000.5, 12.5, True)]
    assert parsed.outside == {"exports to a country that reports its own imports": 2}


def test_a_country_reports_if_it_reports_any_goods_of_that_year_and_revision(tmp_path: Path) -> None:
    total = record("104", "M", "0", cmdCode="TOTAL", period="2023")
    parsed = parse(
        tmp_path,
        total,
        record("156", "X", "104"),
        record("156", "X", "104", period="2022"),
        record("156", "X", "104", classificationCode="H5"),
    )
    assert sorted(parsed.tables["trade"].select("year", "hs_revision").iter_rows()) == [
        (2022, "92"),
        (2023, "17"),
    ]


def test_taiwan_is_other_asia(tmp_path: Path) -> None:
    parsed = parse(tmp_path, record("842", "M", "490"), record("490", "M", "156"))
    assert {(row[0], row[1]) for row in lanes(parsed)} == {("TWN", "USA"), ("CHN", "TWN")}


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"partnerCode": "0", "partnerISO": "W00"}, "the world"),
        ({"partnerCode": "899", "partnerISO": "_X "}, "an area"),
        ({"partnerCode": "97", "partnerISO": "EUR"}, "an area"),
        ({"reporterCode": "97", "reporterISO": "EUR"}, "a group"),
        ({"partner2Code": "344"}, "part of a total"),
        ({"customsCode": "C04"}, "part of a total"),
        ({"motCode": "2100"}, "part of a total"),
        ({"mosCode": "1"}, "part of a total"),
        ({"flowCode": "RM"}, "part of a flow"),
        ({"flowCode": "DX"}, "part of a flow"),
        ({"cmdCode": "TOTAL"}, "chapter"),
        ({"cmdCode": "2846"}, "chapter"),
        ({"cmdCode": "28469010"}, "national code"),
        ({"cmdCode": "010121"}, "outside the map"),
        ({"classificationCode": "S4"}, "another system"),
        ({"typeCode": "S"}, "services"),
        ({"partnerISO": "DELETE", "partnerCode": ""}, "marked as deleted"),
    ],
)
def test_what_is_not_asked_for_is_counted(tmp_path: Path, other: dict[str, str], reason: str) -> None:
    parsed = parse(tmp_path, GOOD, record("392", "M", "156", **other))
    assert (parsed.rows_in, parsed.stored, sum(parsed.outside.values())) == (1, 1, 1)
    assert reason in next(iter(parsed.outside))


def test_a_code_of_another_revision_is_set_aside_unless_its_lane_is_kept(tmp_path: Path) -> None:
    parsed = parse(
        tmp_path,
        GOOD,
        record("842", "M", "156", classificationCode="H6"),  # the same lane, converted
        record("392", "M", "156", classificationCode="H6"),
    )
    assert (parsed.stored, parsed.outside) == (1, {"code of a lane that is kept in another revision": 1})
    assert [("HS 2022 (H6)" in reason, count) for reason, count in parsed.set_aside.items()] == [(True, 1)]


@pytest.mark.parametrize(
    ("other", "column"),
    [
        ({"partnerCode": "58", "partnerISO": "BEL"}, "partnerCode"),
        ({"reporterCode": "392", "reporterISO": "CHN"}, "reporterCode"),
        ({"reporterCode": "", "reporterISO": ""}, "reporterCode"),
        ({"period": "2027"}, "period"),
        ({"period": "202313"}, "period"),
        ({"period": "202300"}, "period"),
        ({"period": "23"}, "period"),
        ({"flowCode": ""}, "flowCode"),
        ({"classificationCode": "HS"}, "classificationCode"),
        ({"cmdCode": "rare earths"}, "cmdCode"),
        ({"primaryValue": "-1"}, "primaryValue"),
        ({"primaryValue": "1e999"}, "primaryValue"),
        ({"primaryValue": ""}, "primaryValue"),
        ({"netWgt": "many"}, "netWgt"),
        ({"netWgt": "9e12"}, "netWgt"),
        ({"reporterCode": "842", "reporterISO": "USA"}, "cmdCode"),  # the first row again
    ],
)
def test_what_cannot_be_read_is_rejected_with_its_line(
    tmp_path: Path, other: dict[str, str], column: str
) -> None:
    parsed = parse(tmp_path, GOOD, record("842", "M", "104"), record("392", "M", "156", **other))
    assert (parsed.stored, parsed.rows_in) == (2, 3)
    fault = parsed.rejected[0]
    assert (fault.file, fault.line, fault.column) == (NAME, 4, column)


@pytest.mark.parametrize(
    ("other", "quantity_t", "said"),
    [
        ({"netWgt": "0"}, 12.5, None),  # the quantity is in kilograms and was counted
        ({"netWgt": "0", "qty": "0"}, None, "0 or blank"),
        ({"netWgt": "", "qtyUnitCode": "5"}, None, "0 or blank"),
        ({"isNetWgtEstimated": "true", "isQtyEstimated": "True"}, None, "estimate of the UN's"),
        ({"isNetWgtEstimated": "true", "qty": "11000"}, 11.0, None),
        ({"isNetWgtEstimated": "true", "qtyUnitCode": "5"}, None, "estimate of the UN's"),
    ],
)
def test_tonnes_that_nobody_weighed_are_unknown(
    tmp_path: Path, other: dict[str, str], quantity_t: float | None, said: str | None
) -> None:
    parsed = parse(tmp_path, GOOD | other)
    assert lanes(parsed) == [("CHN", "USA", 50000.5, quantity_t, True)]
    assert [said] if said else list(parsed.left_empty) == []
    assert sum(parsed.left_empty.values()) == (said is not None)


def test_twelve_months_are_a_year(tmp_path: Path) -> None:
    parsed = parse(tmp_path, *months("842", "M", "156"))
    assert lanes(parsed) == [("CHN", "USA", 12 * 50000.5, 150.0, True)]
    assert (parsed.rows_in, parsed.stored, parsed.tables["trade"].height) == (12, 12, 1)


def test_a_month_without_trade_in_a_whole_year_is_no_gap(tmp_path: Path) -> None:
    all_goods = months("842", "M", "0", cmdCode="TOTAL")
    parsed = parse(tmp_path, *all_goods, *months("842", "M", "156", count=3))
    assert lanes(parsed) == [("CHN", "USA", 3 * 50000.5, 37.5, True)]


def test_a_broken_year_has_no_sum_and_its_reporter_counts_as_silent(tmp_path: Path) -> None:
    parsed = parse(
        tmp_path, *months("842", "M", "156", count=11), record("156", "X", "842", primaryValue="7")
    )
    assert lanes(parsed) == [("CHN", "USA", 7.0, 12.5, False)]
    assert parsed.outside == {"month of a year that is not complete": 11}


def test_months_beside_their_year_do_not_count_twice(tmp_path: Path) -> None:
    parsed = parse(tmp_path, GOOD, *months("842", "M", "156"))
    assert lanes(parsed) == [("CHN", "USA", 50000.5, 12.5, True)]
    assert parsed.outside == {"month of a year that is also given as a whole": 12}


def test_a_month_that_cannot_be_read_takes_the_sum_with_it(tmp_path: Path) -> None:
    broken = months("842", "M", "156")
    broken[4]["primaryValue"] = "1.000.5"
    parsed = parse(tmp_path, *broken, *months("842", "M", "104"), *months("842", "M", "490"))
    assert [row[0] for row in lanes(parsed)] == ["MMR", "TWN"]
    assert len(parsed.rejected) == 12
    broken[4]["primaryValue"] = "1.000,5"  # a cell too many: nobody can say whose month that is
    with pytest.raises(BundleError, match="cannot be used"):
        parse(tmp_path, *broken, *months("842", "M", "104"))
    weightless = months("842", "M", "156")
    weightless[0] |= {"netWgt": "0", "qty": "0"}
    assert lanes(parse(tmp_path, *weightless)) == [("CHN", "USA", 12 * 50000.5, None, True)]


def test_rows_that_end_with_a_comma_and_names_in_latin_1(tmp_path: Path) -> None:
    path = tmp_path / NAME
    text = table(GOOD | {"partnerDesc": '"Côte d\'Ivoire, nes"'}, record("842", "M", "104"), end=",\n")
    path.write_bytes(text.encode("latin-1"))
    assert comtrade.parse(path, READING).stored == 2


def test_tabs_and_lost_zeros(tmp_path: Path) -> None:
    row = GOOD | {"cmdCode": "81110", "reporterCode": "0842"}
    assert parse(tmp_path, row, separator="\t").tables["trade"]["hs6"].to_list() == ["081110"]


def test_the_table_of_the_old_web_page(tmp_path: Path) -> None:
    values = {
        "Classification": "H0", "Year": "2015", "Period": "2015", "Aggregate Level": "6", "Trade Flow Code": "1",
        "Reporter Code": "842", "Reporter ISO": "USA", "Partner Code": "156", "Partner ISO": "CHN",
        "Commodity Code": "284690", "Netweight (kg)": "2000", "Trade Value (US$)": "77", "Flag": "0",
    }  # fmt: skip
    row = dict.fromkeys(OLD_HEADER, "") | values
    estimated = row | {"Partner Code": "104", "Partner ISO": "MMR", "Flag": "6"}
    re_export = row | {"Trade Flow Code": "3"}
    parsed = parse(tmp_path, row, estimated, re_export)
    assert lanes(parsed) == [("CHN", "USA", 77.0, 2.0, True), ("MMR", "USA", 77.0, None, True)]


def test_gzip_zip_and_json(tmp_path: Path) -> None:
    bulk = tmp_path / "COMTRADE-FINAL-CA8422023H0[2026-10-02].gz"
    bulk.write_bytes(gzip.compress(table(GOOD, separator="\t").encode()))
    parsed = comtrade.parse(bulk, READING)
    assert (parsed.published, parsed.stored) == (date(2026, 10, 2), 1)
    archive = tmp_path / "comtrade-2023-all[2026-11-24].zip"
    with zipfile.ZipFile(archive, "w") as pages:
        pages.writestr("0001.json", answer(GOOD))
        pages.writestr("0002.json", answer(record("842", "M", "104", netWgt=""), GOOD))
    parsed = comtrade.parse(archive, READING)
    assert (parsed.stored, parsed.source_id) == (2, "comtrade-20261124-2023-all-2026-11-24-import")
    assert (parsed.rejected[0].file, parsed.rejected[0].line) == (f"{archive.name}/0002.json", 2)
    for whole, cut in ((bulk, bulk.read_bytes()[:-9]), (archive, archive.read_bytes()[:-30])):
        whole.write_bytes(cut)
        with pytest.raises(BundleError, match="not a complete archive"):
            comtrade.parse(whole, READING)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html>\n", "web page"),
        (table(GOOD).encode("utf-16"), "UTF-16"),
        (table(GOOD)[:-4].encode(), "ends within a row"),
        (table(GOOD).replace("netWgt", "weight").encode(), "lacks column netwgt"),
        (table(GOOD).replace("isNetWgtEstimated", "x").replace("legacyE", "y").encode(), "isnetwgtestimated"),
        (table(GOOD).replace("cmdDesc", "cmdCode").encode(), "'cmdCode' twice"),
        (table(GOOD | {"primaryValue": "1,000.5"}).encode(), "cannot be used"),
    ],
)
def test_bad_files_are_refused_with_a_sentence(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / NAME
    path.write_bytes(content)
    with pytest.raises(BundleError, match=says) as caught:
        comtrade.parse(path, READING)
    assert str(caught.value).startswith(NAME)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (answer(GOOD)[:-9], "not complete JSON"),
        (b'{"message": "no"}', "no list 'data'"),
        (b'{"data": [], "error": "too many"}', "error of UN Comtrade"),
        (answer(GOOD).replace(b'"count": 1', b'"count": 2'), "says that it has 2"),
        (b'{"data": [5]}', "cannot be used"),
        (answer(GOOD).replace(b"motCode", b"x"), "cannot be used"),
    ],
)
def test_bad_answers_are_refused_with_a_sentence(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "answer[2026-11-24].json"
    path.write_bytes(content)
    with pytest.raises(BundleError, match=says):
        comtrade.parse(path, READING)


def test_a_stray_quotation_mark_costs_one_row(tmp_path: Path) -> None:
    broken = record("392", "M", "156", partnerDesc='"China')
    parsed = parse(tmp_path, GOOD, broken, record("842", "M", "104"), record("842", "M", "490"))
    assert (parsed.stored, [row.line for row in parsed.rejected]) == (3, [3])


@pytest.mark.parametrize(
    ("name", "release", "says"),
    [
        ("trade.csv", "", "does not say its day"),
        ("TradeData_13_24_2026.csv", "", "does not have"),
        ("trade.csv", "202613", "not a month"),
        ("trade.docx", "202611", "none of"),
    ],
)
def test_a_name_that_says_too_little(tmp_path: Path, name: str, release: str, says: str) -> None:
    path = tmp_path / name
    path.write_text(table(GOOD), encoding="utf-8")
    with pytest.raises(BundleError, match=says):
        comtrade.parse(path, Reading(READING.tables, release, any_size=True))


def test_the_month_given_is_known_from_its_last_day(tmp_path: Path) -> None:
    path = tmp_path / "trade.csv"
    path.write_text(table(GOOD), encoding="utf-8")
    parsed = comtrade.parse(path, Reading(READING.tables, "202602", any_size=True))
    assert parsed.published == date(2026, 2, 28)
    with pytest.raises(BundleError, match="outside 100 to"):
        comtrade.parse(path, Reading(READING.tables, "202602"))


@pytest.mark.parametrize("name", HEADER)
def test_a_missing_column_never_changes_a_figure(tmp_path: Path, name: str) -> None:
    rows = [
        GOOD | {"motCode": "2100", "primaryValue": "1"},  # the part stands before its total
        GOOD,
        record("842", "M", "104", isNetWgtEstimated="true", qtyUnitCode="5", legacyEstimationFlag="4"),
    ]
    whole = lanes(parse(tmp_path, *rows))
    path = tmp_path / NAME
    path.write_text(table(*({k: v for k, v in row.items() if k != name} for row in rows)), encoding="utf-8")
    needed = {
        "period",
        "reporterCode",
        "flowCode",
        "partnerCode",
        "partner2Code",
        "classificationCode",
        "cmdCode",
    }
    if name in needed | {"customsCode", "motCode", "netWgt", "primaryValue"}:
        with pytest.raises(BundleError, match=f"lacks column {name.lower()}"):
            comtrade.parse(path, READING)
    else:
        assert lanes(comtrade.parse(path, READING)) == whole


def test_bundle_stacks_on_the_embedded_one(tmp_path: Path) -> None:
    path = tmp_path / NAME
    rows = [record("842", "M", "156"), record("156", "X", "104"), record("842", "M", "58")]
    path.write_text(table(*rows), encoding="utf-8")
    done = import_file("comtrade", path, tmp_path / "bundle", any_size=True)
    assert (done.tables, done.stored, len(done.rejected)) == ({"trade": 2}, 2, 1)
    base = read_bundles([FACTS]).report.row_counts
    report = read_bundles([FACTS, tmp_path / "bundle"], strict=True).report
    assert report.row_counts["trade"] == base["trade"] + 2
