"""What is worth waking for, as an output folder stands: conditions that last, and changes since the last look."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import BaseModel, Field

from ground.words import MAIN_HORIZON
from jobs.marts import MAIN_REGIME, UNKNOWN_BAND
from jobs.operating import AlertSettings
from jobs.output.layout import Layout, Snapshot
from jobs.output.seal import damage_of
from jobs.ports import Reader
from warehouse.database import Database
from warehouse.errors import DataError

SUSPENSION = "suspension"
#: Stands for every exporter of an importer's total, and for all importers.
ALL = "*"
#: So many runs are remembered, for a pointer that is led back and forth.
RUNS_KEPT = 100
_BAND = f"coalesce({MAIN_REGIME}_band, '{UNKNOWN_BAND}') AS band"
_ROUTES = f"""
SELECT concat_ws(' ', mineral, stage, exporter, importer) AS lane, {_BAND} FROM mart.route_score
WHERE horizon_days = {MAIN_HORIZON} AND list_contains($named, concat_ws(' ', mineral, stage, exporter, importer))
ORDER BY lane
"""
_TOTALS = f"""
SELECT concat_ws(' ', mineral, stage, '{ALL}', importer) AS lane, {_BAND} FROM mart.importer_score
WHERE horizon_days = {MAIN_HORIZON} AND list_contains($named, importer)
ORDER BY lane
"""
_MISSING = f"""
SELECT importer, expected_missing_usd FROM mart.exposure
WHERE mineral = '{ALL}' AND stage = '{ALL}' AND horizon_days = {MAIN_HORIZON} AND regime = '{MAIN_REGIME}'
    AND list_contains($named, importer)
ORDER BY importer
"""
_MOVED = f"""
SELECT
    (SELECT count(DISTINCT (mineral, stage, exporter, importer)) FROM mart.score_change
     WHERE exporter <> '{ALL}' AND horizon_days = {MAIN_HORIZON} AND regime = '{MAIN_REGIME}')::BIGINT AS moved,
    (SELECT count(*) FROM mart.route_score WHERE horizon_days = {MAIN_HORIZON})::BIGINT AS routes,
    (SELECT since_run_id FROM meta.run) AS since
