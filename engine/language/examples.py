"""Inline tests of rules: run, and compared field by field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import narwhals.stable.v2 as nw
import polars as pl

from engine.language.branches import UNKNOWN, known
from engine.language.compile import applies
from engine.language.errors import Problem
from engine.language.evaluation import evaluate_each
from engine.language.rules import Example, Feature, Range, Rule, RuleSet
from ground.words import ENDS

TOLERANCE = 1e-9


@dataclass(frozen=True)
class ExampleResult:
    """One inline test: what was wanted and what came out (None: not applicable)."""

    rule_id: str
    name: str
    want: Range | None
    got: Range | None
    problem: Problem | None

    @property
    def passed(self) -> bool:
        """Whether it came out as wanted."""
        return self.problem is None

    @property
    def suite(self) -> str:
        """What a report files it under: its rule."""
        return self.rule_id


@dataclass(frozen=True)
class ExampleReport:
    """All inline tests."""

    results: Sequence[ExampleResult]

    @property
    def problems(self) -> list[Problem]:
        """The failures (R080), by place."""
        return sorted(result.problem for result in self.results if result.problem is not None)


def run_examples(ruleset: RuleSet) -> ExampleReport:
    """Run every inline test of every rule that is not retired."""
    results = []
    for rule in ruleset.rules:
        if rule.status == "active":
            results += _run_rule(ruleset, rule, rule.examples)
    return ExampleReport(results)


def run_example(ruleset: RuleSet, rule: Rule, example: Example) -> ExampleResult:
    """Run one inline test of one rule, alone: other rules of its factor have no say."""
    return _run_rule(ruleset, rule, [example])[0]


def _run_rule(ruleset: RuleSet, rule: Rule, examples: Sequence[Example]) -> list[ExampleResult]:
    """Return the tests of one rule in their order; those of one day share a frame, so that the rule compiles once."""
    alone = RuleSet(ruleset.features, ruleset.scorecard, (rule,))
    read = {rule.score.on, *(condition.feature for condition in rule.conditions)}
    features = {name: feature for name, feature in ruleset.features.items() if name in read}
    found: dict[int, list[float | None]] = {}
    asked: set[int] = set()  # where a rule that may stay unknown applies
    for day in sorted({example.on for example in examples}):
        places = [place for place, example in enumerate(examples) if example.on == day]
        if not rule.stands_on(day):
            found |= {place: [None, None, None] for place in places}
            continue
        if not features:  # a constant without a filter: any frame of that height will do
            frame = pl.DataFrame({"row": places})
        else:
            frame = pl.concat([given_frame(features, examples[place].given) for place in places])
        each = evaluate_each(alone, rule.sets, frame, on=day).select(f"{rule.id}_{end}" for end in ENDS)
        rows = list(each.iter_rows()) * (len(places) if each.height == 1 < len(places) else 1)
        found |= {place: list(row) for place, row in zip(places, rows, strict=True)}
        if rule.stays_unknown and rule.conditions:
            told = nw.from_native(frame).select(applies(rule, features, day, "best").alias("applies"))
            asked |= {
                place for place, holds in zip(places, told.to_native()["applies"], strict=True) if holds
            }
        elif rule.stays_unknown:
            asked |= set(places)
    return [
        _compared(rule, example, found[place], is_asked=place in asked)
        for place, example in enumerate(examples)
    ]


def _compared(rule: Rule, example: Example, ends: list[float | None], *, is_asked: bool) -> ExampleResult:
    got = None if ends[1] is None else Range(*(float(end if end is not None else ends[1]) for end in ends))
    is_unknown = got is None and is_asked
    differences = _differences(example.expect, got)
    if is_unknown != example.is_unknown:
        differences = [
            f"want {_show(example.expect, is_unknown=example.is_unknown)}, got {_show(got, is_unknown=is_unknown)}"
        ]
    problem = None
    if differences:
        problem = Problem(
            example.at,
            "R080",
            f"test '{example.name}' of {rule.id} failed: {'; '.join(differences)}",
            "correct the rule, or the expectation if the rule is right",
        )
    return ExampleResult(rule.id, example.name, example.expect, got, problem)


def _differences(want: Range | None, got: Range | None) -> list[str]:
    if want is None or got is None:
        return [] if want is got else [f"want {_show(want)}, got {_show(got)}"]
    return [
        f"{end}: want {want.end(end):g}, got {got.end(end):g}"
        for end in ENDS
        if abs(want.end(end) - got.end(end)) > TOLERANCE
    ]


def _show(value: Range | None, *, is_unknown: bool = False) -> str:
    if is_unknown:
        return UNKNOWN
    return "not applicable" if value is None else f"[{value.low:g}, {value.best:g}, {value.high:g}]"


def given_row(features: Mapping[str, Feature], given: Mapping[str, object]) -> dict[str, object]:
    """Return a row with every feature's columns: what is given, and null for the rest."""
    row: dict[str, object] = {}
    for feature in features.values():
        value = known(feature, given.get(feature.name))
        values = value if isinstance(value, tuple) else (value,) * len(feature.columns)
        row.update(zip(feature.columns, values, strict=False))
    return row


def given_frame(features: Mapping[str, Feature], given: Mapping[str, object]) -> pl.DataFrame:
    """Return the same row as a frame with the features' types."""
    row = given_row(features, given)
    types: dict[str, pl.DataType | type[pl.DataType]] = {}
    for feature in features.values():
        for column in feature.columns:
            types[column] = column_type(feature)
    return pl.DataFrame({name: [value] for name, value in row.items()}, schema=types, strict=False)


def column_type(feature: Feature) -> "type[pl.DataType]":
    """Return the polars type of a feature's columns."""
    if feature.type == "category" and feature.values and all(isinstance(v, int) for v in feature.values):
        return pl.Int64
    return {"number": pl.Float64, "bool": pl.Boolean, "date": pl.Date}.get(feature.type, pl.String)
