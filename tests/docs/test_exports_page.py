"""docs/exports.md: every exported CSV, read as the page says, is the Parquet file beside it."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from jobs.export.csv import safe_text
from jobs.export.tables import NIGHTLY_SKIP, ROWS_GUESSED_FROM
from jobs.marts import KEYS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "exports.md"
TYPES, POLARS, PANDAS, DUCKDB = re.findall(
    r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
)
FOLDER_OF_THE_PAGE = 'Path("curbline-data/exports/4f0c"), "importer_score"'
TABLES = sorted(set(KEYS) - {name for name, _ in NIGHTLY_SKIP})

pytestmark = pytest.mark.slow


def read(published: Path, table: str, block: str) -> Any:
    """What `frame` is after the page's blocks were run on a table of the published run."""
    folder = next((published.parent / "exports").iterdir())
    assert FOLDER_OF_THE_PAGE in TYPES
    names: dict[str, Any] = {}
    exec(TYPES.replace(FOLDER_OF_THE_PAGE, f"Path({str(folder)!r}), {table!r}") + block, names)  # noqa: S102
    return names["frame"]


def in_parquet(published: Path, table: str) -> pl.DataFrame:
    """A table as Parquet has it, lists as the one cell that a CSV makes of them, in the order of its key."""
    (path,) = (published.parent / "exports").glob(f"*/{table}.parquet")
    return safe_text(pl.read_parquet(path)).sort(KEYS[table])


@pytest.mark.parametrize("table", TABLES)
def test_polars_reads_the_types_and_values_of_parquet(published: Path, table: str) -> None:
    assert_frame_equal(read(published, table, POLARS).sort(KEYS[table]), in_parquet(published, table))


@pytest.mark.parametrize("table", TABLES)
def test_pandas_reads_the_types_and_values_of_parquet(published: Path, table: str) -> None:
    frame: pd.DataFrame = read(published, table, PANDAS)
    want = in_parquet(published, table)
    days = [name for name, kind in want.schema.items() if kind == pl.Date]
    assert all(pd.api.types.is_datetime64_any_dtype(frame[name]) for name in days)
    found = pl.from_pandas(frame).with_columns(pl.col(days).cast(pl.Date)).sort(KEYS[table])
    assert_frame_equal(found, want)


@pytest.mark.parametrize("table", TABLES)
def test_duckdb_reads_the_types_and_values_of_parquet(published: Path, table: str) -> None:
    relation: duckdb.DuckDBPyRelation = read(published, table, DUCKDB)
    assert_frame_equal(relation.pl().sort(KEYS[table]), in_parquet(published, table))


@pytest.mark.parametrize("table", TABLES)
def test_readers_that_guess_take_no_number_or_date_for_text(published: Path, table: str) -> None:
    (path,) = (published.parent / "exports").glob(f"*/{table}.csv")
    want = in_parquet(published, table)
    filled = want.select(name for name in want.columns if want[name].null_count() < want.height)
    found = pl.read_csv(path, try_parse_dates=True, infer_schema_length=ROWS_GUESSED_FROM)
    assert_frame_equal(found.sort(KEYS[table]).select(filled.columns), filled)
    with warnings.catch_warnings(action="error"):
        guessed = pd.read_csv(path, low_memory=False)
    numbers = [name for name, kind in filled.schema.items() if kind.is_numeric()]
    assert all(pd.api.types.is_numeric_dtype(guessed[name]) for name in numbers)
