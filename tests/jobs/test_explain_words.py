"""What `explain` says before its numbers."""

from typing import Any

import pytest

from jobs.explain.text import expected_lines

QUESTION = {"horizon_days": 365, "mineral": "gallium"}


def scores(p10: float) -> dict[str, Any]:
    drawn = {"missing_share": 0.0355, "p10": p10, "p90": 0.1, "gap_share": 0.1, "evidence": "none"}
    return {regime: {"expected": drawn} for regime in ("active", "snapback", "full_stop")}


@pytest.mark.parametrize(
    ("p10", "least"), [(0.02, "one in ten of less than 2 %."), (0.0, "at least one in ten of none.")]
)
def test_nothing_is_never_less_than_nothing(p10: float, least: str) -> None:
    first = expected_lines(scores(p10), QUESTION)[0]
    assert first.endswith(f"one chance in ten of more than 10 %, {least}")
