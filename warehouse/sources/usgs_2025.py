"""USGS Mineral Commodity Summaries 2025, world data release: one row per commodity and country, five figures on it."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from warehouse.sources.parsed import Importer, ParsedFile, PublicSource, Reading, refused
from warehouse.sources.usgs_rows import PUBLISHER, Books, Entry

EDITION = "2025"
SOURCE = PublicSource(
    name=f"usgs-mcs-{EDITION}",
    publisher=PUBLISHER,
    title="Mineral Commodity Summaries 2025, world data release",
    url="https://doi.org/10.5066/P13XCP3R",
    licence="public domain",
    cadence="yearly, late January; version 2.0 of the file is of April 2025",
    allowed_age_days=865,
    min_rows=1_200,
    max_rows=3_000,
    quirks=(
        "a withheld figure is a blank with W in the note beside it",
        "names contain blanks: PROD_EST_ 2024, 'Gallium '; and misprints: Gemanium, ilmentite",
        "reserves of vanadium and molybdenum, and all of titanium concentrates, are in thousand tonnes",
        "the column of reserves contains capacity for indium and magnesium, and all platinum-group metals on palladium",
    ),
)
#: Column, statistic, year, and the column of its note.
_FIGURES = (
    ("PROD_2023", "Production", 2023, "PROD_NOTES"),
    ("PROD_EST_2024", "Production", 2024, "PROD_NOTES"),
    ("CAP_2023", "Capacity", 2023, "CAP_NOTES"),
    ("CAP_EST_2024", "Capacity", 2024, "CAP_NOTES"),
    ("RESERVES_2024", "Reserves", 2024, "RESERVE_NOTES"),
)
_COLUMNS = (
    "SOURCE", "COMMODITY", "COUNTRY", "TYPE", "UNIT_MEAS", *(name for name, *_ in _FIGURES),
    "PROD_NOTES", "CAP_NOTES", "RESERVE_NOTES",
)  # fmt: skip
# The figures were in the summaries of January; which of them version 2.0 mended in April is not said.
_KNOWN = date(2025, 4, 30)
_WITHHELD = re.compile(r"W\b")
_HALF = re.compile(r"less than (½|1/2) unit", re.IGNORECASE)


def parse(path: Path, reading: Reading) -> ParsedFile:
    """Read MCS2025_World_Data.csv.

    Returns:
        Rows of production, reserves and capacity (tonnes); an entry is a figure of the file, or a blank whose note
        says that it is withheld.

    Raises:
        BundleError: The file is not this file, or not whole.
    """
    if reading.release not in {"", EDITION}:
        raise refused(path.name, f"is read as the edition of {EDITION}; leave --release away")
    books = Books(EDITION, path.name, _KNOWN, reading)
    for line, row in books.rows(path, _COLUMNS):
        if row["SOURCE"].strip() != f"MCS{EDITION}":
            books.reject(line, "SOURCE", row["SOURCE"], f"is not MCS{EDITION}; the columns may be shifted")
            continue
        # The row of both forms together bears the type of one of them.
        if "ilmenite and rutile" in row["COUNTRY"]:
            for _ in filter(None, (row[name].strip() for name, *_ in _FIGURES)):
                books.outside("a total of two forms that are stored one by one")
            continue
        entries = [entry for figure in _FIGURES if (entry := _entry(line, row, *figure))]
        for entry in entries:
            books.add(entry)
        if not entries:
            books.outside("row without a figure")
    return books.close(0 if reading.any_size else SOURCE.min_rows, SOURCE.max_rows)


def _entry(
    line: int, row: dict[str, str], column: str, statistic: str, year: int, noted: str
) -> Entry | None:
    note, text = row[noted].strip(), row[column].strip()
    if not text and _WITHHELD.match(note):
        text = "W"
    elif not text and statistic == "Production" and _HALF.fullmatch(note):
        text = note
    if not text:
        return None
    said = note.casefold()
    if statistic == "Production" and year == 2024:
        is_estimated = not said.startswith("reported")
    elif statistic == "Production":
        is_estimated = "estimated 2023" in said or row["TYPE"].strip().endswith("estimated")
    else:
        is_estimated = said.startswith("estimated")
    return Entry(
        line=line,
        column=column,
        commodity=row["COMMODITY"],
        statistic=statistic,
        detail=row["TYPE"],
        country=row["COUNTRY"],
        unit=row["UNIT_MEAS"],
        year=(year, year),
        text=text,
        note=note,
        is_estimated=is_estimated,
    )


IMPORTER = Importer(SOURCE, parse)
