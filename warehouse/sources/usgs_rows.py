"""The books of a file of the United States Geological Survey: each entry stored, rejected or outside, once."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from ground.counted import counted
from warehouse.bundle.files import RejectedRow
from warehouse.records.fields import MAX_PRODUCTION_T, MAX_RESERVES_T
from warehouse.records.tables import TABLES, schema
from warehouse.sources.parsed import ParsedFile, Reading, check_bounds, is_workbook, refused, sniff
from warehouse.sources.usgs_names import (
    OUTSIDE,
    REST,
    UNITS,
    WORLD,
    Correction,
    Series,
    find_correction,
    find_country,
    find_series,
    folded,
    names_several,
)
from warehouse.sources.usgs_values import Absent, Figure, parse_value
from warehouse.sources.workbook import table_of

#: The publisher's name is that of the embedded facts, so that both are one source.
PUBLISHER = "USGS"
_NO_MINERAL = "commodity without a mineral of ours"
_NO_HOME = "capacity of the world or of all other countries, which core.capacity does not contain"
_MOST = {"production": MAX_PRODUCTION_T, "capacity": MAX_PRODUCTION_T, "reserves": MAX_RESERVES_T}


@dataclass(frozen=True, slots=True)
class Entry:
    """One figure of a file, as it is written.

    Attributes:
        line: line of the file.
        column: column of the figure.
        commodity: commodity.
        statistic: Production, Reserves, Capacity or Import.
        detail: what exactly is counted.
        country: country.
        unit: unit of the figure.
        year: calendar year; first and last year for a mean.
        text: the figure.
        note: note beside it.
        is_estimated: the publisher calls it an estimate.
    """

    line: int
    column: str
    commodity: str
    statistic: str
    detail: str
    country: str
    unit: str
    year: tuple[int, int]
    text: str
    note: str = ""
    is_estimated: bool = False


class _UnusableError(Exception):
    """Why one entry cannot be stored."""

    def __init__(self, column: str, value: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.value, self.reason = column, value, reason


class Books:
    """Every entry of one file, entered once."""

    def __init__(self, edition: str, file: str, known: date, reading: Reading) -> None:
        self._edition, self._file, self._known = edition, file, known
        self._source = f"usgs-mcs-{edition}-import"
        rows = reading.tables["countries"].select("name", "country").iter_rows()
        self._countries: Mapping[str, str] = {folded(name): code for name, code in rows}
        self._rows: dict[str, list[dict[str, object]]] = {}
        self._first: dict[tuple[object, ...], int] = {}
        self._rejected: list[RejectedRow] = []
        self._outside: Counter[str] = Counter()

    def outside(self, reason: str) -> None:
        """Enter something that the map does not ask for."""
        self._outside[reason] += 1

    def reject(self, line: int, column: str, value: str, reason: str) -> None:
        """Enter something that the map asks for and that cannot be used."""
        self._rejected.append(RejectedRow(self._file, line, column, value[:200], reason))

    def rows(self, path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
        """Give line and cells by column of every row that is whole; the others are entered as rejected.

        Raises:
            BundleError: It is not a complete table with these columns.
        """
        header, rows = read_rows(path, columns)
        for line, cells in rows:
            if len(cells) == len(header):
                yield line, dict(zip(header, cells, strict=True))
            else:
                said = f"has {counted(len(cells), 'cell')} where the header has {len(header)}"
                self.reject(line, "", ",".join(cells), said)

    def add(self, entry: Entry) -> None:
        """Enter a figure: store it, or say why not."""
        try:
            self._add(entry)
        except _UnusableError as error:
            self.reject(entry.line, error.column, error.value, error.reason)

    def _add(self, entry: Entry) -> None:
        try:
            found = find_series(self._edition, entry.commodity, entry.statistic, entry.detail)
        except KeyError:
            said = f"is not a known series of {entry.commodity.strip()}; add it to usgs_series.csv"
            raise _UnusableError(entry.statistic, entry.detail, said) from None
        if found is None or found.table == OUTSIDE:
            self.outside(_NO_MINERAL if found is None else found.reason)
            return
        try:
            figure = parse_value(entry.text, entry.note)
        except ValueError:
            said = "is not a figure; separate thousands by commas, and do not write exactly three digits after a point"
            raise _UnusableError(entry.column, entry.text, said) from None
        place = find_country(entry.country, self._countries)
        if place is None and names_several(entry.country, self._countries):
            self.outside("one figure for several countries together")
            return
        if place is None:
            said = "is not a country of core.countries; correct the name, or add it to usgs_names"
            raise _UnusableError("country", entry.country, said)
        if isinstance(figure, Absent):
            self.outside(f"no figure: {figure.reason}")
            return
        if found.table == "capacity" and place[0] in {WORLD, REST}:
            self.outside(_NO_HOME)
            return
        if found.table == "production" and place[0] == REST and figure.best == 0:
            # OTH means every producer without a row; the file's zero is about those that it counts.
            self.outside(
                "other countries without output, which says nothing about producers that are not counted"
            )
            return
        if found.table == "import_shares":
            self._keep(entry, found.table, self._share(entry, found, place[0], figure))
            return
        self._keep(entry, found.table, self._amount(entry, found, place, figure))

    def _share(self, entry: Entry, series: Series, country: str, figure: Figure) -> dict[str, object]:
        if folded(entry.unit) != "percent":
            raise _UnusableError("unit", entry.unit, "is not percent, in which shares of imports are stated")
        if figure.best is None or figure.best > 100:
            raise _UnusableError(entry.column, entry.text, "is not a share of a hundred")
        if country == WORLD:
            raise _UnusableError("country", entry.country, "is not an origin of imports")
        return {
            "mineral": series.mineral,
            "form": entry.detail.strip(),
            "importer": "USA",
            "exporter": country,
            "year_from": entry.year[0],
            "year_to": entry.year[1],
            "import_share": figure.best / 100,
            "note": figure.remark or None,
        }

    def _amount(
        self, entry: Entry, series: Series, place: tuple[str, str], figure: Figure
    ) -> dict[str, object]:
        correction = find_correction(self._edition, entry.commodity, entry.statistic, entry.unit)
        unit = folded(correction.true_unit if correction else entry.unit)
        if unit not in UNITS:
            known = ", ".join(UNITS)
            raise _UnusableError("unit", entry.unit, f"is not a known unit; known are {known}")
        if correction and (figure.high or 0) > correction.largest_stated:
            said = f"is more than the misprint found on {correction.found_on} allows; the file may have been corrected"
            raise _UnusableError(
                entry.column, entry.text, f"{said}: check the unit, then usgs_corrections.csv"
            )
        factor = UNITS[unit]
        ends = zip((figure.low, figure.best, figure.high), series.content_share, strict=True)
        low, best, high = (_rounded(end, factor * content) for end, content in ends)
        if (high or 0) > _MOST[series.table]:
            raise _UnusableError(entry.column, entry.text, "is more than can be; check the unit")
        country, aside = place
        spread = series.estimate_spread if entry.is_estimated and not figure.is_range else 0.0
        if spread and low is not None and high is not None:
            low, high = _rounded(low, 1 - spread), _rounded(high, 1 + spread)
        row: dict[str, object] = {
            "mineral": series.mineral,
            "country": country,
            "year": entry.year[0],
            "form": series.form or aside or None,
            "vintage": f"MCS{self._edition}",
            "qualifier": _qualifier(entry, country, figure),
            "note": _note(figure, series, correction, spread),
        }
        if series.table == "reserves":
            return {**row, "claim_kind": "reserve", "reserves_t": best}
        stem = "production_t" if series.table == "production" else "capacity_t"
        return {**row, "stage": series.stage, f"{stem}_low": low, f"{stem}_best": best, f"{stem}_high": high}

    def _keep(self, entry: Entry, table: str, row: dict[str, object]) -> None:
        row |= {"source_id": self._source, "known_from": self._known}
        if table == "capacity":
            parts = [row["mineral"], row["stage"], row["country"], row["form"], row["year"]]
            named = "-".join(str(part).lower().replace(" ", "-") for part in parts if part is not None)
            row |= {
                "capacity_id": f"{self._source}-{named}",
                "kind": "nameplate",
                "status": "existing",
                "valid_from": date(entry.year[0], 1, 1),
                "note": _joined(
                    "total of the country's plants, which adds nothing by itself",
                    str(row["form"] or ""),
                    str(row["note"] or ""),
                    "withheld" if row["qualifier"] == "withheld" else "",
                ),
            }
        # An edition states each figure once; how it came about does not make it another figure.
        key = (table, *(row[name] for name in TABLES[table].key if name != "qualifier"))
        if key in self._first:
            said = f"repeats mineral, country, year and form of line {self._first[key]}; remove one"
            raise _UnusableError(entry.column, entry.text, said)
        self._first[key] = entry.line
        self._rows.setdefault(table, []).append(row)

    def close(self, least: int, most: int) -> ParsedFile:
        """Return what was entered.

        Args:
            least: fewest entries within the map.
            most: most of them.

        Raises:
            BundleError: The file has too few or too many of them, or most cannot be used.
        """
        stored = sum(len(rows) for rows in self._rows.values())
        rows_in = stored + len(self._rejected)
        check_bounds(self._file, rows_in, len(self._rejected), least=least, most=most)
        tables = {}
        for name in TABLES:
            if rows := self._rows.get(name):
                types = schema(name)
                plain = [{column: row.get(column) for column in types} for row in rows]
                tables[name] = pl.DataFrame(plain, schema=types).sort(TABLES[name].key)
        return ParsedFile(
            source_id=self._source,
            published=self._known,
            tables=tables,
            rejected=self._rejected,
            rows_in=rows_in,
            stored=stored,
            outside=dict(sorted(self._outside.items())),
        )


def _rounded(figure: float | None, factor: float) -> float | None:
    # Products of short decimals and powers of ten; what is beyond nine digits is noise of binary fractions.
    return None if figure is None else float(f"{figure * factor:.9g}")


def _qualifier(entry: Entry, country: str, figure: Figure) -> str:
    if figure.is_withheld:
        return "withheld"
    if country == WORLD:
        return "world_estimate"
    if country == REST:
        return "unlisted"
    return "estimated" if entry.is_estimated or figure.is_range else "reported"


def _note(figure: Figure, series: Series, correction: Correction | None, spread: float) -> str | None:
    low, _, high = series.content_share
    content = f"times a content of {low:g} to {high:g}" if low < 1 else ""
    estimate = f"estimate of USGS, taken as +-{spread:.0%}".replace("%", " %") if spread else ""
    mended = f"corrected on {correction.found_on}: {correction.reason}" if correction else ""
    return _joined(content, figure.remark, estimate, mended) or None


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def read_rows(path: Path, columns: tuple[str, ...]) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return the header and, line by line, the cells of a file in UTF-8 or Windows-1252.

    Args:
        path: file as its publisher ships it.
        columns: columns that it must have, once each; blanks within a name do not count.

    Raises:
        BundleError: It is not a complete table with these columns.
    """
    place = path.name
    if not path.is_file():
        raise refused(place, "no such file; name the file that you downloaded")
    if is_workbook(path):
        wanted = {"".join(name.split()) for name in columns}
        head, below, _ = table_of(
            path,
            lambda row: wanted <= {"".join(name.split()) for name in row},
            f"the columns {', '.join(columns)}",
        )
        return ["".join(name.split()) for name in head], iter(below)
    sniff(path, place)
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            raise refused(
                place, "is neither UTF-8 nor Windows-1252; download it again, or save it as UTF-8", line
            ) from None
    try:
        rows = _parsed(text)
    except csv.Error as error:
        raise refused(place, f"is not CSV ({error}); download it again") from None
    header = ["".join(name.split()) for name in rows[0][1]] if rows else []
    missing = [name for name in columns if header.count("".join(name.split())) != 1]
    if missing:
        raise refused(
            place, f"lacks column {', '.join(missing)}, or has it twice; its columns are {header}"[:400], 1
        )
    return header, iter(rows[1:])


def _parsed(text: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    found, start = [], 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            found.append((start, cells))
        start = reader.line_num + 1
    return found
