"""The fewest stops: what is left is solved as the shock is, the bounds hold, and the search finds what trying all finds."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.scoring.attribution import form_lane_pools
from engine.scoring.fewest import Loss, Places, Problem, greedy_set, smallest_sets
from engine.scoring.joint import Posed
from engine.scoring.ranges import Array
from engine.scoring.response import Supply
from engine.scoring.stops import Stop, StoppedChain
from tests.engine.test_joint import joint_of
from tests.engine.worlds import N, chain_of, law_of, scaled, seeds

EVERYBODY, LAST = range(N + 1), 1


def supply_of(seed: int) -> Supply:
    """A country outside the curbing one can add some tonnes, and half the buyers may draw on it."""
    rng = np.random.default_rng(seed + 2)
    added = np.sort(rng.gamma(1.0, 10.0, (3, N)), axis=0)
    added[:, 0] = 0.0
    access = np.stack([((rng.random((N, N)) < 0.5) | np.eye(N, dtype=bool)).astype(np.float64)] * 3)
    return Supply(added, None, np.zeros(3), access, access)


def chain_for(seed: int, *, reach: float = 0.0, law: float = 1.0, draws: int = 16) -> StoppedChain:
    joint = joint_of(chain_of(seed), draws)
    return StoppedChain(joint, scaled(law_of(seed, reach=reach), withheld=law), LAST, supply_of(seed))


def stops_of(chain: StoppedChain) -> list[Stop]:
    return [*chain.exporters(()), *chain.routes(()), *chain.measures()]


def problem_of(chain: StoppedChain, buyer: int, stops: list[Stop], threshold: float) -> Problem:
    def solve(places: Places) -> Loss:
        found = chain.after([stops[place] for place in places])
        before = found.importer[buyer]
        return Loss(before, left(before, found.alternatives[buyer]), found.lost_t)

    def left(before: Array, replaced: Array) -> Array:
        return np.maximum(0.0, before * (1.0 - replaced) * 0.9 - 0.05)

    def relieved(before: Array, lost_t: Array, closed: Array) -> Array:
        return left(before, chain.least_replaced(buyer, lost_t, closed))

    return Problem(chain.most(buyer, stops), solve, relieved, threshold)


@settings(max_examples=20, deadline=None)
@given(seeds, st.sampled_from([0.0, 0.6]))
def test_without_a_stop_it_is_the_law_and_with_the_curbing_country_silent_a_full_stop(
    seed: int, reach: float
) -> None:
    chain = chain_for(seed, reach=reach)
    law = chain.joint.missing([Posed(chain.law)])[0]
    assert np.allclose(chain.after(()).importer, law.importer[LAST], atol=1e-9)
    assert np.allclose(
        chain.after(()).alternatives,
        chain.joint.alternatives(LAST, chain.supply, law.lost_t[LAST]),
        atol=1e-9,
    )
    if not reach:  # a full stop lifts re-export licences
        stop = [stage.__class__(**{**stage.__dict__, "is_full_stop": True}) for stage in chain.law]
        full = chain.joint.missing([Posed(stop)])[0]
        assert np.allclose(chain.after([Stop("exporter", "A")]).importer, full.importer[LAST], atol=1e-9)


def test_a_lane_that_ceases_is_a_lane_that_the_pools_are_solved_without() -> None:
    chain = chain_for(7, law=0.0)
    for s, stage in enumerate(chain.joint.stages[: LAST + 1]):
        name = chain.joint.chain.stages[s].name
        for lane in range(0, len(stage.exporter), 2):
            k, j = int(stage.exporter[lane]), int(stage.importer[lane])
            found = chain.after([Stop("route", "ABCDE"[k], "ABCDE"[j], name)]).importer[:N, 0]
            assert found == pytest.approx(by_hand(chain, s, k, j), abs=1e-9)


def by_hand(chain: StoppedChain, s: int, k: int, j: int) -> Array:
    """H of the last stage in the first draw, lane k to j of stage s cut, by one dense system a stage."""
    ratio = np.ones(N)
    weight = float(chain.joint.origin[0])
    for place, stage in enumerate(chain.joint.stages):
        made = stage.production_t[0]
        pools = form_lane_pools(stage.exporter, stage.importer, stage.lane_t[:1], stage.production_t[:1])
        x, d = pools.pool_t[0], pools.unexplained_t[0]
        flows = np.zeros((N, N))
        flows[stage.importer, stage.exporter] = stage.lane_t[0] / x[stage.exporter]
        if place == s:
            flows[j, k] = 0.0
        after = made * ratio
        mix = after.sum() / made.sum()
        known = 1 - (1 - mix) * 2 * weight if weight < 0.5 else mix + (1 - mix) * (2 * weight - 1)
        left = np.linalg.solve(np.eye(N) - flows, after + d * known)
        ratio = np.where(x > 0, left / np.where(x > 0, x, 1.0), 1.0)
    return np.clip(1.0 - ratio, 0.0, 1.0)


@settings(max_examples=20, deadline=None)
@given(seeds, st.sampled_from([0.0, 0.6]), st.integers(1, 4))
def test_no_set_takes_more_than_its_stops_take_at_most(seed: int, reach: float, size: int) -> None:
    chain = chain_for(seed, reach=reach, draws=8)
    stops = stops_of(chain)
    rng = np.random.default_rng(seed)
    base = chain.after(())
    for _ in range(4):
        chosen = [stops[place] for place in rng.choice(len(stops), min(size, len(stops)), replace=False)]
        found = chain.after(chosen)
        assert np.all(found.importer >= base.importer - 1e-9)  # and it only grows
        for buyer in EVERYBODY:
            most = chain.most(buyer, chosen)
            assert np.all(found.importer[buyer] <= base.importer[buyer] + most.before.sum(axis=0) + 1e-9)
            lost_t = base.lost_t + most.lost_t.sum(axis=0)
            assert np.all(found.lost_t <= lost_t + 1e-6)
            least = chain.least_replaced(buyer, lost_t[None], most.spare.sum(keepdims=True))[0]
            assert np.all(found.alternatives[buyer] >= least - 1e-9)


@settings(max_examples=12, deadline=None)
@given(seeds, st.integers(0, N), st.floats(0.1, 0.7), st.sampled_from(["exporters", "routes", "measures"]))
def test_the_search_finds_what_trying_every_set_finds(
    seed: int, buyer: int, threshold: float, by: str
) -> None:
    chain = chain_for(seed, law=0.3, draws=8)
    stops = {"exporters": chain.exporters(()), "routes": chain.routes(()), "measures": chain.measures()}[by]
    problem = problem_of(chain, buyer, list(stops), threshold)
    if problem.reached(problem.solve(()).expected):
        return
    wanted: list[Places] = []
    for size in (1, 2, 3):
        for places in combinations(range(len(stops)), size):
            if any(set(part) <= set(places) for part in wanted):
                continue
            if problem.reached(problem.solve(places).expected):
                wanted.append(places)
    assert sorted(one.places for one in smallest_sets(problem, 3)) == sorted(wanted)


def test_the_search_solves_few_of_all_pairs() -> None:
    chain = chain_for(3, law=0.3)
    stops = list(chain.routes(()))
    problem = problem_of(chain, 1, stops, 0.5)
    found = smallest_sets(problem, 2)
    pairs = len(stops) * (len(stops) - 1) // 2
    assert found
    assert chain.solved < pairs / 3


def test_a_larger_set_is_found_where_small_ones_do_not_do_and_none_where_nothing_does() -> None:
    chain = chain_for(3, law=0.3)
    stops = list(chain.routes(()))
    every = problem_of(chain, 1, stops, 1.0).solve(tuple(range(len(stops)))).expected
    larger = greedy_set(problem_of(chain, 1, stops, every * 0.98))
    assert larger is not None
    assert larger.loss.expected >= every * 0.98
    assert greedy_set(problem_of(chain, 1, stops, every * 1.02)) is None
