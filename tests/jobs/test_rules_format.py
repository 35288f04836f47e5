"""`curbline rules fmt`: lays out, says what it did, and never touches what is wrong."""

from pathlib import Path

import pytest

from jobs.cli import main
from tests.engine.rulebook import RULE, with_rule

UNTIDY = RULE.replace("owner: tests", "owner:   'tests' # who")
TIDY = RULE.replace("owner: tests", "owner: tests  # who")


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    for name, text in with_rule(UNTIDY).items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_check_writes_nothing_and_fails(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "fmt", "--check", "--rules", str(rules)]) == 40
    assert f"{rules / 'small.yml'}: is not laid out" in capsys.readouterr().out
    assert (rules / "small.yml").read_text("utf-8") == UNTIDY


def test_files_are_laid_out_once(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "fmt", "--rules", str(rules)]) == 0
    assert "1 file laid out, 2 in order, 0 refused." in capsys.readouterr().out
    assert (rules / "small.yml").read_text("utf-8") == TIDY
    assert main(["rules", "fmt", "--check", "--rules", str(rules)]) == 0
    assert sorted(path.name for path in rules.iterdir()) == ["features.yml", "scorecard.yml", "small.yml"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [("on: horizon_days", "on: horizn_days", "R010"), ("rationale: >", "rationale: [", "R001")],
)
def test_a_file_with_problems_is_not_touched(
    rules: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, code: str
) -> None:
    wrong = UNTIDY.replace(old, new)
    (rules / "small.yml").write_text(wrong, encoding="utf-8")
    assert main(["rules", "fmt", "--rules", str(rules)]) == 40
    said = capsys.readouterr().out
    assert code in said
    assert "small.yml: has problems and is left as it is." in said
    assert (rules / "small.yml").read_text("utf-8") == wrong


def test_a_draft_from_elsewhere_is_laid_out_with_windows_line_ends_mended(
    rules: Path, tmp_path: Path
) -> None:
    (rules / "small.yml").unlink()
    draft = tmp_path / "small.yml"
    draft.write_bytes(b"\xef\xbb\xbf" + UNTIDY.replace("\n", "\r\n").encode())
    assert main(["rules", "fmt", str(draft), "--rules", str(rules)]) == 0
    assert draft.read_bytes() == TIDY.encode()


def test_what_is_no_rule_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("nothing.yml", "words.txt"):
        (tmp_path / "words.txt").write_text("x", encoding="utf-8")
        assert main(["rules", "fmt", str(tmp_path / name)]) == 40
        assert "neither a rule file" in capsys.readouterr().err
