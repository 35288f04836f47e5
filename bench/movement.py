"""How trade moves by itself: the numbers behind the `movement_…` parameters of the scorecard.

Tonnes out of China, HS 1992, of codes none of whose minerals is under a measure announced before 2025. By the lane's
value in the first year: the spread of the logarithm of the ratio of its tonnes to the first year's, less that of all
lanes of the code. Spreads are quartile ranges over 1.349, divided by the square root of the years between.
"""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import polars as pl

FACTS = Path(__file__).resolve().parents[1] / "warehouse" / "facts"
EXPORTER, REVISION, SINCE = "CHN", "92", date(2025, 1, 1)
YEARS = ((2022, 2023), (2023, 2024), (2022, 2024))
CLASSES = ((10e6, "10 M USD or more"), (1e6, "1 to 10 M USD"), (1e5, "0.1 to 1 M USD"), (0.0, "less"))
LEAST, LANES = 0.02, 5  # a smaller ratio says as little; a code of fewer lanes tells nothing of lanes
NORMAL_QUARTILES = 1.349


def main() -> None:
    """Print the spreads, as logarithms and as multiples."""
    trade = free_trade()
    for first, last in YEARS:
        lanes = moved(trade, first, last)
        years = math.sqrt(last - first)
        together = (
            lanes.filter(pl.col("code_usd") >= CLASSES[0][0]).group_by("hs6").agg(pl.col("code").first())
        )
        print(
            f"{first} to {last}: {together.height} codes, all lanes together {said(together['code'], years)}"
        )
        for (least, name), most in zip(CLASSES, (math.inf, *(edge for edge, _ in CLASSES)), strict=False):
            own = lanes.filter(pl.col("value_usd") >= least, pl.col("value_usd") < most)
            print(f"  {name}: {own.height} lanes, {said(own['lane'] - own['code'], years)}")


def free_trade() -> pl.DataFrame:
    """Rows of trade in codes that no measure announced before touches."""
    items = pl.read_csv(FACTS / "measure_items.csv", infer_schema=False)
    measures = pl.read_csv(FACTS / "measures.csv", infer_schema=False, try_parse_dates=False)
    announced = measures.filter(pl.col("date_announced").str.to_date() < SINCE, curbing_country=EXPORTER)[
        "measure_id"
    ]
    curbed = items.filter(pl.col("measure_id").is_in(announced.to_list()))["mineral"].unique().to_list()
    codes = pl.read_csv(FACTS / "hs_codes.csv", infer_schema=False).select("hs6", "mineral")
    touched = codes.filter(pl.col("mineral").is_in(curbed))["hs6"].to_list()
    free = codes.filter(~pl.col("hs6").is_in(touched))["hs6"].unique().to_list()
    return pl.read_parquet(FACTS / "trade.parquet").filter(
        pl.col("hs6").is_in(free), pl.col("quantity_t") > 0, exporter=EXPORTER, hs_revision=REVISION
    )


def moved(trade: pl.DataFrame, first: int, last: int) -> pl.DataFrame:
    """Lanes of the first year, with the logarithm of their ratio and that of their code."""
    keys = ["importer", "hs6"]
    later = trade.filter(year=last).select(*keys, later_t="quantity_t")
    tonnes = pl.col("later_t").fill_null(0.0)  # no row of a year that is complete: nothing was shipped
    return (
        trade.filter(year=first)
        .join(later, on=keys, how="left")
        .filter(pl.len().over("hs6") >= LANES)
        .with_columns(
            code=(tonnes.sum() / pl.col("quantity_t").sum()).over("hs6").clip(LEAST).log(),
            code_usd=pl.col("value_usd").sum().over("hs6"),
            lane=(tonnes / pl.col("quantity_t")).clip(LEAST).log(),
        )
    )


def said(logs: pl.Series, years: float) -> str:
    """A spread as a logarithm a year, and as a multiple."""
    spread = yearly(logs, years)
    return f"{spread:.2f} a year, x {math.exp(spread):.1f}"


def yearly(logs: pl.Series, years: float) -> float:
    """Standard deviation of logarithms by their quartiles, a year; NaN of none."""
    low, high = (logs.quantile(share) for share in (0.25, 0.75))
    return math.nan if low is None or high is None else (high - low) / NORMAL_QUARTILES / years


if __name__ == "__main__":
    main()
