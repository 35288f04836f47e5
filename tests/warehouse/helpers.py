"""What several tests of the warehouse share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

import polars as pl

from warehouse.published.snapshot import Append


def run_frame(known_at: date = date(2026, 11, 23)) -> pl.DataFrame:
    """The one row of meta.run."""
    return pl.DataFrame(
        {
            "run_id": ["r1"],
            "attempt_id": ["a1"],
            "as_of": [known_at],
            "known_at": [known_at],
            "curbing_country": ["CHN"],
            "facts_hash": ["f"],
            "rules_hash": ["r"],
            "code_version": ["0"],
            "started_at": [datetime(2026, 11, 23, 1, 0, tzinfo=UTC)],
        }
    )


def given(
    *parts: Mapping[str, pl.DataFrame], meta: Mapping[str, pl.DataFrame] | None = None
) -> Callable[[Append], Mapping[str, pl.DataFrame]]:
    """What `build_snapshot` is filled with: parts of the mart tables, and meta."""

    def fill(append: Append) -> Mapping[str, pl.DataFrame]:
        for part in parts:
            append(part)
        return {"run": run_frame()} if meta is None else meta

    return fill
