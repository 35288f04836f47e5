import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, date, datetime
from pathlib import Path
from typing import cast

import pytest
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.blocking import BlockingScheduler

from jobs.cli import main
from jobs.cron import check_cron
from jobs.errors import SettingsError
from jobs.nightly.schedule import is_overdue, make_scheduler, next_starts, run_once, serve

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def clock() -> datetime:
    return NOW


def test_days_by_name_are_the_days_meant() -> None:
    starts = next_starts("30 2 * * mon-fri", now=datetime(2026, 11, 27, 12, 0, tzinfo=UTC))
    assert [f"{start:%a %Y-%m-%d %H:%M %Z}" for start in starts] == [
        "Mon 2026-11-30 02:30 UTC", "Tue 2026-12-01 02:30 UTC", "Wed 2026-12-02 02:30 UTC",
    ]  # fmt: skip


@pytest.mark.parametrize("day", ["0", "1-5", "7", "mon-5", "*/2", "sunday", "mon-fri/2"])
def test_a_numbered_or_misspelt_weekday_is_refused(day: str) -> None:
    with pytest.raises(SettingsError, match=rf"day of week '{day.replace('*', '.')}' is refused.*mon-fri"):
        next_starts(f"30 2 * * {day}", now=NOW)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("30 2 * *", "five fields"),
        ("", "five fields"),
        ("@daily", "five fields"),
        ("99 2 * * *", "not a cron line"),
        ("x 2 * * *", "not a cron line"),
        (
            "0 2 30 2 *",
            "'0 2 30 2 .' never starts a run, since no month that it names has a day that it names",
        ),
        ("0 2 31 4,6,9,11 *", "never starts a run"),
    ],
)
def test_other_mistakes_are_sentences(line: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        make_scheduler(line, [], clock=clock)


def test_a_leap_day_is_a_day() -> None:
    assert next_starts("0 2 29 2 *", now=NOW)[0].date() == date(2028, 2, 29)


def test_a_line_that_starts_no_run_ends_at_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["schedule", "--cron", "0 2 30 2 *", "--out", str(tmp_path / "out")]) == 40
    assert "never starts a run" in capsys.readouterr().err


def test_names_may_be_written_large() -> None:
    assert next_starts("0 2 * * SUN", now=NOW)[0].date() == date(2026, 11, 29)


def test_a_late_start_still_runs_once() -> None:
    scheduler = make_scheduler("30 2 * * *", [], clock=clock)
    job = scheduler._pending_jobs[0][0]
    assert job.misfire_grace_time is None
    assert job.coalesce is True
    assert job.max_instances == 1
    assert str(job.trigger.timezone) == "UTC"


def test_the_run_is_told_its_day() -> None:
    started: list[Sequence[str]] = []

    def start(arguments: Sequence[str]) -> int:
        started.append(arguments)
        return 20

    assert run_once(["--out", "tables"], clock=clock, start=start) == 20
    assert started == [["run", "--as-of", "2026-11-23", "--out", "tables"]]


@pytest.mark.parametrize(
    ("last", "overdue"),
    [(None, True), (date(2026, 11, 21), True), (date(2026, 11, 22), True), (date(2026, 11, 23), False)],
)
def test_a_missed_start_is_caught_up(last: date | None, overdue: bool) -> None:
    assert is_overdue(check_cron("30 2 * * *"), now=NOW, last_as_of=last) is overdue


def test_before_the_first_start_nothing_is_overdue() -> None:
    weekly = check_cron("30 2 * * mon")
    tuesday = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    assert not is_overdue(weekly, now=tuesday, last_as_of=date(2026, 11, 23))


SERVE = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from jobs.nightly.schedule import make_scheduler, serve

def start(arguments):
    Path(sys.argv[1], "started").touch()
    time.sleep(1.0)
    Path(sys.argv[1], "ended").touch()
    return 0

scheduler = make_scheduler("0 0 1 1 *", [], clock=lambda: datetime.now(UTC), start=start, catch_up=True)
serve(scheduler)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_waits_for_the_run_and_ends_with_0(tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(tmp_path)], stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + 20
    while not (tmp_path / "started").exists():
        assert time.monotonic() < until, "the scheduler did not start the run"
        time.sleep(0.05)
    os.kill(process.pid, number)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, (tmp_path / "ended").exists()) == (0, True), errors


class _Emptied:
    """A scheduler whose list of jobs is emptied while it takes the missed run off it."""

    def __init__(self, *, is_stopped: bool) -> None:
        self.is_stopped = is_stopped

    def start(self) -> None:
        if self.is_stopped:
            signal.raise_signal(signal.SIGTERM)
        raise JobLookupError("catch-up")

    def shutdown(self, *, wait: bool) -> None:
        assert wait


@pytest.mark.parametrize("is_stopped", [True, False])
def test_a_stop_in_the_moment_in_which_a_missed_run_starts(*, is_stopped: bool) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    scheduler = cast("BlockingScheduler", _Emptied(is_stopped=is_stopped))
    try:
        with nullcontext() if is_stopped else pytest.raises(JobLookupError):
            serve(scheduler)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
