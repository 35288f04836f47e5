"""Views are checked before publishing as tables are."""

from pathlib import Path

import polars as pl
import pytest

from ground.words import HORIZONS
from jobs.errors import CheckError
from jobs.nightly.checks import MartChecks
from tests.jobs.conftest import build_small
from warehouse.database import Database


def checked(marts: dict[str, pl.DataFrame]) -> MartChecks:
    checks = MartChecks("CHN", HORIZONS)
    checks.add(marts)
    return checks


def test_the_keys_of_views_are_checked(tmp_path: Path, marts: dict[str, pl.DataFrame]) -> None:
    path = tmp_path / "built.duckdb"
    build_small(path, marts)
    with Database.open(path, read_only=True) as built:
        checked(marts).verify_built(built, path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "INSERT INTO meta.rule FROM meta.rule",
            r"mart\.contribution_sentence .* repeats or is empty in 4 rows",
        ),
        (
            "UPDATE mart.flow_measure SET item_id = NULL",
            r"mart\.route_measure .* repeats or is empty in 1 row;",
        ),
    ],
)
def test_a_view_that_repeats_rows_publishes_nothing(
    tmp_path: Path, marts: dict[str, pl.DataFrame], change: str, said: str
) -> None:
    path = tmp_path / "built.duckdb"
    build_small(path, marts)
    with Database.open(path) as built:
        built.execute(change)
        with pytest.raises(CheckError, match=said):
            checked(marts).verify_built(built, path)


def test_missing_tonnes_and_money_are_those_of_the_horizon_and_an_unknown_share_gives_none(
    tmp_path: Path, marts: dict[str, pl.DataFrame]
) -> None:
    path = tmp_path / "built.duckdb"
    build_small(path, marts)
    with Database.open(path, read_only=True) as built:
        found = built.query("FROM mart.route_missing WHERE regime = 'active' ORDER BY horizon_days, exporter")
    gallium = found.filter(mineral="gallium", importer="USA")
    quarter, year = (
        gallium.row(by_predicate=pl.col("horizon_days") == days, named=True) for days in (90, 365)
    )
    assert year["expected_missing_share"] == pytest.approx(0.3025)  # a score of 55
    assert year["days_missing"] == pytest.approx(0.3025 * 365)
    assert year["expected_missing_t"] == pytest.approx(0.3025 * 12.5)
    assert year["missing_t_p90"] == pytest.approx(1.2 * 0.3025 * 12.5)
    assert year["expected_missing_usd"] == pytest.approx(0.3025 * 1234567.0)
    assert year["missing_usd_p10"] == pytest.approx(0.8 * 0.3025 * 1234567.0)
    assert quarter["traded_usd"] == pytest.approx(1234567.0 * 90 / 365)
    assert quarter["expected_missing_usd"] == pytest.approx(0.3025 * quarter["traded_usd"])
    unknown = found.filter(mineral="dysprosium")
    assert unknown.height == found["horizon_days"].n_unique()
    assert unknown["expected_missing_usd"].null_count() == unknown.height
    assert unknown["days_missing"].null_count() == unknown.height
