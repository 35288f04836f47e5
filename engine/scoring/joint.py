"""A mineral's chain in D joint draws: every uncertain input moves at once, as in one world (method section 1).

`engine.scoring.chain_score` gives what is guaranteed; this module gives what is to be expected. Both solve the same
shock. The numbers come by name, so that draw d is the same world in every chain, stage, horizon and regime.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.scoring.attribution import Index, Pools, clean_shares, form_lane_pools
from engine.scoring.chain_score import Law
from engine.scoring.curbs import Mask
from engine.scoring.drawn_curbs import DrawnCurbs, NumbersOf, Spread, same_laws
from engine.scoring.draws import Numbers, quantile
from engine.scoring.ranges import Array
from engine.scoring.response import Supply, reachable_t, replacement_t, share_of_loss
from engine.scoring.shock import StageCurbs, bloc_missing_share, lost_t, route_missing_share, run_shock
from engine.scoring.world import Chain, DrawnStage, drawn_stages

WORLDS_AT_ONCE: Final = 32  # matrices of so many draws stay near the processor


@dataclass(frozen=True)
class Posed:
    """A law that is asked about.

    Attributes:
        law: stage by stage.
        severity_of: numbers of severities after trade has been looked at; None for those before.
        new_plant: stage by stage what others could build; None where nothing can be built in time. No more is built
            than a full stop would take in the same draw.
    """

    law: Law
    severity_of: NumbersOf | None = None
    new_plant: Sequence[Supply] | None = None


@dataclass(frozen=True)
class DrawnMissing:
    """H before any response in every draw, per stage.

    Attributes:
        route: (routes, D).   importer: (n + 1, D) each country's pool, and last the bloc.
        lost_t: (D,) tonnes that final users outside the curbing country go short of.
    """

    route: list[Array]
    importer: list[Array]
    lost_t: list[Array]


@dataclass(frozen=True)
class Worlds:
    """The chain's pools in some of the draws.

    Attributes:
        at: which draws.   pools, production_t, exports_t: per stage.
        bloc_trade_t: per stage (w, members, members).   origin: (w,) what the unexplained is made of.
    """

    at: slice
    pools: list[Pools]
    production_t: list[Array]
    exports_t: list[Array]
    bloc_trade_t: list[Array]
    origin: Array


class JointChain:
    """A chain in every draw. Its pools are formed for a few draws at a time and let go when these are solved.

    Args:
        chain: the facts.
        routes: per stage, places (exporters, importers) of the routes that are scored.
        bloc_members: (n,) the countries that also count as one importer.
        touched_threshold_share: touched share from which a re-export licence may reach a whole pool.
        numbers: of all inputs, shared by all chains.
        spread: how they are drawn.
    """

    def __init__(
        self,
        chain: Chain,
        routes: Sequence[tuple[Index, Index]],
        bloc_members: Mask,
        touched_threshold_share: float,
        numbers: Numbers,
        spread: Spread,
    ) -> None:
        self.chain, self.routes, self.members = chain, routes, bloc_members
        self.threshold, self.numbers, self.spread = touched_threshold_share, numbers, spread
        self.curbs = DrawnCurbs(chain, numbers, spread)
        self.stages = drawn_stages(chain, numbers, spread.kind)
        # What the unexplained is made of: untouched, the world mix, or made by the curbing country.
        origin = self.curbs.of("origin", chain.mineral)
        self.origin = quantile(np.array([0.0, 0.5, 1.0]), origin, spread.kind)
        self.pool_t = [np.zeros_like(stage.production_t) for stage in self.stages]

    @property
    def size(self) -> int:
        """Return D."""
        return self.numbers.draws

    # -- solving --------------------------------------------------------------------------------------------

    def missing(self, posed: Sequence[Posed]) -> list[DrawnMissing]:
        """Return H of several laws at once, which share the pools.

        Args:
            posed: the laws; the first is a full stop where any other allows for new plant.
        """
        curbs = self._curbs(posed)
        # Under a law that withholds nothing at any stage nothing is missing, and nothing needs solving.
        bites = [any(withheld.any() or reached.any() for withheld, reached in law) for law in curbs]
        found = [self._solved() if biting else self._nothing() for biting in bites]
        asked = [place for place, biting in enumerate(bites) if biting]
        plain = [place for place in asked if posed[place].new_plant is None]
        reaches = any(reached.any() for place in asked for _, reached in curbs[place])
        for worlds in self.worlds():
            reach = self.reached_share(worlds) if reaches else None
            self._solve(worlds, [curbs[place] for place in plain], reach, [found[place] for place in plain])
            for place in asked:
                if (new := posed[place].new_plant) is not None:
                    built = self._built(worlds.at, new, found[0])
                    self._solve(worlds, [curbs[place]], reach, [found[place]], built)
        return found

    def _curbs(self, posed: Sequence[Posed]) -> list[list[tuple[Array, Array]]]:
        """Return c and e of each law, stage by stage; what is the same for several laws is drawn once."""
        curbs: list[list[tuple[Array, Array]]] = [[] for _ in posed]
        for s in range(len(self.stages)):
            first = same_laws([(one.law[s], one.severity_of) for one in posed])
            for place, one in enumerate(posed):
                same = first[place]
                own = curbs[same][s] if same < place else self.curbs.shares(one.law[s], one.severity_of)
                curbs[place].append(own)
        return curbs

    def _nothing(self) -> DrawnMissing:
        n = len(self.chain.countries)
        return DrawnMissing(
            [np.broadcast_to(0.0, (len(exporters), self.size)) for exporters, _ in self.routes],
            [np.broadcast_to(0.0, (n + 1, self.size)) for _ in self.routes],
            [np.broadcast_to(0.0, self.size) for _ in self.routes],
        )

    def _solved(self) -> DrawnMissing:
        """Return room for what will be found."""
        n = len(self.chain.countries)
        return DrawnMissing(
            [np.empty((len(exporters), self.size)) for exporters, _ in self.routes],
            [np.empty((n + 1, self.size)) for _ in self.routes],
            [np.empty(self.size) for _ in self.routes],
        )

    def worlds(self) -> Iterator[Worlds]:
        """Yield the pools of a few draws at a time."""
        for start in range(0, self.size, WORLDS_AT_ONCE):
            at = slice(start, start + WORLDS_AT_ONCE)
            pools, made, exports, inner = [], [], [], []
            for s, stage in enumerate(self.stages):
                lane_t, output = stage.lane_t[at], stage.production_t[at]
                pool = form_lane_pools(stage.exporter, stage.importer, lane_t, output)
                self.pool_t[s][at] = pool.pool_t
                sent = np.zeros_like(output)
                sent[:, pool.exporters] = pool.outflow_share.sum(axis=1) * pool.pool_t[:, pool.exporters]
                pools.append(pool)
                made.append(output)
                exports.append(sent)
                inner.append(self._within_bloc(stage, lane_t))
            yield Worlds(at, pools, made, exports, inner, self.origin[at])

    def _within_bloc(self, stage: DrawnStage, lane_t: Array) -> Array:
        """Return (w, members, members) trade between the members of the bloc."""
        places = np.flatnonzero(self.members)
        within = np.flatnonzero(self.members[stage.exporter] & self.members[stage.importer])
        trade = np.zeros((len(lane_t), len(places), len(places)))
        exporter, importer = np.searchsorted(places, [stage.exporter[within], stage.importer[within]])
        trade[:, exporter, importer] = lane_t[:, within]
        return trade

    def _solve(
        self,
        worlds: Worlds,
        laws: Sequence[Sequence[tuple[Array, Array]]],
        reach: Sequence[Array] | None,
        found: Sequence[DrawnMissing],
        built: Sequence[Array] | None = None,
    ) -> None:
        """Fill in H of the laws in some draws, law by law.

        Args:
            worlds: the pools in these draws.
            laws: c and e of each, stage by stage, in all draws.
            reach: per stage (w, n) part of each pool that a re-export licence reaches; None where none takes anything.
            found: what is to be filled in.
            built: per stage (w, n) tonnes of new plant that feed the next stage; for one law alone.
        """
        if not laws:
            return
        rows = np.tile(np.arange(len(worlds.origin)), len(laws))
        curbing = self.chain.curbing
        cut = []
        for s in range(len(self.stages)):
            withheld = np.concatenate([law[s][0][worlds.at] for law in laws])
            reached = np.concatenate([law[s][1][worlds.at] for law in laws])
            part = np.zeros_like(withheld) if reach is None else reach[s][rows]
            cut.append(StageCurbs(withheld, reached, part))
        origin = worlds.origin[rows]
        shocks = run_shock(worlds.pools, worlds.production_t, cut, rows, origin, curbing, built)
        for s, (shock, curb) in enumerate(zip(shocks, cut, strict=True)):
            exporters, importers = self.routes[s]
            route = route_missing_share(shock, curb, exporters, importers, curbing)
            inner = worlds.bloc_trade_t[s]
            bloc = bloc_missing_share(shock, curb, worlds.pools[s], inner, rows, self.members, curbing)
            pools = np.clip(1.0 - shock.pool_ratio, 0.0, 1.0)
            lost = lost_t(shock, worlds.pools[s], worlds.exports_t[s], rows, curbing)
            for place, missing in enumerate(found):
                at = slice(place * len(worlds.origin), (place + 1) * len(worlds.origin))
                missing.route[s][:, worlds.at] = route[at].T
                missing.importer[s][:-1, worlds.at] = pools[at].T
                missing.importer[s][-1, worlds.at] = bloc[at]
                missing.lost_t[s][worlds.at] = lost[at]

    def reached_share(self, worlds: Worlds) -> list[Array]:
        """Return (w, n) per stage, the part of each pool that a re-export licence reaches: what is touched, or mixed."""
        reached = []
        clean: Array | None = None
        has_input: Mask | None = None
        ends = np.array([0.0, 0.0, 1.0])
        mixing = quantile(ends, self.curbs.of("mixed stock"), self.spread.kind)[worlds.at, None]
        rows = np.arange(len(worlds.origin))
        curbing = self.chain.curbing
        for pool, output in zip(worlds.pools, worlds.production_t, strict=True):
            clean = clean_shares(pool, output, rows, clean, has_input, worlds.origin, curbing)
            has_input = pool.pool_t > 0
            touched = 1.0 - clean
            reach = touched + mixing * ((touched >= self.threshold) - touched)
            reach[:, curbing] = 0.0
            reached.append(reach)
        return reached

    # -- what others add ------------------------------------------------------------------------------------

    def _built(self, at: slice, supply: Sequence[Supply], stop: DrawnMissing) -> list[Array]:
        """Return (w, n) tonnes of new plant upstream, per stage, never more than a full stop takes in the same draw."""
        built = []
        for stage, own, lost in zip(self.chain.stages, supply, stop.lost_t, strict=True):
            u = self._capacity(stage.name)[at, None]
            tonnes = quantile(replacement_t(own), u, self.spread.kind)
            total = tonnes.sum(axis=1)
            built.append(tonnes * (np.minimum(total, lost[at]) / np.where(total > 0, total, 1.0))[:, None])
        return built

    def alternatives(self, stage: int, supply: Supply, lost: Array) -> Array:
        """Return (n + 1, D) share of each importer's loss that others could replace, the bloc last; NaN if unknown."""
        n = len(self.chain.countries)
        if not supply.is_known:
            return np.full((n + 1, self.size), np.nan)
        u = self._capacity(self.chain.stages[stage].name)[:, None]
        reachable = quantile(reachable_t(supply), u, self.spread.kind)
        share = share_of_loss(reachable, lost[:, None])
        weight = np.where(self.members, self.pool_t[stage], 0.0)
        total = weight.sum(axis=1)
        bloc = (share * weight).sum(axis=1) / np.where(total > 0, total, 1.0)
        return np.concatenate([share.T, bloc[None]])

    def _capacity(self, stage: str) -> Array:
        return self.curbs.of("capacity", self.chain.mineral, stage)
