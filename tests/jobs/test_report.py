"""The report: no dead link, nothing unescaped, an unknown is a word, and its numbers are those of the published file."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import polars as pl
import pytest

from jobs.errors import InputError, SettingsError
from jobs.report.build import MARK, Report, build_report
from jobs.report.charts import Chart, heat, money
from jobs.report.lanes import waterfall_chart
from jobs.report.picture import chart_for, refuse_unknown, write_picture
from jobs.report.words import money as said_money
from jobs.report.words import money_range, shown, slug
from tests.jobs.conftest import build_small
from warehouse.database import Database
from warehouse.published.mart_columns import TABLES_OF_MART

HOSTILE = '<script>alert("x")</script>'
TURNED = "Ja\u202epan\u200f"
MORE = f"""
CREATE OR REPLACE TABLE meta.run AS SELECT *, NULL::VARCHAR AS since_run_id, NULL::DATE AS since_as_of, 64::BIGINT AS draws,
  false AS strict_knowledge, ['tiny 1'] AS bundles, 'f00' AS facts_hash, 'b00' AS rules_hash FROM meta.run;
CREATE OR REPLACE TABLE meta.rule AS SELECT *, 1::BIGINT AS version, 'active' AS status, 'A licence' AS title,
  'withheld' AS sets, 'Because "it" is & was' AS rationale FROM meta.rule;
CREATE TABLE meta.check AS SELECT 'exposure: finite' AS check_name, true AS passed, NULL::VARCHAR AS detail;
CREATE TABLE meta.rejected_row AS SELECT 'a' AS file, 1::BIGINT AS line, 'b' AS "column", 'c' AS value, 'd' AS reason WHERE false;
UPDATE core.minerals SET name = '{HOSTILE}' WHERE mineral = 'gallium';
UPDATE core.countries SET name = '{TURNED}' WHERE country = 'JPN';
UPDATE core.sources SET url = 'javascript:alert(1)' WHERE source_id = 'src-b';
INSERT INTO core.measure_states BY NAME SELECT 'mofcom-23-2023' AS measure_id, 'all' AS clause, '*' AS destination,
  'in_force' AS state, DATE '2023-08-01' AS valid_from, '{HOSTILE}' AS basis, 'src-a' AS source_id, DATE '2023-07-03' AS known_from;
INSERT INTO core.production BY NAME SELECT 'gallium' AS mineral, 'refined' AS stage, 'CHN' AS country, 2024 AS year,
  590.0 AS production_t_low, 600.0 AS production_t_best, 610.0 AS production_t_high, 'reported' AS qualifier, 'src-a' AS source_id,
  DATE '2025-02-01' AS known_from;
"""


def prepared(folder: Path, marts: dict[str, pl.DataFrame]) -> Path:
    """Write a published file with names that would break a careless page."""
    path = folder / "night.duckdb"
    names = ("score_change", "score_change_reason")
    empty = {name: pl.DataFrame(schema={c.name: c.dtype for c in TABLES_OF_MART[name].own}) for name in names}
    build_small(path, {**marts, **empty})
    with Database.open(path) as database:
        database.execute(MORE)
    return path


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory, marts: dict[str, pl.DataFrame]) -> Path:
    return prepared(tmp_path_factory.mktemp("night"), marts)


@pytest.fixture(scope="module")
def report(night: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    with Database.open(night, read_only=True) as reader:
        return build_report(reader, tmp_path_factory.mktemp("report") / "latest")


class Read(HTMLParser):
    """Links, anchors, tags and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        given = dict(attrs)
        self.anchors |= {given["id"] or ""} if "id" in given else set()
        self.links += [value for name, value in attrs if name in {"href", "src"} and value and tag != "svg"]
        assert not any(name.startswith("on") for name, _ in attrs), "no handler of a script"

    def handle_data(self, data: str) -> None:
        self.text += data


def pages(report: Report) -> dict[Path, Read]:
    return {path: Read(path.read_text(encoding="utf-8")) for path in sorted(report.folder.rglob("*.html"))}


