"""The events of a published calendar that somebody asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.errors import SettingsError
from jobs.places import country_code
from jobs.ports import Reader
from jobs.suggest import did_you_mean

#: Days back that are still news.
PASSED_DAYS = 30
_EVENTS = """
SELECT c.*, (c.event_date - r.as_of)::BIGINT AS days_left
FROM mart.calendar c CROSS JOIN meta.run r
WHERE (c.is_unverified OR c.event_date - r.as_of BETWEEN -$passed AND $days)
    AND ($country IS NULL OR c.country = $country)
    AND ($mineral IS NULL OR list_has_any(c.minerals, [$mineral, '*']))
ORDER BY NOT c.is_unverified, c.event_date, c.kind, c.subject_id, c.clause, c.event
"""
_RUN = "SELECT run_id, as_of, known_at, curbing_country FROM meta.run"
_STATED = """
SELECT k.destination, k.state, k.valid_from, k.valid_to, k.source_id, s.publisher, s.title, s.url, k.known_from
FROM core.measure_states k LEFT JOIN core.sources s USING (source_id)
WHERE k.measure_id = $measure_id AND k.clause = $clause
ORDER BY k.known_from, k.source_id, k.valid_from, k.destination
"""
_MINERALS = "SELECT mineral FROM core.minerals ORDER BY 1"


@dataclass(frozen=True)
class Wanted:
    """Which events: up to so many days ahead, of one country's measures and promises, of one mineral."""

    days: int = 90
    country: str | None = None
    mineral: str | None = None


def events(reader: Reader, wanted: Wanted) -> dict[str, Any]:
    """Collect the events of a published file, what is unverified first.

    Returns:
        The run (run_id, as_of, known_at, curbing_country), `days`, `mineral`, and `events`: rows of `mart.calendar` with
        `days_left`, negative where they have passed, and `reports`, see `reports_on`.

    Raises:
        SettingsError: no such country or mineral.
    """
    run = reader.query(_RUN).row(0, named=True)
    country = country_code(reader, "country", wanted.country) if wanted.country else None
    mineral = _mineral(reader, wanted.mineral)
    asked = {"passed": PASSED_DAYS, "days": wanted.days, "country": country, "mineral": mineral}
    found = reader.query(_EVENTS, asked).to_dicts()
    told = [{**event, "reports": reports_on(reader, event)} for event in found]
    return {**run, "days": wanted.days, "mineral": mineral, "events": told}


def reports_on(reader: Reader, event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of the ledger that differ on an event's date, the one that the calendar follows first.

    Each has destination, state, valid_from, valid_to (the first day after it), source_id, publisher, title, url, known_from and
    is_followed; there is none where nothing differs.
    """
    if not event["other_reports"]:
        return []
    about = {name: event[name] for name in ("measure_id", "clause")}
    rows = reader.query(_STATED, about).to_dicts()
    followed = [
        row
        for row in rows
        if row["source_id"] == event["source_id"]
        and event["event_date"] in (row["valid_from"], row["valid_to"])
    ]
    others = [row for row in rows if any(_differs(row, one) for one in followed)]
    return [
        {**row, "is_followed": is_followed}
        for some, is_followed in ((followed, True), (others, False))
        for row in some
    ]


def _differs(row: Mapping[str, Any], followed: Mapping[str, Any]) -> bool:
    """Return whether another source gives the same state another start or term, as `mart.calendar` counts it."""
    same = all(row[name] == followed[name] for name in ("destination", "state"))
    ends = [row[name] == followed[name] for name in ("valid_from", "valid_to")]
    return same and row["source_id"] != followed["source_id"] and ends[0] != ends[1]


def _mineral(reader: Reader, written: str | None) -> str | None:
    if written is None:
        return None
    known = reader.query(_MINERALS)["mineral"].to_list()
    name = written.lower().replace(" ", "_").replace("-", "_")
    if name not in known:
        raise SettingsError(f"unknown mineral '{written}'{did_you_mean(written, known)}")
    return name
