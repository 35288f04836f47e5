"""How much of its codes a mineral is belongs into the range of what is missing of its tonnes and money."""

import numpy as np
import polars as pl
import pytest

from engine.scoring.draws import Numbers, quantile
from engine.scoring.parts import drawn_parts
from engine.scoring.world import DrawnStage

DRAWS = 256
LANES = np.array([0, 1, 2], dtype=np.intp)
PLACES = LANES, LANES[::-1]


def stage(room: np.ndarray | None = None) -> DrawnStage:
    numbers = Numbers(DRAWS)
    u = np.stack([numbers.of("trade", "m", "refined", who) for who in "ABC"], axis=1)
    return DrawnStage(LANES, LANES[::-1], np.ones((DRAWS, 3)), np.ones((DRAWS, 3)), u, room)


def flows() -> pl.DataFrame:
    return pl.DataFrame({"part_low": [1.0, 0.5, None], "part_high": [1.0, 3.0, None]})


def test_a_code_of_its_own_and_an_unknown_part_are_certain() -> None:
    assert drawn_parts(flows(), PLACES, stage(), "pert").at.tolist() == [1]


def test_parts_are_drawn_with_the_number_of_the_lane_and_have_mean_one() -> None:
    parts = drawn_parts(flows(), PLACES, stage(), "pert")
    free = quantile(np.array([0.5, 1.0, 3.0]), stage().u[:, 1])
    np.testing.assert_allclose(parts.over_mean[0], free / free.mean(), rtol=1e-6)
    assert free.mean() == pytest.approx((0.5 + 4.0 + 3.0) / 6.0, rel=2e-3)
    assert float(parts.over_mean.mean()) == pytest.approx(1.0)


def test_a_part_is_held_to_the_room_of_its_bundle() -> None:
    """Where the goods of the code leave no room above the lowest share, the part is the lowest one in each draw."""
    held = drawn_parts(flows(), PLACES, stage(np.zeros((DRAWS, 3))), "pert")
    np.testing.assert_allclose(held.over_mean, 1.0)
    half = np.where(np.arange(DRAWS) < DRAWS // 2, 0.0, 1.0)[:, None] * np.ones((1, 3))
    free = quantile(np.array([0.5, 1.0, 3.0]), stage().u[:, 1])
    part = np.where(half[:, 0] > 0, free, 0.5)
    np.testing.assert_allclose(
        drawn_parts(flows(), PLACES, stage(half), "pert").over_mean[0], part / part.mean(), rtol=1e-6
    )


def test_what_is_missing_is_the_share_of_the_part() -> None:
    parts = drawn_parts(flows(), PLACES, stage(), "pert")
    missing = np.full((3, DRAWS), 0.25, dtype=np.float32)
    np.testing.assert_allclose(parts.of(missing), 0.25 * parts.over_mean)


def test_a_route_that_never_ships_has_no_part() -> None:
    """Of three routes the first has no lane; the second one's part is drawn with the number of its own lane."""
    whole = stage()
    fewer = DrawnStage(
        LANES[1:], LANES[::-1][1:], whole.lane_t[:, 1:], whole.production_t, whole.u[:, 1:], None
    )
    parts = drawn_parts(
        flows().with_columns(part_low=pl.lit(0.5), part_high=pl.lit(3.0)), PLACES, fewer, "pert"
    )
    assert parts.at.tolist() == [1, 2]
    np.testing.assert_array_equal(
        parts.over_mean[0], drawn_parts(flows(), PLACES, whole, "pert").over_mean[0]
    )
