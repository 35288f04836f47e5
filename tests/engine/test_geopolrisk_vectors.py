"""The GeoPolRisk rules give the published scores of the peer's own test cases.

Three rows (USA, 2022) of the test workbook of geopolrisk-py (github.com/akoyamp/geopolrisk-py, commit b453938, tests/data),
with their inputs summed; they were computed again independently to 1e-12 before they were written down.
"""

import csv
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.language import oracle
from engine.language.evaluation import evaluate, total
from engine.language.ruleset import load_ruleset
from tests.engine.rulebook import texts_of

ON = date(2022, 12, 31)
VECTORS = Path(__file__).parents[1] / "reference" / "geopolrisk_test_vectors.csv"
ROWS = list(csv.DictReader(VECTORS.read_text(encoding="utf-8").splitlines()))
RULES = load_ruleset(texts_of("methods/geopolrisk"))


def lanes(row: dict[str, str], count: int, seed: int) -> pl.DataFrame:
    """The vector's imports, spread over exporters so that tonnes and tonnes times instability keep their sums."""
    rng = np.random.default_rng(seed)
    tonnes = rng.dirichlet(np.ones(count)) * float(row["total_imports_t"])
    mean = float(row["sum_qty_times_instability"]) / float(row["total_imports_t"])
    spread = rng.normal(size=count)
    spread -= (tonnes * spread).sum() / tonnes.sum()
    instability = mean + spread * min(mean, 1 - mean) / (1 + np.abs(spread).max())
    hhi = float(row["sum_of_squared_production"]) / float(row["sum_production"]) ** 2
    share = tonnes / (float(row["total_imports_t"]) + float(row["domestic_production"]))
    return pl.DataFrame(
        {
            "mineral": row["raw_material"],
            "stage": "mined",
            "exporter": [f"X{i:02}" for i in range(count)],
            "importer": row["importer"],
            "political_stability": 2.5 - 5 * instability,
        }
    ).with_columns(
        *(pl.lit(hhi).alias(f"production_hhi_{end}") for end in ("low", "best", "high")),
        *(pl.Series(f"supply_share_{end}", share) for end in ("low", "best", "high")),
    )


@pytest.mark.parametrize("row", ROWS, ids=[row["raw_material"] for row in ROWS])
@pytest.mark.parametrize("count", [1, 2, 30])
def test_routes_and_their_sum(row: dict[str, str], count: int) -> None:
    frame = lanes(row, count, seed=count)
    want = float(row["geopolrisk_score"])
    routes = evaluate(RULES, "route_score", frame, on=ON)["value_best"]
    (importer,) = total(RULES, "importer_score", frame, on=ON)["value_best"]
    assert importer == pytest.approx(want, abs=1e-12)
    assert routes.sum() == pytest.approx(importer, abs=1e-15)
    for value, lane in zip(routes, frame.iter_rows(named=True), strict=True):
        instability = (2.5 - lane["political_stability"]) / 5
        by_hand = lane["production_hhi_best"] * instability * lane["supply_share_best"]
        assert value == pytest.approx(by_hand, abs=1e-12)
        assert oracle.evaluate(RULES, "route_score", lane, ON)[1] == pytest.approx(by_hand, abs=1e-12)


def test_the_vectors_hold_their_own_concentration() -> None:
    for row in ROWS:
        hhi = float(row["sum_of_squared_production"]) / float(row["sum_production"]) ** 2
        assert hhi == pytest.approx(float(row["hhi"]), abs=1e-12)
