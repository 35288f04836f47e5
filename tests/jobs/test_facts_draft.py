"""From text to rows by rules: what is found, with its sentence, held against the ledger, and drafted for a person."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from jobs.cli import main
from jobs.errors import InputError
from jobs.facts.draft import Origin, drafted, names_of, seen, text_of
from jobs.facts.file import read_facts_file
from jobs.facts.statements import sentences, statements
from jobs.resources import default_facts_dir
from warehouse.bundle.reading import read_tables

NOTICE = """MOFCOM Announcement No. 90 of 2026 on export controls of silicon metal

The Ministry of Commerce and the General Administration of Customs announce on November 20, 2026 that exporters of silicon
metal under HS code 2804.69 need a licence. The announcement takes effect on December 1, 2026. Items of control code
3C990.a are covered. In 2025, 700,000 tonnes were exported, 23 % of them to Japan.
"""
ORIGIN = Origin(
    "mofcom-2026-11-20-x",
    "MOFCOM",
    "Announcement No. 90 of 2026",
    "https://example.org/90",
    "A",
    date(2026, 11, 20),
)


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    return read_tables(
        [default_facts_dir()], ("minerals", "countries", "hs_codes", "measures", "measure_states")
    )


def found(text: str, tables: dict[str, pl.DataFrame]) -> set[tuple[str, str]]:
    return {(one.kind, one.value) for one in statements(text, names_of(tables))}


def test_every_statement_of_a_notice_is_found_with_its_sentence(tables: dict[str, pl.DataFrame]) -> None:
    told = found(NOTICE, tables)
    assert {
        ("notice", "90/2026"), ("instrument", "export_licence"), ("hs_code", "280469"), ("date_of_effect", "2026-12-01"),
        ("control_code", "3C990.a"), ("mineral", "silicon"), ("tonnes", "700000"), ("share", "0.23"), ("destination", "JPN"),
    } <= told  # fmt: skip
    by_kind = {one.kind: one.sentence for one in statements(NOTICE, names_of(tables))}
    assert by_kind["date_of_effect"] == "The announcement takes effect on December 1, 2026."


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Announcement 70 of 2025 suspends them until November 10, 2026.", "suspended", "until 2026-11-10"),
        ("The measures are suspended.", "suspended", "no end stated"),
        ("The order repeals it from 6 January 2023.", "ended", "2023-01-06"),
        ("商务部公告2025年第61号，自2025年12月1日起实施。", "notice", "61/2025"),
        ("商务部公告2025年第61号，自2025年12月1日起实施。", "date_of_effect", "2025-12-01"),
        ("Exports of gallium to the United States are prohibited.", "instrument", "export_ban"),
        ("Exports of gallium to the United States are prohibited.", "destination", "USA"),
        ("A quota of 18,125 t is set.", "instrument", "quota"),
        ("They shipped 4,260 kilograms of gallium.", "tonnes", "4.26"),
        ("1.2 million tonnes of concentrate may leave.", "tonnes", "1.2e+06"),
        ("Both signed a memorandum of understanding.", "agreement", "memorandum of understanding"),
        ("The rules are effective July 1, 2026.", "date_of_effect", "2026-07-01"),
        ("Rare earths are named.", "mineral", "rare_earths"),
    ],
)  # fmt: skip
def test_statements_by_kind(tables: dict[str, pl.DataFrame], text: str, kind: str, value: str) -> None:
    assert (kind, value) in found(text, tables)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Call 281122 for more.", "hs_code"),  # no code of goods without a word for it
        ("On December 1, 2026 the minister spoke.", "date_of_effect"),
        ("The year 2026 was good.", "notice"),
        ("Germanic tribes lived there.", "mineral"),
        ("30 February 2026 takes effect.", "date_of_effect"),
    ],
)
def test_what_is_not_stated_is_not_found(tables: dict[str, pl.DataFrame], text: str, kind: str) -> None:
    assert kind not in {one for one, _ in found(text, tables)}


def test_a_draft_is_a_facts_file_whose_rows_say_where_they_come_from(
    tables: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    rows, _ = drafted(NOTICE, ORIGIN, tables)
    path = tmp_path / "draft.yml"
    path.write_text(rows, encoding="utf-8")
    read = {
        (row.table, row.cells.get("state") or row.cells.get("mineral") or ""): row.cells
        for row in read_facts_file(path)[0]
    }
    assert read["measures", ""]["notice"] == "MOFCOM 90/2026"
    assert read["measures", ""]["instrument"] == "export_licence"
    assert read["measure_states", "announced"]["valid_to"] == "2026-12-01"
    assert read["measure_states", "in_force"]["valid_from"] == "2026-12-01"
    item = read["measure_items", "silicon"]
    assert (item["stage"], item["hs6"], item["known_from"]) == ("refined", "280469", "2026-11-20")
    assert "coverage_share_best" not in item  # the text does not say, so it stays unknown
    assert "# from: The announcement takes effect on December 1, 2026." in rows


def test_a_draft_is_added_as_it_is_and_a_second_time_changes_nothing(
    tables: dict[str, pl.DataFrame], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "draft.yml"
    path.write_text(drafted(NOTICE, ORIGIN, tables)[0], encoding="utf-8")
    assert main(["facts", "add", str(path), "--to", str(tmp_path / "own")]) == 0
    assert "measure_items: 1 added." in capsys.readouterr().out
    assert main(["facts", "add", str(path), "--to", str(tmp_path / "own")]) == 0
    assert "already there" in capsys.readouterr().out


def test_an_article_without_a_notice_drafts_a_source_alone(
    tables: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    rows, _ = drafted("Gallium prices rose 5 % in Germany.", ORIGIN, tables)
    path = tmp_path / "draft.yml"
    path.write_text(rows, encoding="utf-8")
    assert [row.table for row in read_facts_file(path)[0]] == ["sources"]
    assert "# No rows of a measure" in rows
    assert "# share: 0.05 |" in rows


def test_statements_are_held_against_the_ledger(tables: dict[str, pl.DataFrame]) -> None:
    text = (
        "MOFCOM Announcement No. 57 of 2025 takes effect on November 8, 2025. It was suspended until November 10, 2026. "
        "Announcement No. 999 of 2026 is new."
    )
    _, told = drafted(text, ORIGIN, tables)
    verdict = {(one.statement.kind, one.statement.value): one.verdict for one in told if one.verdict}
    assert verdict["notice", "57/2025"] == "agrees"
    assert verdict["notice", "999/2026"] == "not in the ledger"
    assert verdict["suspended", "until 2026-11-10"] == "agrees"
    _, wrong = drafted(text.replace("November 10", "November 20"), ORIGIN, tables)
    assert {one.verdict for one in wrong if one.statement.kind == "suspended"} == {"differs"}


def test_text_with_quotes_and_markup_makes_a_valid_draft(
    tables: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    origin = Origin(
        "x-1", 'A "quoted": # name', "Title: {braces} & 'quotes'\nsecond line", "", "C", date(2026, 11, 20)
    )
    rows, _ = drafted(NOTICE.replace("silicon metal", 'silicon "metal": {x} # y'), origin, tables)
    path = tmp_path / "draft.yml"
    path.write_text(rows, encoding="utf-8")
    assert read_facts_file(path)[0][0].cells["publisher"] == 'A "quoted": # name'


def test_a_web_page_is_read_as_a_reader_sees_it(tmp_path: Path) -> None:
    html = "<html><head><script>var gallium = 1</script></head><body><nav>Home</nav><p>Germanium.</p><p>Tin &amp; zinc.</p></body></html>"
    assert [line for line in seen(html).split("\n") if line] == ["Germanium.", "Tin & zinc."]
    path = tmp_path / "page.html"
    path.write_text(html, encoding="utf-8")
    assert "gallium" not in text_of(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"%PDF-1.7 ...", "is a PDF"), (b"", "holds no text"), (b"\xff\xfe\x00\xff\x80", "is not UTF-8"), (b"<html><body></body></html>", "no text")],
)  # fmt: skip
def test_what_has_no_text_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(InputError, match=says):
        text_of(path)


def test_sentences_keep_abbreviations_whole() -> None:
    assert sentences("Announcement No. 5 of 2026 came. It holds.") == [
        "Announcement No. 5 of 2026 came.",
        "It holds.",
    ]


def test_the_command_says_what_is_wrong_with_its_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "notice.txt"
    path.write_text(NOTICE, encoding="utf-8")
    given = ["facts", "draft", str(path), "--publisher", "MOFCOM", "--published", "2026-11-20"]
    assert main([*given, "--to", str(tmp_path / "d.yml")]) == 0
    assert "notice 90/2026: not in the ledger" in capsys.readouterr().out
    assert main([*given, "--to", str(tmp_path / "d.yml")]) == 40
    assert "is there already" in capsys.readouterr().err
    assert main([*given, "--grade", "E"]) == 40
    assert main([*given[:3], "--publisher", "M", "--published", "20.11.2026"]) == 40
    assert main(["facts", "draft", str(tmp_path / "none.txt"), *given[3:]]) == 30
