"""UN Comtrade: trade as the countries report it, each lane told once.

An importer's own report is taken. Only where a country reports no imports for a year are the exports taken that others
report to it. Both never meet in one lane.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from warehouse.bundle.files import RejectedRow
from warehouse.records.tables import schema
from warehouse.sources.comtrade_files import Entry, entries
from warehouse.sources.comtrade_judge import (
    CodeMap,
    Figure,
    Lane,
    OtherRevisionError,
    OutsideError,
    RejectedError,
    Report,
    about,
    figure_of,
)
from warehouse.sources.parsed import (
    Importer,
    ParsedFile,
    PublicSource,
    Reading,
    check_bounds,
    month_end,
    refused,
)

SOURCE = PublicSource(
    name="comtrade",
    publisher="United Nations Statistics Division",
    title="UN Comtrade, trade as reported by countries",
    url="https://comtradeplus.un.org/",
    licence="UN Comtrade terms of use: own use is free; passing figures on needs the UN's consent",
    cadence="all year round; most of year Y is available by the end of Y+1",
    allowed_age_days=400,
    min_rows=100,
    max_rows=5_000_000,
    quirks=(
        "totals are listed with their parts: world, second partner, transport, customs procedure, chapters",
        "imports with freight and insurance (CIF), exports without (FOB); both sides report one lane, and differ",
        "a net weight of 0 is unknown; many weights are estimates of the UN's, which are left out",
        "490 (S19, 'Other Asia, nes') is Taiwan, 842 the United States, 699 India, 757 Switzerland, 251 France",
        "every reporter writes in its own revision of the Harmonized System",
        "rows of the web page end with a comma that the header lacks; names may be in Latin-1",
    ),
)
_DAY_OF_BULK = re.compile(r"\[(\d{4}-\d{2}-\d{2})\]")
_DAY_OF_PAGE = re.compile(r"TradeData_(\d{1,2})_(\d{1,2})_(\d{4})", re.IGNORECASE)


@dataclass(slots=True)
class _Books:
    """What became of every entry.

    Attributes:
        months: what each country reports.
        figures: entries that may be stored.
        broken: lanes of which an entry was rejected.
        is_torn: an entry was rejected whose lane cannot be told.
        rejected: entries that cannot be used.
        outside: entries that are not asked for, by reason.
        other_revision: entries whose code the map has in another revision only.
    """

    months: defaultdict[Report, set[int]] = field(default_factory=lambda: defaultdict(set))
    figures: list[Figure] = field(default_factory=list)
    broken: set[Lane] = field(default_factory=set)
    is_torn: bool = False
    rejected: list[RejectedRow] = field(default_factory=list)
    outside: Counter[str] = field(default_factory=Counter)
    other_revision: list[OtherRevisionError] = field(default_factory=list)

    def reject(self, entry: Entry | Figure, column: str, value: str, reason: str) -> None:
        """Note an entry that cannot be used."""
        self.rejected.append(RejectedRow(entry.place, entry.line, column, value, reason))

    def is_whole(self, report: Report) -> bool:
        """Say whether a country reports a year: as a whole, or in all its months."""
        found = self.months.get(report, set())
        return 0 in found or len(found) == 12


def edition_day(path: Path, release: str) -> date:
    """Return the day of the edition: the database never rests, so it is the day on which a file was made.

    Raises:
        BundleError: Neither the name nor `release` states it, or it is not a day.
    """
    if release:
        return month_end(path.name, release)
    bulk, page = _DAY_OF_BULK.search(path.name), _DAY_OF_PAGE.search(path.name)
    try:
        if bulk:
            return date.fromisoformat(bulk[1])
        if page:
            return date(int(page[3]), int(page[1]), int(page[2]))
    except ValueError:
        raise refused(
            path.name, "states a day that the calendar does not have; give --release YYYYMM"
        ) from None
    raise refused(
        path.name,
        "does not say its day, as TradeData_11_24_2026_10_30_9.csv and COMTRADE-FINAL-CA1562024H6[2026-11-24].gz do; "
        "give --release YYYYMM",
    )


def source_id(path: Path, known: date) -> str:
    """Return the name of a file's source row, such as comtrade-20261124-tradedata-11-24-2026-10-30-9-import."""
    slug = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-").removeprefix("comtrade-")
    return f"comtrade-{known:%Y%m%d}-{slug}-import"


