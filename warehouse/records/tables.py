"""The registry of fact tables: model, key and references of each.

The bundle's published schema, the DDL of schema `core`, its comments and the data dictionary all come from here.
"""

from __future__ import annotations

import types
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any, Union, get_args, get_origin

import polars as pl
from pydantic.fields import FieldInfo

from warehouse.records import law, months, numbers, outcomes, reference, roles
from warehouse.records.fields import IN_ONE_CELL
from warehouse.records.rows import FactRow

ANY = frozenset({"*"})


@dataclass(frozen=True, slots=True)
class Reference:
    """What a column must name.

    Attributes:
        column: the referring column.
        targets: (table, column) pairs, any of which may hold the value.
        allowed: values that need no row.
        is_list: the cell holds several names separated by semicolons.
    """

    column: str
    targets: tuple[tuple[str, str], ...]
    allowed: frozenset[str] = frozenset()
    is_list: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One fact table.

    Attributes:
        name: table and file name.
        model: pydantic model of a row.
        key: columns that may not repeat together.
        references: columns that must name a row elsewhere.
        series: columns that name one measured thing; set for tables that may be read with hindsight.
    """

    name: str
    model: type[FactRow]
    key: tuple[str, ...]
    references: tuple[Reference, ...] = field(default=())
    series: tuple[str, ...] = field(default=())


def _mineral(*allowed: str) -> Reference:
    return Reference("mineral", (("minerals", "mineral"),), frozenset(allowed))


def _country(column: str = "country", *allowed: str) -> Reference:
    return Reference(column, (("countries", "country"),), frozenset(allowed))


def _destination(column: str = "destination", *, is_list: bool = False) -> Reference:
    return Reference(column, (("countries", "country"), ("blocs", "bloc")), ANY, is_list)


_MEASURE = Reference("measure_id", (("measures", "measure_id"),))
_AGREEMENT = Reference("agreement_id", (("agreements", "agreement_id"),))

#: Parents come before children, so that one pass finds orphans of rejected rows.
_TABLES = (
    Table("sources", reference.Source, ("source_id",)),
    Table("minerals", reference.Mineral, ("mineral",)),
    Table("chains", reference.ChainStage, ("mineral", "stage"), (_mineral(),)),
    Table("countries", reference.Country, ("country",)),
    Table("blocs", reference.BlocMember, ("bloc", "country", "valid_from", "known_from"), (_country(),)),
    Table(
        "conversions",
        reference.Conversion,
        ("conversion_id", "known_from"),
        (_mineral(),),
        ("conversion_id",),
    ),
    Table(
        "hs_codes",
        reference.HsCode,
        (
            "hs6",
            "hs_revision",
            "mineral",
            "stage",
            "form",
            "exporter",
            "importer",
            "year_from",
            "share_of",
            "known_from",
        ),
        (
            _mineral("other"),
            _country("exporter", "*"),
            _country("importer", "*"),
            Reference("conversion_id", (("conversions", "conversion_id"),)),
        ),
        ("hs6", "hs_revision", "exporter", "importer", "year_from", "year_to"),
    ),
    Table("hs_spans", reference.HsSpan, ("hs6", "revision_from", "known_from")),
    Table(
        "element_splits",
        reference.ElementSplit,
        ("split_id",),
        (
            Reference("group_mineral", (("minerals", "mineral"),)),
            _mineral(),
            _country("country", "*", "WLD", "OTH"),
        ),
        ("group_mineral", "mineral", "country", "stage"),
    ),
    Table(
        "trade",
        numbers.TradeFlow,
        ("year", "exporter", "importer", "hs6", "hs_revision", "source_id", "known_from"),
        (_country("exporter"), _country("importer")),
    ),
    Table(
        "trade_months",
        months.TradeMonth,
        ("month", "exporter", "importer", "code", "hs_revision", "reported_by", "source_id", "known_from"),
        (_country("exporter"), _country("importer", "WLD")),
    ),
    Table(
        "observed_months",
        months.ObservedMonth,
        ("month", "mineral", "stage", "form", "exporter", "importer", "source_id", "known_from"),
        (
            _mineral(),
            _country("exporter"),
            Reference("importer", (("countries", "country"), ("blocs", "bloc")), frozenset({"WLD"})),
        ),
    ),
    Table(
        "national_codes",
        months.NationalCode,
        ("country", "code", "mineral", "stage", "known_from"),
        (_country(), _mineral()),
    ),
    Table(
        "production",
        numbers.Production,
        ("mineral", "stage", "country", "year", "form", "vintage", "qualifier", "source_id", "known_from"),
        (_mineral(), _country("country", "WLD", "OTH")),
        ("mineral", "stage", "country"),
    ),
    Table(
        "reserves",
        numbers.Reserve,
        (
            "mineral",
            "country",
            "year",
            "form",
            "claim_kind",
            "vintage",
            "qualifier",
            "source_id",
            "known_from",
        ),
        (_mineral(), _country("country", "WLD", "OTH")),
        ("mineral", "country", "claim_kind"),
    ),
    Table(
        "capacity",
        numbers.Capacity,
        ("capacity_id", "known_from"),
        (_mineral(), _country()),
        ("capacity_id",),
    ),
    Table("prices", numbers.PriceRow, ("price_id", "known_from"), (_mineral(),), ("price_id",)),
    Table("measures", law.Measure, ("measure_id",), (_country("curbing_country"),)),
    Table(
        "measure_states",
        law.MeasureStateRow,
        ("measure_id", "clause", "destination", "state", "valid_from", "known_from"),
        (_MEASURE, _destination()),
    ),
    Table("measure_items", law.MeasureItem, ("item_id",), (_MEASURE, _mineral("*"))),
    Table(
        "measure_destinations",
        law.MeasureDestination,
        ("measure_id", "clause", "destination", "scope", "known_from"),
        (_MEASURE, _destination()),
    ),
    Table("agreements", law.Agreement, ("agreement_id",), (_destination("parties", is_list=True),)),
    Table(
        "agreement_states",
        law.AgreementStateRow,
        ("agreement_id", "state", "valid_from", "known_from"),
        (_AGREEMENT,),
    ),
    Table(
        "pledges",
        law.Pledge,
        ("pledge_id", "known_from"),
        (
            _AGREEMENT,
            _destination("pledging_party", is_list=True),
            _destination("beneficiary", is_list=True),
            Reference("implements_measure_id", (("measures", "measure_id"),)),
        ),
    ),
    Table(
        "pledge_items",
        law.PledgeItem,
        ("pledge_id", "mineral", "stage", "form", "exporter", "importer", "known_from"),
        (
            Reference("pledge_id", (("pledges", "pledge_id"),)),
            _mineral("*"),
            _destination("exporter"),
            _destination("importer"),
        ),
    ),
    Table(
        "destination_classes",
        law.DestinationClassRow,
        ("class_id",),
        (_country("curbing_country"), _destination(), _mineral("*")),
    ),
    Table(
        "licence_practice",
        numbers.LicencePractice,
        ("practice_id",),
        (_country("curbing_country"), _destination(), _mineral("*")),
    ),
    Table("substitution", numbers.Substitution, ("substitution_id",), (_mineral("*"),), ("substitution_id",)),
    Table("stocks", numbers.Stock, ("stock_id",), (_mineral("*"),), ("stock_id",)),
    Table(
        "lead_times",
        numbers.LeadTime,
        ("lead_time_id",),
        (_destination("origin"), _destination(), _mineral("*")),
        ("lead_time_id",),
    ),
    Table(
        "governance",
        numbers.Governance,
        ("country", "year", "indicator", "source_id", "known_from"),
        (_country(),),
    ),
    Table(
        "import_shares",
        numbers.ImportShare,
        ("mineral", "form", "importer", "exporter", "year_from", "year_to", "source_id", "known_from"),
        (_mineral(), _country("importer"), _country("exporter", "OTH")),
    ),
    Table(
        "import_share_codes",
        numbers.ImportShareCode,
        ("mineral", "form", "hs6", "hs_revision", "known_from"),
        (_mineral(),),
    ),
    Table("spreads", numbers.Spread, ("spread", "known_from"), (), ("spread",)),
    Table("word_roles", roles.WordRoleRow, ("role", "word", "valid_from", "known_from")),
    Table("statements", law.Statement, ("statement_id",), (_AGREEMENT,)),
    Table(
        "outcomes",
        outcomes.Outcome,
        ("outcome_id", "known_from"),
        (
            _MEASURE,
            _mineral(),
            _country("exporter"),
            Reference("importer", (("countries", "country"), ("blocs", "bloc")), frozenset({"WLD"})),
        ),
        ("outcome_id",),
    ),
)

_SOURCE = Reference("source_id", (("sources", "source_id"),))


def _with_source(table: Table) -> Table:
    if table.name == "sources":
        return table
    return Table(table.name, table.model, table.key, (*table.references, _SOURCE), table.series)


#: Every fact table by name, parents first.
TABLES: dict[str, Table] = {table.name: _with_source(table) for table in _TABLES}

_TYPES: dict[type, tuple[pl.DataType, str]] = {
    str: (pl.String(), "VARCHAR"),
    float: (pl.Float64(), "DOUBLE"),
    int: (pl.Int64(), "BIGINT"),
    bool: (pl.Boolean(), "BOOLEAN"),
    date: (pl.Date(), "DATE"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a fact table: name, types, whether it must be filled, comment, closed vocabulary.

    A list is one cell of text in a bundle, its names separated by semicolons; `sql_type` is what the database makes of it.
    """

    name: str
    dtype: pl.DataType
    sql_type: str
    required: bool
    comment: str
    vocabulary: tuple[str, ...] = ()
    is_list: bool = False


