"""The pages of docs/checks as data, and what the program says of the files in them."""

import re
from datetime import date
from functools import cache
from pathlib import Path

from engine.language.checks.age import check_age
from engine.language.checks.versions import check_versions
from engine.language.errors import format_problem
from engine.language.examples import run_examples
from engine.language.load import SCENARIOS
from engine.language.ruleset import check_ruleset, load_ruleset, scenarios_of
from engine.language.vocabulary import Vocabulary
from engine.trials.scenarios import run_scenarios
from jobs.resources import default_facts_dir
from jobs.rules.vocabulary import vocabulary_of
from tests.engine.rulebook import default_texts

FOLDER = Path(__file__).parents[2] / "docs" / "checks"
DAY = date(2026, 11, 27)
_BLOCK = re.compile(
    r"^```[a-z]+ (before|beside|wrong|said|mend|mended)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL
)


@cache
def known() -> Vocabulary:
    """The codes of the embedded facts."""
    return vocabulary_of([default_facts_dir()])


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

    A scenario stands beside all default rules, which it scores with.

    Args:
        files: the rules by file name.
        before: the rules as they were, where they are compared (`--against`).
    """
    is_scenario = any(name.startswith(SCENARIOS) for name in files)
    names = list(default_texts()) if is_scenario else ["features.yml", "scorecard.yml"]
    base = {name: default_texts()[name] for name in names if not name.startswith(SCENARIOS)}
    problems = check_ruleset(base | files, known())
    if not problems:
        ruleset = load_ruleset(base | files, known())
        problems = check_age(ruleset, DAY, 365) + run_examples(ruleset).problems
        results = run_scenarios(ruleset, scenarios_of(base | files, ruleset))
        problems += [result.problem for result in results if result.problem is not None]
        if before is not None:
            problems += check_versions(ruleset, load_ruleset(base | before))
    texts = base | files
    return [f"rules/{format_problem(problem, texts.get(problem.location.file, ''))}" for problem in problems]
