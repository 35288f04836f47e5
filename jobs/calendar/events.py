"""The events of a published calendar that somebody asks for."""

from __future__ import annotations

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
        `days_left`, negative where they have passed.

    Raises:
        SettingsError: no such country or mineral.
    """
    run = reader.query(_RUN).row(0, named=True)
    country = country_code(reader, "country", wanted.country) if wanted.country else None
    mineral = _mineral(reader, wanted.mineral)
    asked = {"passed": PASSED_DAYS, "days": wanted.days, "country": country, "mineral": mineral}
    return {**run, "days": wanted.days, "mineral": mineral, "events": reader.query(_EVENTS, asked).to_dicts()}


def _mineral(reader: Reader, written: str | None) -> str | None:
    if written is None:
        return None
    known = reader.query(_MINERALS)["mineral"].to_list()
    name = written.lower().replace(" ", "_").replace("-", "_")
    if name not in known:
        raise SettingsError(f"unknown mineral '{written}'{did_you_mean(written, known)}")
    return name
