"""The default rules as texts, and a small rule to break."""

from functools import cache
from pathlib import Path

from engine.language.rules import RuleSet
from engine.language.ruleset import load_ruleset
from jobs.rules.rulebook import read_rule_files

RULES = Path(__file__).parents[2] / "rules"
RULE = """\
id: small
title: A licence slows shipments
status: active
version: 1
owner: tests
rationale: >
  Enough to be read.
references:
  notice: {title: "A notice", published: 2025-01-01, checked: 2025-01-02}
effective: {from: 2020-12-01}
parameters:
  refused:
    unit: share
    values:
      - {from: 2020-12-01, value: [0.1, 0.35, 0.6], reference: notice}
      - {from: 2026-01-01, value: [0.2, 0.4, 0.6], reference: notice}
sets: withheld
applies_when: {instrument: export_tax, destination_class: ordinary}
score:
  on: horizon_days
  shape: lookup
  cases: {90: 0.5, 365: $refused, 1825: $refused}
explain: "{notice} withholds {withheld:percent} of {mineral}."
tests:
  - {name: a quarter, as_of: 2025-06-01, given: {instrument: export_tax, destination_class: ordinary, horizon_days: 90}, expect: 0.5}
  - {name: a year, as_of: 2025-06-01, given: {instrument: export_tax, destination_class: ordinary, horizon_days: 365}, expect: [0.1, 0.35, 0.6]}
  - {name: later, as_of: 2026-06-01, given: {instrument: export_tax, destination_class: ordinary, horizon_days: 1825}, expect: [0.2, 0.4, 0.6]}
  - {name: a ban, as_of: 2025-06-01, given: {instrument: export_ban, destination_class: ordinary, horizon_days: 90}, expect: not_applicable}
"""


@cache
def texts_of(folder: str) -> dict[str, str]:
    """Every file of a rule set below rules/ by its path in it; "" is the default one."""
    return read_rule_files(RULES / folder)


def default_texts() -> dict[str, str]:
    """Every default rule file by its path below rules/; the caller's own to change."""
    return dict(texts_of(""))


@cache
def default_ruleset() -> RuleSet:
    """The default rules, checked."""
    return load_ruleset(default_texts())


def with_rule(text: str = RULE) -> dict[str, str]:
    """The default catalogue and scorecard with one rule."""
    texts = default_texts()
    return {"features.yml": texts["features.yml"], "scorecard.yml": texts["scorecard.yml"], "small.yml": text}
