from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import polars as pl
import pytest

from engine.language.rules import RuleSet
from engine.scoring.draws import Numbers
from engine.scoring.expect import Expectations
from engine.scoring.inputs import Inputs
from engine.scoring.portfolio import Marts, score_portfolio
from jobs.gather import gather_in_memory
from jobs.settings import load_settings
from tests.engine.rulebook import default_ruleset

TODAY = date(2026, 11, 27)


@cache
def inputs() -> Inputs:
    return gather_in_memory(load_settings(), TODAY, TODAY).only(["gallium", "tungsten", "neodymium"])


@cache
def marts() -> Marts:
    return score_portfolio(inputs(), default_ruleset())


def routes() -> pl.DataFrame:
    return marts()["route_score"]


@pytest.mark.parametrize("regime", ["active", "snapback", "full_stop"])
@pytest.mark.parametrize("table", ["route_score", "importer_score"])
def test_quantiles_and_mean_stay_in_order_and_within_the_bounds(table: str, regime: str) -> None:
    frame = marts()[table]
    share = f"{regime}_missing_share"
    columns = [f"{share}_low", f"{share}_p10", f"{share}_p50", f"{share}_p90", f"{share}_high"]
    for lower, upper in itertools.pairwise(columns):
        assert frame.filter(pl.col(lower) > pl.col(upper) + 1e-6).height == 0
    mean = pl.col(f"{regime}_expected_missing_share")
    assert frame.filter((mean < pl.col(columns[0]) - 1e-6) | (mean > pl.col(columns[-1]) + 1e-6)).height == 0
    assert frame.filter(mean > pl.col(f"{regime}_gap_share") + 1e-6).height == 0


def test_what_is_expected_of_lanes_sums_to_the_money_of_their_importer() -> None:
    lanes = (
        routes()
        .filter(horizon_days=365)
        .group_by("importer", "mineral")
        .agg(usd=(pl.col("active_expected_missing_share") * pl.col("route_usd")).sum())
    )
    money = marts()["exposure"].filter(horizon_days=365, regime="active", stage="*")
    both = money.join(lanes, on=["importer", "mineral"])
    assert both.height == lanes.height
    assert both["expected_missing_usd"].to_list() == pytest.approx(both["usd"].to_list(), rel=1e-4, abs=1.0)


def test_a_bloc_does_not_count_what_moves_between_its_members() -> None:
    members = inputs()["blocs"].filter(bloc="EU27")["country"].to_list()
    bought = routes().filter(pl.col("horizon_days") == 365, pl.col("importer").is_in(members))
    outside = bought.filter(~pl.col("exporter").is_in(members))["route_usd"].sum()
    total = marts()["exposure"].filter(importer="EU27", mineral="*", horizon_days=365, regime="active")
    assert total["traded_usd"].item() == pytest.approx(outside, rel=1e-6)
    assert outside < bought["route_usd"].sum()


def test_the_range_of_a_total_is_narrower_than_the_sum_of_its_parts() -> None:
    rows = marts()["exposure"].filter(importer="JPN", horizon_days=365, regime="active", stage="*")
    total, parts = rows.filter(mineral="*"), rows.filter(pl.col("mineral") != "*")
    assert total["expected_missing_usd"].item() == pytest.approx(parts["expected_missing_usd"].sum())
    width = total["missing_usd_p90"].item() - total["missing_usd_p10"].item()
    assert 0 < width < (parts["missing_usd_p90"] - parts["missing_usd_p10"]).sum()


@pytest.mark.parametrize(("days", "left"), [(0, 60.0), (30, 49.5), (90, 28.5), (600, 0.0)])
def test_a_stock_is_drained_once_by_the_days_of_a_measure(days: int, left: float) -> None:
    totals = Expectations(Numbers(4), inputs(), default_ruleset())
    totals.rebuilding = np.zeros((1, 4))
    found = totals._left(np.full((1, 4), 60.0), np.full((1, 4), 0.35), np.array([float(days)]))
    assert found[0].tolist() == pytest.approx([left] * 4)


def test_magnets_to_germany_are_short_once_the_stock_is_used_up() -> None:
    lane = routes().filter(
        mineral="neodymium", stage="fabricated", exporter="CHN", importer="DEU", horizon_days=365
    )
    assert lane["active_missing_share_best"].item() == 0.0  # at best, with the whole stock taken off again
    assert 0.10 < lane["active_expected_missing_share"].item() < 0.25


def test_the_same_facts_give_the_same_numbers_whatever_else_is_scored() -> None:
    alone = score_portfolio(inputs().only(["gallium"]), default_ruleset())["route_score"]
    assert alone.equals(routes().filter(mineral="gallium").select(alone.columns))


def width(ruleset: RuleSet) -> float:
    """Of the missing share of gallium from China to Japan, from the tenth to the ninetieth percentile."""
    lane = score_portfolio(inputs().only(["gallium"]), ruleset)["route_score"].filter(
        stage="refined", exporter="CHN", importer="JPN", horizon_days=365
    )
    return float((lane["active_missing_share_p90"] - lane["active_missing_share_p10"]).item())


def test_a_rule_is_drawn_by_its_own_spread() -> None:
    usual = default_ruleset()
    licence = [rule for rule in usual.rules if rule.id == "dual-use-licence"]
    assert licence
    evenly = replace(
        usual,
        rules=tuple(replace(rule, spread="uniform") if rule in licence else rule for rule in usual.rules),
    )
    everywhere = replace(usual, scorecard=replace(usual.scorecard, spread="uniform"))
    assert len({round(width(ruleset), 2) for ruleset in (usual, evenly, everywhere)}) == 3


def test_the_day_of_a_shortage_has_quantiles_over_all_draws() -> None:
    totals = Expectations(Numbers(4), inputs(), default_ruleset())
    # In three draws of four the goods run short, after 20, 40 and 80 days and five under way; in one the stock lasts.
    gap = np.array([[0.5, 0.5, 0.5, 0.01]])
    stock = np.array([[10.0, 20.0, 40.0, 40.0]])
    missing = np.maximum(0.0, gap - stock / 365.0).astype(np.float32)
    found = dict(totals._first_days("active", missing, gap, stock, np.array([5.0])))
    days = [found[f"active_time_to_shortage_days_{name}"].item() for name in ("p10", "p50", "p90")]
    assert days[:2] == [25.0, 45.0]
    assert np.isnan(days[2])


@pytest.mark.parametrize("regime", ["active", "snapback", "full_stop"])
def test_a_shortage_comes_in_the_draws_in_which_something_is_missing(regime: str) -> None:
    frame = routes().filter(pl.col("horizon_days") == 365)
    name = f"{regime}_time_to_shortage_days"
    for share in ("p10", "p50", "p90"):
        some = frame.filter(pl.col(f"{name}_{share}").is_not_null())
        # Of the draws at least that share is short, so that as many or more have something missing.
        missing = {"p10": "p90", "p50": "p50", "p90": "p10"}[share]
        assert some.filter(pl.col(f"{regime}_missing_share_{missing}") <= 0.0).height <= 0.01 * some.height
    both = frame.drop_nulls(f"{name}_p90")
    assert both.height > 0
    assert both.filter(pl.col(f"{name}_p10") > pl.col(f"{name}_p90")).height == 0


def test_lanes_of_unknown_value_are_in_no_sum_and_break_none() -> None:
    few = inputs().only(["gallium"])
    flows = few["flows"].with_columns(pl.lit(None, pl.Float64).alias("route_usd"))
    unknown = Inputs(few.question, {**few.frames, "flows": flows})
    assert score_portfolio(unknown, default_ruleset())["exposure"].height == 0
