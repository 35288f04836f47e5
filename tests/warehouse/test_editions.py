"""Comparing editions: what counts as lost, new, revised, and out of bounds."""

from __future__ import annotations

import polars as pl
import pytest

from warehouse.bundle.editions import SERIES, compare_editions
from warehouse.records.tables import schema


def production(*rows: tuple[str, int, float | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [("tin", "mined", country, year, value) for country, year, value in rows],
        schema=["mineral", "stage", "country", "year", "production_t_best"],
        orient="row",
    )


def test_every_series_names_columns_of_its_table() -> None:
    for table, series in SERIES.items():
        assert {*series.key, series.value, *series.group, *series.scope} <= set(schema(table).names())


def test_lost_new_and_revised_over_the_common_years() -> None:
    earlier = production(("CHN", 2023, 7.0), ("CHN", 2024, 100.0), ("IDN", 2024, 50.0), ("PER", 2024, None))
    later = production(("CHN", 2024, 90.0), ("BOL", 2024, 20.0), ("PER", 2024, 5.0), ("CHN", 2025, 80.0))
    found = compare_editions("production", earlier, later)
    assert found is not None
    assert (found.earlier, found.later) == (3, 3)
    assert found.lost["country"].to_list() == ["IDN"]
    assert found.new["country"].to_list() == ["BOL"]
    assert found.revised.select("country", "earlier", "later").rows() == [
        ("CHN", 100.0, 90.0),
        ("PER", None, 5.0),
    ]
    assert found.totals.select("earlier", "later").rows() == [(150.0, 115.0)]
    assert found.drift == ["production: 1 of 3 rows of the earlier edition missing (33%, more than 10%)"]


def test_a_world_total_that_moves_by_more_than_half_is_out_of_bounds_and_the_aggregate_does_not_count() -> (
    None
):
    earlier = production(("CHN", 2024, 100.0), ("WLD", 2024, 100.0))
    within = compare_editions("production", earlier, production(("CHN", 2024, 150.0), ("WLD", 2024, 999.0)))
    beyond = compare_editions("production", earlier, production(("CHN", 2024, 151.0), ("WLD", 2024, 100.0)))
    assert within is not None
    assert not within.drift
    assert beyond is not None
    assert beyond.drift == [
        "production: the world total of tin mined 2024 moved from 100 to 151, by more than 50%"
    ]


def test_forms_of_one_source_add_up_and_digits_do_not_count_as_a_revision() -> None:
    earlier = production(("CHN", 2024, 60.0), ("CHN", 2024, 40.0))
    later = production(("CHN", 2024, 100.00000001))
    found = compare_editions("production", earlier, later)
    assert found is not None
    assert found.revised.is_empty()


@pytest.mark.parametrize(
    ("table", "frame"), [("measures", production(("CHN", 2024, 1.0))), ("production", production())]
)
def test_nothing_to_compare(table: str, frame: pl.DataFrame) -> None:
    assert compare_editions(table, frame, frame) is None
