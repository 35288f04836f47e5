"""USGS Mineral Commodity Summaries 2026, data release: one row per commodity, country, statistic and year."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from warehouse.sources.parsed import Importer, ParsedFile, PublicSource, Reading, refused
from warehouse.sources.usgs_rows import PUBLISHER, Books, Entry

EDITION = "2026"
SOURCE = PublicSource(
    name=f"usgs-mcs-{EDITION}",
    publisher=PUBLISHER,
    title="Mineral Commodity Summaries 2026, data release",
    url="https://www.sciencebase.gov/catalog/item/696a75d5d4be0228872d3bf8",
    licence="public domain",
    cadence="yearly, late January or February",
    allowed_age_days=500,
    min_rows=1_800,
    max_rows=3_000,
    quirks=(
        "Windows-1252; an em dash is zero, NA unknown, W withheld, s counted elsewhere or below half a unit",
        "figures may be bounds (>99), ranges (190 - 290) or words (Large)",
        "world totals are rounded and can be less than the sum of the countries",
        "the rows of vanadium reserves state metric tons and count thousands",
    ),
)
_COLUMNS = (
    "Section", "Commodity", "Country", "Statistics", "Statistics_detail", "Unit", "Year", "Value", "Notes",
)  # fmt: skip
_KNOWN = date(2026, 2, 28)
_YEARS = range(2020, 2026)
_MEAN = re.compile(r"(\d{4})\D(\d{2})")
_STATISTICS = ("Production", "Reserves", "Capacity")


def parse(path: Path, reading: Reading) -> ParsedFile:
    """Read MCS2026_Commodities_Data.csv.

    Returns:
        Rows of production, reserves, capacity (tonnes) and import_shares; an entry is a row of the file.

    Raises:
        BundleError: The file is not this file, or not whole.
    """
    if reading.release not in {"", EDITION}:
        raise refused(path.name, f"is read as the edition of {EDITION}; leave --release away")
    books = Books(EDITION, path.name, _KNOWN, reading)
    for line, row in books.rows(path, _COLUMNS):
        _enter(books, line, row)
    return books.close(0 if reading.any_size else SOURCE.min_rows, SOURCE.max_rows)


def _enter(books: Books, line: int, row: dict[str, str]) -> None:
    section = row["Section"].strip()
    if section.startswith("Salient Statistics"):
        books.outside("salient statistics of the United States")
        return
    is_import = section == "Import Sources"
    if not is_import and not section.startswith("World"):
        books.reject(line, "Section", section, "is not a section of this edition; the columns may be shifted")
        return
    statistic = "Import" if is_import else row["Statistics"].strip()
    if statistic not in {*_STATISTICS, "Import"}:
        books.reject(line, "Statistics", statistic, f"is none of {', '.join(_STATISTICS)}")
        return
    years = _years(row["Year"].strip(), is_mean=is_import)
    if years is None:
        books.reject(line, "Year", row["Year"], "is not a year that this edition can contain")
        return
    books.add(
        Entry(
            line=line,
            column="Value",
            commodity=row["Commodity"],
            statistic=statistic,
            detail=row["Statistics_detail"],
            country=row["Country"],
            unit=row["Unit"],
            year=years,
            text=row["Value"],
            note=row["Notes"],
            is_estimated=row["Notes"].startswith("Estimated"),
        )
    )


def _years(text: str, *, is_mean: bool) -> tuple[int, int] | None:
    if is_mean:
        mean = _MEAN.fullmatch(text)
        first, last = (int(mean[1]), int(mean[1][:2] + mean[2])) if mean else (0, 0)
    else:
        first = last = int(text) if re.fullmatch(r"\d{4}", text) else 0
    return (first, last) if first in _YEARS and last in _YEARS and first <= last else None


IMPORTER = Importer(SOURCE, parse)
