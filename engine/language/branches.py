"""The branches of a rule, and which of them its tests reach. Told by what a test gives; nothing is computed."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from engine.language.rules import Example, Feature, Rule, RuleSet

UNKNOWN = "unknown"


@dataclass(frozen=True)
class BranchCoverage:
    """Branches of one rule, in the order of the rule, and those that no test reaches."""

    rule_id: str
    branches: tuple[str, ...]
    missed: tuple[str, ...]


def known(feature: Feature, value: object) -> object:
    """Return a given value; the word ``unknown`` is null, unless it is one of the feature's own categories."""
    return None if value == UNKNOWN and UNKNOWN not in feature.values else value


def branches(rule: Rule) -> list[str]:
    """Return the branches that tests must reach: each case, band or stretch, unknown, and not applicable."""
    names = _stretches(rule) if rule.score.shape == "linear" else _steps(rule)
    if rule.if_unknown is not None or rule.stays_unknown:
        names.append("unknown")
    if rule.conditions:
        names.append("not applicable")
    return names


def _steps(rule: Rule) -> list[str]:
    score = rule.score
    return [f"{score.shape}:{key}" for key, _ in score.points] if score.shape else ["value"]


def _stretches(rule: Rule) -> list[str]:
    """Return the flat ends of a linear shape, each with its outermost point, and every stretch between two points."""
    keys = [key for key, _ in rule.score.points]
    if len(keys) < 2:
        return [f"linear:{key}" for key in keys]
    return [
        f"linear:up to {keys[0]}",
        *(f"linear:{lower} to {upper}" for lower, upper in pairwise(keys)),
        f"linear:from {keys[-1]}",
    ]


def coverage(ruleset: RuleSet) -> list[BranchCoverage]:
    """Return the branch coverage of every rule that is not retired; drafts count, so that they can become active."""
    found = []
    for rule in ruleset.rules:
        if rule.status != "retired":
            names = branches(rule)
            hit = {reached(rule, example, ruleset.features) for example in rule.examples}
            found.append(
                BranchCoverage(rule.id, tuple(names), tuple(name for name in names if name not in hit))
            )
    return found


def reached(rule: Rule, example: Example, features: Mapping[str, Feature]) -> str:
    """Return the branch that a test reaches, by what it gives and expects."""
    if example.expect is None and not example.is_unknown:
        return "not applicable"
    score = rule.score
    if score.value is not None:
        return "value"
    feature = features.get(score.on)
    given = known(feature, example.given.get(score.on)) if feature else None
    if given is None:
        return "unknown"
    best = given[1] if isinstance(given, tuple) else given
    if score.shape == "lookup":
        return next(
            (f"lookup:{key}" for key, _ in score.points if key == best or str(key) == str(best)), "unknown"
        )
    if score.shape == "linear":
        return _stretch(rule, best)
    below = [key for key, _ in score.points if isinstance(best, int | float) and float(key) <= best]
    return f"bands:{below[-1] if below else score.points[0][0]}"


def _stretch(rule: Rule, x: object) -> str:
    names = _stretches(rule)
    keys = [key for key, _ in rule.score.points if isinstance(key, int | float)]
    if not isinstance(x, int | float) or len(keys) < 2 or not rule.score.rises:
        return names[0] if names else "value"
    return names[-1] if x >= keys[-1] else names[sum(x > key for key in keys)]
