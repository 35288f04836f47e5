"""A company's file as rows of text: CSV or a workbook, with its header found, merged or not."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.errors import InputError
from jobs.purchases.cells import clean

if TYPE_CHECKING:
    from jobs.purchases.headers import Headers

SEARCHED = 25  # rows from the top in which a header is looked for
WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
TEXTS = (".csv", ".tsv", ".txt")
SHOWN = 8


@dataclass(frozen=True)
class Raw:
    """A file's table.

    Attributes:
        header: cells of the header; of two header rows, both in one.
        fields: by place, the field that a column is read as.
        rows: number of the row in the file, and its cells.
        notes: what a reader should know about the reading.
        sheet: of a workbook; empty for CSV.
    """

    header: Sequence[str]
    fields: dict[int, str]
    rows: list[tuple[int, list[str]]]
    sheet: str = ""
    notes: list[str] = field(default_factory=list)


def read_table(path: Path, headers: Headers, sheet: str | None = None) -> Raw:
    """Read a table out of a file.

    Args:
        path: CSV (comma, semicolon or tab; UTF-8 or Windows) or a workbook.
        headers: the columns that are looked for.
        sheet: of a workbook; by default the one whose header names most of the columns.

    Raises:
        InputError: no such file, none that can be read, or no table in it has the columns.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file.")
    kind = path.suffix.casefold()
    if kind in WORKBOOKS:
        tables = _workbook(path, sheet)
    elif kind in TEXTS:
        tables = {"": _text(path)}
    else:
        raise InputError(
            f"{path}: a {kind or 'file without an ending'} is not read; save it as .csv or .xlsx."
        )
    filled = {name: rows for name, rows in tables.items() if any(any(row) for row in rows)}
    if not filled:
        raise InputError(f"{path}: there is nothing in it. Give a table with a header row.")
    found = [(len(fit[2]), name, fit) for name, rows in filled.items() if (fit := _header(rows, headers))]
    if not found:
        first = next(iter(filled.values()))
        shown = ", ".join(f"'{cell}'" for cell in next(row for row in first if any(row)) if cell)
        raise InputError(
            f"{path}: no row among the first {SEARCHED} names the columns. It begins with {shown[:300]}. "
            f"Needed: {headers.needed_words}."
        )
    _, name, (start, header, fields, notes) = max(found, key=lambda one: one[0])
    if len(filled) > 1:
        others = ", ".join(f"'{one}'" for one in filled if one != name)
        notes = [f"read from sheet '{name}'; not read: {others}", *notes]
    rows = filled[name]
    body = [(place + 1, [clean(cell) for cell in row]) for place, row in enumerate(rows) if place >= start]
    return Raw(header, fields, [one for one in body if any(one[1])], name, notes)


def _header(
    rows: Sequence[Sequence[str]], headers: Headers
) -> tuple[int, list[str], dict[int, str], list[str]] | None:
    """Return the row after the header, the header, its fields and notes; one row, or a merged one over a second."""
    best: tuple[int, list[str], dict[int, str], list[str]] | None = None
    for place, row in enumerate(rows[:SEARCHED]):
        if not any(row):
            continue
        single = [" ".join(cell.split()) for cell in row]
        candidates = [(place + 1, single)]
        if place + 1 < len(rows):
            candidates.append((place + 2, _merged(row, rows[place + 1])))
        for after, cells in candidates:
            fields, notes = headers.fields_of(cells)
            if headers.is_enough(fields.values()) and (best is None or len(fields) > len(best[2])):
                best = (after, cells, fields, notes)
    return best


def _merged(above: Sequence[str], below: Sequence[str]) -> list[str]:
    """Return a header of two rows as one: a merged cell's text stands in its first cell alone."""
    joined, last = [], ""
    for place in range(max(len(above), len(below))):
        top = " ".join(above[place].split()) if place < len(above) else ""
        low = " ".join(below[place].split()) if place < len(below) else ""
        last = top or last
        joined.append(f"{last} {low}".strip() if low and low != last else last if top else low)
    return joined


def _workbook(path: Path, sheet: str | None) -> dict[str, list[list[str]]]:
    from warehouse.errors import BundleError
    from warehouse.sources.workbook import sheets

    try:
        found = {one.name: one.rows for one in sheets(path)}
    except PermissionError as problem:
        raise InputError(
            f"{path}: cannot be opened ({problem.strerror}); close it elsewhere, or copy it."
        ) from problem
    except BundleError as problem:
        if _is_locked_away(path):
            raise InputError(
                f"{path}: is protected by a password. Save a copy without one, and give that."
            ) from problem
        raise InputError(
            f"{path}: is no workbook that can be read. Open it, save it as .xlsx or .csv, and give that."
        ) from problem
    if sheet is not None:
        if sheet not in found:
            raise InputError(f"{path}: has no sheet '{sheet}'; it has {', '.join(found)}.")
        return {sheet: found[sheet]}
    return found


def _is_locked_away(path: Path) -> bool:
    """Return whether a workbook is encrypted: then it is an OLE container with a stream of that name."""
    with path.open("rb") as file:
        head = file.read(1 << 20)
    return head.startswith(b"\xd0\xcf\x11\xe0") and "EncryptedPackage".encode("utf-16-le") in head


def _text(path: Path) -> list[list[str]]:
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise InputError(f"{path}: cannot be opened ({problem.strerror}).") from problem
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise InputError(f"{path}: is a workbook by its content; give it the ending .xlsx.")
    if b"\x00" in data and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{path}: holds bytes that no text has. Save it as CSV in UTF-8.")
    try:
        text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    lines = text.splitlines()[:SEARCHED]
    mark = max((";", "\t", ","), key=lambda one: sum(line.count(one) for line in lines))
    csv.field_size_limit(10_000_000)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))
    except csv.Error as problem:
        raise InputError(f"{path}: is no CSV that can be read ({problem}).") from problem
