"""`curbline rules check`: age of references, and rules against what they were."""

from pathlib import Path

import pytest

from jobs.cli import main
from jobs.rulebook import read_rule_files
from tests.engine.rulebook import RULE, RULES, with_rule
from warehouse.database import Database

DAY = ["--as-of", "2026-11-23"]


def write(folder: Path, text: str = RULE) -> str:
    folder.mkdir()
    for name, content in with_rule(text).items():
        (folder / name).write_text(content, encoding="utf-8")
    return str(folder)


def test_an_old_reference_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = write(tmp_path / "rules")
    assert main(["rules", "check", "--rules", rules, *DAY]) == 10
    said = capsys.readouterr().out
    assert "rules/small.yml:9:11: R061 (warning): 'notice' was checked 690 days ago" in said
    assert "0 problems, 1 warnings." in said
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


def test_a_published_file_shows_rules_that_are_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = write(tmp_path / "rules")
    file = tmp_path / "curbline.duckdb"
    with Database.open(file) as database:
        database.execute("CREATE SCHEMA meta")
        database.execute(
            "CREATE TABLE meta.rule AS SELECT * FROM (VALUES ('small', 2, 'withheld'), ('other', 1, 'flag')) "
            "AS t(rule_id, version, sets)"
        )
    options = ["rules", "check", "--rules", rules, *DAY, "--max-reference-age", "999", "--against"]
    assert main([*options, str(file)]) == 40
    said = capsys.readouterr().out
    assert "rules/small.yml:4:10: R070: the version of 'small' went from 2 back to 1" in said
    assert "R063 (warning): the rule 'other' is gone" in said
    assert main([*options, str(tmp_path / "nothing")]) == 40
    assert "no such folder or file" in capsys.readouterr().err


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
