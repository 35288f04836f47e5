"""A picture of observed months beside what a run expects to arrive: `python -m bench.months_picture RUN.duckdb OUT.svg`.

A dot is a reported month over a twelfth of the baseline year (magnets: over the mean of the reported months of the baseline
year). The lines are what the run expects to arrive over a year: before trade since the curb was looked at, and after.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import vl_convert

from warehouse.database import Database

_LANES = (
    *(("gallium", "refined", importer) for importer in ("DEU", "JPN", "KOR")),
    *(("germanium", "refined", importer) for importer in ("DEU", "JPN", "RUS")),
    *(("neodymium", "fabricated", importer) for importer in ("DEU", "USA", "JPN")),
)
_QUERY = """
WITH month AS (
    SELECT f.importer, f.month, f.quantity_t, f.quantity_t_low, f.quantity_t_high, f.baseline_year
    FROM mart.flow_month f
    WHERE f.mineral = $mineral AND f.stage = $stage AND f.exporter = 'CHN' AND f.importer = $importer AND f.quantity_t IS NOT NULL
)
SELECT
    m.month::VARCHAR AS month, m.quantity_t, m.quantity_t_low, m.quantity_t_high,
    CASE WHEN $stage = 'fabricated' THEN avg(m.quantity_t) FILTER (year(m.month) = m.baseline_year) OVER () ELSE r.route_t / 12 END
        AS normal_t,
    1 - r.prior_expected_missing_share AS prior, 1 - r.active_expected_missing_share AS posterior
FROM month m
JOIN mart.route_score r ON r.mineral = $mineral AND r.stage = $stage AND r.exporter = 'CHN' AND r.importer = $importer
    AND r.horizon_days = 365
ORDER BY m.month
"""


def spec(reader: Database) -> dict[str, object]:
    """Return the chart as Vega-Lite."""
    values = []
    for mineral, stage, importer in _LANES:
        name = "magnets" if mineral == "neodymium" else mineral
        rows = reader.query(_QUERY, {"mineral": mineral, "stage": stage, "importer": importer})
        for row in rows.iter_rows(named=True):
            normal = row["normal_t"]
            if not normal:
                continue
            values.append({
                "lane": f"{name} to {importer}", "month": row["month"], "observed": row["quantity_t"] / normal,
                "low": row["quantity_t_low"] / normal, "high": row["quantity_t_high"] / normal,
                "prior": row["prior"], "posterior": row["posterior"],
            })  # fmt: skip
    month = {
        "field": "month",
        "type": "temporal",
        "title": None,
        "axis": {"format": "%m/%y", "labelAngle": -45, "tickCount": 5},
    }

    def line(field: str, colour: str, dash: list[int]) -> dict[str, object]:
        return {
            "mark": {"type": "rule", "color": colour, "strokeDash": dash, "strokeWidth": 2},
            "encoding": {"y": {"aggregate": "mean", "field": field, "type": "quantitative"}},
        }

    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": {
            "text": "Months out of China over a normal month",
            "subtitle": "dots: as reported; lines: what a year is expected to bring, dashed before and full after trade was looked at",
        },
        "data": {"values": values},
        "facet": {"field": "lane", "type": "nominal", "title": None, "sort": None},
        "columns": 3,
        "resolve": {"scale": {"y": "independent", "x": "shared"}},
        "spec": {
            "width": 190,
            "height": 110,
            "layer": [
                {"mark": {"type": "rule", "color": "#999"}, "encoding": {
                    "x": month, "y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}}},
                {"mark": {"type": "point", "filled": True, "size": 45, "color": "#0b5394"}, "encoding": {
                    "x": month, "y": {"field": "observed", "type": "quantitative", "title": "of a normal month"}}},
                line("prior", "#b45f06", [5, 4]),
                line("posterior", "#b45f06", [1, 0]),
            ],
        },
    }  # fmt: skip


def main() -> None:
    """Draw the picture of a published file."""
    with Database.open(Path(sys.argv[1]), read_only=True) as reader:
        drawn = spec(reader)
    Path(sys.argv[2]).write_text(vl_convert.vegalite_to_svg(json.dumps(drawn)), encoding="utf-8")


if __name__ == "__main__":
    main()
