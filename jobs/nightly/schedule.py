"""The scheduler: it settles every start of every job once, each in a process of its own.

A job is a command of the same command line, started anew: a forked polars hangs, and a run that dies must not take
the scheduler with it. What is due is never a matter of timers but of what is settled: the starts of a job's cron line
after the last one that `schedule.jsonl` or the run ledger has. So nothing is doubled or lost by a restart, a clock
change, a machine that slept, or two timers that fire at once. Jobs run one at a time: all of them need the same lock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from jobs.errors import ExitCode
from jobs.nightly.started import Settled, StartedLog
from jobs.operating import RECALCULATION, JobSettings, ScheduleSettings, Started

log = logging.getLogger("curbline.schedule")
GOOD = (ExitCode.OK, ExitCode.WARNINGS)
#: Codes that the same command can end without on its next try. Failed checks and wrong settings wait for a person.
MAY_PASS = (ExitCode.INPUT, ExitCode.INTERNAL, ExitCode.BUSY)
#: The clock may jump, and a machine may sleep: nobody waits longer than this before looking at it again.
LONGEST_WAIT_S = 30.0

Clock = Callable[[], datetime]
#: Gives the days that are published as known on themselves, each with the time at which its last run began.
Published = Callable[[], Mapping[date, datetime]]


class Processes(Protocol):
    """Starts commands and waits; replaced in tests."""

    def run(self, arguments: Sequence[str], *, timeout_s: float) -> int:
        """Run a command and return its exit code; negative where a signal ended it."""

    def wait(self, seconds: float) -> None:
        """Wait, or return early where a stop was asked for."""

    @property
    def is_stopping(self) -> bool:
        """Whether a stop was asked for."""


@dataclass(frozen=True)
class Job:
    """A job, with the words of its command."""

    name: str
    how: Started
    command: tuple[str, ...]

    @property
    def is_recalculation(self) -> bool:
        """Whether it is told the day to score."""
        return self.name == RECALCULATION


@dataclass(frozen=True)
class Due:
    """A start that is not settled yet, and the day that it is about."""

    job: Job
    start: datetime
    day: date

    @property
    def arguments(self) -> list[str]:
        """The words of the command for this day."""
        first, *rest = self.job.command
        dated = ["--as-of", self.day.isoformat()] if self.job.is_recalculation else []
        return [first, *dated, *rest]


@dataclass(frozen=True)
class Tried:
    """A start that failed and is tried again, not before a time; its tries are counted, and its pauses double."""

    due: Due
    began_at: datetime
    not_before: datetime
    pause_s: float
    count: int


def jobs_of(
    settings: ScheduleSettings, run: Sequence[str], further: Callable[[JobSettings], tuple[str, ...]]
) -> list[Job]:
    """Return all jobs of the settings.

    Args:
        settings: The table `[schedule]`.
        run: Options passed on to `curbline run`.
        further: Gives the words of another job.
    """
    own = Job(RECALCULATION, settings, ("run", *run))
    return [own, *(Job(name, how, further(how)) for name, how in settings.jobs.items())]


@dataclass
class Scheduler:
    """The loop over what is due.

    Attributes:
        settings: Which missed nights are caught up.
        jobs: What is started.
        settled: What was started before.
        published: Asked for the newest published day.
        clock: Gives the time in UTC.
        processes: Starts commands.
    """

    settings: ScheduleSettings
    jobs: Sequence[Job]
    settled: StartedLog
    published: Published
    clock: Clock
    processes: Processes
    _began: datetime = field(init=False)
    _done: dict[str, datetime] = field(default_factory=dict, init=False)
    _again: dict[str, Tried] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._began = self.clock()

    def serve(self) -> None:
        """Settle what is due, and wait for what comes, until a stop is asked for."""
        while not self.processes.is_stopping:
            due = self.next_due()
            if due is None:
                self.processes.wait(min(LONGEST_WAIT_S, self._seconds_to_next()))
            else:
                self._settle(due)

    def next_due(self) -> Due | None:
        """Return what is due first; None where nothing is."""
        now = self.clock()
        due = [found for job in self.jobs for found in self._due(job, now)]
        return min(due, key=lambda one: one.start, default=None)

    def _due(self, job: Job, now: datetime) -> Iterator[Due]:
        """Yield what is due of a job: of its nights the missed ones, of others the last start alone."""
        tried = self._again.get(job.name)
        if tried is not None:  # other starts of the job wait until it is settled, those of other jobs do not
            if tried.not_before <= now:
                yield tried.due
            return
        starts, oldest = job.how.starts, now - timedelta(days=self.settings.catch_up_days)
        since = self._last(job, now)
        by_day = {starts.day_of(start): start for start in starts.between(max(since or oldest, oldest), now)}
        if not by_day:
            return
        one = since is None or not job.is_recalculation or self.settings.catch_up == "newest"
        wanted = sorted(by_day.items())[-1:] if one else sorted(by_day.items())
        if job.is_recalculation:
            # A run that outlived a scheduler that was killed settles its start by publishing, though nobody noted it.
            done = self.published()
            wanted = [(day, start) for day, start in wanted if day not in done or done[day] < start]
            if not wanted:
                self._done[job.name] = max(by_day.values())
        for day, start in wanted:
            yield Due(job, start, day)

    def _last(self, job: Job, now: datetime) -> datetime | None:
        """Return the last start that is settled; a new job other than the run begins with its next start."""
        known = [self.settled.newest(job.name, until=now), self._done.get(job.name)]
        new = None if job.is_recalculation else self._began
        return max((start for start in known if start is not None and start <= now), default=new)

    def _seconds_to_next(self) -> float:
        now = self.clock()
        starts = [job.how.starts.next(now) for job in self.jobs if job.name not in self._again]
        starts += [tried.not_before for tried in self._again.values()]
        return (min(starts) - now).total_seconds()

    def _settle(self, due: Due) -> None:
        """Start a command once, and note how it ended, or when it is tried again; a stop leaves it unsettled."""
        how = due.job.how
        now = self.clock()
        tried = self._again.pop(due.job.name, None) or Tried(due, now, now, how.retry_after_minutes * 60, 0)
        count = tried.count + 1
        code = self._try(due, f"try {count} of {how.retries + 1}")
        if self.processes.is_stopping and code not in GOOD:
            return
        if (code < 0 or code in MAY_PASS) and count <= how.retries:
            later = self.clock() + timedelta(seconds=tried.pause_s)
            log.info("%s for %s is tried again in %.0f s", due.job.name, due.day, tried.pause_s)
            self._again[due.job.name] = Tried(due, tried.began_at, later, tried.pause_s * 2, count)
            return
        self.settled.append(
            Settled(due.job.name, due.start, due.day.isoformat(), tried.began_at, self.clock(), code, count)
        )

    def _try(self, due: Due, which: str) -> int:
        log.info("%s for %s starts (%s)", due.job.name, due.day, which)
        code = self.processes.run(due.arguments, timeout_s=due.job.how.timeout_minutes * 60)
        level = logging.INFO if code in GOOD else logging.ERROR
        log.log(level, "%s for %s ended with exit code %d", due.job.name, due.day, code)
        return code
