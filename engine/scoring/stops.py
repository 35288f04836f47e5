"""What of a chain is left when whole flows cease, on top of the law of the day, and how much each can take at most.

A tonne reaches a buyer along a path of plants and lanes, and what stops it anywhere on the path has stopped it. So the
tonnes that several stops take are those of the union of their paths: never more than each takes alone, added up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.scoring.attribution import Pools
from engine.scoring.chain_score import Law
from engine.scoring.curbs import CurbSet, Mask, combine
from engine.scoring.drawn_curbs import NumbersOf
from engine.scoring.draws import quantile
from engine.scoring.joint import JointChain, Worlds
from engine.scoring.ranges import HIGH, Array
from engine.scoring.response import Supply, reachable_t, share_of_loss
from engine.scoring.shock import ROUNDING_SHARE, unexplained_keep


@dataclass(frozen=True)
class Stop:
    """One thing that may cease: all that a country sends abroad, one lane, or what one measure names.

    Attributes:
        kind: ``exporter``, ``route`` or ``measure``.
        exporter, importer: of the lanes; no importer for all of them.
        stage: of a route.
        measure_id: of a measure.
    """

    kind: str
    exporter: str = ""
    importer: str = ""
    stage: str = ""
    measure_id: str = ""


@dataclass(frozen=True)
class Ceased:
    """What is left of one stage when some stops have come about, in every draw.

    Attributes:
        importer: (n + 1, D) H of each country's pool, and last of the bloc.
        lost_t: (D,) tonnes that final users outside the curbing country go short of.
        alternatives: (n + 1, D) share of that loss that others could replace; NaN where no capacity is on record.
    """

    importer: Array
    lost_t: Array
    alternatives: Array


@dataclass(frozen=True)
class Taken:
    """What each stop takes at most, whatever else has ceased.

    Attributes:
        before: (stops, D) share of the buyer's pool.   lost_t: (stops, D) tonnes of final users.
        spare: (stops,) share of what others could add for the buyer.
    """

    before: Array
    lost_t: Array
    spare: Array


@dataclass(frozen=True)
class _Base:
    """Some of the draws before anything ceases: the pools, and per stage (w, n, m) what the law leaves of each flow."""

    worlds: Worlds
    kept: Sequence[Array]
    withheld: Sequence[Array]


class StoppedChain:
    """A chain in every draw up to one stage, solved for any set of stops.

    Args:
        joint: the chain.
        law: of the day, stage by stage.
        stage: place of the stage that is bought.
        supply: what others could add at that stage; horizons at which new plant is built are not asked about.
        severity_of: numbers of severities after trade has been looked at.
    """

    def __init__(
        self, joint: JointChain, law: Law, stage: int, supply: Supply, severity_of: NumbersOf | None = None
    ) -> None:
        self.joint, self.law, self.stage, self.supply = joint, law, stage, supply
        self.place = {country: place for place, country in enumerate(joint.chain.countries)}
        shares = [joint.curbs.shares(one, severity_of) for one in law[: stage + 1]]
        reaches = any(reached.any() for _, reached in shares)
        self._bases = []
        for worlds in joint.worlds():
            reach = joint.reached_share(worlds) if reaches else None
            self._bases.append(self._base(worlds, shares, reach))
        self._found: dict[frozenset[Stop], Ceased] = {}

    def _base(
        self, worlds: Worlds, shares: Sequence[tuple[Array, Array]], reach: Sequence[Array] | None
    ) -> _Base:
        kept, withheld = [], []
        curbing = self.joint.chain.curbing
        for s, (all_withheld, all_reached) in enumerate(shares):
            pools, own = worlds.pools[s], all_withheld[worlds.at]
            left = np.ones_like(pools.outflow_share)
            if reach is not None:
                left -= all_reached[worlds.at][:, :, None] * reach[s][:, None, pools.exporters]
            left[:, :, pools.exporters == curbing] = 1.0 - own[:, :, None]
            kept.append(left)
            withheld.append(own)
        return _Base(worlds, kept, withheld)

    @property
    def members(self) -> set[str]:
        """The countries of the bloc that is an importer by itself."""
        return {name for name, place in self.place.items() if self.joint.members[place]}

    # -- what may cease -------------------------------------------------------------------------------------

    def exporters(self, but: Collection[str]) -> list[Stop]:
        """Return a stop for every country that sends anything abroad, but for some."""
        stages = self.joint.stages[: self.stage + 1]
        places = np.unique(np.concatenate([stage.exporter for stage in stages]))
        names = [self.joint.chain.countries[place] for place in places]
        return [Stop("exporter", name) for name in names if name not in but]

    def routes(self, but: Collection[str]) -> list[Stop]:
        """Return a stop for every lane up to the stage, but for those of some exporters."""
        names = self.joint.chain.countries
        return [
            Stop("route", names[k], names[j], facts.name)
            for facts, drawn in zip(
                self.joint.chain.stages[: self.stage + 1], self.joint.stages, strict=False
            )
            for k, j in zip(drawn.exporter, drawn.importer, strict=True)
            if names[k] not in but
        ]

    def measures(self) -> list[Stop]:
        """Return a stop for every measure of the curbing country that withholds goods from anybody."""
        binding = {
            item.measure_id: None
            for law in self.law[: self.stage + 1]
            for item, withheld in zip(law.curbs.items, law.curbs.withheld, strict=True)
            if withheld[HIGH].any()
        }
        return [Stop("measure", measure_id=measure_id) for measure_id in sorted(binding)]

    # -- what is left ---------------------------------------------------------------------------------------

    def after(self, stops: Collection[Stop]) -> Ceased:
        """Return what is missing when all these stops have come about."""
        key = frozenset(stops)
        if key not in self._found:
            parts = [self._solve(base, key) for base in self._bases]
            importer = np.concatenate([found for found, _ in parts]).T
            lost_t = np.concatenate([lost for _, lost in parts])
            known = self.joint.alternatives(self.stage, self._open(key), lost_t)
            self._found[key] = Ceased(importer, lost_t, known)
        return self._found[key]

    @property
    def solved(self) -> int:
        """How many sets of stops have been solved."""
        return len(self._found)

    def _open(self, stops: Collection[Stop]) -> Supply:
        """Return what others could add where a country or lane that has ceased adds nothing for other countries."""
        access = self.supply.access_share.copy()
        for stop in stops:
            if stop.kind == "measure" or (stop.stage and stop.stage != self._stage_name):
                continue
            k = self.place[stop.exporter]
            at_home = access[:, k, k].copy()
            access[:, k, self.place[stop.importer] if stop.importer else slice(None)] = 0.0
            access[:, k, k] = at_home
        return replace(self.supply, access_share=access)

    @property
    def _stage_name(self) -> str:
        return self.joint.chain.stages[self.stage].name

    def _solve(self, base: _Base, stops: Collection[Stop]) -> tuple[Array, Array]:
        """Return (w, n + 1) H of the stage's pools and the bloc, and (w,) tonnes that final users lack."""
        worlds, curbing = base.worlds, self.joint.chain.curbing
        fed: tuple[Array, Array] | None = None
        pools, flows = worlds.pools[0], base.kept[0]
        ratio = np.ones_like(pools.pool_t)
        for s in range(self.stage + 1):
            pools, made = worlds.pools[s], worlds.production_t[s]
            kept, withheld, silent = self._ceased(base, s, stops)
            after = made
            if fed is not None:
                ratio, before = fed
                after = made * np.where((before <= 0) & (made > 0), 1.0, ratio)
            arriving = unexplained_keep(made, _heard(after, silent), withheld, worlds.origin, curbing)
            entering = after + pools.unexplained_t * arriving
            flows = pools.outflow_share * kept
            places = pools.exporters
            inner = np.linalg.solve(np.eye(len(places)) - flows[:, places], entering[:, places, None])
            left = entering + (flows @ inner)[:, :, 0]
            ratio = np.where(pools.pool_t > 0, left / np.where(pools.pool_t > 0, pools.pool_t, 1.0), 1.0)
            ratio[np.abs(ratio - 1.0) < ROUNDING_SHARE] = 1.0
            fed = ratio, pools.pool_t
        missing = np.clip(1.0 - ratio, 0.0, 1.0)
        use = np.maximum(0.0, pools.pool_t - worlds.exports_t[self.stage])
        lost = use * np.maximum(0.0, 1.0 - ratio)
        lost[:, curbing] = 0.0
        bloc = self._bloc_missing(pools, ratio, flows)
        return np.concatenate([missing, bloc[:, None]], axis=1), lost.sum(axis=1)

    def _bloc_missing(self, pools: Pools, ratio: Array, flows: Array) -> Array:
        """Return (w,) H of the bloc; what moves between its members is counted once."""
        members = np.flatnonzero(self.joint.members)
        inside = np.flatnonzero(self.joint.members[pools.exporters])
        if not len(members):
            return np.zeros(len(ratio))
        x, sent = pools.pool_t, pools.exporters[inside]
        whole = pools.outflow_share[:, members][:, :, inside].sum(axis=1) * x[:, sent]
        left = flows[:, members][:, :, inside].sum(axis=1) * (x * ratio)[:, sent]
        before = x[:, members].sum(axis=1) - whole.sum(axis=1)
        after = (x * ratio)[:, members].sum(axis=1) - left.sum(axis=1)
        safe = np.where(before > 0, before, 1.0)
        return np.where(before > 0, np.clip(1.0 - after / safe, 0.0, 1.0), 0.0)

    def _ceased(self, base: _Base, s: int, stops: Collection[Stop]) -> tuple[Array, Array, list[int]]:
        """Return (w, n, m) what is left of each flow, (w, n) c of the curbing country, and who sends nothing abroad."""
        pools, curbing = base.worlds.pools[s], self.joint.chain.curbing
        kept, withheld, silent = base.kept[s].copy(), base.withheld[s], []
        name = self.joint.chain.stages[s].name
        named = self._named(s, stops)
        if named is not None:
            withheld = np.maximum(withheld, named[base.worlds.at])
            kept[:, :, pools.exporters == curbing] = 1.0 - withheld[:, :, None]
        for stop in stops:
            if stop.kind == "measure" or (stop.stage and stop.stage != name):
                continue
            k = self.place[stop.exporter]
            column = np.flatnonzero(pools.exporters == k)
            if stop.importer:
                kept[:, self.place[stop.importer], column] = 0.0
                continue
            kept[:, :, column] = 0.0
            if k == curbing:
                withheld = np.ones_like(withheld)
                withheld[:, curbing] = 0.0
            else:
                silent.append(k)
        return kept, withheld, silent

    def _named(self, s: int, stops: Collection[Stop]) -> Array | None:
        """Return (D, n) share of the curbing country's flows that measures name; None where they name none."""
        measures = {stop.measure_id for stop in stops if stop.kind == "measure"}
        curbs = self.law[s].curbs
        own = [place for place, item in enumerate(curbs.items) if item.measure_id in measures]
        if not own:
            return None
        shares = np.stack([self._coverage(curbs, place) for place in own])
        return combine(tuple(curbs.items[place] for place in own), shares)

    def _coverage(self, curbs: CurbSet, m: int) -> Array:
        """Return (D, n) share of a flow that an item names, where it withholds anything; lists of firms name what they do."""
        item, joint = curbs.items[m], self.joint
        u = joint.numbers.of("coverage", item.item_id)
        aimed = curbs.withheld[m, HIGH] if item.is_named_buyers else curbs.withheld[m, HIGH] > 0
        return np.asarray(quantile(curbs.coverage[m], u, joint.spread.kind)[:, None] * aimed)

    # -- what each can take at most ---------------------------------------------------------------------------

    def most(self, buyer: int, stops: Sequence[Stop]) -> Taken:
        """Return what each stop takes at most: the weight of all paths through it, in the trade before any curb.

        Args:
            buyer: place of the country, or n for the bloc.
            stops: what may cease.
        """
        n, curbing = len(self.place), self.joint.chain.curbing
        wanted = self.joint.members if buyer == n else np.arange(n) == buyer
        shares, lost = [], []
        for base in self._bases:
            worlds = base.worlds
            pools = worlds.pools[self.stage]
            inside = wanted[:, None] & wanted[pools.exporters]
            own = list(self._worths(worlds, np.tile(wanted * 1.0, (len(worlds.origin), 1)), inside))
            bought = self._bought(worlds, wanted)
            shares.append(self._taken(base, own, stops) / np.where(bought > 0, bought, 1.0))
            # A tonne less in a pool is so much less of its final use.
            use = np.maximum(0.0, pools.pool_t - worlds.exports_t[self.stage])
            used = use / np.where(pools.pool_t > 0, pools.pool_t, 1.0)
            used[:, curbing] = 0.0
            users = list(self._worths(worlds, used, np.zeros_like(inside)))
            lost.append(self._taken(base, users, stops))
        before = np.minimum(np.concatenate(shares, axis=1), 1.0)
        return Taken(before, np.concatenate(lost, axis=1), self._spare(wanted, stops))

    def _spare(self, wanted: Mask, stops: Sequence[Stop]) -> Array:
        """Return (stops,) the largest share of what others could add for a buyer that each stop closes."""
        whole, closed = reachable_t(self.supply)[:, wanted], []
        for stop in stops:
            left = reachable_t(self._open([stop]))[:, wanted]
            closed.append(
                float(np.max(1.0 - left / np.where(whole > 0, whole, 1.0), where=whole > 0, initial=0.0))
            )
        return np.array(closed)

    def least_replaced(self, buyer: int, lost_t: Array, closed: Array) -> Array:
        """Return (sets, D) the least share of a buyer's loss that others replace; NaN where no capacity is on record.

        A quantile of what others could add grows with the ends of its range, and in proportion when they do.

        Args:
            buyer: place of the country, or n for the bloc.
            lost_t: (sets, D) the most that final users lose.
            closed: (sets,) the most of what others could add that is closed to the buyer.
        """
        joint, stage = self.joint, self.joint.chain.stages[self.stage].name
        if not self.supply.is_known:
            return np.full(lost_t.shape, np.nan)
        wanted = np.flatnonzero(joint.members) if buyer == len(self.place) else np.array([buyer])
        u = joint.numbers.of("capacity", joint.chain.mineral, stage)[:, None]
        reachable = quantile(reachable_t(self.supply)[:, wanted], u, joint.spread.kind)
        pool_t = joint.pool_t[self.stage][:, wanted]
        weight = pool_t / np.where(pool_t.sum(axis=1) > 0, pool_t.sum(axis=1), 1.0)[:, None]
        open_share = np.clip(1.0 - closed, 0.0, 1.0)[:, None]
        return np.asarray(
            sum(
                share_of_loss(open_share * reachable[:, j], lost_t)
                * (weight[:, j] if len(wanted) > 1 else 1.0)
                for j in range(len(wanted))
            )
        )

    def _bought(self, worlds: Worlds, wanted: Mask) -> Array:
        """Return (w,) tonnes of the buyer's pool; what moves between members of the bloc is counted once."""
        pools = worlds.pools[self.stage]
        within = pools.outflow_share[:, wanted][:, :, wanted[pools.exporters]].sum(axis=1)
        sent = (within * pools.pool_t[:, pools.exporters[wanted[pools.exporters]]]).sum(axis=1)
        return np.asarray(pools.pool_t[:, wanted].sum(axis=1) - sent)

    def _worths(self, worlds: Worlds, wanted: Array, inside: Mask) -> Iterator[_Worth]:
        """Yield, from the stage that is bought to the first, what of all that moves there is worth to a buyer.

        Args:
            worlds: the pools.
            wanted: (w, n) worth of a tonne that comes into each pool.
            inside: (n, m) lanes whose arrival is worth nothing, since the tonne was there already.
        """
        later: Array | None = (
            None  # (w, n) tonnes reaching it through what each country makes at the stage after
        )
        for s in reversed(range(self.stage + 1)):
            pools, made = worlds.pools[s], worlds.production_t[s]
            bought = s == self.stage
            arrival = wanted if bought else np.zeros_like(wanted)
            crossing = arrival[:, :, None] * (~inside if bought else 1.0)
            # What a tonne in a pool is worth: by what is made of it, and by the lanes that lead on from there.
            used = (
                np.zeros_like(made)
                if later is None
                else later / np.where(pools.pool_t > 0, pools.pool_t, 1.0)
            )
            direct = (pools.outflow_share * (crossing + used[:, :, None])).sum(axis=1)
            worth = used.copy()
            worth[:, pools.exporters] += (direct[:, None] @ pools.inverse)[:, 0]
            flow_t = pools.outflow_share * pools.pool_t[:, None, pools.exporters]
            unexplained = pools.unexplained_t * (arrival + worth)
            world = made.sum(axis=1)
            mixed = np.where(world > 0, 1.0 - np.abs(2.0 * worlds.origin - 1.0), 0.0)
            exported = np.where(world > 0, np.maximum(0.0, 2.0 * worlds.origin - 1.0), 0.5)
            share = made / np.where(world > 0, world, 1.0)[:, None] * mixed[:, None]
            yield _Worth(flow_t * (crossing + worth[:, :, None]), unexplained, share, exported)
            later = made * (arrival + worth) + share * unexplained.sum(axis=1, keepdims=True)

    def _taken(self, base: _Base, worths: Sequence[_Worth], stops: Sequence[Stop]) -> Array:
        """Return (stops, w) what each stop takes at most of what is worth something to a buyer."""
        taken = np.zeros((len(stops), len(base.worlds.origin)))
        for worth, s in zip(worths, reversed(range(self.stage + 1)), strict=True):
            exporters = base.worlds.pools[s].exporters
            by_exporter, unexplained = worth.lane_t.sum(axis=1), worth.unexplained_t.sum(axis=1)
            for place, stop in enumerate(stops):
                if stop.kind == "measure":
                    taken[place] += self._taken_by_measure(base, worth, s, stop)
                elif stop.stage in ("", self.joint.chain.stages[s].name):
                    k = self.place[stop.exporter]
                    column = exporters == k
                    if stop.importer:
                        taken[place] += worth.lane_t[:, self.place[stop.importer], column].sum(axis=1)
                        continue
                    origin = worth.mixed[:, k] + (worth.exported if k == self.joint.chain.curbing else 0.0)
                    taken[place] += by_exporter[:, column].sum(axis=1) + origin * unexplained
        return taken

    def _taken_by_measure(self, base: _Base, worth: _Worth, s: int, stop: Stop) -> Array | float:
        named, curbing = self._named(s, [stop]), self.joint.chain.curbing
        if named is None:
            return 0.0
        lanes = worth.lane_t[:, :, base.worlds.pools[s].exporters == curbing].sum(axis=2)
        unknown = worth.unexplained_t * (worth.mixed[:, [curbing]] + worth.exported[:, None])
        return np.asarray(((lanes + unknown) * named[base.worlds.at]).sum(axis=1))


@dataclass(frozen=True)
class _Worth:
    """How many tonnes of a buyer's come through each part of a stage.

    Attributes:
        lane_t: (w, n, m) along each flow.   unexplained_t: (w, n) through unexplained exports.
        mixed: (w, n) share of the unexplained that goes missing with what a country makes, as part of the world mix.
        exported: (w,) share that goes missing with the curbing country's exports.
    """

    lane_t: Array
    unexplained_t: Array
    mixed: Array
    exported: Array


def _heard(made_t: Array, silent: Sequence[int]) -> Array:
    """Return (w, n) output that can reach others: none of a country that sends nothing abroad."""
    heard = made_t.copy()
    heard[:, list(silent)] = 0.0
    return heard
