"""The published calendar on a terminal, as data, and as a file that calendar programs read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from icalendar import Calendar

from engine.language.rules import Range, RuleSet
from ground.question import Question
from jobs.calendar.events import reports_on
from jobs.calendar.ics import ics, uid
from jobs.calendar.show import as_text
from jobs.calendar.ways import RunFacts, either, ways
from jobs.cli import main
from jobs.commands.options import screen
from jobs.errors import SettingsError
from jobs.nightly.calendar import calendar_frame
from jobs.resources import default_rules_dir
from jobs.rules.rulebook import load_rulebook
from jobs.scenario.world import Comparison
from jobs.settings import build_settings
from tests.warehouse.conftest import small_facts, write_bundle
from warehouse.asof.inputs import Inputs
from warehouse.asof.state import Warehouse
from warehouse.bundle.reading import read_bundles

DAY = date(2026, 11, 23)
EVENT: dict[str, Any] = {
    "event_date": date(2026, 11, 11), "kind": "measure", "country": "CHN", "subject_id": "cn-57", "measure_id": "cn-57",
    "clause": "all", "event": "57/2025: lapsed unverified", "state_before": "suspended",
    "state_after": "lapsed_unverified", "is_unverified": True, "notice": "57/2025",
    "minerals": ["erbium", "europium", "holmium", "thulium"], "lane_count": 12, "route_t": None, "route_usd": 1_234_567.0,
    "last_confirmed_on": date(2026, 10, 5), "last_confirmed_by": "World Journal", "what_is_open": "nobody knows; or says, so",
    "what_would_settle": "a notice of MOFCOM", "other_reports": ["Press says suspended from 2025-11-07 to before 2027-11-11"],
    "source_id": "src", "days_left": -12,
    "reports": [
        {"destination": "*", "state": "suspended", "valid_from": date(2025, 11, 7), "valid_to": end, "source_id": source,
         "publisher": source.title(), "title": "", "url": f"https://example.org/{source}", "known_from": date(2025, 11, 8), "is_followed": source == "mofcom"}
        for source, end in (("mofcom", date(2026, 11, 11)), ("press", date(2027, 11, 11)))
    ],
}  # fmt: skip
FOUND = {"as_of": DAY, "known_at": DAY, "days": 90, "events": [EVENT]}


OCTETS = 75  # the longest line, without its end (RFC 5545, section 3.1)


def opened(text: str) -> list[Any]:
    """The events of a file as a calendar program's library reads it; its lines are as RFC 5545 asks."""
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    assert all(len(line.encode()) <= OCTETS for line in text.split("\r\n"))
    calendar = Calendar.from_ical(text)
    assert not calendar.errors
    assert (calendar["VERSION"], calendar["METHOD"]) == ("2.0", "PUBLISH")
    events = list(calendar.walk("VEVENT"))
    assert all(not event.errors for event in events)
    return events


def test_an_event_of_the_file_says_what_the_calendar_says() -> None:
    (event,) = opened(ics(FOUND))
    assert (event.decoded("DTSTART"), event.decoded("DTEND")) == (date(2026, 11, 11), date(2026, 11, 12))
    assert event["SUMMARY"] == "Unverified: 57/2025: lapsed unverified"
    assert event["UID"] == uid(EVENT)
    assert event["CATEGORIES"].cats == ["measure"]
    assert event.decoded("DTSTAMP") == datetime(2026, 11, 23, tzinfo=UTC)
    told = event["DESCRIPTION"].split("\n")
    assert told[1] == "Lanes: 12, 1,234,567 USD a year"
    assert "Open: nobody knows; or says, so" in told
    assert told[-1] == "Would settle it: a notice of MOFCOM"


def test_an_event_keeps_its_name_when_its_date_moves_and_no_two_share_one() -> None:
    later = {**EVENT, "event_date": date(2027, 1, 1), "is_unverified": False, "days_left": 39}
    assert uid(later) == uid(EVENT)
    assert uid({**EVENT, "clause": "art. 2"}) != uid(EVENT)
    assert ics(FOUND) == ics(FOUND)


