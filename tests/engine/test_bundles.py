"""The goods under one code, and the elements of one ore, never exceed their whole in any draw."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.scoring.bundles import Bundled, Bundles, Good
from engine.scoring.draws import Numbers, quantile
from engine.scoring.ranges import Array

NUMBERS = Numbers(64)


def shares_of(seed: int, goods: int) -> Array:
    """Ranges of shares of one whole: the best ones together fill it, the highest ones overfill it."""
    rng = np.random.default_rng(seed)
    best = rng.dirichlet(np.ones(goods))
    return np.stack([best * rng.random(goods), best, best * (1.0 + 2.0 * rng.random(goods))])


def named(goods: int) -> list[tuple[str, ...]]:
    return [("trade", f"m{k}", "refined", "AAA") for k in range(goods)]


def drawn(share: Array) -> Array:
    u = np.stack([NUMBERS.of(*name) for name in named(share.shape[1])], axis=1)
    return quantile(share, u)


def room_of(share: Array, good: list[int] | None = None) -> Array:
    places = np.arange(share.shape[1]) if good is None else np.array(good)
    return Bundles({"b": Good(named(share.shape[1]), places, share)}).room(["b"], NUMBERS, "pert")


@given(st.integers(0, 10_000), st.integers(2, 12))
def test_shares_fill_the_whole_at_most_and_stay_in_their_ranges(seed: int, goods: int) -> None:
    share = shares_of(seed, goods)
    free = drawn(share)
    held = share[0] + (free - share[0]) * room_of(share)
    assert (held.sum(axis=1) <= 1.0 + 1e-12).all()
    assert (held >= share[0]).all()
    assert (held <= share[2]).all()
    overfull = free.sum(axis=1) > 1.0
    assert overfull.any()
    np.testing.assert_allclose(held[overfull].sum(axis=1), 1.0)
    np.testing.assert_array_equal(held[~overfull], free[~overfull])


def test_a_good_counted_for_two_contents_takes_its_room_once() -> None:
    magnets, other = np.array([0.3, 0.6, 0.8]), np.array([0.2, 0.4, 0.6])
    share = np.stack([magnets, magnets, other], axis=1)
    room = room_of(share, [0, 0, 1])[:, 0]
    free = drawn(share)
    held = share[0] + (free - share[0]) * room[:, None]
    assert (np.maximum(held[:, 0], held[:, 1]) + held[:, 2] <= 1.0 + 1e-12).all()
    # Counted twice, the magnets would leave no room for what lies above the lowest shares.
    assert room.mean() > 0.8


def test_only_what_is_shipped_under_the_code_is_held() -> None:
    """A lane of 10 t under a code of its own and 5 to 15 t under a shared one, beside a lane without a shared code."""
    share = np.array([[0.25, 0.25], [0.5, 0.5], [0.75, 0.75]])
    part_t = 20.0 * share[:, :1]
    bundled = Bundled(
        Bundles({"b": Good(named(2), np.array([0, 1]), share)}),
        np.array([0]),
        np.array([1]),
        part_t,
        ["b"],
        np.array([1]),
        ["b"],
    )
    lane = np.zeros((2, 2), dtype=np.intp)
    lane[0, 1], lane[1, 0] = 0, 1
    ends_t = np.stack([part_t[:, 0] + 10.0, np.array([1.0, 2.0, 3.0])], axis=1)
    u = np.stack([NUMBERS.of(*named(2)[0])] * 2, axis=1)
    found = bundled.lane_t(lane, ends_t, u, NUMBERS, "pert")
    room = room_of(share)[:, 0]
    assert (room < 1.0).any()
    np.testing.assert_allclose(found[:, 0], 10.0 + 5.0 + (20.0 * drawn(share)[:, 0] - 5.0) * room)
    np.testing.assert_array_equal(found[:, 1], quantile(ends_t[:, 1:], u[:, 1:])[:, 0])
    made = np.tile([100.0, 8.0], (64, 1))
    held = bundled.production_t(np.array([50.0, 4.0]), made, NUMBERS, "pert")
    np.testing.assert_array_equal(held[:, 0], 100.0)
    np.testing.assert_allclose(held[:, 1], 4.0 + 4.0 * room)
