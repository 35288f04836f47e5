"""A mineral's chain in D joint draws: every uncertain input moves at once, as in one world (method section 1).

`engine.scoring.chain_score` gives what is guaranteed; this module gives what is to be expected. Both solve the same
shock. The numbers come by name, so that draw d is the same world in every chain, stage, horizon and regime.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from engine.language.rules import RuleSet
from engine.scoring.attribution import Index, Pools, clean_shares, form_lane_pools
from engine.scoring.chain_score import Law, StageLaw
from engine.scoring.curbs import CurbSet, Mask, combine
from engine.scoring.draws import Numbers, by_kind, quantile, shared
from engine.scoring.ranges import HIGH, Array
from engine.scoring.response import Supply, reachable_t, replacement_t
from engine.scoring.shock import StageCurbs, bloc_missing_share, lost_t, route_missing_share, run_shock
from engine.scoring.world import Chain, drawn_stages

NumbersOf = Callable[..., Array]


@dataclass(frozen=True)
class Spread:
    """How inputs are drawn.

    Attributes:
        kind: the distribution between the ends of a range of facts (`engine.language.rules.SPREADS`).
        common_share: share of a severity's variance that all lanes of a rule have in common, 0..1.
        of_rule: the distribution of a rule's ranges, by its id.
    """

    kind: str
    common_share: float
    of_rule: Callable[[str], str]

    @classmethod
    def on(cls, ruleset: RuleSet, day: date) -> "Spread":
        """Return what the rules say on a day."""
        common = ruleset.parameter("common_severity_share", day).best
        return cls(ruleset.scorecard.spread, common, ruleset.spread_of)


@dataclass(frozen=True)
class DrawnMissing:
    """H before any response in every draw, per stage.

    Attributes:
        route: (D, routes).   importer: (D, n + 1) each country's pool, and last the bloc.
        lost_t: (D,) tonnes that final users outside the curbing country go short of.
    """

    route: list[Array]
    importer: list[Array]
    lost_t: list[Array]


class JointChain:
    """A chain's pools in every draw.

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
        #: Names of the inputs that this chain has drawn on, in order.
        self.asked: dict[tuple[str, ...], None] = {}
        inner = np.flatnonzero(bloc_members)
        self.pools: list[Pools] = []
        self.production_t: list[Array] = []
        self.exports_t: list[Array] = []
        self.bloc_trade_t: list[Array] = []
        for stage in drawn_stages(chain, numbers, spread.kind):
            pool = form_lane_pools(stage.exporter, stage.importer, stage.lane_t, stage.production_t)
            self.pools.append(pool)
            self.production_t.append(stage.production_t)
            exports = np.zeros_like(stage.production_t)
            exports[:, pool.exporters] = pool.outflow_share.sum(axis=1) * pool.pool_t[:, pool.exporters]
            self.exports_t.append(exports)
            within = np.flatnonzero(bloc_members[stage.exporter] & bloc_members[stage.importer])
            trade = np.zeros((numbers.draws, len(inner), len(inner)))
            place = np.searchsorted(inner, [stage.exporter[within], stage.importer[within]])
            trade[:, place[0], place[1]] = stage.lane_t[:, within]
            self.bloc_trade_t.append(trade)
        # What the unexplained is made of: untouched, the world mix, or made by the curbing country.
        self.origin = quantile(np.array([0.0, 0.5, 1.0]), self._of("origin", chain.mineral), spread.kind)
        self._reach: list[Array] | None = None
        self._severities: dict[tuple[NumbersOf, bytes, bytes, bool], Array] = {}

    @property
    def size(self) -> int:
        """D."""
        return self.numbers.draws

    def _of(self, *name: str) -> Array:
        self.asked.setdefault(name)
        return self.numbers.of(*name)

    # -- the law --------------------------------------------------------------------------------------------

    def curbs(self, stage: StageLaw, severity_of: NumbersOf | None = None) -> tuple[Array, Array]:
        """Return c and e of one stage in every draw, each (D, n).

        Args:
            stage: its law.
            severity_of: numbers of severities after trade has been looked at; None for those before.
        """
        of = severity_of or self.numbers.of
        n = len(self.chain.countries)
        if stage.is_full_stop:
            withheld, reached = np.ones((self.size, n)), np.zeros((self.size, n))
        else:
            pledges = None if stage.pledges_stand else 0
            withheld = combine(stage.curbs.items, self._shares(stage.curbs, stage.weight, pledges, of))
            foreign = self._shares(stage.reach, stage.reach_weight, 0, of)
            reached = foreign.max(axis=0) if len(foreign) else np.zeros((self.size, n))
        withheld[:, self.chain.curbing] = 0.0
        return withheld, reached

    def _shares(self, curbs: CurbSet, weight: Array, pledges: int | None, of: NumbersOf) -> Array:
        """Return (m, D, n) coverage x state x withheld x (1 - mitigation), item by item."""
        n = len(self.chain.countries)
        shares = np.zeros((curbs.size, self.size, n))
        for m, item in enumerate(curbs.items):
            at = np.flatnonzero((curbs.withheld[m, HIGH] > 0) & (weight[m, HIGH] > 0))
            if not len(at):
                continue
            coverage = self._drawn(curbs.coverage[m], "coverage", item.item_id)[:, None]
            state = self._state(weight[m][:, at], item.measure_id, item.clause)
            severity = self._severity(curbs, m, of)[:, at]
            kept = np.ones_like(severity)
            for q, values in enumerate(curbs.mitigation[:pledges]):
                ends = values[m][:, at]
                if ends.any():
                    u = self._of("pledge", curbs.pledge_ids[q])[:, None]
                    kept *= 1.0 - quantile(ends, u, self.spread.of_rule(curbs.pledge_rule_ids[q]))
            shares[m][:, at] = coverage * state * severity * kept
        return shares

    def _severity(self, curbs: CurbSet, m: int, of: NumbersOf) -> Array:
        """Return (D, n) severity of an item, 0 where its rule withholds nothing; equal in all states of the law."""
        ends, rule_ids = curbs.withheld[m], curbs.rule_ids[m]
        key = of, ends.tobytes(), rule_ids.tobytes(), curbs.items[m].is_named_buyers
        if key not in self._severities:
            at = np.flatnonzero(ends[HIGH] > 0)
            u = self._listed(at) if curbs.items[m].is_named_buyers else self._lanes(rule_ids[at], at, of)
            severity = np.zeros((self.size, ends.shape[1]))
            for kind, own in by_kind([self.spread.of_rule(rule) for rule in rule_ids[at]]):
                severity[:, at[own]] = quantile(ends[:, at[own]], u[:, own], kind)
            self._severities[key] = severity
        return self._severities[key]

    def _lanes(self, rule_ids: "np.typing.NDArray[np.str_]", at: Index, of: NumbersOf) -> Array:
        """Return (D, places) numbers: a part common to the rule, and a part of the mineral and importer."""
        u = np.empty((self.size, len(at)))
        for rule in np.unique(rule_ids):
            own = np.flatnonzero(rule_ids == rule)
            names = [self.chain.countries[at[j]] for j in own]
            every = [
                ("severity", str(rule)),
                *(("severity", str(rule), self.chain.mineral, name) for name in names),
            ]
            self.asked.update(dict.fromkeys(every))
            common, *lanes = (of(*name) for name in every)
            lane, common = np.stack(lanes, axis=1), common[:, None]
            u[:, own] = shared(common, lane, self.spread.common_share)
        return u

    def _listed(self, at: Index) -> Array:
        """Return (D, places) numbers of the share that listed firms buy: one quantity for all lists of an importer."""
        names = [self.chain.countries[j] for j in at]
        return np.stack([self._of("named buyers", self.chain.mineral, name) for name in names], axis=1)

    def _state(self, ends: Array, measure_id: str, clause: str) -> Array:
        """Return (D or 1, places) whether the item binds: a state of law binds in full or not at all."""
        low, best, high = ends
        if np.all(low == high):
            return np.asarray(best[None, :])
        # How likely a lapsed measure is to bind is itself uncertain, and the same for all such measures.
        chance = quantile(ends, self._of("state of the law")[:, None], self.spread.kind)
        name = ("state", measure_id, clause)
        binds = quantile(np.stack(np.broadcast_arrays(low, chance, high)), self._of(*name)[:, None], "chance")
        self.numbers.outcomes.setdefault(name, binds[:, np.argmax(high - low)])
        return binds

    def _drawn(self, ends: Array, *name: str) -> Array:
        return quantile(ends, self._of(*name), self.spread.kind)

    # -- solving --------------------------------------------------------------------------------------------

    def missing(
        self, laws: Sequence[Law], added: Sequence[list[Array] | None], severity_of: NumbersOf | None = None
    ) -> list[DrawnMissing]:
        """Return H of several laws at once, which share the pools.

        Args:
            laws: a state of the law each.
            added: for each law, per stage (D, n) tonnes of new plant that feed the next stage, or None.
            severity_of: numbers of severities after trade has been looked at; None for those before.
        """
        every = [[self.curbs(stage, severity_of) for stage in law] for law in laws]
        # Under a law that withholds nothing at any stage nothing is missing, and nothing needs solving.
        bites = [any(withheld.any() or reached.any() for withheld, reached in law) for law in every]
        solved = iter(
            self._solve(
                [pairs for pairs, biting in zip(every, bites, strict=True) if biting],
                [new for new, biting in zip(added, bites, strict=True) if biting],
            )
        )
        return [next(solved) if biting else self._nothing() for biting in bites]

    def _nothing(self) -> DrawnMissing:
        n = len(self.chain.countries)
        return DrawnMissing(
            [np.broadcast_to(0.0, (self.size, len(exporters))) for exporters, _ in self.routes],
            [np.broadcast_to(0.0, (self.size, n + 1)) for _ in self.routes],
            [np.broadcast_to(0.0, self.size) for _ in self.routes],
        )

    def _solve(
        self, pairs: Sequence[Sequence[tuple[Array, Array]]], added: Sequence[list[Array] | None]
    ) -> list[DrawnMissing]:
        """Return H of the laws whose withheld and reached shares are given stage by stage."""
        if not pairs:
            return []
        size, count, n = self.size, len(pairs), len(self.chain.countries)
        reaches = any(reached.any() for law in pairs for _, reached in law)
        nothing = np.zeros((size, n))
        cut, built = [], []
        for s in range(len(self.chain.stages)):
            reach = self._reached_share(s) if reaches else nothing
            cut.append(
                StageCurbs(
                    np.concatenate([law[s][0] for law in pairs]),
                    np.concatenate([law[s][1] for law in pairs]),
                    np.tile(reach, (count, 1)),
                )
            )
            built.append(np.concatenate([nothing if new is None else new[s] for new in added]))
        rows = np.tile(np.arange(size), count)
        curbing = self.chain.curbing
        shocks = run_shock(
            self.pools, self.production_t, cut, rows, np.tile(self.origin, count), curbing, built
        )
        found: list[DrawnMissing] = [DrawnMissing([], [], []) for _ in pairs]
        for s, (shock, curb) in enumerate(zip(shocks, cut, strict=True)):
            exporters, importers = self.routes[s]
            route = route_missing_share(shock, curb, exporters, importers, curbing)
            bloc = bloc_missing_share(
                shock, curb, self.pools[s], self.bloc_trade_t[s], rows, self.members, curbing
            )
            importer = np.concatenate([np.clip(1.0 - shock.pool_ratio, 0.0, 1.0), bloc[:, None]], axis=1)
            lost = lost_t(shock, self.pools[s], self.exports_t[s], rows, curbing)
            for place, missing in enumerate(found):
                at = slice(place * size, (place + 1) * size)
                missing.route.append(route[at])
                missing.importer.append(importer[at])
                missing.lost_t.append(lost[at])
        return found

    def _reached_share(self, stage: int) -> Array:
        """Return (D, n) part of each pool that a re-export licence reaches: the touched share, up to all mixed stock."""
        if self._reach is None:
            self._reach = []
            clean: Array | None = None
            has_input: Mask | None = None
            mixing = self._drawn(np.array([0.0, 0.0, 1.0]), "mixed stock")[:, None]
            rows = np.arange(self.size)
            for pool, output in zip(self.pools, self.production_t, strict=True):
                clean = clean_shares(pool, output, rows, clean, has_input, self.origin, self.chain.curbing)
                has_input = pool.pool_t > 0
                touched = 1.0 - clean
                reach = touched + mixing * ((touched >= self.threshold) - touched)
                reach[:, self.chain.curbing] = 0.0
                self._reach.append(reach)
        return self._reach[stage]

    # -- what others add ------------------------------------------------------------------------------------

    def replacement(self, supply: Sequence[Supply], lost: Sequence[Array]) -> list[Array]:
        """Return per stage (D, n) tonnes of new plant upstream, never more than a full stop takes in the same draw."""
        built = []
        for facts, own, missing in zip(self.chain.stages, supply, lost, strict=True):
            tonnes = quantile(replacement_t(own), self._capacity(facts.name)[:, None], self.spread.kind)
            total = tonnes.sum(axis=1)
            built.append(tonnes * (np.minimum(total, missing) / np.where(total > 0, total, 1.0))[:, None])
        return built

    def alternatives(self, stage: int, supply: Supply, lost: Array) -> Array:
        """Return (D, n + 1) share of each importer's loss that others could replace, the bloc last; NaN if unknown."""
        n = len(self.chain.countries)
        if not supply.is_known:
            return np.full((self.size, n + 1), np.nan)
        reachable = quantile(
            reachable_t(supply), self._capacity(self.chain.stages[stage].name)[:, None], self.spread.kind
        )
        against = lost[:, None]
        share = np.minimum(reachable, against) / np.where(against > 0, against, 1.0)
        weight = np.where(self.members, self.pools[stage].pool_t, 0.0)
        total = weight.sum(axis=1)
        bloc = (share * weight).sum(axis=1) / np.where(total > 0, total, 1.0)
        return np.concatenate([share, bloc[:, None]], axis=1)

    def _capacity(self, stage: str) -> Array:
        return self._of("capacity", self.chain.mineral, stage)
