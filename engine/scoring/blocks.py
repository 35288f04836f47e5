"""Before any response: one block per mineral, stage and horizon, for routes and for importers alike.

A block holds, for its ``u`` units (routes, or importers), everything that the matrices say. Second-pass rules and
`engine.scoring.finish` turn it into scores.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from engine.language.rules import RuleSet
from engine.scoring.assemble import ChainFrames, RuledMeasures, StageMeasures, stage_measures, state_weights
from engine.scoring.chain_score import (
    ChainScorer,
    Index,
    Law,
    Missing,
    StageLaw,
    Swap,
    limited_replacement,
)
from engine.scoring.drawn_curbs import Spread
from engine.scoring.drawn_laws import AtHorizon, DrawnLaws, DrawnStage, draw_laws
from engine.scoring.draws import Numbers
from engine.scoring.evidence import Evidence
from engine.scoring.inputs import Inputs
from engine.scoring.joint import JointChain
from engine.scoring.parts import Parts, drawn_parts
from engine.scoring.ranges import Array
from engine.scoring.response import Supply, alternative_share, reachable_t, replacement_t
from engine.scoring.schedule import states_to_come
from engine.scoring.supply import LONG_HORIZON
from ground.words import REGIMES

BLOC_AS_IMPORTER = "EU27"


@dataclass(frozen=True)
class RegimeBlock:
    """One regime of a block.

    Attributes:
        missing: (3, u) H.   alternatives: (3, u) share of the loss that others could replace, low to high; NaN where
            no capacity is on record.
        swaps: the law steps in order.   after_swap: (swaps, u) H at best after each.
        drawn_missing: (u, D) H in every draw.   drawn_alternatives: (n + 1, D) share of each importer's loss
            that others could replace in it, last the bloc's; NaN where no capacity is on record.
    """

    missing: Array
    alternatives: Array
    swaps: list[Swap]
    after_swap: Array
    drawn_missing: Array
    drawn_alternatives: Array


@dataclass(frozen=True)
class Block:
    """All units of one mineral and stage at one horizon.

    Attributes:
        units: frame of keys and facts, u rows; exporter is null for importers.
        touched: (3, u) touched share of the exporter's pool (routes) or of the importer's own (importers).
        dependence: (u,) route tonnes over the importer's pool; 1 for an importer total.
        asked: names of the inputs that the chain draws on.
        buyer: (u,) place of each unit's importer, the bloc after all countries.
        regimes: by name.
        schedule: days from as_of at which each known state of the law starts, first 0.
        to_come: H (u, D) and alternatives (n + 1, D) under each state after the first.
        prior: the same under the law of the day before trade was looked at; None where trade says nothing.
        told: (u,) by how much trade narrowed the severity of the curb on each unit's goods, 0..1.
        parts: how much of its codes the mineral is on the routes where that is uncertain; None for importers.
    """

    mineral: str
    stage: str
    horizon_days: int
    is_importer: bool
    units: pl.DataFrame
    touched: Array
    dependence: Array
    asked: Collection[tuple[str, ...]]
    buyer: Index
    regimes: Mapping[str, RegimeBlock]
    schedule: tuple[int, ...]
    to_come: Sequence[tuple[Array, Array]]
    prior: tuple[Array, Array] | None
    told: Array
    parts: Parts | None


@dataclass
class ChainResult:
    """What one chain gives: blocks for every stage and horizon, and c of the curbing country's own flows."""

    scorer: ChainScorer
    blocks: list[Block] = field(default_factory=list)
    curbs: dict[tuple[str, int, str], tuple[StageMeasures, StageMeasures, StageLaw]] = field(
        default_factory=dict
    )
    withheld: dict[tuple[str, int, str], Array] = field(default_factory=dict)


