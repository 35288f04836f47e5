from __future__ import annotations

import numpy as np
import pytest

from engine.scoring.doubt import GROUPS, LABELS, Explainer, is_of_country
from engine.scoring.draws import Numbers

DRAWS = 1024


def shares(missing: np.ndarray, names: list[tuple[str, ...]], numbers: Numbers) -> dict[str, float]:
    found = Explainer(numbers).explained(missing[None].astype(np.float32), names, ["CHN"], ["DEU"])
    return dict(zip(GROUPS, found[:, 0].tolist(), strict=True))


def test_a_linear_sum_is_split_by_its_variances() -> None:
    numbers = Numbers(DRAWS)
    names: list[tuple[str, ...]] = [("severity", "r"), ("substitution", "x"), ("coverage", "i")]
    found = shares(3 * numbers.of(*names[0]) + 4 * numbers.of(*names[1]), names, numbers)
    assert found["severity"] == pytest.approx(9 / 25, abs=0.06)
    assert found["substitution"] == pytest.approx(16 / 25, abs=0.06)
    assert found["coverage"] < 0.02


def test_collapsing_the_first_input_leaves_what_it_does_not_explain() -> None:
    numbers = Numbers(DRAWS)
    names: list[tuple[str, ...]] = [("severity", "r"), ("stock", "x", "DEU")]
    both = 3 * numbers.of(*names[0]) ** 2 + numbers.of(*names[1])
    known = numbers.of(*names[1])
    assert known.var() / both.var() == pytest.approx(1 - shares(both, names, numbers)["severity"], abs=0.06)


def test_a_yes_or_no_is_found() -> None:
    numbers = Numbers(DRAWS)
    names: list[tuple[str, ...]] = [("state", "m", "all"), ("severity", "r")]
    found = shares((numbers.of(*names[0]) < 0.5) + 0.1 * numbers.of(*names[1]), names, numbers)
    assert found["state of the law"] > 0.8


def test_an_input_of_another_country_is_not_asked() -> None:
    numbers = Numbers(DRAWS)
    names: list[tuple[str, ...]] = [("stock", "x", "JPN")]
    assert set(shares(numbers.of(*names[0]), names, numbers).values()) == {0.0}


def test_what_does_not_vary_has_no_doubt() -> None:
    assert set(shares(np.full(DRAWS, 0.4), [("severity", "r")], Numbers(DRAWS)).values()) == {0.0}


def test_every_label_is_a_group_and_lanes_belong_to_countries() -> None:
    assert set(LABELS.values()) == set(GROUPS)
    assert is_of_country(("severity", "rule", "gallium", "DEU"))
    assert not is_of_country(("severity", "rule"))
