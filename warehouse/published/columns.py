"""What a published table and its columns are made of."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

_TEXT, _NUMBER, _WHOLE, FLAG, _DAY, TIME = (
    pl.String(),
    pl.Float64(),
    pl.Int64(),
    pl.Boolean(),
    pl.Date(),
    pl.Datetime("us"),
)


@dataclass(frozen=True, slots=True)
class MartColumn:
    """One published column; an optional one may be absent from a frame and is then empty."""

    name: str
    dtype: pl.DataType
    comment: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class MartTable:
    """One published table; `has_terms` tells that columns t001, t002 … follow."""

    says: str
    columns: tuple[MartColumn, ...]
    has_terms: bool = False


def text(name: str, comment: str, *, optional: bool = False) -> MartColumn:
    """A text column."""
    return MartColumn(name, _TEXT, comment, optional)


def number(name: str, comment: str, *, optional: bool = False) -> MartColumn:
    """A column of decimal numbers."""
    return MartColumn(name, _NUMBER, comment, optional)


def whole(name: str, comment: str, *, optional: bool = False) -> MartColumn:
    """A column of whole numbers."""
    return MartColumn(name, _WHOLE, comment, optional)


def flag(name: str, comment: str) -> MartColumn:
    """A column of true and false."""
    return MartColumn(name, FLAG, comment)


def day(name: str, comment: str, *, optional: bool = False) -> MartColumn:
    """A column of days."""
    return MartColumn(name, _DAY, comment, optional)


RUN = (
    text("run_id", "Identity of the run: hash of dates, curbing country, facts, rules and code."),
    day("as_of", "Day for which the law is read."),
    day("known_at", "Day up to which knowledge counts."),
    text("curbing_country", "Country whose curbs are scored; ISO 3166 alpha-3."),
)
