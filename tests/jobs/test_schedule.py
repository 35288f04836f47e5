import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from jobs.cli import main
from jobs.cron import Starts, check_cron
from jobs.nightly.process import Commands
from jobs.nightly.schedule import Job, Scheduler
from jobs.nightly.started import Settled, StartedLog
from jobs.operating import RECALCULATION, JobSettings, ScheduleSettings

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def starts(line: str, *, zone: str = "UTC", after: datetime = NOW, count: int = 3) -> list[str]:
    found = Starts.of(line, zone).after(after)
    return [f"{start:%a %Y-%m-%d %H:%M %Z}" for start, _ in zip(found, range(count), strict=False)]


def test_days_by_name_are_the_days_meant() -> None:
    assert starts("30 2 * * mon-fri", after=datetime(2026, 11, 27, 12, 0, tzinfo=UTC)) == [
        "Mon 2026-11-30 02:30 UTC", "Tue 2026-12-01 02:30 UTC", "Wed 2026-12-02 02:30 UTC",
    ]  # fmt: skip


@pytest.mark.parametrize("day", ["0", "1-5", "7", "mon-5", "*/2", "sunday", "mon-fri/2"])
def test_a_numbered_or_misspelt_weekday_is_refused(day: str) -> None:
    with pytest.raises(ValueError, match=rf"day of week '{day.replace('*', '.')}' is refused.*mon-fri"):
        check_cron(f"30 2 * * {day}")


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
        ("0 2 1 * mon", "which crontab reads as either and others as both"),
    ],
)
def test_other_mistakes_are_sentences(line: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_cron(line)


def test_a_leap_day_is_a_day() -> None:
    assert starts("0 2 29 2 *", count=1) == ["Tue 2028-02-29 02:00 UTC"]


def test_names_may_be_written_large() -> None:
    assert starts("0 2 * * SUN", count=1) == ["Sun 2026-11-29 02:00 UTC"]


@pytest.mark.parametrize(
    ("line", "zone", "after", "expected"),
    [
        # 02:30 does not exist on 28 March: the hands of before say it at 03:30.
        ("30 2 * * *", "Europe/Berlin", (2027, 3, 27), ["01:30", "01:30", "00:30"]),
        # 02:30 comes twice on 25 October: the first counts.
        ("30 2 * * *", "Europe/Berlin", (2026, 10, 24), ["00:30", "00:30", "01:30"]),
        ("30 1 * * *", "America/New_York", (2026, 11, 1), ["05:30", "06:30", "06:30"]),
        ("*/30 2 * * *", "Europe/Berlin", (2027, 3, 27, 12), ["01:00", "01:30", "00:00"]),
    ],
)
def test_a_clock_change_neither_doubles_nor_loses(
    line: str, zone: str, after: tuple[int, ...], expected: list[str]
) -> None:
    moment = datetime(*after, tzinfo=UTC)  # type: ignore[arg-type, misc]
    assert [one[-9:-4] for one in starts(line, zone=zone, after=moment)] == expected


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe"]
)
@pytest.mark.parametrize("line", ["30 1 * * *", "30 2 * * *", "15 23 * * *", "0 0 * * *"])
def test_every_day_is_the_day_of_one_start_and_none_is_to_come(line: str, zone: str) -> None:
    daily = Starts.of(line, zone)
    found = daily.between(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC))
    days = [daily.day_of(start) for start in found]
    assert days == [days[0] + timedelta(days=count) for count in range(len(days))]
    assert len(days) in {515, 516, 517}
    assert all(day <= start.date() for day, start in zip(days, found, strict=True))


