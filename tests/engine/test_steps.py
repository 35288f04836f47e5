"""The steps of the waterfall have one home; all that names them follows it."""

import re
from pathlib import Path

from engine.scoring.steps import BY_NAME, COLUMNS, STEPS, step_frame
from engine.scoring.waterfall import AFTER_LAW, RESPONSES
from warehouse.published.mart_columns import TABLES_OF_MART

ROOT = Path(__file__).resolve().parents[2]


def test_steps_are_numbered_in_their_order() -> None:
    assert [step.name for step in STEPS] == [f"S{place}" for place in range(len(STEPS))]
    assert [swap.step for swap in AFTER_LAW if swap.step not in BY_NAME] == []
    assert len(RESPONSES) == len(set(RESPONSES))


def test_the_published_table_and_the_wide_tables_take_every_step() -> None:
    table = TABLES_OF_MART["waterfall_step"]
    assert step_frame().columns == [column.name for column in table.own]
    for name in ("contribution_wide", "importer_contribution_wide"):
        laid_out = [column.name for column in TABLES_OF_MART[name].laid_out(COLUMNS)]
        assert set(COLUMNS) <= set(laid_out)
        assert {f"{response}_rule_id" for response in RESPONSES} <= set(laid_out)


def test_the_method_names_every_step() -> None:
    said = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\bS\d\b", said))
    assert named == {step.name for step in STEPS}, (
        "docs/method.md names other steps than engine/scoring/steps.py"
    )
    for step in STEPS[1:]:
        assert f"{step.words} ({step.name})" in " ".join(said.split()), step
