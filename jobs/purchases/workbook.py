"""The workbook of a company's purchases: nine sheets, each but the first two one Excel table; values, no formulas."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from ground.words import BANDS
from jobs.export.bands import BAND_COLOURS, SHAPES
from jobs.export.columns import Column, Kind
from jobs.export.xlsx import LINE_HEIGHT, NUMBER_FORMATS
from jobs.marts import UNKNOWN_BAND
from jobs.purchases import columns as sheets
from jobs.purchases.book import RiskBook

NAVY, GREY, LIGHT, ORANGE, BLUE = "#1F3A5F", "#5F6B7A", "#EEF2F7", "#B35806", "#2166AC"
FONT = "Calibri"
MOST_LETTERS = 32_000  # of a cell
FITTED_ROWS = 5_000  # beyond them, spreadsheets find the heights themselves
MOST_URLS = 60_000  # Excel opens no more links on a sheet
TABLES = (
    ("Risk", "tblRisk", "risk", sheets.RISK, 3, sheets.RISK_PRINTED),
    ("Changes", "tblChanges", "changes", sheets.CHANGES, 1, None),
    ("Calendar", "tblCalendar", "calendar", sheets.CALENDAR, 1, 8),
    ("Reasons", "tblReasons", "reasons", sheets.REASONS, 1, 8),
    ("Alternatives", "tblAlternatives", "alternatives", sheets.ALTERNATIVES, 1, 18),
    ("Sources", "tblSources", "sources", sheets.SOURCES, 1, 6),
    ("Quality", "tblQuality", "quality", sheets.QUALITY, 1, None),
)


def shown_band(band: str | None) -> str:
    """Return a band as a word with its shape."""
    word = band or UNKNOWN_BAND
    return f"{SHAPES.get(word, '?')} {word}"


class Formats:
    """Cell formats of one workbook."""

    def __init__(self, workbook: Any) -> None:
        base = {"valign": "top", "font_size": 10, "font_name": FONT}

        def made(**more: object) -> Any:
            return workbook.add_format({**base, **more})

        self.title = made(bold=True, font_size=18, font_color=NAVY)
        self.lead = made(font_size=12, text_wrap=True, font_color="#222222")
        self.heading = made(bold=True, font_size=12, font_color=NAVY, bottom=1, bottom_color=NAVY)
        self.header = made(bold=True, text_wrap=True, bg_color=NAVY, font_color="#FFFFFF", valign="vcenter")
        self.header_right = made(
            bold=True, text_wrap=True, bg_color=NAVY, font_color="#FFFFFF", valign="vcenter", align="right"
        )
        self.label = made(bold=True, font_color=GREY)
        self.subtitle = made(bold=True, font_size=12, font_color=NAVY, valign="bottom")
        self.plain, self.right, self.left = (
            made(),
            made(align="right"),
            made(align="left", num_format="#,##0"),
        )
        self.indent = made(indent=1, align="left")
        self.small_line = made(font_size=9, font_color=GREY)
        self.lead_line = made(font_size=12, font_color="#222222")
        self.small = made(font_size=9, font_color=GREY, text_wrap=True)
        self.wrap = made(text_wrap=True, indent=1, align="left")
        self.figure = made(bold=True, font_size=20, font_color=NAVY, align="left", num_format="#,##0")
        self.link = made(font_color="#0563C1", underline=1)
        self.cells = {
            kind: made(
                num_format=shape, **({"indent": 1, "align": "left"} if kind in {Kind.TEXT, Kind.DATE} else {})
            )
            for kind, shape in NUMBER_FORMATS.items()
        }
        self.day = made(num_format=NUMBER_FORMATS[Kind.DATE], align="left")
        self.bands = {
            band: made(bold=True, bg_color=fill, font_color=ink) for band, (fill, ink) in BAND_COLOURS.items()
        }


def write_risk_book(book: RiskBook, path: Path) -> None:
    """Write a workbook; the time inside is the day that was scored, so that the same run gives the same bytes."""
    from jobs.purchases.summary import write_readme, write_summary

    options = {
        "strings_to_urls": False, "strings_to_formulas": False, "strings_to_numbers": False, "constant_memory": False,
    }  # fmt: skip
    workbook = xlsxwriter.Workbook(str(path), options)
    day, run = book.question.as_of, book.run
    workbook.set_properties(
        {
            "title": f"Supply risk of purchases, {book.audience.name}, {day.isoformat()}",
            "subject": f"Curbs of {book.question.curbing_country} on purchases, 365 days",
            "author": "Curbline",
            "keywords": f"run {run['run_id']}",
            "comments": f"run {run['run_id']}; facts {run['facts_hash']}; rules {run['rules_hash']}; code {run['code_version']}",
            "created": datetime(day.year, day.month, day.day),  # noqa: DTZ001  (Excel knows no zones)
        }
    )
    for name in ("run_id", "facts_hash", "rules_hash", "code_version"):
        workbook.set_custom_property(name, str(run[name]))
    formats = Formats(workbook)
    write_readme(workbook, book, formats)
    write_summary(workbook, book, formats)
    for name, table, field, columns, frozen, printed in TABLES:
        _write_table(workbook, book, formats, name, table, getattr(book, field), columns, frozen, printed)
    workbook.get_worksheet_by_name("Summary").activate()
    workbook.close()


def _write_table(
    workbook: Any,
    book: RiskBook,
    formats: Formats,
    name: str,
    table: str,
    frame: pl.DataFrame,
    columns: Sequence[Column],
    frozen: int,
    printed: int | None,
) -> None:
    sheet = workbook.add_worksheet(name)
    last_row = max(frame.height, 1)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width)
        values = frame[column.key].to_list() if column.key in frame.columns else [None] * frame.height
        _write_column(sheet, place, values, column, formats)
    _heights(sheet, frame, columns[:printed] if printed else columns)
    sheet.add_table(
        0, 0, last_row, len(columns) - 1,
        {
            "name": table, "style": "Table Style Light 1", "banded_rows": False,
            "columns": [{"header": column.header, "header_format": formats.header} for column in columns],
        },
    )  # fmt: skip
    sheet.set_row(0, 44)
    sheet.freeze_panes(1, frozen)
    for place, column in enumerate(columns):
        if column.key in {"expected_missing_usd", "tail_share"} and name == "Risk" and frame.height:
            sheet.conditional_format(
                1,
                place,
                last_row,
                place,
                {
                    "type": "data_bar",
                    "bar_color": "#F1A340",
                },
            )
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    if printed:
        sheet.print_area(0, 0, last_row, printed - 1)
    sheet.set_footer(
        f"&L{name}, as of {book.question.as_of.isoformat()}&CCurbline run {book.run['run_id']}&RPage &P of &N"
    )


def _write_column(sheet: Any, place: int, values: Sequence[object], column: Column, formats: Formats) -> None:
    shape = formats.wrap if column.wraps else formats.cells[column.kind]
    write_string, write_number = sheet.write_string, sheet.write_number
    links = 0
    for row, value in enumerate(values, start=1):
        if column.kind is Kind.BAND:
            word = UNKNOWN_BAND if value is None else str(value)
            write_string(row, place, shown_band(word), formats.bands.get(word, shape))
        elif value is None:
            continue
        elif column.kind is Kind.LINK and links < MOST_URLS and _is_link(str(value)):
            links += 1
            sheet.write_url(row, place, str(value), formats.link, string=str(value)[:200])
        elif isinstance(value, str):
            write_string(row, place, value[:MOST_LETTERS], shape)
        elif isinstance(value, bool):
            write_string(row, place, "yes" if value else "no", shape)
        elif isinstance(value, int | float):
            write_number(row, place, value, shape)
        elif isinstance(value, date):
            sheet.write_datetime(row, place, value, formats.cells[Kind.DATE])
        elif isinstance(value, list):
            write_string(row, place, "; ".join(str(item) for item in value)[:MOST_LETTERS], shape)


def _is_link(text: str) -> bool:
    return text.startswith(("http://", "https://")) and len(text) < 2000


def _heights(sheet: Any, frame: pl.DataFrame, columns: Sequence[Column]) -> None:
    """Give each row the height that its wrapped texts need; not every spreadsheet finds it itself."""
    wrapped = [column for column in columns if column.wraps and column.key in frame.columns]
    texts = [
        (frame[column.key].list.join("; ") if frame.schema[column.key] == pl.List(pl.String) else frame[column.key])
        .cast(pl.String).str.len_chars().fill_null(0).to_numpy() / (column.width * 0.95)
        for column in wrapped
    ]  # fmt: skip
    if frame.height > FITTED_ROWS:
        return
    for row in range(frame.height):
        lines = max((int(-(-own[row] // 1)) for own in texts), default=1)
        sheet.set_row(row + 1, LINE_HEIGHT * max(1, min(lines, 12)))


__all__ = ["BANDS", "Formats", "shown_band", "write_risk_book"]