@dataclass
class Machine:
    """A machine with a clock of its own; a scheduler on it can be killed at any time, and so can its commands."""

    log: StartedLog
    now: datetime
    until: datetime
    codes: list[int] = field(default_factory=list)
    takes: timedelta = timedelta(minutes=3)
    ran: list[tuple[str, str, datetime]] = field(default_factory=list)
    days: dict[date, datetime] = field(default_factory=dict)
    publishes: bool = True

    @property
    def is_stopping(self) -> bool:
        return self.now >= self.until

    def clock(self) -> datetime:
        return self.now

    def published(self) -> dict[date, datetime]:
        return self.days

    def wait(self, seconds: float) -> None:
        self.now = min(self.now + timedelta(seconds=max(seconds, 1.0)), self.until)  # a stop ends a wait

    def run(self, arguments: Sequence[str], *, timeout_s: float) -> int:
        day = arguments[2] if arguments[0] == "run" else ""
        began, self.now = self.now, self.now + min(self.takes, timedelta(seconds=timeout_s))
        self.ran.append((arguments[0], day, began))
        code = self.codes.pop(0) if self.codes else 0
        if code == 0 and day and self.publishes:
            self.days[date.fromisoformat(day)] = began
        return code

    def serve(self, plan: ScheduleSettings, *, days: float) -> None:
        self.until = self.now + timedelta(days=days)
        jobs = [Job(RECALCULATION, plan, ("run",))]
        jobs += [Job(name, how, how.command) for name, how in plan.jobs.items()]
        Scheduler(plan, jobs, self.log, self.published, self.clock, self).serve()
        self.now = max(self.now, self.until)

    def dates(self) -> list[str]:
        return [day for name, day, _ in self.ran if name == "run"]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr("jobs.nightly.schedule.LONGEST_WAIT_S", 43_200.0)
    return Machine(StartedLog(tmp_path / "schedule.jsonl"), datetime(2026, 9, 1, 12, tzinfo=UTC), NOW)


def every_day(first: date, count: int) -> list[str]:
    return [(first + timedelta(days=number)).isoformat() for number in range(count)]


