"""One event replayed: what the rules would have said of it, out of the facts as they were known before its effect.

Like is held against like: a fall of exports of the curbing country against its withheld flow, a fall of an importer's
supply against its gap, never against the shortage after stocks.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from engine.language.rules import RuleSet
from engine.scoring.assemble import (
    ChainFrames,
    RuledMeasures,
    StageMeasures,
    build_chains,
    rule_measures,
    stage_measures,
    state_weights,
)
from engine.scoring.blocks import BLOC_AS_IMPORTER
from engine.scoring.chain_score import StageLaw
from engine.scoring.curbs import combine
from engine.scoring.drawn_curbs import DrawnCurbs, Spread
from engine.scoring.draws import Numbers
from engine.scoring.evidence import common_movement, lane_movement, nearest_horizon
from engine.scoring.inputs import Inputs
from engine.scoring.joint import JointChain, Posed
from engine.scoring.ranges import BEST, HIGH, Array
from engine.scoring.supply import chain_supply, rule_access

EXPORT_FALL, SUPPLY_FALL = "export_fall", "supply_fall"


class ReplayError(ValueError):
    """An event of which the facts of its day say nothing."""


@dataclass(frozen=True)
class WindowQuestion:
    """What is asked of a day.

    Attributes:
        kind: ``export_fall`` or ``supply_fall``.
        minerals: one, or the members of a group.
        stage: empty for every stage.   form: empty, or the listed form that is counted alone.
        importers: countries; empty for all of them.   bloc: name of the bloc that they are, else empty.
        window_days: length of what is to be forecast.
        window_share: part of the window in which the curb was in force, 0..1.
    """

    kind: str
    minerals: tuple[str, ...]
    stage: str
    form: str
    importers: tuple[str, ...]
    bloc: str
    window_days: int
    window_share: float


@dataclass(frozen=True)
class Answer:
    """What the rules and the trade of the day say.

    Attributes:
        fall: (D,) share of the flow, or of the supply, that is missing over the window.
        reach: share of it that the law reaches by goods and days, whatever the severity.
        reach_high: the same where its items cover as much as they may.
        rule_id: rule that governs most of the tonnes; empty where none does.   horizon_days: it was asked at.
        severity: its (low, best, high) on its heaviest lane; zeros where no rule governs.
        lane_share: part of the exporter's trade that goes to these importers.
        import_share: part of these importers' imports that the exporter has; of world trade where they are all.
        movement_sd: of the logarithm by which such a flow moves in a year that no curb touches.
    """

    fall: Array
    reach: float
    reach_high: float
    rule_id: str
    horizon_days: int
    severity: tuple[float, float, float]
    lane_share: float
    import_share: float
    movement_sd: float


def answer(inputs: Inputs, ruleset: RuleSet, numbers: Numbers, question: WindowQuestion) -> Answer:
    """Return what would have been expected of an event.

    Args:
        inputs: the day's facts, of the country that curbs.
        ruleset: checked rules.
        numbers: of all inputs.
        question: what is asked.

    Raises:
        ReplayError: no trade of the lane is known on the day, or supply is asked of several importers.
    """
    own = inputs.only(question.minerals)
    ruled = rule_measures(own, ruleset)
    horizon = nearest_horizon(ruleset, question.window_days)
    stages = [
        _Stage(own, ruleset, ruled, frames, place, question, horizon)
        for frames in build_chains(own)
        for place, facts in enumerate(frames.chain.stages)
        if question.stage in ("", facts.name)
    ]
    asked = [stage for stage in stages if stage.lane_t.sum() > 0]
    if not asked:
        raise ReplayError(f"no trade of it out of {inputs.curbing_country} is known on {inputs.known_at}")
    lane_t = sum(float(stage.lane_t.sum()) for stage in asked)
    exports_t = sum(stage.exports_t for stage in asked)
    imports_t = sum(stage.imports_t for stage in asked)
    if question.kind == EXPORT_FALL:
        withheld = sum(stage.withheld(numbers) @ stage.lane_t for stage in asked)
        fall = np.asarray(withheld) / lane_t
    else:
        fall = _supply_fall(own, ruleset, numbers, question, horizon, asked)
    rule_id, severity = _governing(asked)
    reach, reach_high = (
        float(sum(stage.reached(point) @ stage.lane_t for stage in asked) / lane_t) * question.window_share
        for point in (BEST, HIGH)
    )
    return Answer(
        fall * question.window_share,
        reach,
        reach_high,
        rule_id,
        horizon,
        severity,
        float(lane_t / exports_t),
        float(lane_t / imports_t),
        _movement_sd(inputs, ruleset, question, sum(stage.lane_usd for stage in asked)),
    )


def _movement_sd(inputs: Inputs, ruleset: RuleSet, question: WindowQuestion, usd: float) -> float:
    """Return the spread of ordinary movement: that of all exports, and of a single importer's lane besides."""
    common = common_movement(ruleset, inputs.as_of)
    own = lane_movement(ruleset, inputs.as_of, usd) if question.importers else 0.0
    return float(np.hypot(common, own))


def _governing(stages: "list[_Stage]") -> tuple[str, tuple[float, float, float]]:
    lanes = sorted(lane for stage in stages for lane in stage.governed())
    tonnes: dict[str, float] = {}
    for rule, amount, _ in lanes:
        tonnes[rule] = tonnes.get(rule, 0.0) + amount
    first = max(sorted(tonnes), key=lambda rule: tonnes[rule], default="")
    heaviest = max((lane for lane in lanes if lane[0] == first), key=lambda lane: lane[1], default=None)
    return first, (0.0, 0.0, 0.0) if heaviest is None else heaviest[2]


