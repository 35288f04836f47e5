"""Reading a folder of rule files for the engine, which itself never touches a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from engine.language.errors import Problem, RuleError, format_problem
from engine.language.rules import RuleSet
from engine.language.ruleset import load_ruleset, read_and_check, scenarios_of
from engine.language.vocabulary import Vocabulary
from ground.counted import counted
from jobs.errors import SettingsError
from jobs.output.identity import digest_texts
from jobs.rules.vocabulary import vocabulary_or_why

if TYPE_CHECKING:
    from engine.trials.scenarios import ScenarioResult

SUFFIX = ".yml"
SCORECARD_FILE = "scorecard.yml"
CURBS = ""  # the method of a scorecard that names none: what a run scores
MAX_BYTES = 1_000_000  # a rule file is a few kilobytes; a larger one is a mistake or an attack


@dataclass(frozen=True)
class Rulebook:
    """A checked rule set, the hash of the texts that it came from, and the codes that it was checked with."""

    ruleset: RuleSet
    rules_hash: str
    folder: Path
    texts: Mapping[str, str]
    vocabulary: Vocabulary | None = None


@dataclass(frozen=True)
class TestReport:
    """How the tests inside the rule files came out; `failures` are ready to print."""

    __test__ = False  # not a test of this project

    count: int
    failures: list[str]

    @property
    def sentence(self) -> str:
        """Say it in one line."""
        return tests_sentence(len(self.failures), self.count)


def tests_sentence(failed: int, count: int) -> str:
    """Return how the tests of the rules came out."""
    tests = f"{counted(count, 'test')} of the rules"
    return f"{failed} of {tests} failed." if failed else f"{tests} passed."


def read_rule_files(folder: Path) -> dict[str, str]:
    """Return the text of every rule file by its path relative to the folder.

    A folder below it that holds a scorecard of its own is another rule set and is left alone.

    Raises:
        SettingsError: The folder is missing or empty, or a file is unreadable, too large, or not UTF-8.
    """
    if not folder.is_dir():
        raise SettingsError(
            f"{folder}: there is no such folder of rules. Name one with --rules, or leave it out for the default rules."
        )
    texts: dict[str, str] = {}
    faults: list[str] = []
    apart = {card.parent for card in folder.rglob(SCORECARD_FILE)} - {folder}
    found = [path for path in sorted(folder.rglob("*")) if not apart & set(path.parents)]
    for path in (path for path in found if path.suffix == SUFFIX):
        name = path.relative_to(folder).as_posix()
        try:
            if path.stat().st_size > MAX_BYTES:
                faults.append(
                    f"{name}: larger than {MAX_BYTES:,} bytes; no rule is, so move it out of the folder."
                )
            else:
                texts[name] = path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            line = problem.object[: problem.start].count(b"\n") + 1
            faults.append(f"{name}:{line}: not UTF-8; save the file as UTF-8.")
        except OSError as problem:
            faults.append(f"{name}: cannot be read ({problem.strerror}).")
    faults += [
        f"{path.relative_to(folder).as_posix()}: rule files end in {SUFFIX}; rename it, or it would be passed over in silence."
        for path in found
        if path.suffix == ".yaml"
    ]
    if faults:
        raise SettingsError("\n".join(f"{folder.name}/{fault}" for fault in faults))
    if not texts:
        raise SettingsError(f"{folder}: no rule files (*{SUFFIX}) in this folder.")
    return texts


def read_rule_file(file: Path) -> str:
    """Return the text of one rule file.

    Raises:
        SettingsError: It cannot be read, is not UTF-8, or is larger than any rule.
    """
    try:
        if file.stat().st_size > MAX_BYTES:
            raise SettingsError(f"{file}: larger than {MAX_BYTES:,} bytes, the limit for a rule file.")
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise SettingsError(f"{file}: not UTF-8; save the file as UTF-8.") from problem
    except OSError as problem:
        raise SettingsError(f"{file}: cannot be read ({problem.strerror}).") from problem


def load_rulebook(
    folder: Path, *, method: str | None = None, facts: Sequence[Path] = (), known_at: date | None = None
) -> Rulebook:
    """Read and check a folder of rules.

    Args:
        folder: Where they lie.
        method: The method that the scorecard must name, `CURBS` for none; by default any is taken.
        facts: Bundles whose codes the rules may name; where none can be read, no code is looked up.
        known_at: Leave out memberships of blocs that became known later.

    Raises:
        SettingsError: The folder or a file cannot be read, the rules are wrong (every problem is listed with file,
            line and column, its source line and a caret), or they are of another method.
    """
    texts = read_rule_files(folder)
    vocabulary, _ = vocabulary_or_why(facts, known_at)
    try:
        ruleset = load_ruleset(texts, vocabulary)
    except RuleError as problem:
        shown = show_problems(problem.problems, folder, texts)
        raise SettingsError(
            "\n".join([*shown, f"The rules of {folder} are refused; nothing was scored."])
        ) from problem
    own = ruleset.scorecard.method
    if method is not None and own != method:
        raise SettingsError(
            f"{folder}: these rules are for {own or 'curb scores'}, not for {method or 'curb scores'}. "
            "Name another folder with --rules, or leave it out for the default rules."
        )
    return Rulebook(ruleset, digest_texts(texts), folder, texts, vocabulary)


def require_horizon(ruleset: RuleSet, horizon: int) -> None:
    """Refuse a horizon that the scorecard does not have.

    Raises:
        SettingsError: Lists those that it has.
    """
    if horizon not in ruleset.scorecard.horizons:
        known = ", ".join(str(days) for days in ruleset.scorecard.horizons)
        raise SettingsError(f"--horizon {horizon} is not one of the scorecard's; write one of {known}.")


def problems_of(
    folder: Path, vocabulary: Vocabulary | None
) -> tuple[RuleSet | None, list[Problem], dict[str, str]]:
    """Return a folder's rule set, None if any problem is serious, every problem, and the texts that were read."""
    texts = read_rule_files(folder)
    ruleset, problems = read_and_check(texts, vocabulary)
    is_sound = all(problem.is_warning for problem in problems)
    return ruleset if is_sound else None, problems, texts


