"""Columns of the scores by day: Parquet files beside the published ones, which outlive them."""

from __future__ import annotations

from warehouse.published.columns import RUN, MartColumn, MartTable, flag, number, text
from warehouse.published.route_columns import HORIZON, IMPORTER, MINERAL, REGIMES, ROUTE_KEY, STAGE


def _of_regimes() -> tuple[MartColumn, ...]:
    found: list[MartColumn] = []
    for regime, words in REGIMES.items():
        found += [
            number(regime, f"Score if {words} (0..100); empty where unknown."),
            text(f"{regime}_band", "Its band."),
            number(
                f"{regime}_expected_missing_share",
                "Share of normal tonnes missing, mean of the draws (0..1).",
            ),
            number(f"{regime}_missing_share_p10", "Nine chances in ten that more is missing (0..1)."),
            number(f"{regime}_missing_share_p90", "One chance in ten that more is missing (0..1)."),
            number(
                f"{regime}_expected_missing_t",
                "The mean in tonnes of content over the horizon; of a total, over its lanes.",
            ),
            number(f"{regime}_expected_missing_usd", "The same in money (USD)."),
        ]
    return tuple(found)


HISTORY = MartTable(
    "Scores of routes and importer totals by day, each as known on that day; lanes that customs statistics cannot mean "
    "(listing rest) are left out.",
    ("curbing_country", "as_of", *ROUTE_KEY, "horizon_days"),
    (
        *RUN,
        MINERAL,
        STAGE,
        text("exporter", "Exporter; ISO 3166 alpha-3, or * for the importer's total."),
        IMPORTER,
        HORIZON,
        flag("hindsight", "True where a figure first known after the day had to be used."),
        *_of_regimes(),
    ),
)
