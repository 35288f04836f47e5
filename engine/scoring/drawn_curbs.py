"""The law of a stage in every draw: what is withheld of each flow, and what a re-export licence takes.

Numbers come by name, so that draw d is the same world in every chain, stage, horizon and regime (method section 1).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from engine.language.rules import RuleSet
from engine.scoring.attribution import Index
from engine.scoring.chain_score import StageLaw
from engine.scoring.curbs import CurbSet, combine
from engine.scoring.draws import Numbers, by_kind, quantile, shared
from engine.scoring.ranges import HIGH, Array
from engine.scoring.world import Chain

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


class DrawnCurbs:
    """The curbs on one chain in every draw.

    Args:
        chain: whose mineral and countries name the inputs.
        numbers: of all inputs, shared by all chains.
        spread: how they are drawn.

    Attributes:
        asked: names of the inputs that the chain has drawn on, in order.
    """

    def __init__(self, chain: Chain, numbers: Numbers, spread: Spread) -> None:
        self.chain, self.numbers, self.spread = chain, numbers, spread
        self.asked: dict[tuple[str, ...], None] = {}
        self._severities: dict[tuple[NumbersOf, bytes, bytes, bool], tuple[Index, Array]] = {}

    @property
    def size(self) -> int:
        """Return D."""
        return self.numbers.draws

    def of(self, *name: str) -> Array:
        """Return (D,) numbers of one input, which is noted as asked for."""
        self.asked.setdefault(name)
        return self.numbers.of(*name)

    def shares(self, stage: StageLaw, severity_of: NumbersOf | None = None) -> tuple[Array, Array]:
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
            withheld = self._together(stage.curbs, stage.weight, pledges, of, strongest=False)
            reached = self._together(stage.reach, stage.reach_weight, 0, of, strongest=True)
        withheld[:, self.chain.curbing] = 0.0
        return withheld, reached

    def _together(
        self,
        curbs: CurbSet,
        weight: Array,
        pledges: int | None,
        of: NumbersOf,
        *,
        strongest: bool,
    ) -> Array:
        """Return (D, n) what all items take of each flow: the strongest alone, or combined (`engine.scoring.curbs`)."""
        taken = np.zeros((self.size, len(self.chain.countries)))
        binds = (curbs.withheld[:, HIGH] > 0) & (weight[:, HIGH] > 0)
        biting, at = np.flatnonzero(binds.any(axis=1)), np.flatnonzero(binds.any(axis=0))
        if not len(biting):
            return taken
        shares = np.zeros((len(biting), self.size, len(at)))
        for place, m in enumerate(biting):
            own = np.flatnonzero(binds[m])
            share = self._share(curbs, int(m), own, weight, pledges, of)
            if len(own) == len(at):
                shares[place] = share
            else:
                shares[place][:, np.searchsorted(at, own)] = share
        items = tuple(curbs.items[m] for m in biting)
        taken[:, at] = shares.max(axis=0) if strongest else combine(items, shares)
        return taken

    def _share(
        self, curbs: CurbSet, m: int, at: Index, weight: Array, pledges: int | None, of: NumbersOf
    ) -> Array:
        """Return (D, places) coverage x state x withheld x (1 - mitigation) of one item."""
        item = curbs.items[m]
        coverage = self._drawn(curbs.coverage[m], "coverage", item.item_id)[:, None]
        share = coverage * self._state(weight[m][:, at], item.measure_id, item.clause)
        where, severity = self._severity(curbs, m, of)
        share = share * (severity if len(where) == len(at) else severity[:, np.searchsorted(where, at)])
        for q, values in enumerate(curbs.mitigation[:pledges]):
            relieved = np.flatnonzero(values[m][:, at].any(axis=0))
            if len(relieved):
                u = self.of("pledge", curbs.pledge_ids[q])[:, None]
                kind = self.spread.of_rule(curbs.pledge_rule_ids[q])
                share[:, relieved] *= 1.0 - quantile(values[m][:, at[relieved]], u, kind)
        return share

    def _severity(self, curbs: CurbSet, m: int, of: NumbersOf) -> tuple[Index, Array]:
        """Return the places that an item's rule withholds anything from, and its severity there (D, places).

        It is the same in every state of the law.
        """
        ends, rule_ids = curbs.withheld[m], curbs.rule_ids[m]
        key = of, ends.tobytes(), rule_ids.tobytes(), curbs.items[m].is_named_buyers
        if key not in self._severities:
            at = np.flatnonzero(ends[HIGH] > 0)
            u = self._listed(at) if curbs.items[m].is_named_buyers else self._lanes(rule_ids[at], at, of)
            severity = np.empty((self.size, len(at)))
            for kind, own in by_kind([self.spread.of_rule(rule) for rule in rule_ids[at]]):
                severity[:, own] = quantile(ends[:, at[own]], u[:, own], kind)
            self._severities[key] = at, severity
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
            u[:, own] = shared(common[:, None], np.stack(lanes, axis=1), self.spread.common_share)
        return u

    def _listed(self, at: Index) -> Array:
        """Return (D, places) numbers of the share that any listed firm buys: one for all lists of an importer."""
        names = [self.chain.countries[j] for j in at]
        return np.stack([self.of("named buyers", self.chain.mineral, name) for name in names], axis=1)

    def _state(self, ends: Array, measure_id: str, clause: str) -> Array:
        """Return (D or 1, places or 1) whether the item binds: a state of law binds in full or not at all."""
        if np.all(ends == ends[:, :1]):
            ends = ends[:, :1]
        low, best, high = ends
        if np.all(low == high):
            return np.asarray(best[None, :])
        # How likely a lapsed measure is to bind is itself uncertain, and the same for all such measures.
        chance = quantile(ends, self.of("state of the law")[:, None], self.spread.kind)
        name = ("state", measure_id, clause)
        binds = quantile(np.stack(np.broadcast_arrays(low, chance, high)), self.of(*name)[:, None], "chance")
        self.numbers.outcomes.setdefault(name, binds[:, np.argmax(high - low)])
        return binds

    def _drawn(self, ends: Array, *name: str) -> Array:
        return quantile(ends, self.of(*name), self.spread.kind)


def same_laws(asked: Sequence[tuple[StageLaw, NumbersOf | None]]) -> list[int]:
    """Return for each law the place of the first that is the same, so that each is drawn once."""
    places: dict[tuple[object, ...], int] = {}
    return [
        places.setdefault(
            (
                id(law.curbs),
                id(law.reach),
                law.weight.tobytes(),
                law.reach_weight.tobytes(),
                law.is_full_stop,
                law.pledges_stand,
                severity_of,
            ),
            place,
        )
        for place, (law, severity_of) in enumerate(asked)
    ]
