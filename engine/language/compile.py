"""A rule on a day becomes three narwhals expressions: low, best and high.

The same expressions run on polars, DuckDB, PySpark and Daft. Modulo, rounding, casts from float to integer and NaN
are kept out, since engines differ there. Each end of a range feature is read from its own column; a number under a
falling shape takes the opposite end, so that low ≤ best ≤ high.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce
from operator import add, and_, mul, or_

import narwhals.stable.v2 as nw

from engine.language.rules import Category, Condition, Feature, Range, Rule, RuleSet, Value, resolve
from ground.words import ENDS

OPPOSITE = {"low": "high", "best": "best", "high": "low"}
NOTHING = nw.lit(None, dtype=nw.Float64)
Points = Sequence[tuple[Category, Range]]


def compile_rule(rule: Rule, features: Mapping[str, Feature], on: date) -> tuple[nw.Expr, nw.Expr, nw.Expr]:
    """Return low, best and high of a rule as expressions over the features' columns; null where it does not apply."""
    low, best, high = (_at_end(rule, features, on, end) for end in ENDS)
    if not _may_leave_order(rule, features):
        return low, best, high
    # An end may have another category than best, to which the rule need not apply: then it stays unknown.
    both = ~best.is_null()
    ordered_low = nw.when(both & ~low.is_null()).then(nw.min_horizontal(low, best)).otherwise(low)
    ordered_high = nw.when(both & ~high.is_null()).then(nw.max_horizontal(high, best)).otherwise(high)
    return ordered_low, best, ordered_high


def _may_leave_order(rule: Rule, features: Mapping[str, Feature]) -> bool:
    """Return whether the ends of the value may be out of order: a range is read, or a line is rounded."""
    read = [condition.feature for condition in rule.conditions] + [rule.score.on] * bool(rule.score.on)
    return rule.score.shape == "linear" or any(features[name].is_range for name in read)


def _at_end(rule: Rule, features: Mapping[str, Feature], on: date, end: str) -> nw.Expr:
    value = _score(rule, features, on, end)
    if not rule.conditions:
        return value
    return nw.when(applies(rule, features, on, end)).then(value).otherwise(NOTHING)


def _column(feature: Feature, end: str) -> nw.Expr:
    return nw.col(f"{feature.name}_{end}" if feature.is_range else feature.name)


def _condition(rule: Rule, condition: Condition, feature: Feature, on: date, end: str) -> nw.Expr:
    column = _column(feature, end)
    if not condition.is_stretch:
        equals = [column == value for value in condition.listed(on)]
        return reduce(or_, equals) if equals else nw.lit(False)  # noqa: FBT003 - a bloc without members
    parts = []
    if condition.at_least is not None:
        parts.append(column >= _number(condition.at_least, rule, on))
    if condition.below is not None:
        parts.append(column < _number(condition.below, rule, on))
    return reduce(and_, parts)


def _number(value: Value, rule: Rule, on: date) -> float:
    return resolve(value, rule.parameters, on).best


def _score(rule: Rule, features: Mapping[str, Feature], on: date, end: str) -> nw.Expr:
    score = rule.score
    if score.value is not None:
        return _lit(resolve(score.value, rule.parameters, on).end(end))
    feature = features[score.on]
    points: Points = [(x, resolve(value, rule.parameters, on)) for x, value in score.points]
    falls = points[0][1].best > points[-1][1].best
    at = OPPOSITE[end] if feature.is_range and feature.type == "number" and falls else end
    x = _column(feature, at)
    unknown = (
        NOTHING if rule.if_unknown is None else _lit(resolve(rule.if_unknown, rule.parameters, on).end(end))
    )
    if score.shape == "lookup":
        return _lookup(x, points, end, unknown)
    edges, heights = [float(key) for key, _ in points], [value.end(end) for _, value in points]
    shaped = _bands(x, edges, heights) if score.shape == "bands" else _linear(x, edges, heights)
    return nw.when(~x.is_null()).then(shaped).otherwise(unknown)


def _lit(value: float) -> nw.Expr:
    return nw.lit(float(value), dtype=nw.Float64)


