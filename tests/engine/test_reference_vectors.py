"""The worked example of method section 7 and the score vectors, to the printed digits."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.scoring.attribution import Pools, clean_shares, form_pools, origin_shares
from engine.scoring.ranges import BEST, Array, mirrored, three_points
from engine.scoring.score import band_index, missing_share, score, time_to_shortage_days
from engine.scoring.shock import StageCurbs, StageShock, route_missing_share, run_shock

REFERENCE = Path(__file__).parents[1] / "reference"
EXAMPLE: dict[str, Any] = json.loads((REFERENCE / "origin_attribution_example.json").read_text())
VECTORS: dict[str, Any] = json.loads((REFERENCE / "score_test_vectors.json").read_text())
COUNTRIES: list[str] = EXAMPLE["inputs"]["countries"]
CURBING = COUNTRIES.index("CN")
EDGES = [0.0, 20.0, 40.0, 60.0, 80.0]
BANDS = ["minimal", "low", "moderate", "high", "critical"]
ONE_ROW = np.zeros(1, dtype=np.intp)
ROUTES = EXAMPLE["inputs"]["report_routes"]


class Example:
    """The example's pools, and its shocks."""

    def __init__(self, extra: list[tuple[int, str, str, float]] | None = None) -> None:
        stages = EXAMPLE["inputs"]["stages"]
        self.trade = [np.array(stage["exports"], dtype=float)[None] for stage in stages]
        self.production = [np.array(stage["production"], dtype=float)[None] for stage in stages]
        for stage, exporter, importer, tonnes in extra or []:
            self.trade[stage][0, COUNTRIES.index(exporter), COUNTRIES.index(importer)] += tonnes
        self.pools: list[Pools] = [form_pools(t, p) for t, p in zip(self.trade, self.production, strict=True)]
        self.touched: list[Array] = []
        clean, has_input = None, None
        for pool, output in zip(self.pools, self.production, strict=True):
            clean = clean_shares(pool, output, ONE_ROW, clean, has_input, np.array([0.5]), CURBING)
            has_input = pool.pool_t > 0
            self.touched.append(1 - clean)

    def curbs(self, scenario: str, factor: float = 1.0) -> list[StageCurbs]:
        rows = EXAMPLE["inputs"]["scenarios"][scenario]
        made = []
        for stage, touched in enumerate(self.touched):
            withheld, reached, reach = np.zeros((1, 4)), np.zeros((1, 4)), touched.copy()
            reach[:, CURBING] = 0
            for at, _, importer, value in rows["severity"]:
                if at == stage:
                    withheld[0, COUNTRIES.index(importer)] = min(1.0, value * factor)
            for at, _, importer, value in rows.get("extraterritorial", []):
                if at == stage:
                    reached[0, COUNTRIES.index(importer)] = value
            made.append(StageCurbs(withheld, reached, reach))
        return made

    def shock(self, curbs: list[StageCurbs]) -> list[StageShock]:
        return run_shock(self.pools, self.production, curbs, ONE_ROW, np.array([0.5]), CURBING)

    def missing(self, curbs: list[StageCurbs], routes: list[list[str]]) -> Array:
        exporters = np.array([COUNTRIES.index(a) for a, _ in routes])
        importers = np.array([COUNTRIES.index(b) for _, b in routes])
        missing = route_missing_share(self.shock(curbs)[-1], curbs[-1], exporters, importers, CURBING)
        return np.asarray(missing[0])


def test_pools_origins_and_touched_shares() -> None:
    example = Example()
    for stage, expected in enumerate(EXAMPLE["expected"]["stages"]):
        np.testing.assert_allclose(example.pools[stage].pool_t[0], expected["available"], atol=0.05)
        shares = origin_shares(example.pools[stage], example.production[stage])[0]
        for j, importer in enumerate(COUNTRIES):
            for o, origin in enumerate(COUNTRIES):
                assert round(shares[j, o], 4) == expected["origin_share_of_pool"][importer][origin]
            assert round(example.touched[stage][0, j], 4) == expected["touched_by_curbing_country"][importer]
        use = example.pools[stage].pool_t[0] - example.trade[stage][0].sum(axis=1)
        np.testing.assert_allclose(use, expected["local_use"], atol=0.05)


