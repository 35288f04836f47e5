"""The embedded bundle itself: whole, linked, and saying what the issue expects of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

import warehouse as package
from warehouse import Inputs, Warehouse

FACTS = Path(package.__file__).parent / "facts"
TODAY = date(2026, 11, 23)
#: Suspended until 2026-11-10, and nobody has said what follows.
LAPSED = [
    "MOFCOM 55/2025",
    "MOFCOM 56/2025",
    "MOFCOM 57/2025",
    "MOFCOM 58/2025",
    "MOFCOM 61/2025",
    "MOFCOM 62/2025",
]


@pytest.fixture(scope="module")
def embedded() -> Iterator[Warehouse]:
    with Warehouse.open_memory() as found:
        report = found.load_bundles([FACTS], strict=True)
        assert all(report.row_counts.values()), report.row_counts
        yield found


@pytest.fixture(scope="module")
def inputs(embedded: Warehouse) -> Inputs:
    return Inputs(embedded, TODAY, TODAY, "CHN")


def test_counts_of_the_issue(embedded: Warehouse) -> None:
    counts = {
        n: embedded.query(f"SELECT count(*) FROM core.{n}").item()
        for n in ("measures", "agreements", "pledges")
    }
    assert counts["measures"] >= 67
    assert counts["agreements"] >= 68
    assert counts["pledges"] >= 99
    assert embedded.query("SELECT count(*) FROM core.statements").item() >= 43


@pytest.mark.parametrize(
    ("as_of", "known_at", "expected"),
    [
        (date(2025, 10, 30), date(2025, 10, 30), "announced"),
        (date(2025, 11, 20), date(2025, 11, 1), "in_force"),
        (date(2025, 11, 20), date(2025, 11, 7), "suspended"),
        (date(2026, 6, 1), date(2026, 6, 1), "suspended"),
        (date(2026, 11, 10), date(2026, 11, 10), "suspended"),
        (date(2026, 11, 11), date(2026, 11, 11), "lapsed_unverified"),
    ],
)
def test_57_of_2025(embedded: Warehouse, as_of: date, known_at: date, expected: str) -> None:
    found = embedded.query(
        "SELECT DISTINCT state FROM measures_at($as_of, $known_at) WHERE measure_id = 'cn-57-2025'",
        {"as_of": as_of, "known_at": known_at},
    )
    assert found.to_series().to_list() == [expected]


def test_what_is_unverified_today(embedded: Warehouse) -> None:
    found = embedded.query(
        "SELECT DISTINCT notice FROM measures_at($d, $d) JOIN core.measures USING (measure_id) "
        "WHERE state = 'lapsed_unverified'",
        {"d": TODAY},
    )
    notices = " ".join(found.to_series().drop_nulls().to_list())
    assert [notice for notice in LAPSED if notice not in notices] == []


@pytest.mark.parametrize(
    ("mineral", "stage", "year"),
    [
        ("gallium", "refined", 2022),
        ("germanium", "refined", 2022),
        ("natural_graphite", "mined", 2022),
        ("antimony", "refined", 2023),
        ("dysprosium", "refined", 2024),
        ("dysprosium", "fabricated", 2024),
    ],
)
def test_baseline_years(inputs: Inputs, mineral: str, stage: str, year: int) -> None:
    row = inputs.baselines.filter((pl.col("mineral") == mineral) & (pl.col("stage") == stage))
    assert row.get_column("baseline_year").to_list() == [year]


def test_flows_are_ranges_of_real_tonnes(inputs: Inputs) -> None:
    flows = inputs.flows
    assert flows.filter(
        (pl.col("route_t_low") > pl.col("route_t_best") + 1e-9)
        | (pl.col("route_t_best") > pl.col("route_t_high") + 1e-9)
    ).is_empty()
    assert flows.select("mineral", "stage", "exporter", "importer").is_duplicated().sum() == 0
    assert flows.select(pl.all().is_null().any()).row(0) == (False,) * flows.width


def test_production_ranges_rise_and_have_one_row_each(inputs: Inputs) -> None:
    found = inputs.production
    assert found.filter(
        ~(pl.col("production_t_low") <= pl.col("production_t_best"))
        | ~(pl.col("production_t_best") <= pl.col("production_t_high"))
    ).is_empty()
    assert found.select("mineral", "stage", "country").is_duplicated().sum() == 0
    assert "WLD" not in found.get_column("country")


def test_the_article_can_be_asked(embedded: Warehouse) -> None:
    said = embedded.query(
        "SELECT count(*) FROM core.statements WHERE in_article_2025_10_27 UNION ALL "
        "SELECT count(*) FROM core.pledges WHERE in_article_2025_10_27"
    )
    assert min(said.to_series().to_list()) > 0


@pytest.mark.parametrize("day", [date(2021, 2, 1), date(2023, 8, 1), date(2025, 6, 1)])
def test_replays_have_all_frames(embedded: Warehouse, day: date) -> None:
    then = Inputs(embedded, day, day, "CHN")
    for name in ("flows", "production", "measures", "reserves", "pledges", "access", "gaps"):
        assert getattr(then, name).width > 0, name
    assert then.flows.height > 10_000
    assert then.baselines.get_column("trade_year").max() == day.year - 2