def _lookup(x: nw.Expr, points: Points, end: str, unknown: nw.Expr) -> nw.Expr:
    found = unknown
    for key, value in reversed(points):
        found = nw.when(x == key).then(_lit(value.end(end))).otherwise(found)
    return found


def _bands(x: nw.Expr, edges: list[float], heights: list[float]) -> nw.Expr:
    found = _lit(heights[0])
    for edge, height in zip(edges[1:], heights[1:], strict=True):
        found = nw.when(x >= edge).then(_lit(height)).otherwise(found)
    return found


def _linear(x: nw.Expr, edges: list[float], heights: list[float]) -> nw.Expr:
    found = _lit(heights[-1])
    for i in range(len(edges) - 1, 0, -1):
        share = (x - edges[i - 1]) / (edges[i] - edges[i - 1])
        line = _lit(heights[i - 1]) + share * (heights[i] - heights[i - 1])
        found = nw.when(x <= edges[i]).then(line).otherwise(found)
    return nw.when(x <= edges[0]).then(_lit(heights[0])).otherwise(found)


def applies(rule: Rule, features: Mapping[str, Feature], on: date, end: str) -> nw.Expr:
    """Return whether the filters of a rule, which must have some, hold at an end."""
    return reduce(and_, (_condition(rule, c, features[c.feature], on, end) for c in rule.conditions))


def made_of(parts: Sequence[str], combine: str) -> list[nw.Expr]:
    """Return ``value_low, _best, _high`` of a factor from its parts' ``{part}_{end}``; unknown if one of them is."""
    together = mul if combine == "product" else add
    return [
        reduce(together, (nw.col(f"{part}_{end}") for part in parts)).alias(f"value_{end}") for end in ENDS
    ]


def compile_factor(ruleset: RuleSet, factor: str, on: date) -> dict[str, nw.Expr]:
    """Map ``{rule_id}_{end}`` to its expression, for every rule that sets a factor on a day, in combining order."""
    compiled = {}
    for rule in ruleset.for_factor(factor, on):
        for end, expression in zip(ENDS, compile_rule(rule, ruleset.features, on), strict=True):
            compiled[f"{rule.id}_{end}"] = expression
    return compiled


def combine_expressions(rule_ids: Sequence[str], combine: str) -> list[nw.Expr]:
    """Return ``value_low, value_best, value_high, rule_id`` out of the rules' columns (see ``compile_factor``)."""
    ends = [_combined([nw.col(f"{rule}_{end}") for rule in rule_ids], combine) for end in ENDS]
    low, best, high = ends
    deciding = nw.lit(None, dtype=nw.String)
    columns = [nw.col(f"{rule}_best") for rule in rule_ids]
    top = columns[0] if len(columns) == 1 else nw.max_horizontal(*columns)
    for rule, column in reversed(list(zip(rule_ids, columns, strict=True))):
        decides = ~column.is_null() if combine == "first" else column == top
        deciding = nw.when(decides).then(nw.lit(rule)).otherwise(deciding)
    ordered_low = nw.when(~low.is_null()).then(nw.min_horizontal(low, best)).otherwise(low)
    ordered_high = nw.when(~high.is_null()).then(nw.max_horizontal(high, best)).otherwise(high)
    return [
        ordered_low.alias("value_low"),
        best.alias("value_best"),
        ordered_high.alias("value_high"),
        deciding.alias("rule_id"),
    ]


def _combined(columns: list[nw.Expr], combine: str) -> nw.Expr:
    if len(columns) == 1:
        return columns[0]
    if combine == "strongest":
        return nw.max_horizontal(*columns)
    if combine == "first":
        return nw.coalesce(*columns)
    known = ~nw.coalesce(*columns).is_null()
    if combine == "sum":
        return nw.when(known).then(nw.sum_horizontal(*columns)).otherwise(NOTHING)
    # A rule that does not apply takes nothing away; this is the absence of a rule, not an unknown.
    kept = reduce(mul, (1.0 - column.fill_null(0.0) for column in columns))
    return nw.when(known).then(1.0 - kept).otherwise(NOTHING)
