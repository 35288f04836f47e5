"""`curbline rules try`: which routes a file would move, and what it refuses."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from ground.words import REGIMES
from jobs.errors import SettingsError
from jobs.resources import default_rules_dir
from jobs.rules.rulebook import Rulebook, load_rulebook
from jobs.rules.trial import as_data, as_text, compare, with_file
from tests.engine.rulebook import RULE

DAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load_rulebook(default_rules_dir())


def write(folder: Path, text: str, name: str = "small.yml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def scores(active: list[float | None], priority: list[float | None]) -> pl.DataFrame:
    rows = len(active)
    keys = {
        "mineral": ["gallium"] * rows, "stage": ["refined"] * rows, "exporter": ["CHN"] * rows,
        "importer": ["DEU", "JPN", "USA"][:rows], "horizon_days": [365] * rows,
    }  # fmt: skip
    values: dict[str, object] = {}
    for regime in REGIMES:
        moves = regime == "active"
        score = active if moves else [50.0] * rows
        values |= {f"{regime}{end}": score for end in ("", "_low", "_high")}
        values[f"{regime}_band"] = [None if v is None else "low" if v < 40 else "moderate" for v in score]
        values[f"{regime}_priority"] = priority if moves else [10.0] * rows
    return pl.DataFrame({**keys, **values}, strict=False)


def test_routes_that_move_are_told_by_priority(rulebook: Rulebook, tmp_path: Path) -> None:
    before = scores([30.0, 30.0, 35.0], [5.0, 5.0, 5.0])
    after = scores([33.0, 30.01, 45.0], [9.0, 5.0, 6.0])
    moves = compare(before, after, 365)
    assert moves[0].sentence == (
        "active: 2 of 3 routes moved, 2 up, 0 down, 0 in their range alone; 1 into another band."
    )
    assert moves[0].moved["importer"].to_list() == ["DEU", "USA"]
    assert [found.moved.height for found in moves[1:]] == [0, 0]
    trial = with_file(rulebook, write(tmp_path, RULE))
    text = as_text(trial, moves, 365, 1, DAY)
    assert "small (withheld) as a new rule, 365 days:" in text
    assert "+3.0  gallium refined CHN to DEU: 30.0 (30–30) to 33.0 (33–33); priority +4.0" in text
    assert "USA" not in text
    assert as_data(trial, moves, 365, 1, DAY)["rule_id"] == "small"


def test_a_rule_that_begins_later_says_so(rulebook: Rulebook, tmp_path: Path) -> None:
    trial = with_file(rulebook, write(tmp_path, RULE))
    assert trial.standing(DAY) is None
    trial = replace(trial, rule=replace(trial.rule, effective_from=date(2027, 1, 1)))
    told = "It begins on 2027-01-01 and scores nothing on 2026-11-23: --as-of 2027-01-01 shows what it moves then."
    assert told in as_text(trial, [], 365, 1, DAY)
    assert as_data(trial, [], 365, 1, DAY)["standing"] == told
    assert trial.standing(date(2027, 1, 1)) is None


def test_unknown_scores_do_not_count_as_moves() -> None:
    unknown = scores([None, 50.0], [None, 10.0])
    moves = compare(unknown, unknown, 365)
    assert moves[0].moved.height == 0


def test_a_draft_is_tried_as_active_and_a_file_takes_the_place_of_its_namesake(
    rulebook: Rulebook, tmp_path: Path
) -> None:
    trial = with_file(rulebook, write(tmp_path, RULE.replace("status: active", "status: draft")))
    assert (trial.was_draft, trial.replaces) == (True, False)
    assert trial.rule in trial.ruleset.for_factor("withheld", DAY)
    known = "withholding/company-ban.yml"
    again = with_file(rulebook, write(tmp_path, rulebook.texts[known], "company-ban.yml"))
    assert again.replaces
    assert len(again.ruleset.rules) == len(rulebook.ruleset.rules)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (RULE.replace("sets: withheld", "sets: witheld"), "R014"),
        (RULE.replace("horizon_days: 90}, expect: 0.5", "horizon_days: 90}, expect: 0.4"), "R080"),
        (RULE.replace("status: active", "status: retired"), "never scores"),
    ],
)
def test_what_cannot_be_tried_is_said(rulebook: Rulebook, tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        with_file(rulebook, write(tmp_path, text))
    assert said in str(refused.value)


def test_a_missing_file_is_said(rulebook: Rulebook, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        with_file(rulebook, tmp_path / "nothing.yml")
