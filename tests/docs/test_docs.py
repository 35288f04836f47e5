"""The documentation says what the program does: commands, options, exit codes, links, names."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperCommand, TyperGroup

from jobs.cli import app
from jobs.errors import ExitCode

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
README = (ROOT / "README.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
PROGRAMS = ("curbline", "make", "bash", "cd")


def _commands() -> dict[str, TyperCommand]:
    """Every command of the program, groups as `rules check`."""
    found: dict[str, TyperCommand] = {}
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    for name, command in root.commands.items():
        leaves = command.commands.items() if isinstance(command, TyperGroup) else [("", command)]
        for inner, leaf in leaves:
            assert isinstance(leaf, TyperCommand)
            found[f"{name} {inner}".strip()] = leaf
    return found


COMMANDS = _commands()
_INNER = "|".join(sorted({name.split(" ")[1] for name in COMMANDS if " " in name}))
COMMAND = re.compile(rf"(?<![\w./-])curbline ((?:[a-z]+)(?: (?:{_INNER})\b)?)")


def _shell_commands(text: str) -> list[list[str]]:
    """The words after each `curbline` in the shell blocks of a page; a quoted query may span lines."""
    found: list[list[str]] = []
    for block in re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL):
        current: list[str] = []
        for word in shlex.split(block, comments=True):
            if word in PROGRAMS:
                current = []
                if word == "curbline":
                    found.append(current)
            else:
                current.append(word)
    return found


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_lines_of_prose_are_under_120_characters(page: Path) -> None:
    prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    too_long = [line for line in prose.splitlines() if len(line) >= 120 and not line.startswith("|")]
    # An address cannot be broken.
    assert [line for line in too_long if " " in line.strip()] == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_commands_named_in_the_docs_exist(page: Path) -> None:
    for written in COMMAND.findall(page.read_text(encoding="utf-8")):
        known = written in COMMANDS or written.split(" ")[0] in COMMANDS
        assert known, f"{page.name} names `curbline {written}`, which is not a command"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_in_the_readme(name: str) -> None:
    assert f"`curbline {name}" in README


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_options_in_shell_blocks_exist(page: Path) -> None:
    for words in _shell_commands(page.read_text(encoding="utf-8")):
        name = " ".join(words[:2]) if " ".join(words[:2]) in COMMANDS else words[0]
        assert name in COMMANDS, f"{page.name}: `curbline {name}` is not a command"
        known = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        given = {word.split("=")[0] for word in words if word.startswith("--") and word != "--"}
        assert given <= known, (
            f"{page.name}: `curbline {name}` has no option {', '.join(sorted(given - known))}"
        )


def test_options_named_for_the_run_exist() -> None:
    row = next(line for line in README.splitlines() if line.startswith("| `curbline run`"))
    known = {option for parameter in COMMANDS["run"].params for option in parameter.opts}
    assert set(re.findall(r"--[a-z-]+", row)) <= known


@pytest.mark.parametrize("code", list(ExitCode), ids=lambda code: code.name)
def test_every_exit_code_is_documented(code: ExitCode) -> None:
    for name, text in (("README.md", README), ("docs/operations.md", OPERATIONS)):
        assert re.search(rf"^\| {int(code)} \|", text, flags=re.MULTILINE), (
            f"{name} does not explain exit code {int(code)}"
        )


def test_no_exit_code_is_invented() -> None:
    for text in (README, OPERATIONS):
        section = text.split("## Exit codes")[1].split("\n## ")[0]
        written = {int(code) for code in re.findall(r"^\| (\d+) \|", section, flags=re.MULTILINE)}
        assert written == set(ExitCode)


def test_tables_and_macros_in_the_readme_are_public() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "warehouse").rglob("*.[ps][yq]*"))
    for name in set(re.findall(r"\bmart\.([a-z_]+)", README)) | set(re.findall(r"\b([a-z]+_at)\(", README)):
        assert re.search(rf"\b{name}\b", sources), (
            f"the README asks {name}, which the warehouse does not make"
        )


def test_make_targets_named_in_the_docs_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, flags=re.DOTALL))
        for target in re.findall(r"\bmake ([a-z][a-z-]*)", code):
            assert target in targets, f"{page.name} names `make {target}`, which is not a target"
