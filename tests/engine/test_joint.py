from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.scoring.chain_score import StageLaw
from engine.scoring.curbs import CurbItem, combine
from engine.scoring.drawn_curbs import Spread
from engine.scoring.draws import Numbers
from engine.scoring.joint import JointChain, Posed
from engine.scoring.ranges import BEST, HIGH, LOW, Array
from engine.scoring.world import Chain
from tests.engine.worlds import N, chain_of, law_of, scorer_of, seeds


def joint_of(chain: Chain, draws: int = 64, common_share: float = 0.5) -> JointChain:
    routes = [tuple(np.nonzero(facts.trade_t[1] > 0)) for facts in chain.stages]
    members = np.array([False] * (N - 2) + [True, True])
    spread = Spread("pert", common_share, lambda _: "pert")
    return JointChain(chain, routes, members, 0.001, Numbers(draws), spread)  # type: ignore[arg-type]


def certain(law: list[StageLaw]) -> list[StageLaw]:
    """The law with every range a point, at its best value."""

    def point(values: Array, axis: int) -> Array:
        return np.repeat(np.take(values, [BEST], axis=axis), values.shape[axis], axis=axis)

    return [
        replace(
            stage,
            curbs=replace(
                stage.curbs,
                withheld=point(stage.curbs.withheld, 1),
                coverage=point(stage.curbs.coverage, 1),
                mitigation=point(stage.curbs.mitigation, 2),
            ),
            reach=replace(stage.reach, withheld=point(stage.reach.withheld, 1)),
        )
        for stage in law
    ]


@settings(max_examples=25)
@given(seeds, st.sampled_from([0.0, 0.6]))
def test_bounds_contain_every_draw_where_tonnes_are_certain(seed: int, reach: float) -> None:
    chain, law = chain_of(seed, width=0.0), law_of(seed, reach=reach)
    bounds = scorer_of(chain).evaluate(law)
    drawn = joint_of(chain).missing([Posed(law)])[0]
    # The curbing country's own pool stands apart: what is unexplained there is worst in the mix, not at an end.
    others = [missing[1:] for missing in drawn.importer]
    for ends, draws in (
        *zip(bounds.route, drawn.route, strict=True),
        *zip([missing[:, 1:] for missing in bounds.importer], others, strict=True),
    ):
        assert np.all(draws >= ends[LOW][:, None] - 1e-9)
        assert np.all(draws <= ends[HIGH][:, None] + 1e-9)


@settings(max_examples=25)
@given(seeds)
def test_with_every_range_a_point_the_draws_are_best(seed: int) -> None:
    chain, law = chain_of(seed, width=0.0), certain(law_of(seed))
    best = scorer_of(chain).evaluate(law)
    joint = joint_of(chain)
    joint.origin = np.full(joint.size, 0.5)
    drawn = joint.missing([Posed(law)])[0]
    for ends, draws in zip(best.route, drawn.route, strict=True):
        assert np.abs(draws - ends[BEST][:, None]).max() < 1e-9
    for ends, lost in zip(best.lost_t, drawn.lost_t, strict=True):
        assert np.abs(lost - ends[BEST]).max() < 1e-9 * max(1.0, ends[BEST])


@settings(max_examples=10)
@given(seeds)
def test_laws_asked_together_answer_as_they_do_alone(seed: int) -> None:
    chain = chain_of(seed, width=0.3)
    joint, one, other = joint_of(chain), law_of(seed), law_of(seed, reach=0.5)
    both = joint.missing([Posed(one), Posed(other)])
    for law, found in zip((one, other), both, strict=True):
        alone = joint.missing([Posed(law)])[0]
        for a, b in zip(alone.route, found.route, strict=True):
            assert np.allclose(a, b, atol=1e-6)


