from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from ground.question import Question
from warehouse.asof.inputs import Inputs
from warehouse.asof.state import Warehouse

KNOWN_TODAY = date(2026, 11, 23)


def calendar(warehouse: Warehouse, day: date, until: date) -> pl.DataFrame:
    """What is dated in the law of China from 90 days before the day."""
    found = Inputs(warehouse, Question(day, day, "CHN")).calendar(day - timedelta(days=90), until)
    return found.filter(kind="measure", country="CHN")


def state(warehouse: Warehouse, measure: str, as_of: date, known_at: date) -> pl.DataFrame:
    return warehouse.query(
        "SELECT * FROM measures_at($as_of, $known_at) WHERE measure_id = $measure",
        {"as_of": as_of, "known_at": known_at, "measure": measure},
    )


@pytest.mark.parametrize(
    ("as_of", "known_at", "expected"),
    [
        (date(2025, 10, 30), date(2025, 10, 30), "announced"),
        (date(2025, 11, 20), date(2025, 11, 1), "in_force"),
        (date(2025, 11, 20), date(2025, 11, 7), "suspended"),
        (date(2026, 6, 1), date(2026, 6, 1), "suspended"),
        (date(2026, 11, 10), date(2026, 11, 10), "suspended"),
        (date(2026, 11, 11), date(2026, 11, 11), "lapsed_unverified"),
        (date(2026, 11, 23), date(2026, 11, 23), "lapsed_unverified"),
    ],
)
def test_57_of_2025(warehouse: Warehouse, as_of: date, known_at: date, expected: str) -> None:
    found = state(warehouse, "57-2025", as_of, known_at)
    assert found.get_column("state").to_list() == [expected]


def test_nothing_stands_before_it_was_known(warehouse: Warehouse) -> None:
    assert state(warehouse, "57-2025", date(2025, 11, 20), date(2025, 10, 8)).is_empty()


def test_a_lapse_starts_on_the_day_after_the_last_day(warehouse: Warehouse) -> None:
    found = state(warehouse, "57-2025", KNOWN_TODAY, KNOWN_TODAY)
    assert found.get_column("valid_from").item() == date(2026, 11, 11)
    assert found.get_column("valid_to").item() is None


def test_46_of_2024_article_2(warehouse: Warehouse) -> None:
    then = state(warehouse, "46-2024", date(2025, 6, 1), date(2025, 6, 1)).row(0, named=True)
    now = state(warehouse, "46-2024", KNOWN_TODAY, KNOWN_TODAY).row(0, named=True)
    assert (then["clause"], then["state"], then["destination"], then["scope"]) == (
        "art. 2",
        "in_force",
        "USA",
        "country",
    )
    assert (now["state"], now["valid_to"]) == ("suspended", date(2026, 11, 28))


def test_a_stated_term_in_force_lapses_too(warehouse: Warehouse) -> None:
    with Warehouse.open_memory() as other:
        other.execute(
            "INSERT INTO core.measure_states BY NAME SELECT 'q' AS measure_id, 'all' AS clause, '*' AS destination, "
            "'in_force' AS state, DATE '2020-01-01' AS valid_from, DATE '2021-01-01' AS valid_to, 's' AS source_id, "
            "DATE '2020-01-01' AS known_from"
        )
        assert state(other, "q", date(2020, 12, 31), KNOWN_TODAY).get_column("state").item() == "in_force"
        assert (
            state(other, "q", date(2021, 1, 1), KNOWN_TODAY).get_column("state").item() == "lapsed_unverified"
        )


def test_an_older_row_never_returns(warehouse: Warehouse) -> None:
    # The pause supersedes the start of 8 November, although that start lies after the pause's own first day.
    for day in (date(2025, 11, 8), date(2026, 1, 1), date(2027, 1, 1)):
        assert state(warehouse, "57-2025", day, date(2027, 1, 1)).get_column("state").item() != "in_force"


def test_the_end_of_a_suspension_is_a_known_change(warehouse: Warehouse) -> None:
    found = calendar(warehouse, KNOWN_TODAY, date(2027, 11, 23)).filter(pl.col("event_date") > KNOWN_TODAY)
    assert found.select("subject_id", "clause", "event_date", "state_before", "state_after").rows() == [
        ("46-2024", "art. 2", date(2026, 11, 28), "suspended", "lapsed_unverified")
    ]


def test_a_scheduled_start_is_a_known_change(warehouse: Warehouse) -> None:
    day = date(2025, 10, 30)
    found = calendar(warehouse, day, date(2025, 12, 31)).filter(pl.col("event_date") > day)
    assert found.select("measure_id", "event_date", "state_after", "notice").rows() == [
        ("57-2025", date(2025, 11, 8), "in_force", "MOFCOM 57/2025")
    ]


def test_a_pledge_ends_with_its_term(warehouse: Warehouse) -> None:
    sql = "SELECT is_expired, agreement_state FROM pledges_at($d, $d) WHERE pledge_id = 'pause'"
    assert warehouse.query(sql, {"d": date(2026, 11, 10)}).rows() == [(False, "signed_not_in_force")]
    assert warehouse.query(sql, {"d": date(2026, 11, 11)}).rows() == [(True, "signed_not_in_force")]


def test_reserves_keep_claims_apart(warehouse: Warehouse) -> None:
    found = warehouse.query(
        "SELECT claim_kind, reserves_t_best FROM reserves_at($d, $d) WHERE country = 'MYS' AND mineral = 'rare_earths' "
        "ORDER BY claim_kind",
        {"d": KNOWN_TODAY},
    )
    assert found.rows() == [("reserve", 710_000.0), ("resource", 16_100_000.0)]


def test_trade_is_strict_to_what_was_known(warehouse: Warehouse) -> None:
    sql = "SELECT max(year) AS y FROM trade_at($d, $d)"
    assert warehouse.query(sql, {"d": date(2024, 1, 31)}).item() == 2022
    assert warehouse.query(sql, {"d": date(2024, 1, 30)}).item() == 2021


def test_production_before_the_first_vintage_is_hindsight(warehouse: Warehouse) -> None:
    sql = "SELECT production_t_best, is_hindsight FROM production_at($d, $d) WHERE country = 'CHN' AND mineral = 'gallium'"
    assert warehouse.query(sql, {"d": date(2022, 6, 1)}).rows() == [(600.0, True)]
    assert warehouse.query(sql, {"d": date(2023, 6, 1)}).rows() == [(600.0, False)]


def test_an_empty_start_has_always_begun_and_an_empty_end_never_comes(warehouse: Warehouse) -> None:
    periods = "(NULL, NULL), (DATE '2026-01-01', NULL), (NULL, DATE '2026-01-01'), (DATE '2026-01-02', NULL)"
    found = warehouse.query(
        f"SELECT holds_on(s, e, DATE '2026-01-01') AS holds FROM (VALUES {periods}) AS p(s, e)"
    )
    assert found["holds"].to_list() == [True, True, False, False]


def test_members_of_a_bloc_are_those_of_the_day_as_known(warehouse: Warehouse) -> None:
    sql = "SELECT country FROM members_at(DATE '{}', DATE '{}') WHERE bloc = 'EU27' ORDER BY country"
    assert warehouse.query(sql.format("2026-05-31", "2026-11-23"))["country"].to_list() == ["DEU", "FRA"]
    assert warehouse.query(sql.format("2026-06-01", "2026-11-23"))["country"].to_list() == ["DEU"]
    assert warehouse.query(sql.format("2026-06-01", "2019-12-31")).is_empty()
