"""CSV: UTF-8, comma, dot, ISO dates; an empty cell is unknown; no cell can start a formula.

A list is one cell as DuckDB writes and reads it, `[AUS, MYS]`: with its brackets, a list of one code stays text.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl
import polars.selectors as cs

# A spreadsheet reads a cell that starts with one of these as a formula (CWE-1236).
FORMULA_START = r"^[=+\-@\t\r\n]"


def safe_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Put an apostrophe before every text that a spreadsheet would run; numbers are untouched.

    Lists become one cell, as the module says.
    """
    lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
    flat = frame.with_columns(
        pl.format("[{}]", pl.col(name).cast(pl.List(pl.String)).list.join(", ")).alias(name) for name in lists
    )
    flat = flat.with_columns(cs.categorical().cast(pl.String), cs.enum().cast(pl.String))
    texts = [name for name, kind in flat.schema.items() if kind == pl.String]
    return flat.with_columns(
        pl.when(pl.col(name).str.contains(FORMULA_START))
        .then("'" + pl.col(name))
        .otherwise(pl.col(name))
        .alias(name)
        for name in texts
    )


def csv_text(frame: pl.DataFrame) -> str:
    """Return a frame as CSV text."""
    return safe_text(frame).write_csv()


def write_csv(pieces: Iterable[pl.DataFrame], path: Path) -> None:
    """Write frames of the same columns as one CSV file, one below the other."""
    with path.open("wb") as file:
        for place, piece in enumerate(pieces):
            safe_text(piece).write_csv(file, include_header=place == 0)
