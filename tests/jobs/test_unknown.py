"""A lane whose tonnes cannot be formed has no score, and says why: it is neither left out nor zero."""

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from ground.question import Question
from ground.words import HORIZONS
from jobs.nightly.checks import MartChecks
from jobs.nightly.recalculate import RunRequest, recalculate
from jobs.rules.rulebook import CURBS, load_rulebook
from tests.warehouse.conftest import Rows, facts, write  # noqa: F401  (fixtures of a small world)
from tests.warehouse.test_inputs import Write
from warehouse.asof.inputs import Inputs
from warehouse.asof.state import Warehouse
from warehouse.published.marts import conform

TODAY = date(2026, 11, 23)
NO_TONNES = "no tonnes can be formed: only the value is known, and there is neither a price nor a unit value"


@pytest.fixture
def world(facts: Rows, write: Write) -> Path:  # noqa: F811
    """Every flow by value alone; gallium has a price, dysprosium has none."""
    facts["trade"] = [row | {"quantity_t": ""} for row in facts["trade"]]
    return write(facts)


def test_lanes_without_tonnes_are_told(world: Path) -> None:
    with Warehouse.open_memory() as state:
        state.load_bundles([world], strict=True)
        found = Inputs(state, Question(TODAY, TODAY, "CHN")).unmeasured
    assert set(found["mineral"]) == {"dysprosium", "hafnium"}
    assert set(found["unknown_reason"]) == {NO_TONNES}


def test_their_scores_are_published_empty_with_the_reason(world: Path) -> None:
    parts: list[Mapping[str, pl.DataFrame]] = []
    ruleset = load_rulebook(Path("rules"), method=CURBS).ruleset
    with Warehouse.open_memory() as state:
        state.load_bundles([world], strict=True)
        request = RunRequest(Question(TODAY, TODAY, "CHN"))
        recalculate(request, state, ruleset, lambda _: nullcontext(), parts.append)
    checks = MartChecks("CHN", HORIZONS)
    for part in parts:
        checks.add({name: conform("mart", name, frame) for name, frame in part.items()})
    assert [result for result in checks.results() if not result.passed] == []
    for name in ("route_score", "importer_score"):
        table = pl.concat([part[name] for part in parts if name in part], how="diagonal_relaxed")
        unknown = table.filter(mineral="dysprosium")
        assert unknown.height >= 3
        assert set(unknown["horizon_days"]) == {90, 365, 1825}
        assert set(unknown["unknown_reason"]) == {NO_TONNES}
        for regime in ("active", "snapback", "full_stop"):
            assert unknown[regime].null_count() == unknown.height
        known = table.filter(mineral="gallium")
        assert known["active"].null_count() == 0
        assert known["unknown_reason"].null_count() == known.height
        assert known["hindsight"].null_count() == 0
