"""Loading and checking a rule set as a whole."""

from collections.abc import Mapping

from engine.language.checks.codes import with_members
from engine.language.checks.every import check_rules
from engine.language.errors import Problem, RuleCheckError, RuleSyntaxError
from engine.language.load import SCORECARD_FILE, read_texts
from engine.language.rules import RuleSet
from engine.language.scenarios import Scenario, read_scenarios
from engine.language.vocabulary import Vocabulary


def check_ruleset(files: Mapping[str, str], vocabulary: Vocabulary | None = None) -> list[Problem]:
    """Return every problem of a rule set, in one pass, sorted by place.

    Args:
        files: path relative to the rules folder to text; ``features.yml`` and ``scorecard.yml`` among them.
        vocabulary: codes that the facts know; without it they are not looked up.
    """
    return read_and_check(files, vocabulary)[1]


def load_ruleset(files: Mapping[str, str], vocabulary: Vocabulary | None = None) -> RuleSet:
    """Return a checked rule set.

    Args:
        files: path relative to the rules folder to text.
        vocabulary: codes that the facts know; without it none is looked up, and no filter may name a bloc.

    Raises:
        RuleSyntaxError: a text is not in the YAML subset.
        RuleCheckError: a static check refuses the rules; warnings alone do not.
    """
    ruleset, problems = read_and_check(files, vocabulary)
    serious = [problem for problem in problems if not problem.is_warning]
    if serious or ruleset is None:
        is_syntax = all(problem.code < "R007" for problem in serious)
        raise RuleSyntaxError(problems) if is_syntax else RuleCheckError(problems)
    return ruleset


def read_ruleset(files: Mapping[str, str]) -> RuleSet:
    """Return a rule set as it was: read, but not checked, since checks may be newer than the rules.

    Args:
        files: path relative to the rules folder to text.

    Raises:
        RuleSyntaxError: a text cannot be read whole, with every problem found.
    """
    features, scorecard, rules, problems = read_texts(files)
    problems = [problem for problem in problems if not _is_key_of_scorecard(problem)]
    if problems or scorecard is None:
        raise RuleSyntaxError(problems)
    return RuleSet(features, scorecard, tuple(sorted(rules, key=lambda rule: rule.id)))


def _is_key_of_scorecard(problem: Problem) -> bool:
    """Return whether a key of the scorecard is unknown or missing; not a fault in an earlier one, as keys change."""
    return problem.location.file == SCORECARD_FILE and problem.code in ("R007", "R008")


def scenarios_of(files: Mapping[str, str], ruleset: RuleSet) -> list[Scenario]:
    """Return the scenario tests among the texts of a rule set that passed every check."""
    return read_scenarios(files, ruleset.features, ruleset.scorecard, ruleset.rules)[0]


def read_and_check(
    files: Mapping[str, str], vocabulary: Vocabulary | None = None
) -> tuple[RuleSet | None, list[Problem]]:
    """Return a rule set as far as it could be read, and every problem of it, sorted by place.

    Returns:
        The rule set, which is sound only where no problem is serious; None without a catalogue or scorecard.
    """
    features, scorecard, rules, problems = read_texts(files)
    if scorecard is None or not features:
        return None, sorted(problems)
    if vocabulary is not None:
        rules = [with_members(rule, vocabulary) for rule in rules]
    problems += check_rules(features, scorecard, rules, vocabulary)
    problems += read_scenarios(files, features, scorecard, rules, vocabulary)[1]
    return RuleSet(features, scorecard, tuple(sorted(rules, key=lambda rule: rule.id))), sorted(set(problems))
