"""Where a pool of a mineral came from: proportional origin attribution (method section 3).

All arrays are in tonnes of contained mineral a year. A leading axis ``w`` runs over worlds or scenarios.
``trade_t[w, k, j]`` goes from exporter k to importer j.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.scoring.ranges import Array

Index = np.typing.NDArray[np.intp]


class AttributionError(ValueError):
    """A set of countries whose pools only feed one another: no origin can be attributed."""


@dataclass(frozen=True)
class Pools:
    """The pools of one stage.

    Attributes:
        pool_t: (w, n) x = production + imports + unexplained exports.
        unexplained_t: (w, n) d = exports beyond production and imports.
        exporters: (m,) places of the countries that export in any world: only these couple the pools.
        outflow_share: (w, n, m) A[j, k] = share of exporter k's pool that goes to j; zero where that pool is empty.
        inverse: (w, m, m) (I - A)^-1 among the exporters.
    """

    pool_t: Array
    unexplained_t: Array
    exporters: Index
    outflow_share: Array
    inverse: Array


def form_pools(trade_t: Array, production_t: Array) -> Pools:
    """Form x, d and A from trade (w, n, n) and production (w, n).

    Countries that only ship the same goods to and fro, with nothing made or bought elsewhere, have no origin to
    attribute: all that they export counts as unexplained (docs/decisions/0007).

    Raises:
        AttributionError: two countries pass their whole pools to one another, so the system is singular.
    """
    exports, imports = trade_t.sum(axis=2), trade_t.sum(axis=1)
    unexplained = np.maximum(0.0, exports - production_t - imports)
    sourceless = ~_reached(trade_t, production_t + unexplained > 0)
    unexplained = np.where(sourceless, exports, unexplained)
    pool = production_t + imports + unexplained
    exporters = np.flatnonzero((exports > 0).any(axis=0))
    safe = np.where(pool > 0, pool, 1.0)[:, exporters, None]
    share = np.ascontiguousarray(np.swapaxes(trade_t[:, exporters] / safe, 1, 2))
    core = share[:, exporters]
    try:
        inverse: Array = np.linalg.inv(np.eye(len(exporters)) - core).astype(np.float64, copy=False)
    except np.linalg.LinAlgError as error:
        raise AttributionError(_closed_pair(core, exporters)) from error
    return Pools(pool, unexplained, exporters, share, inverse)


def form_lane_pools(exporter: Index, importer: Index, lane_t: Array, production_t: Array) -> Pools:
    """Return the same out of lanes (w, lanes) instead of matrices: a lane that trades at all trades in every world.

    Raises:
        AttributionError: two countries pass their whole pools to one another, so the system is singular.
    """
    worlds, n = production_t.shape
    exports, imports = _sums(lane_t, exporter, n), _sums(lane_t, importer, n)
    unexplained = np.maximum(0.0, exports - production_t - imports)
    reached = production_t + unexplained > 0
    feeds = np.zeros((n, n), dtype=np.float32)
    feeds[exporter, importer] = 1.0
    while True:
        wider = reached | (reached.astype(np.float32) @ feeds > 0)
        if np.array_equal(wider, reached):
            break
        reached = wider
    unexplained = np.where(reached, unexplained, exports)
    pool = production_t + imports + unexplained
    exporters, column = np.unique(exporter, return_inverse=True)
    share = np.zeros((worlds, n, len(exporters)))
    share[:, importer, column] = lane_t / np.where(pool > 0, pool, 1.0)[:, exporter]
    core = share[:, exporters]
    try:
        inverse: Array = np.linalg.inv(np.eye(len(exporters)) - core).astype(np.float64, copy=False)
    except np.linalg.LinAlgError as error:
        raise AttributionError(_closed_pair(core, exporters)) from error
    return Pools(pool, unexplained, exporters, share, inverse)


def _sums(lane_t: Array, country: Index, n: int) -> Array:
    """Return (w, n) tonnes of the lanes (w, lanes) of each country."""
    total = np.zeros((len(lane_t), n))
    if not len(country):
        return total
    order = np.argsort(country, kind="stable")
    who, first = np.unique(country[order], return_index=True)
    total[:, who] = np.add.reduceat(np.take(lane_t, order, axis=1), first, axis=1)
    return total


def _reached(trade_t: Array, has_source: "np.typing.NDArray[np.bool_]") -> "np.typing.NDArray[np.bool_]":
    """Return (w, n) whether anything ever entered a pool: made there, unexplained, or bought from such a pool."""
    reached = has_source
    flows = trade_t > 0
    while True:
        wider = reached | np.einsum("wkj,wk->wj", flows, reached)
        if np.array_equal(wider, reached):
            return reached
        reached = wider


def _closed_pair(core: Array, exporters: Index) -> str:
    mutual = np.max(core * np.swapaxes(core, 1, 2), axis=0)
    first, second = (
        int(exporters[int(place)]) for place in np.unravel_index(np.argmax(mutual), mutual.shape)
    )
    return f"countries {first} and {second} ship their whole pools to one another: no origin can be told"


def propagate(
    pools: Pools, entering_t: Array, row_world: Index, withheld: Array | None = None, curbing: int = 0
) -> Array:
    """Return pools x = entering + (A o keep^T) x, where only the curbing country's flows may be cut.

    One column of A changes, so the inverse of the uncut system is corrected by a rank of one (Sherman and
    Morrison): exact, and a row costs a product, not a solve.

    Args:
        pools: of the stage.
        entering_t: (b, n) tonnes that enter at each country.
        row_world: (b,) the world of each row.
        withheld: (b, n) share of the curbing country's flow to j that is cut; None for nothing.
        curbing: place of the curbing country.

    Returns:
        (b, n) pools.
    """
    places = pools.exporters
    cut_column = int(np.searchsorted(places, curbing))
    is_cut = withheld is not None and cut_column < len(places) and places[cut_column] == curbing
    x = np.empty_like(entering_t)
    for worlds, rows in _by_world(row_world, len(pools.pool_t)):
        inverse = np.swapaxes(pools.inverse[worlds], 1, 2)
        share = np.swapaxes(pools.outflow_share[worlds], 1, 2)
        entering = entering_t[rows]
        inner = entering[:, :, places] @ inverse
        if is_cut and withheld is not None:
            lost = share[:, cut_column, None, :] * withheld[rows]
            through = lost[:, :, places] @ inverse
            inner -= through * (inner[:, :, cut_column] / (1.0 + through[:, :, cut_column]))[:, :, None]
            x[rows] = entering + inner @ share - inner[:, :, cut_column, None] * lost
        else:
            x[rows] = entering + inner @ share
    return x


def _by_world(row_world: Index, size: int) -> Iterator[tuple[slice | Index, Index]]:
    """Yield worlds (g,) with their rows (g, c): all worlds at once where each has as many rows, else one by one."""
    order = np.argsort(row_world, kind="stable")
    counts = np.bincount(row_world, minlength=size)
    present = np.flatnonzero(counts)
    if len(present) == size and np.all(counts == counts[0]):
        yield slice(None), order.reshape(size, -1)  # a slice: the matrices of all worlds are not copied
        return
    ends = np.cumsum(counts)
    for world in present:
        yield np.array([world]), order[None, ends[world] - counts[world] : ends[world]]


def propagate_reached(
    pools: Pools,
    entering_t: Array,
    row_world: Index,
    withheld: Array,
    licensed: Array,
    reach: Array,
    curbing: int,
) -> Array:
    """Return pools x = entering + (A o keep^T) x, where goods that come through other countries are cut too.

    The curbing country keeps ``1 - withheld[j]`` of its flow to j, any other exporter k ``1 - licensed[j] reach[k]``.

    Args:
        pools: of the stage.
        entering_t: (b, n, e) tonnes that enter at each country, in e cases.
        row_world: (b,) the world of each row.
        withheld: (b, n) share of the curbing country's flow to j that is cut.
        licensed: (b, n) share of what a re-export licence reaches that it takes on the way to j.
        reach: (b, n) part of the pool of k that the licence reaches.
        curbing: place of the curbing country.

    Returns:
        (b, n, e) pools.
    """
    places = pools.exporters
    own = np.flatnonzero(places == curbing)
    share = pools.outflow_share[row_world]
    core = share[:, places]
    reached = reach[:, places]
    system = core * reached[:, None, :]
    system *= licensed[:, places, None]
    system[:, :, own] = core[:, :, own] * withheld[:, places, None]
    system -= core
    diagonal = np.arange(len(places))
    system[:, diagonal, diagonal] += 1.0
    inner = np.linalg.solve(system, entering_t[:, places])
    by_others = inner * reached[:, :, None]
    by_others[:, own] = 0.0
    arrives = share @ np.concatenate([inner, by_others], axis=2)
    cases = entering_t.shape[2]
    taken = licensed[:, :, None] * arrives[:, :, cases:]
    if len(own):
        taken += withheld[:, :, None] * share[:, :, own] * inner[:, own]
    return np.asarray(entering_t + arrives[:, :, :cases] - taken)


def origin_shares(pools: Pools, production_t: Array) -> Array:
    """Return G (w, n, n): share of j's pool that entered at o. Rows of non-empty pools sum to 1."""
    worlds, n = production_t.shape
    entering = production_t + pools.unexplained_t
    shares = np.zeros((worlds, n, n))
    for o in range(n):
        source = np.zeros((worlds, n))
        source[:, o] = entering[:, o]
        shares[:, :, o] = propagate(pools, source, np.arange(worlds))
    safe = np.where(pools.pool_t > 0, pools.pool_t, 1.0)
    return shares / safe[:, :, None]


