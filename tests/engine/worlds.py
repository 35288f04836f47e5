"""Small random chains and laws for property tests."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from engine.scoring.chain_score import ChainScorer, StageLaw
from engine.scoring.curbs import CurbItem, CurbSet
from engine.scoring.ranges import POINTS, Array, three_points
from engine.scoring.world import Chain, StageFacts

N = 5
STAGES = ("refined", "fabricated")


def _spread(rng: np.random.Generator, best: Array, width: float) -> Array:
    return np.stack(
        [best * (1 - width * rng.random(best.shape)), best, best * (1 + width * rng.random(best.shape))]
    )


def chain_of(seed: int, width: float = 0.3) -> Chain:
    """A chain of five countries and two stages; place 0 curbs. ``width`` 0 makes every tonne certain."""
    rng = np.random.default_rng(seed)
    stages = []
    for name in STAGES:
        trade = rng.gamma(1.0, 20.0, (N, N)) * (rng.random((N, N)) < 0.5)
        np.fill_diagonal(trade, 0.0)
        made = rng.gamma(1.0, 100.0, N) * (rng.random(N) < 0.7)
        made[0] += 50.0
        listed = made > 0
        stages.append(
            StageFacts(
                name,
                _spread(rng, trade, width),
                _spread(rng, made, width),
                np.array([0.0, 5.0, 20.0]) * width,
                listed,
            )
        )
    return Chain("testium", tuple("ABCDE"), tuple(stages), 0)


def law_of(seed: int, *, reach: float = 0.0, mitigation: float = 0.5) -> list[StageLaw]:
    """Two forms, a measure on each, a named-buyer ban, one pledge; ``reach`` scales a re-export licence."""
    rng = np.random.default_rng(seed + 1)
    laws = []
    for _ in STAGES:
        items = tuple(
            CurbItem(
                f"i{m}", f"m{m}", "all", "oxide" if m < 2 else "salt", "all", m == 3, f"2025-0{m + 1}-01", "s"
            )
            for m in range(4)
        )
        withheld = three_points(*np.sort(rng.random((3, 4, N)), axis=0)).swapaxes(0, 1)
        coverage = three_points(*np.sort(rng.random((3, 4)) * 0.5, axis=0)).T
        relief = mitigation * three_points(*np.sort(rng.random((3, 4, N)), axis=0)).swapaxes(0, 1)[None]
        curbs = CurbSet(items, withheld, coverage, np.full((4, N), "r"), ("p",), ("pledge",), relief)
        foreign = CurbSet(
            items[:1],
            reach * three_points(*np.sort(rng.random((3, 1, N)), axis=0)).swapaxes(0, 1),
            np.ones((1, POINTS)),
            np.full((1, N), "x"),
            ("p",),
            ("pledge",),
            np.zeros((1, 1, POINTS, N)),
        )
        laws.append(StageLaw(curbs, foreign, np.ones((4, POINTS, N)), np.ones((1, POINTS, N))))
    return laws


def scorer_of(chain: Chain) -> ChainScorer:
    """All lanes with tonnes are routes; the last two countries are a bloc."""
    routes = [tuple(np.nonzero(facts.trade_t[1] > 0)) for facts in chain.stages]
    members = np.array([False] * (N - 2) + [True, True])
    return ChainScorer(chain, routes, members, 0.001)  # type: ignore[arg-type]


def scaled(law: list[StageLaw], **factors: float) -> list[StageLaw]:
    """The law with withheld, coverage or mitigation scaled by a factor."""
    return [
        replace(
            stage,
            curbs=replace(
                stage.curbs, **{name: getattr(stage.curbs, name) * f for name, f in factors.items()}
            ),
        )
        for stage in law
    ]


seeds = st.integers(min_value=0, max_value=2**32 - 1)
