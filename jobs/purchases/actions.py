"""What people decide about lines, in a workbook of their own: read every night, written once, never overwritten."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import xlsxwriter

from jobs.errors import InputError
from jobs.purchases.book import RiskBook
from jobs.purchases.headers import Headers
from jobs.purchases.sheets import read_table

STATUSES = ("open", "in progress", "done", "accepted")
HEADERS = Headers(
    {
        "line_id": ("row_key", "row key"),
        "action_owner": ("action owner", "owner"),
        "action_status": ("action status", "status"),
        "action_due": ("action due", "due", "due date"),
        "action_note": ("action note", "note"),
    },
    (("line_id",), ("action_status",)),
)
SCHEMA = {
    "line_id": pl.String, "action_owner": pl.String, "action_status": pl.String, "action_due": pl.Date, "action_note": pl.String,
}  # fmt: skip


def file_name(audience: str) -> str:
    """Return the name of an audience's file."""
    return f"actions_{audience}.xlsx"


def read_actions(path: Path) -> tuple[pl.DataFrame, list[str]]:
    """Return the actions of a file and what could not be read of them; none where there is no file.

    A file that cannot be read costs its actions and not the night.
    """
    empty = pl.DataFrame(schema=SCHEMA)
    if not path.is_file():
        return empty, []
    try:
        raw = read_table(path, HEADERS)
    except InputError as problem:
        return empty, [f"actions are not shown: {problem}"]
    rows: dict[str, tuple[str | None, ...]] = {}
    notes = []
    dues: dict[str, date | None] = {}
    for number, cells in raw.rows:
        text = {field: cells[place] if place < len(cells) else "" for place, field in raw.fields.items()}
        key = text.get("line_id", "")
        if not key or not any(text.get(name) for name in SCHEMA if name not in {"line_id", "action_owner"}):
            continue
        if key in rows:
            notes.append(f"{path.name}: row {number} repeats row_key {key}; the first one is shown")
            continue
        due = text.get("action_due", "")
        try:
            dues[key] = date.fromisoformat(due[:10]) if due else None
        except ValueError:
            dues[key] = None
            notes.append(f"{path.name}: row {number}: due '{due}' is no date; write 2026-12-31")
        rows[key] = tuple(text.get(name) or None for name in ("action_owner", "action_status", "action_note"))
    found = [(key, owner, status, dues[key], note) for key, (owner, status, note) in rows.items()]
    return pl.DataFrame(found, schema=SCHEMA, orient="row"), notes


def write_template(book: RiskBook, path: Path) -> bool:
    """Write an audience's file with a row for each line at risk, unless there is one; return whether it was written."""
    if path.exists():
        return False
    built = path.with_name(f".{path.name}")
    workbook = xlsxwriter.Workbook(str(built), {"strings_to_formulas": False, "strings_to_urls": False})
    sheet = workbook.add_worksheet("Actions")
    header = workbook.add_format({"bold": True, "bg_color": "#1F3A5F", "font_color": "#FFFFFF"})
    opened = workbook.add_format({"locked": False})
    day = workbook.add_format({"locked": False, "num_format": "yyyy-mm-dd"})
    titles = (
        "row_key",
        "part_number",
        "supplier_name",
        "action_owner",
        "action_status",
        "action_due",
        "action_note",
    )
    lines = book.risk.filter(pl.col("expected_missing_usd") > 0)
    for place, (title, width) in enumerate(zip(titles, (13, 15, 32, 18, 14, 12, 60), strict=True)):
        sheet.set_column(place, place, width)
        sheet.write_string(0, place, title, header)
    for row, one in enumerate(lines.iter_rows(named=True), start=1):
        for place, value in enumerate((one["line_id"], one["part"], one["supplier_name"])):
            sheet.write_string(row, place, value or "")
        sheet.write_string(row, 3, one["owner"] or "", opened)
        for place in (4, 6):
            sheet.write_blank(row, place, None, opened)
        sheet.write_blank(row, 5, None, day)
    sheet.data_validation(1, 4, 100_000, 4, {"validate": "list", "source": list(STATUSES)})
    sheet.data_validation(
        1,
        5,
        100_000,
        5,
        {
            "validate": "date",
            "criteria": ">=",
            "value": date(2020, 1, 1),
            "error_message": "A date, such as 2026-12-31",
        },
    )
    sheet.freeze_panes(1, 1)
    workbook.close()
    built.replace(path)
    return True
