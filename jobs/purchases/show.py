"""What a checked file looks like: the preview of its columns, what is taken, and what is not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Group, RenderableType

from ground.counted import counted
from jobs.purchases.lines import Checked
from jobs.tables import as_table

SHOWN_ROWS, SHOWN_COLUMNS, SHOWN_WIDTH = 8, 12, 40


def as_text(checked: Checked, name: str, aside: Path | None) -> RenderableType:
    """Return the preview, counts and first rejections for a terminal."""
    raw = checked.raw
    used = [
        (raw.header[place], field, _example(checked, place)) for place, field in sorted(raw.fields.items())
    ]
    ignored = [cell for place, cell in enumerate(raw.header) if cell and place not in raw.fields]
    lines = checked.lines
    spend = lines["spend_usd"].sum()
    parts: list[RenderableType] = [
        f"{name}: {counted(lines.height, 'line')} taken, {counted(checked.rejected.height, 'row')} rejected.",
        as_table(("column", "read as", "first value"), used),
    ]
    if ignored:
        more = f" and {len(ignored) - SHOWN_COLUMNS:,} more" if len(ignored) > SHOWN_COLUMNS else ""
        parts.append(f"Not read: {', '.join(one[:SHOWN_WIDTH] for one in ignored[:SHOWN_COLUMNS])}{more}.")
    parts += [f"Note: {note}." for note in checked.notes]
    assumed = (
        lines.filter(pl.col("note").is_not_null())
        .group_by("note")
        .len()
        .sort("len", "note", descending=[True, False])
    )
    parts += [
        f"Note: {note} ({counted(count, 'line')})." for note, count in assumed.head(SHOWN_ROWS).iter_rows()
    ]
    if lines.height:
        without = lines["spend_usd"].null_count()
        told = f"; {counted(without, 'line')} without spend" if without else ""
        minerals = lines["mineral"].n_unique()
        parts.append(f"Spend: {spend:,.0f} USD a year on {counted(minerals, 'mineral')}{told}.")
    if aside:
        first = checked.rejected.head(SHOWN_ROWS).select("row_in_file", "reason").rows()
        parts.append(as_table(("row", "rejected because"), first))
        parts.append(f"All rejected rows with their reasons: {aside}")
    return Group(*parts)


def as_data(checked: Checked, aside: Path | None) -> Mapping[str, Any]:
    """Return the same for JSON."""
    raw = checked.raw
    return {
        "lines": checked.lines.height,
        "spend_usd": checked.lines["spend_usd"].sum() if checked.lines["spend_usd"].count() else None,
        "columns": {raw.header[place]: field for place, field in sorted(raw.fields.items())},
        "not_read": [cell for place, cell in enumerate(raw.header) if cell and place not in raw.fields],
        "notes": checked.notes,
        "rejected": checked.rejected.to_dicts(),
        "rejected_file": str(aside) if aside else None,
    }


def _example(checked: Checked, place: int) -> str:
    cells = (cells[place] for _, cells in checked.raw.rows if place < len(cells) and cells[place])
    return next(cells, "")[:SHOWN_WIDTH]
