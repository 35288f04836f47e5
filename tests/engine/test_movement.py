from __future__ import annotations

import math
from datetime import date

import polars as pl
import pytest

from bench.movement import CLASSES, YEARS, free_trade, moved, yearly
from engine.scoring.evidence import MOVEMENTS, common_movement, lane_movement
from tests.engine.rulebook import default_ruleset

TODAY = date(2026, 11, 28)


def test_the_movements_of_the_scorecard_are_those_of_the_embedded_trade() -> None:
    """Each parameter lies between what the three pairs of years show, or at most a tenth beside them."""
    trade = free_trade()
    lanes = [(moved(trade, first, last), math.sqrt(last - first)) for first, last in YEARS]
    edges = [least for least, _ in MOVEMENTS]
    assert edges == [least for least, _ in CLASSES]
    for least, most in zip(edges, [math.inf, *edges], strict=False):
        own = pl.col("value_usd").is_between(least, most, closed="left")
        seen = [
            yearly(frame.filter(own).select(pl.col("lane") - pl.col("code")).to_series(), years)
            for frame, years in lanes
        ]
        stated = lane_movement(default_ruleset(), TODAY, least)
        assert 0.9 * min(seen) <= stated <= 1.1 * max(seen)
    together = [
        yearly(
            frame.filter(pl.col("code_usd") >= edges[0]).group_by("hs6").agg(pl.col("code").first())["code"],
            years,
        )
        for frame, years in lanes
    ]
    assert 0.9 * min(together) <= common_movement(default_ruleset(), TODAY) <= 1.1 * max(together)


def test_a_lane_of_unknown_value_moves_as_the_smallest_do() -> None:
    unknown, small, large = (lane_movement(default_ruleset(), TODAY, usd) for usd in (None, 1.0, 20e6))
    assert unknown == small > large == pytest.approx(math.log(1.8))
