"""Which curbed items are faced by trade data at all, and why not where they are not: `mart.measure_coverage`."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from jobs.ports import Reader

ITEMS = """
SELECT i.measure_id, i.clause, i.item_id, i.mineral, i.stage, i.form, i.hs6, m.curbing_country
FROM core.measure_items i JOIN core.measures m USING (measure_id)
WHERE i.known_from <= $known_at AND m.known_from <= $known_at
ORDER BY ALL
"""
TRADED = "SELECT DISTINCT hs6 FROM core.trade WHERE known_from <= $known_at ORDER BY hs6"
MAPPED = "SELECT DISTINCT hs6, mineral, stage FROM core.hs_codes ORDER BY ALL"


def measure_coverage(state: Reader, known_at: date, routes: pl.DataFrame) -> pl.DataFrame:
    """One row per measure item: codes, whether trade exists, routes and USD scored, and the reason where none.

    Args:
        state: the facts.
        known_at: state of knowledge.
        routes: route_score columns mineral, stage, exporter, importer, route_usd, horizon_days.
    """
    items = state.query(ITEMS, {"known_at": known_at})
    traded = set(state.query(TRADED, {"known_at": known_at})["hs6"])
    mapped = {(row[1], row[2]) for row in state.query(MAPPED).iter_rows()}
    scored = (
        routes.filter(pl.col("horizon_days") == routes["horizon_days"].min())
        .group_by("mineral", "stage", "exporter")
        .agg(route_count=pl.len().cast(pl.Int64), route_usd=pl.col("route_usd").sum())
        .rename({"exporter": "curbing_country"})
    )
    frame = items.join(
        scored,
        on=["mineral", "stage", "curbing_country"],
        how="left",
        maintain_order="left",
        nulls_equal=False,
    )
    codes = [(hs6 or "").split(";") if hs6 else [] for hs6 in frame["hs6"]]
    has_trade = [any(code in traded for code in own) for own in codes]
    reasons = [
        _reason(row, own, known, (row["mineral"], row["stage"]) in mapped)
        for row, own, known in zip(frame.iter_rows(named=True), codes, has_trade, strict=True)
    ]
    return frame.select(
        "measure_id",
        "clause",
        "item_id",
        "mineral",
        "stage",
        "form",
        "hs6",
        pl.Series("has_trade", has_trade, pl.Boolean),
        pl.col("route_count").fill_null(0),
        "route_usd",
        pl.Series("reason", reasons, pl.String),
    ).sort("measure_id", "clause", "item_id")


def _reason(row: dict[str, object], codes: list[str], has_trade: bool, is_mapped: bool) -> str | None:  # noqa: FBT001
    """Why an item has no scored route, or is scored without trade of its own; None where it has both."""
    if row["route_count"]:
        return (
            None
            if has_trade
            else "its own codes have no trade rows: scored on the routes of its stage, by coverage"
        )
    if not row["stage"]:
        return "technology, equipment or services: no goods code stands for it"
    if not codes:
        return "the notice names no HS code for it, and none is mapped"
    if not has_trade:
        return f"no trade rows for {', '.join(codes)} in the facts bundle"
    if not is_mapped:
        return f"no code is mapped to {row['mineral']} at the {row['stage']} stage"
    return f"{row['curbing_country']} ships none of it in the baseline year"
