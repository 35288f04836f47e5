"""World Bank Worldwide Governance Indicators: one row per economy, year and indicator.

Read for methods that weigh countries by governance; Curbline's own score does not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import polars as pl

from warehouse.bundle.files import RejectedRow
from warehouse.records.tables import schema
from warehouse.sources.figures import is_unknown, number
from warehouse.sources.parsed import (
    Importer,
    ParsedFile,
    PublicSource,
    Reading,
    check_bounds,
    is_workbook,
    refused,
)
from warehouse.sources.table import PublishedTable, read_table
from warehouse.sources.wgi_book import book_entries
from warehouse.sources.wgi_layouts import INDICATORS, entries, indicator

SOURCE = PublicSource(
    name="wgi",
    publisher="World Bank",
    title="Worldwide Governance Indicators",
    url="https://www.worldbank.org/en/publication/worldwide-governance-indicators",
    licence="CC BY 4.0",
    cadence="yearly, in autumn; year Y first appears in the edition of year Y+1",
    allowed_age_days=500,
    min_rows=2_000,
    max_rows=100_000,
    quirks=(
        "its own country codes: ROM is Romania, ZAR the Congo (Kinshasa), TMP Timor-Leste, KSV Kosovo, ADO Andorra, WBG Palestine",
        "rank is a percentile in older editions and a score of 0 to 100 since the edition of 2025; it is not read",
        "an economy without sources has an empty estimate",
        "NA is Namibia in a column of two-letter codes and no figure in a column of figures",
        "an edition revises all years; figures are known from the edition, not from their year",
    ),
)
_OWN_CODES = {"ROM": "ROU", "ZAR": "COD", "TMP": "TLS", "KSV": "XKX", "ADO": "AND", "WBG": "PSE"}
#: Lines that DataBank puts under its table.
_FOOTER = ("Data from database:", "Last Updated:")
_NO_ERROR = "no standard error: the file has none"
#: The estimates have mean 0 and deviation 1 over the economies of a year; nothing has come near 5.
_FARTHEST = 5.0
_FIRST_YEAR = 1996


def source_id(release: str) -> str:
    """Return the name of this edition's source row, such as wgi-2025-import."""
    return f"wgi-{release}-import"


def parse(path: Path, reading: Reading) -> ParsedFile:
    """Read the indicators, in any layout of the World Bank.

    Returns:
        Rows of `governance`; the estimate in standard normal units.

    Raises:
        BundleError: The file is not a complete file of this source, or its edition was not named.
    """
    if not re.fullmatch(r"20\d{2}", reading.release):
        raise refused(
            path.name,
            "does not say its edition; give --release YYYY, the year in which the World Bank published it",
        )
    published = date(int(reading.release), 12, 31)
    outside: Counter[str] = Counter()
    of_book = book_entries(path) if path.is_file() and is_workbook(path) else None
    found = PublishedTable([], []) if of_book is not None else read_table(path, ())
    countries = set(reading.tables["countries"]["country"].to_list())
    rows: list[tuple[str, int, str, float, float | None]] = []
    rejected = [row for row in found.rejected if not row.value.strip(' "').startswith(_FOOTER)]
    seen: set[tuple[str, int, str]] = set()
    for entry in of_book if of_book is not None else entries(path.name, found.lines, outside):
        cells = entry.cells
        if is_unknown(cells["estimate"]):
            outside["no estimate published"] += 1
            continue
        country = _OWN_CODES.get(cells["economy"], cells["economy"])
        fault = _fault(cells, country, countries, published.year)
        if fault is None:
            key = (country, int(cells["year"]), indicator(cells["indicator"]))
            if key not in seen:
                seen.add(key)
                error = None if is_unknown(cells["error"]) else float(cells["error"])
                rows.append((*key, float(cells["estimate"]), error))
                continue
            fault = ("economy", "repeats economy, year and indicator of an earlier row; remove one")
        name, reason = fault
        rejected.append(RejectedRow(path.name, entry.line, entry.columns[name], cells[name], reason))
    rows_in = len(rows) + len(rejected)
    least = 0 if reading.any_size else SOURCE.min_rows
    check_bounds(path.name, rows_in, len(rejected), least=least, most=SOURCE.max_rows)
    source = source_id(reading.release)
    frame = pl.DataFrame(
        [(*row, None, source, published) for row in sorted(rows)], schema=schema("governance"), orient="row"
    )
    return ParsedFile(
        source,
        published,
        {"governance": frame},
        sorted(rejected, key=lambda r: r.line),
        rows_in,
        len(rows),
        outside,
        left_empty={_NO_ERROR: without} if (without := sum(row[-1] is None for row in rows)) else {},
    )


def _fault(
    cells: Mapping[str, str], country: str, countries: set[str], last_year: int
) -> tuple[str, str] | None:
    """Return the first of the cells at fault and why."""
    year = cells["year"]
    if not re.fullmatch(r"[0-9]{4}", year) or not _FIRST_YEAR <= int(year) <= last_year:
        return "year", "is not a year that this edition can contain"
    if not indicator(cells["indicator"]):
        return "indicator", f"is not an indicator; they are {', '.join(INDICATORS)}"
    if country not in countries:
        return "economy", "is not a country in countries; add it there"
    if not _is_estimate(cells["estimate"]):
        return "estimate", "is not an estimate; write digits with a point, between -5 and 5"
    error = cells["error"]
    if not is_unknown(error) and not (_is_estimate(error) and float(error) > 0):
        return "error", "is not a standard error; write digits with a point, above 0, or leave it blank"
    return None


def _is_estimate(text: str) -> bool:
    found = number(text)
    return found is not None and abs(found) <= _FARTHEST


IMPORTER = Importer(SOURCE, parse)