def parse(path: Path, reading: Reading) -> ParsedFile:
    """Read a file of UN Comtrade: a table (CSV, text, gzip, ZIP) or an answer of the interface for programs (JSON).

    Returns:
        Rows of `trade` (US dollars, tonnes net), sorted.

    Raises:
        BundleError: The file is not a complete file of UN Comtrade, names no day, or falls outside the bounds.
    """
    known = edition_day(path, reading.release)
    books = _read(entries(path), CodeMap(reading), known)
    kept = _settled(books)
    set_aside = _set_aside(books, kept)
    books.rejected.sort(key=lambda row: (row.file, row.line))
    rows_in = len(kept) + len(books.rejected)
    least = 0 if reading.any_size else SOURCE.min_rows
    check_bounds(path.name, rows_in, len(books.rejected), least=least, most=SOURCE.max_rows)
    source = source_id(path, known)
    return ParsedFile(
        source_id=source,
        published=known,
        tables={"trade": _rows(kept, source, known)},
        rejected=books.rejected,
        rows_in=rows_in,
        stored=len(kept),
        outside=dict(sorted(books.outside.items())),
        left_empty=dict(sorted(Counter(figure.empty for figure in kept if figure.empty).items())),
        set_aside=dict(sorted(set_aside.items())),
    )


def _read(found: Iterable[Entry], known_map: CodeMap, known: date) -> _Books:
    books = _Books()
    seen: set[tuple[Lane, int]] = set()
    for entry in found:
        subject = None
        try:
            if entry.fault:
                raise RejectedError("", "", entry.fault)
            subject = about(entry.cells, known_map, known, books.months)
            if subject in seen:
                said = "repeats period, flow, reporter, partner and code of an earlier entry; remove one"
                raise RejectedError("cmdCode", entry.cells["code"], said)
            books.figures.append(figure_of(entry, *subject))
            seen.add(subject)
        except OutsideError as reason:
            books.outside[str(reason)] += 1
        except OtherRevisionError as reason:
            books.other_revision.append(reason)
        except RejectedError as fault:
            books.reject(entry, fault.column, fault.value, fault.reason)
            if subject is not None:
                books.broken.add(subject[0])
            elif fault.column not in {"reporterCode", "partnerCode"}:
                books.is_torn = True
    return books


def _settled(books: _Books) -> list[Figure]:
    """Return what is stored; the rest goes to the outside: broken years, doubled years, mirrored lanes."""
    kept = []
    for figure in books.figures:
        report = figure.lane.report
        mirror = report._replace(reporter=figure.lane.partner, flow="M")
        if figure.month and 0 in books.months[report]:
            books.outside["month of a year that is also given as a whole"] += 1
        elif figure.month and not books.is_whole(report):
            books.outside["month of a year that is not complete"] += 1
        elif report.flow == "X" and books.is_whole(mirror):
            books.outside["exports to a country that reports its own imports"] += 1
        elif figure.month and (books.is_torn or figure.lane in books.broken):
            said = "another month of this lane cannot be used, or a row that may be one; correct that, or the sum lacks it"
            books.reject(figure, "period", f"{report.year}{figure.month:02}", said)
        else:
            kept.append(figure)
    return kept


def _set_aside(books: _Books, kept: Iterable[Figure]) -> Counter[str]:
    """Count the wanted goods that are lost; a lane that is kept in another revision is not, and goes to the outside."""
    told = {_in_any_revision(figure.lane) for figure in kept}
    lost: Counter[str] = Counter()
    for entry in books.other_revision:
        if _in_any_revision(entry.lane) in told:
            books.outside["code of a lane that is kept in another revision"] += 1
        else:
            lost[str(entry)] += 1
    return lost


def _in_any_revision(lane: Lane) -> Lane:
    return lane._replace(report=lane.report._replace(revision=""))


def _rows(kept: Iterable[Figure], source: str, known: date) -> pl.DataFrame:
    """Return one row per lane: a year, or the sum of its twelve months; a sum with an unknown part is unknown."""
    lanes: dict[tuple[int, str, str, str, str, bool], list[Figure]] = {}
    for figure in kept:
        (revision, year, reporter, flow), code, partner = figure.lane
        ends = (partner, reporter) if flow == "M" else (reporter, partner)
        lanes.setdefault((year, *ends, code, revision, flow == "M"), []).append(figure)
    rows = []
    for (year, exporter, importer, code, revision, by_importer), parts in lanes.items():
        weights = [part.quantity_t for part in parts if part.quantity_t is not None]
        rows.append({
            "year": year,
            "exporter": exporter,
            "importer": importer,
            "hs6": code,
            "hs_revision": revision,
            "value_usd": math.fsum(part.value_usd for part in parts),
            "quantity_t": math.fsum(weights) if len(weights) == len(parts) else None,
            # Of a country that does not report itself, only what others tell is known.
            "is_complete": by_importer,
            "source_id": source,
            "known_from": known,
        })  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema("trade"))
    return frame.sort("year", "hs6", "hs_revision", "exporter", "importer")


IMPORTER = Importer(SOURCE, parse)