@pytest.mark.parametrize(
    "text", ["a" * 300, "漢字" * 60, "é" * 75 + "\U0001f5d3" * 40, "a;b,c\\n", "back\\slash", "END:VCALENDAR"]
)
def test_any_text_comes_back_as_it_was(text: str) -> None:
    (event,) = opened(ics({**FOUND, "events": [{**EVENT, "event": text, "is_unverified": False}]}))
    assert event["SUMMARY"] == text


# -- the terminal -----------------------------------------------------------------------------------------------


def shown(found: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> str:
    screen().print(as_text(found))
    return capsys.readouterr().out


def test_what_is_unverified_comes_first_with_what_would_settle_it(capsys: pytest.CaptureFixture[str]) -> None:
    ahead = {**EVENT, "is_unverified": False, "days_left": 5, "event_date": date(2026, 11, 28), "event": "72/2025 ends", "other_reports": []}  # fmt: skip
    text = shown({**FOUND, "events": [EVENT, ahead]}, capsys)
    first, last = text.index("Unverified: 1 state lapsed"), text.index("\nAhead")
    assert first < text.index("57/2025: ") < last < text.index("72/2025 ends")
    assert "erbium, europium, holmium and 1 more" in text
    assert "2026-10-05, World Journal" in text
    assert "Would settle it, 57/2025: a notice of MOFCOM." in text
    reports = text[text.index("Reports that differ") : last].splitlines()
    assert reports[2].split() == [
        "57/2025", "followed", "suspended", "2025-11-07", "2026-11-11", "2025-11-08", "Mofcom", "https://example.org/mofcom",
    ]  # fmt: skip
    assert reports[3].split()[1:5] == ["differs", "suspended", "2025-11-07", "2027-11-11"]


def test_reports_that_differ_are_rows_with_their_sources(tmp_path: Path) -> None:
    facts = small_facts()
    row = next(
        one
        for one in facts["measure_states"]
        if one["state"] == "suspended" and one["measure_id"] == "46-2024"
    )
    facts["measure_states"].append(
        {**row, "valid_to": "2027-11-28", "source_id": "press", "known_from": "2025-11-08"}
    )
    with Warehouse.open_memory() as state:
        state.load_bundles([write_bundle(tmp_path / "facts", facts)])
        frame = Inputs(state, Question(DAY, DAY, "CHN")).calendar(DAY, date(2027, 12, 31))
        (event,) = frame.filter(pl.col("other_reports").list.len() > 0).to_dicts()
        found = reports_on(state, event)
        plain = frame.filter(pl.col("other_reports").list.len() == 0).to_dicts()
        assert reports_on(state, plain[0]) == []
    assert [(one["source_id"], one["valid_to"], one["is_followed"]) for one in found] == [
        (row["source_id"], date(2026, 11, 28), True),
        ("press", date(2027, 11, 28), False),
    ]
    assert all(one["publisher"] and one["known_from"] for one in found)


def test_an_empty_calendar_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Nothing is dated within this time." in shown({**FOUND, "events": []}, capsys)


def test_the_command_reads_what_is_published(small_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ask = ["calendar", "--out", str(small_root)]
    assert main(ask) == 0
    assert "suspension ends" in capsys.readouterr().out
    assert main([*ask, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(one["event_date"], one["days_left"]) for one in found["events"]] == [("2026-11-28", 5)]
    assert main([*ask, "--ics"]) == 0
    assert [one.decoded("DTSTART") for one in opened(capsys.readouterr().out)] == [date(2026, 11, 28)]
    assert main([*ask, "--days", "4", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["events"] == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--mineral", "galium"], "did you mean 'gallium'?"),
        (["--country", "Atlantis"], "unknown country 'Atlantis'"),
        (["--ics", "--json"], "two formats"),
        (["--days", "-1"], "Invalid value for '--days'"),
    ],
)
def test_wrong_options_are_refused(
    small_root: Path, options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calendar", "--out", str(small_root), *options]) == 40
    assert told in capsys.readouterr().err


# -- either way -------------------------------------------------------------------------------------------------


def test_both_ways_of_a_day_lie_around_what_stands(
    tmp_path: Path, ruleset: RuleSet, capsys: pytest.CaptureFixture[str]
) -> None:
    day = date(2026, 11, 28)
    facts = read_bundles([write_bundle(tmp_path / "facts", small_facts())], strict=True)
    with Warehouse.open_memory() as state:
        state.load_facts(facts)
        frame = calendar_frame(Inputs(state, Question(day, day, "CHN")), ruleset)
        events = frame.with_columns(days_left=(pl.col("event_date") - day).dt.total_days()).to_dicts()
        found = {"as_of": day, "known_at": day, "days": 90, "events": events}
        asked = Comparison(365, draws=64)
        rows = ways(found, state, facts, ruleset, asked)
        assert ways(found, state, facts, ruleset, asked, pauses=["46-2024"]) == []
        assert ways(found, state, facts, ruleset, asked, minerals=["dysprosium"]) != rows
        assert state.stored_hash() == facts.report.facts_hash
    (row,) = rows  # 57/2025 is on holmium, of which the tiny facts have no trade
    assert (row["event_date"], row["country"], row["minerals"]) == (day, "CHN", ["gallium"])
    assert row["missing_usd_if_not"] < row["base_missing_usd"] < row["missing_usd_if_binding"]
    text = shown({**found, "events": [], "ways": rows}, capsys)
    assert "Either way: what everybody is expected to miss within 365 days" in text
    assert "MOFCOM 46/2024" in text


def test_other_facts_than_those_of_the_run_are_refused(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "facts", small_facts())
    settings = build_settings({"facts": [str(bundle)]}, base=tmp_path, origin=None, text="")
    found = {**FOUND, "run_id": "0123", "mineral": None}
    with pytest.raises(SettingsError, match="run 0123 was of other facts than those of the settings"):
        either(settings, found, RunFacts("other", ()))


# -- the rules' own dates ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ruleset() -> RuleSet:
    return load_rulebook(default_rules_dir()).ruleset


def of_rules(tmp_path: Path, ruleset: RuleSet) -> pl.DataFrame:
    with Warehouse.open_memory() as state:
        state.load_bundles([write_bundle(tmp_path / "facts", small_facts())], strict=True)
        return calendar_frame(Inputs(state, Question(DAY, DAY, "CHN")), ruleset).filter(kind="rule")


def with_later(ruleset: RuleSet, start: date) -> RuleSet:
    """The rules with a value of one parameter that begins on a day."""
    rule = next(rule for rule in ruleset.rules if rule.id == "quota")
    old = rule.parameters["where_unknown"]
    new = replace(old, values=(*old.values, replace(old.values[-1], start=start, value=Range(0.2, 0.3, 0.4))))
    changed = replace(rule, parameters={**rule.parameters, "where_unknown": new})
    return replace(ruleset, rules=tuple(changed if one.id == "quota" else one for one in ruleset.rules))


@pytest.mark.parametrize(("start", "there"), [(date(2027, 3, 1), True), (date(2026, 3, 1), False)])
def test_a_parameter_that_changes_is_an_event(
    tmp_path: Path, ruleset: RuleSet, start: date, there: bool
) -> None:
    found = of_rules(tmp_path, with_later(ruleset, start))
    own = found.filter(subject_id="quota").select("event_date", "clause", "event").rows()
    event = "quota: where_unknown is 30 % (20 to 40) instead of 10 % (0 to 30)"
    assert own == ([(start, "where_unknown", event)] if there else [])