def _is_list(info: FieldInfo) -> bool:
    """Return whether a field is marked as several names in one cell, below Optional or not."""
    inner = [mark for part in get_args(info.annotation) for mark in getattr(part, "__metadata__", ())]
    return IN_ONE_CELL in (*info.metadata, *inner)


def _base(annotation: Any) -> tuple[type, tuple[str, ...]]:
    """Plain Python type below Annotated, Optional and Literal; and the literal's values."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        rest = [a for a in get_args(annotation) if a is not type(None)]
        return _base(rest[0])
    if hasattr(annotation, "__metadata__"):
        return _base(get_args(annotation)[0])
    if origin is not None:
        return str, tuple(str(a) for a in get_args(annotation))
    return annotation, ()


@cache
def columns(name: str) -> tuple[Column, ...]:
    """Columns of a fact table in their published order: own columns, note, source_id, known_from."""
    last = ("note", "source_id", "known_from")
    found = []
    for column, info in TABLES[name].model.model_fields.items():
        base, vocabulary = _base(info.annotation)
        dtype, sql_type = _TYPES[base]
        is_list = _is_list(info)
        sql_type += "[]" if is_list else ""
        comment = info.description or ""
        found.append(Column(column, dtype, sql_type, info.is_required(), comment, vocabulary, is_list))
    own = [c for c in found if c.name not in last]
    return (*own, *sorted((c for c in found if c.name in last), key=lambda c: last.index(c.name)))


def schema(name: str) -> pl.Schema:
    """polars schema of a fact table."""
    return pl.Schema({c.name: c.dtype for c in columns(name)})


def bundle_schema() -> dict[str, dict[str, Any]]:
    """JSON Schema of a row of every table: what `curbline facts schema` prints."""
    return {name: table.model.model_json_schema() for name, table in TABLES.items()}
