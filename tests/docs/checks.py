"""The pages of docs/checks as data, and what the program says of the files in them."""

import re
from datetime import date
from pathlib import Path

from engine import check_ruleset, format_problem, load_ruleset, run_examples
from engine.check_age import check_age
from engine.check_versions import check_versions
from tests.engine.rulebook import default_texts

FOLDER = Path(__file__).parents[2] / "docs" / "checks"
DAY = date(2026, 11, 23)
_BLOCK = re.compile(
    r"^```[a-z]+ (before|beside|wrong|said|mend|mended)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL
)


def codes() -> list[str]:
    """Every code that has a page."""
    return sorted(page.stem for page in FOLDER.glob("R[0-9]*.md"))


def blocks(code: str) -> dict[str, tuple[str, str]]:
    """The fenced blocks of a page: kind to file name and text."""
    page = (FOLDER / f"{code}.md").read_text(encoding="utf-8")
    found = _BLOCK.findall(page)
    kinds = [kind for kind, _, _ in found]
    assert len(kinds) == len(set(kinds)), f"{code}.md has two blocks of one kind"
    return {kind: (name, text) for kind, name, text in found}


def mended(text: str, mend: str) -> str:
    """A text with a diff applied; its parts are parted by @@."""
    for part in re.split(r"^@@\n", mend, flags=re.MULTILINE):
        lines = part.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] in " -")
        new = "".join(line[1:] for line in lines if line[0] in " +")
        assert text.count(old) == 1, f"the diff does not fit: {old!r}"
        text = text.replace(old, new)
    return text


def said(files: dict[str, str], before: dict[str, str] | None = None) -> list[str]:
    """Every problem of these files beside the default catalogue and scorecard, as the terminal shows it.

    Args:
        files: the rules by file name.
        before: the rules as they were, where they are compared (`--against`).
    """
    base = {name: default_texts()[name] for name in ("features.yml", "scorecard.yml")}
    problems = check_ruleset(base | files)
    if not problems:
        ruleset = load_ruleset(base | files)
        problems = check_age(ruleset, DAY, 365) + run_examples(ruleset).problems
        if before is not None:
            problems += check_versions(ruleset, load_ruleset(base | before))
    texts = base | files
    return [f"rules/{format_problem(problem, texts.get(problem.location.file, ''))}" for problem in problems]
