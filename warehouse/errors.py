"""Errors of the warehouse, each a sentence with place, value and mend.

DataError
├── BundleError          a bundle folder or file cannot be read as a whole (lists every problem found)
│   └── StrictError      strict mode: rows were rejected
├── StateError           state.duckdb cannot be opened or is of another schema
│   └── StateBusyError   another process holds it
├── DamagedError         a database file is not what was written to it
├── QueryError           a statement failed
│   ├── SandboxError     the read-only sandbox refused it
│   └── QueryTimeoutError  it ran longer than allowed
├── InputError           the facts do not allow the frames that were asked for (for instance, no trade known)
├── MartError            a frame does not match the published columns
└── SnapshotError        a snapshot could not be written or is not whole
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class DataError(Exception):
    """Root of everything that can go wrong with facts and databases."""


@dataclass(frozen=True, slots=True, order=True)
class FileProblem:
    """One reason why a bundle file cannot be used at all.

    Attributes:
        file: bundle folder and file name, never a machine path.
        line: line in the file, 0 where the file as a whole is meant.
        message: a sentence that ends with the mend.
    """

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.message}"


class BundleError(DataError):
    """A bundle cannot be read; `problems` holds every reason found in one pass."""

    def __init__(self, problems: Sequence[FileProblem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class StrictError(BundleError):
    """Strict mode: at least one row was rejected."""


class StateError(DataError):
    """The state database cannot be used."""


class StateBusyError(StateError):
    """Another process holds the state database."""


class DamagedError(DataError):
    """A database file is cut off, overwritten or otherwise not what was written to it."""


class QueryError(DataError):
    """A SQL statement failed."""


class LackingError(QueryError):
    """A statement reads a table or column that is not there."""


class SandboxError(QueryError):
    """The sandbox refused a statement that reaches outside the published file."""


class QueryTimeoutError(QueryError):
    """A statement ran longer than its limit."""


class InputError(DataError):
    """The facts known at that date cannot answer the question."""


class MartError(DataError):
    """A mart frame differs from the published columns."""


class SnapshotError(DataError):
    """A snapshot is missing, half-written or could not be built."""