def show_problems(problems: Iterable[Problem], folder: Path, texts: Mapping[str, str]) -> list[str]:
    """Return problems ready to print: `rules/file.yml:line:column: code: sentence`, the line, and a caret."""
    return [
        f"{folder.name}/{format_problem(problem, texts.get(problem.location.file, ''))}"
        for problem in problems
    ]


def run_rule_scenarios(rulebook: Rulebook) -> list[ScenarioResult]:
    """Score the small worlds of `scenarios/` and compare."""
    from engine.trials.scenarios import (
        run_scenarios,
    )  # what scores need is heavy, and most commands read rules alone

    return run_scenarios(rulebook.ruleset, scenarios_of(rulebook.texts, rulebook.ruleset))


def test_rules(rulebook: Rulebook) -> TestReport:
    """Run the tests inside the rule files, and the scenarios."""
    from engine.language.examples import run_examples  # brings polars, for which a check alone need not wait

    report = run_examples(rulebook.ruleset)
    scenarios = run_rule_scenarios(rulebook)
    problems = [*report.problems, *(one.problem for one in scenarios if one.problem is not None)]
    shown = show_problems(problems, rulebook.folder, rulebook.texts)
    return TestReport(len(report.results) + len(scenarios), shown)


def require_tested(rulebook: Rulebook) -> None:
    """Refuse rules of which a test fails.

    Raises:
        SettingsError: Lists every failing test with its place.
    """
    report = test_rules(rulebook)
    if report.failures:
        raise SettingsError("\n".join([*report.failures, f"{report.sentence} Nothing was scored."]))
