"""The two contestants of `python -m bench.rules` do the same work."""

from pathlib import Path

import polars as pl
import pytest

from bench import rule_set
from bench.rules import score, write_rows
from engine.language.examples import run_examples
from engine.language.ruleset import load_ruleset


def test_the_rules_of_the_benchmark_are_checked_and_tested() -> None:
    ruleset = load_ruleset(rule_set.texts())
    assert len(ruleset.rules) == 40
    assert run_examples(ruleset).problems == []


def test_by_hand_and_by_rules_are_equal(tmp_path: Path) -> None:
    write_rows(tmp_path, 5_000)
    hand, ours = (score(tmp_path, way).collect().sort("row") for way in ("hand", "ours"))
    assert hand["rule_id"].n_unique() > 5
    assert hand["rule_id"].to_list() == ours["rule_id"].to_list()
    for end in rule_set.ENDS:
        far = (hand[f"value_{end}"] - ours[f"value_{end}"]).abs().max()
        assert far == pytest.approx(0, abs=1e-12)
    assert ours.select(pl.col("value_best").is_between(0, 10).all()).item()
