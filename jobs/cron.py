"""Cron lines: five fields, days of the week by name only, and the moments at which they start something."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

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
    as 0, so a number would run on another day than its writer meant. Days of the month and of the week together
    are refused too: classic cron starts on either, the scheduler only on days that are both.

    Raises:
        ValueError: The line has not five fields, numbers its weekdays, names days of the month and of the week,
            holds a value out of range, or names days that the calendar does not have, such as 30 February.
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
    if weekday != "*" and fields[2] != "*":
        raise ValueError(
            f"'{line}' names days of the month and of the week, which crontab reads as either and others as both; "
            "name one kind, and write * for the other"
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


#: A clock change moves the hands by an hour, in the past by two, so that a start is looked for this far around it.
_CHANGE = timedelta(hours=3)
#: Whose offsets decide whether a zone is ahead of UTC at a start; a fixed one, so that the answer never changes.
_THIS_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Starts:
    """The moments of a cron line on the clocks of a zone.

    Every time that the line names on the wall gives one start. A time that the clock skips starts by the hands of
    before the change (02:30 is then 03:30), and a time that comes twice starts the first time.
    """

    line: str
    zone: ZoneInfo

    @classmethod
    def of(cls, line: str, zone: str = "UTC") -> Self:
        """Check a line; see `check_cron` for what is refused."""
        check_cron(line)
        return cls(line, ZoneInfo(zone))

    @cached_property
    def _trigger(self) -> CronTrigger:
        return check_cron(self.line)

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Yield the starts after a moment, in UTC and in order."""
        last = moment.astimezone(UTC)
        # The wall is kept as if it were UTC, which has no clock changes.
        wall: datetime | None = last.astimezone(self.zone).replace(tzinfo=UTC) - _CHANGE
        while (wall := self._trigger.get_next_fire_time(None, wall)) is not None:
            start = wall.replace(tzinfo=self.zone, fold=0).astimezone(UTC)
            if start > last:
                last = start
                yield start
            wall += timedelta(seconds=1)

    def between(self, after: datetime, until: datetime) -> list[datetime]:
        """Return the starts after one moment and up to another, in UTC."""
        found: list[datetime] = []
        for start in self.after(after):
            if start > until:
                break
            found.append(start)
        return found

    def next(self, after: datetime) -> datetime:
        """Return the first start after a moment, in UTC."""
        return next(self.after(after))

    def day_of(self, start: datetime) -> date:
        """Return the day that a start is about: its date on the wall, and one before that where UTC is behind.

        A date of the wall comes once a day, whatever the clocks do. East of UTC an early start has a date that UTC
        has not reached, which would be a day to come; then every start of the line is about the day before.
        """
        return start.astimezone(self.zone).date() - timedelta(days=self._is_ahead)

    @cached_property
    def _is_ahead(self) -> bool:
        first = self._trigger.get_next_fire_time(None, _THIS_YEAR)
        earliest = timedelta(
            hours=first.hour, minutes=first.minute
        )  # the same on every day that the line names
        months = (_THIS_YEAR.replace(month=month, tzinfo=self.zone) for month in range(1, 13))
        return any((month.utcoffset() or timedelta()) > earliest for month in months)
