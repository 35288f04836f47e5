"""The facts as they are, kept warm, and any number of scenarios beside them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import polars as pl

from engine.language.rules import RuleSet
from engine.scoring.assemble import rule_measures
from engine.scoring.draws import Numbers
from engine.scoring.evidence import Evidence, evidence_since
from engine.scoring.expect import Expectations
from engine.scoring.exposure import buyers_of
from engine.scoring.inputs import Inputs
from engine.scoring.portfolio import score_in_parts
from ground.draws import DEFAULT_DRAWS
from ground.question import Question
from ground.words import REGIMES
from jobs.errors import SettingsError
from jobs.facts.plan import reached
from jobs.gather import gather, only_minerals
from jobs.nightly.listing import Floors, with_listing
from jobs.scenario.compare import LANE, Differences, Kept, differences
from jobs.scenario.edits import Supposed, suppose
from jobs.scenario.reading import ScenarioFile
from jobs.suggest import did_you_mean
from warehouse.asof.inputs import Inputs as WarehouseInputs
from warehouse.asof.state import Warehouse
from warehouse.bundle.reading import Facts

#: Frames that say to whom exporters are open, for every mineral alike.
ACCESS = "access"


@dataclass(frozen=True)
class Comparison:
    """What a comparison shows: one horizon, one regime, and how many draws it rests on."""

    horizon_days: int
    regime: str = "active"
    draws: int = DEFAULT_DRAWS


@dataclass(frozen=True)
class Outcome:
    """One scenario beside the facts as they are.

    Attributes:
        minerals: that it reaches, and that were scored.
        differences: lanes with `score`, `band`, their `base_…` and `listing`, and buyers.
    """

    file: ScenarioFile
    question: Question
    asked: Comparison
    sentences: Sequence[str]
    minerals: Sequence[str]
    differences: Differences


@dataclass
class World:
    """One question on loaded facts. Trade, baselines and what trade taught are those of the facts in every scenario.

    Args:
        state: a warehouse that holds `facts`.
        ruleset: checked rules.
    """

    state: Warehouse
    facts: Facts
    ruleset: RuleSet
    question: Question
    asked: Comparison
    _base: Kept = field(init=False)
    _scores: list[pl.DataFrame] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Refuse a regime that there is not."""
        if self.asked.regime not in REGIMES:
            raise SettingsError(f"--regime {self.asked.regime}{did_you_mean(self.asked.regime, REGIMES)}")
        self._base = Kept(self.asked.horizon_days, self.asked.regime)

    @cached_property
    def _at_once(self) -> WarehouseInputs:
        return WarehouseInputs(self.state, self.question)

    @cached_property
    def base(self) -> Inputs:
        """Return the engine's frames of all minerals, without any scenario."""
        return gather(self._at_once)

    @cached_property
    def _numbers(self) -> Numbers:
        return Numbers(self.asked.draws)

    @cached_property
    def _evidence(self) -> Evidence:
        return evidence_since(self.base, self._one_horizon(self.ruleset), self._numbers)

    def play(self, file: ScenarioFile, minerals: Sequence[str] = ()) -> Outcome:
        """Score a scenario beside the facts.

        Args:
            file: the scenario.
            minerals: look at these alone; without any, at all that the scenario reaches.

        Raises:
            ScenarioError: it names what does not exist, or contradicts itself.
            SettingsError: a mineral has no route on the day.
        """
        wanted = set(only_minerals(self.base, minerals)["flows"]["mineral"])
        found = suppose(file, self.question, self.facts.tables, self.state, self.ruleset)
        inputs, reach = self._supposed(found, wanted)
        if not reach:
            return Outcome(
                file, self.question, self.asked, found.sentences, (), differences(self._base, self._new(), {})
            )
        self._score_base(reach)
        after = self._new()
        scores = self._score(inputs, found.ruleset, after, taught=not found.rules_changed)
        _, buys = buyers_of(self.base)
        moved = differences(self._base, after, buys)
        lanes = self._with_scores(moved.lanes, scores)
        return Outcome(
            file, self.question, self.asked, found.sentences, reach, Differences(lanes, moved.buyers)
        )

    def _new(self) -> Kept:
        return Kept(self.asked.horizon_days, self.asked.regime)

    def _supposed(self, found: Supposed, wanted: set[str]) -> tuple[Inputs, list[str]]:
        """Return the frames under a scenario, and the minerals that it reaches."""
        named = wanted if found.minerals is None or found.rules_changed else wanted & found.minerals
        if not named:
            return self.base, []
        if not found.tables:
            then = self.base.only(sorted(named))
        else:
            with self.state.supposing(found.tables):
                then = gather(self._at_once.under(sorted(named)))
        minerals = set(reached(self.base.only(sorted(named)), then.only(sorted(named)))) & named
        minerals = self._open_to_somebody(then, minerals)
        if found.rules_changed:
            minerals |= self._ruled_otherwise(found.ruleset, named)
        reach = sorted(minerals)
        # What trade taught of all minerals stays: a supposition about tomorrow's law does not unlearn it.
        return Inputs(self.question, then.only(reach).frames, self.base), reach

    def _open_to_somebody(self, then: Inputs, minerals: Collection[str]) -> set[str]:
        """Leave out minerals of which only pledges moved, where no ban of an exporter stands for them to restore."""
        kept = set()
        for mineral in minerals:
            before, after = self.base.only([mineral]), then.only([mineral])
            same = all(before[name].equals(after[name]) for name in before.frames if name != ACCESS)
            closed = {row["exporter"] for one in (before, after) for row in one[ACCESS].iter_rows(named=True) if row["access_of"] == "ban"}  # fmt: skip
            moved = [one[ACCESS].filter(pl.col("exporter").is_in(closed)) for one in (before, after)]
            if not same or not moved[0].equals(moved[1]):
                kept.add(mineral)
        return kept

    def _ruled_otherwise(self, ruleset: RuleSet, minerals: Collection[str]) -> set[str]:
        """Return minerals of whose measures a changed rule says something else; all if it is about anything else."""
        inputs = self.base.only(sorted(minerals))
        changed = {rule.sets for rule in ruleset.rules} if ruleset.scorecard is not self.ruleset.scorecard else {
            rule.sets for rule, old in zip(ruleset.rules, self.ruleset.rules, strict=True) if rule is not old
        }  # fmt: skip
        if changed - {"withheld", "extraterritorial", "reroute", "mitigation"}:
            return set(minerals)
        ruled = [rule_measures(inputs, self._one_horizon(one)) for one in (self.ruleset, ruleset)]
        found = set()
        for parts in ("measures", "pledges"):
            before, after = (getattr(one, parts) for one in ruled)
            found |= {
                str(key[0])
                for key in {*before, *after}
                if key not in before or key not in after or not before[key].equals(after[key])
            }
        return found

    def _one_horizon(self, ruleset: RuleSet) -> RuleSet:
        return replace(ruleset, scorecard=replace(ruleset.scorecard, horizons=(self.asked.horizon_days,)))

    def _score_base(self, minerals: Sequence[str]) -> None:
        there = {mineral for mineral, _ in self._base.stages}
        lacking = [mineral for mineral in minerals if mineral not in there]
        if lacking:
            self._scores.append(self._score(self.base.only(lacking), self.ruleset, self._base, taught=True))

    def _score(self, inputs: Inputs, ruleset: RuleSet, into: Kept, *, taught: bool) -> pl.DataFrame:
        asked = self._one_horizon(ruleset)
        evidence = self._evidence if taught else None
        totals = Expectations(self._numbers, inputs, asked, evidence=evidence, seen=into.take)
        regime, day, country = self.asked.regime, self.question.as_of, self.question.curbing_country
        floors, passing = (
            Floors.of(ruleset, day),
            self.base["countries"].filter("is_entrepot")["country"].to_list(),
        )
        parts = [
            with_listing(part["route_score"], floors, country, passing).select(
                *LANE, "listing", score=regime, band=f"{regime}_band"
            )
            for part in score_in_parts(inputs, asked, totals=totals)
        ]
        return pl.concat(parts)

    def _with_scores(self, lanes: pl.DataFrame, scores: pl.DataFrame) -> pl.DataFrame:
        before = pl.concat(self._scores).rename({"score": "base_score", "band": "base_band"})
        return lanes.join(before, on=list(LANE), how="left", maintain_order="left").join(
            scores.drop("listing"), on=list(LANE), how="left", maintain_order="left"
        )
