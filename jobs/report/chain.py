"""Pages of minerals: the chain from mine to magnet, who makes it, who claims what, which measures name it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from jobs.report import queries
from jobs.report.charts import Chart, origin
from jobs.report.law import chart_of, measures_of, periods
from jobs.report.night import LEAST_USD, Night, grouped
from jobs.report.site import Page

WORLD, OTHERS, REST = "WLD", "OTH", "…"
NAMED = 8  # producers of a stage; the others are one part
MOST_LANES, MOST_CLAIMS = 25, 120


def producers(night: Night) -> pl.DataFrame:
    """Return who makes what, as shares of what is known of each stage.

    The whole is the sum of the countries, or the world's figure where that is larger: the difference is made by
    producers without a figure. Columns: mineral, stage, stage_order, product, country, name, year, production_t_low,
    production_t_best, production_t_high, share, qualifier, source_id, is_hindsight.
    """
    made = night.reader.query(queries.PRODUCERS, night.days)
    chains = night.reader.query(queries.CHAINS)
    by_stage = ["mineral", "stage"]
    worlds = made.filter(pl.col("country") == WORLD).select(*by_stage, world_t="production_t_best")
    named = made.filter(pl.col("country") != WORLD)
    whole = (
        named.group_by(by_stage)
        .agg(sum_t=pl.col("production_t_best").sum())
        .join(worlds, on=by_stage, how="left")
        .with_columns(whole_t=pl.max_horizontal("sum_t", "world_t"))
    )
    rest = (
        whole.filter(pl.col("whole_t") > pl.col("sum_t") * 1.001)
        .select(*by_stage, country=pl.lit(REST), production_t_best=pl.col("whole_t") - pl.col("sum_t"))
        .with_columns(qualifier=pl.lit("the world's figure less the others"))
    )
    shown = pl.concat([named, rest], how="diagonal").join(whole.select(*by_stage, "whole_t"), on=by_stage)
    share = pl.when(pl.col("whole_t") > 0).then(pl.col("production_t_best") / pl.col("whole_t"))
    names = {**night.countries, OTHERS: "producers without a figure", REST: "not accounted for"}
    return (
        shown.join(chains, on=by_stage)
        .with_columns(share=share, name=pl.col("country").replace(names))
        .sort("mineral", "stage_order", pl.col("country").is_in([OTHERS, REST]), pl.col("production_t_best"), "country", descending=[False, False, False, True, False])
        .drop("whole_t")
    )  # fmt: skip


def origin_chart(night: Night, made: pl.DataFrame, mineral: str) -> Chart | None:
    """Draw the chain of a mineral; None where nobody's production is known."""
    rows = made.filter((pl.col("mineral") == mineral) & (pl.col("share") > 0))
    if rows.is_empty():
        return None
    title = f"Who makes {mineral.replace('_', ' ')}, stage by stage; {night.country(night.run['curbing_country'])} in orange"
    shown = rows.select(
        "stage", "product", "country", "name", "year", "production_t_best", "share", "source_id"
    )
    return origin(shown, title, night.run["curbing_country"])


def mineral_pages(night: Night) -> Iterator[tuple[Page, dict[str, Chart]]]:
    """Make the page of each mineral, and the pictures that stand in it."""
    made = producers(night)
    stages = grouped(night.reader.query(queries.CHAINS).to_dicts(), "mineral")
    makers = grouped(made.to_dicts(), "mineral", "stage")
    claims = grouped(
        night.reader.query(queries.CLAIMS, {"known_at": night.run["known_at"]}).to_dicts(), "mineral"
    )
    grades = grouped(night.reader.query(queries.RECONCILIATION).to_dicts(), "mineral", "stage")
    history = periods(night)
    for key, mineral in night.minerals.items():
        measures = measures_of(night, key)
        snapback = night.money("*", key, "snapback")
        pictures: dict[str, Chart | None] = {}
        # A picture takes a tenth of a second; where nothing can be missing the tables say it as well.
        if ((snapback or {}).get("expected_missing_usd") or 0.0) >= LEAST_USD:
            pictures["origin"] = origin_chart(night, made, key)
            pictures["timeline"] = chart_of(night, history, measures, mineral["name"])
        lanes = night.lanes.filter(pl.col("mineral") == key)
        said = [_stage(night, row, makers, grades) for row in stages.get(key, [])]
        conflicting = _conflicts(claims.get(key, []))
        page = Page(
            str(night.links.path("mineral", key)),
            "mineral.html.j2",
            mineral["name"],
            {
                "mineral": mineral,
                "money": night.money("*", key),
                "snapback": snapback,
                "importers": night.money_by(mineral=key),
                "stages": said,
                "lanes": lanes.head(MOST_LANES).to_dicts(),
                "lanes_left": max(0, lanes.height - MOST_LANES),
                "measures": [(night.measures[one], night.states_now.get(one, [])) for one in measures],
                "claims": conflicting[:MOST_CLAIMS],
                "claims_left": max(0, len(conflicting) - MOST_CLAIMS),
                "doubts": night.doubts.get(("*", key), []),
                "events": night.events_of([key]),
            },
        )
        yield page, {name: chart for name, chart in pictures.items() if chart is not None}


def _stage(
    night: Night,
    row: dict[str, Any],
    makers: dict[Any, list[dict[str, Any]]],
    grades: dict[Any, list[dict[str, Any]]],
) -> dict[str, Any]:
    """Return a stage of the chain with its producers, and the curbing country's share: None where it is not known."""
    place = (row["mineral"], row["stage"])
    known = makers.get(place, [])
    own = [one for one in known if one["country"] == night.run["curbing_country"]]
    return {
        **row,
        "makers": known[:NAMED],
        "makers_left": max(0, len(known) - NAMED),
        "own": own[0] if own else None,
        "grade": grades.get(place, [None])[0],
    }


def _conflicts(claims: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the claims on one thing that several sources make, and mark where they differ."""
    rows: list[dict[str, Any]] = []
    for members in grouped(claims, "what", "country").values():
        if len({one["source_id"] for one in members}) < 2:
            continue
        values = {one["best"] for one in members if one["best"] is not None}
        differ = len(values) > 1
        rows += [{**one, "differ": differ, "claims": len(members)} for one in members] if differ else []
    return rows
