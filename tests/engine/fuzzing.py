"""One mutated rule file through the checks, and what came of it."""

import random
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

from engine.language.checks.every import check_rules
from engine.language.errors import Problem
from engine.language.load import SCENARIOS, read_rule
from engine.language.rules import Rule
from tests.engine.mutations import mutant
from tests.engine.reading import as_loaded, as_written
from tests.engine.rulebook import default_ruleset, default_texts

SAME, CHANGED, REFUSED = "accepted, same meaning", "accepted, means what it says", "refused with a place"
UNPLACED, SILENT, CRASH = "refused without a place", "SILENT: means something else", "TRACEBACK"
LONGEST_S = 5.0


@dataclass(frozen=True)
class Outcome:
    """What came of one mutant."""

    kind: str
    mutation: str
    file: str
    data: bytes
    codes: tuple[str, ...]
    seconds: float
    detail: str = ""


@cache
def rule_files() -> tuple[str, ...]:
    scenarios = {name for name in default_texts() if name.startswith(SCENARIOS)}
    return tuple(sorted(set(default_texts()) - scenarios - {"features.yml", "scorecard.yml"}))


@cache
def meaning(file: str) -> dict[str, Any]:
    return as_written(default_texts()[file])


def check(text: str, file: str) -> tuple[Rule | None, list[Problem]]:
    """The rule and its serious problems, as ``check_ruleset`` finds them, without reading the catalogue anew."""
    ruleset = default_ruleset()
    rule, problems = read_rule(text, file)
    if rule is not None:
        problems = problems + list(check_rules(ruleset.features, ruleset.scorecard, [rule]))
    return rule, [problem for problem in problems if not problem.is_warning]


def try_one(seed: int) -> Outcome:
    """Mutate a rule file as the seed says, and check it."""
    draw = random.Random(seed)
    file = draw.choice(rule_files())
    name, data = mutant(default_texts()[file], draw)
    start = time.process_time()
    kind, codes, detail = _judged(data, file)
    return Outcome(kind, name, file, data, codes, time.process_time() - start, detail)


def _judged(data: bytes, file: str) -> tuple[str, tuple[str, ...], str]:
    try:
        text = data.decode(
            "utf-8-sig"
        )  # as jobs.rules.rulebook reads files; what is no UTF-8 is refused with its line
    except UnicodeDecodeError:
        return REFUSED, ("encoding",), ""
    try:
        rule, problems = check(text, file)
    except Exception as problem:  # noqa: BLE001 - a traceback of any kind is what is looked for
        return CRASH, (), repr(problem)
    if problems or rule is None:
        codes = tuple(sorted({problem.code for problem in problems}))
        lines = text.count("\n") + 1
        placed = problems and all(
            1 <= p.location.line <= lines and p.location.file == file and p.hint for p in problems
        )
        return (REFUSED if placed else UNPLACED), codes, "; ".join(map(str, problems))
    loaded = as_loaded(rule)
    try:
        written = as_written(text)
    except Exception as problem:  # noqa: BLE001 - whatever PyYAML raises, the engine should have refused it
        return SILENT, (), f"PyYAML does not read it: {problem!r}"
    if loaded != written:
        parts = [key for key in written if loaded[key] != written[key]]
        return SILENT, (), "; ".join(f"{key}: {loaded[key]!r} for {written[key]!r}" for key in parts)
    return (SAME if loaded == meaning(file) else CHANGED), (), ""
