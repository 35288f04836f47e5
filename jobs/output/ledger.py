"""The run ledger: one row per attempt in `meta.ledger` of the state database, appended last."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime

import polars as pl

from ground.question import Question
from jobs.ports import Reader, Writer

PUBLISHED = "published"
FAILED = "failed"


@dataclass(frozen=True)
class Entry:
    """One attempt: what was asked, with what, and how it ended. Times are UTC and stamp the log only."""

    run_id: str
    attempt_id: str
    question: Question
    facts_hash: str
    rules_hash: str
    code_version: str
    status: str
    started_at: datetime
    finished_at: datetime
    file: str | None = None
    message: str | None = None


def append(state: Writer, entry: Entry) -> None:
    """Add one row; the ledger is only ever added to."""
    values = asdict(entry)
    values |= values.pop("question")
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join(f"${name}" for name in values)
    stamps = {name: values[name].replace(tzinfo=None) for name in ("started_at", "finished_at")}
    state.execute(f"INSERT INTO meta.ledger ({names}) VALUES ({marks})", {**values, **stamps})


def tail(state: Reader, count: int) -> pl.DataFrame:
    """Return the last entries, newest first."""
    return state.query(
        "SELECT run_id, as_of, known_at, curbing_country, status, started_at, finished_at, file, message "
        f"FROM meta.ledger ORDER BY started_at DESC, attempt_id LIMIT {count:d}"
    )


def known_at_of(state: Reader, run_id: str) -> date | None:
    """Return the state of knowledge of a published run; None where the ledger does not have it."""
    found = state.query(
        f"SELECT known_at FROM meta.ledger WHERE run_id = $run_id AND status = '{PUBLISHED}' LIMIT 1",
        {"run_id": run_id},
    )
    known: date | None = found["known_at"].item() if found.height else None
    return known


def days_published(state: Reader, curbing_country: str) -> dict[date, datetime]:
    """Return the days published as known on themselves, each with the time (UTC) at which its last run began."""
    found = state.query(
        "SELECT as_of, max(started_at) AS began_at FROM meta.ledger "
        f"WHERE status = '{PUBLISHED}' AND known_at = as_of AND curbing_country = $country GROUP BY as_of",
        {"country": curbing_country},
    )
    return {day: began_at.replace(tzinfo=UTC) for day, began_at in found.rows()}
