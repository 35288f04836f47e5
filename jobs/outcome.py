"""From an exception to a sentence and an exit code, in one place."""

from __future__ import annotations

from pathlib import Path

from engine.language.errors import RuleError
from jobs.errors import ExitCode, JobError
from jobs.output.publish import folder_sentence
from warehouse.errors import DataError, MartError, QueryError, StateBusyError


def code_of(problem: BaseException) -> ExitCode:
    """Return the exit code of an error of any floor."""
    if isinstance(problem, JobError):
        return problem.code
    if isinstance(problem, RuleError):
        return ExitCode.SETTINGS
    if isinstance(problem, StateBusyError):
        return ExitCode.BUSY
    if isinstance(problem, QueryError | MartError):
        return ExitCode.INTERNAL
    if isinstance(problem, DataError):
        return ExitCode.INPUT
    return ExitCode.INTERNAL


def sentence_of(problem: BaseException, root: Path) -> str:
    """Return what to print for an error; a fault in Curbline itself says so and names the line for a report."""
    spoken = isinstance(problem, JobError | RuleError | DataError) and not isinstance(
        problem, QueryError | MartError
    )
    if spoken:
        return str(problem)
    folder = folder_sentence(problem, root)
    if folder is not None:
        return folder
    if isinstance(problem, MemoryError):
        return "the machine ran out of memory. Nothing was published; close other programs, or score fewer minerals."
    place = _place(problem)
    first = (str(problem).splitlines() or [""])[0]
    return f"a fault in Curbline: {type(problem).__name__}: {first} ({place}). Nothing was published. Please report this line; --traceback shows more."


def _place(problem: BaseException) -> str:
    trace = problem.__traceback__
    if trace is None:
        return "place unknown"
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
