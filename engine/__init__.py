"""The engine: frames and rule text in, frames and problems out. No file, clock, network or database."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.errors import (
        Location,
        Problem,
        RuleCheckError,
        RuleError,
        RuleExampleError,
        RuleSyntaxError,
        format_problem,
    )
    from engine.evaluation import evaluate, evaluate_each
    from engine.examples import ExampleReport, ExampleResult, run_examples
    from engine.rules import Range, Rule, RuleSet
    from engine.ruleset import check_ruleset, load_ruleset
    from engine.sentence import fill

# Each name is imported when it is first asked for: a question on the command line waits for nothing else.
_HOME = {
    "ExampleReport": "engine.examples",
    "ExampleResult": "engine.examples",
    "Location": "engine.errors",
    "Problem": "engine.errors",
    "Range": "engine.rules",
    "Rule": "engine.rules",
    "RuleCheckError": "engine.errors",
    "RuleError": "engine.errors",
    "RuleExampleError": "engine.errors",
    "RuleSet": "engine.rules",
    "RuleSyntaxError": "engine.errors",
    "check_ruleset": "engine.ruleset",
    "evaluate": "engine.evaluation",
    "evaluate_each": "engine.evaluation",
    "fill": "engine.sentence",
    "format_problem": "engine.errors",
    "load_ruleset": "engine.ruleset",
    "run_examples": "engine.examples",
}

__all__ = [
    "ExampleReport",
    "ExampleResult",
    "Location",
    "Problem",
    "Range",
    "Rule",
    "RuleCheckError",
    "RuleError",
    "RuleExampleError",
    "RuleSet",
    "RuleSyntaxError",
    "check_ruleset",
    "evaluate",
    "evaluate_each",
    "fill",
    "format_problem",
    "load_ruleset",
    "run_examples",
]


def __getattr__(name: str) -> Any:
    """A public name, out of the module that it lives in."""
    if name not in _HOME:
        message = f"module 'engine' has no attribute '{name}'"
        raise AttributeError(message)
    return getattr(import_module(_HOME[name]), name)
