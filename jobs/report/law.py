"""Pages of measures, and the timelines that pages of minerals share with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

import polars as pl

from ground.words import MAIN_HORIZON
from jobs.report import queries
from jobs.report.charts import Chart, timeline
from jobs.report.night import EVERYBODY, Night, grouped
from jobs.report.site import Page
from jobs.report.words import plain_name

#: How far beyond the day of the report a timeline reaches.
AHEAD = timedelta(days=365)
#: How far back it reaches; what was over by then is in the tables.
BACK = timedelta(days=6 * 365)
OVER = ("ended", "dropped", "superseded")
PERIODS = ["measure_id", "clause", "destination"]


def periods(night: Night) -> pl.DataFrame:
    """Return the states of every clause as they follow each other: measure_id, clause, destination, state, start, end.

    What is known of days to come is in it, up to a year after the day of the report.
    """
    end = night.run["as_of"] + AHEAD
    days = night.reader.query(queries.STATES_OVER_TIME, {"known_at": night.run["known_at"]})
    moved = pl.col("state").ne_missing(pl.col("state").shift(1).over(PERIODS))
    return (
        days.filter(pl.col("day") < end)
        .sort(*PERIODS, "day")
        .filter(moved)
        .with_columns(end=pl.col("day").shift(-1).over(PERIODS).fill_null(end))
        .select(*PERIODS, "state", start="day", end="end")
    )


def measures_of(night: Night, mineral: str) -> list[str]:
    """Return the measures that name a mineral, those of the curbing country first, the newest first."""
    named = [
        key
        for key, items in night.items.items()
        if {item["mineral"] for item in items} & {mineral, EVERYBODY}
    ]
    known = [key for key in named if key in night.measures]
    own = night.run["curbing_country"]
    by_day = sorted(known, key=lambda key: (str(night.measures[key]["date_announced"]), key), reverse=True)
    return sorted(by_day, key=lambda key: night.measures[key]["curbing_country"] != own)


def chart_of(night: Night, history: pl.DataFrame, measures: Iterable[str], what: str) -> Chart | None:
    """Draw the states of some measures over the last years; None where nothing is known of them."""
    order = {key: place for place, key in enumerate(measures)}
    first = night.run["as_of"] - BACK
    rows = history.filter(
        pl.col("measure_id").is_in(list(order)),
        pl.col("end") > first,
        ~pl.col("state").is_in(OVER).all().over(PERIODS) | (pl.col("start") >= first),
    ).with_columns(start=pl.max_horizontal("start", pl.lit(first)))
    if rows.is_empty():
        return None
    names = [_name(night, *keys) for keys in rows.select(PERIODS).iter_rows()]
    shown = (
        rows.with_columns(name=pl.Series(names, dtype=pl.String))
        .sort(pl.col("measure_id").replace_strict(order, return_dtype=pl.Int64), *PERIODS, "start")
        .select("name", *PERIODS, "state", "start", "end")
    )
    return timeline(shown, f"States of measures on {what}", str(night.run["as_of"]))


def _name(night: Night, measure: str, clause: str, destination: str) -> str:
    notice = night.measures[measure]["notice"] or measure
    part, comma, rest = clause.partition(", ")
    named = notice.endswith(part)  # the notice may be named by its article already
    said = "" if clause == "all" or (named and not comma) else f", {rest}" if named else f" {clause}"
    to = "" if destination == EVERYBODY else f" → {destination}"
    return f"{notice}{said}{to}"


def measure_pages(night: Night) -> Iterator[Page]:
    """Make the page of each measure."""
    states = grouped(
        night.reader.query(queries.STATES, {"known_at": night.run["known_at"]}).to_dicts(), "measure_id"
    )
    reach = grouped(
        night.reader.query(queries.DESTINATIONS, {"known_at": night.run["known_at"]}).to_dicts(), "measure_id"
    )
    touched = grouped(night.reader.query(queries.TOUCHED, {"horizon": MAIN_HORIZON}).to_dicts(), "measure_id")
    for key, measure in night.measures.items():
        history = states.get(key, [])
        items = night.items.get(key, [])
        cited = [measure["source_id"], *(row["source_id"] for row in history)]
        yield Page(
            str(night.links.path("measure", key)),
            "measure.html.j2",
            measure["notice"] or key,
            {
                "measure": measure,
                "now": night.states_now.get(key, []),
                "history": history,
                "items": items,
                "reach": reach.get(key, []),
                "touched": touched.get(key, []),
                "events": [one for one in night.events if one["measure_id"] == key],
                "cited": night.sources_of(cited),
                "in_words": _in_words(night, key),
            },
        )


def _in_words(night: Night, key: str) -> str:
    """Say which state a measure is in, in one sentence."""
    now = night.states_now.get(key, [])
    if not now:
        return "Nothing is known of its state on this day."
    said = sorted({plain_name(row["state"]) for row in now})
    whole = "It is" if len(said) == 1 else "Its clauses are, by destination,"
    return f"{whole} {' or '.join(said)} on {night.run['as_of']}."
