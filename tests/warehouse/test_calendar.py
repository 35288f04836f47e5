"""The calendar has what is dated in every country's law, in pledges and agreements, as it was known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ground.question import Question
from tests.warehouse.conftest import Rows
from warehouse.asof.inputs import Inputs
from warehouse.asof.state import Warehouse

DAY = date(2026, 11, 23)
Write = Callable[[Any], Path]
STATE = {"measure_id": "mys-ban", "clause": "all", "destination": "*", "source_id": "official"}


def found(
    warehouse: Warehouse, day: date = DAY, since: date = date(2026, 10, 1), until: date = date(2029, 1, 1)
) -> pl.DataFrame:
    return Inputs(warehouse, Question(day, day, "CHN")).calendar(since, until)


@contextmanager
def loaded(write: Write, facts: Rows) -> Iterator[Warehouse]:
    with Warehouse.open_memory() as warehouse:
        warehouse.load_bundles([write(facts)], strict=True)
        yield warehouse


def one(frame: pl.DataFrame, subject: str) -> dict[str, Any]:
    return frame.filter(subject_id=subject).row(0, named=True)


def test_what_lapsed_is_unverified_with_its_lanes_and_its_source(warehouse: Warehouse) -> None:
    row = one(found(warehouse), "57-2025")
    assert (row["event_date"], row["state_before"], row["state_after"]) == (
        date(2026, 11, 11),
        "suspended",
        "lapsed_unverified",
    )
    assert row["is_unverified"] is True
    assert row["event"] == "MOFCOM 57/2025: lapsed unverified"
    assert "a notice of CHN that ends, extends or replaces it" in row["what_would_settle"]
    assert row["last_confirmed_by"]
    ahead = one(found(warehouse), "46-2024")
    assert (ahead["event_date"], ahead["is_unverified"]) == (date(2026, 11, 28), False)
    assert ahead["minerals"] == ["gallium"]
    assert ahead["lane_count"] == 1
    assert ahead["route_t"] > 0


def test_a_state_that_lapsed_long_ago_stays_until_somebody_knows(warehouse: Warehouse) -> None:
    late = date(2028, 1, 1)
    frame = found(warehouse, late, since=date(2027, 12, 1))
    assert set(frame.filter("is_unverified")["subject_id"]) == {"46-2024", "57-2025"}
    assert one(frame, "57-2025")["event_date"] == date(2026, 11, 11)


@pytest.mark.parametrize(("known", "there"), [("2026-11-20", True), ("2026-12-01", False)])
def test_another_countrys_ban_is_there_once_it_is_known(
    facts: Rows, write: Write, known: str, there: bool
) -> None:
    facts["measure_states"].append(
        {**STATE, "state": "ended", "valid_from": "2027-01-01", "known_from": known}
    )
    with loaded(write, facts) as warehouse:
        frame = found(warehouse).filter(country="MYS", kind="measure")
    assert frame.select("event_date", "state_after").rows() == (
        [(date(2027, 1, 1), "ended")] if there else []
    )


def test_a_pledge_and_an_agreement_have_their_days(facts: Rows, write: Write) -> None:
    state = {"agreement_id": "accord", "source_id": "official", "known_from": "2026-01-01"}
    facts["agreement_states"].append(
        {**state, "state": "in_force", "valid_from": "2026-12-01", "valid_to": "2027-12-01"}
    )
    with loaded(write, facts) as warehouse:
        frame = found(warehouse)
    over = one(frame, "pause")
    assert (over["event_date"], over["kind"], over["country"]) == (date(2026, 11, 11), "pledge", "CHN")
    assert over["event"] == "pledge of CHN is over: general licences"
    accord = frame.filter(kind="agreement").select("event_date", "state_after").rows()
    assert accord == [(date(2026, 12, 1), "in_force"), (date(2027, 12, 1), "unknown")]


def test_reports_that_differ_stand_side_by_side(facts: Rows, write: Write) -> None:
    # Another outlet spoke of two years; it was known a day earlier, so that the text's own term wins.
    row = next(
        row
        for row in facts["measure_states"]
        if row["state"] == "suspended" and row["measure_id"] == "46-2024"
    )
    facts["measure_states"].append(
        {**row, "valid_to": "2027-11-28", "source_id": "press", "known_from": "2025-11-08"}
    )
    with loaded(write, facts) as warehouse:
        event = one(found(warehouse), "46-2024")
        publisher = warehouse.query("SELECT publisher FROM core.sources WHERE source_id = 'press'").item()
    assert event["event_date"] == date(2026, 11, 28)
    assert event["other_reports"] == [f"{publisher} says suspended from 2025-11-09 to before 2027-11-28"]


def test_no_event_stands_twice(warehouse: Warehouse) -> None:
    frame = found(warehouse, since=date(2020, 1, 1))
    assert not frame.select("event_date", "kind", "subject_id", "clause", "event").is_duplicated().any()
    assert frame["event_date"].is_sorted()
