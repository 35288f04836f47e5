"""A rule in plain words: what it selects, what it gives, on which day, and what bears the numbers."""

from dataclasses import replace
from datetime import date

from engine.language.branches import branches, reached
from engine.language.rules import (
    Category,
    Condition,
    Feature,
    Parameter,
    ParameterRef,
    Range,
    Rule,
    RuleSet,
    Value,
    resolve,
)
from ground.counted import counted

COMBINED = {
    "strongest": "the highest value counts where several rules apply",
    "complement": "several rules combine as 1 minus the product of what each leaves",
    "first": "the first rule that applies decides, by priority",
    "sum": "the values of several rules are added",
}
_MADE = {"product": "the product", "sum": "the sum"}


def describe_rule(ruleset: RuleSet, rule: Rule, on: date) -> list[str]:
    """Return lines for a reader who writes no programs.

    Args:
        ruleset: checked rules.
        rule: one of them.
        on: the day whose values are shown.
    """
    factor = ruleset.scorecard.factors[rule.sets]
    lines = [
        f"{rule.id}: {rule.title}",
        f"  {rule.status}, version {rule.version}, owner {rule.owner}, in {rule.file}",
        f"  {_span(rule, on)}",
        f"  sets {rule.sets} (in {factor.unit}, one row per {factor.grain.replace('_', ' and ')}); {COMBINED[factor.combine]}"
        + (f"; priority {rule.priority}" if factor.combine == "first" else ""),
        *_goes_into(ruleset, rule.sets),
        "Selects",
        *(f"  {condition_words(rule, c, ruleset.features[c.feature], on)}" for c in rule.conditions),
    ]
    if not rule.conditions:
        lines.append("  every row")
    lines += [f"Gives, on {on}", *score_words(ruleset, rule, factor.unit, on)]
    if rule.spread:
        lines.append(f"  drawn between the ends: {rule.spread}")
    if rule.parameters:
        lines.append("Parameters")
        for parameter in rule.parameters.values():
            lines += _history(rule, parameter, on)
    lines += ["References"]
    for reference in rule.references.values():
        link = f" <{reference.url}>" if reference.url else ""
        lines.append(
            f"  {reference.key}: {reference.title}, {reference.dated}, checked {reference.checked}{link}"
        )
    lines += ["Says", f"  {rule.explain}", "Why", f"  {' '.join(rule.rationale.split())}"]
    hit = {reached(rule, example, ruleset.features) for example in rule.examples}
    known = branches(rule)
    lines.append(
        f"Tests: {len(rule.examples)}, which reach {len(hit & set(known))} of {counted(len(known), 'branch', 'branches')}."
    )
    return lines


def _goes_into(ruleset: RuleSet, factor: str) -> list[str]:
    """Return what is made of the rule's factor, if anything."""
    return [
        f"  goes into {made.name}, {_MADE[made.combine]} of {', '.join(made.parts)}"
        + (f" over the rows of one {', '.join(made.by)}" if made.by else "")
        for made in ruleset.scorecard.factors.values()
        if factor in made.parts
    ]


def _span(rule: Rule, on: date) -> str:
    until = f" until {rule.effective_to} (the day after the last)" if rule.effective_to else ""
    if rule.status != "active":
        stands = f"it never scores while it is {rule.status}"
    elif on < rule.effective_from:
        stands = f"not yet in effect on {on}"
    elif not rule.stands_on(on):
        stands = f"no longer in effect on {on}"
    else:
        stands = f"in effect on {on}"
    return f"from {rule.effective_from}{until}; {stands}"


def condition_words(rule: Rule, condition: Condition, feature: Feature, on: date) -> str:
    """Return a filter as words, such as `instrument is export_ban or quota`."""
    if not condition.is_stretch:
        return f"{feature.name} is {' or '.join(_named(condition, value, on) for value in condition.values)}"
    parts = []
    if condition.at_least is not None:
        parts.append(f"at least {value_words(rule, condition.at_least, feature.unit, on)}")
    if condition.below is not None:
        parts.append(f"below {value_words(rule, condition.below, feature.unit, on)}")
    return f"{feature.name} is {' and '.join(parts)}"


def _named(condition: Condition, value: Category, on: date) -> str:
    """Return a value, and for a bloc how many members it has."""
    count = len(replace(condition, values=(value,)).listed(on))
    return f"{_word(value)} ({counted(count, 'member')})" if value in condition.blocs else _word(value)


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def value_words(rule: Rule, value: Value, unit: str, on: date) -> str:
    """Return a value on a day, with the parameter that it comes from."""
    try:
        span = resolve(value, rule.parameters, on)
    except LookupError:
        return f"no value yet on {on}"
    origin = f" (${value.name})" if isinstance(value, ParameterRef) else ""
    return f"{range_words(span, unit)}{origin}"


def range_words(span: Range, unit: str) -> str:
    """Return a range for people: shares as percent, a range of no width as one number."""
    scale, suffix = (100.0, " %") if unit == "share" else (1.0, f" {unit}" if unit else "")
    low, best, high = (f"{scale * end:.6g}" for end in (span.low, span.best, span.high))
    return f"{best}{suffix}" if low == high else f"{best}{suffix} ({low} to {high})"


def score_words(ruleset: RuleSet, rule: Rule, unit: str, on: date) -> list[str]:
    """Return what a rule gives, as indented lines: one value, or a line for each case, band or point."""
    score = rule.score
    if score.value is not None:
        return [f"  always {value_words(rule, score.value, unit, on)}"]
    feature = ruleset.features[score.on]
    how = {"lookup": "by", "bands": "in steps by", "linear": "in straight lines by"}[score.shape]
    lines = [f"  {how} {feature.name}: {feature.meaning}"]
    edge = {"bands": "from ", "linear": "at "}.get(score.shape, "")
    for key, value in score.points:
        lines.append(f"    {edge}{_word(key)}: {value_words(rule, value, unit, on)}")
    if rule.stays_unknown:
        lines.append("    unknown: stays unknown")
    if rule.if_unknown is not None:
        lines.append(f"    unknown: {value_words(rule, rule.if_unknown, unit, on)}")
    return lines


def _history(rule: Rule, parameter: Parameter, on: date) -> list[str]:
    lines = [f"  {parameter.name}, in {parameter.unit}"]
    standing = [value for value in parameter.values if value.start <= on]
    for value in parameter.values:
        reference = rule.references.get(value.reference)
        title = f": {reference.title}" if reference else ""
        now = ", current" if standing and value is standing[-1] else ""
        lines.append(
            f"    from {value.start}{now}: {range_words(value.value, parameter.unit)}, by {value.reference}{title}"
        )
    return lines
