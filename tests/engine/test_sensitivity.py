"""Scores of the quick way are those of the long way, and every range of the rules is a lever."""

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.language.rules import Range, RuleSet
from engine.scoring.inputs import Inputs as EngineInputs
from engine.scoring.portfolio import score_portfolio
from engine.trials.rescore import ROUTE_KEYS, Rescorer, RouteScores
from engine.trials.sensitivity import Lever, levers, sensitivity, with_best_at
from ground.question import Question
from jobs.gather import gather
from tests.engine.rulebook import default_ruleset
from warehouse.asof.inputs import Inputs
from warehouse.asof.state import Warehouse

FACTS = Path(__file__).parents[2] / "warehouse" / "facts"
DAY = date(2026, 11, 23)
MINERALS = ("gallium", "tungsten")  # a chain of one stage, and one of two


@cache
def inputs(country: str = "CHN", minerals: tuple[str, ...] = MINERALS) -> EngineInputs:
    with Warehouse.open_memory() as state:
        state.load_bundles([FACTS])
        return gather(Inputs(state, Question(DAY, DAY, country))).only(minerals)


@cache
def rescorer(horizon: int) -> Rescorer:
    return Rescorer(inputs(), default_ruleset(), horizon)


def the_long_way(ruleset: RuleSet, horizon: int) -> pl.DataFrame:
    one = replace(ruleset, scorecard=replace(ruleset.scorecard, horizons=(horizon,)))
    return score_portfolio(inputs(), one)["route_score"].select(
        *ROUTE_KEYS,
        active="active_best",
        active_priority=100 * (pl.col("dependence_share") * pl.col("active_missing_share_best")).sqrt(),
    )


def assert_same(found: RouteScores, ruleset: RuleSet, horizon: int) -> None:
    routes = rescorer(horizon).routes.select(
        *ROUTE_KEYS, score=pl.Series(found.score), priority=pl.Series(found.priority)
    )
    both = routes.join(the_long_way(ruleset, horizon), on=ROUTE_KEYS)
    assert both.height == routes.height > 500
    np.testing.assert_allclose(both["score"], both["active"], atol=1e-7)
    np.testing.assert_allclose(both["priority"], both["active_priority"], atol=1e-7)


def lever(rule_id: str, name: str) -> Lever:
    return next(one for one in levers(default_ruleset(), DAY) if (one.rule_id, one.name) == (rule_id, name))


@pytest.mark.slow
@pytest.mark.parametrize("horizon", [365, 1825])
def test_the_rules_as_they_are_score_as_in_a_run(horizon: int) -> None:
    assert_same(rescorer(horizon).before, default_ruleset(), horizon)


# One lever of each way that a value takes to the score: both passes, access, and what the engine itself reads.
WAYS = [
    ("dual-use-licence", "$refused_at_twelve_months", "high", 365),
    ("entity-ban", "$where_unknown", "high", 365),
    ("stock-cover", "$where_unknown", "low", 365),
    ("scorecard", "$lapsed_weight", "high", 365),
    ("scorecard", "$ramp_share", "low", 1825),
]


@pytest.mark.slow
@pytest.mark.parametrize(("rule_id", "name", "end", "horizon"), WAYS)
def test_a_changed_value_scores_as_in_a_run(rule_id: str, name: str, end: str, horizon: int) -> None:
    chosen = lever(rule_id, name)
    changed = with_best_at(default_ruleset(), chosen, end, DAY)
    found = rescorer(horizon).scores(changed, chosen.factor)
    assert_same(found, changed, horizon)


def test_levers_are_the_ranges_of_the_day() -> None:
    found = levers(default_ruleset(), DAY)
    names = {(one.rule_id, one.name) for one in found}
    assert len(names) == len(found)
    assert ("stock-cover", "$where_unknown") in names
    assert ("scorecard", "$lapsed_weight") in names
    assert not any(one.span.low == one.span.high for one in found)
    assert ("scorecard", "$in_force_weight") not in names  # one number has no end to go to
    assert levers(default_ruleset(), date(2019, 1, 1)) == []


def test_a_lever_moves_best_alone_and_only_on_its_day() -> None:
    chosen = lever("dual-use-licence", "$refused_at_twelve_months")
    changed = with_best_at(default_ruleset(), chosen, "low", DAY)
    (rule,) = [one for one in changed.rules if one.id == "dual-use-licence"]
    assert rule.parameters["refused_at_twelve_months"].on(DAY) == Range(0.1, 0.1, 0.6)
    others = [one for one in changed.rules if one.id != rule.id]
    assert others == [one for one in default_ruleset().rules if one.id != rule.id]


def test_the_sum_of_what_moves_is_told_by_size_and_an_unknown_usd_has_no_weight() -> None:
    gallium = inputs().only(["gallium"])
    ruleset = replace(
        default_ruleset(),
        rules=tuple(r for r in default_ruleset().rules if r.id in ("dual-use-licence", "stock-cover")),
    )
    found = sensitivity(Rescorer(gallium, ruleset, 365), ruleset)
    sizes = [one.size for one in found.levers]
    assert sizes == sorted(sizes, reverse=True)
    top = found.levers[0]
    assert (top.lever.rule_id, set(top.effects)) == ("dual-use-licence", {"low", "high"})
    low, high = top.effects["low"], top.effects["high"]
    assert low.largest is not None
    assert high.largest is not None
    assert low.largest.change < 0 < high.largest.change
    assert low.heaviest is not None
    assert low.heaviest.route[:3] == ("gallium", "refined", "CHN")
    flows = gallium["flows"].with_columns(route_usd=pl.lit(None, pl.Float64))
    unknown = EngineInputs(Question(DAY, DAY, "CHN"), {**gallium.frames, "flows": flows})
    weightless = sensitivity(Rescorer(unknown, ruleset, 365), ruleset)
    assert weightless.usd == 0
    assert weightless.moved == found.moved
    assert {one.size for one in weightless.levers} == {0.0}