"""
_ENDING = """
SELECT measure_id, clause, event, event_date FROM mart.calendar
WHERE kind = 'measure' AND state_before = 'suspended' AND event_date BETWEEN $first AND $last
ORDER BY event_date, measure_id, clause
"""


@dataclass(frozen=True)
class Alert:
    """One reason to look.

    Attributes:
        key: what it is about; a lasting one is told once for as long as it holds.
        kind: as a person calls it, for the title.
        reason: a sentence with its figures.
        command: what to run to look closer.
        lasting: whether it is a condition that holds or not, instead of a change that happened.
    """

    key: str
    kind: str
    reason: str
    command: str
    lasting: bool = True


class Seen(BaseModel):
    """What the published file said when it was last looked at.

    Attributes:
        bands: bands of the watched routes and importer totals, by their keys in one line.
        missing_usd: the lowest money missing since it was last told, by importer (USD).
        runs: runs whose moves were looked at, the newest last.
    """

    bands: dict[str, str] = Field(default_factory=dict)
    missing_usd: dict[str, float] = Field(default_factory=dict)
    runs: list[str] = Field(default_factory=list)


@dataclass
class Found:
    """What was found.

    Attributes:
        alerts: lasting ones that hold now, and changes since `Seen`.
        seen: what is to be remembered for the next look.
        notes: what could not be looked at.
        is_read: whether the published file could be read, so that what it does not say does not hold.
    """

    alerts: list[Alert]
    seen: Seen
    notes: list[str] = field(default_factory=list)
    is_read: bool = False


def find(layout: Layout, settings: AlertSettings, seen: Seen, now: datetime) -> Found:
    """Look at an output folder; nothing in it is changed.

    Args:
        layout: the output folder.
        settings: what is watched, and how far it may move.
        seen: what the last look remembered.
        now: the time, in UTC.
    """
    at = f"--out {shlex.quote(str(layout.root))}"
    found = Found(list(_of_runs(layout, settings, now, at)), seen.model_copy(deep=True))
    pointed = layout.pointed()
    if pointed is None:
        found.notes.append(
            "nothing is published yet, so that no route, importer or suspension was looked at."
        )
        return found
    damage = damage_of(pointed.path)
    try:
        if damage is None:
            with Database.open(pointed.path, read_only=True) as reader:
                _of_night(reader, pointed, settings, found, now.date(), at)
                found.is_read = True
    except DataError as problem:
        damage = f"cannot be read: {problem}"
    if damage is not None:
        reason = f"The published file {pointed.path.name} {damage}."
        found.alerts.append(
            Alert(f"damage:{pointed.run_id}", "published file damaged", reason, f"curbline verify {at}")
        )
    return found


def _of_runs(layout: Layout, settings: AlertSettings, now: datetime, at: str) -> list[Alert]:
    health = _health(layout)
    succeeded = health.get("last_success_at")
    found = []
    if settings.failure and health.get("healthy") is False:
        reason = (
            f"The run for {health.get('as_of')} ended with {health.get('exit_code')}: {health.get('message')}"
        )
        found.append(Alert(f"failure:{succeeded}", "the nightly run failed", reason, f"curbline status {at}"))
    if settings.no_success_hours is not None:
        hours = settings.no_success_hours
        moment = _moment(succeeded)
        if moment is None or now - moment > timedelta(hours=hours):
            last = f"the last one was at {moment:%Y-%m-%d %H:%M} UTC" if moment else "none is on record"
            reason = f"No run has succeeded for {hours:g} hours; {last}."
            found.append(
                Alert(f"no_success:{succeeded}", "no successful run", reason, f"curbline status {at}")
            )
    return found


def _health(layout: Layout) -> dict[str, Any]:
    """Return what the last run told; nothing where that cannot be read, which is no success either."""
    try:
        read = json.loads(layout.health.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def _moment(written: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(written))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _of_night(
    reader: Reader, night: Snapshot, settings: AlertSettings, found: Found, today: date, at: str
) -> None:
    found.alerts += _suspensions(reader, settings, today, at)
    seen = found.seen
    bands: dict[str, str] = {}
    for query, named in ((_ROUTES, settings.routes), (_TOTALS, settings.importers)):
        if named:
            bands |= dict(reader.query(query, {"named": list(named)}).iter_rows())
    absent = [lane for lane in settings.routes if lane not in bands]
    absent += [code for code in settings.importers if not any(lane.endswith(f" {code}") for lane in bands)]
    found.notes += [f"'{name}' is watched, and is not in {night.path.name}." for name in absent]
    for lane, band in bands.items():
        was = seen.bands.get(lane, band)
        if was != band:
            words = ["all" if word == ALL else word for word in lane.split()]
            reason = f"{' '.join(words)}: the band is {band}, it was {was} (as of {night.as_of})."
            command = f"curbline explain {' '.join(words)} {at}"
            key = f"band:{lane}:{night.run_id}"
            found.alerts.append(Alert(key, "a band changed", reason, command, lasting=False))
    watched = {*settings.routes, *bands}
    seen.bands = {lane: band for lane, band in {**seen.bands, **bands}.items() if lane in watched}
    _missing(reader, night, settings, found, at)
    if night.run_id not in seen.runs:
        _moves(reader, night, settings, found, at)
        seen.runs = [*seen.runs, night.run_id][-RUNS_KEPT:]


def _suspensions(reader: Reader, settings: AlertSettings, today: date, at: str) -> list[Alert]:
    """Return the suspensions that end soon, each under the narrowest of the settings' days that it falls into."""
    if not settings.suspension_days:
        return []
    most = max(settings.suspension_days)
    ending = reader.query(_ENDING, {"first": today, "last": today + timedelta(days=most)})
    found = []
    for row in ending.iter_rows(named=True):
        left = (row["event_date"] - today).days
        days = min(one for one in settings.suspension_days if one >= left)
        key = f"{SUSPENSION}:{row['measure_id']}:{row['clause']}:{row['event_date']}:{days}"
        when = "today" if left == 0 else "tomorrow" if left == 1 else f"in {left} days"
        reason = f"A suspension ends {when}, on {row['event_date']}: {row['event']}."
        found.append(Alert(key, "a suspension is ending", reason, f"curbline calendar --days {most} {at}"))
    return found


def _missing(reader: Reader, night: Snapshot, settings: AlertSettings, found: Found, at: str) -> None:
    if settings.missing_usd_up is None:
        found.seen.missing_usd = {}
        return
    lowest = found.seen.missing_usd
    named = [ALL, *settings.importers]
    rows = reader.query(_MISSING, {"named": named}).drop_nulls()
    for importer in sorted({*named} - {*rows["importer"]}):
        found.notes.append(f"{night.path.name} does not say how much is missing of importer '{importer}'.")
    for importer, usd in rows.iter_rows():
        was = lowest.get(importer, usd)
        if usd - was <= settings.missing_usd_up:
            lowest[importer] = min(was, usd)  # so that a slow rise is told in the end
            continue
        lowest[importer] = usd
        who = "all importers" if importer == ALL else importer
        reason = (
            f"{who}: {usd:,.0f} USD are expected to be missing over {MAIN_HORIZON} days, {usd - was:,.0f} more than at "
            f"the lowest since this was last told (as of {night.as_of})."
        )
        key = f"missing_usd:{importer}:{night.run_id}"
        command = f"curbline doubt {at}" if importer == ALL else f"curbline doubt {importer} {at}"
        found.alerts.append(Alert(key, "more money is missing", reason, command, lasting=False))
    found.seen.missing_usd = {name: usd for name, usd in lowest.items() if name in named}


def _moves(reader: Reader, night: Snapshot, settings: AlertSettings, found: Found, at: str) -> None:
    if settings.moved_share is None:
        return
    moved, routes, since = reader.query(_MOVED).row(0)
    if since is None or not routes or moved <= settings.moved_share * routes:
        return
    reason = f"{moved:,} of {routes:,} routes moved ({moved / routes:.1%}) since the night before (as of {night.as_of})."
    command = f"curbline diff {since} {night.run_id} {at}"
    found.alerts.append(Alert(f"moved:{night.run_id}", "many routes moved", reason, command, lasting=False))