@pytest.mark.parametrize(("kind", "spread"), [("uniform", 1 / 12), ("triangular", 1 / 24), ("pert", 1 / 28)])
def test_a_severity_is_drawn_as_its_rule_says(kind: str, spread: float) -> None:
    joint = joint_of(chain_of(3, width=0.0), draws=4096)
    curbs_of = joint.curbs
    curbs_of.spread = replace(joint.spread, of_rule={"r": kind}.__getitem__)
    curbs = law_of(3)[0].curbs
    curbs.withheld[0] = np.array([0.2, 0.5, 0.8])[:, None]
    _, drawn = curbs_of._severity(curbs, 0, joint.numbers.of)
    assert drawn.mean() == pytest.approx(0.5, abs=0.01)
    assert drawn.var() == pytest.approx(0.36 * spread, rel=0.05)


def test_the_same_facts_give_the_same_bytes() -> None:
    chain, law = chain_of(7, width=0.3), law_of(7, reach=0.3)
    first, second = (joint_of(chain).missing([Posed(law)])[0] for _ in range(2))
    assert all(a.tobytes() == b.tobytes() for a, b in zip(first.route, second.route, strict=True))


def test_a_state_of_law_binds_in_full_or_not_at_all() -> None:
    chain = chain_of(3, width=0.0)
    joint = joint_of(chain, draws=4096)
    ends = np.array([[0.0], [0.4], [1.0]])
    binds = joint.curbs._state(ends, "m", "all")
    assert set(np.unique(binds)) == {0.0, 1.0}
    # The chance itself is PERT over its range: (0 + 4 x 0.4 + 1) / 6.
    assert binds.mean() == pytest.approx(2.6 / 6, abs=0.02)


def test_lanes_of_one_rule_move_together_by_the_common_share() -> None:
    chain = chain_of(3, width=0.0)
    rules, at = np.array(["r", "r"]), np.array([1, 2])
    tied = joint_of(chain, 1024, common_share=1.0).curbs._lanes(rules, at, Numbers(1024).of)
    free = joint_of(chain, 1024, common_share=0.0).curbs._lanes(rules, at, Numbers(1024).of)
    assert np.allclose(tied[:, 0], tied[:, 1])
    assert abs(np.corrcoef(free[:, 0], free[:, 1]).item(0, 1)) < 0.1


def test_a_bloc_without_reach_is_summed_as_with_it() -> None:
    chain = chain_of(11, width=0.3)
    joint = joint_of(chain)
    plain = joint.missing([Posed(law_of(11))])[0]
    # A re-export licence so faint that it takes nothing walks the long way through the matrices.
    faint = joint.missing([Posed(law_of(11, reach=1e-12))])[0]
    for a, b in zip(plain.importer, faint.importer, strict=True):
        assert np.allclose(a, b, atol=1e-6)


def test_five_lists_of_firms_withhold_what_one_does() -> None:
    item = CurbItem(
        "i", "m", "all", "", "entities", is_named_buyers=True, start_date="2025-01-01", source_id="s"
    )
    items = tuple(replace(item, item_id=f"i{k}", measure_id=f"m{k}") for k in range(5))
    one = np.tile(np.array([0.0, 0.1, 0.3])[:, None], (1, N))
    lists = np.stack([one] * 5)
    assert np.array_equal(combine(items, lists), combine(items[:1], lists[:1]))
    joint = joint_of(chain_of(3, width=0.0))
    at = np.array([1])
    assert np.array_equal(joint.curbs._listed(at), joint.curbs._listed(at))


def test_a_list_of_firms_and_a_licence_combine_by_complement() -> None:
    listed = CurbItem(
        "a", "m", "all", "", "entities", is_named_buyers=True, start_date="2025-01-01", source_id="s"
    )
    licence = replace(listed, item_id="b", scope="all", is_named_buyers=False)
    shares = np.stack([np.full((3, N), 0.2), np.full((3, N), 0.5)])
    assert combine((listed, licence), shares) == pytest.approx(np.full((3, N), 0.6))
