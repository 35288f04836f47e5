"""Why a rule did or did not apply to one row: the first filter that failed, with what it wants and what it got."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from engine.language import oracle
from engine.language.describe import condition_words
from engine.language.rules import Feature, Rule, RuleSet
from ground.words import ENDS

Ends = tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class Verdict:
    """What one rule says of one row.

    Attributes:
        filters_held: filters that held before one failed; all of them where the rule applies.
        value: low, best and high; an end is None where the rule does not apply there, all where the row lacks what
            the rule scores.
        feature, want, got: the first filter that failed at best; empty where none did.
        standing: why the rule is not in effect at all; empty where it is.
    """

    rule_id: str
    factor: str
    applies: bool
    filters_held: int = 0
    value: Ends = (None, None, None)
    feature: str = ""
    want: str = ""
    got: str = ""
    standing: str = ""

    @property
    def reason(self) -> str:
        """Why it does not apply at best, in one line; empty where it does."""
        return self.standing or (f"{self.feature}: want {self.want}, got {self.got}" if self.feature else "")


def trace_factor(ruleset: RuleSet, factor: str, row: Mapping[str, object], on: date) -> list[Verdict]:
    """Return the verdict of every rule of a factor, in the order of evaluation; drafts and retired ones last."""
    rules = [rule for rule in ruleset.rules if rule.sets == factor]
    rules.sort(key=lambda rule: (not rule.stands_on(on), rule.priority, rule.id))
    return [trace_rule(ruleset, rule, row, on) for rule in rules]


def trace_rule(ruleset: RuleSet, rule: Rule, row: Mapping[str, object], on: date) -> Verdict:
    """Trace one rule on one row; a range feature has three columns in the row.

    A category may be a range too, so a rule that does not apply at best may still apply at the low or high end.
    """
    standing = _standing(rule, on)
    if standing:
        return Verdict(rule.id, rule.sets, applies=False, standing=standing)
    features = ruleset.features
    scored = features.get(rule.score.on)
    value: Ends = (None, None, None)
    if scored is None or set(scored.columns) <= set(row):
        low, best, high = oracle.evaluate_rule(rule, features, row, on)
        value = (low, best, high)
    for held, condition in enumerate(rule.conditions):
        feature = features[condition.feature]
        if not oracle.holds(rule, condition, oracle.read(feature, row, "best"), on):
            want = condition_words(rule, condition, feature, on).removeprefix(f"{feature.name} is ")
            return Verdict(
                rule.id, rule.sets, applies=False, filters_held=held, value=value,
                feature=feature.name, want=want, got=_shown(feature, row),
            )  # fmt: skip
    held = len(rule.conditions)
    if scored is not None and value[1] is None and set(scored.columns) <= set(row):
        cases = " or ".join(str(key) for key, _ in rule.score.points)
        return Verdict(
            rule.id, rule.sets, applies=False, filters_held=held, value=value,
            feature=scored.name, want=cases, got=_shown(scored, row),
        )  # fmt: skip
    return Verdict(rule.id, rule.sets, applies=True, filters_held=held, value=value)


def _standing(rule: Rule, on: date) -> str:
    if rule.status != "active":
        return f"it is {rule.status}"
    if on < rule.effective_from:
        return f"it begins on {rule.effective_from}"
    return "" if rule.stands_on(on) else f"it ended before {rule.effective_to}"


def _shown(feature: Feature, row: Mapping[str, object]) -> str:
    """Return what the row holds: one value, or three where they differ."""
    ends = [oracle.read(feature, row, end) for end in ENDS]
    shown = [
        "unknown" if end is None else str(end).lower() if isinstance(end, bool) else str(end) for end in ends
    ]
    return shown[1] if len(set(shown)) == 1 else f"{shown[1]} (from {shown[0]} to {shown[2]})"
