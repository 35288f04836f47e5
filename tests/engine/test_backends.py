"""The same rules on polars, lazy polars and DuckDB give the same values, and those of the plain-Python oracle.

`python -m bench.parity` does the same at a million rows.
"""

import duckdb
import polars as pl
import pytest

from bench.parity import ON, apart, rule_sets
from engine.language import oracle
from engine.language.evaluation import MissingFeatureError, evaluate, with_factor
from engine.language.rules import RuleSet
from tests.engine.rows import random_rows

ROWS, ASKED = 20_000, 10_000
VALUES = ["value_low", "value_best", "value_high"]
CASES = [
    pytest.param(ruleset, factor.name, id=f"{name}: {factor.name}")
    for name, ruleset in rule_sets().items()
    for factor in ruleset.scorecard.factors.values()
    if not factor.by
]


@pytest.mark.parametrize(("ruleset", "factor"), CASES)
def test_backends_agree(ruleset: RuleSet, factor: str) -> None:
    frame = random_rows(ruleset, ROWS, seed=3).with_row_index("row")
    want = evaluate(ruleset, factor, frame, on=ON)
    assert want["value_best"].count() > ROWS / 200  # the rows reach the rules
    lazy = with_factor(ruleset, factor, frame.lazy(), on=ON).collect(engine="streaming").sort("row")
    relation = with_factor(ruleset, factor, duckdb.from_arrow(frame.to_arrow()), on=ON)
    for found in (lazy, relation.pl().sort("row")):
        assert found.columns == [*frame.columns, *want.columns]
        nulls, others, far = apart(want, found)
        assert (nulls, others) == (0, 0)
        assert far < 1e-12


@pytest.mark.parametrize(("ruleset", "factor"), CASES)
def test_the_oracle_agrees(ruleset: RuleSet, factor: str) -> None:
    frame = random_rows(ruleset, ASKED, seed=4)
    got = evaluate(ruleset, factor, frame, on=ON)
    asked = [oracle.evaluate(ruleset, factor, row, ON) for row in frame.iter_rows(named=True)]
    want = pl.DataFrame(asked, schema=dict.fromkeys(VALUES, pl.Float64), orient="row")
    nulls, _, far = apart(want.with_columns(rule_id=got["rule_id"]), got)
    assert nulls == 0
    assert far < 1e-12


def test_a_relation_without_a_feature_is_refused_by_name() -> None:
    with pytest.raises(MissingFeatureError, match="instrument"):
        with_factor(rule_sets()["rules"], "withheld", pl.LazyFrame({"horizon_days": [90]}), on=ON)
