from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import polars as pl
import pytest
from scipy import special

from engine.scoring.drawn_curbs import Spread
from engine.scoring.draws import Numbers
from engine.scoring.evidence import Evidence, Observed, _Rule, _through, evidence_since, observed_lanes
from engine.scoring.inputs import Inputs
from engine.scoring.portfolio import Marts, score_portfolio
from jobs.facts.plan import reached, taught
from jobs.gather import gather_in_memory
from jobs.settings import load_settings
from tests.engine.rulebook import default_ruleset

DRAWS = 4096
RULES = default_ruleset()
ONE = Observed("r", "gallium", "refined", "JPN", (0.0, 0.5, 1.0), 1.0, float(np.log(0.4)), 0.1, 1e-6)


@cache
def inputs(day: date = date(2026, 11, 27)) -> Inputs:
    return gather_in_memory(load_settings(), day, day)


@cache
def marts() -> Marts:
    return score_portfolio(inputs().only(["gallium", "tungsten"]), RULES)


def learnt(*observed: Observed, common_share: float = 1.0, kind: str = "uniform") -> Evidence:
    numbers = Numbers(DRAWS)
    new: dict[tuple[str, ...], np.ndarray] = {}
    told: dict[tuple[str, str, str], float] = {}
    _Rule("r", observed, numbers, Spread("pert", common_share, lambda _: kind), 0.02).learn(new, told)
    return Evidence(numbers, new, told)


def test_numbers_go_through_a_flat_posterior_unchanged_and_through_a_cell_into_it() -> None:
    u = Numbers(256).of("u")
    assert _through(u, np.full((256, 32), 1 / 32)) == pytest.approx(u, abs=1e-12)
    only = np.zeros((256, 4))
    only[:, 2] = 1.0
    assert _through(u, only) == pytest.approx(0.5 + u / 4, abs=1e-12)


def test_one_lane_gives_the_posterior_of_bayes_rule() -> None:
    """A uniform severity s and log(0.4) = log(1 - s) + noise of 0.1: the mean by plain integration."""
    s = np.linspace(0.0, 0.98, 200_001)
    weight = np.exp(-0.5 * ((np.log(0.4) - np.log(1.0 - s)) / 0.1) ** 2)
    mean = (s * weight).sum() / weight.sum()
    spread = np.sqrt(((s - mean) ** 2 * weight).sum() / weight.sum())
    drawn = learnt(ONE).of("severity", "r")
    assert drawn.mean() == pytest.approx(mean, abs=0.005)
    assert drawn.std() == pytest.approx(spread, abs=0.01)  # cells are 1/32 wide


def test_what_is_not_common_is_learnt_of_the_lane_alone() -> None:
    evidence = learnt(ONE, common_share=0.0)
    assert evidence.of("severity", "r") == pytest.approx(evidence.numbers.of("severity", "r"), abs=1e-3)
    assert evidence.of("severity", "r", "gallium", "JPN").mean() == pytest.approx(0.6, abs=0.01)
    other = "severity", "r", "gallium", "DEU"
    assert evidence.of(*other) is evidence.numbers.of(*other)


def test_less_trade_means_more_severity_and_more_lanes_say_more() -> None:
    def mean(*ratios: float, sd: float = 1.0) -> tuple[float, float]:
        lanes = [
            replace(ONE, importer=f"L{i}", log_ratio=float(np.log(ratio)), lane_sd=sd)
            for i, ratio in enumerate(ratios)
        ]
        evidence = learnt(*lanes, common_share=0.5)
        return float(evidence.of("severity", "r").mean()), evidence.told_share("r", "gallium", "L0")

    assert mean(0.1)[0] > mean(0.5)[0] > mean(1.5)[0]
    assert mean(*[0.3] * 8)[1] > mean(0.3)[1] > 0.05


def test_a_movement_of_all_lanes_of_a_mineral_hides_their_severity() -> None:
    calm = [replace(ONE, importer=f"L{i}", lane_sd=0.5) for i in range(8)]
    stormy = [replace(one, common_sd=1.0) for one in calm]
    told = [learnt(*lanes).told_share("r", "", "") for lanes in (calm, stormy)]
    assert told[0] > 0.9 > told[1]


def test_posterior_numbers_stay_a_severity_of_equal_weight() -> None:
    drawn = learnt(ONE, common_share=0.5).of("severity", "r")
    assert drawn.min() > 0.0
    assert drawn.max() < 1.0
    assert len(np.unique(drawn)) == DRAWS
    # The same worlds in the same order: a draw that was high stays high.
    before = Numbers(DRAWS).of("severity", "r")
    assert np.corrcoef(special.ndtri(before), special.ndtri(drawn))[0, 1] > 0.95


def test_what_was_not_yet_known_teaches_nothing() -> None:
    day = date(2023, 9, 30)  # the licence stands, trade of its year is not published
    assert observed_lanes(inputs(day), RULES) == []
    assert evidence_since(inputs(day), RULES, Numbers(2)).rules == set()


def test_lanes_without_a_baseline_teach_nothing() -> None:
    whole = inputs()
    seen = observed_lanes(whole, RULES)
    assert {one.mineral for one in seen} >= {"gallium", "germanium", "antimony", "natural_graphite"}
    flows = whole["flows"].with_columns(
        route_t_best=pl.when(pl.col("mineral") == "gallium").then(0.0).otherwise("route_t_best")
    )
    none = Inputs(whole.question, {**whole.frames, "flows": flows})
    assert {one.mineral for one in observed_lanes(none, RULES)} == {one.mineral for one in seen} - {"gallium"}


def test_some_minerals_or_horizons_alone_learn_from_all() -> None:
    numbers = Numbers(64)
    short = replace(RULES, scorecard=replace(RULES.scorecard, horizons=(365,)))
    assert observed_lanes(inputs(), short) == observed_lanes(inputs(), RULES)
    whole, alone = (evidence_since(own, RULES, numbers) for own in (inputs(), inputs().only(["tungsten"])))
    assert whole.told == alone.told


def test_prior_and_posterior_stand_side_by_side() -> None:
    routes = marts()["route_score"].filter(horizon_days=365, exporter="CHN")
    japan = routes.filter(mineral="gallium", importer="JPN", stage="refined").row(0, named=True)
    # Half of Japan's gallium still came, where the rules of a dispute expect nine tenths to stay away.
    assert japan["active_expected_missing_share"] < japan["prior_expected_missing_share"] - 0.005
    assert japan["evidence"] == "weak"
    assert set(routes["evidence"]) <= {"none", "weak", "strong"}
    stop = routes.filter(mineral="tungsten", evidence="none")
    assert stop.height
    assert routes["prior_expected_missing_share"].null_count() == 0


def test_a_plan_of_new_trade_reaches_all_minerals_whose_rule_it_teaches() -> None:
    now = inputs()
    is_lane = (pl.col("mineral") == "gallium") & (pl.col("exporter") == "CHN") & (pl.col("importer") == "DEU")
    flows = now["flows"].with_columns(latest_t=pl.when(is_lane).then(0.1).otherwise("latest_t"))
    then = Inputs(now.question, {**now.frames, "flows": flows})
    assert reached(now, then) == ["gallium"]
    # Germany buys under the rule for ordinary buyers, which governs graphite and antimony too, and no platinum.
    assert taught(now, then, RULES) >= {"gallium", "natural_graphite", "antimony"}
    assert "platinum" not in taught(now, then, RULES)
    assert taught(now, now, RULES) == set()
