"""Checks of what a rule's score is made of: points, categories, ends and units."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise

from engine.language.errors import Location, Problem, did_you_mean
from engine.language.rules import Feature, Range, Rule, Value, resolve
from ground.words import ENDS


def check_score(rule: Rule, feature: Feature | None, unit: str, days: Sequence[date]) -> Iterator[Problem]:
    """Yield problems of the shape itself, and of its values on every day on which one changes."""
    if feature is not None:
        yield from _points(rule, feature)
    values = [(rule.score.value, rule.score.at), (rule.if_unknown, rule.place("if_unknown"))]
    values += [(value, at) for (_, value), at in zip(rule.score.points, rule.score.places, strict=True)]
    for value, at in values:
        if value is not None:
            yield from _unit(rule, value, at, unit, days)
    if rule.score.shape in ("bands", "linear") and rule.score.rises:
        yield from _turns(rule, days)


def _on(rule: Rule, value: Value, day: date) -> Range | None:
    try:
        return resolve(value, rule.parameters, day)
    except LookupError:
        return None  # R022 or R024 says it already


def _points(rule: Rule, feature: Feature) -> Iterator[Problem]:
    score = rule.score
    keys = [key for key, _ in score.points]
    if not keys:
        yield Problem(score.at, "R008", "the score has no points", "add at least one")
        return
    if score.shape == "lookup":
        yield from _cases(rule, feature)
        return
    if feature.type != "number":
        yield Problem(
            score.at,
            "R009",
            f"{score.shape} needs a number, and '{feature.name}' is a {feature.type}",
            "use lookup",
        )
        return
    for (lower, upper), at in zip(pairwise(keys), score.places[1:], strict=True):
        if not isinstance(lower, int | float) or not isinstance(upper, int | float) or lower >= upper:
            yield Problem(
                at,
                "R030",
                f"the points do not rise: {lower} comes before {upper}",
                "list them from low to high",
            )


def _cases(rule: Rule, feature: Feature) -> Iterator[Problem]:
    """Check the cases of a lookup: they are the categories that can occur, all of them and no others."""
    score = rule.score
    keys = [key for key, _ in score.points]
    if feature.type not in ("category", "bool"):
        yield Problem(
            score.at,
            "R009",
            f"a lookup needs categories, and '{feature.name}' is a {feature.type}",
            "use bands or linear",
        )
        return
    values = feature.values if feature.type == "category" else (True, False)
    for key, at in zip(keys, score.places, strict=True):
        if key not in values:
            yield Problem(
                at,
                "R011",
                f"unknown {feature.name} '{key}'",
                did_you_mean(str(key), [str(v) for v in values]),
            )
    allowed = _allowed(rule, feature) or values
    for key, at in zip(keys, score.places, strict=True):
        if key in values and key not in allowed:
            found = f"the case '{key}' is never reached: applies_when lets only {_listed(allowed)} through"
            yield Problem(at, "R035", found, "remove the case, or widen the filter")
    for value in allowed:
        if value not in keys:
            yield Problem(
                score.at,
                "R031",
                f"the category '{value}' of '{feature.name}' has no value",
                "add a case, or filter it out with applies_when",
            )


def _listed(values: Sequence[object]) -> str:
    return " or ".join(f"'{value}'" for value in values)


def _allowed(rule: Rule, feature: Feature) -> tuple[object, ...]:
    return next((c.values for c in rule.conditions if c.feature == feature.name and c.values), ())


def _unit(rule: Rule, value: Value, at: Location, unit: str, days: Sequence[date]) -> Iterator[Problem]:
    for day in days:
        span = _on(rule, value, day)
        if span is not None and unit == "share" and not (span.low >= 0 and span.high <= 1):
            yield Problem(
                at,
                "R015",
                f"'{rule.sets}' is a share, but {span.low:g}..{span.high:g} leaves 0..1",
                "write shares between 0 and 1",
            )
        if span is not None and unit == "days" and span.low < 0:
            yield Problem(
                at,
                "R015",
                f"'{rule.sets}' is in days, but {span.low:g} is below 0",
                "write days from 0",
            )
        if isinstance(value, Range):
            return


def _turns(rule: Rule, days: Sequence[date]) -> Iterator[Problem]:
    """Check that a shape only rises or only falls at every end; otherwise low, best and high would change places."""
    for day in days:
        spans = [_on(rule, value, day) for _, value in rule.score.points]
        known = [span for span in spans if span is not None]
        if len(known) < len(spans):
            return
        directions = set()
        for end in ENDS:
            for lower, upper in pairwise(known):
                step = upper.end(end) - lower.end(end)
                if step:
                    directions.add(step > 0)
        if len(directions) > 1:
            yield Problem(
                rule.score.at,
                "R032",
                f"the shape turns back on {day}: it must only rise or only fall",
                "split the rule in two",
            )
            return
