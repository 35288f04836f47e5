"""The rows of facts that were known on a day, as a published file holds them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from warehouse.asof.state import Warehouse
from warehouse.database import quoted
from warehouse.records.tables import TABLES

#: Tables that say what names mean; they do not depend on who knew what when.
STRUCTURE = frozenset(("minerals", "chains", "countries", "blocs", "sources"))
#: Tables of what states did and promised; the others are figures.
LAW = frozenset(
    (
        *("measures", "measure_states", "measure_items", "measure_destinations"),
        *("agreements", "agreement_states", "pledges", "pledge_items"),
    )
)
Rows = Mapping[str, pl.DataFrame]


def known_rows(name: str, schema: str = "core") -> str:
    """Return SQL for the rows of a fact table known by `$known_at`; of what was not, only what hindsight falls back on.

    A table of STRUCTURE is taken whole and has no parameter.
    """
    source = f"SELECT * FROM {schema}.{quoted(name)}"
    if name in STRUCTURE:
        return source
    series = TABLES[name].series
    if not series:
        return f"{source} WHERE known_from <= $known_at"
    names = ", ".join(series)
    return f"{source} QUALIFY known_from <= $known_at OR known_from = min(known_from) OVER (PARTITION BY {names})"


def rows_known(warehouse: Warehouse, known_at: date) -> dict[str, pl.DataFrame]:
    """Return the rows of every fact table that were known by a day, lists as lists."""
    return {
        name: warehouse.query(known_rows(name), None if name in STRUCTURE else {"known_at": known_at})
        for name in TABLES
    }


def warehouse_of(rows: Rows) -> Warehouse:
    """Return a warehouse in memory that holds rows as another one stores them."""
    made = Warehouse.open_memory()
    with made.database.transaction():
        for name, frame in rows.items():
            made.put(name, frame)
    return made
