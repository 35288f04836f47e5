"""Everything of one mineral's chain that needs its matrices: missing shares before responses, at every point.

A `ChainScorer` holds the pools of a chain in all its worlds. It answers, for a state of the law at a horizon, how
much of every route and of every importer's pool is missing (H), how much is lost in all, and how H moves as
measures and pledges are brought in one after another (the law steps of the waterfall).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.scoring.attribution import Pools, clean_shares, form_pools
from engine.scoring.curbs import CurbSet, combine, strongest
from engine.scoring.ranges import (
    BEST,
    HIGH,
    LOW,
    POINTS,
    Array,
    in_order,
    three_points,
)
from engine.scoring.shock import (
    StageCurbs,
    StageShock,
    bloc_missing_share,
    lost_t,
    route_missing_share,
    run_shock,
)
from engine.scoring.world import Chain, build_worlds

Index = np.typing.NDArray[np.intp]
UNEXPLAINED_WEIGHT = np.array([0.0, 0.5, 1.0])  # untouched, the world mix, made by the curbing country


@dataclass(frozen=True)
class StageLaw:
    """The law on one stage at one horizon in one regime.

    Attributes:
        curbs, reach: items that withhold the curbing country's own flows, and items that reach foreign goods.
        weight, reach_weight: (m, 3, n) weight of each item's state.
        is_full_stop: every flow of the curbing country ceases; the rest is then ignored.
    """

    curbs: CurbSet
    reach: CurbSet
    weight: Array
    reach_weight: Array
    is_full_stop: bool = False
    pledges_stand: bool = True


Law = Sequence[StageLaw]


@dataclass(frozen=True)
class Missing:
    """H before any response, per stage.

    Attributes:
        route: (p, routes).
        importer: (p, n + 1) each country's pool, and last the bloc as one importer.
        lost_t: (p,) tonnes that final users outside the curbing country go short of.
    """

    route: list[Array]
    importer: list[Array]
    lost_t: list[Array]


@dataclass(frozen=True)
class Swap:
    """One swap of the waterfall: the step it belongs to, and what it brings in."""

    step: str
    stage: str = ""
    measure_id: str = ""
    clause: str = ""
    pledge_id: str = ""


class ChainScorer:
    """A chain's pools in every world, solved as often as asked.

    Args:
        chain: the facts.
        routes: per stage, places (exporters, importers) of the routes that are scored.
        bloc_members: (n,) the countries that also count as one importer.
        touched_threshold_share: touched share from which a re-export licence may reach a whole pool.
    """

    def __init__(
        self,
        chain: Chain,
        routes: Sequence[tuple[Index, Index]],
        bloc_members: "np.typing.NDArray[np.bool_]",
        touched_threshold_share: float,
    ) -> None:
        self.chain = chain
        self.routes = routes
        self.bloc_members = bloc_members
        worlds = build_worlds(chain)
        self.trade_t, self.production_t = worlds.trade_t, worlds.production_t
        self.row_point, self.row_world = worlds.row_point, worlds.row_world
        self.best_row = worlds.best_row
        self.pools: list[Pools] = [
            form_pools(t, p) for t, p in zip(worlds.trade_t, worlds.production_t, strict=True)
        ]
        self.exports_t = [t.sum(axis=2) for t in worlds.trade_t]
        members = np.flatnonzero(bloc_members)
        self.bloc_trade_t = [t[:, members][:, :, members] for t in worlds.trade_t]
        self.touched_rows = self._touched_rows()
        self.reach_rows = [self._reach(rows, touched_threshold_share) for rows in self.touched_rows]

    # -- what is touched ------------------------------------------------------------------------------------

    def _touched_rows(self) -> list[Array]:
        weight = UNEXPLAINED_WEIGHT[self.row_point]
        clean: Array | None = None
        has_input = None
        rows: list[Array] = []
        for pool, output in zip(self.pools, self.production_t, strict=True):
            clean = clean_shares(pool, output, self.row_world, clean, has_input, weight, self.chain.curbing)
            has_input = pool.pool_t[self.row_world] > 0
            rows.append(1.0 - clean)
        return rows

    def _reach(self, touched: Array, threshold: float) -> Array:
        """Return (rows, n) part of a pool that a re-export licence reaches: touched stock only, or all mixed stock."""
        mixed = (touched >= threshold).astype(np.float64)
        point = self.row_point[:, None]
        reach = np.where(point == HIGH, mixed, touched)
        reach[:, self.chain.curbing] = 0.0
        return reach

    def touched_share(self, stage: int) -> Array:
        """Return (3, n) share of each pool that went through the curbing country at this stage or before."""
        return self._envelope(self.touched_rows[stage])

    # -- solving --------------------------------------------------------------------------------------------

    def evaluate(self, law: Law, replacement_t: Sequence[Array] | None = None) -> Missing:
        """Return H at all three points; ``replacement_t``: per stage (3, n) tonnes of new plant for the next stage."""
        return self._by_point(self._solve_rows(law, np.arange(len(self.row_point)), replacement_t))

    def evaluate_best(self, laws: Sequence[Law], replacement_t: Sequence[Array] | None = None) -> Missing:
        """Return H of several laws at best only; ``replacement_t`` per stage (laws, n)."""
        n = len(self.chain.countries)
        curbs = []
        for s in range(len(self.chain.stages)):
            pairs = [self._at_points(law[s]) for law in laws]
            curbs.append(self._stage_curbs(s, [c[BEST] for c, _ in pairs], [e[BEST] for _, e in pairs], n))
        return self._solve_best(curbs, replacement_t)

    def law_steps(self, law: Law) -> tuple[list[Swap], Missing]:
        """Return H at best after each swap from a full stop to the law: S0, S1 measures, S2 pledges, S3 reach.

        Order within a step: stage, start of the measure, id (method section 5).
        """
        n = len(self.chain.countries)
        stages = range(len(self.chain.stages))
        stop = [np.ones(n) for _ in stages]
        nothing = [np.zeros(n) for _ in stages]
        swaps, withheld, reached = [Swap("S0")], [stop], [nothing]
        if law[0].is_full_stop:
            return swaps, self._solve_best(self._stacked(withheld, reached), None)
        swaps.append(Swap("S1"))
        withheld.append(nothing)
        reached.append(nothing)

        def add(swap: Swap, c: list[Array], e: list[Array]) -> None:
            swaps.append(swap)
            withheld.append(c)
            reached.append(e)

        current = list(nothing)
        for s in stages:
            stage = law[s]
            shares = stage.curbs.item_shares(stage.weight, 0)
            chosen = np.zeros(stage.curbs.size, dtype=bool)
            for measure_id, clause, places in _grouped(stage.curbs):
                if not np.any(shares[places, BEST] > 0):
                    continue
                chosen[places] = True
                current = [*current]
                current[s] = combine(stage.curbs.items, shares, chosen)[BEST]
                add(Swap("S1", self.chain.stages[s].name, measure_id, clause), current, nothing)
        if law[0].pledges_stand:
            for q, pledge_id in enumerate(law[0].curbs.pledge_ids, start=1):
                current = [combine(st.curbs.items, st.curbs.item_shares(st.weight, q))[BEST] for st in law]
                add(Swap("S2", pledge_id=pledge_id), current, nothing)
        foreign = list(nothing)
        for s in stages:
            stage = law[s]
            shares = stage.reach.item_shares(stage.reach_weight, 0)
            chosen = np.zeros(stage.reach.size, dtype=bool)
            for measure_id, clause, places in _grouped(stage.reach):
                if not np.any(shares[places, BEST] > 0):
                    continue
                chosen[places] = True
                foreign = [*foreign]
                foreign[s] = strongest(shares, n, chosen)[BEST]
                add(Swap("S3", self.chain.stages[s].name, measure_id, clause), current, foreign)
        return swaps, self._solve_best(self._stacked(withheld, reached), None)

    def withheld_share(self, law: Law, stage: int) -> Array:
        """Return (3, n) c of the curbing country's flow to each importer."""
        return self._at_points(law[stage])[0]

    # -- inside ---------------------------------------------------------------------------------------------

    def _at_points(self, stage: StageLaw) -> tuple[Array, Array]:
        """Return c and e at the three points, each (3, n). A country withholds nothing from itself."""
        n = len(self.chain.countries)
        if stage.is_full_stop:
            withheld, reached = np.ones((POINTS, n)), np.zeros((POINTS, n))
        else:
            pledges = None if stage.pledges_stand else 0
            withheld = combine(stage.curbs.items, stage.curbs.item_shares(stage.weight, pledges))
            reached = strongest(stage.reach.item_shares(stage.reach_weight, 0), n)
        withheld[:, self.chain.curbing] = 0.0
        return withheld, reached

    def _stacked(self, withheld: list[list[Array]], reached: list[list[Array]]) -> list[StageCurbs]:
        n = len(self.chain.countries)
        return [
            self._stage_curbs(s, [c[s] for c in withheld], [e[s] for e in reached], n)
            for s in range(len(self.chain.stages))
        ]

    def _stage_curbs(self, stage: int, withheld: list[Array], reached: list[Array], n: int) -> StageCurbs:
        c = np.stack(withheld)
        c[:, self.chain.curbing] = 0.0
        reach = np.broadcast_to(self.reach_rows[stage][self.best_row], (len(c), n))
        return StageCurbs(c, np.stack(reached), reach)

    def _solve_rows(self, law: Law, rows: Index, replacement_t: Sequence[Array] | None) -> Missing:
        points = self.row_point[rows]
        curbs = []
        for s, stage in enumerate(law):
            withheld, reached = self._at_points(stage)
            curbs.append(StageCurbs(withheld[points], reached[points], self.reach_rows[s][rows]))
        weight = UNEXPLAINED_WEIGHT[points]
        added = None if replacement_t is None else [tonnes[points] for tonnes in replacement_t]
        return self._solve(curbs, self.row_world[rows], weight, added)

    def _solve_best(self, curbs: list[StageCurbs], replacement_t: Sequence[Array] | None) -> Missing:
        size = len(curbs[0].withheld_share)
        return self._solve(
            curbs,
            np.zeros(size, dtype=np.intp),
            np.full(size, UNEXPLAINED_WEIGHT[BEST]),
            replacement_t,
        )

    def _solve(
        self, curbs: list[StageCurbs], worlds: Index, weight: Array, replacement_t: Sequence[Array] | None
    ) -> Missing:
        """Return H of every row. Where nothing is cut at any stage nothing is missing, and nothing needs solving."""
        bites = np.zeros(len(worlds), dtype=bool)
        for curb in curbs:
            bites |= np.any(curb.withheld_share, axis=1) | np.any(curb.extraterritorial_share, axis=1)
        hit = np.flatnonzero(bites)
        n = len(self.chain.countries)
        missing = Missing(
            [np.zeros((len(worlds), len(exporters))) for exporters, _ in self.routes],
            [np.zeros((len(worlds), n + 1)) for _ in self.routes],
            [np.zeros(len(worlds)) for _ in self.routes],
        )
        if not len(hit):
            return missing
        cut = [
            StageCurbs(c.withheld_share[hit], c.extraterritorial_share[hit], c.reach_share[hit])
            for c in curbs
        ]
        added = None if replacement_t is None else [tonnes[hit] for tonnes in replacement_t]
        at, curbing = worlds[hit], self.chain.curbing
        shocks = run_shock(self.pools, self.production_t, cut, at, weight[hit], curbing, added)
        for s, (shock, curb) in enumerate(zip(shocks, cut, strict=True)):
            exporters, importers = self.routes[s]
            missing.route[s][hit] = route_missing_share(shock, curb, exporters, importers, curbing)
            missing.importer[s][hit] = self._importers(s, shock, curb, at)
            missing.lost_t[s][hit] = lost_t(shock, self.pools[s], self.exports_t[s], at, curbing)
        return missing

    def _importers(self, s: int, shock: StageShock, curb: StageCurbs, worlds: Index) -> Array:
        bloc = bloc_missing_share(
            shock, curb, self.pools[s], self.bloc_trade_t[s], worlds, self.bloc_members, self.chain.curbing
        )
        return np.concatenate([np.clip(1.0 - shock.pool_ratio, 0.0, 1.0), bloc[:, None]], axis=1)

    def _envelope(self, rows: Array) -> Array:
        """Return (3, …) out of the rows: the least at the low points, the most at the high ones."""
        points = [
            rows[self.row_point == point].min(axis=0)
            if point == LOW
            else rows[self.row_point == point].max(axis=0)
            for point in range(POINTS)
        ]
        return in_order(np.stack(points))

    def _by_point(self, rows: Missing) -> Missing:
        return Missing(
            [self._envelope(h) for h in rows.route],
            [self._envelope(h) for h in rows.importer],
            [self._envelope(t) for t in rows.lost_t],
        )


def _grouped(curbs: CurbSet) -> list[tuple[str, str, list[int]]]:
    """Put the items of one clause together, in their order."""
    groups: dict[tuple[str, str], list[int]] = {}
    for place, item in enumerate(curbs.items):
        groups.setdefault((item.measure_id, item.clause), []).append(place)
    return [(measure_id, clause, places) for (measure_id, clause), places in groups.items()]


def limited_replacement(available: Sequence[Array], lost: Sequence[Array]) -> list[Array]:
    """Return per stage (3, n): new plant never feeds more than was lost; the low loss meets the high relief.

    Args:
        available: per stage (3, n) tonnes, low to high.
        lost: per stage (3,) tonnes, low to high.
    """
    limited = []
    for tonnes, missing in zip(available, lost, strict=True):
        points = three_points(*tonnes)[::-1]
        total = points.sum(axis=1)
        limited.append(points * (np.minimum(total, missing) / np.where(total > 0, total, 1.0))[:, None])
    return limited
