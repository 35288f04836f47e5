"""Which values of the rules move the portfolio: each is set to the ends of its own range, one at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from engine.language.rules import Parameter, Range, Rule, RuleSet, Value
from engine.scoring.ranges import Array
from engine.scoring.score import band_index
from engine.trials.rescore import ROUTE_KEYS, Rescorer, RouteScores

SCORECARD = "scorecard"
MOVED = 0.05  # points of priority: less is not seen where one digit is printed
ENDS = ("low", "high")


@dataclass(frozen=True)
class Lever:
    """A range that holds on a day: a dated parameter, or a range written in the score itself.

    Attributes:
        name: ``$parameter``, ``value``, ``if_unknown``, or the point of the shape that it belongs to.
        rule_id: the rule that has it, or ``scorecard``.
        factor: what the rule sets; None for the scorecard, which anything may read.
        reference: key of what bears it; empty where the rule's rationale does.
    """

    name: str
    rule_id: str
    factor: str | None
    unit: str
    span: Range
    reference: str


@dataclass(frozen=True)
class Move:
    """The keys of a route, and how its priority changes."""

    route: tuple[str, ...]
    change: float


@dataclass(frozen=True)
class Effect:
    """What becomes of the routes when a value's best is set to one of its ends.

    Attributes:
        mean_change: mean of the absolute changes of priority over the routes that any lever moves, weighted by USD;
            a route whose USD is unknown has no weight.
        moved, bands_changed: how many routes' priority moves, and how many routes' score changes its band.
        largest: the route whose priority moves most, whatever it is worth; None where none moves.
        heaviest: the route with the largest part in ``mean_change``; None where none has one.
    """

    mean_change: float
    moved: int
    bands_changed: int
    largest: Move | None
    heaviest: Move | None


@dataclass(frozen=True)
class LeverEffects:
    """A lever with the effects of its low and high end; an end that is best itself has none."""

    lever: Lever
    effects: Mapping[str, Effect]

    @property
    def size(self) -> float:
        """The larger of the mean changes."""
        return max((effect.mean_change for effect in self.effects.values()), default=0.0)


@dataclass(frozen=True)
class Sensitivity:
    """Every lever, the largest mean change first.

    Attributes:
        routes, usd: of all routes that were scored.   moved, moved_usd: of those that any lever moves.
    """

    levers: tuple[LeverEffects, ...]
    routes: int
    usd: float
    moved: int
    moved_usd: float


def levers(ruleset: RuleSet, on: date) -> list[Lever]:
    """Return every range of the scorecard and of the rules in effect on a day; single numbers have no ends."""
    card = ruleset.scorecard
    found = _of_parameters(card.parameters, SCORECARD, None, on)
    for rule in ruleset.rules:
        if rule.stands_on(on):
            found += _of_parameters(rule.parameters, rule.id, rule.sets, on)
            found += [
                Lever(name, rule.id, rule.sets, card.factors[rule.sets].unit, value, "")
                for name, value in _written(rule).items()
                if isinstance(value, Range)
            ]
    return [lever for lever in found if lever.span.low < lever.span.high]


def _of_parameters(
    parameters: Mapping[str, Parameter], rule_id: str, factor: str | None, on: date
) -> list[Lever]:
    found = []
    for parameter in parameters.values():
        standing = [value for value in parameter.values if value.start <= on]
        if standing:
            last = standing[-1]
            found.append(
                Lever(f"${parameter.name}", rule_id, factor, parameter.unit, last.value, last.reference)
            )
    return found


def _written(rule: Rule) -> dict[str, Value]:
    """Return the ranges written in the score itself, by name."""
    score = rule.score
    values = {"value": score.value, "if_unknown": rule.if_unknown}
    values |= {f"{score.on} {key}": value for key, value in score.points}
    return {name: value for name, value in values.items() if value is not None}


def with_best_at(ruleset: RuleSet, lever: Lever, end: str, on: date) -> RuleSet:
    """Return the rules with a lever's best value at one of its ends; the range stays."""
    at = lever.span.end(end)
    span = replace(lever.span, best=at)
    if lever.rule_id == SCORECARD:
        card = ruleset.scorecard
        return replace(
            ruleset, scorecard=replace(card, parameters=_set(card.parameters, lever.name, span, on))
        )
    rules = tuple(
        _rule_with(rule, lever.name, span, on) if rule.id == lever.rule_id else rule for rule in ruleset.rules
    )
    return replace(ruleset, rules=rules)


