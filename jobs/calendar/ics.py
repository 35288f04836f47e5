"""Events as an iCalendar file (RFC 5545) that a calendar program can subscribe to.

An event keeps its UID when its date moves, so that a subscriber sees it moved and not twice. Nothing in it depends on
when it was written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from icalendar import Calendar, Event


def ics(found: Mapping[str, Any]) -> str:
    """Return the events of `jobs.calendar.events` as one file; each is an event of a whole day."""
    calendar = Calendar()
    for name, value in (
        ("VERSION", "2.0"),
        ("PRODID", "-//Curbline//Calendar of export curbs//EN"),
        ("CALSCALE", "GREGORIAN"),
        ("METHOD", "PUBLISH"),
        ("X-WR-CALNAME", "Curbline: export curbs"),
    ):
        calendar.add(name, value)
    for event in found["events"]:
        calendar.add_component(_event(event, found["known_at"]))
    written: str = calendar.to_ical(sorted=False).decode()
    return written


def uid(event: Mapping[str, Any]) -> str:
    """Return a name that an event keeps in every run; its date is no part of it."""
    name = "|".join(str(event[part]) for part in ("kind", "subject_id", "clause", "event"))
    return f"{hashlib.sha256(name.encode()).hexdigest()[:32]}@curbline"


def _event(event: Mapping[str, Any], known_at: date) -> Event:
    day: date = event["event_date"]
    written = Event()
    for name, value in (
        ("UID", uid(event)),
        ("DTSTAMP", datetime.combine(known_at, time(), UTC)),
        ("DTSTART", day),
        ("DTEND", day + timedelta(days=1)),
        ("SUMMARY", f"Unverified: {event['event']}" if event["is_unverified"] else event["event"]),
        ("DESCRIPTION", "\n".join(_told(event))),
        ("CATEGORIES", [event["kind"]]),
        ("TRANSP", "TRANSPARENT"),
    ):
        written.add(name, value)
    return written


def _told(event: Mapping[str, Any]) -> Iterable[str]:
    if event["minerals"]:
        yield f"Minerals: {', '.join(event['minerals'])}"
    if event["lane_count"]:
        money = "" if event["route_usd"] is None else f", {event['route_usd']:,.0f} USD a year"
        yield f"Lanes: {event['lane_count']}{money}"
    if event["last_confirmed_by"]:
        yield f"Last confirmed: {event['last_confirmed_on']}, {event['last_confirmed_by']}"
    if event["what_is_open"]:
        yield f"Open: {event['what_is_open']}"
    for other in event["other_reports"] or ():
        yield f"Also reported: {other}"
    if event["what_would_settle"]:
        yield f"Would settle it: {event['what_would_settle']}"
