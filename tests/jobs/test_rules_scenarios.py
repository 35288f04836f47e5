"""Scenarios in `rules test`, in its JUnit file, and before a night: one that fails stops publication."""

import shutil
from pathlib import Path

import pytest

from jobs.cli import main
from jobs.errors import ExitCode
from jobs.output.layout import Layout
from jobs.rules import rulebook
from jobs.rules.report import junit_text, run_rule_tests
from jobs.rules.rulebook import load_rulebook
from tests.engine.rulebook import RULES

SCENARIO = "suspended-ban.yml"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """The catalogue, the rule of bans and one scenario, which expects what does not come out."""
    folder = tmp_path / "rules"
    for name in ("features.yml", "scorecard.yml", "withholding/export-ban.yml", f"scenarios/{SCENARIO}"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(RULES / name, folder / name)
    path = folder / "scenarios" / SCENARIO
    text = path.read_text(encoding="utf-8")
    # The flag and response rules are left out, so only what the ban itself does is asked.
    path.write_text(text.replace("score: 0, band: minimal", "score: 0, band: low"), encoding="utf-8")
    return folder


def test_a_failing_scenario_is_told_by_rules_test_and_in_junit(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["rules", "test", "--rules", str(rules), "--junit", str(tmp_path / "rules.xml")])
    said = capsys.readouterr().out
    assert code == ExitCode.SETTINGS
    assert "rules/scenarios/suspended-ban.yml:20:5: R090: scenario 'suspended-ban'" in said
    assert "band: want low, got minimal" in said
    assert "1 of 7 tests of the rules failed." in said
    report = (tmp_path / "rules.xml").read_text(encoding="utf-8")
    assert '<testsuite name="scenarios/suspended-ban" tests="3" failures="1">' in report
    assert 'file="rules/scenarios/suspended-ban.yml" line="20"' in report
    assert report == junit_text(run_rule_tests(load_rulebook(rules)))


def test_a_scope_that_leaves_open_whether_it_lists_buyers_is_refused_before_anything_runs(
    rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = rules / "scenarios" / SCENARIO
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("state: suspended", "scope: country, state: suspended"), encoding="utf-8")
    assert main(["rules", "check", "--rules", str(rules)]) == ExitCode.SETTINGS
    said = capsys.readouterr().out
    assert "R008: a row of measures has a scope and does not say whether it lists buyers" in said
    settled = text.replace("state: suspended", "scope: country, is_named_buyers: false, state: suspended")
    path.write_text(settled, encoding="utf-8")
    assert main(["rules", "check", "--rules", str(rules)]) == ExitCode.OK


def test_the_rules_that_come_along_pass_with_their_scenarios() -> None:
    report = rulebook.test_rules(load_rulebook(RULES))
    assert report.failures == []
    assert report.count > 200


def test_a_failing_scenario_stops_the_night_and_yesterday_stays(
    rules: Path, small_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    shutil.copytree(small_root, out, symlinks=True)
    before = Layout(out).resolve_published()
    code = main(["run", "--rules", str(rules), "--out", str(out), "--as-of", "2026-11-24"])
    said = capsys.readouterr()
    assert code == ExitCode.SETTINGS
    assert "R090" in said.err
    assert "1 of 7 tests of the rules failed. Nothing was scored." in said.err
    assert Layout(out).resolve_published() == before
    assert Layout(out).list_snapshots() == [before]


def test_a_rule_that_cannot_be_read_is_one_problem_and_not_one_in_every_scenario(
    rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = rules / "withholding" / "export-ban.yml"
    path.write_text(path.read_text(encoding="utf-8") + "applies_when: twice\n", encoding="utf-8")
    assert main(["rules", "check", "--rules", str(rules)]) == ExitCode.SETTINGS
    said = capsys.readouterr().out
    assert "unknown rule" not in said
    assert "1 problem, 0 warnings." in said
