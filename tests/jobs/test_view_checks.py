"""Views are checked before publishing as tables are."""

from pathlib import Path

import polars as pl
import pytest

from jobs.errors import CheckError
from jobs.nightly.checks import MartChecks
from tests.jobs.conftest import build_small
from warehouse.database import Database


def checked(marts: dict[str, pl.DataFrame]) -> MartChecks:
    checks = MartChecks("CHN")
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
            r"mart\.route_measure .* repeats or is empty in 1 rows",
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
