"""Reading a published table of modest size, CSV or a sheet of a workbook: whole, decoded, with the columns that it must have, and each row's line."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ground.counted import counted
from warehouse.bundle.files import RejectedRow
from warehouse.sources.parsed import is_workbook, refused, sniff
from warehouse.sources.workbook import table_of
from warehouse.suggest import did_you_mean

#: Published tables of the sources read here have some thousand rows; what is larger is another file.
_MAX_BYTES = 200_000_000
_MAX_COLUMNS = 1_000
_LEAST_HEADER = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a file: the line on which it starts, and its cells by column, without surrounding blanks."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """A CSV as read.

    Attributes:
        lines: rows with as many cells as the header.
        rejected: the other rows.
    """

    lines: list[Line]
    rejected: list[RejectedRow]


def read_table(
    path: Path,
    needed: Sequence[str],
    *,
    encodings: Sequence[str] = ("utf-8-sig",),
    delimiter: str = ",",
    sheet: str = "",
) -> PublishedTable:
    """Read a CSV with a header, or a workbook with such a sheet.

    Args:
        path: the file.
        needed: columns that it must have; others are kept.
        encodings: tried in this order.
        delimiter: what separates two cells.
        sheet: name of the sheet of a workbook; the first with the needed columns where it is empty.

    Raises:
        BundleError: The file cannot be used as a whole.
    """
    place = path.name
    if not path.is_file():
        raise refused(place, "no such file; name the file that you downloaded")
    if path.stat().st_size > _MAX_BYTES:
        raise refused(place, f"is larger than {_MAX_BYTES:,} bytes; it is not this source")
    if is_workbook(path):
        return _from_workbook(path, needed, sheet)
    sniff(path, place)
    reader = csv.reader(io.StringIO(_decoded(path, encodings), newline=""), delimiter=delimiter, strict=True)
    header: list[str] = []
    lines: list[Line] = []
    rejected: list[RejectedRow] = []
    start = 1
    try:
        for cells in reader:
            line, start = start, reader.line_num + 1
            if not header:
                header = [cell.strip() for cell in cells]
                _check_header(place, header, needed)
            elif len(cells) == len(header):
                lines.append(Line(line, dict(zip(header, (cell.strip() for cell in cells), strict=True))))
            elif any(cell.strip() for cell in cells):
                reason = f"has {counted(len(cells), 'cell')} where the header has {len(header)}; download the file again"
                rejected.append(RejectedRow(place, line, "", ",".join(cells)[:200], reason))
    except csv.Error as error:
        raise refused(place, f"breaks off or is not CSV ({error}); download it again", start) from None
    return PublishedTable(lines, rejected)


def _from_workbook(path: Path, needed: Sequence[str], sheet: str) -> PublishedTable:
    def fits(row: Sequence[str]) -> bool:
        # A title and its notes fill a cell or two; a header fills most of its row.
        return set(needed) <= set(row) if needed else sum(map(bool, row)) >= _LEAST_HEADER

    what = (
        f"the columns {', '.join(needed)[:160]}" if needed else f"a header of {_LEAST_HEADER} cells or more"
    )
    header, rows, name = table_of(path, fits, what, sheet)
    _check_header(f"{path.name}/{name}", header, needed)
    return PublishedTable([Line(line, dict(zip(header, cells, strict=True))) for line, cells in rows], [])


def _decoded(path: Path, encodings: Sequence[str]) -> str:
    content = path.read_bytes()
    line = 0
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
    raise refused(path.name, f"is not written in {' or '.join(encodings)}; download it again", line)


def _check_header(place: str, header: Sequence[str], needed: Sequence[str]) -> None:
    if len(header) > _MAX_COLUMNS:
        raise refused(place, f"has {len(header):,} columns; it is not this source", 1)
    twice = sorted(name for name, count in Counter(header).items() if name and count > 1)
    faults = [f"column '{name}' occurs twice" for name in twice]
    faults += [
        f"column '{name}' is missing{did_you_mean(name, header)}" for name in needed if name not in header
    ]
    if faults:
        raise refused(place, f"{'; '.join(faults)}; download the file as its publisher ships it", 1)
