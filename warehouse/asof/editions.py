"""Tables that are handed over as they are, once cut to the day and to what was known."""

from __future__ import annotations

import polars as pl

from ground.question import Question
from warehouse.asof.state import Warehouse
from warehouse.errors import InputError
from warehouse.records.tables import TABLES, columns

PLAIN = ("stocks", "substitution", "capacity", "lead_times", "licence_practice", "prices")


def edition(warehouse: Warehouse, question: Question, name: str) -> pl.DataFrame:
    """Return a table of `PLAIN` as it was: rows valid on as_of, the newest known edition of each.

    Args:
        warehouse: the facts.
        question: the day and the state of knowledge.
        name: stocks, substitution, capacity, lead_times, licence_practice or prices.

    Returns:
        The table's columns and is_hindsight (nothing was known by known_at, so the earliest edition is used).

    Raises:
        InputError: no such table here.
    """
    if name not in PLAIN:
        raise InputError(
            f"'{name}' is not a table that is passed on unchanged; choose one of {', '.join(PLAIN)}"
        )
    key = TABLES[name].series or TABLES[name].key
    own = {c.name for c in columns(name)}
    dated = "holds_on(valid_from, valid_to, $as_of)" if "valid_from" in own else "true"
    return warehouse.query(
        f"SELECT *, known_from > $known_at AS is_hindsight FROM core.{name} WHERE {dated} "
        f"QUALIFY row_number() OVER (PARTITION BY {', '.join(key)} ORDER BY known_from > $known_at, "
        "CASE WHEN known_from > $known_at THEN known_from END, known_from DESC) = 1 "
        f"ORDER BY {', '.join(TABLES[name].key)}",
        {"as_of": question.as_of, "known_at": question.known_at},
    )