@pytest.mark.parametrize("line", ["30 2 * * *", "30 1 * * *", "0 0 * * *"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_months_with_both_clock_changes_and_five_days_of_downtime(
    machine: Machine, line: str, zone: str
) -> None:
    plan = ScheduleSettings(cron=line, zone=zone, catch_up="each")
    machine.serve(plan, days=100)
    machine.now += timedelta(days=5)
    machine.serve(plan, days=130)
    dates = machine.dates()
    assert dates == every_day(date.fromisoformat(dates[0]), len(dates))
    assert len(dates) == 236
    assert max(Counter(dates).values()) == 1


def test_of_missed_nights_the_newest_is_enough_unless_the_settings_ask_for_each(machine: Machine) -> None:
    plan = ScheduleSettings()
    machine.serve(plan, days=2)
    machine.now += timedelta(days=5)
    machine.serve(plan, days=2)
    assert machine.dates() == [
        "2026-09-01", "2026-09-02", "2026-09-03", "2026-09-08", "2026-09-09", "2026-09-10",
    ]  # fmt: skip


def test_a_first_start_catches_up_one_night(machine: Machine) -> None:
    machine.serve(ScheduleSettings(catch_up="each"), days=1)
    assert machine.dates() == ["2026-09-01", "2026-09-02"]


def test_a_restart_every_hour_changes_nothing(machine: Machine) -> None:
    for _ in range(72):
        machine.serve(ScheduleSettings(catch_up="each"), days=1 / 24)
    assert machine.dates() == every_day(date(2026, 9, 1), 4)


def test_a_run_that_outlived_its_scheduler_is_not_started_again(machine: Machine) -> None:
    machine.serve(ScheduleSettings(), days=1)
    machine.ran.clear()
    # The scheduler was killed at 02:31, the run it had started published all the same: nothing is in schedule.jsonl.
    machine.now = datetime(2026, 9, 3, 3, 0, tzinfo=UTC)
    machine.days[date(2026, 9, 3)] = datetime(2026, 9, 3, 2, 30, 1, tzinfo=UTC)
    machine.serve(ScheduleSettings(), days=1)
    assert machine.dates() == ["2026-09-04"]


def test_a_clock_that_was_ahead_holds_nothing_up(machine: Machine) -> None:
    machine.serve(ScheduleSettings(), days=2)
    machine.now += timedelta(days=400)
    machine.serve(ScheduleSettings(), days=1)
    machine.ran.clear()
    machine.now = datetime(2026, 9, 3, 12, tzinfo=UTC)
    machine.serve(ScheduleSettings(), days=2)
    assert machine.dates() == ["2026-09-04", "2026-09-05"]


@pytest.mark.parametrize(
    ("codes", "tries", "last"),
    [
        ([0], 1, 0),
        ([10], 1, 10),
        ([20], 1, 20),
        ([40], 1, 40),
        ([50, 0], 2, 0),
        ([75, 30, 0], 3, 0),
        ([-9, -9, -9, 0], 3, -9),
    ],
)
def test_what_may_pass_is_tried_again_with_longer_pauses(
    machine: Machine, codes: list[int], tries: int, last: int
) -> None:
    machine.codes, machine.takes = codes, timedelta(0)
    machine.serve(ScheduleSettings(retries=2, retry_after_minutes=5), days=0.2)
    times = [began for _, _, began in machine.ran]
    pauses = [(after - before).total_seconds() / 60 for before, after in pairwise(times)]
    assert pauses == [5, 10][: tries - 1]
    (entry,) = machine.log.entries()
    assert (entry.tries, entry.exit_code, entry.day) == (tries, last, "2026-09-01")


def test_a_stop_in_a_pause_leaves_the_night_for_the_next_scheduler(machine: Machine) -> None:
    machine.codes = [50]
    machine.serve(ScheduleSettings(retry_after_minutes=60), days=0.01)
    assert machine.log.entries() == []
    machine.serve(ScheduleSettings(), days=0.01)
    assert [entry.exit_code for entry in machine.log.entries()] == [0]


def test_other_jobs_start_at_their_times_one_after_the_other_and_miss_what_they_miss(
    machine: Machine,
) -> None:
    weekly = JobSettings(command=("export", "--format", "csv"), cron="30 2 * * sun")
    plan = ScheduleSettings(jobs={"export": weekly})
    machine.serve(plan, days=14)
    machine.now += timedelta(days=21)
    machine.serve(plan, days=1)
    exports = [f"{began:%a %m-%d %H:%M}" for name, _, began in machine.ran if name == "export"]
    # Three Sundays were missed, which is one export; a job never starts before its first time.
    assert exports == ["Sun 09-06 02:33", "Sun 09-13 02:33", "Tue 10-06 12:00"]


def test_a_job_that_is_tried_again_does_not_hold_up_the_night(machine: Machine) -> None:
    stubborn = JobSettings(command=("export",), cron="0 2 * * *", retries=3, retry_after_minutes=60)
    machine.serve(ScheduleSettings(), days=0.5)
    machine.ran.clear()
    machine.codes = [50, 0, 50]
    machine.serve(ScheduleSettings(jobs={"export": stubborn}), days=1)
    assert [(name, f"{began:%H:%M}") for name, _, began in machine.ran] == [
        ("export", "02:00"), ("run", "02:30"), ("export", "03:03"), ("export", "05:06"),
    ]  # fmt: skip
    assert [(entry.job, entry.tries) for entry in machine.log.entries()][1:] == [
        (RECALCULATION, 1),
        ("export", 3),
    ]


def test_a_line_cut_short_by_a_crash_is_passed_over(tmp_path: Path) -> None:
    log = StartedLog(tmp_path / "schedule.jsonl")
    one = Settled("export", NOW, "2026-11-23", NOW, NOW, 0, 1)
    log.append(one)
    with log.path.open("a") as file:
        file.write('{"job": "export", "sta')
    log.append(one)
    assert log.entries() == [one, one]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[schedule]\nzone = "Europe/Berlim"\n', "there is no such time zone"),
        ('[schedule]\ncatch_up = "all"\n', "'newest' or 'each'"),
        ('[schedule.jobs.export]\ncommand = ["export"]\ncron = "0 2 30 2 *"\n', "never starts a run"),
        ('[schedule.jobs.export]\ncommand = ["exprot"]\ncron = "0 2 * * *"\n', "no command of curbline: 'exprot'"),
        ('[schedule.jobs.again]\ncommand = ["schedule"]\ncron = "0 2 * * *"\n', "not one that a scheduler can start"),
        ('[schedule.jobs.facts]\ncommand = ["facts"]\ncron = "0 2 * * *"\n', "not one that a scheduler can start"),
        ('[schedule.jobs.recalculation]\ncommand = ["run"]\ncron = "0 2 * * *"\n', "is the table [schedule] itself"),
    ],
)  # fmt: skip
def test_wrong_settings_are_sentences(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    settings = tmp_path / "curbline.toml"
    settings.write_text(text, encoding="utf-8")
    assert main(["schedule", "--list", "--settings", str(settings)]) == 40
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_line_that_starts_no_run_ends_at_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["schedule", "--cron", "0 2 30 2 *", "--out", str(tmp_path / "out")]) == 40
    assert "never starts a run" in capsys.readouterr().err


