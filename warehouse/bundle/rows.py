"""Checking the rows of one table against its record, and turning them into a typed frame."""

from __future__ import annotations

from typing import Any

import polars as pl
from pydantic import ValidationError

from warehouse.bundle.files import LINE, RawTable, RejectedRow
from warehouse.records.fields import (
    FIRST_DAY,
    FIRST_YEAR,
    HS_REVISIONS,
    LAST_DAY,
    LAST_YEAR,
    MAX_FLOW_T,
    MAX_USD,
)
from warehouse.records.tables import TABLES, Column, columns, schema
from warehouse.suggest import did_you_mean

FILE = "__file"
_WORDS = {
    "greater_than_equal": "is below {ge}",
    "greater_than": "must be above {gt}",
    "less_than_equal": "is above {le}, more than can be; check the unit",
    "string_pattern_mismatch": "is not written as it must be here (pattern {pattern})",
    "string_too_short": "is empty",
    "string_type": "is not text",
}
_TRADE = "trade"


def typed(raw: RawTable) -> tuple[pl.DataFrame, list[RejectedRow]]:
    """Validate every row of a table.

    Returns:
        A frame with the table's schema plus file and line of each row, and the rejected rows.
    """
    frame = raw.frame
    if "note" not in frame.columns and "note" in schema(raw.table):
        frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias("note"))
    if raw.table == _TRADE:
        accepted, rejected = _typed_trade(raw, frame)
    else:
        accepted, rejected = _by_row(raw, frame)
    return accepted.with_columns(pl.lit(raw.file).alias(FILE)), [*raw.rejected, *rejected]


def _by_row(raw: RawTable, frame: pl.DataFrame) -> tuple[pl.DataFrame, list[RejectedRow]]:
    model = TABLES[raw.table].model
    known = {c.name: c for c in columns(raw.table)}
    rows: list[dict[str, Any]] = []
    rejected: list[RejectedRow] = []
    for cells in frame.iter_rows(named=True):
        line = cells.pop(LINE)
        filled = {name: value for name, value in cells.items() if value is not None}
        try:
            row = model.model_validate(filled)
        except ValidationError as error:
            rejected += [
                _rejected(raw.file, line, known, fault, filled) for fault in error.errors(include_url=False)
            ]
            continue
        rows.append({LINE: line, **row.__dict__})
    types = {LINE: pl.Int64(), **schema(raw.table)}
    return pl.DataFrame(rows, schema=types), rejected


def _rejected(
    file: str, line: int, known: dict[str, Column], fault: Any, filled: dict[str, Any]
) -> RejectedRow:
    kind, context = fault["type"], fault.get("ctx") or {}
    column = str(fault["loc"][0]) if fault["loc"] else str(context.get("column", ""))
    value = filled.get(column)
    if kind == "missing":
        reason = "is empty; this column needs a value"
    elif kind == "literal_error":
        vocabulary = known[column].vocabulary
        reason = f"is not one of {', '.join(vocabulary)}{did_you_mean(str(value), vocabulary)}"
    elif kind in _WORDS:
        reason = _WORDS[kind].format(**context)
    else:
        reason = fault["msg"]
    return RejectedRow(file, line, column, "" if value is None else str(value), reason)


def _typed_trade(raw: RawTable, frame: pl.DataFrame) -> tuple[pl.DataFrame, list[RejectedRow]]:
    """Return the same outcome as row by row, for hundreds of thousands of rows.

    Columns are checked at once; only rows that fail, or are written unusually, go through the record one by one.
    """
    types = schema(raw.table)
    cast, plain = _plain(frame, types)
    whole = frame.select(plain.alias("plain")).get_column("plain").fill_null(value=False)
    quick = frame.filter(whole).select(pl.col(LINE), *cast)
    slow, rejected = _by_row(raw, frame.filter(~whole))
    accepted = pl.concat([quick, slow.select(quick.columns)]).sort(LINE) if slow.height else quick
    return accepted, rejected


def _plain(frame: pl.DataFrame, types: pl.Schema) -> tuple[list[pl.Expr], pl.Expr]:
    """Expressions that cast each trade column, and one that is true where a row surely validates."""
    text = {name for name in types if frame.schema[name] == pl.String}

    def cast(name: str) -> pl.Expr:
        column = pl.col(name)
        if name not in text or types[name] == pl.String:
            return column.cast(types[name], strict=False)
        if types[name] == pl.Date:
            return column.str.to_date("%Y-%m-%d", strict=False)
        if types[name] == pl.Boolean:
            return column == "true"
        return column.cast(types[name], strict=False)

    def written(name: str, pattern: str) -> pl.Expr:
        return pl.col(name).str.contains(pattern) if name in text else pl.lit(value=True)

    def amount(name: str, most: float) -> pl.Expr:
        fine = cast(name).is_between(0, most) & written(name, r"^\d+(\.\d+)?([eE][+-]?\d+)?$")
        return pl.col(name).is_null() | fine.fill_null(value=False)

    codes = {"exporter": "^[A-Z]{3}$", "importer": "^[A-Z]{3}$", "hs6": r"^\d{6}$", "source_id": r"^\S+$"}
    checks = [written(name, pattern) & pl.col(name).is_not_null() for name, pattern in codes.items()]
    checks += [
        cast("hs_revision").is_in(list(HS_REVISIONS)),
        cast("year").is_between(FIRST_YEAR, LAST_YEAR) & written("year", r"^\d{4}$"),
        cast("known_from").is_between(FIRST_DAY, LAST_DAY) & written("known_from", r"^\d{4}-\d{2}-\d{2}$"),
        written("is_complete", "^(true|false)$") & pl.col("is_complete").is_not_null(),
        amount("value_usd", MAX_USD),
        amount("quantity_t", MAX_FLOW_T),
        pl.col("value_usd").is_not_null() | pl.col("quantity_t").is_not_null(),
        pl.lit(value=all(name in text for name in codes)),
    ]
    native_bad = [name for name in types if name not in text and not _fits(frame.schema[name], types[name])]
    checks.append(pl.lit(value=not native_bad))
    return [cast(name).alias(name) for name in types], pl.all_horizontal(checks)


def _fits(found: pl.DataType, wanted: pl.DataType) -> bool:
    if wanted == pl.Float64:
        return found.is_numeric()
    if wanted == pl.Int64:
        return found.is_integer()
    return found == wanted
