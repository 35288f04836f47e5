"""Cron lines: five fields, UTC, and days of the week by name only."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

DEFAULT_CRON = "30 2 * * *"
#: A line that starts no run after this day starts none at all: the calendar repeats itself every 400 years.
_ANY_DAY = datetime(2001, 1, 1, tzinfo=UTC)
FIELDS = ("minute", "hour", "day of month", "month", "day of week")
WEEKDAYS = re.compile(r"^(mon|tue|wed|thu|fri|sat|sun)([-,](mon|tue|wed|thu|fri|sat|sun))*$", re.IGNORECASE)


def check_cron(line: str) -> CronTrigger:
    """Return the trigger of a cron line, in UTC.

    Days of the week are accepted by name only: classic cron counts Sunday as 0 and the scheduler counts Monday
    as 0, so a number would run on another day than its writer meant. UTC, since local time skips or repeats the
    hour of a clock change.

    Raises:
        ValueError: The line has not five fields, numbers its weekdays, holds a value out of range, or names days
            that the calendar does not have, such as 30 February.
    """
    # Settings check their line by this function, and no other command should wait for the scheduler's import.
    from apscheduler.triggers.cron import CronTrigger

    fields = line.split()
    if len(fields) != len(FIELDS):
        raise ValueError(
            f"a cron line has five fields ({', '.join(FIELDS)}), this has {len(fields)}; for 02:30 UTC write '{DEFAULT_CRON}'"
        )
    weekday = fields[4]
    if weekday != "*" and not WEEKDAYS.match(weekday):
        raise ValueError(
            f"day of week '{weekday}' is refused, since numbers mean different days in different schedulers; "
            "write names, such as mon-fri or sat,sun"
        )
    try:
        trigger = CronTrigger.from_crontab(line.lower(), timezone="UTC")
    except ValueError as problem:
        raise ValueError(f"'{line}' is not a cron line: {problem}") from problem
    if trigger.get_next_fire_time(None, _ANY_DAY) is None:
        raise ValueError(
            f"'{line}' never starts a run, since no month that it names has a day that it names; "
            f"for 02:30 UTC of every day write '{DEFAULT_CRON}'"
        )
    return trigger
