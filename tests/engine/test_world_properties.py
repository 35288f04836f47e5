"""What must hold in any world: conservation, bounds, monotony, zero cases."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.scoring.attribution import (
    AttributionError,
    Index,
    Pools,
    form_pools,
    origin_shares,
    propagate,
    propagate_reached,
)
from engine.scoring.chain_score import limited_replacement
from engine.scoring.ranges import BEST, HIGH, POINTS
from engine.scoring.response import alternative_share
from engine.scoring.score import missing_share, replaced_share, score
from engine.scoring.world import build_worlds
from tests.engine.worlds import N, chain_of, law_of, scaled, scorer_of, seeds

EVERY = settings(max_examples=40)
TINY = 1e-9


@EVERY
@given(seeds)
def test_origins_are_conserved(seed: int) -> None:
    worlds = build_worlds(chain_of(seed))
    for trade, made in zip(worlds.trade_t, worlds.production_t, strict=True):
        pools = form_pools(trade, made)
        shares = origin_shares(pools, made)
        filled = pools.pool_t > 0
        np.testing.assert_allclose(shares.sum(axis=2)[filled], 1.0, atol=TINY)
        use = pools.pool_t - trade.sum(axis=2)
        by_origin = np.einsum("wj,wjo->wo", use, shares)
        np.testing.assert_allclose(by_origin, made + pools.unexplained_t, atol=1e-6)


@EVERY
@given(seeds, st.floats(0, 1))
def test_missing_shares_lie_in_bounds_and_points_are_in_order(seed: int, reach: float) -> None:
    scorer = scorer_of(chain_of(seed))
    missing = scorer.evaluate(law_of(seed, reach=reach))
    for values in (*missing.route, *missing.importer):
        assert np.all((values >= 0) & (values <= 1))
        assert np.all(np.diff(values, axis=0) >= -TINY)
    for stage in range(2):
        touched = scorer.touched_share(stage)
        assert np.all((touched >= -TINY) & (touched <= 1 + TINY))
        assert np.all(np.diff(touched, axis=0) >= -TINY)


@EVERY
@given(seeds, st.sampled_from(["withheld", "coverage"]), st.floats(0, 1))
def test_missing_share_rises_with_severity_and_coverage(seed: int, name: str, factor: float) -> None:
    scorer = scorer_of(chain_of(seed, width=0.0))
    law = law_of(seed, reach=0.5)
    less, more = scorer.evaluate(scaled(law, **{name: factor})), scorer.evaluate(law)
    for low, high in zip(less.route + less.importer, more.route + more.importer, strict=True):
        assert np.all(low <= high + TINY)


@EVERY
@given(seeds, st.floats(0, 1))
def test_missing_share_falls_with_mitigation(seed: int, factor: float) -> None:
    scorer = scorer_of(chain_of(seed, width=0.0))
    law = law_of(seed)
    more, less = scorer.evaluate(scaled(law, mitigation=factor)), scorer.evaluate(law)
    for low, high in zip(less.route, more.route, strict=True):
        assert np.all(low <= high + TINY)


@EVERY
@given(seeds, st.floats(0, 1))
def test_missing_share_rises_with_reach(seed: int, reach: float) -> None:
    scorer = scorer_of(chain_of(seed, width=0.0))
    less, more = scorer.evaluate(law_of(seed)), scorer.evaluate(law_of(seed, reach=reach))
    for low, high in zip(less.route, more.route, strict=True):
        assert np.all(low <= high + TINY)


@EVERY
@given(seeds)
def test_no_law_withholds_nothing(seed: int) -> None:
    scorer = scorer_of(chain_of(seed))
    missing = scorer.evaluate(scaled(law_of(seed), withheld=0.0))
    for values in (*missing.route, *missing.importer, *missing.lost_t):
        np.testing.assert_allclose(values, 0.0, atol=TINY)


@EVERY
@given(seeds)
def test_active_is_never_above_snapback(seed: int) -> None:
    scorer = scorer_of(chain_of(seed))
    snapback = [replace(stage, pledges_stand=False) for stage in law_of(seed, reach=0.5)]
    paused = [
        replace(stage, pledges_stand=True, weight=stage.weight * 0.5, reach_weight=stage.reach_weight * 0.0)
        for stage in snapback
    ]
    for low, high in zip(scorer.evaluate(paused).route, scorer.evaluate(snapback).route, strict=True):
        assert np.all(low <= high + TINY)


@EVERY
@given(seeds)
def test_a_full_stop_is_at_least_the_touched_share_of_what_the_curbing_country_made(seed: int) -> None:
    chain = chain_of(seed, width=0.0)
    scorer = scorer_of(chain)
    stop = [replace(stage, is_full_stop=True) for stage in law_of(seed)]
    missing = scorer.evaluate(stop)
    for stage, (exporters, _) in enumerate(scorer.routes):
        own = exporters == chain.curbing
        np.testing.assert_allclose(missing.route[stage][:, own], 1.0)


@EVERY
@given(seeds)
def test_law_steps_end_at_the_evaluated_law(seed: int) -> None:
    scorer = scorer_of(chain_of(seed))
    law = law_of(seed, reach=0.5)
    swaps, after = scorer.law_steps(law)
    assert [s.step for s in swaps] == sorted(s.step for s in swaps)
    for steps, missing in zip(after.route, scorer.evaluate(law).route, strict=True):
        np.testing.assert_allclose(steps[-1], missing[BEST], atol=TINY)


@EVERY
@given(seeds)
def test_an_unrelated_route_changes_nothing(seed: int) -> None:
    """Trade between two new countries that touch nobody else leaves every route as it was.

    Every export is made or bought: the origin of an unexplained one is the world mix, which a new producer shifts.
    """
    chain = chain_of(seed, width=0.0)
    covered = [facts.production_t + facts.trade_t.sum(axis=2) for facts in chain.stages]
    chain = replace(
        chain, stages=tuple(replace(f, production_t=p) for f, p in zip(chain.stages, covered, strict=True))
    )
    before = scorer_of(chain).evaluate(law_of(seed)).route

    def grown(values: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
        pads = [(0, 2 if axis in axes else 0) for axis in range(values.ndim)]
        return np.pad(values, pads)

    stages = []
    for facts in chain.stages:
        trade, made = grown(facts.trade_t, (1, 2)), grown(facts.production_t, (1,))
        trade[:, N, N + 1] = 7.0
        made[:, N] = 9.0
        stages.append(
            replace(
                facts, trade_t=trade, production_t=made, is_listed=np.append(facts.is_listed, [True, True])
            )
        )
    wider = replace(chain, countries=(*chain.countries, "X", "Y"), stages=tuple(stages))
    law = [
        replace(
            stage,
            curbs=replace(
                stage.curbs,
                withheld=grown(stage.curbs.withheld, (2,)),
                rule_ids=np.full((4, N + 2), "r"),
                mitigation=grown(stage.curbs.mitigation, (3,)),
            ),
            reach=replace(
                stage.reach,
                withheld=grown(stage.reach.withheld, (2,)),
                rule_ids=np.full((1, N + 2), "x"),
                mitigation=grown(stage.reach.mitigation, (3,)),
            ),
            weight=np.ones((4, POINTS, N + 2)),
            reach_weight=np.ones((1, POINTS, N + 2)),
        )
        for stage in law_of(seed)
    ]
    scorer = scorer_of(chain)
    scorer_wide = type(scorer)(wider, scorer.routes, np.append(scorer.bloc_members, [False, False]), 0.001)
    for old, new in zip(before, scorer_wide.evaluate(law).route, strict=True):
        np.testing.assert_allclose(new, old, atol=TINY)


@EVERY
@given(seeds, st.floats(0.0, 1.0))
def test_replacement_upstream_never_hurts_and_never_feeds_more_than_was_lost(
    seed: int, tonnes: float
) -> None:
    scorer = scorer_of(chain_of(seed))
    law = law_of(seed)
    before = scorer.evaluate(law)
    plant = [np.full((3, N), tonnes * 50.0) for _ in range(2)]
    added = limited_replacement(plant, before.lost_t)
    for stage in range(2):
        assert np.all(added[stage].sum(axis=1) <= before.lost_t[stage] + 1e-6)
    after = scorer.evaluate(law, added)
    assert np.all(after.route[1] <= before.route[1] + TINY)
    np.testing.assert_allclose(after.route[0], before.route[0])


@given(
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0, 400),
    st.sampled_from([90.0, 365.0, 1825.0]),
)
def test_loss_falls_with_alternatives_substitution_and_stock(
    before: float, alternatives: float, substitution: float, stock: float, horizon: float
) -> None:
    def left(a: float, s: float, days: float) -> float:
        replaced = replaced_share(np.array(a), np.array(s))
        return float(missing_share(np.array(before), replaced, np.array(days), horizon))

    here = left(alternatives, substitution, stock)
    assert 0 <= here <= before
    assert left(alternatives / 2, substitution, stock) >= here
    assert left(alternatives, substitution / 2, stock) >= here
    assert left(alternatives, substitution, stock / 2) >= here
    assert 0 <= float(score(np.array(here))) <= 100


@EVERY
@given(seeds)
def test_draws_on_alternatives_never_exceed_what_is_spare(seed: int) -> None:
    rng = np.random.default_rng(seed)
    spare = np.sort(rng.random((3, 1)) * 50, axis=0) * np.ones((3, N))
    lost = np.sort(rng.random(POINTS) * 100)
    share = alternative_share(spare, lost)
    losses = rng.dirichlet(np.ones(N))
    drawn = share[HIGH] @ (losses * lost[0])
    assert drawn <= spare[2, 0] + TINY


def test_goods_that_only_go_to_and_fro_are_of_unknown_origin() -> None:
    trade = np.zeros((1, 3, 3))
    trade[0, 1, 2] = trade[0, 2, 1] = 4.0
    pools = form_pools(trade, np.array([[5.0, 0.0, 0.0]]))
    assert pools.unexplained_t.tolist() == [[0.0, 4.0, 4.0]]
    assert np.isfinite(pools.inverse).all()


def test_a_singular_system_is_an_error_that_names_the_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.scoring.attribution._reached", lambda trade, source: np.ones_like(source))
    trade = np.zeros((1, 3, 3))
    trade[0, 1, 2] = trade[0, 2, 1] = 4.0
    with pytest.raises(AttributionError, match="1 and 2"):
        form_pools(trade, np.array([[5.0, 0.0, 0.0]]))


def seven_rows(seed: int) -> tuple[np.random.Generator, Pools, Index, int]:
    """Pools of a first stage in several worlds, and the worlds of seven rows."""
    rng = np.random.default_rng(seed)
    chain = chain_of(seed)
    worlds = build_worlds(chain)
    pools = form_pools(worlds.trade_t[0], worlds.production_t[0])
    return rng, pools, rng.integers(0, len(worlds.trade_t[0]), 7), chain.curbing


@EVERY
@given(seeds)
def test_the_correction_of_rank_one_equals_the_full_solve(seed: int) -> None:
    rng, pools, rows, curbing = seven_rows(seed)
    withheld, entering, nothing = rng.random((7, N)), rng.random((7, N)) * 100, np.zeros((7, N))
    np.testing.assert_allclose(
        propagate(pools, entering, rows, withheld, curbing),
        propagate_reached(pools, entering[:, :, None], rows, withheld, nothing, nothing, curbing)[:, :, 0],
    )


@EVERY
@given(seeds)
def test_licensed_pools_solve_their_own_equation(seed: int) -> None:
    rng, pools, rows, curbing = seven_rows(seed)
    withheld, licensed, reach = rng.random((3, 7, N))
    entering = rng.random((7, N, 2)) * 100
    found = propagate_reached(pools, entering, rows, withheld, licensed, reach, curbing)
    kept = 1.0 - licensed[:, :, None] * reach[:, None, pools.exporters]
    kept[:, :, pools.exporters == curbing] = 1.0 - withheld[:, :, None]
    arrives = (pools.outflow_share[rows] * kept) @ found[:, pools.exporters]
    np.testing.assert_allclose(found, entering + arrives)


def test_certain_tonnes_have_one_world() -> None:
    assert len(build_worlds(chain_of(3, width=0.0)).trade_t[0]) == 1
    assert len(build_worlds(chain_of(3)).trade_t[0]) == 3
