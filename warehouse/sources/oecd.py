"""OECD Inventory of Export Restrictions on Industrial Raw Materials: who restricts which code, year by year.

No file was at hand; `warehouse.sources.oecd_words` says where its columns and words come from.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from warehouse.bundle.files import RejectedRow
from warehouse.sources import oecd_words as words
from warehouse.sources.oecd_law import InventoryMap, Restriction, Survey, law_tables
from warehouse.sources.parsed import Importer, ParsedFile, PublicSource, Reading, check_bounds, refused
from warehouse.sources.table import read_table
from warehouse.suggest import did_you_mean

SOURCE = PublicSource(
    name="oecd",
    publisher="Organisation for Economic Co-operation and Development",
    title="Inventory of Export Restrictions on Industrial Raw Materials",
    url="https://www.oecd.org/en/publications/oecd-inventory-of-export-restrictions-on-industrial-raw-materials-2025_facc714b-en.html",
    licence="CC BY 4.0, the default for what the OECD publishes since July 2024",
    cadence="yearly, between spring and autumn; year Y first appears in the edition of year Y+2",
    allowed_age_days=500,
    min_rows=200,
    max_rows=200_000,
    quirks=(
        "no file was at hand; columns and words follow what the OECD prints about the inventory",
        "codes are of HS 2007; a code is used where the map has the same six digits",
        "a row is a year, so measures begin and end on 1 January",
        "several rows may say the same code and year: national lines, or several taxes",
        "minimum prices, VAT rebates, captive mining and domestic market obligations have no instrument here",
        "rates are text and are kept as written",
    ),
)
_FIRST_YEAR = 2009
#: The editions of 2024 and 2025 end with 2022 and 2023. A later year would be taken for the last of the edition.
_YEARS_TO_PUBLISH = 2
_LONGEST_RATE = 200
_NOT_MAPPED = "codes that the map does not contain"
_NO_ROW = "footnotes and blank rows"
_SEVERAL = "goods of which the facts name several forms of this country, to which it would add"


def source_id(release: str) -> str:
    """Return the name of this edition's source row, such as oecd-2025-import."""
    return f"oecd-{release}-import"


def parse(path: Path, reading: Reading) -> ParsedFile:
    """Read the inventory.

    Returns:
        Rows of `measures`, `measure_states`, `measure_items` and `measure_destinations`; `stored` counts rows of
        the file, several of which make one state.

    Raises:
        BundleError: The file is not a complete file of this source, or its edition was not named.
    """
    if not re.fullmatch(r"20\d{2}", reading.release):
        raise refused(
            path.name,
            "does not say its edition; give --release YYYY, the year in which the OECD published it",
        )
    published, source = date(int(reading.release), 12, 31), source_id(reading.release)
    last = published.year - _YEARS_TO_PUBLISH
    found = read_table(path, (), encodings=("utf-8-sig", "cp1252"))
    if not found.lines:
        raise refused(path.name, "has no whole row under its header; download it again", 1)
    at = words.columns_of(path.name, list(found.lines[0].cells))
    known = InventoryMap.of(reading.tables)
    rows: list[Restriction] = []
    rejected = list(found.rejected)
    outside: Counter[str] = Counter()
    left_empty: Counter[str] = Counter()
    # A row with too few or too many cells may be about any country and year.
    years, unclear = set[tuple[str, int]](), {("", 0)} if rejected else set[tuple[str, int]]()
    seen: dict[tuple[str, ...], int] = {}
    for line in found.lines:
        if sum(1 for cell in line.cells.values() if cell) <= 1:
            outside[_NO_ROW] += 1
            continue
        cells = {ours: line.cells[theirs] for ours, theirs in at.items()}
        place = (known.country(cells["country"]), _year(cells["year"], last))
        verdict = _verdict(cells, place, known)
        first = line.line if verdict else seen.setdefault(tuple(line.cells.values()), line.line)
        if isinstance(verdict, str):
            outside[verdict] += 1
        elif verdict or first != line.line:
            column, why = verdict or ("hs6", f"repeats line {first} in every cell; remove one")
            rejected.append(RejectedRow(path.name, line.line, at[column], cells[column], why))
        else:
            kind, hs6 = words.folded(cells["measure"]), cells["hs6"]
            rate = cells.get("rate", "")[:_LONGEST_RATE]
            rows.append(Restriction(place[0], words.INSTRUMENTS[kind], hs6, place[1], kind, rate))
            if len(known.goods_of(place[0], hs6)) < len(known.goods[hs6]):
                left_empty[_SEVERAL] += 1
        if isinstance(verdict, tuple) or verdict == words.NOT_RESEARCHED:
            unclear.add(place)
        elif all(place):
            years.add(place)
    rows_in = len(rows) + len(rejected)
    least = 0 if reading.any_size else SOURCE.min_rows
    check_bounds(path.name, rows_in, len(rejected), least=least, most=SOURCE.max_rows)
    return ParsedFile(
        source,
        published,
        law_tables(rows, Survey(years, unclear), known, source, published),
        sorted(rejected, key=lambda r: r.line),
        rows_in,
        len(rows),
        outside,
        left_empty,
    )


def _year(written: str, last: int) -> int:
    """Return the year; 0 where it is not one that the edition can contain."""
    year = int(written) if re.fullmatch(r"[0-9]{4}", written) else 0
    return year if _FIRST_YEAR <= year <= last else 0


def _verdict(
    cells: Mapping[str, str], place: tuple[str, int], known: InventoryMap
) -> str | tuple[str, str] | None:
    """Return why a row is outside; or the column at fault and why; or None where it is stored."""
    kind, hs6 = words.folded(cells["measure"]), cells["hs6"]
    country, year = place
    is_code = re.fullmatch(r"[0-9]{6}", hs6) is not None
    if kind in words.OUTSIDE:
        return words.OUTSIDE[kind]
    if is_code and hs6 not in known.goods:
        return _NOT_MAPPED
    if not country:
        return "country", f"is not a country in countries{known.hint(cells['country'])}; add it there"
    if not year:
        years = f"from {_FIRST_YEAR} to the year {_YEARS_TO_PUBLISH} before the edition"
        return "year", f"is not a single year {years}; write one row a year"
    if not is_code:
        return "hs6", "is not a code of six digits; format the column as text, so that no zero gets lost"
    if kind not in words.INSTRUMENTS:
        every = [*words.INSTRUMENTS, *words.OUTSIDE]
        return (
            "measure",
            f"is not a kind of measure known here{did_you_mean(kind, every)}; docs/import.md lists them",
        )
    return None if known.goods_of(country, hs6) else _SEVERAL


IMPORTER = Importer(SOURCE, parse)
