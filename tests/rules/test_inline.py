"""Every inline test of every rule that comes along is a case of its own."""

import pytest

from engine.language.examples import run_example
from engine.language.rules import Example, Rule, RuleSet
from engine.language.ruleset import load_ruleset
from tests.engine.rulebook import default_ruleset, texts_of

CASES = [
    pytest.param(ruleset, rule, example, id=f"{rule.id}: {example.name}")
    for ruleset in (default_ruleset(), load_ruleset(texts_of("methods/geopolrisk")))
    for rule in ruleset.rules
    for example in rule.examples
]


@pytest.mark.parametrize(("ruleset", "rule", "example"), CASES)
def test_inline(ruleset: RuleSet, rule: Rule, example: Example) -> None:
    result = run_example(ruleset, rule, example)
    assert result.passed, str(result.problem)
