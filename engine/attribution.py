"""Where a pool of a mineral came from: proportional origin attribution (method section 3).

All arrays are in tonnes of contained mineral a year. A leading axis ``w`` runs over worlds or scenarios.
``trade_t[w, k, j]`` goes from exporter k to importer j.
"""

from dataclasses import dataclass

import numpy as np

from engine.ranges import Array


class AttributionError(ValueError):
    """A set of countries whose pools only feed one another: no origin can be attributed."""


@dataclass(frozen=True)
class Pools:
    """The pools of one stage.

    Attributes:
        pool_t: (w, n) x = production + imports + unexplained exports.
        unexplained_t: (w, n) d = exports beyond production and imports.
        outflow_share: (w, j, k) A[j, k] = share of k's pool that goes to j; zero where k's pool is empty.
        exporters: places of the countries that export in any world: only these couple the pools.
    """

    pool_t: Array
    unexplained_t: Array
    outflow_share: Array
    exporters: "np.typing.NDArray[np.intp]"


def form_pools(trade_t: Array, production_t: Array) -> Pools:
    """Form x, d and A from trade (w, n, n) and production (w, n)."""
    exports, imports = trade_t.sum(axis=2), trade_t.sum(axis=1)
    unexplained = np.maximum(0.0, exports - production_t - imports)
    pool = production_t + imports + unexplained
    safe = np.where(pool > 0, pool, 1.0)
    share = np.swapaxes(trade_t / safe[:, :, None], 1, 2)
    exporters = np.flatnonzero((exports > 0).any(axis=0))
    return Pools(pool, unexplained, share, exporters)


def propagate(flow_share: Array, entering_t: Array, exporters: "np.typing.NDArray[np.intp]") -> Array:
    """Solve x = entering + M x, for M (b, j, k) of which only the columns of ``exporters`` are not zero.

    Args:
        flow_share: (b, n, n) share of k's pool that reaches j.
        entering_t: (b, n) tonnes that enter at each country.
        exporters: the only columns that matter: the system solved has their size, not n.

    Returns:
        (b, n) pools.

    Raises:
        AttributionError: two countries pass their whole pools to one another, so the system is singular.
    """
    columns = flow_share[:, :, exporters]
    core = columns[:, exporters, :]
    matrix = np.eye(len(exporters)) - core
    try:
        inner = np.linalg.solve(matrix, entering_t[:, exporters, None])[:, :, 0]
    except np.linalg.LinAlgError as error:
        pair = np.unravel_index(np.argmax(np.max(core * np.swapaxes(core, 1, 2), axis=0)), core.shape[1:])
        first, second = (int(exporters[int(place)]) for place in pair)
        message = f"countries {first} and {second} ship their whole pools to one another: no origin can be told"
        raise AttributionError(message) from error
    pools: Array = entering_t + np.einsum("bjk,bk->bj", columns, inner)
    return pools


def origin_shares(pools: Pools, production_t: Array) -> Array:
    """G (w, n, n): share of j's pool that entered at o. Rows of non-empty pools sum to 1."""
    worlds, n = production_t.shape
    entering = production_t + pools.unexplained_t
    shares = np.zeros((worlds, n, n))
    for o in range(n):
        source = np.zeros((worlds, n))
        source[:, o] = entering[:, o]
        shares[:, :, o] = propagate(pools.outflow_share, source, pools.exporters)
    safe = np.where(pools.pool_t > 0, pools.pool_t, 1.0)
    return shares / safe[:, :, None]


def clean_shares(
    pools: Pools,
    production_t: Array,
    clean_input: Array | None,
    has_input: "np.typing.NDArray[np.bool_] | None",
    unexplained_weight: Array,
    curbing: int,
) -> Array:
    """Share of each pool that no plant of the curbing country has touched, at this stage or before.

    Args:
        pools: of this stage, (w, n).
        production_t: (w, n).
        clean_input: (w, n) clean share of the pool of the stage before, None at the first stage.
        has_input: (w, n) whether that pool exists; where it does not, what the plant used is unknown.
        unexplained_weight: (w,) how dirty the unknown is taken to be: 0 clean, 0.5 the world mix, 1 made in the
            curbing country. The points between are straight lines (method section 3).
        curbing: place of the curbing country.

    Returns:
        (w, n) clean share; 1 where the pool is empty.
    """
    if clean_input is None or has_input is None:
        made = np.ones_like(production_t)
    else:
        total = np.where(has_input, production_t, 0.0).sum(axis=1)
        mix = np.where(has_input, production_t * clean_input, 0.0).sum(axis=1) / np.where(total > 0, total, 1.0)
        unknown = _unknown_clean(np.where(total > 0, mix, 0.5), unexplained_weight)
        made = np.where(has_input, clean_input, unknown[:, None])
    made[:, curbing] = 0.0
    output = production_t.sum(axis=1)
    world_mix = (production_t * made).sum(axis=1) / np.where(output > 0, output, 1.0)
    unexplained_clean = _unknown_clean(np.where(output > 0, world_mix, 0.5), unexplained_weight)
    entering = production_t * made + pools.unexplained_t * unexplained_clean[:, None]
    clean = propagate(pools.outflow_share, entering, pools.exporters)
    share = clean / np.where(pools.pool_t > 0, pools.pool_t, 1.0)
    return np.where(pools.pool_t > 0, np.clip(share, 0.0, 1.0), 1.0)


def _unknown_clean(mix: Array, weight: Array) -> Array:
    """Clean share of goods of unknown origin: 1 at weight 0, the mix at 0.5, 0 at weight 1."""
    return np.where(weight < 0.5, 1.0 - (1.0 - mix) * 2 * weight, mix * (2 - 2 * weight))


def reconciliation_grade(unexplained_t: float, production_t: float, edges: tuple[float, float, float]) -> str:
    """Grade a stage by unexplained exports over all that entered: good, fair, weak or insufficient."""
    entered = unexplained_t + production_t
    if entered <= 0:
        return "insufficient"
    share = unexplained_t / entered
    for grade, edge in zip(("good", "fair", "weak"), edges, strict=True):
        if share < edge:
            return grade
    return "insufficient"
