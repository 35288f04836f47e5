"""What every page of the report shares: the run, its names, its money, its calendar and its links."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from ground.words import MAIN_HORIZON
from jobs.calendar.events import Wanted, events
from jobs.errors import InputError
from jobs.marts import MAIN_REGIME
from jobs.ports import Reader
from jobs.report import queries
from jobs.report.site import Links
from jobs.report.words import plain_name, shown
from jobs.settings import ALL_COUNTRIES

EVERYBODY = "*"
DAYS_AHEAD = 365
MOST_ROUTES = 1_500
#: Below a dollar nothing is missing that a report should name.
LEAST_USD = 1.0


@dataclass(frozen=True)
class Night:
    """A published file, as far as all pages need it."""

    reader: Reader
    run: dict[str, Any]
    countries: dict[str, str]
    minerals: dict[str, dict[str, Any]]
    exposure: pl.DataFrame
    lanes: pl.DataFrame
    routes: pl.DataFrame
    route_count: int
    measures: dict[str, dict[str, Any]]
    states_now: dict[str, list[dict[str, Any]]]
    items: dict[str, list[dict[str, Any]]]
    events: list[dict[str, Any]]
    doubts: dict[tuple[str, str], list[dict[str, Any]]]
    sources: dict[str, dict[str, Any]]
    links: Links

    @property
    def days(self) -> dict[str, Any]:
        """Return the two days of the run, for macros."""
        return {"as_of": self.run["as_of"], "known_at": self.run["known_at"]}

    @property
    def declared(self) -> list[str]:
        """Return the importers and blocs that the run tells of first."""
        return list(self.run["declared_importers"] or ())

    def country(self, code: str | None) -> str:
        """Return the name of a country or bloc; its code where it has none."""
        if code is None:
            return "unknown"
        return "everybody" if code == EVERYBODY else str(shown(self.countries.get(code, code)))

    def mineral(self, code: str) -> str:
        """Return the name of a mineral; its code in words where it has none."""
        return str(self.minerals[code]["name"]) if code in self.minerals else plain_name(code)

    def money(self, importer: str, mineral: str, regime: str = MAIN_REGIME) -> dict[str, Any] | None:
        """Return what an importer is expected to miss of a mineral; None where nothing is traded."""
        found = self.exposure.filter(
            (pl.col("importer") == importer) & (pl.col("mineral") == mineral) & (pl.col("regime") == regime)
        )
        return found.row(0, named=True) if found.height else None

    def money_by(self, *, importer: str | None = None, mineral: str | None = None) -> list[dict[str, Any]]:
        """Return what is missing by mineral (of an importer) or by importer (of a mineral), the most first."""
        found = self.exposure.filter(pl.col("regime") == MAIN_REGIME)
        if importer is not None:
            found = found.filter((pl.col("importer") == importer) & (pl.col("mineral") != EVERYBODY))
        if mineral is not None:
            found = found.filter((pl.col("mineral") == mineral) & (pl.col("importer") != EVERYBODY))
        is_worth = pl.col("expected_missing_usd").is_null() | (pl.col("expected_missing_usd") >= LEAST_USD)
        return (
            found.filter(is_worth)
            .sort(
                "expected_missing_usd",
                "importer",
                "mineral",
                descending=[True, False, False],
                nulls_last=True,
            )
            .to_dicts()
        )

    def events_of(self, minerals: Iterable[str]) -> list[dict[str, Any]]:
        """Return the dated events that name one of these minerals, or all."""
        wanted = {*minerals, EVERYBODY}
        return [one for one in self.events if wanted & set(one["minerals"] or ())]

    def sources_of(self, ids: Iterable[str | None]) -> list[dict[str, Any]]:
        """Return the sources that are cited, each once, in order."""
        return [self.sources[one] for one in dict.fromkeys(ids) if one is not None and one in self.sources]


def read_night(reader: Reader) -> Night:
    """Read what all pages share, and settle which pages there are.

    Raises:
        InputError: The run scored all curbing countries' measures and therefore no routes.
    """
    run = reader.query(queries.RUN).row(0, named=True)
    if run["curbing_country"] == ALL_COUNTRIES:
        raise InputError(
            f"run {run['run_id']} is for all curbing countries and scores no routes, so there is nothing to report. "
            "Name a run for one country with --run."
        )
    horizon = {"horizon": MAIN_HORIZON}
    when = {"as_of": run["as_of"], "known_at": run["known_at"]}
    measures = reader.query(queries.MEASURES).to_dicts()
    minerals = reader.query(queries.MINERALS).to_dicts()
    routes = reader.query(queries.ROUTES, {**horizon, "most": MOST_ROUTES})
    links = Links()
    for importer in run["declared_importers"] or ():
        links.add("importer", importer)
    for mineral in minerals:
        links.add("mineral", mineral["mineral"])
    for measure in measures:
        links.add("measure", measure["measure_id"])
    for keys in routes.select("mineral", "stage", "exporter", "importer").iter_rows():
        links.add("route", *keys)
    return Night(
        reader=reader,
        run=run,
        countries=dict(reader.query(queries.COUNTRIES).rows()),
        minerals={row["mineral"]: row for row in minerals},
        exposure=reader.query(queries.EXPOSURE, horizon),
        lanes=reader.query(queries.LANES, horizon),
        routes=routes,
        route_count=reader.query(queries.ROUTE_COUNT, horizon).item(),
        measures={row["measure_id"]: row for row in measures},
        states_now=grouped(reader.query(queries.STATES_NOW, when).to_dicts(), "measure_id"),
        items=grouped(reader.query(queries.COVERAGE).to_dicts(), "measure_id"),
        events=events(reader, Wanted(days=DAYS_AHEAD))["events"],
        doubts=_doubts(reader.query(queries.DOUBT, horizon)),
        sources={row["source_id"]: row for row in reader.query(queries.SOURCES).to_dicts()},
        links=links,
    )


def grouped(rows: Sequence[dict[str, Any]], *keys: str) -> dict[Any, list[dict[str, Any]]]:
    """Return rows by the value of a column, or by the values of several, in their order."""
    found: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row[keys[0]] if len(keys) == 1 else tuple(row[key] for key in keys)].append(row)
    return dict(found)


def _doubts(rows: pl.DataFrame) -> dict[tuple[str, str], list[dict[str, Any]]]:
    return grouped(rows.to_dicts(), "importer", "mineral")
