"""`curbline rules check`: age of references, and rules against what they were."""

import subprocess
from pathlib import Path

import polars as pl
import pytest

from engine.language.checks.versions import fingerprint
from engine.language.rules import Rule
from engine.language.ruleset import load_ruleset
from jobs.cli import main
from jobs.rules.check import written
from jobs.rules.rulebook import read_rule_files
from tests.engine.rulebook import RULE, RULES, with_rule
from warehouse.database import Database

DAY = ["--as-of", "2026-11-27"]


def write(folder: Path, text: str = RULE) -> str:
    folder.mkdir()
    for name, content in with_rule(text).items():
        (folder / name).write_text(content, encoding="utf-8")
    return str(folder)


def test_an_old_reference_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = write(tmp_path / "rules")
    assert main(["rules", "check", "--rules", rules, *DAY]) == 10
    said = capsys.readouterr().out
    assert "rules/small.yml:9:11: R061 (warning): 'notice' was checked 694 days ago" in said
    assert f"3 files of {rules}: 0 problems, 1 warning." in said
    assert main(["rules", "check", "--rules", rules, *DAY, "--max-reference-age", "700"]) == 0


def test_a_new_value_under_the_old_version_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    then = write(tmp_path / "then")
    now = write(tmp_path / "now", RULE.replace("0.35", "0.4"))
    options = ["rules", "check", "--rules", now, *DAY, "--max-reference-age", "999", "--against"]
    assert main([*options, then]) == 40
    said = capsys.readouterr().out
    assert "now/small.yml:4:10: R070: parameters of 'small' changed" in said
    assert "write version: 2" in said
    assert main([*options, now]) == 0


def publish(file: Path, text: str, columns: str = "*") -> str:
    """A published file as far as `--against` reads it: meta.rule of one rule and of one that is gone."""
    rows = [
        {"rule_id": rule_id, "version": 1, "status": "active", "sets": "withheld", "fingerprint": digest}
        for rule_id, digest in (("small", written(fingerprint(rule_of(text)))), ("other", ""))
    ]
    with Database.open(file) as database:
        database.execute("CREATE SCHEMA meta")
        with database.frame("given", pl.DataFrame(rows)) as given:
            database.execute(f"CREATE TABLE meta.rule AS SELECT {columns} FROM {given}")
    return str(file)


def rule_of(text: str) -> Rule:
    (rule,) = load_ruleset(with_rule(text)).rules
    return rule


def test_a_published_file_shows_rules_that_changed_or_are_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = write(tmp_path / "rules", RULE.replace("0.35", "0.4"))
    file = publish(tmp_path / "curbline.duckdb", RULE)
    options = ["rules", "check", "--rules", rules, *DAY, "--max-reference-age", "999", "--against"]
    assert main([*options, file]) == 40
    said = capsys.readouterr().out
    assert "rules/small.yml:4:10: R070: parameters of 'small' changed" in said
    assert "R063 (warning): the rule 'other' is gone" in said
    assert main([*options, str(tmp_path / "nothing")]) == 40
    assert "no folder or file of that name" in capsys.readouterr().err


def test_a_published_file_without_fingerprints_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = publish(tmp_path / "old.duckdb", RULE, "rule_id, version, sets")
    assert main(["rules", "check", "--rules", write(tmp_path / "rules"), *DAY, "--against", file]) == 40
    assert "keeps no fingerprints" in capsys.readouterr().err


def test_the_default_rules_follow_on_the_published_ones(
    published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", "check", *DAY, "--against", str(published)]) == 0, capsys.readouterr().out


def test_a_git_revision_shows_a_new_value_under_the_old_version(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    rules = write(tmp_path / "rules")
    other = tmp_path / "rules" / "methods" / "other"
    other.mkdir(parents=True)
    for name in ("scorecard.yml", "features.yml"):
        (other / name).write_text("another: rule set\n", encoding="utf-8")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *command], check=True)
    options = ["rules", "check", "--rules", rules, *DAY, "--max-reference-age", "999", "--against"]
    assert main([*options, "HEAD"]) == 0
    (tmp_path / "rules" / "small.yml").write_text(RULE.replace("{90: 0.5", "{90: 0.6"), encoding="utf-8")
    capsys.readouterr()
    assert main([*options, "HEAD"]) == 40
    assert "rules/small.yml:4:10: R070: score of 'small' changed" in capsys.readouterr().out
    for none in ("no-such-branch", "--output=x"):
        assert main([*options, none]) == 40
        assert "revision" in capsys.readouterr().err
    assert not (tmp_path / "rules" / "x").exists()


def test_a_folder_with_its_own_scorecard_is_another_rule_set(tmp_path: Path) -> None:
    write(tmp_path / "rules")
    before = read_rule_files(tmp_path / "rules")
    other = tmp_path / "rules" / "methods" / "other"
    other.mkdir(parents=True)
    (other / "scorecard.yml").write_text("version: 1\n")
    (other / "rule.yaml").write_text("not read\n")
    assert read_rule_files(tmp_path / "rules") == before
    assert set(read_rule_files(RULES / "methods" / "geopolrisk")) >= {"features.yml", "scorecard.yml"}


def test_rules_of_another_method_score_no_curbs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    geopolrisk = str(RULES / "methods" / "geopolrisk")
    assert main(["run", "--rules", geopolrisk, "--out", str(tmp_path)]) == 40
    assert "these rules are for geopolrisk, not for curb scores" in capsys.readouterr().err
