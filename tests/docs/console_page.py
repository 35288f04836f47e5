"""A documentation page with terminal output that is run: its blocks, and how its output is compared.

`python -m tests.docs.console_page docs/walk-through.md` runs the page and writes what was printed into it.
"""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

from jobs.cli import main

BLOCK = re.compile(r"<!-- (run|file|append)(?:: (\S+))? -->\n```[a-z]*\n(.*?)```\n", re.DOTALL)
LEFT_OUT = "…"
LONGEST = 28  # lines of one command's output that a page holds; the rest is left out
LONGEST_RUN = 9  # a night's summary changes with every fact, and is not what the page is about
COUNTED = ("Facts: ", "Rules: ", " files of ", " tests of the rules pass", " branches reached", "Routes at ")
NIGHT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
CHANGING = (
    (re.compile(r"\b[0-9a-f]{16}\b"), "0123456789abcdef"),  # runs and attempts
    (re.compile(r"\+[0-9a-f]{12}\b"), "+0123456789ab"),  # code
    (re.compile(r"\b\d+\.\d+ s\b"), "0.0 s"),
    (re.compile(r"\b\d[\d.,]* [kMG]B\b"), "0 MB"),
)


@dataclass(frozen=True)
class Step:
    """One command, its exit code and what it prints."""

    command: str
    printed: list[str]


def run_page(text: str, folder: Path) -> list[list[Step]]:
    """The steps of every block in order; only `curbline` is run in this process, on a clock of the page's own."""
    here = folder
    found: list[list[Step]] = []
    for kind, name, body in BLOCK.findall(text):
        steps: list[Step] = []
        if kind == "run":
            for command in (line[2:] for line in body.splitlines() if line.startswith("$ ")):
                here, printed = _run(command, here)
                steps.append(Step(command, [_plain(line, folder) for line in printed]))
        else:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            before = path.read_text(encoding="utf-8") if kind == "append" else ""
            path.write_text(before + body, encoding="utf-8")
        found.append(steps)
    return found


def _run(command: str, here: Path) -> tuple[Path, list[str]]:
    words = shlex.split(command)
    if words[0] == "cd":
        return here / words[1], []
    if words[0] != "curbline":
        subprocess.run(words, cwd=here, check=True)
        return here, []
    stream = io.StringIO()
    columns = {"COLUMNS": "110"}
    with (
        contextlib.chdir(here),
        patch("jobs.commands.work.now", lambda: NIGHT),
        patch.dict(os.environ, columns),
        contextlib.redirect_stdout(stream),
        contextlib.redirect_stderr(stream),
    ):
        main(words[1:])
    return here, stream.getvalue().rstrip("\n").split("\n") if stream.getvalue() else []


def _plain(line: str, folder: Path) -> str:
    line = line.replace(f"{folder}/", "").rstrip()
    for pattern, instead in CHANGING:
        line = pattern.sub(instead, line)
    return line


def shown(steps: list[Step]) -> str:
    """A block as it stands on the page; long output loses its middle."""
    lines = []
    for step in steps:
        printed = step.printed
        longest = LONGEST_RUN if step.command.startswith("curbline run") else LONGEST
        if len(printed) > longest:
            printed = [*printed[: longest - 4], LEFT_OUT, *printed[-3:]]
        lines += [f"$ {step.command}", *printed]
    return "\n".join(lines) + "\n"


def with_output(text: str, found: list[list[Step]]) -> str:
    """The page with what was printed in its blocks."""
    blocks = iter(found)

    def filled(match: "re.Match[str]") -> str:
        steps = next(blocks)
        body: str = match[3]
        whole: str = match[0]
        return whole.replace(body, shown(steps)) if match[1] == "run" else whole

    return BLOCK.sub(filled, text)


def comparable(block: str) -> str:
    """A block without the counts that move whenever somebody adds a fact, a rule or a test."""
    lines = [
        re.sub(r"\d[\d,.]*", "0", line) if any(word in line for word in COUNTED) else line
        for line in block.splitlines()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    page = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as place:
        written = page.read_text(encoding="utf-8")
        page.write_text(with_output(written, run_page(written, Path(place).resolve())), encoding="utf-8")
