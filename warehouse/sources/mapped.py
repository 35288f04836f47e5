"""Any CSV, read by a mapping that says which of its columns is which of ours.

The mapping is TOML: the table, the source row, how the file is written, and for each of our columns where it comes from.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Self

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ground.words import ENDS
from warehouse.bundle.files import LINE, RawTable, RejectedRow
from warehouse.bundle.rows import typed
from warehouse.records.fields import Grade
from warehouse.records.tables import TABLES, columns, schema
from warehouse.sources.figures import is_unknown
from warehouse.sources.parsed import Importer, ParsedFile, PublicSource, Reading, check_bounds, refused
from warehouse.sources.table import Line, read_table
from warehouse.suggest import did_you_mean

SOURCE = PublicSource(
    name="csv",
    publisher="as the mapping says",
    title="Any CSV with a mapping",
    url="",
    licence="as the mapping says",
    cadence="as its publisher ships it",
    allowed_age_days=36_500,
    min_rows=1,
    max_rows=5_000_000,
    quirks=("the file's peculiarities are in its mapping",),
)
_OWN = ("source_id", "known_from")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _SourceRow(_Strict):
    source_id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    publisher: str
    title: str
    url: str = ""
    published: date
    licence: str
    grade: Grade
    note: str = ""


class _FileStyle(_Strict):
    encoding: str = "utf-8-sig"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    decimal: Annotated[str, Field(min_length=1, max_length=1)] = "."
    thousands: Annotated[str, Field(max_length=1)] = ""
    unknown: tuple[str, ...] | None = None
    sheet: str = ""

    def is_unknown(self, written: str) -> bool:
        """Say whether a cell holds no figure: by the mapping's own words, or else by the usual ones."""
        return is_unknown(written) if self.unknown is None else written in self.unknown


class _From(_Strict):
    """Where one of our columns comes from: a column of the file, or one value for every row."""

    column: str | None = None
    value: str | int | float | bool | date | None = None
    words: dict[str, str | int | float | bool] = {}
    factor: float | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.column is None) == (self.value is None):
            raise ValueError("takes either column or value")
        if self.value is not None and (self.words or self.factor is not None):
            raise ValueError("has a value for every row, so words and factor have nothing to do")
        return self


class Mapping(_Strict):
    """A mapping file."""

    table: str
    source: _SourceRow
    file: _FileStyle = _FileStyle()
    columns: dict[str, _From]
    skip: dict[str, tuple[str, ...]] = {}

    @model_validator(mode="after")
    def _names_are_ours(self) -> Self:
        if self.table not in TABLES or self.table == "sources":
            raise ValueError(f"table '{self.table}' is not a fact table{did_you_mean(self.table, TABLES)}")
        ours = [column.name for column in columns(self.table)]
        stems = [name.removesuffix("_low") for name in ours if name.endswith("_low")]
        for name in self.columns:
            if name in _OWN or name not in {*ours, *stems}:
                raise ValueError(
                    f"'{name}' is not a column of {self.table} to map{did_you_mean(name, [*ours, *stems])}"
                )
        return self


def mapping_of(text: str, place: str) -> Mapping:
    """Read a mapping.

    Raises:
        BundleError: It is not TOML, or a key or value of it is wrong; every fault is named.
    """
    try:
        return Mapping.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise refused(place, f"is not TOML: {error}") from None
    except RecursionError:
        raise refused(place, "is nested too deeply; a mapping has keys and a few tables") from None
    except ValidationError as error:
        faults = []
        for fault in error.errors(include_url=False):
            where = ".".join(str(part) for part in fault["loc"])
            said = fault["msg"].removeprefix("Value error, ")
            faults.append(f"{where}: {said}" if where else said)
        raise refused(place, f"{'; '.join(faults)}. See docs/import.md") from None


def parse(path: Path, reading: Reading) -> ParsedFile:
    """Read a CSV by its mapping.

    Returns:
        Rows of the mapping's table, and its source row; an entry is a row of the file.

    Raises:
        BundleError: The file or the mapping cannot be used as a whole.
    """
    if not reading.mapping:
        raise refused(path.name, "needs a mapping; give --mapping FILE")
    mapping = mapping_of(reading.mapping, "mapping")
    style = mapping.file
    needed = list(
        dict.fromkeys([f.column for f in mapping.columns.values() if f.column] + list(mapping.skip))
    )
    try:
        found = read_table(
            path, needed, encodings=(style.encoding,), delimiter=style.delimiter, sheet=style.sheet
        )
    except LookupError:
        raise refused(
            "mapping", f"file.encoding '{style.encoding}' is not known; write utf-8 or cp1252"
        ) from None
    outside: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    rejected = list(found.rejected)
    for line in found.lines:
        if any(line.cells[column] in words for column, words in mapping.skip.items()):
            outside["left out by the mapping"] += 1
            continue
        cells, fault = _cells(line, mapping)
        if fault:
            rejected.append(RejectedRow(path.name, line.line, *fault))
        elif not cells:
            outside["no figure published"] += 1
        else:
            rows.append({LINE: line.line, **cells})
    accepted, bad = _validated(path.name, rows, mapping, reading)
    rejected += bad
    rows_in = accepted.height + len(rejected)
    check_bounds(path.name, rows_in, len(rejected), least=SOURCE.min_rows, most=SOURCE.max_rows)
    source = mapping.source
    own = {**source.model_dump(), "known_from": source.published}
    sources = pl.DataFrame(
        [{name: own[name] or None for name in schema("sources")}], schema=schema("sources")
    )
    return ParsedFile(
        source.source_id,
        source.published,
        {"sources": sources, mapping.table: accepted},
        sorted(rejected, key=lambda row: row.line),
        rows_in,
        accepted.height,
        outside,
    )


