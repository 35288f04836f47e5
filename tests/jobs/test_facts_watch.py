"""Watching feeds against local servers: seen, drafted, remembered, polite, bounded; nothing enters the ledger by itself."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from jobs.cli import main
from jobs.errors import InputError, SettingsError
from jobs.facts.feeds import Feed, items_of, read_feeds
from jobs.facts.looked import looked_at_feeds, looked_at_measures
from jobs.facts.polite import Caller, Manners
from jobs.facts.watch import read_looks, watch
from jobs.resources import default_facts_dir, feeds_file
from tests.jobs.test_facts_draft import NOTICE
from tests.jobs.web import Visit, Web, serving
from warehouse.bundle.reading import read_tables

AT = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=13)
QUICK = Manners(connect_s=1, read_s=1, total_s=2, pause_s=0)


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    return read_tables(
        [default_facts_dir()], ("minerals", "countries", "hs_codes", "measures", "measure_states")
    )


def rss(*items: tuple[str, str, str]) -> bytes:
    inner = "".join(
        f"<item><guid>{link}</guid><title>{title}</title><link>{link}</link><description>{text}</description>"
        "<pubDate>Fri, 20 Nov 2026 08:00:00 GMT</pubDate></item>"
        for title, link, text in items
    )
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>x</title>{inner}</channel></rss>'.encode()
    )


def feed(web: Web, name: str = "mofcom", path: str = "/rss", **more: object) -> Feed:
    plain = {
        "name": name,
        "url": web.url(path),
        "kind": "feed",
        "publisher": "MOFCOM",
        "grade": "A",
        "country": "CHN",
    }
    return Feed.model_validate(plain | more)


def plant(web: Web, *items: tuple[str, str, str]) -> None:
    body = rss(*items)
    web.scripts["/rss"] = lambda visit, _: visit.reply(200, body)


def test_a_planted_notice_is_seen_drafted_and_added_by_a_person(
    tmp_path: Path, tables: dict[str, pl.DataFrame], capsys: pytest.CaptureFixture[str]
) -> None:
    inbox = tmp_path / "inbox"
    with serving() as web:
        plant(web, ("Old gallium news", web.url("/old"), "gallium"))
        first = watch([feed(web)], inbox, tables, AT, caller=Caller(QUICK))
        assert [(one.outcome, one.drafts) for one in first] == [("first look", ())]
        page = f"<html><body><h1>Announcement</h1><p>{NOTICE.replace(chr(10) * 2, '</p><p>')}</p></body></html>".encode()
        web.scripts["/90"] = lambda visit, _: visit.reply(200, page)
        new = ("Announcement No. 90 of 2026", web.url("/90"), "see the page")
        plant(
            web,
            new,
            ("Weather report", web.url("/w"), "rain"),
            ("Old gallium news", web.url("/old"), "gallium"),
        )
        second = watch([feed(web)], inbox, tables, LATER, caller=Caller(QUICK))
        third = watch([feed(web)], inbox, tables, LATER, caller=Caller(QUICK), is_forced=True)
    assert [(one.outcome, len(one.drafts), one.others) for one in second] == [("new", 1, 1)]
    assert [(one.outcome, one.drafts) for one in third] == [("nothing new", ())]
    path = inbox / second[0].drafts[0]
    assert path.name.startswith("2026-11-20-mofcom-")
    assert "need a licence" in path.with_suffix(".txt").read_text(encoding="utf-8")
    assert main(["facts", "inbox", "--inbox", str(inbox)]) == 0
    assert "mineral: silicon, notice: 90/2026; rows of a measure" in capsys.readouterr().out
    assert main(["facts", "add", str(path), "--to", str(tmp_path / "own")]) == 0
    assert "measures: 1 added." in capsys.readouterr().out


def test_version_tags_are_sent_and_nothing_is_asked_before_it_is_due(
    tmp_path: Path, tables: dict[str, pl.DataFrame]
) -> None:
    def tagged(visit: Visit, count: int) -> None:
        if visit.headers.get("If-None-Match") == '"a"':
            visit.reply(304)
        else:
            visit.reply(
                200,
                rss(("Tin", "http://x.example/1", "")),
                ETag='"a"',
                Last_Modified="Fri, 20 Nov 2026 08:00:00 GMT",
            )

    with serving() as web:
        web.scripts["/rss"] = tagged
        watch([feed(web)], tmp_path, tables, AT, caller=Caller(QUICK))
        early = watch([feed(web)], tmp_path, tables, AT + timedelta(hours=1), caller=Caller(QUICK))
        later = watch([feed(web)], tmp_path, tables, LATER, caller=Caller(QUICK))
        asked = [headers for path, headers in web.asked if path == "/rss"]
    assert [early[0].outcome, later[0].outcome] == ["not due", "nothing new"]
    assert len(asked) == 2
    assert asked[1]["If-Modified-Since"] == "Fri, 20 Nov 2026 08:00:00 GMT"
    assert asked[0]["User-Agent"].startswith("curbline/")
    look = read_looks(tmp_path)["mofcom"]
    assert (look.last_looked, look.last_changed, look.failures) == (LATER.isoformat(), AT.isoformat(), 0)


def test_robots_are_heeded(tmp_path: Path, tables: dict[str, pl.DataFrame]) -> None:
    with serving() as web:
        web.scripts["/robots.txt"] = lambda visit, _: visit.reply(200, b"User-agent: *\nDisallow: /rss\n")
        plant(web, ("Tin", "http://x.example/1", ""))
        found = watch([feed(web)], tmp_path, tables, AT, caller=Caller(QUICK))
        assert [path for path, _ in web.asked] == ["/robots.txt"]
    assert found[0].outcome == "failed"
    assert "robots.txt asks programs not to read it" in found[0].said


def test_a_failing_feed_is_asked_less_and_less_and_heals(
    tmp_path: Path, tables: dict[str, pl.DataFrame]
) -> None:
    with serving() as web:
        web.scripts["/rss"] = lambda visit, _: visit.reply(503, b"", Retry_After="7200")
        watch([feed(web)], tmp_path, tables, AT, caller=Caller(QUICK))
        one = read_looks(tmp_path)["mofcom"]
        watch([feed(web)], tmp_path, tables, AT, caller=Caller(QUICK), is_forced=True)
        two = read_looks(tmp_path)["mofcom"]
        plant(web, ("Tin", "http://x.example/1", ""))
        healed = watch([feed(web)], tmp_path, tables, AT, caller=Caller(QUICK), is_forced=True)
    assert (one.failures, one.not_before) == (1, (AT + timedelta(hours=12)).isoformat())
    assert (two.failures, two.not_before) == (2, (AT + timedelta(hours=24)).isoformat())
    assert "answers 503" in two.fault
    assert (healed[0].outcome, read_looks(tmp_path)["mofcom"].failures) == ("first look", 0)


def test_fifty_sources_of_which_some_are_slow_are_bounded(
    tmp_path: Path, tables: dict[str, pl.DataFrame]
) -> None:
    def slow(visit: Visit, _: int) -> None:
        visit.send_response(200)
        visit.send_header("Content-Length", "1000")
        visit.end_headers()
        visit.server.let_go.wait(10)

    servers = [serving() for _ in range(10)]
    webs = [server.__enter__() for server in servers]
    try:
        feeds = []
        for place, web in enumerate(webs):
            plant(web, ("Tin", "http://x.example/1", ""))
            web.scripts["/slow"] = slow
            feeds += [
                feed(web, f"f{place}-{n}", "/slow" if n == 0 and place < 3 else "/rss") for n in range(5)
            ]
        begun = time.monotonic()
        found = watch(feeds, tmp_path, tables, AT, caller=Caller(QUICK))
        took = time.monotonic() - begun
    finally:
        for server in servers:
            server.__exit__(None, None, None)
    assert [one.outcome for one in found].count("failed") == 3
    assert [one.outcome for one in found].count("first look") == 47
    assert took < 20


@pytest.mark.parametrize(
    ("kind", "content", "more", "titles"),
    [
        ("feed", (b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id><title>Tin</title><link href="/a"/>'
                 b"<updated>2026-11-20T00:00:00Z</updated></entry></feed>"), {}, ["Tin"]),
        ("json", b'{"results": [{"title": "Gallium", "html_url": "/g", "publication_date": "2026-11-20"}, {}]}',
         {"items": "results"}, ["Gallium"]),
        ("json", b'{"a": {"b": [{"title": "Tin"}]}}', {"items": "a.b"}, ["Tin"]),
        ("page", b'<ul class="n"><li><a href="/1">Notice 1</a></li><li><a href="javascript:x()">no</a></li></ul>',
         {"selector": "ul.n a"}, ["Notice 1"]),
        ("page", b"<html><body><p>All of it</p></body></html>", {}, ["MOFCOM: the page changed"]),
    ],
)  # fmt: skip
def test_what_feeds_hold(kind: str, content: bytes, more: dict[str, str], titles: list[str]) -> None:
    declared = Feed.model_validate(
        {"name": "x", "url": "http://x.example/", "kind": kind, "publisher": "MOFCOM", "grade": "A"} | more
    )
    assert [item.title for item in items_of(declared, content)] == titles


@pytest.mark.parametrize(
    ("kind", "content", "more"),
    [
        ("feed", b"<html><body>gone", {}),
        ("feed", b'<!DOCTYPE x [<!ENTITY a "b">]><rss></rss>', {}),
        ("json", b"[]", {"items": "results"}),
        ("json", b"not json", {"items": "results"}),
        ("json", b'{"results": {"a": 1}}', {"items": "results"}),
        ("json", b'{"results": ["text"]}', {"items": "results"}),
        ("page", b"<html><body><p>moved</p></body></html>", {"selector": "ul.n a"}),
        ("page", b"", {}),
    ],
)
def test_an_answer_that_is_not_what_was_declared_is_a_fault(
    kind: str, content: bytes, more: dict[str, str]
) -> None:
    declared = Feed.model_validate(
        {"name": "x", "url": "http://x.example/", "kind": kind, "publisher": "p", "grade": "A"} | more
    )
    with pytest.raises(InputError, match=f"is no {kind}"):
        items_of(declared, content)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "feed"),
        ('[[feed]]\nname = "a"', "url"),
        ('[[feed]]\nname = "A b"\nurl = "ftp://x"\nkind = "feed"\npublisher = "p"\ngrade = "A"', "name"),
        (
            '[[feed]]\nname = "a"\nurl = "http://x/"\nkind = "json"\npublisher = "p"\ngrade = "A"',
            "needs items",
        ),
        ("not toml [", "is not TOML"),
    ],
)
def test_a_faulty_declaration_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "feeds.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=says):
        read_feeds(path)


def test_the_feeds_that_come_with_curbline_are_valid() -> None:
    names = [one.name for one in read_feeds(feeds_file())]
    assert {
        "federal-register",
        "mofcom-export-control",
        "gacc",
        "eu-official-journal",
        "arecoms",
        "usgs-minerals",
    } <= set(names)


def test_who_looked_when_is_told_by_feed_and_by_measure(
    tmp_path: Path, tables: dict[str, pl.DataFrame]
) -> None:
    with serving() as web:
        plant(web, ("Tin", "http://x.example/1", ""))
        declared = [feed(web), feed(web, "other", country="COD")]
        watch(declared[:1], tmp_path, tables, AT, caller=Caller(QUICK))
        text = "MOFCOM Announcement No. 57 of 2025 remains suspended."
        plant(web, ("57", "http://127.0.0.1:1/2", text))
        watch(declared[:1], tmp_path, tables, LATER, caller=Caller(QUICK))
        feeds = {one.name: one for one in looked_at_feeds(declared, tmp_path)}
        measures = {one.name: one for one in looked_at_measures(declared, tmp_path, tables)}
    assert feeds["mofcom"].last_looked == LATER.isoformat()
    assert feeds["other"].last_looked == ""
    lapsed = measures["cn-57-2025"]
    assert (lapsed.last_looked, lapsed.where, lapsed.last_confirmed) == (
        LATER.isoformat(),
        "mofcom",
        "2026-11-20",
    )
    assert lapsed.last_changed < "2026-11-20"
    assert measures["cd-cobalt-quota-2025"].last_looked == ""
    assert "zw-lithium-ore-ban-2022" not in measures


def test_a_damaged_memory_is_named(tmp_path: Path) -> None:
    (tmp_path / "watch.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"watch\.json: is damaged"):
        read_looks(tmp_path)


def test_the_command_tells_of_faults_by_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as web:
        plant(web, ("Tin", "http://x.example/1", ""))
        declared = tmp_path / "feeds.toml"
        row = 'kind = "feed"\npublisher = "p"\ngrade = "A"\n'
        good = f'[[feed]]\nname = "good"\nurl = "{web.url("/rss")}"\n{row}'
        bad = f'[[feed]]\nname = "bad"\nurl = "{web.url("/none")}"\n{row}'
        declared.write_text(good + bad, encoding="utf-8")
        given = ["facts", "watch", "--feeds", str(declared), "--inbox", str(tmp_path / "inbox")]
        assert main([*given, "--json"]) == 10
        outcomes = {one["feed"]: one["outcome"] for one in json.loads(capsys.readouterr().out)}
        assert outcomes == {"good": "first look", "bad": "failed"}
        assert main([*given, "--only", "bad", "--force"]) == 30
        assert main([*given, "--only", "god"]) == 40
        assert "did you mean 'good'" in capsys.readouterr().err
        assert main(["facts", "looked", *given[2:]]) == 0
        assert "answers 404" in capsys.readouterr().out
    assert main(["facts", "inbox", "--inbox", str(tmp_path / "nowhere")]) == 30
