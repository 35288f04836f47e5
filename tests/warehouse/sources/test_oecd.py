"""The OECD inventory of export restrictions: quirks, refusals, the law that comes out of it, and damaged files."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from ground.question import Question
from jobs.cli import main
from jobs.facts.importing import read_map
from tests.warehouse.sources.mutate import torture
from warehouse.asof.inputs import Inputs
from warehouse.asof.state import Warehouse
from warehouse.errors import BundleError
from warehouse.sources import oecd
from warehouse.sources.parsed import ParsedFile, Reading

FACTS = Path(__file__).parents[3] / "warehouse" / "facts"
HEAD = "Country,HS2007 code,Product name,Measure,Year,Unit value\n"
ROW = "Indonesia,260900,Tin ores and concentrates,Export tax,2023,10%\n"
READING = Reading(read_map(), release="2025", any_size=True)


def read(
    folder: Path, *rows: str, head: str = HEAD, encoding: str = "utf-8", reading: Reading = READING
) -> ParsedFile:
    path = folder / "oecd.csv"
    path.write_bytes((head + "".join(rows)).encode(encoding))
    return oecd.parse(path, reading)


def of(year: int, row: str = ROW) -> str:
    return row.replace("2023", str(year))


def states(parsed: ParsedFile) -> list[tuple[str, date, date | None]]:
    frame = parsed.tables["measure_states"].sort("measure_id", "valid_from")
    return list(frame.select("state", "valid_from", "valid_to").iter_rows())


def first(parsed: ParsedFile, table: str) -> dict[str, object]:
    return parsed.tables[table].row(0, named=True)


def test_a_row_becomes_a_measure_with_its_state_goods_and_destinations(tmp_path: Path) -> None:
    parsed = read(tmp_path, ROW)
    measure = first(parsed, "measures")
    assert measure["measure_id"] == "oecd-2025-idn-export-tax-260900"
    assert (measure["curbing_country"], measure["instrument"]) == ("IDN", "export_tax")
    assert (measure["date_announced"], measure["is_framework"]) == (date(2023, 1, 1), False)
    assert (measure["source_id"], measure["known_from"]) == ("oecd-2025-import", date(2025, 12, 31))
    state = first(parsed, "measure_states")
    assert (state["clause"], state["destination"], state["state"]) == ("all", "*", "in_force")
    assert state["note"] == "rates as written: 2023: 10%"
    item = first(parsed, "measure_items")
    assert (item["mineral"], item["stage"], item["hs6"], item["form"]) == ("tin", "mined", "260900", None)
    assert [item[f"coverage_share_{end}"] for end in ("low", "best", "high")] == [0, 1, 1]
    assert [item[f"quota_share_{end}"] for end in ("low", "best", "high")] == [None, None, None]
    destination = first(parsed, "measure_destinations")
    assert (destination["destination"], destination["scope"], destination["is_excluded"]) == (
        "*",
        "all",
        False,
    )
    assert (parsed.stored, parsed.rows_in) == (1, 1)


@pytest.mark.parametrize(
    ("kind", "instrument"),
    [
        ("Export tax", "export_tax"),
        ("EXPORT  SURTAX", "export_tax"),
        ("Fiscal tax on exports", "export_tax"),
        ("Export quota", "quota"),
        ("Licensing requirement", "export_licence"),
        ("Non-automatic licensing", "export_licence"),
        ("Export prohibition", "export_ban"),
    ],
)
def test_kinds_that_have_an_instrument(tmp_path: Path, kind: str, instrument: str) -> None:
    assert first(read(tmp_path, ROW.replace("Export tax", kind)), "measures")["instrument"] == instrument


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (("Export tax", "Minimum export price"), "no instrument corresponds to it: minimum export price"),
        (("Export tax", "Captive mining"), "no instrument corresponds to it: captive mining"),
        (
            ("Export tax", "Domestic market obligation"),
            "no instrument corresponds to it: domestic market obligation",
        ),
        (("Export tax", "No restriction"), "no restriction"),
        (("Export tax", "Not researched"), "not researched"),
        (("260900", "440320"), "codes that the map does not contain"),
        ((ROW, '"1 Includes Hong Kong, China",,,,,\n'), "footnotes and blank rows"),
        ((ROW, ",,,,,\n"), "footnotes and blank rows"),
    ],
)
def test_what_is_outside_is_counted_with_its_reason(
    tmp_path: Path, edit: tuple[str, str], reason: str
) -> None:
    parsed = read(tmp_path, ROW, ROW.replace(*edit))
    assert (parsed.stored, parsed.rows_in, dict(parsed.outside)) == (1, 1, {reason: 1})


@pytest.mark.parametrize(
    ("edit", "column", "value", "said"),
    [
        (
            ("Indonesia", "1Includes Hong Kong"),
            "Country",
            "1Includes Hong Kong",
            "is not a country in countries",
        ),
        (("Indonesia", "Indonesa"), "Country", "Indonesa", "did you mean 'Indonesia'"),
        (("260900", "26090"), "HS2007 code", "26090", "so that no zero gets lost"),
        (("260900", "260900.0"), "HS2007 code", "260900.0", "is not a code of six digits"),
        (("2023", "2021-2023"), "Year", "2021-2023", "write one row a year"),
        (("2023", "2008"), "Year", "2008", "is not a single year"),
        (("2023", "2024"), "Year", "2024", "2 before the edition"),
        (("Export tax", "Export taxe"), "Measure", "Export taxe", "did you mean 'export tax'"),
        (("Export tax", ""), "Measure", "", "is not a kind of measure"),
    ],
)
def test_a_bad_row_is_rejected_with_its_line(
    tmp_path: Path, edit: tuple[str, str], column: str, value: str, said: str
) -> None:
    parsed = read(tmp_path, of(2021), of(2022), ROW.replace(*edit))
    fault = parsed.rejected[0]
    assert (parsed.stored, parsed.rows_in) == (2, 3)
    assert (fault.file, fault.line, fault.column, fault.value) == ("oecd.csv", 4, column, value)
    assert said in fault.reason


@pytest.mark.parametrize(
    ("name", "country"),
    [
        ("Congo (DRC)", "COD"),
        ("Democratic Republic of the Congo", "COD"),
        ("Viet Nam", "VNM"),
        ("Korea", "KOR"),
        ("Russian Federation", "RUS"),
        ("Türkiye", "TUR"),
        ("Côte d’Ivoire", "CIV"),
        ("China (People's Republic of)", "CHN"),
        ("LAO PDR", "LAO"),
    ],
)
def test_countries_by_the_names_that_the_oecd_writes(tmp_path: Path, name: str, country: str) -> None:
    row = ROW.replace("Indonesia", name).replace("260900", "760110")
    for encoding in ("utf-8", "utf-8-sig", "cp1252"):
        assert first(read(tmp_path, row, encoding=encoding), "measures")["curbing_country"] == country


def test_years_without_a_break_are_one_state_and_the_last_of_the_edition_is_open(tmp_path: Path) -> None:
    parsed = read(tmp_path, *(of(year) for year in (2021, 2023, 2022)))
    assert states(parsed) == [("in_force", date(2021, 1, 1), None)]
    assert parsed.stored == 3
    assert parsed.tables["measures"].height == 1


def test_a_year_that_was_looked_at_and_has_no_row_ends_the_measure(tmp_path: Path) -> None:
    other = ROW.replace("260900", "440320")
    parsed = read(
        tmp_path, of(2012), of(2013), of(2014, other), of(2016), ROW.replace("Export tax", "No restriction")
    )
    assert states(parsed) == [
        ("in_force", date(2012, 1, 1), date(2014, 1, 1)),
        ("ended", date(2014, 1, 1), None),
        ("in_force", date(2016, 1, 1), date(2017, 1, 1)),  # nobody says a word about 2017
    ]


@pytest.mark.parametrize(
    "doubt",
    [
        ROW.replace("260900", "26090"),
        ROW.replace("Export tax", "Not researched"),
        ROW.replace("Indonesia", "Indonesa"),
        ROW.replace("2023", "2022-2023"),
        ROW.replace(",10%", ""),
    ],
)
def test_a_row_that_cannot_be_read_ends_nothing(tmp_path: Path, doubt: str) -> None:
    rows = (of(2021), of(2022), ROW.replace("Export tax", "No restriction"))
    ended = ("ended", date(2023, 1, 1), None)
    assert ended in states(read(tmp_path, *rows))
    assert states(read(tmp_path, *rows, doubt)) == [("in_force", date(2021, 1, 1), date(2023, 1, 1))]


def test_rows_that_repeat_and_rows_that_say_more_of_the_same(tmp_path: Path) -> None:
    more = ROW.replace("10%", "5 USD/t")
    parsed = read(tmp_path, ROW, more, ROW)
    assert (parsed.stored, parsed.rows_in, parsed.tables["measures"].height) == (2, 3, 1)
    assert [(fault.line, fault.reason) for fault in parsed.rejected] == [
        (4, "repeats line 2 in every cell; remove one")
    ]


def test_rates_are_kept_as_written_from_the_year_on_in_which_they_change(tmp_path: Path) -> None:
    rates = ((2020, "10%"), (2021, "10%"), (2022, '"25-50%, from 3,000 USD/t"'), (2023, ""))
    parsed = read(tmp_path, *(of(year).replace("10%", rate) for year, rate in rates))
    note = first(parsed, "measure_states")["note"]
    assert note == "rates as written: 2020: 10%; 2022: 25-50%, from 3,000 USD/t"


def test_one_code_for_several_minerals_is_one_measure(tmp_path: Path) -> None:
    parsed = read(tmp_path, ROW.replace("260900", "811292"))
    items = parsed.tables["measure_items"]
    assert {"gallium", "germanium", "indium"} < set(items["mineral"])
    assert items["item_id"].n_unique() == items.height
    assert (parsed.stored, parsed.tables["measures"].height) == (1, 1)


def test_it_takes_the_form_that_other_facts_name_so_that_both_do_not_add_up(tmp_path: Path) -> None:
    item = first(read(tmp_path, ROW.replace("260900", "260400")), "measure_items")
    assert item["form"] == "ore"


def test_where_other_facts_name_several_forms_nothing_is_added(tmp_path: Path) -> None:
    chinese = ROW.replace("Indonesia", "China").replace("260900", "811010")
    parsed = read(tmp_path, ROW, chinese)
    reason = "goods of which the facts name several forms of this country, to which it would add"
    assert (parsed.stored, dict(parsed.outside)) == (1, {reason: 1})


@pytest.mark.parametrize(
    "head",
    [
        "Product name,Year,HS6,Unit value,Type of measure,Country\n",
        "product name,YEAR,HS2007_code,unit value,type_of_measure,country\n",
    ],
)
def test_other_names_and_another_order_of_columns(tmp_path: Path, head: str) -> None:
    parsed = read(tmp_path, "Tin ores,2023,260900,10%,Export tax,Indonesia\n", head=head)
    assert first(parsed, "measures")["measure_id"] == "oecd-2025-idn-export-tax-260900"


def test_the_rate_may_lack(tmp_path: Path) -> None:
    head, row = HEAD.replace(",Unit value", ""), ROW.replace(",10%", "")
    assert first(read(tmp_path, row, head=head), "measure_states")["note"] is None


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (
            HEAD.replace("HS2007 code", "Commodity code"),
            "column 'HS2007 code' or 'HS2007' or 'HS6' is missing",
        ),
        (HEAD.replace("HS2007 code", "Commodity code"), "It has 'Country', 'Commodity code', 'Product name'"),
        (HEAD.replace("Product name", "HS6"), "columns 'HS2007 code' and 'HS6' mean the same; keep one"),
        (HEAD.replace("Country", "REF_AREA"), "rename it in the header"),
        (HEAD.replace(",", ";"), "column 'Country' is missing"),
    ],
)
def test_columns_that_no_source_shows_are_refused(tmp_path: Path, head: str, said: str) -> None:
    row = ROW.replace(",", ";") if ";" in head else ROW
    with pytest.raises(BundleError, match=r"oecd\.csv") as refusal:
        read(tmp_path, row, head=head)
    assert said in str(refusal.value)


def test_the_edition_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="give --release YYYY"):
        read(tmp_path, ROW, reading=Reading(READING.tables, any_size=True))


def test_a_file_of_a_few_rows_is_not_the_whole_file(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="it is not the whole file"):
        read(tmp_path, ROW, reading=Reading(READING.tables, release="2025"))


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_two_hundred_damaged_files(tmp_path: Path, encoding: str) -> None:
    countries = ("Indonesia", "Türkiye", "Côte d'Ivoire", "Congo (DRC)", "Viet Nam", "Zambia")
    codes, kinds = ("260900", "260300", "440320"), ("Export tax", "Licensing requirement", "No restriction")
    text = HEAD + "".join(
        of(year).replace("Indonesia", country).replace("260900", code).replace("Export tax", kind)
        for country in countries
        for code, kind in zip(codes, kinds, strict=True)
        for year in range(2018, 2024)
    )
    found = torture(lambda path: oecd.parse(path, READING), tmp_path / "oecd.csv", text, encoding=encoding)
    print(found.table())
    assert not found.broken


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command line makes of a few years of Indonesia."""
    folder = tmp_path_factory.mktemp("oecd")
    rows = {
        ("260900", "Export prohibition"): range(2020, 2024),
        ("740311", "Export tax"): range(2018, 2021),
        ("760110", "Export quota"): (2009,),  # nothing else is in the file for 2010
    }
    text = HEAD + "".join(
        of(year).replace("260900", code).replace("Export tax", kind).replace("10%", "")
        for (code, kind), years in rows.items()
        for year in years
    )
    (folder / "inventory.csv").write_text(text, encoding="utf-8")
    out = folder / "facts-oecd"
    given = ["facts", "import", "oecd", "--file", str(folder / "inventory.csv"), "--release", "2025"]
    assert main([*given, "--out", str(out), "--any-size", "--as-of", "2026-06-30"]) == 0
    return out


def test_the_bundle_has_no_faults(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["facts", "check", str(bundle), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["rejected"], said["tables"]["measures"], said["tables"]["measure_states"]) == ([], 3, 4)


def test_it_stacks_on_the_embedded_facts_and_curbs_its_country(bundle: Path) -> None:
    today = date(2026, 6, 30)
    with Warehouse.open_memory() as warehouse:
        warehouse.load_bundles([FACTS, bundle], strict=True)
        measures = Inputs(warehouse, Question(today, today, "IDN")).measures
        before = Inputs(warehouse, Question(today, date(2025, 12, 30), "IDN")).measures
    own = measures.filter(pl.col("measure_id").str.starts_with("oecd-"))
    said = {(row["instrument"], row["mineral"], row["state"]) for row in own.iter_rows(named=True)}
    assert said == {
        ("export_ban", "tin", "in_force"),
        ("export_tax", "copper", "ended"),
        ("quota", "aluminium", "lapsed_unverified"),
    }
    ends = own.select("coverage_share_low", "coverage_share_best", "coverage_share_high").unique()
    assert ends.rows() == [(0, 1, 1)]
    assert own["importer"].n_unique() > 100
    assert not before["measure_id"].str.starts_with("oecd-").any(), "the edition was not known yet"
