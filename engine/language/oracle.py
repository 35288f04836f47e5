"""Rules evaluated row by row in plain Python: slow, independent of `engine.language.compile`, and its judge in tests."""

from collections.abc import Mapping, Sequence
from datetime import date

from engine.language.rules import Category, Condition, Feature, Range, Rule, RuleSet, resolve
from ground.words import ENDS

Row = Mapping[str, object]
Ends = tuple[float, float, float]


def evaluate_rule(rule: Rule, features: Mapping[str, Feature], row: Row, on: date) -> list[float | None]:
    """Return low, best and high of one rule on one row; None at an end where it does not apply.

    A range feature is given as ``name_low, name_best, name_high``.
    """
    found = [_at_end(rule, features, row, on, end) for end in ENDS]
    return _in_order(found)


def _in_order(ends: list[float | None]) -> list[float | None]:
    """Put three ends in order: low never above best, high never below; an unknown end stays unknown."""
    low, best, high = ends
    if best is None:
        return ends
    return [None if low is None else min(low, best), best, None if high is None else max(high, best)]


def _at_end(rule: Rule, features: Mapping[str, Feature], row: Row, on: date, end: str) -> float | None:
    if not rule.stands_on(on):
        return None
    for condition in rule.conditions:
        if not holds(rule, condition, read(features[condition.feature], row, end), on):
            return None
    score = rule.score
    if score.value is not None:
        return resolve(score.value, rule.parameters, on).end(end)
    feature = features[score.on]
    points = [(x, resolve(value, rule.parameters, on)) for x, value in score.points]
    other = {"low": "high", "high": "low", "best": "best"}[end]
    at = other if feature.is_range and feature.type == "number" and _falls(points) else end
    given = read(feature, row, at)
    if given is None:
        return None if rule.if_unknown is None else resolve(rule.if_unknown, rule.parameters, on).end(end)
    if score.shape == "lookup":
        for key, value in points:
            if key == given or str(key) == str(given):
                return value.end(end)
        return None if rule.if_unknown is None else resolve(rule.if_unknown, rule.parameters, on).end(end)
    return _shaped(score.shape, float(given), points, end)  # type: ignore[arg-type]


def _shaped(shape: str, x: float, points: list[tuple[Category, Range]], end: str) -> float:
    edges = [float(key) for key, _ in points]
    heights = [value.end(end) for _, value in points]
    if shape == "bands":
        return heights[max([i for i, edge in enumerate(edges) if edge <= x], default=0)]
    if x <= edges[0]:
        return heights[0]
    for i in range(1, len(edges)):
        if x <= edges[i]:
            share = (x - edges[i - 1]) / (edges[i] - edges[i - 1])
            return heights[i - 1] + (heights[i] - heights[i - 1]) * share
    return heights[-1]


def read(feature: Feature, row: Row, end: str) -> object:
    """Return a feature's value in a row; a range feature has one for each end."""
    return row.get(f"{feature.name}_{end}" if feature.is_range else feature.name)


def _falls(points: list[tuple[Category, Range]]) -> bool:
    return points[0][1].best > points[-1][1].best


def holds(rule: Rule, condition: Condition, given: object, on: date) -> bool:
    """Return whether a filter lets a value through on a day; an unknown value passes none."""
    if given is None:
        return False
    if not condition.is_stretch:
        return any(
            value == given and isinstance(value, bool) == isinstance(given, bool)
            for value in condition.listed(on)
        )
    number = float(given)  # type: ignore[arg-type]
    if condition.at_least is not None and number < resolve(condition.at_least, rule.parameters, on).best:
        return False
    return condition.below is None or number < resolve(condition.below, rule.parameters, on).best


def evaluate(ruleset: RuleSet, factor: str, row: Row, on: date) -> list[float | None]:
    """Return low, best and high of a factor on one row; None where no rule applies."""
    setting = ruleset.scorecard.factors[factor]
    if setting.parts:
        return _together(setting.combine, [evaluate(ruleset, part, row, on) for part in setting.parts])
    combine = setting.combine
    each = [evaluate_rule(rule, ruleset.features, row, on) for rule in ruleset.for_factor(factor, on)]
    found: list[float | None] = []
    for end in range(3):
        values = [value for value in (rule[end] for rule in each) if value is not None]
        if not values:
            found.append(None)
        elif combine == "strongest":
            found.append(max(values))
        elif combine == "first":
            found.append(values[0])
        elif combine == "sum":
            found.append(sum(values))
        else:
            kept = 1.0
            for value in values:
                kept *= 1.0 - value
            found.append(1.0 - kept)
    return _in_order(found)


def total(
    ruleset: RuleSet, factor: str, rows: Sequence[Row], on: date
) -> dict[tuple[object, ...], list[float | None]]:
    """Return low, best and high of a factor that sums rows, by its ``by`` features; None where one row is unknown."""
    setting = ruleset.scorecard.factors[factor]
    groups: dict[tuple[object, ...], list[list[float | None]]] = {}
    for row in rows:
        values = _together(setting.combine, [evaluate(ruleset, part, row, on) for part in setting.parts])
        groups.setdefault(tuple(row[name] for name in setting.by), []).append(values)
    return {key: _together("sum", values) for key, values in groups.items()}


def _together(combine: str, parts: Sequence[list[float | None]]) -> list[float | None]:
    """Return the sum or product of several values, end by end."""
    found: list[float | None] = []
    for end in range(3):
        value: float | None = None
        for place, part in enumerate(parts):
            one = part[end]
            if one is None:
                value = None
                break
            if place == 0:
                value = one
            elif value is not None:
                value = value * one if combine == "product" else value + one
        found.append(value)
    return found
