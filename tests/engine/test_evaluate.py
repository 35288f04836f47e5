"""Ranges stay in order, parameters change on their day, inline tests run. Backends agree in test_backends."""

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from engine.language.evaluation import MissingFeatureError, evaluate
from engine.language.examples import run_examples
from engine.language.ruleset import load_ruleset
from engine.language.sentence import fill
from tests.engine.rows import random_rows
from tests.engine.rulebook import RULE, default_ruleset, with_rule

ON = date(2026, 11, 23)


@pytest.mark.parametrize("factor", list(default_ruleset().scorecard.factors))
def test_ends_are_in_order(factor: str) -> None:
    ruleset = default_ruleset()
    frame = random_rows(ruleset, 600, 7)
    got = evaluate(ruleset, factor, frame, on=ON)
    full = got.drop_nulls(["value_low", "value_best", "value_high"])
    assert (full["value_low"] <= full["value_best"]).all()
    assert (full["value_best"] <= full["value_high"]).all()


def test_parameters_change_on_their_day() -> None:
    ruleset = load_ruleset(with_rule())
    frame = random_rows(ruleset, 1, 0, gone_share=0.0).with_columns(
        instrument=pl.lit("export_tax"),
        horizon_days=pl.lit(365, pl.Int64),
        **{f"destination_class_{end}": pl.lit("ordinary") for end in ("low", "best", "high")},
    )
    before = evaluate(ruleset, "withheld", frame, on=date(2025, 12, 31)).row(0)
    after = evaluate(ruleset, "withheld", frame, on=date(2026, 1, 1)).row(0)
    assert before == (0.1, 0.35, 0.6, "small")
    assert after == (0.2, 0.4, 0.6, "small")


def test_a_range_category_takes_each_end_from_its_own_class() -> None:
    ruleset = default_ruleset()
    frame = random_rows(ruleset, 1, 0, gone_share=0.0).with_columns(
        instrument=pl.lit("export_licence"),
        scope=pl.lit("all"),
        horizon_days=pl.lit(365, pl.Int64),
        is_small_lane=pl.lit(value=False),
        holds_general_licence=pl.lit(value=False),
        destination_class_low=pl.lit("ordinary"),
        destination_class_best=pl.lit("ordinary"),
        destination_class_high=pl.lit("dispute"),
    )
    assert evaluate(ruleset, "withheld", frame, on=ON).row(0)[:3] == (0.1, 0.35, 1.0)


def test_inline_tests_run_and_say_field_by_field_what_differs() -> None:
    assert run_examples(default_ruleset()).problems == []
    assert len(run_examples(default_ruleset()).results) > 200
    broken = load_ruleset(with_rule(RULE.replace("expect: [0.1, 0.35, 0.6]", "expect: [0.1, 0.3, 0.6]")))
    (problem,) = run_examples(broken).problems
    assert problem.code == "R080"
    assert "best: want 0.3, got 0.35" in problem.message


def test_a_frame_without_a_feature_is_refused_by_name() -> None:
    with pytest.raises(MissingFeatureError, match="instrument"):
        evaluate(default_ruleset(), "withheld", pl.DataFrame({"horizon_days": [90]}), on=ON)


def test_an_unknown_factor_is_refused_by_name() -> None:
    with pytest.raises(MissingFeatureError, match="no factor 'witheld'"):
        evaluate(default_ruleset(), "witheld", pl.DataFrame({"horizon_days": [90]}), on=ON)


def test_draft_and_retired_rules_have_no_say() -> None:
    ruleset = default_ruleset()
    asleep = replace(ruleset, rules=tuple(replace(rule, status="draft") for rule in ruleset.rules))
    got = evaluate(asleep, "withheld", random_rows(ruleset, 3, 1), on=ON)
    assert got["value_best"].to_list() == [None] * 3


def test_sentences() -> None:
    values = {"withheld": 0.354, "mineral": "natural_graphite", "stock_days": 30.4, "points": -3.25}
    assert fill("{withheld:percent} of {mineral}", values) == "35 % of natural graphite"
    assert fill("{stock_days:days}, {points:points}, {gone}", values) == "30 days, -3.2 points, unknown"
