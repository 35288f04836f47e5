"""Closed forms and properties of the scores, and the estimate on made data of which the truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.scoring.draws import latin
from engine.trials.calibration import (
    calibrate,
    crps,
    is_covered,
    log_score,
    pit_histogram,
    rank_correlation,
    rank_span,
)
from engine.trials.severities import Seen, SeverityModel, propose

shares = st.floats(0.0, 1.0)
forecasts = st.lists(shares, min_size=2, max_size=40).map(np.array)


@given(point=shares, seen=shares)
def test_a_points_score_is_its_error(point: float, seen: float) -> None:
    assert crps(np.full(8, point), seen) == pytest.approx(abs(point - seen), abs=1e-12)


@pytest.mark.parametrize("seen", [0.0, 0.3, 0.5, 1.0])
def test_the_uniform_has_its_closed_form(seen: float) -> None:
    draws = (np.arange(4096) + 0.5) / 4096
    assert crps(draws, seen) == pytest.approx(seen**2 - seen + 1.0 / 3.0, abs=1e-6)


@given(draws=forecasts, seen=shares)
def test_the_score_is_that_of_all_pairs(draws: np.ndarray, seen: float) -> None:
    pairs = np.abs(draws[:, None] - draws[None, :]).mean()
    assert crps(draws, seen) == pytest.approx(np.abs(draws - seen).mean() - pairs / 2.0, abs=1e-12)
    assert crps(draws, seen) >= -1e-12


@given(draws=forecasts, seen=shares)
def test_order_and_shift_do_not_matter(draws: np.ndarray, seen: float) -> None:
    assert crps(draws[::-1], seen) == pytest.approx(crps(draws, seen), abs=1e-12)
    assert crps(draws + 2.0, seen + 2.0) == pytest.approx(crps(draws, seen), abs=1e-9)


@given(draws=forecasts, seen=shares)
def test_a_wider_interval_holds_what_a_narrower_one_does(draws: np.ndarray, seen: float) -> None:
    held = [is_covered(draws, seen, share) for share in (0.5, 0.8, 0.9)]
    assert held == sorted(held)


@given(spans=st.lists(st.tuples(shares, shares).map(lambda s: (min(s), max(s))), min_size=1, max_size=20))
def test_a_histogram_has_the_mass_of_one(spans: list[tuple[float, float]]) -> None:
    assert pit_histogram(spans).sum() == pytest.approx(1.0, abs=1e-9)


def test_ties_are_spread_over_the_histogram() -> None:
    assert rank_span(np.zeros(4), 0.0) == (0.0, 1.0)
    assert pit_histogram([(0.0, 1.0)]) == pytest.approx(np.full(10, 0.1))
    assert pit_histogram([(0.25, 0.35)])[2:4] == pytest.approx([0.5, 0.5])


def test_knowing_nothing_scores_nothing_and_knowing_scores_below() -> None:
    flat = (np.arange(250) + 0.5) / 250
    assert log_score(flat, 0.42) == pytest.approx(0.0, abs=1e-12)
    assert log_score(np.full(256, 0.42), 0.42) == pytest.approx(-math.log(10 * 257 / 266))
    assert log_score(np.full(256, 0.42), 0.99) == pytest.approx(-math.log(10 * 1 / 266))
    assert log_score(np.full(256, 0.95), 1.0) == log_score(np.full(256, 0.95), 0.95)
    assert math.isfinite(log_score(np.full(256, 0.0), -1.6))


def test_ranks_take_ties_at_their_mean_and_nothing_varies_is_none() -> None:
    assert rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0, 900.0])) == pytest.approx(1.0)
    assert rank_correlation(np.array([1.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0])) == pytest.approx(
        math.sqrt(3) / 2
    )
    assert rank_correlation(np.zeros(5), np.arange(5.0)) is None
    assert rank_correlation(np.arange(2.0), np.arange(2.0)) is None


def test_forecasts_from_the_truth_are_calibrated() -> None:
    rng = np.random.default_rng(5)
    centres = rng.uniform(0.2, 0.8, 2000)
    found = calibrate(
        [centre + 0.1 * rng.standard_normal(200) for centre in centres],
        list(centres + 0.1 * rng.standard_normal(2000)),
    )
    assert found.coverage == pytest.approx({0.5: 0.5, 0.8: 0.8, 0.9: 0.9}, abs=0.03)
    assert found.bias == pytest.approx(0.0, abs=0.01)
    # CRPS of a normal against itself is sd / sqrt(pi).
    assert found.crps == pytest.approx(0.1 / math.sqrt(math.pi), rel=0.05)
    assert found.pit == pytest.approx(np.full(10, 0.1), abs=0.03)


@pytest.mark.parametrize(("forecasts", "seen"), [([], []), ([np.zeros(2)], [0.1, 0.2])])
def test_nothing_to_score_is_said(forecasts: list[np.ndarray], seen: list[float]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        calibrate(forecasts, seen)


# -- severities ---------------------------------------------------------------------------------------------


def _made(rng: np.random.Generator, episodes: int, *, lane: float = 0.0) -> list[Seen]:
    """Two rules with means 0.7 and 0.3, episodes that scatter by 0.1, noise of 0.05."""
    found = []
    for episode in range(episodes):
        rule, mean = (("harsh", 0.7), ("mild", 0.3))[episode % 2]
        own = 0.1 * rng.standard_normal()
        for _ in range(4):
            share = float(rng.uniform()) if lane else 1.0
            noise = math.sqrt(0.05**2 + lane**2 * (1.0 - share)) * rng.standard_normal()
            found.append(Seen(mean + own + noise, f"episode {episode}", rule, 90, share))
    return found


def test_the_model_finds_means_and_spreads() -> None:
    model = SeverityModel(_made(np.random.default_rng(1), 80))
    assert model.moments(("harsh", 90))[0] == pytest.approx(0.7, abs=0.04)
    assert model.moments(("mild", 90))[0] == pytest.approx(0.3, abs=0.04)
    assert model.spreads.episode == pytest.approx(0.1, abs=0.03)
    assert model.spreads.whole == pytest.approx(0.05, abs=0.02)


def test_small_lanes_scatter_more() -> None:
    model = SeverityModel(_made(np.random.default_rng(2), 80, lane=0.3))
    assert model.spreads.lane == pytest.approx(0.3, abs=0.06)
    assert model.noise_sd(0.0) > model.noise_sd(1.0) + 0.1


def test_episodes_left_out_are_covered_as_promised() -> None:
    seen = _made(np.random.default_rng(3), 40)
    u = latin(("test",), 256)
    held = []
    for episode in sorted({one.episode for one in seen}):
        model = SeverityModel([one for one in seen if one.episode != episode])
        first = next(one for one in seen if one.episode == episode)
        held.append(is_covered(model.predict_fall(first.cell, u), first.severity, 0.8))
    assert 0.65 <= np.mean(held) <= 0.95


def test_few_episodes_stay_near_what_was_believed_and_wide() -> None:
    one = SeverityModel([Seen(1.0, "a", "harsh", 90)])
    mean, sd = one.moments(("harsh", 90))
    assert 0.5 < mean < 1.0
    assert sd > 0.2
    assert one.moments(("other", 365))[0] < mean


def test_proposals_are_ranges_in_order_with_a_reference() -> None:
    found = propose(_made(np.random.default_rng(4), 12))
    assert [(p.rule_id, p.horizon_days) for p in found] == [("harsh", 90), ("mild", 90)]
    for proposal in found:
        assert 0.0 <= proposal.low < proposal.best < proposal.high <= 1.0
        assert (proposal.outcomes, proposal.episodes) == (24, 6)
        assert "48 outcomes of 12 episodes" in proposal.reference


def test_a_law_that_reached_little_says_little() -> None:
    full = SeverityModel([Seen(1.0, "a", "harsh", 90), Seen(0.2, "b", "harsh", 90)])
    part = SeverityModel([Seen(1.0, "a", "harsh", 90), Seen(0.2, "b", "harsh", 90, reach=0.1)])
    assert part.moments(("harsh", 90))[0] > full.moments(("harsh", 90))[0]
    u = latin(("test",), 256)
    assert np.ptp(full.predict_fall(("harsh", 90), u, reach=0.1)) < np.ptp(
        full.predict_fall(("harsh", 90), u)
    )


def test_nothing_seen_and_impossible_lanes_are_refused() -> None:
    with pytest.raises(ValueError, match="no outcome is left"):
        SeverityModel([])
    with pytest.raises(ValueError, match=r"outside 0\.\.1"):
        SeverityModel([Seen(0.5, "a", "harsh", 90, 1.2)])
    with pytest.raises(ValueError, match="reached none"):
        SeverityModel([Seen(0.5, "a", "harsh", 90, reach=0.0)])
