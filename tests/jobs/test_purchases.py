"""Purchases from a file to the published file and the workbook, on facts of a few rows; sums are equal everywhere."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date
from pathlib import Path

import docx
import jsonschema
import numpy as np
import openpyxl
import polars as pl
import pytest

from jobs.cli import main
from jobs.errors import InputError
from jobs.purchases.actions import read_actions
from jobs.purchases.book import load_risk_book
from jobs.purchases.documents import as_html
from jobs.purchases.dossier import Dossier, Rows
from jobs.purchases.risk import Book
from jobs.purchases.workbook import TABLES, write_risk_book
from jobs.purchases.writers import FORMATS, ariba, coupa, suppliers
from jobs.settings import AudienceSettings
from tests.warehouse.conftest import small_facts, write_bundle
from warehouse.database import Database

LINES = """\
line_id,supplier,supplier country,part,mineral,stage,quantity,unit,annual spend,currency,destination,origin,stock cover,owner
A,Acme,CHN,P-1,gallium,refined,10,t,1000000,USD,DEU,CHN,30,Ann
B,Acme,CHN,P-2,gallium,refined,5,t,500000,USD,USA,CHN,,Bob
C,Bert,JPN,P-3,gallium,refined,2,t,,USD,DEU,,10,Ann
D,Carl,,P-4,gallium,refined,2,t,70000,USD,,,10,
E,=cmd(),CHN,P-5,gallium,refined,1,t,90000,USD,DEU,CHN,0,Ann
F,Dora,CHN,P-6,,,1,t,40000,USD,JPN,CHN,5,Cid
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("purchases")
    facts = write_bundle(folder / "facts", small_facts())
    (folder / "lines.csv").write_text(LINES, encoding="utf-8")
    root = folder / "out"
    shared = ["--facts", str(facts), "--out", str(root)]
    (folder / "bom.csv").write_text(
        "parent,child,mass_share\nP-6,gallium,0.3\nP-6,dysprosium,0.1\n", encoding="utf-8"
    )
    (folder / "named.csv").write_text("name,list,reference\nBert Ltd,a list,x-1\n", encoding="utf-8")
    given = ["--entities", str(folder / "named.csv"), "--bom", str(folder / "bom.csv")]
    assert main(["portfolio", "add", str(folder / "lines.csv"), *given, *shared]) == 0
    assert main(["run", *shared, "--as-of", "2026-11-23", "--draws", "64"]) in (0, 10)
    return root


@pytest.fixture(scope="module")
def reader(out: Path) -> Database:
    return Database.open(out / "curbline.duckdb", read_only=True)


def test_every_line_is_there_and_one_without_a_place_says_why(reader: Database) -> None:
    lines = reader.query("SELECT * FROM mart.purchase ORDER BY line_id")
    assert lines["line_id"].to_list() == ["A", "B", "C", "D", "E", "F"]
    assert lines["unknown_reason"].to_list()[3] == "neither a supplier country, an origin nor a site is given"
    assert lines["mapped_by"].to_list()[0] == "declared origin to the site"
    assert "D" not in reader.query("SELECT DISTINCT line_id FROM mart.purchase_risk")["line_id"].to_list()


def test_totals_are_sums_inside_the_draws_that_are_published(reader: Database) -> None:
    lines = reader.query("SELECT * FROM mart.purchase WHERE exporter IS NOT NULL ORDER BY line_id")
    draws = reader.query("SELECT * FROM mart.purchase_draw WHERE regime = 'full_stop' ORDER BY draw")
    total = np.zeros(64)
    for line in lines.iter_rows(named=True):
        own = [line["mineral"], line["stage"], line["exporter"], line["importer"]]
        units = [part.split("|") for part in line["route_parts"] or []] or [own]
        gaps = [
            draws.filter(pl.concat_list("mineral", "stage", "exporter", "importer") == unit)["gap_share"]
            for unit in units
        ]
        gap = np.maximum.reduce([one.to_numpy() for one in gaps])
        total += (line["spend_usd"] or 0.0) * np.maximum(0.0, gap - (line["stock_days"] or 0.0) / 365)
    told = reader.query(
        "SELECT * FROM mart.purchase_total WHERE grouping = 'total' AND regime = 'full_stop'"
    ).row(0, named=True)
    assert told["expected_missing_usd"] == pytest.approx(total.mean())
    assert told["expected_missing_usd"] > 0
    assert told["missing_usd_p90"] == pytest.approx(np.quantile(total, 0.9))
    assert told["lines"] == 5
    assert told["lines_without_spend"] == 1  # unknown, and in no sum of money
    parts = reader.query(
        "SELECT sum(expected_missing_usd) AS usd, sum(tail_usd) AS tail FROM mart.purchase_risk WHERE regime = 'full_stop'"
    ).row(0)
    assert parts[0] == pytest.approx(total.mean())
    assert parts[1] == pytest.approx(told["tail_usd"])


