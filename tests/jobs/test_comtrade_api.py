"""Asking UN Comtrade, against a server that has its limits, its throttle and its bad days."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from jobs.cli import main
from jobs.errors import InputError, SettingsError
from jobs.facts import comtrade_api
from jobs.facts.comtrade_api import Limits, gather
from jobs.facts.fetch import Fetched
from jobs.facts.importing import read_map
from tests.jobs.web import Visit, Web
from tests.warehouse.sources.comtrade_rows import READING, answer, record
from warehouse.bundle.reading import read_bundles

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
KEY = "0123456789abcdef"
GET, PREVIEW = "/data/v1/get/C/A/H0", "/public/v1/preview/C/A/H0"
FACTS = Path(__file__).parents[2] / "warehouse" / "facts"
#: Two reporters, both flows, two codes, three partners each.
ROWS = [
    record(reporter, flow, partner, cmdCode=code)
    for reporter in ("842", "392")
    for flow in "MX"
    for code in ("284690", "081110")
    for partner in ("156", "490", "104")
]


class Comtrade:
    """What the interface knows and how it answers; `before` may answer in its stead."""

    def __init__(self, web: Web, limit: int = 1000) -> None:
        self.web, self.limit = web, limit
        self.before: Callable[[Visit, int], bool] = lambda _visit, _count: False
        for path in (
            start.replace("H0", revision) for start in (GET, PREVIEW) for revision in ("H0", "H5", "H6")
        ):
            web.scripts[path] = self.answers

    def answers(self, visit: Visit, _: int) -> None:
        if self.before(visit, len(self.web.asked)):
            return
        if visit.path.startswith("/data") and visit.headers["Ocp-Apim-Subscription-Key"] != KEY:
            visit.reply(
                401, b'{"statusCode": 401, "message": "Access denied due to invalid subscription key."}'
            )
            return
        asked = {name: values[0] for name, values in parse_qs(urlsplit(visit.path).query).items()}
        found = [
            row
            for row in ROWS
            if row["reporterCode"] in asked["reporterCode"].split(",")
            and row["cmdCode"] in asked["cmdCode"].split(",")
            and row["flowCode"] == asked["flowCode"]
            and row["period"] == asked["period"]
            and row["classificationCode"] == urlsplit(visit.path).path[-2:]
        ]
        visit.reply(200, answer(*found[: self.limit]), Content_Type="application/json")


@pytest.fixture
def comtrade(web: Web, monkeypatch: pytest.MonkeyPatch) -> Comtrade:
    limit(monkeypatch, 1000)
    monkeypatch.delenv("COMTRADE_API_KEY", raising=False)
    return Comtrade(web)


def limit(monkeypatch: pytest.MonkeyPatch, records: int, calls: int = 50) -> None:
    monkeypatch.setattr(comtrade_api, "WITH_KEY", Limits(records, calls, pause_s=0))
    monkeypatch.setattr(comtrade_api, "WITHOUT_KEY", Limits(records, calls, pause_s=0))


def ask(web: Web, cache: Path, **other: object) -> Fetched:
    given: dict[str, object] = {"key": KEY, "base_url": web.url(""), "reporters": ("USA", "JPN"), **other}
    reporters = given.pop("reporters")
    return gather((2023,), reporters, READING.tables, cache, AT, **given)  # type: ignore[arg-type]


def records(found: Fetched) -> list[tuple[str, ...]]:
    """Key of every record in the archive."""
    keys = ("reporterCode", "flowCode", "cmdCode", "partnerCode")
    with zipfile.ZipFile(found.path) as archive:
        pages = [json.loads(archive.read(name))["data"] for name in archive.namelist()]
    return [tuple(str(row[key]) for key in keys) for page in pages for row in page]


ALL = sorted((r["reporterCode"], r["flowCode"], r["cmdCode"], r["partnerCode"]) for r in ROWS)


def test_totals_are_asked_for_and_the_key_is_nowhere_but_in_its_header(
    comtrade: Comtrade, tmp_path: Path
) -> None:
    said: list[str] = []
    done = ask(comtrade.web, tmp_path, say=said.append)
    assert sorted(records(done)) == ALL
    assert done.path.name == "comtrade-2023-usa-jpn[2026-11-24].zip"
    query = parse_qs(urlsplit(comtrade.web.queries[0]).query)
    totals = ("partner2Code", "customsCode", "motCode")
    assert [query[name] for name in totals] == [["0"], ["C00"], ["0"]]
    assert all(headers["Ocp-Apim-Subscription-Key"] == KEY for _, headers in comtrade.web.asked)
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    told = [*said, *comtrade.web.queries, str(done)]
    assert not any(KEY.encode() in content for content in files)
    assert not any(KEY in text for text in told)


@pytest.mark.parametrize("records_of_call", [4, 5, 7, 13])
def test_an_answer_at_the_limit_is_halved_until_it_is_whole(
    comtrade: Comtrade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, records_of_call: int
) -> None:
    comtrade.limit = records_of_call
    limit(monkeypatch, records_of_call)
    monkeypatch.setattr(comtrade_api, "_PARTNERS", 1)  # the first guess is too bold
    assert sorted(records(ask(comtrade.web, tmp_path))) == ALL


def test_one_code_of_one_reporter_at_the_limit(
    comtrade: Comtrade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    comtrade.limit = 3
    limit(monkeypatch, 3)
    with pytest.raises(
        InputError, match="one code of one reporter has 3 records, which is the limit or more"
    ):
        ask(comtrade.web, tmp_path)


def test_a_throttle_is_waited_for(
    comtrade: Comtrade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("jobs.facts.fetch_http.time.sleep", waits.append)

    def throttle(visit: Visit, count: int) -> bool:
        if count % 2:
            visit.reply(429, b'{"statusCode": 429, "message": "Try again in 1 seconds."}', Retry_After="1")
        return bool(count % 2)

    comtrade.before = throttle
    assert sorted(records(ask(comtrade.web, tmp_path))) == ALL
    assert set(waits) == {1.0, 0}


def test_the_run_goes_on_where_the_day_ended(comtrade: Comtrade, tmp_path: Path) -> None:
    said = (
        b'{"statusCode": 403, "message": "Out of call volume quota. Quota will be replenished in 03:14:17."}'
    )

    def quota(visit: Visit, count: int) -> bool:
        if count > 2:
            visit.reply(403, said)
        return count > 2

    comtrade.before = quota
    with pytest.raises(InputError, match=r"day's calls are used up .*03:14:17"):
        ask(comtrade.web, tmp_path)
    asked = len(comtrade.web.asked)
    comtrade.before = lambda _visit, _count: False
    assert sorted(records(ask(comtrade.web, tmp_path))) == ALL
    again = [query for query in comtrade.web.queries[asked:] if query in comtrade.web.queries[:2]]
    assert not again, "what was answered is not asked again"


def test_offline_and_old_answers(comtrade: Comtrade, tmp_path: Path) -> None:
    first = ask(comtrade.web, tmp_path)
    asked = len(comtrade.web.asked)
    week_later = AT + timedelta(days=8)
    reading = ("USA", "JPN"), READING.tables, tmp_path
    offline = gather((2023,), *reading, week_later, key=KEY, base_url=comtrade.web.url(""), offline=True)
    assert (len(comtrade.web.asked), offline) == (asked, replace(first, from_cache=True))
    gather((2023,), *reading, week_later, key=KEY, base_url=comtrade.web.url(""))
    assert len(comtrade.web.asked) == 2 * asked
    with pytest.raises(InputError, match="not in the cache"):
        ask(comtrade.web, tmp_path / "other", offline=True)


def test_more_questions_than_a_day_allows(
    comtrade: Comtrade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(monkeypatch, 1000, calls=2)
    with pytest.raises(InputError, match="2 calls made and 2 left"):
        ask(comtrade.web, tmp_path)
    assert sorted(records(ask(comtrade.web, tmp_path))) == ALL


def test_without_a_key_only_a_few_countries(
    comtrade: Comtrade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match=r"COMTRADE_API_KEY: is not set, .* would be all countries"):
        ask(comtrade.web, tmp_path, key="", reporters=())
    limit(monkeypatch, 1000, calls=3)
    with pytest.raises(SettingsError, match="would be 4 calls"):
        ask(comtrade.web, tmp_path, key="")
    assert not comtrade.web.asked
    limit(monkeypatch, 1000)
    assert sorted(records(ask(comtrade.web, tmp_path, key=""))) == ALL
    assert {path for path, _ in comtrade.web.asked} == {
        PREVIEW.replace("H0", revision) for revision in ("H0", "H5")
    }


def test_an_answer_that_admits_to_be_cut_is_halved(comtrade: Comtrade, tmp_path: Path) -> None:
    def cut(visit: Visit, count: int) -> bool:
        if count == 1:
            visit.reply(200, answer(*ROWS[:2]).replace(b'"count": 2', b'"count": 6'))
        return count == 1

    comtrade.before = cut
    assert sorted(records(ask(comtrade.web, tmp_path))) == ALL


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<html>Sorry</html>", "is a web page"),
        (b"Sorry", "no JSON with a list of data"),
        (b'{"data": null}', "no JSON with a list of data"),
        (b'{"data": [], "error": "Too many parameters"}', "Too many parameters"),
    ],
)
def test_what_is_no_answer_is_not_kept(comtrade: Comtrade, tmp_path: Path, body: bytes, says: str) -> None:
    def wrong(visit: Visit, count: int) -> bool:
        if count == 1:
            visit.reply(200, body)
        return count == 1

    comtrade.before = wrong
    with pytest.raises(InputError, match=says):
        ask(comtrade.web, tmp_path)
    assert sorted(records(ask(comtrade.web, tmp_path))) == ALL


def test_wrong_key_and_other_wrong_settings(comtrade: Comtrade, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not accept the key in COMTRADE_API_KEY") as caught:
        ask(comtrade.web, tmp_path, key="sesame")
    assert "sesame" not in str(caught.value)
    with pytest.raises(SettingsError, match="is not a valid key") as unfit:
        ask(comtrade.web, tmp_path, key="open\nsesame")
    assert "sesame" not in str(unfit.value)
    with pytest.raises(SettingsError, match="only sent over https"):
        ask(comtrade.web, tmp_path, base_url="http://comtradeapi.un.org")
    with pytest.raises(SettingsError, match="--reporter 'JAP' is not a country"):
        ask(comtrade.web, tmp_path, reporters=("JAP",))
    with pytest.raises(SettingsError, match="given twice"):
        ask(comtrade.web, tmp_path, reporters=("JPN", "JPN"))
    with pytest.raises(SettingsError, match="--year 2027"):
        gather((2027,), (), READING.tables, tmp_path, AT, key=KEY)


def test_the_whole_map_fits_into_addresses_and_calls(comtrade: Comtrade, tmp_path: Path) -> None:
    tables = read_map()
    numbers = tuple(tables["countries"].drop_nulls("baci_code")["baci_code"])
    found = comtrade_api._calls((2025,), numbers, tables["hs_codes"], Limits(100_000, 500))
    urls = [one.url(comtrade_api.BASE_URL, "data/v1/get", 100_000) for one in found]
    assert max(map(len, urls)) <= 1_800
    assert len(urls) <= 40
    asked = {
        (one.classification, code, number) for one in found for code in one.codes for number in one.reporters
    }
    codes = tables["hs_codes"].select("hs_revision", "hs6").unique().height
    assert len(asked) == codes * len(numbers)


def test_command_line(
    comtrade: Comtrade,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COMTRADE_API_KEY", KEY)
    monkeypatch.setattr("jobs.commands.facts.now", lambda: AT)
    out = tmp_path / "bundle"
    given = ["facts", "import", "comtrade", "--year", "2023", "--reporter", "usa", "--reporter", "JPN"]
    given += ["--base-url", comtrade.web.url("/"), "--cache", str(tmp_path / "cache"), "--out", str(out)]
    assert main([*given, "--any-size"]) == 0
    printed = capsys.readouterr()
    assert "12 rows in trade" in printed.out
    assert "reporters 2: 0 records; 0 calls left" in printed.err
    assert KEY not in printed.out + printed.err
    assert not any(KEY.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    report = read_bundles([FACTS, out], strict=True).report
    assert report.bundles[-1].version == "2026-11-24"
    sources = (out / "sources.csv").read_text(encoding="utf-8")
    assert comtrade.web.url("/data/v1/get/C/A") in sources
    assert "fetched on 2026-11-24, sha256 " in sources
    monkeypatch.delenv("COMTRADE_API_KEY")
    assert main(["facts", "import", "comtrade", "--year", "2023", "--out", str(tmp_path / "x")]) == 40
