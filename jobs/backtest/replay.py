"""Replaying every outcome strictly as known on the day before its effect, and scoring each way of forecasting it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl

from engine.language.rules import RuleSet
from engine.scoring.draws import Numbers
from engine.scoring.inputs import Inputs as EngineInputs
from engine.scoring.ranges import Array
from engine.trials.calibration import Calibration, calibrate
from engine.trials.predictors import Event, Predictor, predictors, severities
from engine.trials.replay import ReplayError, WindowQuestion, answer
from engine.trials.severities import Proposal, propose
from ground.draws import DEFAULT_DRAWS
from ground.question import Question
from jobs.backtest.events import Outcome, Replay, question_of, read_outcomes
from jobs.errors import InputError
from jobs.gather import gather
from jobs.settings import DEFAULT_CURBING_COUNTRY
from warehouse.asof.inputs import Inputs
from warehouse.asof.state import Warehouse
from warehouse.errors import InputError as NoTradeError

A_YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Replayed:
    """An outcome that was compared, and the draws of every way of forecasting that had something to go by."""

    outcome: Outcome
    replay: Replay
    event: Event
    forecasts: dict[str, Array]


@dataclass(frozen=True)
class Judged:
    """How a way of forecasting did, and how the rules did on the same outcomes."""

    scores: Calibration
    rules_crps: float


@dataclass(frozen=True)
class Suggestion:
    """A proposal, beside the (low, best, high) that the rule gives today."""

    proposal: Proposal
    today: tuple[float, float, float]


@dataclass(frozen=True)
class Backtest:
    """What a back-test found.

    Attributes:
        replayed: outcomes that were compared, by window and id.
        set_aside: outcomes that were not, and why.
        held_out: how many are kept for an independent test and were not looked at.
        overall: by the name of a way of forecasting, over the outcomes that it could forecast.
        proposals: what the outcomes suggest for the rules.
    """

    replayed: list[Replayed]
    set_aside: list[tuple[Outcome, str]]
    held_out: int
    overall: dict[str, Judged]
    proposals: list[Suggestion]


def run(
    warehouse: Warehouse,
    ruleset: RuleSet,
    known_at: date,
    *,
    held_out: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Backtest:
    """Replay every outcome known on a day.

    Args:
        warehouse: with the facts.
        ruleset: checked rules, which hold whatever the day of an event.
        known_at: outcomes that were known later are not read.
        held_out: judge those alone that are kept for an independent test; estimates learn from the others.
        on_progress: called with how many are done, and of how many.

    Raises:
        InputError: no outcome can be compared.
    """
    everything = read_outcomes(Inputs(warehouse, Question(known_at, known_at, DEFAULT_CURBING_COUNTRY)))
    # A test looks at nothing that is held out; a test of what is held out needs the others to learn from.
    read = [outcome for outcome in everything if held_out or not outcome.is_held_out]
    days, numbers = _Days(warehouse), Numbers(DEFAULT_DRAWS)
    found: list[tuple[Outcome, Replay, Event]] = []
    set_aside: list[tuple[Outcome, str]] = []
    for done, outcome in enumerate(read):
        on_progress(done, len(read))
        if outcome.replay is None or outcome.why_not:
            set_aside.append((outcome, outcome.why_not))
            continue
        try:
            found.append((outcome, outcome.replay, _event(outcome, outcome.replay, days, ruleset, numbers)))
        except (ReplayError, NoTradeError) as problem:
            set_aside.append((outcome, str(problem)))
    on_progress(len(read), len(read))
    judged = [one for one in found if one[0].is_held_out == held_out]
    set_aside = [pair for pair in set_aside if pair[0].is_held_out == held_out]
    if not judged:
        raise InputError(_nothing(known_at, set_aside, "held-out outcome" if held_out else "outcome"))
    learnt = [event for outcome, _, event in found if not outcome.is_held_out]
    ways = predictors(learnt, numbers.draws)
    replayed = [Replayed(*one, _forecasts(one[2], ways)) for one in judged]
    return Backtest(
        replayed,
        set_aside,
        sum(outcome.is_held_out for outcome in everything),
        _overall(replayed, ways),
        _suggestions(learnt),
    )


def _suggestions(learnt: Sequence[Event]) -> list[Suggestion]:
    seen = severities(learnt)
    today = {(e.answer.rule_id, e.answer.horizon_days): e.answer.severity for e in learnt}
    return [Suggestion(one, today[one.rule_id, one.horizon_days]) for one in propose(seen)] if seen else []


def _nothing(known_at: date, set_aside: Sequence[tuple[Outcome, str]], kind: str) -> str:
    reasons = sorted({why for _, why in set_aside})
    said = f"set aside: {'; '.join(reasons)}" if reasons else "none is on record"
    return f"no {kind} known on {known_at} can be compared ({said}). Add rows to outcomes.csv."


def _forecasts(event: Event, ways: Sequence[Predictor]) -> dict[str, Array]:
    drawn = {way.name: way.predict(event) for way in ways}
    return {name: draws for name, draws in drawn.items() if draws is not None}


def _overall(replayed: Sequence[Replayed], ways: Sequence[Predictor]) -> dict[str, Judged]:
    first = ways[0].name
    overall = {}
    for way in ways:
        own = [one for one in replayed if way.name in one.forecasts]
        if own:
            seen = [one.event.seen for one in own]
            scores = calibrate([one.forecasts[way.name] for one in own], seen)
            overall[way.name] = Judged(scores, calibrate([one.forecasts[first] for one in own], seen).crps)
    return overall


class _Days:
    """The facts of the days that are replayed; each is read once."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self._facts: dict[Question, Inputs] = {}
        self._gathered: dict[Question, EngineInputs] = {}

    def facts(self, when: Question) -> Inputs:
        """Return the warehouse's frames."""
        return self._facts.setdefault(when, Inputs(self.warehouse, when))

    def gathered(self, when: Question) -> EngineInputs:
        """Return the engine's frames."""
        if when not in self._gathered:
            self._gathered[when] = gather(self.facts(when))
        return self._gathered[when]


def _event(outcome: Outcome, replay: Replay, days: _Days, ruleset: RuleSet, numbers: Numbers) -> Event:
    when = Question(replay.as_of, replay.known_at, str(outcome.row["exporter"]))
    question = question_of(outcome, days.facts(when), replay.window_share)
    own = answer(days.gathered(when), ruleset, numbers, question)
    before = replace(when, as_of=when.as_of - A_YEAR, known_at=when.known_at - A_YEAR)
    change = _change(days.facts(before), days.facts(when), question)
    return Event(outcome.name, outcome.episode, outcome.seen, own, change)


def _change(before: Inputs, after: Inputs, question: WindowQuestion) -> float | None:
    """Return the share by which the flow fell in the last year that was known; None where no two years are."""
    try:
        (old_year, old), (year, new) = _traded(before, question), _traded(after, question)
    except NoTradeError:
        return None
    return 1.0 - new / old if old_year < year and old > 0 else None


def _traded(facts: Inputs, question: WindowQuestion) -> tuple[int, float]:
    """Return the latest year, and the tonnes of the flow in it."""
    flows = facts.flows.filter(
        pl.col("exporter") == facts.curbing_country, pl.col("mineral").is_in(question.minerals)
    )
    if question.stage:
        flows = flows.filter(pl.col("stage") == question.stage)
    if question.importers:
        flows = flows.filter(pl.col("importer").is_in(question.importers))
    return max(flows["trade_year"].to_list(), default=0), float(flows["latest_t"].sum())
