"""Ad-hoc SQL over the published file: read-only, no files, no network; bounded in memory, rows and time."""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

import polars as pl
from rich.table import Table

from jobs.errors import ExitCode, SettingsError
from jobs.export.csv import csv_text
from jobs.tables import as_table
from warehouse.database import SANDBOX_GB, Sandbox
from warehouse.errors import QueryError, QueryTimeoutError

EXAMPLE = 'curbline sql "SELECT * FROM mart.route_score LIMIT 5"'
#: A statement that is asked to stop does so between two steps; one that does not is stopped with its process.
GRACE_S = 3.0
#: An answer is for reading; more than this is an export.
_ANSWER_MB = 100
#: Characters of a text in a printed table.
_CELL = 2000
#: Beside what DuckDB counts of its memory: Python, libraries, and the answer as it is printed.
_ROOM_GB = 1


class Format(StrEnum):
    """How an answer is printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


@dataclass(frozen=True)
class Answer:
    """Rows of a query, and whether the limit cut them."""

    frame: pl.DataFrame
    is_cut: bool


def ask(snapshot: Path, query: str, *, limit: int, timeout_s: float) -> Answer:
    """Run one statement in the sandbox.

    Args:
        snapshot: The published file.
        query: One SQL statement.
        limit: Most rows returned.
        timeout_s: The statement is stopped after this long.

    Raises:
        SettingsError: The statement is empty, wrong, refused by the sandbox, or took too long, or its answer is too large.
    """
    text = query.strip().rstrip(";").strip()
    if not text:
        raise SettingsError(f"the query is empty; write for example: {EXAMPLE}")
    with Sandbox.open(snapshot, timeout_s=timeout_s, row_limit=limit) as sandbox:
        try:
            frame, is_cut = sandbox.query(text)
        except QueryTimeoutError as problem:
            raise SettingsError(f"{problem} (--timeout takes seconds)") from problem
        except QueryError as problem:
            raise SettingsError(
                f'the query was refused: {problem}\n`curbline sql "SHOW ALL TABLES"` lists what there is.'
            ) from problem
    if (size_mb := frame.estimated_size("mb")) > _ANSWER_MB:
        raise SettingsError(
            f"the answer has {size_mb:,.0f} MB, more than the {_ANSWER_MB} that are printed; select fewer rows or columns, "
            "lower --limit, or take whole tables with `curbline export`."
        )
    return Answer(frame, is_cut)


@contextmanager
def bounded(timeout_s: float) -> Iterator[None]:
    """Hold this whole process to its memory and time, for what DuckDB neither counts nor interrupts.

    A single call such as ``repeat('x', 3000000000)`` is both. Only for a process that asks one question and ends.
    """
    # The watch starts first: a thread that finds no memory for its stack would be waited for without end.
    watch = threading.Timer(timeout_s + GRACE_S, _end, [timeout_s])
    watch.daemon = True
    watch.start()
    most = _mapped_bytes() + ((SANDBOX_GB + _ROOM_GB) << 30)
    before = resource.getrlimit(resource.RLIMIT_DATA)
    hard = before[1]
    with suppress(ValueError, OSError):  # where the system has no such limit, DuckDB's own stays
        resource.setrlimit(
            resource.RLIMIT_DATA, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard)
        )
    try:
        yield
    finally:
        watch.cancel()
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, before)


def _mapped_bytes() -> int:
    """Return what the process has mapped before the statement, which its libraries need; 0 where nobody tells."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * resource.getpagesize()


def _end(timeout_s: float) -> None:
    sys.stderr.write(
        f"the statement did not stop after {timeout_s:g} s, and was ended with its process; narrow it, "
        "or allow more time (--timeout takes seconds).\n"
    )
    sys.stderr.flush()
    os._exit(ExitCode.SETTINGS)


def render(answer: Answer, how: Format) -> str | Table:
    """Return the answer as CSV or JSON text, or as a table to print."""
    if how is Format.CSV:
        return csv_text(answer.frame)
    if how is Format.JSON:
        rows = answer.frame.with_columns(pl.selectors.float().fill_nan(None)).to_dicts()
        return json.dumps(rows, default=plain, ensure_ascii=False, indent=1)
    shown = [tuple(map(_shortened, row)) for row in answer.frame.rows()]
    return as_table(answer.frame.columns, shown)


def _shortened(value: object) -> object:
    """Cut a text that no terminal shows, and say so; CSV and JSON hold it whole."""
    if not isinstance(value, str) or len(value) <= _CELL:
        return value
    return f"{value[:_CELL]}… ({len(value):,} characters; --format csv prints all)"


def plain(value: object) -> object:
    """Make dates, decimals and the like fit for JSON."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return str(value)
