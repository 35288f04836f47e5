"""Rows as a plain table on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rich.table import Table
from rich.text import Text

LARGE = 1000


def as_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """Return rows as a table without rules; numbers are aligned right, NULL is an empty cell."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for position, name in enumerate(columns):
        numeric = any(isinstance(row[position], int | float | Decimal) for row in rows[:50])
        table.add_column(Text(name), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell(value)) for value in row))
    return table


def cell(value: object) -> str:
    """Return a value as a person reads it: four digits of a small number, whole thousands of a large one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < LARGE else f"{value:,.0f}"
    if isinstance(value, list):
        return ", ".join(cell(item) for item in value)
    return str(value)