@pytest.mark.parametrize("scenario", list(EXAMPLE["expected"]["scenarios"]))
def test_scenarios(scenario: str) -> None:
    example = Example()
    expected = EXAMPLE["expected"]["scenarios"][scenario]
    curbs = example.curbs(scenario)
    for shock, ratios in zip(example.shock(curbs), expected["pool_ratio"], strict=True):
        assert {c: round(shock.pool_ratio[0, i], 4) for i, c in enumerate(COUNTRIES)} == ratios
    missing = example.missing(curbs, ROUTES)
    replaced = np.full_like(missing, EXAMPLE["inputs"]["scenarios"][scenario]["replaceability"])
    stock, horizon = EXAMPLE["inputs"]["cover_days"], EXAMPLE["inputs"]["horizon_days"]
    left = missing_share(missing, replaced, np.array(stock), horizon)
    days = time_to_shortage_days(missing, replaced, np.array(float(stock)), np.array(0.0))
    for i, (exporter, importer) in enumerate(ROUTES):
        route = expected["routes"][f"{exporter}->{importer}"]
        assert round(missing[i], 4) == route["H"]
        assert round(left[i], 4) == route["L"]
        assert round(score(left)[i], 1) == route["score"]
        assert BANDS[band_index(score(left), EDGES)[i]] == route["band"]
        assert round(days[i], 1) == route["time_to_impact_days"]


@pytest.mark.parametrize("scenario", list(EXAMPLE["expected"]["scenarios"]))
def test_importer_totals_and_lost_shares(scenario: str) -> None:
    example = Example()
    expected = EXAMPLE["expected"]["scenarios"][scenario]
    curbs = example.curbs(scenario)
    shock = example.shock(curbs)[-1]
    total = 1 - shock.pool_ratio[0]
    left = missing_share(total, np.full(4, 0.1), np.array(EXAMPLE["inputs"]["cover_days"]), 365)
    for i, importer in enumerate(COUNTRIES):
        want = expected["importer_rollup_last_stage"][importer]
        assert (round(total[i], 4), round(left[i], 4), round(score(left)[i], 1)) == (
            want["H"],
            want["L"],
            want["score"],
        )
        lanes = [[exporter, importer] for exporter in COUNTRIES if exporter != importer]
        tonnes = np.array([example.trade[-1][0, COUNTRIES.index(a), i] for a, _ in lanes])
        lost = (tonnes * example.missing(curbs, lanes)).sum() / tonnes.sum()
        assert round(lost, 4) == expected["importer_lost_share_last_stage"][importer]


def test_bounds_and_best_of_the_active_scenario() -> None:
    example = Example()
    spread = EXAMPLE["inputs"]["intervals"]
    low, high = spread["severity_factor"]
    factors = [low, 1.0, high]
    missing = np.stack([example.missing(example.curbs(spread["scenario"], f), ROUTES) for f in factors])
    replaced = three_points(
        *(np.array(v) for v in (spread["replaceability"][0], 0.1, spread["replaceability"][1]))
    )
    stock = three_points(
        *(np.array(float(v)) for v in (spread["cover_days"][0], 45, spread["cover_days"][1]))
    )
    points = score(missing_share(missing, mirrored(replaced)[:, None], mirrored(stock)[:, None], 365))
    for i, (exporter, importer) in enumerate(ROUTES):
        assert (
            points[:, i].round(1).tolist()
            == EXAMPLE["expected"]["interval_scores"][f"{exporter}->{importer}"][::2]
        )


def test_what_if_malaysian_oxide_replaces_chinese_in_japan() -> None:
    what_if = EXAMPLE["inputs"]["what_if"]
    tonnes = what_if["extra_oxide"]
    changed = Example([(0, "MY", "JP", tonnes), (0, "CN", "JP", -tonnes)])
    changed.production[0][0, COUNTRIES.index("MY")] += tonnes
    changed.production[0][0, CURBING] -= tonnes
    changed.pools = [form_pools(t, p) for t, p in zip(changed.trade, changed.production, strict=True)]
    missing = changed.missing(changed.curbs("active_licensing"), [what_if["route"]])
    left = missing_share(missing, np.array(0.1), np.array(45.0), 365)
    assert round(missing[0], 4) == EXAMPLE["expected"]["what_if"]["H"]
    assert round(score(left)[0], 1) == EXAMPLE["expected"]["what_if"]["score"]


@pytest.mark.parametrize("place", range(len(VECTORS["vectors"])), ids=[v["id"] for v in VECTORS["vectors"]])
def test_score_vectors(place: int) -> None:
    given, want = VECTORS["vectors"][place], VECTORS["expected"][place]

    def span(ends: list[float]) -> Array:
        low, high = (np.array(float(end)) for end in ends)
        return three_points(low, (low + high) / 2, high)

    before = three_points(*(np.array(float(v)) for v in given["H"]))
    left = missing_share(
        before, mirrored(span(given["A"])), mirrored(span(given["cover_days"])), float(given["horizon_days"])
    )
    assert left.round(4).tolist() == want["L_bound_likely_central_likely_bound"][::2]
    assert score(left).round(1).tolist() == want["score"][::2]
    assert BANDS[band_index(score(left), EDGES)[BEST]] == want["band_likely_central_likely"][1]