class ChainBlocks:
    """Builds the blocks of one chain.

    Args:
        scorer: of the same chain, where its pools were formed before; the rules may be others.
        numbers: of all inputs, shared by all chains.
        evidence: what trade says of severities; without it they are drawn as the rules say.
    """

    def __init__(
        self,
        inputs: Inputs,
        ruleset: RuleSet,
        ruled: RuledMeasures,
        frames: ChainFrames,
        supply: Mapping[tuple[str, int], Supply],
        bloc: Sequence[str],
        scorer: ChainScorer | None = None,
        numbers: Numbers | None = None,
        evidence: Evidence | None = None,
    ) -> None:
        self.inputs, self.ruleset, self.ruled, self.frames, self.supply = (
            inputs,
            ruleset,
            ruled,
            frames,
            supply,
        )
        chain = frames.chain
        members = np.isin(np.array(chain.countries), list(bloc))
        threshold = ruleset.parameter("touched_threshold_share", inputs.as_of).best
        self.scorer = scorer or ChainScorer(chain, frames.routes, members, threshold)
        self.numbers, self.threshold = numbers or Numbers(), threshold
        self.evidence = evidence or Evidence(self.numbers)
        self.stages = [facts.name for facts in chain.stages]
        self._asked: Collection[tuple[str, ...]] = ()
        self._parts: Sequence[Parts] = ()

    def build(self) -> ChainResult:
        """Return every stage, horizon and regime of the chain."""
        result = ChainResult(scorer=self.scorer)
        joint = self.joint()
        self._asked = joint.curbs.asked.keys()
        self._parts = [
            drawn_parts(flows, places, stage, joint.spread.kind)
            for flows, places, stage in zip(self.frames.flows, self.frames.routes, joint.stages, strict=True)
        ]
        at_horizons = [self._at_horizon(horizon) for horizon in self.ruleset.scorecard.horizons]
        stop: Missing | None = None
        for at, drawn in zip(at_horizons, draw_laws(joint, at_horizons, self.evidence), strict=True):
            # A full stop is the same at every horizon; only what is built in answer differs.
            stop = stop or self.scorer.evaluate(at.laws["full_stop"])
            added = self.replacement(stop, at.horizon_days)
            solved = {
                regime: stop
                if regime == "full_stop" and added is None
                else self.scorer.evaluate(at.laws[regime], added)
                for regime in REGIMES
            }
            steps = {regime: self.scorer.law_steps(at.laws[regime]) for regime in REGIMES}
            days = (0, *((when - self.inputs.as_of).days for when, _ in at.to_come))
            for s, stage in enumerate(self.stages):
                for regime in REGIMES:
                    key = (stage, at.horizon_days, regime)
                    result.curbs[key] = (*at.measures[s], at.laws[regime][s])
                    result.withheld[key] = self.scorer.withheld_share(at.laws[regime], s)
                for is_importer in (False, True):
                    result.blocks.append(self._block(s, at, is_importer, solved, steps, days, drawn[s]))
        return result

    def _at_horizon(self, horizon: int) -> AtHorizon:
        measures = [
            (self.measures(stage, horizon, reach=False), self.measures(stage, horizon, reach=True))
            for stage in self.stages
        ]
        coming = states_to_come(self.inputs, measures, self.frames.chain.countries, horizon)
        return AtHorizon(
            horizon,
            measures,
            {regime: self.law(measures, regime) for regime in REGIMES},
            [(when, self.law(then, "active", when)) for when, then in coming],
            [self.supply[stage, horizon] for stage in self.stages],
        )

    def joint(self) -> JointChain:
        """Return the chain's pools in every draw."""
        chain = self.frames.chain
        return JointChain(
            chain,
            self.frames.routes,
            self.scorer.bloc_members,
            self.threshold,
            self.numbers,
            Spread.on(self.ruleset, self.inputs.as_of),
        )

    def measures(self, stage: str, horizon: int, *, reach: bool) -> StageMeasures:
        """Return the items on one stage that withhold the curbing country's flows, or (``reach``) foreign ones."""
        return stage_measures(self.ruled, self.frames.chain, stage, horizon, reach=reach)

    def law(
        self, measures: Sequence[tuple[StageMeasures, StageMeasures]], regime: str, on: date | None = None
    ) -> Law:
        """Return the law of all stages in a regime; states weigh what they weigh on the day, by default as_of."""
        day = on or self.inputs.as_of
        return [
            StageLaw(
                own.curbs,
                foreign.curbs,
                state_weights(self.ruleset, regime, own.state, day),
                state_weights(self.ruleset, regime, foreign.state, day),
                is_full_stop=regime == "full_stop",
                pledges_stand=regime == "active",
            )
            for own, foreign in measures
        ]

    def replacement(self, stop: Missing, horizon: int) -> list[Array] | None:
        """Return per stage (3, n) tonnes of new plant upstream; only over five years is there any.

        No more than a full stop would take is built, whatever the regime: were the limit the regime's own loss, a
        harsher law could build more and leave a country better off.
        """
        if horizon < LONG_HORIZON:
            return None
        available = [replacement_t(self.supply[stage, horizon]) for stage in self.stages]
        return limited_replacement(available, stop.lost_t)

    def relief(self, s: int, horizon: int, lost: Array) -> Array:
        """Return (3, n + 1) share of each importer's loss that others could replace, and last the bloc's.

        Args:
            s: place of the stage.
            horizon: in days.
            lost: (3,) tonnes that final users go short of, low to high.

        Returns:
            Low to high; NaN where no capacity is on record.
        """
        supply = self.supply[self.stages[s], horizon]
        if not supply.is_known:
            return np.full((3, len(self.frames.chain.countries) + 1), np.nan)
        return self._with_bloc(s, alternative_share(reachable_t(supply), lost))

    def _with_bloc(self, s: int, of_importer: Array) -> Array:
        """Return (..., n + 1) figures of importers (..., n), and last the bloc's: the mean of its members by pool."""
        weight = np.where(self.scorer.bloc_members, self.scorer.pools[s].pool_t[0], 0.0)
        bloc = of_importer @ (weight / max(weight.sum(), 1e-300))
        return np.concatenate([of_importer, bloc[..., None]], axis=-1)

    def _block(
        self,
        s: int,
        at: AtHorizon,
        is_importer: bool,  # noqa: FBT001
        solved: Mapping[str, Missing],
        steps: Mapping[str, tuple[list[Swap], Missing]],
        days: tuple[int, ...],
        drawn: DrawnLaws,
    ) -> Block:
        stage, horizon = self.stages[s], at.horizon_days
        pool = self.scorer.pools[s].pool_t[0]
        exporters, importers = self.frames.routes[s]
        eu = self.scorer.bloc_members
        if is_importer:
            chosen = np.flatnonzero(np.append(pool > 0, bool(pool[eu].sum() > 0)))
            units = self._importer_units(s, chosen)
        else:
            chosen = importers
            units = self.frames.flows[s]

        def relief(lost: Array) -> Array:
            return self.relief(s, horizon, lost)[:, chosen]

        def pick(missing: Missing) -> Array:
            return missing.importer[s][:, chosen] if is_importer else missing.route[s]

        def drawn_missing(found: DrawnStage) -> Array:
            return found.importer[chosen] if is_importer else found.route

        touched = self.scorer.touched_share(s)
        if is_importer:
            own_touched, dependence = self._with_bloc(s, touched)[:, chosen], np.ones(len(chosen))
        else:
            own_touched = touched[:, exporters]
            tonnes = self.frames.chain.stages[s].trade_t[1][exporters, importers]
            sourced = (pool - self.scorer.pools[s].unexplained_t[0])[importers]  # production and imports
            dependence = np.clip(tonnes / np.where(sourced > 0, sourced, 1.0), 0.0, 1.0)
        regimes = {
            regime: RegimeBlock(
                pick(solved[regime]),
                relief(solved[regime].lost_t[s]),
                steps[regime][0],
                pick(steps[regime][1]),
                drawn_missing(drawn.regimes[regime]),
                drawn.regimes[regime].alternatives,
            )
            for regime in REGIMES
        }
        return Block(
            self.frames.chain.mineral,
            stage,
            horizon,
            is_importer,
            units,
            own_touched,
            dependence,
            self._asked,
            chosen,
            regimes,
            days,
            [(drawn_missing(found), found.alternatives) for found in drawn.to_come],
            None if drawn.prior is None else (drawn_missing(drawn.prior), drawn.prior.alternatives),
            self._told(at.laws["active"][s], s, chosen, is_importer=is_importer),
            None if is_importer else self._parts[s],
        )

    def _told(self, law: StageLaw, s: int, buyers: Index, *, is_importer: bool) -> Array:
        """Return (u,) by how much trade narrowed the severity of the curb that governs each unit's goods at best.

        Of the curbing country's goods that is the curb on the importer, of all others' the curb on the exporter. A bloc
        is told what its members are, each by its pool.
        """
        chain = self.frames.chain
        told = self.evidence.told_of(law.curbs, law.weight, chain.mineral, chain.countries)
        if is_importer:
            return self._with_bloc(s, told)[buyers]
        exporters, _ = self.frames.routes[s]
        return np.where(exporters == chain.curbing, told[buyers], told[exporters])

    def _importer_units(self, s: int, chosen: Index) -> pl.DataFrame:
        """Return keys and tonnes of importers, each country and last the bloc."""
        chain, pools = self.frames.chain, self.scorer.pools[s]
        trade, output = self.scorer.trade_t[s][0], self.scorer.production_t[s][0]
        eu = self.scorer.bloc_members
        inner = trade[np.ix_(eu, eu)].sum()
        bloc_imports = trade[:, eu].sum() - inner
        first = self.frames.flows[s]
        names = [*chain.countries, BLOC_AS_IMPORTER]
        imports = np.append(trade.sum(axis=0), bloc_imports)
        made = np.append(output, output[eu].sum())
        pool = np.append(pools.pool_t[0], pools.pool_t[0][eu].sum() - inner)
        return pl.DataFrame(
            {
                "mineral": chain.mineral,
                "stage": chain.stages[s].name,
                "importer": [names[i] for i in chosen],
                "import_t": imports[chosen],
                "production_t": made[chosen],
                "pool_t": pool[chosen],
                "trade_year": first["trade_year"][0],
                "baseline_year": first["baseline_year"][0],
            }
        )