def test_a_part_is_as_short_as_the_shortest_of_its_minerals(reader: Database) -> None:
    line = reader.query("SELECT * FROM mart.purchase WHERE line_id = 'F'").row(0, named=True)
    assert line["contains"] == "gallium refined 0.3; dysprosium refined 0.1"
    assert line["route_parts"] == ["gallium|refined|CHN|JPN", "dysprosium|refined|CHN|JPN"]
    draws = reader.query(
        "SELECT * FROM mart.purchase_draw WHERE regime = 'full_stop' AND (exporter, importer) = ('CHN', 'JPN') ORDER BY draw"
    )
    both = [
        draws.filter(pl.col("mineral") == name)["gap_share"].to_numpy() for name in ("gallium", "dysprosium")
    ]
    told = reader.query(
        "SELECT gap_share FROM mart.purchase_risk WHERE line_id = 'F' AND regime = 'full_stop'"
    ).item()
    assert told == pytest.approx(np.maximum(*both).mean())
    assert told >= max(one.mean() for one in both)


def test_tests_and_names_stand_beside_the_lines(out: Path, reader: Database) -> None:
    found = reader.query(
        "SELECT line_id, check_id, answer, match_score FROM mart.purchase_check WHERE check_id <> 'dfars-225-7018'"
    )
    assert found.rows() == [("C", "named-entity", "cannot tell", 100.0)]
    assert reader.query(
        "SELECT DISTINCT answer FROM mart.purchase_check WHERE check_id = 'dfars-225-7018'"
    ).rows() == [("no",)]
    rows = list(
        openpyxl.load_workbook(out / "risk" / "latest" / "risk_all.xlsx")["Risk"].iter_rows(values_only=True)
    )
    line = next(dict(zip(rows[0], row, strict=True)) for row in rows[1:] if row[0] == "C")
    assert line["screening"] == "supplier name 'Bert' is like 'Bert Ltd' of a list (100)"


def test_the_gap_is_that_of_the_routes_own_score(reader: Database) -> None:
    """The draws are those of the run: the mean gap of a line is the published gap of its route."""
    pairs = reader.query(
        "SELECT a.gap_share AS own, s.active_gap_share AS published FROM mart.purchase p "
        "JOIN mart.purchase_risk a USING (line_id) JOIN mart.route_score s USING (mineral, stage, exporter, importer) "
        "WHERE a.regime = 'active' AND s.horizon_days = 365 AND p.route_parts IS NULL"
    )
    assert pairs.height >= 3
    np.testing.assert_allclose(pairs["own"], pairs["published"], atol=1e-12)


def test_money_is_the_same_in_sql_csv_and_workbook(out: Path, reader: Database) -> None:
    sql = reader.query(
        "SELECT expected_missing_usd FROM mart.purchase_total WHERE grouping = 'total' AND regime = 'active'"
    ).item()
    csv = pl.read_csv(out / "risk" / "latest" / "purchase_total.csv")
    assert (
        csv.filter(pl.col("grouping") == "total", pl.col("regime") == "active")["expected_missing_usd"].item()
        == sql
    )
    sheet = openpyxl.load_workbook(out / "risk" / "latest" / "risk_all.xlsx")["Risk"]
    rows = list(sheet.iter_rows(values_only=True))
    place = rows[0].index("spend_at_risk_usd")
    assert sum(float(row[place]) for row in rows[1:] if row[place] is not None) == pytest.approx(sql)


