"""What a set of curbs does to every pool and every route of a chain (method section 4).

A batch of ``b`` scenarios is solved at once. Scenario i belongs to world ``row_world[i]`` of the chain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.scoring.attribution import Index, Pools, propagate, propagate_reached
from engine.scoring.ranges import Array

ROWS_AT_ONCE: Final = 32  # matrices of so many rows stay near the processor
ROUNDING_SHARE: Final = 1e-12  # a pool that is short of less is whole: the rest is the rounding of its sums


@dataclass(frozen=True)
class StageCurbs:
    """The curbs on one stage in ``b`` scenarios.

    Attributes:
        withheld_share: (b, n) c: share of the curbing country's flow to j that is withheld.
        extraterritorial_share: (b, n) e: severity of a re-export licence on foreign goods bound for j.
        reach_share: (b, n) what part of k's foreign-made pool the re-export licence reaches: its touched share,
            or all of it where stock is mixed (Announcement 61/2025, 0.1 % rule).
    """

    withheld_share: Array
    extraterritorial_share: Array
    reach_share: Array


@dataclass(frozen=True)
class StageShock:
    """One stage after the shock.

    Attributes:
        pool_ratio: (b, n) x'/x; 1 where the pool is empty.
        input_ratio: (b, n) the same with replacement at this stage, at most 1: what the next stage is fed with.
        input_is_unknown: (b, n) the stage produces but has no input pool, so its output was left as it is.
    """

    pool_ratio: Array
    input_ratio: Array
    input_is_unknown: "np.typing.NDArray[np.bool_]"


def run_shock(
    pools: Sequence[Pools],
    production_t: Sequence[Array],
    curbs: Sequence[StageCurbs],
    row_world: Index,
    unexplained_weight: Array,
    curbing: int,
    replacement_t: Sequence[Array] | None = None,
) -> list[StageShock]:
    """Solve x' = (I - A o keep^T)^-1 (p' + d') stage by stage.

    A stage falls with its own input pool; buyers of a short pool are cut alike. Unexplained exports are of unknown
    origin: untouched at weight 0, cut like the world mix at 0.5, cut like the curbing country's exports at 1.

    Args:
        pools: per stage, over worlds.
        production_t: per stage (w, n).
        curbs: per stage, over scenarios.
        row_world: (b,) the world of each scenario.
        unexplained_weight: (b,).
        curbing: place of the curbing country.
        replacement_t: per stage (b, n) tonnes of new plant that feed the next stage (horizon 1825 only).

    Raises:
        AttributionError: singular pools.
    """
    results: list[StageShock] = []
    before: tuple[Array, Array] | None = None  # what is left of the pool of the stage before, and that pool
    for s, (pool, output, curb) in enumerate(zip(pools, production_t, curbs, strict=True)):
        base_x, base_p, base_d = pool.pool_t[row_world], output[row_world], pool.unexplained_t[row_world]
        if before is None:
            after_p, orphan = base_p, np.zeros_like(base_p, dtype=bool)
        else:
            ratio_in, pool_before = before
            orphan = (pool_before <= 0) & (base_p > 0)
            after_p = base_p * np.where(orphan, 1.0, ratio_in)
        after_d = base_d * unexplained_keep(base_p, after_p, curb.withheld_share, unexplained_weight, curbing)
        entering = [after_p + after_d]
        builds = replacement_t is not None and bool(np.any(replacement_t[s]))
        if replacement_t is not None and builds:
            entering.append(entering[0] + replacement_t[s])
        after_x, *fed_x = _after(pool, curb, entering, row_world, curbing)
        safe = np.where(base_x > 0, base_x, 1.0)
        ratio = np.where(base_x > 0, after_x / safe, 1.0)
        ratio[np.abs(ratio - 1.0) < ROUNDING_SHARE] = 1.0
        fed = ratio
        if builds:
            fed = np.maximum(ratio, np.where(base_x > 0, np.minimum(1.0, fed_x[0] / safe), 1.0))
        results.append(StageShock(ratio, fed, orphan))
        before = fed, base_x
    return results


def _after(
    pool: Pools, curb: StageCurbs, entering_t: Sequence[Array], row_world: Index, curbing: int
) -> list[Array]:
    """Return (b, n) pools after the shock, for each of several (b, n) tonnes that enter.

    Foreign flows are cut only in the rows in which a re-export licence bites.
    """
    reached = np.any(curb.extraterritorial_share, axis=1)
    hit, plain = np.flatnonzero(reached), np.flatnonzero(~reached)
    after = [np.empty_like(entering) for entering in entering_t]
    if len(plain):
        withheld, worlds = curb.withheld_share[plain], row_world[plain]
        for found, entering in zip(after, entering_t, strict=True):
            found[plain] = propagate(pool, entering[plain], worlds, withheld, curbing)
    for start in range(0, len(hit), ROWS_AT_ONCE):
        rows = hit[start : start + ROWS_AT_ONCE]
        cut = (curb.withheld_share[rows], curb.extraterritorial_share[rows], curb.reach_share[rows])
        every = np.stack([entering[rows] for entering in entering_t], axis=2)
        solved = propagate_reached(pool, every, row_world[rows], *cut, curbing)
        for place, found in enumerate(after):
            found[rows] = solved[:, :, place]
    return after


def unexplained_keep(base_p: Array, after_p: Array, withheld: Array, weight: Array, curbing: int) -> Array:
    """Return (b, n) share of unexplained exports that still arrives."""
    world = base_p.sum(axis=1)
    kept = after_p.sum(axis=1)[:, None] - withheld * after_p[:, curbing, None]
    # Where no producer is known there is no mix: half-way between the ends, as for touched shares.
    mix = np.where(world[:, None] > 0, kept / np.where(world > 0, world, 1.0)[:, None], 1.0 - withheld / 2)
    like_exports = 1.0 - withheld
    w = weight[:, None]
    blend = np.where(w < 0.5, 1.0 - (1.0 - mix) * 2 * w, mix + (like_exports - mix) * (2 * w - 1))
    return np.clip(blend, 0.0, 1.0)


def route_missing_share(
    shock: StageShock, curb: StageCurbs, exporter: Index, importer: Index, curbing: int
) -> Array:
    """Return H (b, routes): missing share of each route before any response, 1 - keep * x'[k]/x[k]."""
    own = np.flatnonzero(exporter == curbing)
    arrives = np.take(shock.pool_ratio, exporter, axis=1)
    if np.any(curb.extraterritorial_share):
        licensed = np.take(curb.extraterritorial_share, importer, axis=1)
        foreign = 1.0 - licensed * np.take(curb.reach_share, exporter, axis=1)
        foreign[:, own] = 1.0
        arrives *= foreign
    arrives[:, own] *= 1.0 - np.take(curb.withheld_share, importer[own], axis=1)
    return np.asarray(np.clip(1.0 - arrives, 0.0, 1.0, out=arrives))