def test_every_kind_of_page_is_there(report: Report) -> None:
    found = {path.relative_to(report.folder).as_posix() for path in report.folder.rglob("*.html")}
    assert {
        "index.html",
        "find.html",
        "method.html",
        "sources.html",
        "importer/JPN.html",
        "importer/USA.html",
    } <= found
    assert {"mineral/gallium.html", "mineral/dysprosium.html", "measure/mofcom-23-2023.html"} <= found
    assert {"route/gallium-refined-CHN-USA.html", "route/dysprosium-fabricated-JPN-DEU.html"} <= found
    assert report.pages == len(found)


def test_no_link_is_dead(report: Report) -> None:
    read = pages(report)
    followed = 0
    for page, content in read.items():
        for link in content.links:
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme in {"http", "https"}, f"{page}: {link}"
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            assert target.is_file(), f"{page}: {link}"
            if parts.fragment:
                assert parts.fragment in read[target].anchors, f"{page}: {link}"
            followed += 1
    assert followed > 50


def test_names_are_escaped_and_nothing_is_a_script(report: Report) -> None:
    read = pages(report)
    assert not any("script" in content.tags for content in read.values())
    assert HOSTILE in read[report.folder / "mineral" / "gallium.html"].text
    assert HOSTILE in read[report.folder / "measure" / "mofcom-23-2023.html"].text
    everything = "".join(path.read_text(encoding="utf-8") for path in read)
    assert "\u202e" not in everything
    assert "\u200f" not in everything
    assert "Japan" in everything
    assert "javascript:" not in everything
    assert "http://" not in everything.replace("http://www.w3.org/", ""), (
        "no picture or style comes from elsewhere"
    )


def test_an_unknown_is_a_word_and_never_a_zero(report: Report) -> None:
    page = pages(report)[report.folder / "route" / "dysprosium-fabricated-JPN-DEU.html"].text
    assert "Unknown. No score can be formed: no pool can be formed. Unknown is not zero." in page
    assert "unknown expected to be missing within a year" in page
    assert " 0 %" not in page
    assert "None" not in page


def test_the_numbers_are_those_of_the_published_file(report: Report, night: Path) -> None:
    with Database.open(night, read_only=True) as reader:
        missing = reader.query(
            "SELECT expected_missing_usd FROM mart.route_missing WHERE (mineral, stage, exporter, importer, horizon_days, regime)"
            " = ('gallium', 'refined', 'CHN', 'USA', 365, 'active')"
        ).item()
    assert missing == pytest.approx(0.55**2 * 1234567)
    read = pages(report)
    assert "373 thousand USD" in read[report.folder / "route" / "gallium-refined-CHN-USA.html"].text
    assert "373 thousand USD" in read[report.folder / "index.html"].text
    assert "expect 160 USD of critical minerals" in read[report.folder / "index.html"].text


def test_figures_stand_beside_their_pictures(report: Report) -> None:
    rows = pl.read_csv(report.folder / "data" / "waterfalls.csv")
    usa = rows.filter((pl.col("importer") == "USA") & (pl.col("mineral") == "gallium"))
    assert usa["points"].to_list() == [90.0, -35.0]
    assert usa["end"].to_list() == [90.0, 55.0]
    origin = pl.read_csv(report.folder / "data" / "origin-gallium.csv")
    assert origin.select("country", "share").rows() == [("CHN", 1.0)]
    page = (report.folder / "mineral" / "gallium.html").read_text(encoding="utf-8")
    assert 'href="../data/origin-gallium.csv"' in page
    assert page.count("<svg") == 2
    assert "#010203" not in page, "the ink of a picture is that of the page"


def test_a_report_takes_the_place_of_a_report_only(night: Path, tmp_path: Path, report: Report) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with Database.open(night, read_only=True) as reader:
        with pytest.raises(SettingsError, match="not an earlier report"):
            build_report(reader, tmp_path)
        (report.folder / "route" / "stale.html").write_text("old", encoding="utf-8")
        before = (report.folder / "index.html").read_bytes()
        build_report(reader, report.folder)
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "mine"
    assert not (report.folder / "route" / "stale.html").exists()
    assert (report.folder / "index.html").read_bytes() == before
    assert (report.folder / MARK).is_file()