def clean_shares(
    pools: Pools,
    production_t: Array,
    row_world: Index,
    clean_input: Array | None,
    has_input: "np.typing.NDArray[np.bool_] | None",
    unexplained_weight: Array,
    curbing: int,
) -> Array:
    """Return the share of each pool that no plant of the curbing country has touched, at this stage or before.

    Args:
        pools: of this stage.
        production_t: (w, n).
        row_world: (b,) the world of each row.
        clean_input: (b, n) clean share of the pool of the stage before, None at the first stage.
        has_input: (b, n) whether that pool exists; where it does not, what the plant used is unknown.
        unexplained_weight: (b,) how dirty the unknown is taken to be: 0 clean, 0.5 the world mix, 1 made in the
            curbing country. The points between are straight lines (method section 3).
        curbing: place of the curbing country.

    Returns:
        (b, n) clean share; 1 where the pool is empty.
    """
    production_t = production_t[row_world]
    pool, unexplained = pools.pool_t[row_world], pools.unexplained_t[row_world]
    if clean_input is None or has_input is None:
        made = np.ones_like(production_t)
    else:
        total = np.where(has_input, production_t, 0.0).sum(axis=1)
        mix = np.where(has_input, production_t * clean_input, 0.0).sum(axis=1) / np.where(
            total > 0, total, 1.0
        )
        unknown = _unknown_clean(np.where(total > 0, mix, 0.5), unexplained_weight)
        made = np.where(has_input, clean_input, unknown[:, None])
    made[:, curbing] = 0.0
    output = production_t.sum(axis=1)
    world_mix = (production_t * made).sum(axis=1) / np.where(output > 0, output, 1.0)
    unexplained_clean = _unknown_clean(np.where(output > 0, world_mix, 0.5), unexplained_weight)
    entering = production_t * made + unexplained * unexplained_clean[:, None]
    clean = propagate(pools, entering, row_world)
    share = clean / np.where(pool > 0, pool, 1.0)
    return np.where(pool > 0, np.clip(share, 0.0, 1.0), 1.0)


def _unknown_clean(mix: Array, weight: Array) -> Array:
    """Return the clean share of goods of unknown origin: 1 at weight 0, the mix at 0.5, 0 at weight 1."""
    return np.where(weight < 0.5, 1.0 - (1.0 - mix) * 2 * weight, mix * (2 - 2 * weight))


def reconciliation_grade(unexplained_t: float, production_t: float, edges: tuple[float, float, float]) -> str:
    """Return the grade of a stage by its unexplained exports over all that entered: good, fair, weak or insufficient."""
    entered = unexplained_t + production_t
    if entered <= 0:
        return "insufficient"
    share = unexplained_t / entered
    for grade, edge in zip(("good", "fair", "weak"), edges, strict=True):
        if share < edge:
            return grade
    return "insufficient"
