"""A rule set against an earlier one: versions that should have gone up, and ids that came back or went away."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.language.errors import Location, Problem
from engine.language.rules import Parameter, Range, Rule, RuleSet, Scorecard, Value

RETIRED = "retired"


@dataclass(frozen=True)
class Earlier:
    """What is known of a rule as it was.

    Attributes:
        fingerprint: whatever could change a score, part by part (see ``fingerprint``).
    """

    version: int
    sets: str
    status: str
    fingerprint: Mapping[str, str]


def check_versions(now: RuleSet, then: RuleSet) -> list[Problem]:
    """Return problems of a rule set that follows on another (R062, R063, R070), sorted by place.

    Args:
        now: checked rules.
        then: the rules as they were; they may fail checks that are newer than they are.
    """
    earlier = {
        rule.id: Earlier(rule.version, rule.sets, rule.status, fingerprint(rule)) for rule in then.rules
    }
    found = check_rules_since(now, earlier)
    found += _scorecard(now.scorecard, then.scorecard)
    return sorted(found)


def check_rules_since(now: RuleSet, earlier: Mapping[str, Earlier]) -> list[Problem]:
    """Return the same for the rules alone, by what is known of each earlier rule."""
    found: list[Problem] = []
    for rule in now.rules:
        if rule.id in earlier:
            found += _rule(rule, earlier[rule.id])
    present = {rule.id for rule in now.rules}
    for rule_id, before in earlier.items():
        if rule_id not in present and before.status != RETIRED:
            found.append(
                Problem(
                    Location(now.scorecard.file),
                    "R063",
                    f"the rule '{rule_id}' is gone",
                    "keep its file with status: retired, so that its id is never used again",
                    is_warning=True,
                )
            )
    return sorted(found)


def _rule(rule: Rule, before: Earlier) -> Iterator[Problem]:
    if before.status == RETIRED and rule.status != RETIRED:
        yield Problem(
            rule.place("status"),
            "R062",
            f"the id '{rule.id}' was retired and is used again",
            "choose a new id",
        )
        return
    if before.sets != rule.sets:
        yield Problem(
            rule.place("sets"),
            "R062",
            f"'{rule.id}' was a rule of '{before.sets}' and now sets '{rule.sets}'",
            "ids are permanent; choose a new one",
        )
        return
    if rule.version < before.version:
        yield Problem(
            rule.place("version"),
            "R070",
            f"the version of '{rule.id}' went from {before.version} back to {rule.version}",
            f"write version: {before.version + 1}",
        )
        return
    if rule.version > before.version:
        return
    changed = [name for name, digest in fingerprint(rule).items() if before.fingerprint.get(name) != digest]
    if changed:
        yield Problem(
            rule.place("version"),
            "R070",
            f"{', '.join(changed)} of '{rule.id}' changed, and so could scores, but the version is still {rule.version}",
            f"write version: {before.version + 1}",
        )


def _scorecard(now: Scorecard, then: Scorecard) -> Iterator[Problem]:
    if now.version > then.version:
        return
    parts, before = scorecard_parts(now), scorecard_parts(then)
    changed = [name for name, value in parts.items() if before[name] != value]
    if changed or now.version < then.version:
        words = ", ".join(changed) or "the version"
        yield Problem(
            Location(now.file),
            "R070",
            f"{words} of the scorecard changed, but its version went from {then.version} to {now.version}",
            f"write version: {then.version + 1}",
        )


def fingerprint(rule: Rule) -> dict[str, str]:
    """Return a digest of whatever could change a score, by the key of the rule file.

    Places, words and tests are left out, and so is the order of filters, of their values and of a lookup's cases.
    """
    score = rule.score
    parts: dict[str, object] = {
        "status": rule.status,
        "effective": [str(rule.effective_from), str(rule.effective_to)],
        "parameters": _values(rule.parameters),
        "priority": rule.priority,
        "applies_when": {
            c.feature: [sorted(map(repr, c.values)), _value(c.at_least), _value(c.below)]
            for c in rule.conditions
        },
        "score": [score.on, score.shape, _value(score.value), _points(score.shape, score.points)],
        "if_unknown": "unknown" if rule.stays_unknown else _value(rule.if_unknown),
    }
    if rule.spread:  # digests of rules that say nothing of it stay what they were
        parts["spread"] = rule.spread
    return {name: _digest(part) for name, part in parts.items()}


def _digest(part: object) -> str:
    return hashlib.sha256(json.dumps(part, sort_keys=True).encode("utf-8")).hexdigest()[:12]


def _points(shape: str, points: tuple[tuple[object, Value], ...]) -> list[object]:
    found = [[repr(key), _value(value)] for key, value in points]
    return sorted(found, key=repr) if shape == "lookup" else list(found)


def scorecard_parts(scorecard: Scorecard) -> dict[str, object]:
    """Whatever of the scorecard could change a score, by its key; places and references are left out."""
    return {
        "method": scorecard.method,
        "horizons": scorecard.horizons,
        "bands": scorecard.bands,
        "regimes": {
            regime: {state: _value(value) for state, value in states.items()}
            for regime, states in scorecard.regimes.items()
        },
        "factors": dict(scorecard.factors),
        "parameters": _values(scorecard.parameters),
    }


def _values(parameters: Mapping[str, Parameter]) -> object:
    return {
        name: [[str(value.start), _value(value.value)] for value in p.values]
        for name, p in parameters.items()
    }


def _value(value: Value | None) -> list[float] | str | None:
    if isinstance(value, Range):
        return [value.low, value.best, value.high]
    return None if value is None else f"${value.name}"
