"""The published tables of schemas mart and meta: names, types and comments of every column.

The comments here are the only description: the snapshot's comments and the data dictionary are made of them.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from warehouse.database import literal, quoted
from warehouse.errors import MartError
from warehouse.published.columns import MartTable
from warehouse.published.mart_columns import TABLES_OF_MART
from warehouse.published.meta_columns import META
from warehouse.suggest import did_you_mean

_SQL: dict[pl.DataType, str] = {
    pl.String(): "VARCHAR",
    pl.List(pl.String()): "VARCHAR[]",
    pl.Float64(): "DOUBLE",
    pl.Int64(): "BIGINT",
    pl.Boolean(): "BOOLEAN",
    pl.Date(): "DATE",
    pl.Datetime("us"): "TIMESTAMP",
}


def sql_type(dtype: pl.DataType) -> str:
    """Return the SQL name of a published column's type."""
    return _SQL[dtype]


def conform(schema: str, name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Check a frame against its published columns, and bring it into their order and types.

    Args:
        schema: mart or meta.
        name: table.
        frame: rows; whole numbers may become floats.

    Raises:
        MartError: unknown table, or columns missing, unknown or of another type; all of them are named.
    """
    tables = TABLES_OF_MART if schema == "mart" else META
    if name not in tables:
        raise MartError(f"{schema}.{name} is not a published table{did_you_mean(name, list(tables))}")
    table = tables[name]
    wanted = {c.name: c for c in table.laid_out(frame.columns)}
    faults = [
        f"column '{name}' is missing"
        for name, column in wanted.items()
        if name not in frame.columns and not column.optional
    ]
    faults += [
        f"unknown column '{c}'{did_you_mean(c, list(wanted))}" for c in frame.columns if c not in wanted
    ]
    if faults:
        raise MartError(f"{schema}.{name}: {'; '.join(faults)}")
    exprs = []
    for column, dtype in ((c.name, c.dtype) for c in wanted.values()):
        if column not in frame.columns:
            exprs.append(pl.lit(None, dtype=dtype).alias(column))
        elif not _fits(frame.schema[column], dtype):
            faults.append(f"column '{column}' is {frame.schema[column]}, not {dtype}")
        else:
            exprs.append(_cast(column, frame.schema[column], dtype))
    if faults:
        raise MartError(f"{schema}.{name}: {'; '.join(faults)}")
    return frame.select(exprs)


def publishable(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the published columns of a mart table that a frame has; what is internal is left behind."""
    laid_out = TABLES_OF_MART[name].laid_out(frame.columns)
    return frame.select(column.name for column in laid_out if column.name in frame.columns)


def _fits(found: pl.DataType, wanted: pl.DataType) -> bool:
    if found in (wanted, pl.Null()):
        return True
    if wanted == pl.String:
        return isinstance(found, pl.Enum | pl.Categorical)
    if wanted == pl.Float64:
        return found.is_numeric()
    if wanted == pl.Int64:
        return found.is_integer()
    return isinstance(wanted, pl.Datetime) and isinstance(found, pl.Datetime)


def _cast(column: str, found: pl.DataType, wanted: pl.DataType) -> pl.Expr:
    if isinstance(found, pl.Datetime) and found.time_zone is not None:
        return pl.col(column).dt.convert_time_zone("UTC").dt.replace_time_zone(None).cast(wanted)
    return pl.col(column).cast(wanted)


def create_table(schema: str, name: str, table: MartTable, many: Iterable[str] = ()) -> str:
    """Return statements that create a published table, with these columns of its families, and all its comments."""
    full = f"{schema}.{quoted(name)}"
    told = table.laid_out(many)
    body = ",\n    ".join(f"{quoted(c.name)} {sql_type(c.dtype)}" for c in told)
    lines = [
        f"CREATE TABLE {full} (\n    {body}\n);",
        f"COMMENT ON TABLE {full} IS {literal(table.says)};",
    ]
    lines += [f"COMMENT ON COLUMN {full}.{quoted(c.name)} IS {literal(c.comment)};" for c in told]
    return "\n".join(lines)
