"""Pages of routes: why each has its score, from the same sentences as `curbline explain`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

import polars as pl

from ground.words import MAIN_HORIZON, REGIMES
from jobs.explain.route import regime_of
from jobs.explain.text import context_lines, expected_lines
from jobs.export.book import MEASURES_SQL, REASONS_SQL, SHOWN_FROM, without_small
from jobs.marts import MAIN_REGIME, ROUTE
from jobs.report.charts import Chart, waterfall
from jobs.report.night import Night, grouped
from jobs.report.site import Page

MOST_MEASURES = 40  # of a lane; the rest is counted, and `curbline explain` lists them


def waterfalls(night: Night) -> pl.DataFrame:
    """Return the terms of all listed lanes, with where each starts and ends on the way to the score.

    Columns: the keys of the lane, step, step_name, points, start, end, sentence, rule_id, measure_id, source_ids.
    """
    reasons = without_small(night.reader.query(REASONS_SQL, _chosen(night)))
    return reasons.with_columns(end=pl.col("points").cum_sum().over(ROUTE)).with_columns(
        start=pl.col("end") - pl.col("points")
    )


def _chosen(night: Night) -> dict[str, Any]:
    chosen: dict[str, Any] = {name: night.routes[name].to_list() for name in ROUTE}
    return {**chosen, "position": list(range(night.routes.height)), "horizon": MAIN_HORIZON}


def waterfall_chart(terms: list[dict[str, Any]], title: str) -> Chart:
    """Draw the way to a score from terms with points, in their order; the small ones of a step are one bar."""
    rows: list[dict[str, Any]] = []
    reached = 0.0
    for step, members in groupby(terms, key=itemgetter("step_name")):
        large, small = [], 0.0
        for term in members:
            if abs(term["points"]) < SHOWN_FROM:
                small += term["points"]
            else:
                large.append(
                    (f"{step}: {term['measure_id']}" if term["measure_id"] else step, term["points"])
                )
        if abs(small) >= SHOWN_FROM:
            large.append((f"{step}, smaller terms", small))
        elif large:
            large[-1] = (large[-1][0], large[-1][1] + small)
        for name, points in large:
            rows.append({
                "name": f"{len(rows) + 1}. {name}", "points": points, "start": reached, "end": reached + points, "kind": "term",
            })  # fmt: skip
            reached += points
    rows.append({"name": "score", "points": reached, "start": 0.0, "end": reached, "kind": "score"})
    return waterfall(pl.DataFrame(rows), title)


def route_pages(night: Night, terms: pl.DataFrame) -> Iterator[Page]:
    """Make the page of each listed lane."""
    reasons = grouped(terms.to_dicts(), *ROUTE)
    measures = grouped(night.reader.query(MEASURES_SQL, _chosen(night)).to_dicts(), *ROUTE)
    for row in night.routes.iter_rows(named=True):
        keys = tuple(row[name] for name in ROUTE)
        hits = [one for one in measures.get(keys, []) if one["regime"] == MAIN_REGIME]
        asleep = _asleep(measures.get(keys, []), hits)
        steps = reasons.get(keys, [])
        cited = [one for term in steps for one in term["source_ids"] or ()]
        cited += [one["source_id"] for one in (*hits, *asleep)]
        scores = {regime: regime_of(row, regime) for regime in REGIMES}
        question = {
            **{name: row[name] for name in ROUTE},
            "horizon_days": MAIN_HORIZON,
            "regime": MAIN_REGIME,
        }
        yield Page(
            str(night.links.path("route", *keys)),
            "route.html.j2",
            f"{night.mineral(row['mineral'])}, {row['stage']}: {night.country(row['exporter'])} to {night.country(row['importer'])}",
            {
                "row": row,
                "scores": scores,
                "said": expected_lines(scores, question),
                "context": context_lines(
                    {name: value for name, value in row.items() if not name.startswith(REGIMES)}
                ),
                "terms": steps,
                "hits": hits[:MOST_MEASURES],
                "hits_left": max(0, len(hits) - MOST_MEASURES),
                "asleep": asleep[:MOST_MEASURES],
                "asleep_left": max(0, len(asleep) - MOST_MEASURES),
                "cited": night.sources_of(sorted(set(cited))),
                "doubts": night.doubts.get(("*", row["mineral"]), [])[:5],
                "events": night.events_of([row["mineral"]]),
            },
        )


def _asleep(measures: list[dict[str, Any]], hits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the measures that bind only if everything suspended or unverified takes effect."""
    flow = ("measure_id", "clause", "item_id", "flow_stage", "flow_exporter", "flow_importer")
    awake = {tuple(one[name] for name in flow) for one in hits}
    return [
        one
        for one in measures
        if one["regime"] == "snapback" and tuple(one[name] for name in flow) not in awake
    ]