def test_the_next_starts_of_all_jobs_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.commands.schedule.now", lambda: NOW)
    settings = tmp_path / "curbline.toml"
    settings.write_text(
        '[schedule]\nzone = "Europe/Berlin"\n[schedule.jobs.export]\ncommand = ["export"]\ncron = "0 5 * * sun"\n',
        encoding="utf-8",
    )
    assert main(["schedule", "--list", "--settings", str(settings)]) == 0
    run, export = capsys.readouterr().out.splitlines()
    assert run.startswith("recalculation: starts by '30 2 * * *' in Europe/Berlin, next (UTC): ")
    assert run.endswith(": Tue 2026-11-24 01:30, Wed 2026-11-25 01:30, Thu 2026-11-26 01:30")
    assert export.startswith("export: starts by '0 5 * * sun' in UTC, next (UTC): Sun 2026-11-29 05:00, ")


SERVE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from jobs.nightly.process import Commands, only_scheduler
from jobs.nightly.schedule import Job, Scheduler
from jobs.nightly.started import StartedLog
from jobs.operating import RECALCULATION, ScheduleSettings

root, grace, seconds = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
plan = ScheduleSettings(cron="0 0 1 * *", retries=0)
work = "import sys, time; from pathlib import Path; root = Path(sys.argv[1]); (root / 'started').touch(); " \\
    "time.sleep(float(sys.argv[2])); (root / 'ended').touch()"
with only_scheduler(root / ".schedule.lock") as lock:
    commands = Commands(lock, grace, (sys.executable, "-c", work, str(root), seconds))
    commands.stop_on_signals()
    (root / "holds").touch()
    log = StartedLog(root / "schedule.jsonl")
    Scheduler(plan, [Job(RECALCULATION, plan, ("run",))], log, dict, lambda: datetime.now(UTC), commands).serve()
"""


def started(root: Path, grace_s: float, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SERVE, str(root), str(grace_s), str(seconds)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def until(path: Path) -> None:
    limit = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < limit, f"{path.name} did not come"
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_waits_for_the_run_and_ends_with_0(tmp_path: Path, number: signal.Signals) -> None:
    process = started(tmp_path, 20, 1)
    until(tmp_path / "started")
    os.kill(process.pid, number)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, (tmp_path / "ended").exists()) == (0, True), errors
    assert json.loads((tmp_path / "schedule.jsonl").read_text())["exit_code"] == 0


def test_a_stop_waits_no_longer_than_the_time_to_end(tmp_path: Path) -> None:
    process = started(tmp_path, 0.4, 60)
    until(tmp_path / "started")
    process.terminate()
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, (tmp_path / "ended").exists()) == (0, False), errors
    # The night is not settled: the next scheduler catches it up.
    assert not (tmp_path / "schedule.jsonl").exists()


def test_a_command_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        commands = Commands(lock.fileno(), 5, (sys.executable, "-c", "import time; time.sleep(60)"))
        began = time.monotonic()
        assert commands.run(["run"], timeout_s=0.4) == -signal.SIGTERM
    assert time.monotonic() - began < 10


def test_a_second_scheduler_is_refused_and_waits_for_what_a_killed_one_left(tmp_path: Path) -> None:
    first = started(tmp_path, 20, 2)
    until(tmp_path / "started")
    second = started(tmp_path, 20, 0)
    _, errors = second.communicate(timeout=20)
    assert f"another scheduler is at work (process {first.pid})" in errors
    first.kill()
    first.communicate(timeout=20)
    for name in ("holds", "started"):
        (tmp_path / name).unlink()
    third = started(tmp_path, 20, 0)
    until(tmp_path / "holds")
    ended = (tmp_path / "ended").exists()
    third.terminate()
    third.communicate(timeout=20)
    assert ended, "the third scheduler began while the command of the first was at work"
