"""Where a rule text is wrong, what is wrong, and how to mend it.

Error tree::

    RuleError(problems)         one or more problems; every one has a place
      RuleSyntaxError           the text is not in the YAML subset
      RuleCheckError            a static check refused the rules (R0xx)
      RuleExampleError          an inline test failed (R080)
"""

from dataclasses import dataclass, field

from ground.nearest import nearest


@dataclass(frozen=True, order=True)
class Location:
    """A place in a text: 1-based line and column."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        """Return file:line:column."""
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong. ``code`` is stable; each has a page in docs/checks."""

    location: Location
    code: str
    message: str
    hint: str = ""
    is_warning: bool = field(default=False)

    def __str__(self) -> str:
        """Return one line: place, code, sentence and hint."""
        level = " (warning)" if self.is_warning else ""
        return f"{self.location}: {self.code}{level}: {self.message}{f'; {self.hint}' if self.hint else ''}"


class RuleError(Exception):
    """Rules that are refused, with every problem found in one pass."""

    def __init__(self, problems: list[Problem]) -> None:
        """Keep the problems in order of place."""
        self.problems = sorted(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class RuleSyntaxError(RuleError):
    """A text that is not in the YAML subset."""


class RuleCheckError(RuleError):
    """Rules that a static check refuses."""


class RuleExampleError(RuleError):
    """Rules whose inline tests fail."""


def did_you_mean(word: str, known: list[str]) -> str:
    """Return a hint that names the closest known word, or lists a few where none is close."""
    close = nearest(word, known)
    if close:
        return f"did you mean '{close}'?"
    shown = sorted(known)
    if not shown:
        return "there is none yet; add it"
    return f"use one of {', '.join(shown[:12])}{', …' if len(shown) > 12 else ''}"


def format_problem(problem: Problem, source: str = "") -> str:
    """Return the problem with its source line and a caret below the place."""
    lines = source.splitlines()
    at = problem.location
    if not 1 <= at.line <= len(lines):
        return str(problem)
    line = lines[at.line - 1].replace("\t", " ")[:200]
    return f"{problem}\n    {line}\n    {' ' * (at.column - 1)}^"
