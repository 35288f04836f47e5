"""Sheets of a workbook as rows of text, so that an importer reads a workbook as it reads a CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from warehouse.sources.archive import require_room
from warehouse.sources.parsed import refused

_MAX_BYTES = 100_000_000
_MAX_CELLS = 20_000_000
#: A header stands below a title and some notes, not further down.
_FIRST_ROWS = 40


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet.

    Attributes:
        name: as the workbook has it.
        rows: every row from the first of the sheet on, as text without padding; a merged cell has its text in its first
            cell alone.
    """

    name: str
    rows: list[list[str]]


def sheets(path: Path) -> Iterator[Sheet]:
    """Read the sheets of a workbook (.xlsx, .xlsm, .xls, .ods), in their order, each when it is asked for.

    Raises:
        BundleError: It is damaged, locked, or far larger than a published table.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    if path.stat().st_size > _MAX_BYTES:
        raise refused(
            path.name, f"is a workbook of more than {_MAX_BYTES:,} bytes; save the sheet as CSV and give that"
        )
    require_room(path)
    try:
        with CalamineWorkbook.from_path(path) as book:
            for name in book.sheet_names:
                sheet = book.get_sheet_by_name(name)
                if sheet.total_height * sheet.total_width > _MAX_CELLS:
                    raise refused(
                        f"{path.name}/{name}", f"has more than {_MAX_CELLS:,} cells; it is not this source"
                    )
                cells = sheet.to_python(skip_empty_area=False)
                yield Sheet(name, [[_text(cell) for cell in row] for row in cells])
    except (CalamineError, OSError, ValueError) as error:
        raise refused(
            path.name,
            f"is a workbook that cannot be read ({str(error)[:120]}); download it again, or save it as CSV",
        ) from None


def header_at(rows: Sequence[Sequence[str]], fits: Callable[[Sequence[str]], bool]) -> int | None:
    """Return the place of the header: the first of the first rows that fits."""
    return next((place for place, row in enumerate(rows[:_FIRST_ROWS]) if fits(row)), None)


def table_of(
    path: Path, fits: Callable[[Sequence[str]], bool], what: str, sheet: str = ""
) -> tuple[list[str], list[tuple[int, list[str]]], str]:
    """Return the header, the numbered rows below it, and the name of the first sheet whose header fits.

    Args:
        path: the workbook.
        fits: tells a header by its cells.
        what: the header, for the message.
        sheet: name of the sheet; every sheet is tried where it is empty.

    Raises:
        BundleError: The workbook cannot be read, or no sheet has such a header.
    """
    names = []
    for found in sheets(path):
        names.append(found.name)
        if sheet and found.name != sheet:
            continue
        place = header_at(found.rows, fits)
        if place is None:
            continue
        header = list(found.rows[place])
        while header and not header[-1]:
            header.pop()
        width = len(header)
        below = [
            (line, row[:width] + [""] * (width - len(row)))
            for line, row in enumerate(found.rows[place + 1 :], start=place + 2)
            if any(row)
        ]
        return header, below, found.name
    where = f"sheet '{sheet}'" if sheet else "no sheet"
    said = f"is a workbook in which {where} has {what}; its sheets are {', '.join(names)[:160]}"
    raise refused(path.name, f"{said}. Save the sheet as CSV in UTF-8 and give that")


def _text(cell: Any) -> str:
    """Return a cell as it would stand in a CSV: whole numbers bare, days in ISO."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == datetime.min.time() else cell.isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell).strip()