def lost_t(shock: StageShock, pool: Pools, exports_t: Array, row_world: Index, curbing: int) -> Array:
    """Return (b,) tonnes that final users outside the curbing country go short of; transit is not counted twice."""
    use = np.maximum(0.0, pool.pool_t - exports_t)[row_world]
    missing = use * np.maximum(0.0, 1.0 - shock.pool_ratio)
    missing[:, curbing] = 0.0
    return np.asarray(missing.sum(axis=1))


def bloc_missing_share(
    shock: StageShock,
    curb: StageCurbs,
    pool: Pools,
    inner_t: Array,
    row_world: Index,
    members: "np.typing.NDArray[np.bool_]",
    curbing: int,
) -> Array:
    """Return (b,) missing share of a bloc taken as one importer: what moves between its members is counted once.

    ``inner_t`` (w, m, m) is the trade between members.
    """
    places = np.flatnonzero(members)
    x = pool.pool_t[row_world]
    if not members[curbing] and not np.any(curb.extraterritorial_share):
        sent = inner_t.sum(axis=2)[row_world]
        before = x[:, places].sum(axis=1) - sent.sum(axis=1)
        after = ((x[:, places] - sent) * shock.pool_ratio[:, places]).sum(axis=1)
        return _missing(before, after)
    inner = inner_t[row_world]
    cut = curb.extraterritorial_share[:, None, places] * curb.reach_share[:, places, None]
    if members[curbing]:
        cut[:, places == curbing, :] = curb.withheld_share[:, None, places]
    kept = inner * (1.0 - cut) * shock.pool_ratio[:, places, None]
    before = x[:, places].sum(axis=1) - inner.sum(axis=(1, 2))
    after = (x * shock.pool_ratio)[:, places].sum(axis=1) - kept.sum(axis=(1, 2))
    return _missing(before, after)


def _missing(before: Array, after: Array) -> Array:
    return np.where(before > 0, np.clip(1.0 - after / np.where(before > 0, before, 1.0), 0.0, 1.0), 0.0)
