"""Ad-hoc SQL over the published file: read-only, no files, no network, a row limit and a timeout."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

import polars as pl
from rich.table import Table

from jobs.errors import SettingsError
from jobs.export.csv import csv_text
from jobs.tables import as_table
from warehouse.database import Sandbox
from warehouse.errors import QueryError, QueryTimeoutError

EXAMPLE = 'curbline sql "SELECT * FROM mart.route_score LIMIT 5"'


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
        SettingsError: The statement is empty, wrong, refused by the sandbox, or took too long.
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
    return Answer(frame, is_cut)


def render(answer: Answer, how: Format) -> str | Table:
    """Return the answer as CSV or JSON text, or as a table to print."""
    if how is Format.CSV:
        return csv_text(answer.frame)
    if how is Format.JSON:
        rows = answer.frame.with_columns(pl.selectors.float().fill_nan(None)).to_dicts()
        return json.dumps(rows, default=plain, ensure_ascii=False, indent=1)
    return as_table(answer.frame.columns, answer.frame.rows())


def plain(value: object) -> object:
    """Make dates, decimals and the like fit for JSON."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return str(value)
