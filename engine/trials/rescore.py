"""The portfolio scored many times under rules that differ in one value: routes at best, under the law of the day.

Facts are laid out once. A changed rule is asked again for its own factor, chains are solved again only where its
answers differ, and nothing is solved that a route's best score does not need. The scores are those of
`engine.scoring.portfolio` at best.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from engine.language.evaluation import evaluate
from engine.language.rules import RuleSet
from engine.scoring.assemble import RuledMeasures, build_chains, rule_measures
from engine.scoring.blocks import BLOC_AS_IMPORTER, ChainBlocks
from engine.scoring.draws import Numbers
from engine.scoring.inputs import Inputs
from engine.scoring.law_marts import reconciliation
from engine.scoring.portfolio import described_units, grade_edges
from engine.scoring.ranges import BEST, POINTS, Array
from engine.scoring.score import missing_share, priority, replaced_share, score
from engine.scoring.supply import LONG_HORIZON, RuledAccess, chain_supply, rule_access
from engine.scoring.world import at_best
from ground.words import ENDS

FIRST_PASS = ("withheld", "extraterritorial", "reroute", "mitigation")
ROUTE_KEYS = ("mineral", "stage", "exporter", "importer")
Solved = tuple[
    Array, Array
]  # of a chain's routes, stage after stage: H, and the share of the loss others can replace


@dataclass(frozen=True)
class RouteScores:
    """Score and priority of every route at best, in the order of ``Rescorer.routes``."""

    score: Array
    priority: Array


class Rescorer:
    """Scores the routes of one horizon in the active regime again and again.

    Args:
        inputs: the day's facts and law.
        ruleset: checked rules, as they are.
        horizon: one of the scorecard's.

    Attributes:
        routes: frame of keys, route_usd and what second-pass rules read; one row a route.
        before: scores under the rules as they are.
    """

    def __init__(self, inputs: Inputs, ruleset: RuleSet, horizon: int) -> None:
        self.inputs, self.horizon = inputs, horizon
        one = self._at_horizon(ruleset)
        self._bloc = inputs["blocs"].filter(pl.col("bloc") == BLOC_AS_IMPORTER)["country"].to_list()
        self._chains = [replace(frames, chain=at_best(frames.chain)) for frames in build_chains(inputs)]
        self._ruled, self._access = rule_measures(inputs, one), rule_access(inputs, one)
        blocks, grades, self._scorers = [], [], {}
        edges = grade_edges(inputs, ruleset)
        for place, frames in enumerate(self._chains):
            builder = self._builder(place, one, self._ruled, self._access)
            result = builder.build()
            blocks += [block for block in result.blocks if not block.is_importer]
            grades += reconciliation(frames, result.scorer, edges)
            self._scorers[place] = result.scorer
        self.routes = described_units(
            blocks, self._chains, pl.DataFrame(grades, infer_schema_length=None), inputs
        )
        self._solved = [
            self._solve(place, one, self._ruled, self._access) for place in range(len(self._chains))
        ]
        self._relief = {factor: self._ask(one, factor) for factor in ("substitution", "stock_days")}
        self.before = self._finish(one, self._solved, self._relief)

    def scores(self, ruleset: RuleSet, factor: str | None) -> RouteScores:
        """Return scores under other rules.

        Args:
            ruleset: the rules as they are but for those of one factor, or but for the scorecard's parameters.
            factor: the one whose rules differ; None where anything may.
        """
        one = self._at_horizon(ruleset)
        ruled = rule_measures(self.inputs, one) if factor is None or factor in FIRST_PASS else self._ruled
        access = rule_access(self.inputs, one) if factor in {None, "access"} else self._access
        minerals = _differ(ruled.measures, self._ruled.measures) | _differ(ruled.pledges, self._ruled.pledges)
        minerals |= _differ(access, self._access)
        solved = [
            self._solve(place, one, ruled, access)
            if factor is None or frames.chain.mineral in minerals
            else self._solved[place]
            for place, frames in enumerate(self._chains)
        ]
        relief = {
            name: self._ask(one, name) if factor in {None, name} else known
            for name, known in self._relief.items()
        }
        return self._finish(one, solved, relief)

    def _at_horizon(self, ruleset: RuleSet) -> RuleSet:
        return replace(ruleset, scorecard=replace(ruleset.scorecard, horizons=(self.horizon,)))

    def _builder(
        self, place: int, ruleset: RuleSet, ruled: RuledMeasures, access: RuledAccess
    ) -> ChainBlocks:
        frames = self._chains[place]
        supply = chain_supply(self.inputs, ruleset, access, frames.chain, (self.horizon,))
        scorer = self._scorers.get(place)
        # The best score needs no draws: as few as there may be.
        return ChainBlocks(self.inputs, ruleset, ruled, frames, supply, self._bloc, scorer, Numbers(2))

    def _solve(self, place: int, ruleset: RuleSet, ruled: RuledMeasures, access: RuledAccess) -> Solved:
        builder, horizon = self._builder(place, ruleset, ruled, access), self.horizon
        measures = [
            (builder.measures(stage, horizon, reach=False), builder.measures(stage, horizon, reach=True))
            for stage in builder.stages
        ]
        added = None
        if horizon >= LONG_HORIZON:
            added = builder.replacement(builder.scorer.evaluate(builder.law(measures, "full_stop")), horizon)
        best = None if added is None else [tonnes[[BEST]] for tonnes in added]
        missing = builder.scorer.evaluate_best([builder.law(measures, "active")], best)
        reached = [
            builder.relief(s, horizon, np.full(POINTS, missing.lost_t[s][0]))[BEST, importers]
            for s, (_, importers) in enumerate(builder.frames.routes)
        ]
        return np.concatenate([h[0] for h in missing.route]), np.concatenate(reached)

    def _ask(self, ruleset: RuleSet, factor: str, frame: pl.DataFrame | None = None) -> Array:
        """Return a second-pass factor at best; a route to which no rule applies has no relief."""
        told = evaluate(ruleset, factor, self.routes if frame is None else frame, on=self.inputs.as_of)
        return told["value_best"].fill_null(0.0).to_numpy()

    def _finish(self, ruleset: RuleSet, solved: list[Solved], relief: Mapping[str, Array]) -> RouteScores:
        before = np.concatenate([h for h, _ in solved])
        share = pl.Series(np.concatenate([reached for _, reached in solved])).fill_nan(None)
        frame = self.routes.with_columns(share.alias(f"alternative_share_{end}") for end in ENDS)
        replaced = replaced_share(self._ask(ruleset, "alternatives", frame), relief["substitution"])
        missing = missing_share(before, replaced, relief["stock_days"], float(self.horizon))
        return RouteScores(score(missing), priority(self.routes["dependence_share"].to_numpy(), missing))


def _differ(
    one: Mapping[tuple[object, ...], pl.DataFrame], other: Mapping[tuple[object, ...], pl.DataFrame]
) -> set[str]:
    """Return minerals whose rows are not the same; the mineral is the first part of each key."""
    if one is other:
        return set()
    return {
        str(key[0])
        for key in {*one, *other}
        if key not in one or key not in other or not one[key].equals(other[key])
    }
