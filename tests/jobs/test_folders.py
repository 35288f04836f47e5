"""A folder of rules or facts is an argument or an option, as one expects."""

from pathlib import Path

import pytest

from jobs.cli import main
from tests.engine.rulebook import with_rule
from tests.jobs.bundle import write_bundle

SMALL = {
    "rules check": ["--as-of", "2026-11-27", "--max-reference-age", "900"],
    "rules test": [],
    "rules schema": [],
}


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    for name, text in with_rule().items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("command", SMALL)
def test_rules_by_argument_option_and_both(
    command: str, rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = []
    for folder in ([str(rules)], ["--rules", str(rules)], [str(rules), "--rules", f"{rules}/../own"]):
        assert main([*command.split(), *folder, *SMALL[command]]) == 0
        said.append(capsys.readouterr().out)
    assert len(set(said)) == 1
    assert main([*command.split(), str(tmp_path / "none"), *SMALL[command]]) == 40
    assert "none: there is no such folder of rules" in capsys.readouterr().err
    assert main([*command.split(), str(rules), "--rules", str(tmp_path)]) == 40
    assert (
        f"{rules} and --rules {tmp_path} are different folders; name one of them." in capsys.readouterr().err
    )


def test_facts_by_argument_option_and_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = str(write_bundle(tmp_path / "tiny"))
    for folder in ([bundle], ["--facts", bundle], [bundle, "--facts", bundle]):
        assert main(["facts", "check", *folder, "--alone"]) == 0
        assert "tiny 1: 14 rows accepted in 5 tables, 0 faults." in capsys.readouterr().out
    assert main(["facts", "check", bundle, "--facts", str(tmp_path)]) == 40
    assert "are different folders" in capsys.readouterr().err
    assert main(["facts", "check"]) == 40
    assert "name the bundle to check" in capsys.readouterr().err


def test_one_problem_is_one_problem(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = rules / "small.yml"
    small.write_text(
        small.read_text(encoding="utf-8").replace("version: 1", "version: 0", 1), encoding="utf-8"
    )
    assert main(["rules", "check", str(rules), *SMALL["rules check"]]) == 40
    said = capsys.readouterr().out
    assert "3 files of " in said
    assert "1 problem, 0 warnings." in said
