"""The first page, and the page of each declared importer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from ground.words import MAIN_HORIZON, REGIMES
from jobs.report import queries
from jobs.report.charts import Chart, money
from jobs.report.night import EVERYBODY, LEAST_USD, Night, grouped
from jobs.report.site import Page

MOST_BARS, MOST_LANES, MOST_CHANGES, MOST_REASONS = 18, 25, 20, 40
STAGES = ("mined", "refined", "metal", "fabricated")


def money_chart(night: Night, importer: str) -> Chart | None:
    """Draw an importer's money missing by mineral; None where nothing is."""
    rows = night.money_by(importer=importer)[:MOST_BARS]
    if not rows:
        return None
    shown = pl.DataFrame(rows, infer_schema_length=None).select(
        pl.col("mineral").str.replace_all("_", " ").alias("name"),
        pl.col("traded_usd", "expected_missing_usd", "missing_usd_p10", "missing_usd_p90").cast(pl.Float64),
    )
    whose = "all importers" if importer == EVERYBODY else night.country(importer)
    return money(shown, f"What {whose} can expect to miss within a year, by mineral")


def tonight(night: Night) -> tuple[Page, dict[str, Chart]]:
    """Make the first page: what a buyer with two minutes has to know."""
    changes = night.reader.query(queries.CHANGES, {"horizon": MAIN_HORIZON})
    own = night.run["curbing_country"]
    newest = sorted((one for one in night.events if one["is_unverified"]), key=_day, reverse=True)
    unverified = sorted(newest, key=lambda one: one["country"] != own)
    exposed: list[dict[str, Any]] = [
        {
            "importer": importer,
            **{regime: night.money(importer, EVERYBODY, regime) for regime in REGIMES},
            "most": [row["mineral"] for row in night.money_by(importer=importer)[:3]],
        }
        for importer in night.declared
    ]
    exposed.sort(key=_missing, reverse=True)
    chart = money_chart(night, EVERYBODY)
    page = Page(
        "index.html",
        "index.html.j2",
        "Tonight",
        {
            "everybody": {regime: night.money(EVERYBODY, EVERYBODY, regime) for regime in REGIMES},
            "exposed": exposed,
            "minerals": night.money_by(importer=EVERYBODY),
            "unverified": unverified,
            "own_unverified": [one for one in unverified if one["country"] == own],
            "ahead": [one for one in night.events if not one["is_unverified"] and one["days_left"] > 0],
            "passed": [one for one in night.events if not one["is_unverified"] and one["days_left"] <= 0],
            "changes": changes.head(MOST_CHANGES).to_dicts(),
            "change_count": changes.height,
            "change_reasons": night.reader.query(queries.CHANGE_REASONS).head(MOST_REASONS).to_dicts(),
            "lanes": night.lanes.head(15).to_dicts(),
            "doubts": night.doubts.get((EVERYBODY, EVERYBODY), [])[:3],
        },
    )
    return page, {} if chart is None else {"money": chart}


def _day(event: dict[str, Any]) -> str:
    return str(event["event_date"])


def _missing(exposed: dict[str, Any]) -> float:
    """Return what to sort importers by: those of which nothing is known come last, whatever is written of them."""
    known = exposed["active"]
    return (
        -1.0
        if known is None or known["expected_missing_usd"] is None
        else float(known["expected_missing_usd"])
    )


def importer_pages(night: Night) -> Iterator[tuple[Page, dict[str, Chart]]]:
    """Make the page of each importer and bloc that the run tells of first."""
    members = grouped(night.reader.query(queries.MEMBERS, night.days).to_dicts(), "bloc")
    asked = {"horizon": MAIN_HORIZON, "importers": night.declared}
    matrix = grouped(night.reader.query(queries.MATRIX, asked).to_dicts(), "importer")
    for importer in night.declared:
        buyers = [importer, *(row["country"] for row in members.get(importer, []))]
        # What moves between the members of a bloc is not bought by it.
        lanes = night.lanes.filter(
            pl.col("importer").is_in(buyers)
            & ((pl.lit(len(buyers) == 1)) | ~pl.col("exporter").is_in(buyers[1:]))
        )
        by_mineral = night.money_by(importer=importer)
        chart = money_chart(night, importer)
        page = Page(
            str(night.links.path("importer", importer)),
            "importer.html.j2",
            night.country(importer),
            {
                "importer": importer,
                "members": buyers[1:],
                "money": {regime: night.money(importer, EVERYBODY, regime) for regime in REGIMES},
                "minerals": by_mineral,
                "matrix": _matrix(matrix.get(importer, []), by_mineral),
                "stages": STAGES,
                "lanes": lanes.head(MOST_LANES).to_dicts(),
                "lanes_left": max(0, lanes.height - MOST_LANES),
                "doubts": night.doubts.get((importer, EVERYBODY), []),
                "events": night.events_of(row["mineral"] for row in by_mineral),
            },
        )
        yield page, {} if chart is None else {"money": chart}


def _matrix(rows: list[dict[str, Any]], by_mineral: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return bands by mineral and stage: minerals with money missing first, then those above minimal or unknown."""
    cells = grouped(rows, "mineral")
    order = [row["mineral"] for row in by_mineral if (row["expected_missing_usd"] or LEAST_USD) >= LEAST_USD]
    order += [
        mineral
        for mineral, members in cells.items()
        if mineral not in order and any(one["band"] != "minimal" for one in members)
    ]
    return [
        {"mineral": mineral, "cells": {one["stage"]: one for one in cells.get(mineral, [])}}
        for mineral in order
    ]