def _rule_with(rule: Rule, name: str, span: Range, on: date) -> Rule:
    if name.startswith("$"):
        return replace(rule, parameters=_set(rule.parameters, name, span, on))
    if name == "if_unknown":
        return replace(rule, if_unknown=span)
    score = rule.score
    if name == "value":
        return replace(rule, score=replace(score, value=span))
    points = tuple((key, span if f"{score.on} {key}" == name else value) for key, value in score.points)
    return replace(rule, score=replace(score, points=points))


def _set(parameters: Mapping[str, Parameter], name: str, span: Range, on: date) -> dict[str, Parameter]:
    """Return the parameters with another value in place of the day's."""
    known = parameters[name.removeprefix("$")]
    last = max(place for place, value in enumerate(known.values) if value.start <= on)
    values = tuple(
        replace(value, value=span) if place == last else value for place, value in enumerate(known.values)
    )
    return {**parameters, known.name: replace(known, values=values)}


def sensitivity(
    rescorer: Rescorer, ruleset: RuleSet, progress: Callable[[int, int], None] = lambda _done, _of: None
) -> Sensitivity:
    """Return the effect of every lever, one at a time.

    Args:
        rescorer: made of the same rules.
        ruleset: checked rules.
        progress: told after each lever how many of all are done.
    """
    on = rescorer.inputs.as_of
    known = levers(ruleset, on)
    weight = rescorer.routes["route_usd"].fill_null(0.0).to_numpy()
    moves = np.zeros(len(weight), dtype=bool)
    found: list[tuple[Lever, dict[str, Effect]]] = []
    for done, lever in enumerate(known, start=1):
        effects = {}
        for end in ENDS:
            if lever.span.end(end) != lever.span.best:
                after = rescorer.scores(with_best_at(ruleset, lever, end, on), lever.factor)
                change = after.priority - rescorer.before.priority
                moves |= np.abs(change) >= MOVED
                effects[end] = _effect(rescorer, ruleset, after, change, weight)
        found.append((lever, effects))
        progress(done, len(known))
    total = float(weight[moves].sum())
    every = [
        LeverEffects(lever, {end: _per_usd(effect, total) for end, effect in effects.items()})
        for lever, effects in found
    ]
    every.sort(key=lambda one: (-one.size, one.lever.rule_id, one.lever.name))
    return Sensitivity(tuple(every), len(weight), float(weight.sum()), int(moves.sum()), total)


def _effect(rescorer: Rescorer, ruleset: RuleSet, after: RouteScores, change: Array, weight: Array) -> Effect:
    """Return the effect of one end; its mean is not yet divided by the USD."""
    edges = [band.start for band in ruleset.scorecard.bands]
    bands = band_index(rescorer.before.score, edges) != band_index(after.score, edges)
    size = np.abs(change)
    size[size < MOVED] = 0.0

    def most(by: Array) -> Move | None:
        place = int(by.argmax())
        route = rescorer.routes.select(ROUTE_KEYS).row(place)
        return Move(route, float(change[place])) if by[place] > 0 else None

    mean = float((size * weight).sum())
    return Effect(mean, int((size > 0).sum()), int(bands.sum()), most(size), most(size * weight))


def _per_usd(effect: Effect, usd: float) -> Effect:
    return replace(effect, mean_change=effect.mean_change / usd if usd > 0 else 0.0)
