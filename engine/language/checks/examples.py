"""Checks of the tests inside a rule file."""

from collections.abc import Iterator, Mapping

from engine.language.branches import branches, known, reached
from engine.language.errors import Location, Problem, did_you_mean
from engine.language.rules import Condition, Example, Feature, Rule, is_of_type


def check_feature(
    name: str, at: Location, features: Mapping[str, Feature], own: Mapping[str, Feature], grain: str
) -> list[Problem]:
    """Return what is wrong with a name, if a rule of this grain cannot read it."""
    if name in own:
        return []
    if name in features:
        found = f"the feature '{name}' is not of the grain {grain}, or comes in a later pass"
        return [Problem(at, "R013", found, did_you_mean(name, list(own)))]
    return [Problem(at, "R010", f"unknown feature '{name}'", did_you_mean(name, list(own)))]


def check_examples(
    rule: Rule, own: Mapping[str, Feature], grain: str, features: Mapping[str, Feature]
) -> Iterator[Problem]:
    """Yield problems of the tests: what they give, what they leave out, and branches that none reaches."""
    hit, names = set(), set()
    for example in rule.examples:
        hit.add(reached(rule, example, features))
        if example.name in names:
            yield Problem(example.at, "R052", f"two tests are named '{example.name}'", "rename one of them")
        names.add(example.name)
        missing = [name for name in _left_out(rule, example) if name in own]
        if missing:
            found = f"test '{example.name}' gives no {', '.join(missing)}, so it shows nothing"
            yield Problem(example.at, "R052", found, "add it under given:, if need be as unknown")
        for name, value in example.given.items():
            unknown = check_feature(name, example.place(name), features, own, grain)
            yield from unknown
            if unknown:
                continue
            yield from _given(example, own[name], value)
    if rule.status == "active" and _has_clear_branches(rule, own):
        for branch in branches(rule):
            if branch not in hit:
                yield Problem(
                    rule.place("tests"),
                    "R050",
                    f"no test reaches the branch '{branch}'",
                    "add one with a fitting given:",
                )


def _has_clear_branches(rule: Rule, own: Mapping[str, Feature]) -> bool:
    """Return whether feature and points are sound; if not, another problem reports it, and missed branches follow."""
    score = rule.score
    return (not score.on or score.on in own) and (score.shape not in ("bands", "linear") or score.rises)


def _given(example: Example, feature: Feature, value: object) -> Iterator[Problem]:
    name, at = feature.name, example.place(feature.name)
    if isinstance(value, tuple) and not feature.is_range:
        found = f"'{name}' is one value and no range, in test '{example.name}'"
        yield Problem(at, "R009", found, "write one value")
    if known(feature, value) is None and feature.is_known:
        found = f"'{name}' is never unknown, but it is in test '{example.name}'"
        yield Problem(at, "R011", found, "write a value")
    ends = value if isinstance(value, tuple) else (value,)
    for one in ends:
        if known(feature, one) is None:
            continue
        if feature.type == "category" and one not in feature.values:
            yield Problem(
                at,
                "R011",
                f"unknown {name} '{one}' in test '{example.name}'",
                did_you_mean(str(one), [str(v) for v in feature.values]),
            )
        elif feature.type != "category" and not is_of_type(feature, one):
            found = f"'{name}' is a {feature.type}, and '{one}' is none, in test '{example.name}'"
            yield Problem(at, "R009", found, f"write a {feature.type}, or unknown")
    numbers = [one for one in ends if isinstance(one, int | float)]
    if feature.type == "number" and numbers != sorted(numbers):
        found = f"'{name}' is out of order in test '{example.name}'"
        yield Problem(at, "R033", found, "write [low, best, high]")


def _left_out(rule: Rule, example: Example) -> list[str]:
    """Return features that a test would have to give.

    "Not applicable" needs a filter that fails on a given value, or a day on which the rule is not in effect: a filter
    that fails because nothing was given would make any test pass. A value needs every feature that the rule reads.
    """
    missing = [c.feature for c in rule.conditions if c.feature not in example.given]
    if example.expect is not None or example.is_unknown:
        return missing + ([rule.score.on] if rule.score.on and rule.score.on not in example.given else [])
    if not rule.stands_on(example.on) or any(_fails(c, example) for c in rule.conditions):
        return []
    return missing


def _fails(condition: Condition, example: Example) -> bool:
    if condition.feature not in example.given:
        return False
    given = example.given[condition.feature]
    return condition.is_stretch or (given[1] if isinstance(given, tuple) else given) not in condition.listed(
        example.on
    )
