"""The states between two nights: one input swapped at a time, and only what it reaches scored again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Protocol

import polars as pl

from engine.language.checks.versions import fingerprint, scorecard_parts
from engine.language.rules import RuleSet
from engine.scoring.assemble import rule_measures
from engine.scoring.blocks import BLOC_AS_IMPORTER
from engine.scoring.draws import Numbers
from engine.scoring.expect import Expectations
from engine.scoring.inputs import Inputs
from engine.scoring.portfolio import score_in_parts
from ground.question import Question
from jobs.diff.compared import compared
from jobs.diff.night import Night, gathered
from jobs.diff.split import State
from jobs.errors import SettingsError
from jobs.facts.plan import reached, taught
from warehouse.asof.known import LAW, Rows

#: Rules of these factors are asked before anything is solved, so that it can be seen which minerals they reach.
_ASKED_FIRST = ("withheld", "extraterritorial", "reroute", "mitigation")


class Timer(Protocol):
    """Times a phase."""

    def __call__(self, name: str) -> AbstractContextManager[object]:
        """Return a context that lasts as long as the phase."""


def no_timer(name: str) -> AbstractContextManager[object]:
    """Time nothing."""
    return nullcontext(name)


@dataclass(frozen=True)
class Ends:
    """The two nights with their rules as this code reads them, and the code."""

    before: Night
    after: Night
    rules_before: RuleSet
    rules_after: RuleSet
    code: str
    minerals: Collection[str] = ()

    def __post_init__(self) -> None:
        """Refuse nights that cannot be compared.

        Raises:
            SettingsError: they are of different curbing countries, or drawn with different numbers.
        """
        one, other = self.before.question.curbing_country, self.after.question.curbing_country
        if one != other:
            raise SettingsError(
                f"the first run is about the curbs of {one}, the second about those of {other}: no score of one moved to "
                "the other. Compare runs of the same curbing country."
            )
        if self.before.draws != self.after.draws:
            raise SettingsError(
                f"the first run has {self.before.draws} joint draws, the second {self.after.draws}: their difference "
                f"would be noise. Publish one of them again with --draws {self.after.draws}."
            )


@dataclass(frozen=True)
class _Step:
    cause: str
    rows: Rows
    question: Question
    ruleset: RuleSet


def states_between(ends: Ends, timer: Timer = no_timer) -> list[State]:
    """Swap code, rules, facts, the day and the law, in this order.

    A mineral is scored in a state only where the input reaches it and another is still to be swapped: after the last
    one its scores are those of the later night, if the code that published it is this one.
    """
    steps = _steps(ends)
    inputs: list[Inputs | None] = []
    minerals: list[set[str]] = []
    every = set(ends.after.scores["mineral"]) | set(ends.before.scores["mineral"])
    every = every & set(ends.minerals) if ends.minerals else every
    with timer("inputs of both nights"):
        last: Inputs | None = None
        for place, step in enumerate(steps):
            reaches_all = step.cause in ("code", "calendar")
            own = None if reaches_all else _gathered(step)
            if own is not None and last is None:
                last = _gathered(_start(ends) if place == 0 else steps[place - 1])
            found = every
            if own is not None and last is not None:
                found = _reached(step.cause, last, own, ends) & every
            minerals.append(found)
            inputs.append(own)
            last = own
    published_today = ends.after.code == ends.code
    states = []
    for place, step in enumerate(steps):
        later = set().union(*minerals[place + 1 :])
        scored = minerals[place] if not published_today else minerals[place] & later
        rest = minerals[place] - scored
        if scored:
            with timer("scores between"):
                given = inputs[place] or _gathered(step)
                scores = score_minerals(given, step.ruleset, sorted(scored), ends.before.draws)
            if rest:
                after = ends.after.scores.filter(pl.col("mineral").is_in(list(rest)))
                scores = pl.concat([scores, after])
            states.append(State(step.cause, minerals[place], scores))
        else:
            states.append(State(step.cause, minerals[place], None))
    return states


def score_minerals(inputs: Inputs, ruleset: RuleSet, minerals: Sequence[str], draws: int) -> pl.DataFrame:
    """Return compared scores of some minerals, out of the draws that a night would have."""
    traded = set(inputs["flows"]["mineral"])
    own = inputs.only([mineral for mineral in minerals if mineral in traded])
    members = inputs["blocs"].filter(pl.col("bloc") == BLOC_AS_IMPORTER)["country"].to_list()
    totals = Expectations(Numbers(draws), own, ruleset)
    parts = [
        compared(part["route_score"], part["importer_score"], members)
        for part in score_in_parts(own, ruleset, totals=totals)
    ]
    return pl.concat(parts)


def mixed(figures: Rows, law: Rows) -> dict[str, pl.DataFrame]:
    """Return facts whose figures are those of one night, and whose law is that of another."""
    return {name: law[name] if name in LAW else rows for name, rows in figures.items()}


def differing(before: Rows, after: Rows) -> set[str]:
    """Return the names of the fact tables whose rows are not the same."""
    return {name for name, rows in after.items() if not _same(before[name], rows)}


def _same(one: pl.DataFrame, other: pl.DataFrame) -> bool:
    if one.equals(other):
        return True
    if one.height != other.height:
        return False
    lists = [name for name, kind in one.schema.items() if kind == pl.List]
    plain = [
        frame.with_columns(pl.col(lists).list.join(";")).sort(pl.all(), nulls_last=True)
        for frame in (one, other)
    ]
    return plain[0].equals(plain[1])


def _start(ends: Ends) -> _Step:
    before = ends.before
    return _Step("", before.rows, before.question, ends.rules_before)


def _steps(ends: Ends) -> list[_Step]:
    before, after = ends.before, ends.after
    start = _start(ends)
    steps = []
    if not before.code == after.code == ends.code:
        steps.append(replace(start, cause="code"))
    last = start
    if changed_rules(ends.rules_before, ends.rules_after) or _card_differs(ends):
        last = replace(last, cause="rules", ruleset=ends.rules_after)
        steps.append(last)
    last = replace(last, ruleset=ends.rules_after)
    changed = differing(before.rows, after.rows)
    if changed - LAW:
        known = replace(before.question, known_at=after.question.known_at)
        last = replace(last, cause="facts", rows=mixed(after.rows, before.rows), question=known)
        steps.append(last)
    if before.question.as_of != after.question.as_of:
        last = replace(last, cause="calendar", rows=mixed(after.rows, before.rows), question=after.question)
        steps.append(last)
    if changed & LAW:
        steps.append(replace(last, cause="law", rows=after.rows, question=after.question))
    return steps


def changed_rules(before: RuleSet, after: RuleSet) -> list[str]:
    """Return the ids of the rules of which anything that could change a score differs, and of those added or gone."""
    prints = [{rule.id: fingerprint(rule) for rule in rules.rules} for rules in (before, after)]
    return sorted(name for name in {*prints[0], *prints[1]} if prints[0].get(name) != prints[1].get(name))


def _card_differs(ends: Ends) -> bool:
    return bool(changed_card(ends.rules_before, ends.rules_after))


def changed_card(before: RuleSet, after: RuleSet) -> list[str]:
    """Return the parts of the scorecard, and of the catalogue of features, that differ."""
    parts = [scorecard_parts(rules.scorecard) for rules in (before, after)]
    found = [name for name in parts[0] if parts[0][name] != parts[1][name]]
    if before.scorecard.spread != after.scorecard.spread:
        found.append("spread")
    return found + (["features"] if before.features != after.features else [])


def _gathered(step: _Step) -> Inputs:
    return gathered(step.rows, step.question)


def _reached(cause: str, last: Inputs, own: Inputs, ends: Ends) -> set[str]:
    if cause == "rules":
        return ruled_otherwise(own, ends.rules_before, ends.rules_after)
    if all(frame.equals(own[name]) for name, frame in last.frames.items()):
        return set()  # rows that begin later than the earlier day, most often
    return {*reached(last, own), *taught(last, own, ends.rules_after)}


def ruled_otherwise(inputs: Inputs, before: RuleSet, after: RuleSet) -> set[str]:
    """Return the minerals that a change of rules may reach: all, but where only what measures withhold has changed."""
    every = set(inputs["flows"]["mineral"])
    changed = changed_rules(before, after)
    rules = [{rule.id: rule for rule in one.rules} for one in (before, after)]
    factors = {known[name].sets for known in rules for name in changed if name in known}
    spreads = {name for name in changed if len({known[name].spread for known in rules if name in known}) > 1}
    if changed_card(before, after) or not factors <= {*_ASKED_FIRST} or spreads:
        return every
    answers = [rule_measures(inputs, one) for one in (before, after)]
    found: set[str] = set()
    for one, other in ((answers[0].measures, answers[1].measures), (answers[0].pledges, answers[1].pledges)):
        found |= _differ(one, other)
    return found & every


def _differ(
    one: Mapping[tuple[object, ...], pl.DataFrame], other: Mapping[tuple[object, ...], pl.DataFrame]
) -> set[str]:
    return {
        str(key[0])
        for key in {*one, *other}
        if key not in one or key not in other or not one[key].equals(other[key])
    }
