"""Forty rules for the speed benchmark: as data, as rule files, and by hand in polars.

34 rules are a condition and a constant, and only those can be put to other rule engines; six turn a number into a range.
All set one factor whose values are added.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import polars as pl

from ground.words import HORIZONS

ON = date(2026, 11, 23)
FACTOR = "exposure"
ENDS = ("low", "best", "high")
INSTRUMENTS = ("export_licence", "export_ban", "quota", "informal_halt", "entity_ban", "technology_control", "export_tax", "none")  # fmt: skip
CLASSES = ("favoured", "ordinary", "dispute")
STAGES = ("mined", "refined", "metal", "fabricated")
Condition = dict[str, Any]  # feature to a value, a list of values, or {at_least, below}
Triple = tuple[float, float, float]

CONDITIONS: list[tuple[Condition, Triple]] = [
    (
        {"instrument": instrument, "destination_class": name, "stage": [STAGES[(i + j) % 4], STAGES[(i + j + 1) % 4]]},
        (round(0.01 * (i + j), 3), round(0.02 * (i + j) + 0.01, 3), round(0.03 * (i + j) + 0.02, 3)),
    )
    for i, instrument in enumerate(INSTRUMENTS)
    for j, name in enumerate(CLASSES)
] + [
    ({"concentration": {"at_least": 0.5}, "horizon_days": 365}, (0.05, 0.1, 0.2)),
    ({"concentration": {"at_least": 0.25, "below": 0.5}, "horizon_days": [90, 365]}, (0.02, 0.05, 0.1)),
    ({"concentration": {"below": 0.25}}, (0.0, 0.01, 0.02)),
    ({"instability": {"at_least": 0.6}, "is_small_lane": True}, (0.1, 0.2, 0.3)),
    ({"instability": {"at_least": 0.6}, "is_small_lane": False}, (0.05, 0.1, 0.2)),
    ({"instability": {"below": 0.3}, "destination_class": ["favoured", "ordinary"]}, (0.0, 0.02, 0.03)),
    ({"lane_share": {"at_least": 0.1}, "instrument": ["export_ban", "quota"]}, (0.1, 0.15, 0.3)),
    ({"lane_share": {"below": 0.02}, "stage": "fabricated", "horizon_days": 90}, (0.0, 0.05, 0.4)),
    ({"is_small_lane": True, "destination_class": "dispute"}, (0.2, 0.25, 0.5)),
    ({"horizon_days": 1825, "stage": ["mined", "refined"]}, (0.03, 0.06, 0.09)),
]  # fmt: skip
# feature, shape, points, value where unknown
SHAPES: list[tuple[str, str, list[tuple[float | int | str, Triple]], Triple | None]] = [
    (
        "touched_share",
        "linear",
        [(0, (0, 0, 0)), (0.5, (0.1, 0.2, 0.4)), (1, (0.3, 0.5, 0.8))],
        (0, 0.2, 0.8),
    ),
    ("quota_share", "linear", [(0, (0.8, 0.9, 1)), (1, (0, 0, 0))], (0, 0.1, 0.3)),
    (
        "stock_days",
        "bands",
        [(0, (0.4, 0.5, 0.6)), (30, (0.2, 0.3, 0.4)), (90, (0, 0.1, 0.2))],
        (0, 0.3, 0.6),
    ),
    ("switch_share", "linear", [(0, (0.2, 0.3, 0.4)), (1, (0, 0, 0.1))], (0, 0.1, 0.4)),
    ("lane_share", "bands", [(0, (0, 0, 0.1)), (0.02, (0, 0.05, 0.1)), (0.1, (0.1, 0.1, 0.2))], None),
    ("horizon_days", "lookup", [(90, (0, 0.1, 0.2)), (365, (0.1, 0.2, 0.3)), (1825, (0.2, 0.3, 0.4))], None),
]
RANGES = ("touched_share", "quota_share", "switch_share")

_FEATURES: dict[str, str] = {
    "instrument": f"type: category, values: [{', '.join(INSTRUMENTS)}], known: true, range: false",
    "destination_class": f"type: category, values: [{', '.join(CLASSES)}], known: true, range: false",
    "stage": f"type: category, values: [{', '.join(STAGES)}], known: true, range: false",
    "horizon_days": "type: category, values: [90, 365, 1825], known: true, range: false",
    "concentration": "type: number, unit: share, known: true, range: false",
    "instability": "type: number, unit: share, known: true, range: false",
    "is_small_lane": "type: bool, known: true, range: false",
    "lane_share": "type: number, unit: share, known: true, range: false",
    "stock_days": "type: number, unit: days, known: false, range: false",
    **dict.fromkeys(RANGES, "type: number, unit: share, known: false, range: true"),
}


def rule_id(number: int) -> str:
    """`r00` and so on, in the order of conditions, then shapes."""
    return f"r{number:02}"


def texts() -> dict[str, str]:
    """The forty rules as files, with a catalogue, a scorecard and inline tests."""
    features = "".join(
        f"  {name}: {{meaning: bench, grain: [lane], from: warehouse, pass: 1, {more}}}\n"
        for name, more in _FEATURES.items()
    )
    found = {
        "features.yml": f"version: 1\nfeatures:\n{features}",
        "scorecard.yml": "version: 1\nmethod: bench\nfactors:\n"
        f"  {FACTOR}: {{grain: lane, pass: 1, combine: sum, unit: points}}\nreferences: {{}}\nparameters: {{}}\n",
    }
    for number, (condition, value) in enumerate(CONDITIONS):
        score = f"applies_when:\n{_filters(condition)}score: {{value: {list(value)}}}\n"
        tests = [
            (_given(condition, hits=True), str(list(value))),
            (_given(condition, hits=False), "not_applicable"),
        ]
        found[f"{rule_id(number)}.yml"] = _rule(number, score, tests)
    for number, (feature, shape, points, unknown) in enumerate(SHAPES, start=len(CONDITIONS)):
        key = {"lookup": "cases", "bands": "bands", "linear": "points"}[shape]
        if shape == "bands":
            written = "[" + ", ".join(f"{{from: {x}, value: {list(v)}}}" for x, v in points) + "]"
        else:
            written = "{" + ", ".join(f"{x}: {list(v)}" for x, v in points) + "}"
        score = f"score:\n  on: {feature}\n  shape: {shape}\n  {key}: {written}\n"
        tests = [(f"{feature}: {x}", str(list(v))) for x, v in points]
        if shape == "linear":
            for (x, low), (y, high) in pairwise(points):
                middle = [(a + b) / 2 for a, b in zip(low, high, strict=True)]
                tests.append((f"{feature}: {(float(x) + float(y)) / 2}", str(middle)))
        if unknown is not None:
            score += f"if_unknown: {list(unknown)}\n"
            tests.append((f"{feature}: unknown", str(list(unknown))))
        found[f"{rule_id(number)}.yml"] = _rule(number, score, tests)
    return found


def _rule(number: int, score: str, tests: list[tuple[str, str]]) -> str:
    name = rule_id(number)
    listed = "".join(
        f"  - {{name: t{i}, as_of: 2026-01-01, given: {{{given}}}, expect: {expect}}}\n"
        for i, (given, expect) in enumerate(tests)
    )
    return (
        f"id: {name}\ntitle: Rule {name}\nstatus: active\nversion: 1\nowner: bench\nrationale: A rule to be timed.\n"
        f"references: {{}}\neffective: {{from: 2020-01-01}}\nsets: {FACTOR}\n{score}"
        f'explain: "It adds {{{FACTOR}:points}}."\ntests:\n{listed}'
    )


def _filters(condition: Condition) -> str:
    def shown(value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{key}: {edge}" for key, edge in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(str, value)) + "]"
        return str(value).lower() if isinstance(value, bool) else str(value)

    return "".join(f"  {feature}: {shown(value)}\n" for feature, value in condition.items())


def _given(condition: Condition, *, hits: bool) -> str:
    """One value per feature; where it must miss, the last one fails."""
    given = {}
    for feature, value in condition.items():
        if isinstance(value, dict):
            given[feature] = value.get("at_least", 0.0)
        else:
            given[feature] = value[0] if isinstance(value, list) else value
    if not hits:
        feature, value = list(condition.items())[-1]
        other = {
            "stage": STAGES,
            "destination_class": CLASSES,
            "horizon_days": HORIZONS,
            "instrument": INSTRUMENTS,
        }
        if isinstance(value, dict):
            given[feature] = 0.99 if "below" in value else 0.0
        elif isinstance(value, bool):
            given[feature] = not value
        else:
            taken = value if isinstance(value, list) else [value]
            given[feature] = next(one for one in other[feature] if one not in taken)
    return ", ".join(f"{k}: {str(v).lower() if isinstance(v, bool) else v}" for k, v in given.items())


def by_hand(lanes: pl.LazyFrame, keys: list[str]) -> pl.LazyFrame:
    """What an analyst would write in polars for the same four columns: one column per rule and end, then their sums."""
    each: dict[str, list[pl.Expr]] = {end: [] for end in ENDS}
    for condition, value in CONDITIONS:
        tests = []
        for feature, wanted in condition.items():
            column = pl.col(feature)
            if isinstance(wanted, dict):
                tests += [column >= wanted["at_least"]] if "at_least" in wanted else []
                tests += [column < wanted["below"]] if "below" in wanted else []
            else:
                tests.append(column.is_in(wanted) if isinstance(wanted, list) else column == wanted)
        hit = tests[0]
        for test in tests[1:]:
            hit &= test
        for end, number in zip(ENDS, value, strict=True):
            each[end].append(pl.when(hit).then(pl.lit(float(number))))
    for feature, shape, points, unknown in SHAPES:
        falls = points[0][1][1] > points[-1][1][1]
        for place, end in enumerate(ENDS):
            read = ENDS[2 - place] if falls else end
            column = pl.col(f"{feature}_{read}" if feature in RANGES else feature)
            found = _shape(column, shape, [(x, float(v[place])) for x, v in points])
            if unknown is not None:
                found = pl.when(column.is_null()).then(pl.lit(float(unknown[place]))).otherwise(found)
            each[end].append(found)
    columns = {end: [f"{rule_id(n)}_{end}" for n in range(len(each[end]))] for end in ENDS}
    wide = lanes.select(
        *keys,
        *(value.alias(name) for end in ENDS for value, name in zip(each[end], columns[end], strict=True)),
    )
    top = pl.max_horizontal(columns["best"])
    deciding = pl.lit(None, dtype=pl.String)
    for number, name in reversed(list(enumerate(columns["best"]))):
        deciding = pl.when(pl.col(name) == top).then(pl.lit(rule_id(number))).otherwise(deciding)
    sums = [pl.sum_horizontal(columns[end]).alias(f"value_{end}") for end in ENDS]
    return wide.select(*keys, *sums, deciding.alias("rule_id"))


def _shape(column: pl.Expr, shape: str, points: list[tuple[Any, float]]) -> pl.Expr:
    if shape == "lookup":
        return column.replace_strict(dict(points), default=None, return_dtype=pl.Float64)
    found = pl.lit(points[0][1])
    for (x, y), (before, height) in zip(points[1:], points, strict=False):
        line = pl.lit(y) if shape == "bands" else height + (column - before) / (x - before) * (y - height)
        found = pl.when(column >= (x if shape == "bands" else before)).then(line).otherwise(found)
    if shape == "linear":
        found = pl.when(column >= points[-1][0]).then(pl.lit(points[-1][1])).otherwise(found)
    return found
