"""A plan scores the minerals whose facts differ, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.scoring.inputs import Inputs as EngineInputs
from jobs.facts.plan import reached
from tests.jobs.test_word_roles import scored
from tests.warehouse.conftest import Rows, small_facts


def with_more(table: str, **values: str) -> Rows:
    """The tiny facts with a copy of a table's first row, some of its values changed."""
    facts = small_facts()
    facts[table].append({**facts[table][0], **values})
    return facts


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> EngineInputs:
    return scored(tmp_path_factory.mktemp("now"), small_facts())


@pytest.mark.parametrize(
    ("facts", "minerals"),
    [
        (small_facts(), []),
        (with_more("measure_items", item_id="more", mineral="dysprosium", stage="mined"), ["dysprosium"]),
        # A change of state to come is in a frame that names measures, not minerals.
        (with_more("measure_states", state="ended", valid_from="2027-02-01"), ["gallium"]),
        (with_more("blocs", country="JPN"), ["dysprosium", "gallium", "hafnium"]),
    ],
    ids=["nothing", "an item of one mineral", "a later state of one measure", "a member of a bloc"],
)
def test_minerals_are_those_whose_facts_differ(
    tmp_path: Path, now: EngineInputs, facts: Rows, minerals: list[str]
) -> None:
    assert reached(now, scored(tmp_path, facts)) == minerals
