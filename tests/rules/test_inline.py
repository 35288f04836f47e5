"""Every inline test of every default rule is a case of its own."""

import pytest

from engine.examples import run_example
from engine.rules import Example, Rule
from tests.engine.rulebook import default_ruleset

CASES = [
    pytest.param(rule, example, id=f"{rule.id}: {example.name}")
    for rule in default_ruleset().rules
    for example in rule.examples
]


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_inline(rule: Rule, example: Example) -> None:
    result = run_example(default_ruleset(), rule, example)
    assert result.passed, str(result.problem)
