"""The sentences of the waterfalls, in a file that the nightly job published from the embedded facts."""

from __future__ import annotations

from pathlib import Path

import pytest

from warehouse.database import Database

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("view", "route"),
    [
        ("contribution_sentence", "stage, exporter, importer, horizon_days, regime"),
        ("importer_contribution_sentence", "stage, importer, horizon_days, regime"),
    ],
)
def test_no_two_terms_of_a_score_read_alike(published: Path, view: str, route: str) -> None:
    query = (
        f"SELECT any_value(sentence) AS said FROM mart.{view} WHERE mineral = 'dysprosium' AND abs(points) >= 0.05 "
        f"GROUP BY {route}, sentence HAVING count(*) > 1 LIMIT 5"
    )
    with Database.open(published, read_only=True) as file:
        assert file.query(query)["said"].to_list() == []
