"""A scorecard may score fewer horizons than the facts carry; each route then has a row for each of its own."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from ground.question import Question
from jobs.nightly.checks import MartChecks
from jobs.nightly.recalculate import RunRequest, recalculate
from jobs.rules.rulebook import CURBS, load_rulebook
from tests.warehouse.conftest import Rows, facts, write  # noqa: F401  (fixtures of a small world)
from tests.warehouse.test_inputs import Write
from warehouse.asof.state import Warehouse
from warehouse.published.marts import conform

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize("horizons", [(90, 365), (365,)])
def test_fewer_horizons_are_scored_and_pass_the_checks(
    facts: Rows,  # noqa: F811
    write: Write,  # noqa: F811
    horizons: tuple[int, ...],
) -> None:
    parts = scored(write(facts), horizons)
    assert set(parts[0]["route_score"]["horizon_days"]) == set(horizons)
    assert failures(parts, horizons) == []


def test_a_missing_horizon_is_found_and_named(facts: Rows, write: Write) -> None:  # noqa: F811
    parts = scored(write(facts), (365,))
    (failure,) = failures(parts, (90, 365))
    assert failure.startswith("another horizon of the route is missing in ")


def scored(bundle: Path, horizons: tuple[int, ...]) -> list[Mapping[str, pl.DataFrame]]:
    ruleset = load_rulebook(Path("rules"), method=CURBS).ruleset
    ruleset = replace(ruleset, scorecard=replace(ruleset.scorecard, horizons=horizons))
    parts: list[Mapping[str, pl.DataFrame]] = []
    with Warehouse.open_memory() as state:
        state.load_bundles([bundle], strict=True)
        request = RunRequest(Question(TODAY, TODAY, "CHN"))
        recalculate(request, state, ruleset, lambda _: nullcontext(), parts.append)
    return parts


def failures(parts: list[Mapping[str, pl.DataFrame]], horizons: tuple[int, ...]) -> list[str]:
    checks = MartChecks("CHN", horizons)
    for part in parts:
        checks.add({name: conform("mart", name, frame) for name, frame in part.items()})
    return [result.detail for result in checks.results() if not result.passed]