def test_the_workbook_keeps_its_contract(out: Path) -> None:
    book = openpyxl.load_workbook(out / "risk" / "archive" / "2026-11-23" / "risk_all_2026-11-23.xlsx")
    assert book.sheetnames == ["README", "Summary", *(name for name, *_ in TABLES)]
    for name, table, _, columns, *_ in TABLES:
        sheet = book[name]
        assert list(sheet.tables) == [table]
        assert not sheet.merged_cells.ranges
        assert sheet.freeze_panes is not None
        assert [cell.value for cell in sheet[1]] == [column.header for column in columns]
        formulas = [cell.coordinate for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
        assert formulas == []
    rows = list(book["Risk"].iter_rows(values_only=True))
    names = {row[rows[0].index("row_key")]: row[rows[0].index("supplier_name")] for row in rows[1:]}
    assert names["E"] == "=cmd()"  # as text
    assert {str(row[rows[0].index("band")]).split()[0] for row in rows[1:]} <= {
        "▲▲",
        "▲",
        "●",
        "▽",
        "▽▽",
        "?",
    }
    assert book["Risk"].print_title_rows == "$1:$1"
    assert book.custom_doc_props["run_id"].value


def test_the_same_file_gives_the_same_bytes(out: Path, reader: Database, tmp_path: Path) -> None:
    for name in ("one.xlsx", "two.xlsx"):
        write_risk_book(load_risk_book(reader, AudienceSettings()), tmp_path / name)
    one, two = ((tmp_path / name).read_bytes() for name in ("one.xlsx", "two.xlsx"))
    assert hashlib.sha256(one).hexdigest() == hashlib.sha256(two).hexdigest()
    manifest = json.loads((out / "risk" / "latest" / "manifest.json").read_text(encoding="utf-8"))
    sums = {entry["file"]: entry["sha256"] for entry in manifest["files"]}
    assert (
        sums["risk_all.xlsx"]
        == hashlib.sha256((out / "risk" / "latest" / "risk_all.xlsx").read_bytes()).hexdigest()
    )
    assert "datapackage.json" in sums


def test_an_audience_sees_its_lines_and_their_sum(reader: Database) -> None:
    book = load_risk_book(reader, AudienceSettings(name="ann", owners=("Ann",)))
    assert set(book.risk["line_id"]) == {"A", "C", "E"}
    own = book.totals.filter(pl.col("grouping") == "total", pl.col("regime") == "full_stop").row(
        0, named=True
    )
    told = reader.query(
        "SELECT * FROM mart.purchase_total WHERE grouping = 'owner' AND name = 'Ann' AND regime = 'full_stop'"
    ).row(0, named=True)
    assert own["missing_usd_p90"] == pytest.approx(told["missing_usd_p90"])
    assert own["tail_share"] == pytest.approx(1.0)


def test_actions_are_read_and_never_overwritten(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = out / "risk" / "actions_all.xlsx"
    book = openpyxl.load_workbook(path)
    sheet = book.active
    assert sheet is not None
    sheet["A2"], sheet["E2"], sheet["F2"], sheet["G2"] = (
        "A",
        "in progress",
        date(2026, 12, 31),
        "second source asked",
    )
    book.save(path)
    before = path.read_bytes()
    assert main(["portfolio", "report", "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip().endswith("risk_all.xlsx")
    assert path.read_bytes() == before
    rows = list(
        openpyxl.load_workbook(out / "risk" / "latest" / "risk_all.xlsx")["Risk"].iter_rows(values_only=True)
    )
    line = next(dict(zip(rows[0], row, strict=True)) for row in rows[1:] if row[0] == "A")
    assert (line["action_status"], str(line["action_due"])[:10], line["action_note"]) == (
        "in progress",
        "2026-12-31",
        "second source asked",
    )


def test_actions_that_cannot_be_read_cost_no_night(tmp_path: Path) -> None:
    path = tmp_path / "actions_all.xlsx"
    path.write_bytes(b"PK\x03\x04 half a file")
    found, notes = read_actions(path)
    assert found.is_empty()
    assert notes[0].startswith("actions are not shown")


def test_without_purchases_a_run_says_how_to_add_some(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["portfolio", "report", "--out", str(tmp_path / "nothing")]) == 30
    assert "nothing is published in this folder yet" in capsys.readouterr().err


NEUTRAL_SCHEMA = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["supplier_id", "as_of", "category", "score", "raw_score", "rationale"],
        "properties": {
            "score": {"type": ["number", "null"], "minimum": 0, "maximum": 100},
            "as_of": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
            "rationale": {"type": "string", "minLength": 10},
        },
    },
}
ARIBA_SCHEMA = {
    "type": "object",
    "required": ["suppliers"],
    "additionalProperties": False,
    "properties": {
        "suppliers": {
            "type": "array",
            "minItems": 1,
            "maxItems": 100,
            "items": {
                "type": "object",
                "required": ["smVendorId", "customFields"],
                "additionalProperties": False,
                "properties": {
                    "smVendorId": {"type": "string"},
                    "customFields": {
                        "type": "object",
                        "maxProperties": 300,
                        "properties": {"curblineLevel": {"enum": ["Unknown", "Low", "Medium", "High"]}},
                    },
                },
            },
        }
    },
}
PREWAVE_SCHEMA = {
    "type": "object",
    "required": ["scores"],
    "properties": {
        "scores": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["supplierId", "score", "date"],
                "properties": {"score": {"type": "number", "minimum": 0, "maximum": 100}},
            },
        }
    },
}


