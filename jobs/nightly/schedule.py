"""The nightly start: a scheduler that only ever starts `python -m jobs.cli run` as a process of its own.

The run itself is a subprocess, since a forked polars hangs and since a run that dies must not take the scheduler
with it. Jobs are defined here, in memory: a stored job would run once per scheduler that shares the store. What
matters across restarts, which day was published last, is in the output folder.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from types import FrameType

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger

from jobs.cron import check_cron
from jobs.errors import ExitCode, SettingsError

log = logging.getLogger("curbline.schedule")
LOOK_BACK = timedelta(days=35)  # a monthly line has one start within it

Launch = Callable[[Sequence[str]], int]


def launch(arguments: Sequence[str]) -> int:
    """Start a run in a session of its own and wait for it.

    Its own session keeps Ctrl-C from reaching the run: the scheduler stops, the run ends as it would have.
    """
    return subprocess.run(
        [sys.executable, "-m", "jobs.cli", *arguments], check=False, start_new_session=True
    ).returncode


def run_once(arguments: Sequence[str], *, clock: Callable[[], datetime], start: Launch = launch) -> int:
    """Start one run for today's UTC date and log how it ended."""
    today = clock().date()
    log.info("run for %s starts", today)
    code = start(["run", "--as-of", today.isoformat(), *arguments])
    level = logging.INFO if code in (ExitCode.OK, ExitCode.WARNINGS) else logging.ERROR
    log.log(level, "run for %s ended with exit code %d", today, code)
    return code


def is_overdue(trigger: CronTrigger, *, now: datetime, last_as_of: date | None) -> bool:
    """Say whether a start has been missed since the day that was published last.

    Args:
        trigger: The cron line.
        now: The time in UTC.
        last_as_of: The day behind the pointer; None where nothing is published, which is overdue once a start has
            passed.
    """
    since = now - LOOK_BACK
    if last_as_of is not None:
        since = max(
            since, datetime(last_as_of.year, last_as_of.month, last_as_of.day, tzinfo=UTC) + timedelta(days=1)
        )
    missed = trigger.get_next_fire_time(None, since)
    return missed is not None and missed <= now


def make_scheduler(
    cron: str,
    arguments: Sequence[str],
    *,
    clock: Callable[[], datetime],
    start: Launch = launch,
    catch_up: bool = False,
) -> BlockingScheduler:
    """Build the scheduler.

    Args:
        cron: Five fields, UTC, weekdays by name.
        arguments: Options passed on to `curbline run`.
        clock: Gives the time in UTC.
        start: Starts the process; replaced in tests.
        catch_up: Start one run at once, because one was missed.

    Raises:
        SettingsError: The cron line is refused.
    """
    trigger = _trigger(cron)
    scheduler = BlockingScheduler(timezone="UTC")
    # A late start still runs (grace None), several missed ones run once (coalesce), and never two side by side.
    how = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}

    def job() -> None:
        run_once(arguments, clock=clock, start=start)

    scheduler.add_job(job, trigger, id="nightly", name="curbline run", **how)
    if catch_up:
        scheduler.add_job(
            job, DateTrigger(clock(), timezone="UTC"), id="catch-up", name="curbline run (missed)", **how
        )
    return scheduler


def serve(scheduler: BlockingScheduler) -> None:
    """Run until SIGTERM or Ctrl-C; a run under way is waited for, then the process ends with 0."""
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        stopping.set()
        log.info("%s: no further run starts; one under way is waited for", signal.Signals(number).name)
        # shutdown(wait=True) would block the signal handler, and with it the scheduler, so another thread asks.
        threading.Thread(target=scheduler.shutdown, kwargs={"wait": True}, name="shutdown").start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    try:
        scheduler.start()
    except JobLookupError:
        # The stop emptied the list of jobs in the moment in which the missed run was taken off it.
        if not stopping.is_set():
            raise


def next_starts(cron: str, *, now: datetime, count: int = 3) -> list[datetime]:
    """Return the next starts of a cron line, in UTC.

    Raises:
        SettingsError: The cron line is refused.
    """
    trigger = _trigger(cron)
    starts: list[datetime] = []
    moment: datetime | None = now
    while len(starts) < count and moment is not None:
        moment = trigger.get_next_fire_time(None, moment)
        if moment is not None:
            starts.append(moment)
            moment += timedelta(seconds=1)
    return starts


def _trigger(cron: str) -> CronTrigger:
    try:
        return check_cron(cron)
    except ValueError as problem:
        raise SettingsError(f"{problem}.") from problem
