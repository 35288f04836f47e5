"""What a published table and its columns are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from warehouse.errors import MartError

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
class Family:
    """Columns of decimal numbers that are as many as a run has things of a kind, such as a column per step."""

    pattern: str
    example: str
    comment: str

    def of(self, names: Iterable[str]) -> list[str]:
        """Return those of the names that belong to it, in the order given."""
        return [name for name in names if re.fullmatch(self.pattern, name)]


@dataclass(frozen=True, slots=True)
class MartTable:
    """One published table.

    Attributes:
        says: what it holds.
        key: columns that are never empty and together unique; exports are sorted by them.
        columns: in the published order.

    Raises:
        MartError: no key is given, or it names a column that the table has not.
    """

    says: str
    key: tuple[str, ...]
    columns: tuple[MartColumn | Family, ...]

    def __post_init__(self) -> None:
        strange = [name for name in self.key if name not in {column.name for column in self.own}]
        if not self.key or strange:
            named = f"names {', '.join(strange)}, which it has not" if strange else "is empty"
            raise MartError(f"the key of a published table {named}: {self.says}")

    @property
    def own(self) -> list[MartColumn]:
        """The columns that it has in every run."""
        return [column for column in self.columns if isinstance(column, MartColumn)]

    @property
    def families(self) -> list[Family]:
        """The families of columns that it has, in order."""
        return [column for column in self.columns if isinstance(column, Family)]

    def laid_out(self, names: Iterable[str]) -> list[MartColumn]:
        """Return every column in the published order, the families with those of the names that belong to them."""
        given = list(names)
        found: list[MartColumn] = []
        for column in self.columns:
            if isinstance(column, MartColumn):
                found.append(column)
            else:
                found += [number(name, column.comment) for name in column.of(given)]
        return found


@dataclass(frozen=True, slots=True)
class MartView:
    """One published view.

    Attributes:
        says: what it holds.
        key: columns that are never empty and together unique.
    """

    says: str
    key: tuple[str, ...]


def text(name: str, comment: str, *, optional: bool = False) -> MartColumn:
    """Return a text column."""
    return MartColumn(name, _TEXT, comment, optional)


def number(name: str, comment: str, *, optional: bool = False) -> MartColumn:
    """Return a column of decimal numbers."""
    return MartColumn(name, _NUMBER, comment, optional)


def texts(name: str, comment: str, *, optional: bool = False) -> MartColumn:
    """Return a column of lists of text."""
    return MartColumn(name, pl.List(pl.String()), comment, optional)


def whole(name: str, comment: str, *, optional: bool = False) -> MartColumn:
    """Return a column of whole numbers."""
    return MartColumn(name, _WHOLE, comment, optional)


def flag(name: str, comment: str) -> MartColumn:
    """Return a column of true and false."""
    return MartColumn(name, FLAG, comment)


def day(name: str, comment: str, *, optional: bool = False) -> MartColumn:
    """Return a column of days."""
    return MartColumn(name, _DAY, comment, optional)


RUN = (
    text(
        "run_id",
        "Identity of the run: hash of dates, curbing country, declared importers, facts, rules, code.",
    ),
    day("as_of", "Day for which the law is read."),
    day("known_at", "Day up to which knowledge counts."),
    text("curbing_country", "Country whose curbs are scored; ISO 3166 alpha-3."),
)
