"""`curbline rules test`: JUnit output, branch coverage and its threshold."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from jobs.cli import main
from tests.engine.rulebook import RULE, with_rule


def write(folder: Path, text: str) -> Path:
    rules = folder / "rules"
    rules.mkdir()
    for name, content in with_rule(text).items():
        (rules / name).write_text(content, encoding="utf-8")
    return rules


def test_junit_names_every_test_and_each_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = write(tmp_path, RULE.replace("horizon_days: 90}, expect: 0.5", "horizon_days: 90}, expect: 0.4"))
    report = tmp_path / "reports" / "rules.xml"
    assert main(["rules", "test", "--rules", str(rules), "--junit", str(report)]) == 40
    root = ET.fromstring(report.read_text("utf-8"))  # noqa: S314 - written by ourselves
    assert (root.get("tests"), root.get("failures")) == ("4", "1")
    cases = root.findall("./testsuite[@name='small']/testcase")
    assert [case.get("name") for case in cases] == ["a quarter", "a year", "later", "a ban"]
    (failure,) = root.iter("failure")
    assert "low: want 0.4, got 0.5" in str(failure.get("message"))
    assert cases[0].get("line") == "25"
    said = capsys.readouterr().out
    assert "1 of 4 tests of the rules failed." in said
    assert "4 of 4 branches reached (100.0 %)." in said


def test_equal_rules_give_an_equal_report(tmp_path: Path) -> None:
    rules = write(tmp_path, RULE)
    for name in ("one.xml", "two.xml"):
        assert main(["rules", "test", "--rules", str(rules), "--junit", str(tmp_path / name)]) == 0
    assert (tmp_path / "one.xml").read_bytes() == (tmp_path / "two.xml").read_bytes()


def test_coverage_under_the_threshold_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draft = RULE.replace("status: active", "status: draft").replace("  - {name: a ban", "  # - {name: a ban")
    rules = write(tmp_path, draft)
    assert main(["rules", "test", "--rules", str(rules), "--min-coverage", "75"]) == 0
    assert main(["rules", "test", "--rules", str(rules), "--min-coverage", "80"]) == 40
    said = capsys.readouterr().out
    assert "small: no test reaches not applicable" in said
    assert "3 of 4 branches reached (75.0 %), under the 80 % that are wanted" in said