@pytest.mark.parametrize(
    ("usd", "said"),
    [
        (None, "unknown"), (0.0, "nothing"), (0.4, "under 1 USD"), (85.2, "85 USD"), (999_499.0, "999 thousand USD"),
        (999_999.0, "1.00 million USD"), (12_345_678.0, "12.3 million USD"), (-2e9, "-2.00 billion USD"),
    ],
)  # fmt: skip
def test_money_is_said_in_three_figures(usd: float | None, said: str) -> None:
    assert said_money(usd) == said


def test_a_range_says_its_unit_once() -> None:
    assert money_range(373e6, 646e6) == "373 to 646 million USD"
    assert money_range(0.0, 646e6) == "nothing to 646 million USD"
    assert money_range(None, 1.0) == "range unknown"


def test_names_of_files_are_safe_and_differ() -> None:
    assert slug("gallium", "refined", "CHN", "USA") == "gallium-refined-CHN-USA"
    assert re.fullmatch(r"[A-Za-z0-9_-]+", slug("../../etc/passwd"))
    assert slug("a/b") != slug("a:b")
    assert shown(None) == "unknown"


def test_an_unknown_is_drawn_as_the_word() -> None:
    rows = pl.DataFrame(
        {
            "name": ["gallium", "dysprosium"],
            "expected_missing_usd": [5e6, None],
            "missing_usd_p10": [4e6, None],
            "missing_usd_p90": [6e6, None],
        }
    )
    drawn = money(rows, "Money").svg("a")
    assert ">unknown<" in drawn
    squares = pl.DataFrame(
        {"mineral": ["gallium"], "stage": ["refined"], "band": [None], "score": [None]},
        schema_overrides={"band": pl.String},
    )
    chart: Chart = heat(squares, "Bands")
    assert ">unknown<" in chart.svg_alone()
    assert chart.png().startswith(b"\x89PNG")


def test_a_waterfall_ends_at_the_score_however_small_its_terms_are() -> None:
    points = [
        ("full stop", 90.0),
        ("law", -90.0),
        ("law", 30.0),
        ("law", 0.01),
        ("pledges", -0.02),
        ("stocks", -5.0),
    ]
    terms = [{"step_name": step, "measure_id": None, "points": value} for step, value in points]
    rows = waterfall_chart(terms, "A route").rows
    assert rows["name"].to_list() == ["1. full stop", "2. law", "3. law", "4. stocks", "score"]
    assert rows["end"].to_list()[-1] == pytest.approx(25.01)


@pytest.mark.parametrize(
    ("kind", "of"),
    [
        ("heat", ("USA",)),
        ("origin", ("gallium",)),
        ("timeline", ("Ga",)),
        ("waterfall", ("gallium", "refined", "CHN", "USA")),
    ],
)
def test_every_picture_is_drawn_for_a_slide(
    kind: str, of: tuple[str, ...], night: Path, tmp_path: Path
) -> None:
    with Database.open(night, read_only=True) as reader:
        write_picture(chart_for(reader, kind, of), tmp_path / "a.svg")
    drawn = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert drawn.startswith("<svg")
    assert "<script" not in drawn
    said = {"heat": ">moderate<", "origin": ">CHN<", "timeline": ">in force<", "waterfall": ">55.0<"}[kind]
    assert said in drawn


@pytest.mark.parametrize(
    ("kind", "of", "file", "said"),
    [
        ("heatt", ("JPN",), "a.svg", "did you mean 'heat'"),
        ("heat", (), "a.svg", "picture heat IMPORTER -o FILE"),
        ("waterfall", ("gallium",), "a.svg", "MINERAL STAGE EXPORTER IMPORTER"),
        ("money", (), "a.pdf", "written as .svg or .png"),
    ],
)
def test_a_picture_that_cannot_be_drawn_says_how(
    kind: str, of: tuple[str, ...], file: str, said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        refuse_unknown(kind, of, Path(file))


@pytest.mark.parametrize(
    ("kind", "of", "said"),
    [
        ("origin", "dysprosium", "no producer of dysprosium is known"),
        ("timeline", "dysprosium", "no measure names dysprosium"),
        ("money", "JPN", "nothing is known to be missing of what Japan buys"),
    ],
)
def test_there_is_no_picture_of_what_nobody_knows(night: Path, kind: str, of: str, said: str) -> None:
    with Database.open(night, read_only=True) as reader, pytest.raises(InputError, match=said):
        chart_for(reader, kind, (of,))
