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
CHAINED = "SELECT DISTINCT mineral, stage FROM core.chains ORDER BY ALL"

BY_STAGE = "scored on the routes of its stage, by coverage; its own codes hold no trade in the facts"
NO_STAGE = "technology, equipment, services or reagents: no stage of a mineral is curbed"
NO_CODE = "no trade code is named for it"
CATCH_ALL = "its codes are catch-alls: no share of a mineral can be stated"
NOT_IN_MAP = "its codes are not in the map of codes"
OTHER_GOODS = "its codes stand for other minerals or stages in the map of codes"
NO_TRADE = "mapped, no trade in the facts"
NO_CHAIN = "mapped, but its stage is in no chain"
NONE_SHIPPED = "the curbing country ships none of it in the baseline year"
#: Every word that the column `reason` may hold; codes have columns of their own, so that reasons can be counted.
REASONS = (
    BY_STAGE,
    NO_STAGE,
    NO_CODE,
    CATCH_ALL,
    NOT_IN_MAP,
    OTHER_GOODS,
    NO_TRADE,
    NO_CHAIN,
    NONE_SHIPPED,
)


def measure_coverage(state: Reader, known_at: date, routes: pl.DataFrame) -> pl.DataFrame:
    """Return one row per measure item: codes, whether trade exists, routes and USD scored, and the reason where none.

    Args:
        state: the facts.
        known_at: state of knowledge.
        routes: route_score columns mineral, stage, exporter, importer, route_usd, horizon_days.
    """
    items = state.query(ITEMS, {"known_at": known_at})
    traded = set(state.query(TRADED, {"known_at": known_at})["hs6"])
    meanings: dict[str, set[tuple[str, str | None]]] = {}
    for hs6, mineral, stage in state.query(MAPPED).iter_rows():
        meanings.setdefault(hs6, set()).add((mineral, stage))
    chained = set(state.query(CHAINED).iter_rows())
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
    codes = [hs6.to_list() if hs6 is not None else [] for hs6 in frame["hs6"]]
    goods = list(frame.select("mineral", "stage").iter_rows())
    mapped = [
        [code for code in own if good in meanings.get(code, ())]
        for own, good in zip(codes, goods, strict=True)
    ]
    with_trade = [[code for code in own if code in traded] for own in codes]
    reasons = [
        _reason(scored_routes, good, own, meant, facing, meanings, good in chained)
        for scored_routes, good, own, meant, facing in zip(
            frame["route_count"], goods, codes, mapped, with_trade, strict=True
        )
    ]
    return frame.select(
        "measure_id",
        "clause",
        "item_id",
        "mineral",
        "stage",
        "form",
        "hs6",
        pl.Series("mapped_hs6", mapped, pl.List(pl.String)),
        pl.Series("traded_hs6", with_trade, pl.List(pl.String)),
        pl.Series("has_trade", [bool(own) for own in with_trade], pl.Boolean),
        pl.col("route_count").fill_null(0),
        "route_usd",
        pl.Series("reason", reasons, pl.String),
    ).sort("measure_id", "clause", "item_id")


def _reason(
    route_count: int | None,
    good: tuple[str, str | None],
    codes: list[str],
    mapped: list[str],
    with_trade: list[str],
    meanings: dict[str, set[tuple[str, str | None]]],
    is_chained: bool,  # noqa: FBT001
) -> str | None:
    """Return why an item has no scored route, or is scored without trade of its own; None where it has both."""
    if route_count:
        return None if with_trade else BY_STAGE
    if good[1] is None:
        return NO_STAGE
    if not codes:
        return NO_CODE
    if not mapped:
        meant = set().union(*(meanings.get(code, set()) for code in codes))
        if not meant:
            return NOT_IN_MAP
        return OTHER_GOODS if any(mineral != "other" for mineral, _ in meant) else CATCH_ALL
    if not set(mapped) & set(with_trade):
        return NO_TRADE
    return NONE_SHIPPED if is_chained else NO_CHAIN