class _Stage:
    """One stage of one mineral, with the law and the lanes that are asked for."""

    def __init__(
        self,
        inputs: Inputs,
        ruleset: RuleSet,
        ruled: RuledMeasures,
        frames: ChainFrames,
        place: int,
        question: WindowQuestion,
        horizon: int,
    ) -> None:
        self.inputs, self.ruleset, self.ruled, self.frames, self.place = (
            inputs,
            ruleset,
            ruled,
            frames,
            place,
        )
        self.horizon, self.form = horizon, question.form
        chain = frames.chain
        trade = chain.stages[place].trade_t[BEST]
        names = np.array(chain.countries)
        wanted = np.isin(names, question.importers) if question.importers else np.ones(len(names), dtype=bool)
        wanted[chain.curbing] = False
        self.lane_t = np.where(wanted, trade[chain.curbing], 0.0)
        flows = frames.flows[place].filter(pl.col("exporter") == inputs.curbing_country)
        bought = flows.filter(pl.col("importer").is_in(names[wanted].tolist()))["route_usd"]
        self.lane_usd = float(bought.sum())
        self.exports_t = float(trade[chain.curbing].sum() - trade[chain.curbing, chain.curbing])
        self.imports_t = float(trade[:, wanted].sum())
        self.law = self._law(place)

    def _law(self, place: int) -> StageLaw:
        name = self.frames.chain.stages[place].name
        own, foreign = (
            stage_measures(self.ruled, self.frames.chain, name, self.horizon, reach=reach)
            for reach in (False, True)
        )
        own = _listed_goods(own, self.form) if self.form else own
        on = self.inputs.as_of
        return StageLaw(
            own.curbs,
            foreign.curbs,
            state_weights(self.ruleset, "active", own.state, on),
            state_weights(self.ruleset, "active", foreign.state, on),
        )

    def laws(self) -> list[StageLaw]:
        """Return the law of every stage of the chain."""
        return [self._law(place) for place in range(len(self.frames.chain.stages))]

    def joint(self, numbers: Numbers) -> JointChain:
        """Return the chain in every draw."""
        chain, routes = self.frames.chain, self.frames.routes
        bloc = self.inputs["blocs"].filter(pl.col("bloc") == BLOC_AS_IMPORTER)["country"].to_list()
        members = np.isin(np.array(chain.countries), bloc)
        on = self.inputs.as_of
        threshold = self.ruleset.parameter("touched_threshold_share", on).best
        return JointChain(chain, routes, members, threshold, numbers, Spread.on(self.ruleset, on))

    def withheld(self, numbers: Numbers) -> Array:
        """(D, n) share of the flow to each importer that is withheld."""
        spread = Spread.on(self.ruleset, self.inputs.as_of)
        return DrawnCurbs(self.frames.chain, numbers, spread).shares(self.law)[0]

    def reached(self, point: int) -> Array:
        """Return (n,) share of each flow that curbs reach, were every severity 1; lists of named buyers left out."""
        curbs = self.law.curbs
        shares = curbs.coverage[:, :, None] * self.law.weight * (curbs.withheld > 0)
        general = np.array([not item.is_named_buyers for item in curbs.items], dtype=bool)
        return np.asarray(combine(curbs.items, shares, general)[point])

    def governed(self) -> Iterator[tuple[str, float, tuple[float, float, float]]]:
        """Yield for each lane under a curb: the rule of the strongest, the lane's tonnes, and the rule's range."""
        curbs = self.law.curbs
        governing = curbs.governing(self.law.weight)
        for lane in np.flatnonzero(self.lane_t):
            item = governing[lane]
            if item >= 0:
                low, best, high = (float(end) for end in curbs.withheld[item, :, lane])
                yield str(curbs.rule_ids[item, lane]), float(self.lane_t[lane]), (low, best, high)


def _listed_goods(part: StageMeasures, form: str) -> StageMeasures:
    """Return the items of one form, which then cover all that is counted."""
    curbs = part.curbs
    at = [place for place, item in enumerate(curbs.items) if item.form == form]
    kept = replace(
        curbs,
        items=tuple(curbs.items[place] for place in at),
        withheld=curbs.withheld[at],
        coverage=np.ones_like(curbs.coverage[at]),
        rule_ids=curbs.rule_ids[at],
        mitigation=curbs.mitigation[:, at],
    )
    return StageMeasures(kept, part.state[at])


def _supply_fall(
    inputs: Inputs,
    ruleset: RuleSet,
    numbers: Numbers,
    question: WindowQuestion,
    horizon: int,
    stages: list[_Stage],
) -> Array:
    """Return (D,) gap of one importer's supply, what others can replace taken off."""
    if len(stages) != 1 or (question.bloc != BLOC_AS_IMPORTER and len(question.importers) != 1):
        raise ReplayError(
            f"a fall of supply is forecast for one mineral, stage and country (or {BLOC_AS_IMPORTER}); name them"
        )
    (stage,) = stages
    chain = stage.frames.chain
    joint = stage.joint(numbers)
    missing = joint.missing([Posed(stage.laws())])[0]
    supply = chain_supply(inputs, ruleset, rule_access(inputs, ruleset), chain, [horizon])
    buyer = (
        len(chain.countries)
        if question.bloc == BLOC_AS_IMPORTER
        else chain.countries.index(question.importers[0])
    )
    replaced = joint.alternatives(
        stage.place, supply[chain.stages[stage.place].name, horizon], missing.lost_t[stage.place]
    )
    return np.asarray(missing.importer[stage.place][buyer] * (1.0 - np.nan_to_num(replaced[buyer])))
