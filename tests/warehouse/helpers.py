"""What several tests of the warehouse share."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl


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
