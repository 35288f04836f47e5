"""Files of purchases as companies send them: what is taken, and what the user is told of the rest."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from jobs.errors import InputError
from jobs.purchases.bom import Bom, read_bom
from jobs.purchases.cells import CellError, comma_is_decimal, money, number, share
from jobs.purchases.declarations import read_declaration, with_evidence
from jobs.purchases.headers import PURCHASES
from jobs.purchases.lines import Checked, Rate, check
from jobs.purchases.names import Names
from jobs.purchases.sheets import read_table
from jobs.purchases.store import demo_file, load, read_rates, save

NAMES = Names(
    minerals={"gallium": "gallium", "ga": "gallium", "germanium": "germanium", "tungsten": "tungsten"},
    countries={"china": "CHN", "cn": "CHN", "chn": "CHN", "germany": "DEU", "de": "DEU", "deu": "DEU", "japan": "JPN"},
    stages={"gallium": frozenset({"refined"}), "germanium": frozenset({"refined"}), "tungsten": frozenset({"mined", "metal"})},
    codes={"811292": (("gallium", "refined"), ("germanium", "refined")), "260111": (("tungsten", "mined"),)},
)  # fmt: skip
RATES = {"USD": Rate(1.0, None, "base"), "EUR": Rate(1.1, date(2026, 11, 27), "test")}
HEAD = "supplier,site country,part,mineral,quantity,unit,annual spend,currency,destination"


def checked(folder: Path, text: str, name: str = "lines.csv", destination: str | None = None) -> Checked:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return check(read_table(path, PURCHASES), NAMES, RATES, destination)


def workbook(folder: Path, *rows: list[object], name: str = "lines.xlsx") -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    book.save(folder / name)
    return folder / name


def reason(found: Checked) -> str:
    assert found.lines.is_empty(), found.lines
    return str(found.rejected["reason"].item())


def test_a_plain_line_is_taken_with_its_tonnes_and_dollars(tmp_path: Path) -> None:
    line = checked(tmp_path, f"{HEAD}\nAcme,China,P-1,Gallium,1500,kg,2000,EUR,Germany\n").lines.row(
        0, named=True
    )
    assert (line["mineral"], line["stage"], line["supplier_country"], line["destination"]) == (
        "gallium",
        "refined",
        "CHN",
        "DEU",
    )
    assert line["quantity_t"] == pytest.approx(1.5)
    assert line["spend_usd"] == pytest.approx(2200)
    assert line["rate_date"] == date(2026, 11, 27)
    assert line["stock_days"] is None  # not stated is unknown, not nothing


def test_the_five_columns_of_geopolrisk_are_enough(tmp_path: Path) -> None:
    found = checked(tmp_path, "Metal,Origin,kg,USD,Year\nGallium,China,1000,500000,2024\n", destination="DEU")
    line = found.lines.row(0, named=True)
    assert (line["origin"], line["destination"], line["quantity_t"], line["spend_usd"], line["year"]) == (
        "CHN",
        "DEU",
        1.0,
        500000.0,
        2024,
    )


def test_an_id_of_its_own_stays_the_same_in_another_order(tmp_path: Path) -> None:
    one, two = "Acme,China,P-1,Gallium,1,t,1,USD,Germany", "Bert,Japan,P-2,Germanium,1,t,1,USD,Germany"
    first = checked(tmp_path, f"{HEAD}\n{one}\n{two}\n").lines["line_id"].to_list()
    assert checked(tmp_path, f"{HEAD}\n{two}\n{one}\n").lines["line_id"].to_list() == first[::-1]


REFUSED = {
    "a subtotal in the middle": ("Total,,,,,,90000,USD,", "is a total of other rows"),
    "an unknown supplier country": ("Acme,Atlantis,P,Gallium,1,t,1,USD,Germany", "supplier_country 'Atlantis' is no country that is known"),
    "two currencies in a line": ("Acme,China,P,Gallium,1,t,€ 100,USD,Germany", "is in EUR and the currency is USD"),
    "two currencies in a cell": ("Acme,China,P,Gallium,1,t,EUR 100 / USD 110,,Germany", "names two currencies (EUR and USD)"),
    "a currency without a rate": ("Acme,China,P,Gallium,1,t,100,NOK,Germany", "is in NOK, of which no rate is known"),
    "no currency": ("Acme,China,P,Gallium,1,t,100,,Germany", "has no currency"),
    "two units": ("Acme,China,P,Gallium,5 kg,lb,100,USD,Germany", "is in kg, and the unit is lb"),
    "tons of which kind": ("Acme,China,P,Gallium,5,tons,100,USD,Germany", "could be metric, short or long tons"),
    "a unit of length": ("Acme,China,P,Gallium,5,m,100,USD,Germany", "in 'm' is no mass"),
    "no unit that exists": ("Acme,China,P,Gallium,5,firkle,100,USD,Germany", "is no unit that is known"),
    "no unit": ("Acme,China,P,Gallium,5,,100,USD,Germany", "has no unit"),
    "words for a number": ("Acme,China,P,Gallium,plenty,kg,100,USD,Germany", "quantity 'plenty'"),
    "less than nothing": ("Acme,China,P,Gallium,5,kg,-100,USD,Germany", "is less than nothing"),
    "a mineral that is none": ("Acme,China,P,Galium oxyde,5,kg,100,USD,Germany", "is not known"),
    "nothing bought": ("Acme,China,P,,5,kg,100,USD,Germany", "names neither a mineral nor a code"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_row_that_cannot_be_taken_comes_back_with_its_reason(case: str, tmp_path: Path) -> None:
    row, told = REFUSED[case]
    found = checked(tmp_path, f"{HEAD}\n{row}\n")
    assert told in reason(found)
    assert found.rejected["row_in_file"].item() == 2


def test_a_code_of_several_minerals_asks_for_the_mineral(tmp_path: Path) -> None:
    found = checked(tmp_path, "part,hs code,quantity,unit\nP,8112.92,1,kg\n")
    assert reason(found) == "code 811292 holds gallium, germanium; name the mineral."


def test_a_cn_code_and_a_lost_leading_zero_are_read_as_text(tmp_path: Path) -> None:
    book = workbook(tmp_path, ["part", "CN code", "quantity", "unit"], ["P", 26011100, 1, "kg"])
    line = check(read_table(book, PURCHASES), NAMES, RATES).lines.row(0, named=True)
    assert (line["hs6"], line["cn8"], line["mineral"]) == ("260111", "26011100", "tungsten")


def test_decimal_commas_are_read_by_the_column(tmp_path: Path) -> None:
    rows = 'A,China,P,Gallium,"1.234,5",kg,"2.000",USD,DE\nB,China,P,Gallium,"1.234",kg,"7,25",USD,DE\n'
    found = checked(tmp_path, f"{HEAD}\n{rows}")
    assert found.lines["quantity_t"].to_list() == [pytest.approx(1.2345), pytest.approx(1.234)]
    assert found.lines["annual_spend"].to_list() == [2000.0, 7.25]
    assert "column 'quantity': a comma is read as the decimal sign" in found.notes


def test_a_column_of_both_ways_refuses_only_what_could_be_either(tmp_path: Path) -> None:
    rows = 'A,China,P,Gallium,"1.234,5",kg,1,USD,DE\nB,China,P,Gallium,"1,234.5",kg,1,USD,DE\nC,China,P,Gallium,"1,234",kg,1,USD,DE\n'
    found = checked(tmp_path, f"{HEAD}\n{rows}")
    assert found.lines["quantity_t"].to_list() == [pytest.approx(1.2345)] * 2
    assert "could be thousands or decimals" in found.rejected["reason"].item()


def test_words_for_nothing_known_are_unknown_and_no_zero(tmp_path: Path) -> None:
    found = checked(tmp_path, f"{HEAD},stock cover\nAcme,n/a,P,Gallium,n/a,,-,,Germany,tbd\n")
    line = found.lines.row(0, named=True)
    assert [line[name] for name in ("supplier_country", "quantity_t", "spend_usd", "stock_days")] == [
        None
    ] * 4


def test_pieces_are_no_mass_and_leave_tonnes_unknown(tmp_path: Path) -> None:
    line = checked(tmp_path, f"{HEAD}\nAcme,China,P,Gallium,500,pcs,1000,USD,Germany\n").lines.row(
        0, named=True
    )
    assert line["quantity_t"] is None
    assert "no mass" in line["note"]


def test_rows_that_are_the_same_count_once_and_parts_may_repeat(tmp_path: Path) -> None:
    row = "Acme,China,P-1,Gallium,1,t,100,USD,Germany"
    found = checked(tmp_path, f"{HEAD}\n{row}\n{row}\n{row.replace('100', '200')}\n")
    assert found.rejected["reason"].to_list() == ["says the same as row 2."]
    assert found.lines["spend_usd"].to_list() == [100.0, 200.0]
    assert found.lines["line_id"].n_unique() == 2
    assert any("parts on several lines" in note for note in found.notes)


def test_units_are_converted_and_dates_as_text_give_their_year(tmp_path: Path) -> None:
    rows = "A,China,P,Gallium,2204.62262185,lb,1,USD,DE,2024-12-31\nB,China,P,Gallium,1,short_ton,1,USD,DE,FY 2025\n"
    found = checked(tmp_path, f"{HEAD},year\n{rows}")
    assert found.lines["quantity_t"].to_list() == [pytest.approx(1.0), pytest.approx(0.90718474)]
    assert found.lines["year"].to_list() == [2024, 2025]


def test_a_merged_header_of_two_rows_below_a_title_is_found(tmp_path: Path) -> None:
    book = workbook(
        tmp_path,
        ["Purchases 2026"],
        [],
        ["Supplier", None, "Annual", None, "Mineral", "Destination"],
        ["name of supplier", "country", "quantity (kg)", "spend USD", None, None],
        ["Acme", "China", 1500, 2000, "Gallium", "Germany"],
    )
    raw = read_table(book, PURCHASES)
    line = check(raw, NAMES, RATES).lines.row(0, named=True)
    assert (line["supplier_country"], line["quantity_t"], line["spend_usd"]) == ("CHN", 1.5, 2000.0)


def test_formulas_and_scripts_stay_text_and_cannot_run(tmp_path: Path) -> None:
    bad = '=HYPERLINK("http://x")'
    found = checked(
        tmp_path,
        f'{HEAD}\n"{bad.replace(chr(34), chr(34) * 2)}",China,<script>x</script>,Gallium,1,t,1,USD,DE\n',
    )
    save(found, "lines.csv", tmp_path / "kept")
    assert "'=HYPERLINK" in (tmp_path / "kept" / "lines.csv").read_text(encoding="utf-8")
    kept = load(tmp_path / "kept")
    assert kept is not None
    assert kept.lines["supplier_name"].item() == bad
    assert kept.lines["part"].item() == "<script>x</script>"


def test_three_hundred_columns_are_no_trouble(tmp_path: Path) -> None:
    extra = ",".join(f"x{k}" for k in range(300))
    found = checked(tmp_path, f"{extra},{HEAD}\n{',' * 300}Acme,China,P,Gallium,1,t,1,USD,DE\n")
    assert found.lines.height == 1


def test_files_that_cannot_be_read_say_what_to_do(tmp_path: Path) -> None:
    told: dict[str, str] = {}
    files = {
        "missing.csv": None,
        "empty.csv": b"",
        "odd.pdf": b"%PDF",
        "book.csv": b"PK\x03\x04rest",
        "no header.csv": b"a,b\n1,2\n",
        "broken.xlsx": b"PK\x03\x04rest",
        "locked.xlsx": b"\xd0\xcf\x11\xe0" + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le"),
    }
    for name, data in files.items():
        if data is not None:
            (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError) as problem:
            read_table(tmp_path / name, PURCHASES)
        told[name] = str(problem.value)
    assert "there is no such file" in told["missing.csv"]
    assert "there is nothing in it" in told["empty.csv"]
    assert "save it as .csv or .xlsx" in told["odd.pdf"]
    assert "give it the ending .xlsx" in told["book.csv"]
    assert "names the columns" in told["no header.csv"]
    assert "Needed: mineral or hs6" in told["no header.csv"]
    assert "no workbook that can be read" in told["broken.xlsx"]
    assert "protected by a password" in told["locked.xlsx"]


def test_an_empty_sheet_is_passed_over_and_alone_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is nothing in it"):
        read_table(workbook(tmp_path, name="empty.xlsx"), PURCHASES)
    book = openpyxl.Workbook()
    book.create_sheet("Data").append(["mineral", "quantity", "unit"])
    book["Data"].append(["Gallium", 1, "t"])
    book.save(tmp_path / "two.xlsx")
    assert read_table(tmp_path / "two.xlsx", PURCHASES).sheet == "Data"
    with pytest.raises(InputError, match="has no sheet 'Daten'; it has Sheet, Data"):
        read_table(tmp_path / "two.xlsx", PURCHASES, "Daten")


def test_numbers_shares_and_money() -> None:
    assert number("1 234,5", decimal_comma=True) == 1234.5
    assert number("(12)", decimal_comma=None) == -12
    assert share("30,5 %", decimal_comma=True) == pytest.approx(0.305)
    assert money("1.234,50 €", decimal_comma=True).currency == "EUR"
    for wrong in ("1.2.3,4,5", "12,34,567", "..", "1e", "--5"):
        with pytest.raises(CellError):
            number(wrong, decimal_comma=None)
    with pytest.raises(CellError, match="is no share"):
        share("130 %", decimal_comma=None)
    with pytest.raises(CellError, match="with a comma and with a point"):
        comma_is_decimal(["1.234,5", "1,234.5"])


def test_a_rate_needs_its_day_and_source(tmp_path: Path) -> None:
    path = tmp_path / "rates.csv"
    path.write_text("currency,usd_per_unit,rate_date,source\nEUR,1.1,2026-11-27,\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"rates\.csv:2: a rate needs"):
        read_rates(path)
    assert read_rates(demo_file("currencies.csv"))["EUR"].usd_per_unit == pytest.approx(1.1)


def test_the_demo_has_forty_lines_and_says_what_it_refuses() -> None:
    raw = read_table(demo_file(), PURCHASES)
    assert len(raw.rows) == 43
    assert len(raw.fields) == 18
    assert pl.Series([raw.fields[place] for place in raw.fields]).is_unique().all()


def declaration(
    folder: Path, *smelters: tuple[str, str, str], company: str = "ACME  gmbh", name: str = "cmrt.xlsx"
) -> Path:
    """Write a workbook with the sheets and headers that suppliers send, filled in."""
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    first.title = "Declaration"
    first.append(["Conflict Minerals Reporting Template"])
    first.append(["Company Name (*):", None, company])
    sheet = book.create_sheet("Smelter List")
    sheet.append(["To begin:"])
    sheet.append(
        [
            "Smelter Identification Number Input Column",
            "Metal (*)",
            "Smelter Look-up (*)",
            "Smelter Name (1)",
            "Smelter Country (*)",
        ]
    )
    for metal, smelter, country in smelters:
        sheet.append([None, metal, smelter, smelter, country])
    book.save(folder / name)
    return folder / name


def test_a_declaration_of_one_country_is_an_origin_and_of_several_a_note(tmp_path: Path) -> None:
    rows = "Acme GmbH,Germany,P-1,Tungsten,metal,1,t,1,USD,DE\nAcme GmbH,Germany,P-2,Gallium,refined,1,t,1,USD,DE\nBert,Germany,P-3,Tungsten,metal,1,t,1,USD,DE\n"
    lines = checked(tmp_path, f"{HEAD.replace('mineral,', 'mineral,stage,')}\n{rows}").lines
    path = declaration(
        tmp_path,
        ("Tungsten", "A", "China"),
        ("Gold", "B", "Japan"),
        ("Gallium", "C", "Germany"),
        ("Gallium", "D", "Japan"),
        ("Tungsten", "E", "CHINA"),
    )
    found, told = with_evidence(lines, [read_declaration(path, NAMES)])
    assert found["origin"].to_list() == ["CHN", None, None]
    assert found["note"].to_list() == [
        "smelters in CHN by cmrt.xlsx",
        "smelters in DEU, JPN by cmrt.xlsx",
        None,
    ]
    assert told == [
        "gallium of ACME gmbh: smelters in DEU, JPN by cmrt.xlsx; of several countries none is taken",
        "tungsten of ACME gmbh: smelters in CHN by cmrt.xlsx",
    ]


def test_a_declaration_moves_no_origin_that_a_line_states(tmp_path: Path) -> None:
    lines = checked(tmp_path, f"{HEAD},origin\nAcme GmbH,Germany,P-1,Gallium,1,t,1,USD,DE,Germany\n").lines
    found, told = with_evidence(
        lines, [read_declaration(declaration(tmp_path, ("Gallium", "A", "China")), NAMES)]
    )
    assert found["origin"].to_list() == ["DEU"]
    assert told == []


def test_declarations_that_say_nothing_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not say whose it is"):
        read_declaration(declaration(tmp_path, ("Gallium", "A", "China"), company=""), NAMES)
    with pytest.raises(InputError, match="a declaration is a workbook"):
        read_declaration(demo_file(), NAMES)
    found = read_declaration(declaration(tmp_path, ("Gallium", "A", "Atlantis"), company="Zed"), NAMES)
    lines, told = with_evidence(
        checked(tmp_path, f"{HEAD}\nAcme,Germany,P-1,Gallium,1,t,1,USD,DE\n").lines, [found]
    )
    assert lines["origin"].to_list() == [None]
    assert "smelter country 'Atlantis' is no country that is known" in told[0]
    assert told[1] == "cmrt.xlsx: 'Zed' is no supplier of these lines"


def bom(folder: Path, text: str) -> Bom:
    path = folder / "bom.csv"
    path.write_text(f"parent,child,mass_share,stage\n{text}", encoding="utf-8")
    return read_bom(path, NAMES)


def test_a_bill_of_materials_is_opened_to_its_minerals(tmp_path: Path) -> None:
    found = bom(
        tmp_path, "M-1,R-1,0.5,\nM-1,steel,50 %,\nR-1,Gallium,0.3,\nR-1,Tungsten,0.4,metal\nM-2,M-1,0.1,\n"
    )
    assert list(found.goods["M-1"]) == [("tungsten", "metal"), ("gallium", "refined")]
    assert list(found.goods["M-1"].values()) == pytest.approx([0.2, 0.15])
    assert found.goods["M-2"]["tungsten", "metal"] == pytest.approx(0.02)
    assert found.notes == ["not minerals that are followed, and passed over: steel"]
    path = tmp_path / "lines.csv"
    path.write_text(
        f"{HEAD}\nAcme,China,M-1,,10,t,100,USD,DE\nAcme,China,X-9,,10,t,100,USD,DE\n", encoding="utf-8"
    )
    lines = check(read_table(path, PURCHASES), NAMES, RATES, None, found)
    assert lines.lines["contains"].to_list() == ["tungsten metal 0.2; gallium refined 0.15"]
    assert lines.rejected["reason"].to_list() == ["names neither a mineral nor a code."]


BAD_BOMS = {
    "A,B,0.5,\nB,C,0.5,\nC,A,0.5,\n": "parts contain each other in a circle: A → B → C → A",
    "A,A,0.5,\n": "parts contain each other in a circle: A → A",
    "A,Gallium,0.7,\nA,Tungsten,0.4,metal\n": "the shares of A come to 1.1, more than 1",
    "A,Gallium,1.7,\n": "row 2: is no share between 0 and 1",
    "A,Gallium,0,\n": "row 2: mass_share '0' is not above 0",
    "A,Gallium,much,\n": "row 2: is not a number",
    "A,,0.5,\n": "row 2: names no parent or no child",
}


@pytest.mark.parametrize("text", BAD_BOMS)
def test_a_bill_of_materials_that_cannot_be_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as problem:
        bom(tmp_path, text)
    assert BAD_BOMS[text] in str(problem.value)
