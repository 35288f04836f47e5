"""Rules on polars, on DuckDB and in the oracle agree; ranges stay in order; inline tests run."""

from dataclasses import replace
from datetime import date

import duckdb
import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
import pytest

from engine import evaluate, load_ruleset, oracle, run_examples
from engine.compile import combine_expressions, compile_factor
from engine.evaluation import MissingFeatureError
from engine.examples import column_type
from engine.rules import RuleSet
from engine.sentence import fill
from tests.engine.rulebook import RULE, default_ruleset, with_rule

ON = date(2026, 11, 23)


def random_rows(ruleset: RuleSet, count: int, seed: int) -> pl.DataFrame:
    """Rows with every feature's columns: known ones full, others with nulls, numbers with extremes."""
    rng = np.random.default_rng(seed)
    columns: dict[str, pl.Series] = {}
    for feature in ruleset.features.values():
        kind = column_type(feature)
        if feature.type in ("category", "bool"):
            values = feature.values or (True, False)
            drawn = [[values[i] for i in rng.integers(0, len(values), count)] for _ in feature.columns]
        elif feature.type == "number":
            numbers = np.where(
                rng.random((3, count)) < 0.2,
                rng.choice([0.0, 1.0, 0.5, 1e9], (3, count)),
                rng.random((3, count)) * 1.4,
            )
            drawn = [list(row) for row in np.sort(numbers, axis=0)[: len(feature.columns)]]
        else:
            drawn = [["x"] * count for _ in feature.columns]
        gone = rng.random(count) < (0.0 if feature.is_known else 0.3)
        for name, values_of in zip(feature.columns, drawn, strict=True):
            columns[name] = pl.Series(
                name,
                [None if g else v for g, v in zip(gone, values_of, strict=True)],
                dtype=kind,
                strict=False,
            )
    return pl.DataFrame(columns)


@pytest.mark.parametrize("factor", list(default_ruleset().scorecard.factors))
def test_polars_and_oracle_agree_and_ends_are_in_order(factor: str) -> None:
    ruleset = default_ruleset()
    frame = random_rows(ruleset, 600, 7)
    got = evaluate(ruleset, factor, frame, on=ON)
    for row, out in zip(frame.iter_rows(named=True), got.iter_rows(), strict=True):
        want = oracle.evaluate(ruleset, factor, row, ON)
        for a, b in zip(want, out[:3], strict=True):
            assert (a is None) == (b is None)
            assert a is None or abs(a - b) < 1e-12
        assert (out[3] is None) == (out[1] is None)
    full = got.drop_nulls(["value_low", "value_best", "value_high"])
    assert (full["value_low"] <= full["value_best"]).all()
    assert (full["value_best"] <= full["value_high"]).all()


@pytest.mark.parametrize("factor", list(default_ruleset().scorecard.factors))
def test_duckdb_gives_the_same_values(factor: str) -> None:
    ruleset = default_ruleset()
    frame = random_rows(ruleset, 2000, 11).with_row_index("row")
    rules = [rule.id for rule in ruleset.for_factor(factor, ON)]
    combine = ruleset.scorecard.factors[factor].combine
    relation = duckdb.from_arrow(frame.to_arrow())
    own = nw.from_native(relation).select("row", **compile_factor(ruleset, factor, ON))
    out = own.select("row", *combine_expressions(rules, combine)).sort("row").to_native().pl()
    want = evaluate(ruleset, factor, frame, on=ON)
    for column in ("value_low", "value_best", "value_high", "rule_id"):
        assert (
            out[column].to_list() == pytest.approx(want[column].to_list(), abs=1e-12, nan_ok=False)
            if column != "rule_id"
            else out[column].to_list() == want[column].to_list()
        )


def test_parameters_change_on_their_day() -> None:
    ruleset = load_ruleset(with_rule())
    frame = random_rows(ruleset, 1, 0).with_columns(
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
    frame = random_rows(ruleset, 1, 0).with_columns(
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
