"""The buyer's workbook: README, Risk table, Reasons, Measures, Sources; plain to sort, filter and print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import ceil
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from ground.words import BANDS
from jobs.export.bands import BAND_COLOURS, BAND_MEANING
from jobs.export.book import Book
from jobs.export.columns import IMPORTERS, MEASURES, REASONS, RISK, RISK_PRINTED, SOURCES, Column, Kind
from jobs.marts import UNKNOWN_BAND

NUMBER_FORMATS = {
    Kind.TEXT: "@",
    Kind.BAND: "@",
    Kind.SCORE: "0.0",
    Kind.POINTS: "+0.0;-0.0;0.0",
    Kind.SHARE: "0.0%",
    Kind.TONNES: "[>=100]#,##0;[>=1]#,##0.0;0.000",
    Kind.USD: "#,##0",
    Kind.DAYS: "#,##0",
    Kind.YEAR: "0",
    Kind.DATE: "yyyy-mm-dd",
    Kind.LINK: "@",
    Kind.RATE: "0.0000",
}


LINE_HEIGHT = 13.5  # points of one line at font size 10
README_WIDTH = 105


@dataclass
class _Formats:
    """Cell formats, made once per workbook."""

    title: Any
    header: Any
    wrap: Any
    link: Any
    cells: dict[Kind, Any]
    bands: dict[str, Any]


def write_book(book: Book, path: Path) -> None:
    """Write a workbook.

    The creation time inside the file is the day that was scored, so that the same run gives the same bytes.
    """
    options = {"strings_to_urls": False, "strings_to_formulas": False, "strings_to_numbers": False}
    workbook = xlsxwriter.Workbook(str(path), options)
    day = book.question.as_of
    moment = datetime(day.year, day.month, day.day)  # noqa: DTZ001  (Excel knows no zones)
    workbook.set_properties(
        {
            "title": f"Curbline: {book.selection.title}",
            "author": "Curbline",
            "comments": f"run {book.run_id}",
            "created": moment,
        }
    )
    formats = _make_formats(workbook)
    _write_readme(workbook, book, formats)
    _write_table(workbook, "Importers", book, book.importers, IMPORTERS, formats, frozen_columns=2)
    _write_table(
        workbook, "Risk table", book, book.risk, RISK, formats, frozen_columns=5, printed=RISK_PRINTED
    )
    _write_table(workbook, "Reasons", book, book.reasons, REASONS, formats, frozen_columns=4)
    _write_table(workbook, "Measures", book, book.measures, MEASURES, formats, frozen_columns=4)
    _write_table(workbook, "Sources", book, book.sources, SOURCES, formats, frozen_columns=1)
    workbook.close()


def _make_formats(workbook: Any) -> _Formats:
    base = {"valign": "top", "font_size": 10}
    return _Formats(
        title=workbook.add_format({"bold": True, "font_size": 14}),
        header=workbook.add_format(
            {
                "bold": True,
                "text_wrap": True,
                "valign": "top",
                "bg_color": "#1F3A5F",
                "font_color": "#FFFFFF",
                "border": 1,
            }
        ),
        wrap=workbook.add_format({**base, "text_wrap": True, "indent": 1}),
        link=workbook.add_format({**base, "font_color": "#0563C1", "underline": 1}),
        cells={
            # A word beside a number to its left needs a gap.
            kind: workbook.add_format(
                {**base, "num_format": shape, **({"indent": 1} if kind is Kind.TEXT else {})}
            )
            for kind, shape in NUMBER_FORMATS.items()
        },
        bands={
            band: workbook.add_format({**base, "bold": True, "bg_color": fill, "font_color": ink})
            for band, (fill, ink) in BAND_COLOURS.items()
        },
    )


def _write_table(
    workbook: Any,
    name: str,
    book: Book,
    frame: pl.DataFrame,
    columns: Sequence[Column],
    formats: _Formats,
    *,
    frozen_columns: int,
    printed: int | None = None,
) -> None:
    """Write one sheet: header row frozen, autofilter, widths, number formats, print set-up."""
    sheet = workbook.add_worksheet(name)
    sheet.set_row(0, 45)
    for position, column in enumerate(columns):
        sheet.set_column(position, position, column.width)
        sheet.write_string(0, position, column.header, formats.header)
        values = frame[column.key].to_list() if column.key in frame.columns else [None] * frame.height
        for row, value in enumerate(values, start=1):
            _write_cell(sheet, row, position, value, column, formats)
    _set_heights(sheet, frame, columns)
    sheet.freeze_panes(1, frozen_columns)
    sheet.autofilter(0, 0, max(frame.height, 1), len(columns) - 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    if printed is not None:
        sheet.print_area(0, 0, max(frame.height, 1), printed - 1)
    sheet.set_footer(
        f"&L{name}, as of {book.question.as_of.isoformat()}&CCurbline run {book.run_id}&RPage &P of &N"
    )


def _set_heights(sheet: Any, frame: pl.DataFrame, columns: Sequence[Column]) -> None:
    """Give every row the height that its wrapped texts need; some spreadsheets do not find it themselves."""
    wrapped = [column for column in columns if column.wraps and column.key in frame.columns]
    texts = [frame[column.key].to_list() for column in wrapped]
    for row in range(frame.height):
        lines = max(
            (_lines(values[row], column.width) for values, column in zip(texts, wrapped, strict=True)),
            default=1,
        )
        sheet.set_row(row + 1, LINE_HEIGHT * lines)


def _lines(text: object, width: float) -> int:
    """Return how many lines a text takes; words that do not fit leave a tenth of each line empty."""
    return max(1, ceil(len(str(text)) / (width * 0.9))) if text is not None else 1


def _write_cell(
    sheet: Any, row: int, position: int, value: object, column: Column, formats: _Formats
) -> None:
    """Write a value as its kind; unknown is an empty cell, except for a band, where it is a word."""
    shape = formats.wrap if column.wraps else formats.cells[column.kind]
    if column.kind is Kind.BAND:
        word = UNKNOWN_BAND if value is None else str(value)
        sheet.write_string(row, position, word, formats.bands.get(word, shape))
    elif value is None:
        sheet.write_blank(row, position, None, shape)
    elif (
        column.kind is Kind.LINK and str(value).startswith(("http://", "https://")) and len(str(value)) < 2000
    ):
        sheet.write_url(row, position, str(value), formats.link, string=str(value))
    elif isinstance(value, bool):
        sheet.write_string(row, position, "yes" if value else "no", shape)
    elif isinstance(value, date):
        sheet.write_datetime(row, position, value, formats.cells[Kind.DATE])
    elif isinstance(value, int | float):
        sheet.write_number(row, position, value, shape)
    elif isinstance(value, list):
        sheet.write_string(row, position, "; ".join(str(item) for item in value), shape)
    else:
        sheet.write_string(row, position, str(value), shape)


def _write_readme(workbook: Any, book: Book, formats: _Formats) -> None:
    """Write the front page: what this is, how to read it, counts by band, what it does not claim."""
    sheet = workbook.add_worksheet("README")
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, README_WIDTH)
    sheet.write_string(0, 0, f"Curbline: {book.selection.title}", formats.title)
    line = 2
    for label, text in _readme_lines(book):
        sheet.write_string(line, 0, label, formats.cells[Kind.TEXT])
        sheet.write_string(line, 1, text, formats.wrap)
        sheet.set_row(line, LINE_HEIGHT * _lines(text, README_WIDTH * 1.2))
        line += 1
    line += 1
    sheet.write_string(line, 0, "Band", formats.header)
    sheet.write_string(line, 1, "Score, and what it means", formats.header)
    counts = dict(book.risk["band"].fill_null(UNKNOWN_BAND).value_counts().rows())
    for band in (*reversed(BANDS), UNKNOWN_BAND):
        line += 1
        sheet.write_string(line, 0, band, formats.bands[band])
        sheet.write_string(
            line, 1, f"{BAND_MEANING[band]}. Routes here: {counts.get(band, 0):,}", formats.wrap
        )
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _readme_lines(book: Book) -> list[tuple[str, str]]:
    return [
        ("As of", book.question.as_of.isoformat()),
        ("As known on", book.question.known_at.isoformat()),
        ("Curbs of", book.curbing_country_name),
        ("Horizon", f"{book.selection.horizon_days} days"),
        ("Routes", f"{book.risk.height:,}, by money missing, the most first"),
        *([("Left out", book.left_out)] if book.left_out else []),
        ("Run", f"{book.run_id}, code {book.code_version}"),
        (
            "What a row says",
            "How large a share of a route's normal tonnes is expected to be missing within the horizon because of export curbs, after pledges, alternatives, substitution and stocks. Score = 100 × √(missing share).",
        ),
        (
            "Three views",
            "Score: the law in force on the day. Snapback: suspended, announced and lapsed measures all take effect. Full stop: every shipment of the curbing country ceases. Scheduled: the law in force, weighted by the changes already known.",
        ),
        (
            "Range",
            "Expected missing is the mean over joint draws of all uncertain inputs; in one case of ten less is missing than the lower figure, in one of ten more than the upper. Confidence: firm where one band holds 80 % of the draws, leaning 50 %, else open.",
        ),
        (
            "Priority",
            "100 × √(dependence × missing share): a doomed small lane keeps its score but ranks lower here.",
        ),
        ("Empty cell", "Unknown. It is never zero."),
        (
            "Unverified",
            "A reconciliation of 'insufficient' means trade and production disagree by more than half: read such a score as unverified.",
        ),
        ("Not claimed", "Which mineral will be curbed next, or which supplier has a licence."),
        (
            "Sheets",
            "Importers: money missing by importer and mineral, from one dollar on. Risk table: one row per route. Reasons: points that sum to the score. Measures: which notice hits which flow. Sources: every source named.",
        ),
        (
            "Units",
            "Tonnes of contained mineral and US dollars of one year, the baseline year: the last before the curbs began. Codes are ISO 3166 alpha-3; names are further to the right.",
        ),
        (
            "Paper",
            "The risk table prints its first columns, to the owner; the others are for the screen.",
        ),
    ]