def _cells(line: Line, mapping: Mapping) -> tuple[dict[str, str], tuple[str, str, str] | None]:
    """Return our cells of a row as text; none where every figure is unknown; or column, value and fault."""
    cells: dict[str, str] = {}
    figures = known = 0
    for name, origin in mapping.columns.items():
        if origin.column is None:
            text = _text(origin.value)
        else:
            written = line.cells[origin.column]
            is_figure = origin.factor is not None
            figures += is_figure
            # A usual word for no figure may be a name elsewhere: NA is Namibia.
            if mapping.file.is_unknown(written) if is_figure or mapping.file.unknown else not written:
                continue
            known += is_figure
            text = _text(origin.words[written]) if written in origin.words else written
            if is_figure and written not in origin.words:
                number = _number(written, mapping.file)
                if number is None:
                    how = f"write digits with '{mapping.file.decimal}' as decimal mark, or name the word in file.unknown"
                    return {}, (origin.column, written, f"is not a number; {how}")
                text = repr(number * (origin.factor or 1.0))
        for column in _targets(name, mapping.table):
            cells[column] = text
    return ({} if figures and not known else cells), None


def _targets(name: str, table: str) -> list[str]:
    ours = {column.name for column in columns(table)}
    return [name] if name in ours else [f"{name}_{end}" for end in ENDS]


def _number(text: str, style: _FileStyle) -> float | None:
    decimal, thousands = re.escape(style.decimal), re.escape(style.thousands)
    whole = rf"\d{{1,3}}(?:{thousands}\d{{3}})+|\d+" if thousands else r"\d+"
    if not re.fullmatch(rf"[+-]?(?:(?:{whole})(?:{decimal}\d*)?|{decimal}\d+)(?:[eE][+-]?\d+)?", text):
        return None
    plain = text.replace(style.thousands, "") if style.thousands else text
    return float(plain.replace(style.decimal, "."))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def _validated(
    place: str, rows: list[dict[str, Any]], mapping: Mapping, reading: Reading
) -> tuple[pl.DataFrame, list[RejectedRow]]:
    """Hold rows against their record, the names that they may use, and their key; each rejected row is named once."""
    table = TABLES[mapping.table]
    names = schema(mapping.table).names()
    own = {"source_id": mapping.source.source_id, "known_from": mapping.source.published.isoformat()}
    frame = pl.DataFrame(
        [{LINE: row[LINE], **{name: (row | own).get(name) for name in names}} for row in rows],
        schema={LINE: pl.Int64(), **dict.fromkeys(names, pl.String())},
    )
    accepted, faults = typed(RawTable(mapping.table, place, frame))
    bad: dict[int, RejectedRow] = {}
    for fault in faults:
        bad.setdefault(fault.line, fault)
    for reference in table.references:
        at_hand = [(name, column) for name, column in reference.targets if name in reading.tables]
        if len(at_hand) < len(reference.targets) or reference.is_list:
            continue
        known = reference.allowed | {
            value for name, column in at_hand for value in reading.tables[name][column].to_list()
        }
        for line, value in accepted.select(LINE, reference.column).drop_nulls().iter_rows():
            if value not in known:
                said = f"is in no row of {at_hand[0][0]}{did_you_mean(value, known)}; add it to words in the mapping"
                bad.setdefault(line, RejectedRow(place, line, reference.column, value, said))
    kept = accepted.filter(~pl.col(LINE).is_in(list(bad)))
    again = kept.filter(~pl.struct(table.key).is_first_distinct())
    for row in again.iter_rows(named=True):
        said = f"repeats the key ({', '.join(table.key)}) of an earlier row; remove one"
        bad[row[LINE]] = RejectedRow(place, row[LINE], table.key[0], str(row[table.key[0]]), said)
    return kept.filter(~pl.col(LINE).is_in(list(bad))).select(names), list(bad.values())


IMPORTER = Importer(SOURCE, parse)
