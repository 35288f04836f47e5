"""The calendar as a person reads it: what is unverified first, then what is ahead, then what has just passed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from ground.counted import counted
from jobs.explain.text import amount
from jobs.tables import as_table

NAMED_MINERALS = 3
_COLUMNS = ("date", "days", "whose", "event", "minerals", "lanes", "t a year", "USD a year")


def as_text(found: Mapping[str, Any]) -> Group:
    """Lay out what `jobs.calendar.events.events` collected."""
    events = found["events"]
    known = "" if found["known_at"] == found["as_of"] else f", as known on {found['known_at']}"
    parts: list[RenderableType] = [
        Text(f"Calendar on {found['as_of']}{known}, {found['days']} days ahead", style="bold"),
        Text(),
    ]
    unverified = [event for event in events if event["is_unverified"]]
    others = [event for event in events if not event["is_unverified"]]
    if unverified:
        parts += [
            Text(f"Unverified: {counted(len(unverified), 'state')} lapsed, and no successor is known", style="bold"),
            as_table((*_COLUMNS[:-1], _COLUMNS[-1], "last confirmed"), [(*_row(one), _confirmed(one)) for one in unverified]),
            *_notes(unverified, "what_is_open", "Open"),
            *_notes(unverified, "what_would_settle", "Would settle it"),
            *_reports(unverified),
            Text(),
        ]  # fmt: skip
    for title, some in (
        ("Ahead", [one for one in others if one["days_left"] > 0]),
        ("Today and just passed", [one for one in others if one["days_left"] <= 0]),
    ):
        if some:
            parts += [
                Text(title, style="bold"),
                as_table(_COLUMNS, [_row(one) for one in some]),
                *_reports(some),
                Text(),
            ]
    parts += _ways(found.get("ways"))
    if not events:
        parts += [Text("Nothing is dated within this time."), Text()]
    return Group(*parts[:-1])


def _ways(rows: Sequence[Mapping[str, Any]] | None) -> list[RenderableType]:
    if not rows:
        return []
    shown = [
        (
            row["event_date"], row["country"], ", ".join(row["notices"]), counted(len(row["minerals"]), "mineral"),
            _known(row["base_missing_usd"]),
            *(_way(row["base_missing_usd"], row[f"missing_usd_{way}"]) for way in ("if_binding", "if_not")),
        )
        for row in rows
    ]  # fmt: skip
    columns = ("date", "whose", "measures", "reached", "missing now, USD", "if they bind", "if not")
    title = f"Either way: what everybody is expected to miss within {rows[0]['horizon_days']} days"
    return [Text(title, style="bold"), as_table(columns, shown), Text()]


def _row(event: Mapping[str, Any]) -> tuple[object, ...]:
    minerals: Sequence[str] = event["minerals"] or ()
    named = ", ".join("all" if one == "*" else one for one in minerals[:NAMED_MINERALS])
    more = f" and {len(minerals) - NAMED_MINERALS} more" if len(minerals) > NAMED_MINERALS else ""
    return (
        event["event_date"], event["days_left"], event["country"] or "", event["event"], named + more,
        event["lane_count"] or "", _amount(event["route_t"]), _amount(event["route_usd"]),
    )  # fmt: skip


def _way(base: float | None, value: float | None) -> str:
    return "the same" if value is not None and value == base else _known(value)


def _known(value: float | None) -> str:
    return "?" if value is None else amount(value)


def _amount(value: float | None) -> str:
    return "" if value is None else amount(value)


def _confirmed(event: Mapping[str, Any]) -> str:
    return f"{event['last_confirmed_on']}, {event['last_confirmed_by'] or 'source not named'}"


def _notes(events: Sequence[Mapping[str, Any]], column: str, title: str) -> list[Text]:
    """Say each note once, with all whom it is about."""
    said: dict[str, list[str]] = {}
    for event in events:
        if event[column]:
            said.setdefault(event[column], []).append(event["notice"])
    return [Text(f"{title}, {', '.join(dict.fromkeys(notices))}: {note}.") for note, notices in said.items()]


def _reports(events: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    """Lay reports that differ out side by side, with their sources."""
    rows = [
        (
            event["notice"], "followed" if one["is_followed"] else "differs", one["state"].replace("_", " "),
            one["valid_from"], one["valid_to"] or "", one["known_from"], one["publisher"] or one["source_id"], one["url"] or "",
        )
        for event in events
        for one in event.get("reports") or ()
    ]  # fmt: skip
    if not rows:
        return []
    columns = ("notice", "the calendar", "state", "from", "to before", "known from", "source", "address")
    return [Text("Reports that differ", style="italic"), as_table(columns, list(dict.fromkeys(rows)))]
