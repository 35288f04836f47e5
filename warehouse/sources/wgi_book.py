"""The governance indicators as the World Bank's workbook had them before 2023: a sheet per indicator, two rows of heads.

The upper head has the year, merged over its figures (`Estimate`, `StdErr`, `NumSrc`, `Rank`, …); the lower head names
them, after the economy's name and its code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from warehouse.sources.wgi_layouts import TITLES, Entry
from warehouse.sources.workbook import Sheet, header_at, sheets

_CODE, _ESTIMATE, _ERROR = "code", "estimate", "stderr"
#: Sheets are named by titles without blanks, and cut at 31 letters.
_BY_LETTERS = {"".join(filter(str.isalpha, title)): code for title, code in TITLES.items()}


def book_entries(path: Path) -> list[Entry] | None:
    """Return every estimate of such a workbook; None where no sheet is of this make.

    Raises:
        BundleError: The workbook cannot be read.
    """
    found = [entries for sheet in sheets(path) if (entries := _of_sheet(sheet)) is not None]
    return [entry for entries in found for entry in entries] if found else None


def _of_sheet(sheet: Sheet) -> list[Entry] | None:
    indicator = _indicator(sheet.name)
    place = header_at(sheet.rows, lambda row: row_has(row, _CODE) and row_has(row, _ESTIMATE))
    if not indicator or not place:
        return None
    return list(_entries(sheet, place, indicator))


def row_has(row: Sequence[str], name: str) -> bool:
    """Say whether a row has a cell of this name."""
    return any(cell.lower() == name for cell in row)


def _indicator(name: str) -> str:
    letters = "".join(filter(str.isalpha, name.lower()))
    fits = [
        code
        for title, code in _BY_LETTERS.items()
        if letters and (title.startswith(letters) or letters == title)
    ]
    return fits[0] if fits else ""


def _entries(sheet: Sheet, place: int, indicator: str) -> Iterator[Entry]:
    head, years = [cell.lower() for cell in sheet.rows[place]], sheet.rows[place - 1]
    code = head.index(_CODE)
    columns: dict[str, dict[str, int]] = {}
    year = ""
    for column, name in enumerate(head):
        year = years[column] if column < len(years) and years[column] else year
        if year and name in {_ESTIMATE, _ERROR}:
            columns.setdefault(year, {}).setdefault(name, column)
    for line, row in enumerate(sheet.rows[place + 1 :], start=place + 2):
        if code >= len(row) or not row[code]:
            continue
        for year, at in columns.items():
            if _ESTIMATE not in at:
                continue
            error = row[at[_ERROR]] if _ERROR in at else ""
            cells = {"economy": row[code], "year": year, "indicator": indicator}
            cells |= {"estimate": row[at[_ESTIMATE]], "error": error}
            named = {"economy": "Code", "year": year, "indicator": sheet.name}
            yield Entry(line, cells, {**named, "estimate": f"Estimate {year}", "error": f"StdErr {year}"})
