"""The first two sheets: what this is, and the one page that a buyer sends on. Words come before numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import polars as pl

from ground.counted import counted
from ground.words import BANDS, MAIN_HORIZON
from jobs.export.bands import BAND_MEANING
from jobs.export.columns import Kind
from jobs.export.xlsx import LINE_HEIGHT
from jobs.marts import MAIN_REGIME, UNKNOWN_BAND
from jobs.purchases.book import EVERYTHING, RiskBook
from jobs.purchases.workbook import BLUE, GREY, NAVY, ORANGE, Formats, shown_band

SHOWN, DUE = 10, 12
DATA_COLUMN = 30  # far right of the page: what the charts are drawn from, readable and not printed


def write_readme(workbook: Any, book: RiskBook, formats: Formats) -> None:
    """Write what the workbook is, how to read it, and what it does not claim."""
    sheet = workbook.add_worksheet("README")
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 112)
    sheet.write_string(0, 0, "Supply risk of your purchases", formats.title)
    sheet.set_row(0, 28)
    line = 2
    for label, text in _readme(book):
        sheet.write_string(line, 0, label, formats.label)
        sheet.write_string(line, 1, text, formats.wrap)
        sheet.set_row(line, LINE_HEIGHT * max(1, -(-len(text) // 118)) + 3)
        line += 1
    line += 1
    sheet.write_string(line, 0, "Band", formats.header)
    sheet.write_string(line, 1, "What it means", formats.header)
    counts = dict(book.risk["band"].fill_null(UNKNOWN_BAND).value_counts().iter_rows())
    for band in (*reversed(BANDS), UNKNOWN_BAND):
        line += 1
        sheet.write_string(line, 0, shown_band(band), formats.bands[band])
        sheet.write_string(
            line, 1, f"{BAND_MEANING[band]}. Lines here: {counts.get(band, 0):,}", formats.wrap
        )
    _paper(sheet, book, "README")


def _readme(book: RiskBook) -> list[tuple[str, str]]:
    run = book.run
    total = _total(book)
    sums = (
        f"{counted(total['lines'], 'line')} with a route, spend {total['spend_usd']:,.0f} USD a year, at risk {total['expected_missing_usd']:,.0f} USD. "
        "The same figures stand in mart.purchase_total and purchase_total.csv."
        if total
        else "No line has a route."
    )
    return [
        ("As of", f"{book.question.as_of.isoformat()}, as known on {book.question.known_at.isoformat()}"),
        ("Curbs of", book.names.get(book.question.curbing_country, book.question.curbing_country)),
        ("Audience", f"{book.audience.name}: {counted(book.risk.height, 'line')}"),
        ("Totals of this file", sums),
        ("Run", f"{run['run_id']}, code {run['code_version']}"),
        ("Facts and rules", f"facts {run['facts_hash']}; rules {run['rules_hash']}"),
        ("Next update", "with the next run, nightly by default"),
        ("Spend at risk", "What of a year's spend is expected to be missing within 365 days because of export curbs, after pledges, alternatives, substitution and your own stock. It is the mean over joint draws of all uncertain inputs; p10 and p90 are what one draw in ten stays below and above. Sums are made inside a draw."),
        ("Your own stock", "It covers the first days of a shortage, once. Where you state none, none is counted: see Quality."),
        ("Three views", "The law in force on the day; snapback, where every suspended, announced and lapsed measure takes effect; full stop, where every shipment ceases."),
        ("Tail share", "Part of a line in the worst tenth of the draws of all lines: what to fix first."),
        ("Empty cell", "Unknown. It is never zero."),
        ("Not claimed", "Which mineral will be curbed next, which supplier holds a licence, or whether an alternative is qualified for your part."),
        ("Sheets", "Summary: one page. Risk: a row per line. Changes: what moved since the night before. Calendar: dated events that touch your minerals. Reasons: points that make a route's score. Alternatives: other exporters. Sources: every source named. Quality: what is missing in your file."),
        ("Your actions", f"Owner, status, due date and note are kept in actions_{book.audience.name}.xlsx by row_key, and shown here."),
        ("Licence", "Apache-2.0 for the software. Sources have their own terms; the sheet Sources names each."),
    ]  # fmt: skip


def write_summary(workbook: Any, book: RiskBook, formats: Formats) -> None:
    """Write the page: three figures, where the money is, who owns it, what comes due."""
    sheet = workbook.add_worksheet("Summary")
    sheet.hide_gridlines(2)
    for place, width in enumerate((13, 27, 15, 16, 12, 12, 14, 14, 13)):
        sheet.set_column(place, place, width)
    sheet.write_string(0, 0, "Supply risk of purchases", formats.title)
    sheet.set_row(0, 28)
    sheet.write_string(1, 0, _when(book), formats.small_line)
    total = _total(book)
    for line, sentence in enumerate(_lead(book, total), start=2):
        sheet.write_string(line, 0, sentence, formats.lead_line)
        sheet.set_row(line, 17)
    row = 6
    row = _bands(sheet, row, book, formats)
    row = _top(sheet, row + 1, book, formats)
    chart_row = row + 1
    _charts(workbook, sheet, chart_row, book, formats)
    _due(sheet, chart_row + 19, book, formats)
    _paper(sheet, book, "Summary")
    sheet.print_area(0, 0, chart_row + 19 + DUE + 2, 8)
    sheet.fit_to_pages(1, 1)
    sheet.set_portrait()


def _total(book: RiskBook) -> dict[str, Any] | None:
    own = book.totals.filter(pl.col("grouping") == "total", pl.col("regime") == MAIN_REGIME)
    return own.row(0, named=True) if own.height else None


def _when(book: RiskBook) -> str:
    country = book.names.get(book.question.curbing_country, book.question.curbing_country)
    return f"As of {book.question.as_of.isoformat()}  ·  export curbs of {country}  ·  next {MAIN_HORIZON} days  ·  run {book.run['run_id']}"


def _lead(book: RiskBook, total: dict[str, Any] | None) -> list[str]:
    if not total or not total["spend_usd"]:
        return ["No line has a route and a known spend, so no money can be told. Quality says why."]
    share = total["expected_missing_usd"] / total["spend_usd"]
    worst = book.totals.filter(pl.col("regime") == "snapback", pl.col("grouping") == "total")[
        "expected_missing_usd"
    ].item()
    stop = book.totals.filter(pl.col("regime") == "full_stop", pl.col("grouping") == "total")[
        "expected_missing_usd"
    ].item()
    unmapped = book.risk["exporter"].null_count()
    told = f" {counted(unmapped, 'line')} could not be scored (Quality)." if unmapped else ""
    return [
        f"Expect {_usd(total['expected_missing_usd'])} of {_usd(total['spend_usd'])} a year to be missing ({share:.0%}), after your own stock.",
        (
            f"One chance in ten of more than {_usd(total['missing_usd_p90'])}, one in ten of less than {_usd(total['missing_usd_p10'])}. "
            f"Before stock: {_usd(total['gap_usd'])}."
        ),
        f"If all suspended measures came back: {_usd(worst)}. If every shipment stopped: {_usd(stop)}.{told}",
    ]


def _usd(value: float) -> str:
    if abs(value) >= 1e9:
        return f"{value / 1e9:,.2f} bn USD"
    return f"{value / 1e6:,.1f} m USD" if abs(value) >= 1e6 else f"{value / 1e3:,.0f} k USD"


def _bands(sheet: Any, row: int, book: RiskBook, formats: Formats) -> int:
    _headers(
        sheet,
        row,
        (("Band", 0), ("Lines", 1), ("Spend at risk (USD)", 2), ("Spend a year (USD)", 3)),
        formats,
        "By band",
    )
    row += 2
    sums = book.risk.group_by(pl.col("band").fill_null(UNKNOWN_BAND)).agg(
        lines=pl.len(), at_risk=pl.col("expected_missing_usd").sum(), spend=pl.col("spend_usd").sum()
    )
    found = {band: rest for band, *rest in sums.iter_rows()}
    for band in (*reversed(BANDS), UNKNOWN_BAND):
        if band not in found:
            continue
        lines, at_risk, spend = found[band]
        sheet.write_string(row, 0, shown_band(band), formats.bands[band])
        sheet.write_number(row, 1, lines, formats.left)
        if band == UNKNOWN_BAND:
            sheet.write_string(row, 2, "unknown", formats.right)
        else:
            sheet.write_number(row, 2, at_risk, formats.cells[Kind.USD])
        sheet.write_number(row, 3, spend, formats.cells[Kind.USD])
        row += 1
    return row


def _top(sheet: Any, row: int, book: RiskBook, formats: Formats) -> int:
    columns = (("Band", 0), ("Supplier", 1), ("Part", 2), ("Material", 3), ("At risk (USD)", 4), ("1 in 10 above", 5), ("Days to shortage", 6), ("Owner", 7), ("Part of the tail", 8))  # fmt: skip
    _headers(sheet, row, columns, formats, f"Ten lines with most spend at risk (of {book.risk.height})")
    row += 2
    for one in book.risk.filter(pl.col("expected_missing_usd") > 0).head(SHOWN).iter_rows(named=True):
        band = one["band"] or UNKNOWN_BAND
        sheet.write_string(row, 0, shown_band(band), formats.bands[band])
        sheet.write_string(row, 1, (one["supplier_name"] or one["supplier_id"] or "")[:30], formats.plain)
        sheet.write_string(row, 2, one["part"] or "", formats.plain)
        sheet.write_string(row, 3, one["mineral"].replace("_", " "), formats.plain)
        sheet.write_number(row, 4, one["expected_missing_usd"], formats.cells[Kind.USD])
        sheet.write_number(row, 5, one["missing_usd_p90"], formats.cells[Kind.USD])
        if one["days_to_shortage_p50"] is None:
            sheet.write_string(
                row, 6, "no stock stated" if one["stock_days"] is None else "lasts", formats.right
            )
        else:
            sheet.write_number(row, 6, one["days_to_shortage_p50"], formats.cells[Kind.DAYS])
        sheet.write_string(row, 7, one["owner"] or "nobody", formats.indent)
        if one["tail_share"] is not None:
            sheet.write_number(row, 8, one["tail_share"], formats.cells[Kind.SHARE])
        row += 1
    return row


def _charts(workbook: Any, sheet: Any, row: int, book: RiskBook, formats: Formats) -> None:
    """Draw money by mineral with its range, and by owner; their numbers stand to the right of the page."""
    placed = DATA_COLUMN
    for grouping, title, colour, at in (
        ("mineral", "Spend at risk by material, USD (bar: expected; line: 8 draws in 10)", ORANGE, 0),
        ("owner", "Spend at risk by owner, USD", BLUE, 5),
    ):
        own = book.totals.filter(
            pl.col("grouping") == grouping, pl.col("regime") == MAIN_REGIME, pl.col("expected_missing_usd") > 0
        ).sort("expected_missing_usd", "name", descending=[True, False]).head(SHOWN)  # fmt: skip
        if own.is_empty():
            continue
        own = own.reverse()  # a bar chart draws the first at the bottom
        last = own.height
        top = _round_up(float(own["missing_usd_p90"].max() or 1.0))  # type: ignore[arg-type]
        for place, (header, values) in enumerate(_chart_columns(own, grouping)):
            sheet.write_string(0, placed + place, header, formats.small)
            sheet.write_column(1, placed + place, values, formats.cells[Kind.USD] if place else formats.plain)
        chart = workbook.add_chart({"type": "bar"})
        series = ["Summary", 1, placed, last, placed], ["Summary", 1, placed + 1, last, placed + 1]
        chart.add_series(
            {
                "name": "Spend at risk", "categories": series[0], "values": series[1], "gap": 45,
                "fill": {"color": colour}, "border": {"none": True},
                "x_error_bars": {
                    "type": "custom", "direction": "both", "end_style": 1, "line": {"color": "#333333", "width": 1.25},
                    "plus_values": f"=Summary!{_range(placed + 2, last)}", "minus_values": f"=Summary!{_range(placed + 3, last)}",
                    "plus_data": own.select(pl.max_horizontal(pl.col("missing_usd_p90") - pl.col("expected_missing_usd"), 0.0)).to_series().to_list(),
                    "minus_data": own.select(pl.max_horizontal(pl.col("expected_missing_usd") - pl.col("missing_usd_p10"), 0.0)).to_series().to_list(),
                },
            }
        )  # fmt: skip
        chart.set_title(
            {"name": title, "name_font": {"size": 11, "color": NAVY, "bold": True}, "overlay": False}
        )
        chart.set_legend({"none": True})
        chart.set_x_axis({"num_format": '[>=1000000]0.0,," m";[>=1000]0," k";0', "num_font": {"size": 9, "color": GREY}, "major_gridlines": {"visible": True, "line": {"color": "#D9D9D9"}}, "min": 0, "max": top})  # fmt: skip
        chart.set_y_axis({"num_font": {"size": 9}, "line": {"color": "#BFBFBF"}})
        chart.set_chartarea({"border": {"none": True}})
        chart.set_size({"width": 560 if at == 0 else 440, "height": 360})
        sheet.insert_chart(row, at, chart, {"object_position": 1, "description": title})
        placed += 5
    sheet.set_column(DATA_COLUMN, DATA_COLUMN + 9, 16)


def _chart_columns(own: pl.DataFrame, grouping: str) -> Sequence[tuple[str, list[Any]]]:
    above = own.select(
        pl.max_horizontal(pl.col("missing_usd_p90") - pl.col("expected_missing_usd"), 0.0)
    ).to_series()
    below = own.select(
        pl.max_horizontal(pl.col("expected_missing_usd") - pl.col("missing_usd_p10"), 0.0)
    ).to_series()
    names = [name.replace("_", " ") for name in own["name"]]
    return (
        (f"Chart data: {grouping}", names), ("expected USD", own["expected_missing_usd"].to_list()),
        ("up to p90", above.to_list()), ("down to p10", below.to_list()),
    )  # fmt: skip


def _round_up(value: float) -> float:
    """Return the end of an axis: the next half of a power of ten above, so that no line leaves the chart."""
    step = 10.0 ** math.floor(math.log10(max(value, 1.0))) / 2
    return math.ceil(value * 1.02 / step) * step


def _range(column: int, last: int) -> str:
    from xlsxwriter.utility import xl_rowcol_to_cell

    return f"{xl_rowcol_to_cell(1, column, row_abs=True, col_abs=True)}:{xl_rowcol_to_cell(last, column, row_abs=True, col_abs=True)}"


def _due(sheet: Any, row: int, book: RiskBook, formats: Formats) -> None:
    """Write the next dated events that touch the lines, and then what has just passed, of which no successor is known."""
    columns = (
        ("Date", 0),
        ("What happens", 1),
        ("Days left", 6),
        ("Lines touched", 7),
        ("Spend touched (USD)", 8),
    )
    _headers(
        sheet, row, columns, formats, "What comes due, and what has just lapsed without a known successor"
    )
    row += 2
    day = book.question.as_of
    told = book.calendar.filter(pl.col("kind") != "rule", pl.col("lines") > 0)
    ahead = told.filter(pl.col("event_date") >= day).sort("event_date", "spend_usd", descending=[False, True])
    passed = told.filter(pl.col("event_date") < day, pl.col("event_date") >= day - timedelta(days=60)).sort(
        "spend_usd", "event", descending=[True, False]
    )
    due = pl.concat([ahead.head(DUE), passed]).unique("event", keep="first", maintain_order=True).head(DUE)
    if due.is_empty():
        sheet.write_string(row, 0, "No dated event within a year touches these lines.", formats.plain)
    for one in due.iter_rows(named=True):
        sheet.write_datetime(row, 0, one["event_date"], formats.day)
        sheet.write_string(row, 1, _cut(one["event"], 92), formats.plain)
        left = (one["event_date"] - day).days
        if left < 0:
            sheet.write_string(row, 6, f"{-left} days ago", formats.right)
        else:
            sheet.write_number(row, 6, left, formats.cells[Kind.DAYS])
        sheet.write_number(row, 7, one["lines"], formats.cells[Kind.DAYS])
        sheet.write_number(row, 8, one["spend_usd"], formats.cells[Kind.USD])
        row += 1


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rsplit(' ', 1)[0]} …"


def _headers(sheet: Any, row: int, columns: Sequence[tuple[str, int]], formats: Formats, title: str) -> None:
    sheet.write_string(row, 0, title, formats.subtitle)
    sheet.set_row(row, 22)
    sheet.set_row(row + 1, 28)
    last = max(place for _, place in columns)
    for place in range(last + 1):
        sheet.write_blank(row + 1, place, None, formats.header)
    for text, place in columns:
        numeric = any(mark in text for mark in ("USD", "touched", "Days", "above", "tail"))
        sheet.write_string(row + 1, place, text, formats.header_right if numeric else formats.header)


def _paper(sheet: Any, book: RiskBook, name: str) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.5, right=0.5, top=0.5, bottom=0.6)
    sheet.set_footer(
        f"&L{name}, as of {book.question.as_of.isoformat()}&CCurbline run {book.run['run_id']}&RPage &P of &N"
    )


__all__ = ["EVERYTHING", "write_readme", "write_summary"]
