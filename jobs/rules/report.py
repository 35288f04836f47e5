"""The tests inside the rule files as a report: lines for people, JUnit XML for a build server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from engine.language.branches import BranchCoverage, coverage
from engine.language.examples import ExampleResult, run_examples
from engine.language.load import SCENARIOS
from engine.language.ruleset import scenarios_of
from engine.trials.scenarios import ScenarioResult
from ground.counted import counted
from jobs.errors import PublishError
from jobs.rules.rulebook import Rulebook, run_rule_scenarios, show_problems, tests_sentence


@dataclass(frozen=True)
class RuleTestRun:
    """Results of all inline tests and scenarios, the branches that they reach, and the failures ready to print."""

    results: Sequence[ExampleResult | ScenarioResult]
    branches: Sequence[BranchCoverage]
    failures: Sequence[str]
    files: dict[str, str]

    @property
    def passed(self) -> bool:
        """Whether every test came out as wanted."""
        return not self.failures

    @property
    def counted(self) -> tuple[int, int]:
        """Branches that a test reaches, and all of them."""
        every = sum(len(one.branches) for one in self.branches)
        return every - sum(len(one.missed) for one in self.branches), every

    @property
    def covered_percent(self) -> float:
        """Share of the branches that a test reaches, in percent; 100 where there is none."""
        hit, every = self.counted
        return 100.0 * hit / every if every else 100.0

    def lines(self, wanted_percent: float) -> list[str]:
        """Failures with want and got, branches that no test reaches, and two sentences."""
        hit, every = self.counted
        missed = [
            f"{one.rule_id}: no test reaches {', '.join(one.missed)}" for one in self.branches if one.missed
        ]
        tests = tests_sentence(len(self.failures), len(self.results))
        short = self.covered_percent < wanted_percent
        verdict = (
            f", under the {wanted_percent:g} % that are wanted; add tests, or lower --min-coverage"
            if short
            else ""
        )
        share = f"{hit} of {counted(every, 'branch', 'branches')} reached ({self.covered_percent:.1f} %){verdict}."
        return [*self.failures, *missed, tests, share]


def run_rule_tests(rulebook: Rulebook) -> RuleTestRun:
    """Run every inline test of the active rules, and every scenario."""
    results: list[ExampleResult | ScenarioResult] = [
        *run_examples(rulebook.ruleset).results,
        *run_rule_scenarios(rulebook),
    ]
    problems = sorted(result.problem for result in results if result.problem is not None)
    files = {rule.id: rule.file for rule in rulebook.ruleset.rules}
    files |= {f"{SCENARIOS}{one.name}": one.file for one in scenarios_of(rulebook.texts, rulebook.ruleset)}
    return RuleTestRun(
        results,
        coverage(rulebook.ruleset),
        show_problems(problems, rulebook.folder, rulebook.texts),
        {suite: f"{rulebook.folder.name}/{file}" for suite, file in files.items()},
    )


def junit_text(run: RuleTestRun) -> str:
    """JUnit XML: one suite per rule, and per scenario. It holds no times, so that equal rules give equal bytes."""
    root = ET.Element("testsuites", name="curbline rules test")
    root.set("tests", str(len(run.results)))
    root.set("failures", str(len(run.failures)))
    suites: dict[str, ET.Element] = {}
    for result in run.results:
        suite = suites.get(result.suite)
        if suite is None:
            suite = suites[result.suite] = ET.SubElement(root, "testsuite", name=result.suite)
            own = [other for other in run.results if other.suite == result.suite]
            suite.set("tests", str(len(own)))
            suite.set("failures", str(sum(not other.passed for other in own)))
        case = ET.SubElement(
            suite, "testcase", name=result.name, classname=result.suite, file=run.files[result.suite]
        )
        if result.problem is not None:
            case.set("line", str(result.problem.location.line))
            failure = ET.SubElement(case, "failure", type=result.problem.code, message=result.problem.message)
            failure.text = str(result.problem)
    ET.indent(root)
    return f"<?xml version='1.0' encoding='utf-8'?>\n{ET.tostring(root, encoding='unicode')}\n"


def write_junit(run: RuleTestRun, path: Path) -> None:
    """Write the report of a build server.

    Raises:
        PublishError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(junit_text(run), encoding="utf-8")
    except OSError as problem:
        raise PublishError(
            f"{path}: the report cannot be written ({problem.strerror}); name another file with --junit."
        ) from problem
