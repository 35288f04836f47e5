from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from engine.language.rules import SPREADS
from engine.scoring.draws import (
    Numbers,
    latin,
    quantile,
    shared,
)
from ground.draws import MOST_DRAWS, DrawsError, check_draws

DRAWS = 4096


@given(st.text(max_size=20), st.sampled_from([2, 16, 256]))
def test_a_column_has_one_number_in_each_stratum(name: str, draws: int) -> None:
    u = latin((name,), draws)
    assert sorted(np.floor(u * draws).astype(int)) == list(range(draws))
    assert u.min() > 0
    assert u.max() < 1


def test_numbers_depend_on_the_name_alone() -> None:
    one, other = Numbers(64), Numbers(64)
    other.of("something", "else")
    assert np.array_equal(one.of("severity", "a"), other.of("severity", "a"))
    assert not np.array_equal(one.of("severity", "a"), one.of("severity", "b"))
    assert np.array_equal(one.each("trade", "x", names=["DEU"])[:, 0], one.of("trade", "x", "DEU"))


def test_columns_of_different_names_are_nearly_uncorrelated() -> None:
    columns = np.stack([latin(("x", str(i)), DRAWS) for i in range(12)])
    apart = np.corrcoef(columns) - np.eye(12)
    assert np.abs(apart).max() < 4 / np.sqrt(DRAWS)


@given(
    st.tuples(*[st.floats(0, 100)] * 3).map(sorted),
    st.sampled_from(SPREADS),
)
def test_values_stay_within_the_ends_and_rise(ends: list[float], kind: str) -> None:
    values = quantile(np.array(ends), np.linspace(0.001, 0.999, 99), kind)
    assert values.min() >= ends[0] - 1e-9
    assert values.max() <= ends[2] + 1e-9
    assert np.all(np.diff(values) >= -1e-9)


@pytest.mark.parametrize("ends", [(0.1, 0.35, 0.6), (0.0, 0.1, 0.3), (0.0, 0.0, 1.0), (0.9, 1.0, 1.0)])
def test_pert_has_its_mean_and_quantiles(ends: tuple[float, float, float]) -> None:
    low, best, high = ends
    values = quantile(np.array(ends), latin(("pert",), DRAWS))
    mode = (best - low) / (high - low)
    known = stats.beta(1 + 4 * mode, 5 - 4 * mode, loc=low, scale=high - low)
    assert values.mean() == pytest.approx((low + 4 * best + high) / 6, abs=1e-3)
    for share in (0.1, 0.5, 0.9):
        assert np.quantile(values, share) == pytest.approx(known.ppf(share), abs=2e-3 * (high - low))


def test_uniform_triangular_and_chance_match_their_closed_forms() -> None:
    u = latin(("closed",), DRAWS)
    ends = np.array([2.0, 3.0, 6.0])
    assert quantile(ends, u, "uniform").mean() == pytest.approx(4.0, abs=1e-3)
    assert quantile(ends, u, "triangular").mean() == pytest.approx(11 / 3, abs=1e-3)
    assert quantile(np.array([0.0, 0.4, 1.0]), u, "chance").mean() == pytest.approx(0.4, abs=1 / DRAWS)
    either = quantile(np.array([0.2, 0.3, 0.7]), u, "chance")
    assert set(either) == {0.2, 0.7}
    assert either.mean() == pytest.approx(0.3, abs=1 / DRAWS)


def test_quantiles_converge_as_draws_double() -> None:
    ends = np.array([0.1, 0.35, 0.6])
    exact = float(stats.beta(3, 3, loc=0.1, scale=0.5).ppf(0.9))
    error = {
        draws: np.mean(
            [abs(np.quantile(quantile(ends, latin((str(i),), draws)), 0.9) - exact) for i in range(20)]
        )
        for draws in (64, 1024)
    }
    assert error[1024] < error[64] / 8  # one over the draws; plain random numbers would give a quarter


def test_a_point_is_a_point() -> None:
    assert np.all(quantile(np.array([0.3, 0.3, 0.3]), latin(("p",), 16)) == 0.3)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_shared_numbers_stay_uniform_and_correlate_by_the_share(share: float) -> None:
    common = latin(("common",), DRAWS)[:, None]
    own = np.stack([latin(("own", str(i)), DRAWS) for i in range(2)], axis=1)
    u = shared(common, own, share)
    for column in u.T:
        assert stats.kstest(column, "uniform").statistic < 0.03
    scores = stats.norm.ppf(u)
    assert np.corrcoef(scores.T)[0, 1] == pytest.approx(share, abs=0.05)


@pytest.mark.parametrize("draws", [0, 1, 3, 100, -8, 2 * MOST_DRAWS])
def test_a_number_of_draws_that_cannot_be_used_is_refused(draws: int) -> None:
    with pytest.raises(DrawsError, match="draws"):
        check_draws(draws)


def test_an_unknown_spread_names_those_there_are() -> None:
    with pytest.raises(ValueError, match="pert, triangular"):
        quantile(np.array([0.0, 0.5, 1.0]), np.array([0.5]), "normal")
