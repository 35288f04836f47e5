"""Draw how what importers are expected to miss moved over the years, out of the history of a backfill.

`python -m bench.history_picture HISTORY docs/pictures/history.svg` reads the Parquet files below HISTORY, such as those of

    curbline backfill --from 2021-12-01 --to 2026-11-01 --every month --mineral gallium --mineral dysprosium …

and writes one SVG: minerals from top to bottom, importers from left to right, the mean and eight draws in ten over time.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import vl_convert

#: Mineral and the stage that is shown of it.
SHOWN = (
    ("gallium", "refined"),
    ("antimony", "refined"),
    ("dysprosium", "fabricated"),
    ("natural_graphite", "mined"),
    ("tungsten", "metal"),
)
IMPORTERS = ("USA", "EU27", "JPN")
HORIZON_DAYS = 365
SHARES = ["active_missing_share_p10", "active_expected_missing_share", "active_missing_share_p90"]


def history(folder: Path, shown: Sequence[tuple[str, str]], importers: Sequence[str]) -> pl.DataFrame:
    """Return importer totals by day: as_of, mineral, stage, importer, hindsight, and the shares missing (0..1)."""
    wanted = pl.DataFrame(list(shown), schema=["mineral", "stage"], orient="row").lazy()
    return (
        pl.scan_parquet(folder / "**/*.parquet", hive_partitioning=False)
        .filter(
            pl.col("exporter") == "*",
            pl.col("importer").is_in(importers),
            pl.col("horizon_days") == HORIZON_DAYS,
        )
        .join(wanted, on=["mineral", "stage"], how="semi")
        .select("as_of", "mineral", "stage", "importer", "hindsight", *SHARES)
        .sort("mineral", "importer", "as_of")
        .collect()
    )


def chart(rows: pl.DataFrame, shown: Sequence[tuple[str, str]], importers: Sequence[str]) -> dict[str, Any]:
    """Return the Vega-Lite chart of `history`."""
    named = rows.with_columns(
        good=pl.format("{} / {}", pl.col("mineral").str.replace_all("_", " "), "stage"),
        day=pl.col("as_of").dt.to_string("%Y-%m-%d"),
    ).rename(dict(zip(SHARES, ("low", "mean", "high"), strict=True)))
    time = {"field": "day", "type": "temporal", "title": None, "axis": {"format": "%Y", "tickCount": "year"}}
    y = {
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [0, 1]},
        "axis": {"format": "%", "tickCount": 3},
    }
    ends: list[date] = [rows["as_of"].min(), rows["as_of"].max()]  # type: ignore[list-item]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "title": {
            "text": "Share of a year's supply expected to be missing under the curbs of China in force",
            "subtitle": f"month by month as known on that day, {ends[0]} to {ends[1]}; the band holds eight draws in ten",
            "anchor": "start",
        },
        "data": {"values": named.select("good", "importer", "day", "low", "mean", "high").to_dicts()},
        "facet": {
            "row": {
                "field": "good",
                "title": None,
                "sort": [f"{mineral.replace('_', ' ')} / {stage}" for mineral, stage in shown],
                "header": {"labelAngle": 0, "labelAlign": "left"},
            },
            "column": {"field": "importer", "title": None, "sort": list(importers)},
        },
        "spec": {
            "width": 210,
            "height": 90,
            "layer": [
                {
                    "mark": {"type": "area", "interpolate": "step-after", "opacity": 0.25},
                    "encoding": {"x": time, "y": {"field": "low", **y}, "y2": {"field": "high"}},
                },
                {
                    "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 1.5},
                    "encoding": {"x": time, "y": {"field": "mean", **y}},
                },
            ],
        },
        "config": {"view": {"stroke": "#ddd"}, "background": "white", "font": "sans-serif"},
    }


def main(arguments: list[str] | None = None) -> int:
    """Draw the picture and say what is in it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("history", type=Path, help="folder of the history, such as curbline-data/history")
    parser.add_argument("svg", type=Path, help="file to write")
    asked = parser.parse_args(arguments)
    rows = history(asked.history, SHOWN, IMPORTERS)
    if rows.is_empty():
        print(f"{asked.history}: no history of these minerals; backfill it first.", file=sys.stderr)
        return 1
    svg = vl_convert.vegalite_to_svg(chart(rows, SHOWN, IMPORTERS))
    asked.svg.parent.mkdir(parents=True, exist_ok=True)
    asked.svg.write_text(svg, encoding="utf-8")
    days = rows["as_of"].n_unique()
    print(
        f"{asked.svg}: {days} days, {rows.select('mineral').n_unique()} minerals, {rows['importer'].n_unique()} importers"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