def test_other_systems_get_their_shapes_and_no_owners(out: Path, tmp_path: Path) -> None:
    for kind in FORMATS:
        assert main(["portfolio", "send", kind, "--to", str(tmp_path / kind), "--out", str(out)]) == 0
    read = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*/*")}
    jsonschema.validate(json.loads(read["suppliers.json"]), NEUTRAL_SCHEMA)
    jsonschema.validate(json.loads(read["ariba-001.json"]), ARIBA_SCHEMA)
    jsonschema.validate(json.loads(read["prewave.json"]), PREWAVE_SCHEMA)
    header = read["coupa.csv"].splitlines()[0]
    assert (
        header
        == "Supplier Number,Curbline Score,Curbline Band,Curbline Spend At Risk USD,Curbline Rationale,Curbline As Of"
    )
    for name, text in read.items():
        assert not [one for one in ("Ann", "Bob") if one in text], f"{name} names a person"
    levels = {
        row["smVendorId"]: row["customFields"]["curblineLevel"]
        for row in json.loads(read["ariba-001.json"])["suppliers"]
    }
    assert levels["Carl"] == "Unknown"  # its line has no route
    assert "Carl" not in [row["supplierId"] for row in json.loads(read["prewave.json"])["scores"]]


def test_a_batch_holds_a_hundred_suppliers(reader: Database) -> None:
    many = pl.concat([suppliers(reader)] * 48)
    sizes = [len(body["suppliers"]) for body in ariba(many)]
    assert sizes == [100, 100, 40]


def test_a_mapping_that_names_no_column_is_refused(reader: Database) -> None:
    with pytest.raises(InputError, match="did you mean 'score'"):
        coupa(suppliers(reader), {"scor": "Score"})


def test_a_plan_is_what_scoring_again_with_its_steps_gives(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stock days that a plan buys are put into the file; the run then has the spend at risk that was planned."""
    costs = tmp_path / "costs.csv"
    costs.write_text("line_id,step,cost_usd,most\n*,stock_day,1000,30\n", encoding="utf-8")
    capsys.readouterr()
    asked = [
        "plan",
        "--budget",
        "20000",
        "--costs",
        str(costs),
        "--regime",
        "full_stop",
        "--out",
        str(out),
        "--json",
    ]
    assert main(asked) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["spent_usd"] == pytest.approx(20000)
    assert found["planned_missing_usd"] < found["expected_missing_usd"]
    days = {step["line_id"]: step["units"] for step in found["steps"]}
    with Database.open(out / "curbline.duckdb", read_only=True) as file:
        lines, draws = (
            file.query("SELECT * FROM mart.purchase"),
            file.query("SELECT * FROM mart.purchase_draw"),
        )
    more = pl.col("line_id").replace_strict(days, default=0.0, return_dtype=pl.Float64)
    stocked = lines.with_columns(
        stock_days=pl.when(more > 0).then(pl.col("stock_days").fill_null(0.0) + more).otherwise("stock_days")
    )
    again = Book.from_marts(stocked, draws).totals()
    total = again.filter(pl.col("grouping") == "total", pl.col("regime") == "full_stop").row(0, named=True)
    assert total["expected_missing_usd"] == pytest.approx(found["planned_missing_usd"])
    assert total["tail_usd"] == pytest.approx(found["planned_tail_usd"])


BAD_COSTS = {
    "line_id,step,cost_usd,most\nA,stok_day,1,1\n": "did you mean 'stock_day'",
    "line_id,step,cost_usd,most\nA,stock_day,,1\n": "give one of cost_usd or cost_spend_share",
    "line_id,step,cost_usd,most\nA,substitution,1,200\n": "at most 100 percent",
    "line_id,step,cost_usd,most\nA,second_source,1,20\n": "needs its exporter",
    "line_id,step,cost_usd,most\nZZ,stock_day,1,20\n": "which is not among the purchases",
    "line_id,step,cost_usd,most,exporter\nA,second_source,1,20,USA\n": "no draws are kept",
    "a,b\n1,2\n": "lacks columns",
}


@pytest.mark.parametrize("text", BAD_COSTS)
def test_costs_that_cannot_be_used_say_why(
    text: str, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "costs.csv").write_text(text, encoding="utf-8")
    asked = [
        "plan",
        "--budget",
        "100",
        "--costs",
        str(tmp_path / "costs.csv"),
        "--regime",
        "full_stop",
        "--out",
        str(out),
    ]
    assert main(asked) == 30
    assert BAD_COSTS[text] in " ".join(capsys.readouterr().err.split())


def test_a_dossier_has_the_chapters_of_the_article_and_runs_nothing(out: Path, tmp_path: Path) -> None:
    assert main(["dossier", "--portfolio", "--to", str(tmp_path / "d"), "--out", str(out)]) == 0
    page = (tmp_path / "d" / "dossier_purchases_2026-11-23.html").read_text(encoding="utf-8")
    chapters = re.findall(r"<h2>(.*?)</h2>", page)
    assert chapters == [
        "For the board", "1. Where raw materials are extracted and processed", "2. What may affect supply", "3. How vulnerable we are",
        "4. What can be done, and what is under way", "5. Information asked of suppliers", "Sources", "Which snapshot this is",
    ]  # fmt: skip
    assert "<script" not in page
    assert ">WLD" not in page
    with Database.open(out / "curbline.duckdb", read_only=True) as file:
        run = file.query("SELECT run_id FROM meta.run").item()
    assert f"Run {run}" in page
    document = docx.Document(str(tmp_path / "d" / "dossier_purchases_2026-11-23.docx"))
    assert [
        one.text for one in document.paragraphs if one.style is not None and one.style.name == "Heading 1"
    ] == chapters
    asked = next(table for table in document.tables if table.rows[0].cells[0].text == "Supplier to ask")
    assert [row.cells[0].text for row in asked.rows[1:]] == ["Bert", "Carl"]


def test_texts_of_a_companys_file_are_escaped_in_a_dossier() -> None:
    page = as_html(Dossier("<b>", "s", [Rows(("a",), [("<script>x</script>",)]), "<img onerror=x>"]))
    assert "<script>" not in page
    assert "<img" not in page
    assert "&lt;script&gt;x" in page


def test_a_dossier_is_of_one_thing(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dossier", "--to", str(tmp_path / "d"), "--out", str(out)]) == 40
    assert "name --portfolio or --importer CODE" in capsys.readouterr().err
    assert main(["dossier", "--importer", "DEU", "--to", str(tmp_path / "d"), "--out", str(out)]) == 0
    assert "For the board" in (tmp_path / "d" / "dossier_deu_2026-11-23.html").read_text(encoding="utf-8")


def test_a_file_of_an_earlier_version_is_refused_in_a_sentence(
    small_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for asked in (
        ["portfolio", "report"],
        ["portfolio", "send", "ariba", "--to", str(tmp_path / "d")],
        ["plan", "--budget", "9", "--costs", "demo"],
    ):
        assert main([*asked, "--out", str(small_root)]) == 30
        assert "published by an earlier version" in capsys.readouterr().err
