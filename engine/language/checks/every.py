"""Every static check of a rule set, in one pass. Codes are stable; docs/checks has a page for each."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from engine.language.checks.codes import check_codes
from engine.language.checks.examples import check_examples, check_feature
from engine.language.checks.factors import check_factors, check_unknown
from engine.language.checks.overlaps import check_overlaps
from engine.language.checks.parameters import check_parameters
from engine.language.checks.scorecard import check_scorecard
from engine.language.checks.spreads import check_spread
from engine.language.checks.values import check_score
from engine.language.checks.words import check_explanation, check_head
from engine.language.errors import Problem, did_you_mean
from engine.language.rules import (
    Condition,
    Feature,
    ParameterRef,
    Rule,
    Scorecard,
    Value,
    is_of_type,
)
from engine.language.vocabulary import Vocabulary


def check_rules(
    features: Mapping[str, Feature],
    scorecard: Scorecard,
    rules: Sequence[Rule],
    vocabulary: Vocabulary | None = None,
) -> Iterator[Problem]:
    """Yield all problems of a rule set that could be read; codes are looked up where a vocabulary is given."""
    yield from check_scorecard(scorecard, features)
    yield from check_factors(scorecard, features)
    seen: dict[str, Rule] = {}
    for rule in rules:
        if rule.id in seen:
            yield Problem(
                rule.place("id"),
                "R060",
                f"the id '{rule.id}' is taken by {seen[rule.id].file}",
                "ids are permanent; choose a new one",
            )
        seen[rule.id] = rule
        yield from check_head(rule)
        yield from _rule(rule, features, scorecard)
        yield from check_codes(rule, vocabulary)
    yield from check_overlaps(rules, scorecard)


def _rule(rule: Rule, features: Mapping[str, Feature], scorecard: Scorecard) -> Iterator[Problem]:
    factor = scorecard.factors.get(rule.sets)
    if factor is None:
        yield Problem(
            rule.place("sets"),
            "R014",
            f"unknown factor '{rule.sets}'",
            did_you_mean(rule.sets, list(scorecard.factors)),
        )
        return
    if factor.parts:
        found = f"no rule sets '{rule.sets}': it is made of {', '.join(factor.parts)}"
        yield Problem(rule.place("sets"), "R014", found, "set one of these")
        return
    own = {name: f for name, f in features.items() if factor.grain in f.grain and f.order <= factor.order}
    used = {ref.name for ref in _parameter_refs(rule)}
    yield from check_parameters(rule.parameters, rule.references, rule.effective_from)
    for name, parameter in rule.parameters.items():
        if name not in used:
            yield Problem(
                parameter.at,
                "R023",
                f"the parameter '{name}' is not used",
                "use it as $" + name + ", or remove it",
            )
    for ref in _parameter_refs(rule):
        if ref.name not in rule.parameters:
            yield Problem(
                ref.at,
                "R024",
                f"unknown parameter '${ref.name}'",
                did_you_mean(ref.name, list(rule.parameters)),
            )
    for condition in rule.conditions:
        yield from _condition(condition, features, own, factor.grain)
    yield from _units(rule, own, factor.unit)
    yield from check_unknown(rule, factor, own, scorecard)
    yield from check_spread(rule, _change_dates(rule))
    on = rule.score.on
    if on:
        unknown = check_feature(on, rule.score.at, features, own, factor.grain)
        yield from unknown
        if not unknown:
            yield from check_score(rule, own[on], factor.unit, _change_dates(rule))
            if own[on].is_known is False and rule.if_unknown is None and not rule.stays_unknown:
                yield Problem(
                    rule.score.at,
                    "R034",
                    f"'{on}' may be unknown and the rule does not say what that scores",
                    "add if_unknown: [low, best, high]",
                )
    else:
        yield from check_score(rule, None, factor.unit, _change_dates(rule))
    yield from check_explanation(rule, own, factor.name, factor.unit)
    yield from check_examples(rule, own, factor.grain, features)


def _condition(
    condition: Condition, features: Mapping[str, Feature], own: Mapping[str, Feature], grain: str
) -> Iterator[Problem]:
    unknown = check_feature(condition.feature, condition.at, features, own, grain)
    yield from unknown
    if unknown:
        return
    feature = own[condition.feature]
    if not feature.is_known:
        yield Problem(
            condition.at,
            "R012",
            f"'{feature.name}' may be unknown, so it cannot decide whether the rule applies",
            "score it with if_unknown instead",
        )
    if condition.is_stretch and feature.type != "number":
        yield Problem(
            condition.at,
            "R009",
            f"'{feature.name}' is not a number, so at_least and below do not fit",
            "list its values",
        )
    if not condition.is_stretch and not condition.values:
        yield Problem(condition.at, "R008", f"the filter on '{feature.name}' lists nothing", "list values")
    for twice in sorted({str(v) for v in condition.values if condition.values.count(v) > 1}):
        found = f"'{twice}' occurs twice in the filter on '{feature.name}'"
        yield Problem(condition.at, "R036", found, "list each value once")
    for value in condition.values:
        if not is_of_type(feature, value):
            found = f"'{feature.name}' is a {feature.type}, and '{value}' is none"
            yield Problem(condition.at, "R009", found, f"write a {feature.type}")
        elif feature.type == "category" and value not in feature.values:
            yield Problem(
                condition.at,
                "R011",
                f"unknown {feature.name} '{value}'",
                did_you_mean(str(value), [str(v) for v in feature.values]),
            )


def _parameter_refs(rule: Rule) -> list[ParameterRef]:
    values: list[Value | None] = [
        rule.if_unknown,
        rule.score.value,
        *(value for _, value in rule.score.points),
    ]
    for condition in rule.conditions:
        values += [condition.at_least, condition.below]
    return [value for value in values if isinstance(value, ParameterRef)]


def _units(rule: Rule, own: Mapping[str, Feature], unit: str) -> Iterator[Problem]:
    """Check that a parameter has the unit of the place where it is used."""
    wanted = [(value, unit, rule.sets) for value in (rule.if_unknown, rule.score.value)]
    wanted += [(value, unit, rule.sets) for _, value in rule.score.points]
    for condition in rule.conditions:
        if condition.feature in own:
            feature = own[condition.feature]
            wanted += [(value, feature.unit, feature.name) for value in (condition.at_least, condition.below)]
    for value, need, what in wanted:
        parameter = rule.parameters.get(value.name) if isinstance(value, ParameterRef) else None
        if parameter is not None and isinstance(value, ParameterRef) and parameter.unit != need:
            found = (
                f"'${value.name}' is in {parameter.unit or 'no unit'}, and '{what}' in {need or 'no unit'}"
            )
            yield Problem(value.at, "R015", found, f"write unit: {need}, or use another parameter")


def _change_dates(rule: Rule) -> list[date]:
    """Return the days on which any value of the rule may change: its start, and later starts of parameters."""
    days = {rule.effective_from}
    for parameter in rule.parameters.values():
        days |= {v.start for v in parameter.values if v.start > rule.effective_from}
    return sorted(day for day in days if rule.effective_to is None or day < rule.effective_to)
