"""Events as an iCalendar file (RFC 5545) that a calendar program can subscribe to.

Lines end in CRLF and are folded at 75 octets, text is escaped, and an event keeps its UID when its date moves, so that a
subscriber sees it moved and not twice. Nothing in it depends on when it was written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Final

OCTETS: Final = 75
_ESCAPED: Final = (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\n", "\\n"))


def ics(found: Mapping[str, Any]) -> str:
    """Return the events of `jobs.calendar.events` as one file; each is an event of a whole day."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Curbline//Calendar of export curbs//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "X-WR-CALNAME:Curbline: export curbs",
    ]
    for event in found["events"]:
        lines += _event(event, found["known_at"])
    return "".join(f"{part}\r\n" for line in [*lines, "END:VCALENDAR"] for part in folded(line))


def uid(event: Mapping[str, Any]) -> str:
    """Return a name that an event keeps in every run; its date is no part of it."""
    name = "|".join(str(event[part]) for part in ("kind", "subject_id", "clause", "event"))
    return f"{hashlib.sha256(name.encode()).hexdigest()[:32]}@curbline"


def _event(event: Mapping[str, Any], known_at: date) -> list[str]:
    day: date = event["event_date"]
    summary = f"Unverified: {event['event']}" if event["is_unverified"] else event["event"]
    return [
        "BEGIN:VEVENT",
        f"UID:{uid(event)}",
        f"DTSTAMP:{known_at:%Y%m%d}T000000Z",
        f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
        f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{escaped(summary)}",
        f"DESCRIPTION:{escaped(chr(10).join(_told(event)))}",
        f"CATEGORIES:{escaped(event['kind'])}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


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


def escaped(text: str) -> str:
    """Return a text value as RFC 5545 writes it (section 3.3.11)."""
    for plain, written in _ESCAPED:
        text = text.replace(plain, written)
    return text


def folded(line: str) -> list[str]:
    """Return a content line as physical lines of at most 75 octets; no character is cut in two (section 3.1)."""
    parts, part, size = [], "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > OCTETS:
            parts.append(part)
            part, size = " ", 1
        part, size = part + character, size + octets
    return [*parts, part]
