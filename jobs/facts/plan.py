"""What the next run would change if facts were added: scored in memory with and without them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from engine.language.rules import RuleSet
from engine.scoring.assemble import rule_measures
from engine.scoring.evidence import observed_lanes
from engine.scoring.inputs import Inputs as EngineInputs
from ground.question import Question
from jobs.gather import gather
from jobs.rules.trial import KEYS, Moves, compare, score_routes
from warehouse.asof.inputs import Inputs
from warehouse.asof.state import Warehouse
from warehouse.bundle.reading import Facts, read_bundles


@dataclass(frozen=True)
class Plan:
    """What moves per regime, and how many routes are new or gone, over the minerals that the rows reach."""

    minerals: Sequence[str]
    moves: Sequence[Moves]
    new: int
    gone: int


def plan(stack: Sequence[Path], with_rows: Facts, ruleset: RuleSet, question: Question, horizon: int) -> Plan:
    """Score routes with and without the new rows; a mineral that they do not reach keeps its scores.

    Args:
        stack: bundles as they are.
        with_rows: the same facts with the new rows.
        ruleset: rules to score with.
        question: day to score, day of knowledge, and whose curbs.
        horizon: days of the horizon that is shown.
    """
    now = _gathered(read_bundles([path for path in stack if path.is_dir()]), question)
    then = _gathered(with_rows, question)
    minerals = sorted({*reached(now, then), *taught(now, then, ruleset)})
    if not minerals:
        return Plan((), (), 0, 0)
    scored = [_scored(inputs.only(minerals), ruleset) for inputs in (now, then)]
    known = next((frame for frame in scored if frame is not None), None)
    if known is None:
        return Plan(minerals, (), 0, 0)
    before, after = (known.clear() if frame is None else frame for frame in scored)
    shown = pl.col("horizon_days") == horizon
    new = after.join(before, on=list(KEYS), how="anti").filter(shown).height
    gone = before.join(after, on=list(KEYS), how="anti").filter(shown).height
    return Plan(minerals, compare(before, after, horizon), new, gone)


def reached(now: EngineInputs, then: EngineInputs) -> list[str]:
    """Return the minerals of which any input differs; all that are traded where it is not of one mineral.

    A frame without minerals that names measures is about the minerals of those measures.
    """
    every = sorted({*now["flows"]["mineral"], *then["flows"]["mineral"]})
    of_measure = pl.concat([inputs["measures"].select("measure_id", "mineral") for inputs in (now, then)])
    of_measure = of_measure.unique(maintain_order=True)
    found: set[str] = set()
    for name, before in now.frames.items():
        after = then[name]
        if before.equals(after):
            continue
        if "mineral" not in before.columns and "measure_id" in before.columns:
            before, after = (
                frame.join(of_measure, on="measure_id", how="left", maintain_order="left_right").with_columns(
                    pl.col("mineral").fill_null("*")
                )
                for frame in (before, after)
            )
        if "mineral" not in before.columns:
            return every
        found |= {
            mineral
            for mineral in {*before["mineral"], *after["mineral"]}
            if not before.filter(mineral=mineral).equals(after.filter(mineral=mineral))
        }
    return every if "*" in found else sorted(found & set(every))


def taught(now: EngineInputs, then: EngineInputs, ruleset: RuleSet) -> set[str]:
    """Return the minerals under a rule of whose severity trade says something else: curbed lanes teach their rule."""
    seen = [set(observed_lanes(inputs, ruleset)) for inputs in (now, then)]
    rules = [one.rule_id for one in seen[0] ^ seen[1]]
    if not rules:
        return set()
    ruled = [rule_measures(inputs, ruleset).measures for inputs in (now, then)]
    return {
        str(mineral)
        for parts in ruled
        for (mineral, *_), frame in parts.items()
        if frame["withheld_rule_id"].is_in(rules).any()
    }


def _scored(inputs: EngineInputs, ruleset: RuleSet) -> pl.DataFrame | None:
    return score_routes(inputs, ruleset) if inputs["flows"].height else None


def _gathered(facts: Facts, question: Question) -> EngineInputs:
    with Warehouse.open_memory() as state:
        state.load_facts(facts)
        return gather(Inputs(state, question))
