"""What a company's lines lose in draws, against sums made by hand."""

import numpy as np
from scipy import sparse

from engine.purchases.losses import Profiles, shares, sums, tail_shares, weighed, worst_draws

GAP = np.array([[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0], [1.0, 0.0] * 5])


def test_lines_of_one_route_and_stock_share_a_profile() -> None:
    profiles = Profiles.of(np.array([0, 1, 0, 0]), np.array([73.0, np.nan, 73.0, 0.0]))
    assert len(profiles) == 3
    assert profiles.of_line[0] == profiles.of_line[2] != profiles.of_line[3]


def test_own_stock_covers_the_first_days_and_one_not_stated_none() -> None:
    profiles = Profiles.of(np.array([0, 0]), np.array([73.0, np.nan]))
    found = shares(GAP, profiles, 365.0)
    stocked, open_ = profiles.of_line
    np.testing.assert_allclose(found.gap[[stocked, open_]], 0.55)
    # 73 of 365 days are a fifth: 0.1 and 0.2 are covered, of the others a fifth is.
    assert found.missing[stocked] == np.maximum(0, GAP[0] - 0.2).mean()
    assert found.missing[open_] == GAP[0].mean()
    assert found.chance[stocked] == 0.8
    # The stock of 73 days lasts 73 / gap days; two draws of ten never run short.
    np.testing.assert_allclose(found.days[:, stocked][:2], [73 / 1.0, 73 / 0.6])
    assert np.isclose(found.days[2, stocked], np.inf) or np.isnan(found.days[2, stocked])


def test_sums_are_made_inside_a_draw() -> None:
    profiles = Profiles.of(np.array([0, 1, 1]), np.array([0.0, 0.0, 0.0]))
    usd = np.array([100.0, 10.0, np.nan])
    weights = weighed(np.array([0, 0, 1]), profiles.of_line, usd, (2, len(profiles)))
    assert isinstance(weights, sparse.csr_array)
    before, after = sums(weights, GAP, profiles, 365.0)
    np.testing.assert_allclose(after[0], 100 * GAP[0] + 10 * GAP[1])
    np.testing.assert_allclose(before, after)
    assert not after[1].any()  # a spend that is unknown is in no sum


def test_the_tail_is_that_of_the_whole_and_its_parts_sum_to_it() -> None:
    profiles = Profiles.of(np.array([0, 1]), np.array([0.0, 0.0]))
    usd = np.array([100.0, 500.0])
    total = usd @ GAP
    worst = worst_draws(total, 0.2)
    assert set(worst) == set(np.argsort(-total)[:2])
    tail = tail_shares(GAP, profiles, 365.0, worst)[profiles.of_line] * usd
    np.testing.assert_allclose(tail.sum(), np.sort(total)[-2:].mean())
