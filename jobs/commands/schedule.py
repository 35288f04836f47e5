"""`curbline schedule`: the jobs of the settings, each started at its times in a process of its own."""

from __future__ import annotations

import logging
import sys
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from jobs.commands.options import (
    CountryOption,
    DrawsOption,
    FactsOption,
    ImportersOption,
    OutOption,
    RulesOption,
    SettingsOption,
    StrictKnowledgeOption,
    StrictOption,
    now,
    settings_with,
)
from jobs.errors import ExitCode, SettingsError
from jobs.suggest import did_you_mean

SHOWN = 3


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(schedule)


def schedule(
    context: typer.Context,
    *,
    cron: Annotated[
        str | None,
        typer.Option(
            "--cron",
            metavar="LINE",
            help="Minute, hour, day, month, weekday by name. By default the one in the settings.",
        ),
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option("--zone", metavar="ZONE", help="Whose clocks the line is about, such as Europe/Berlin."),
    ] = None,
    show: Annotated[
        bool, typer.Option("--list", help="Print the next starts of every job, and end.")
    ] = False,
    curbing_country: CountryOption = None,
    importers: ImportersOption = None,
    facts: FactsOption = None,
    rules: RulesOption = None,
    out: OutOption = None,
    settings: SettingsOption = None,
    strict: StrictOption = False,
    strict_knowledge: StrictKnowledgeOption = False,
    draws: DrawsOption = None,
) -> int:
    """Start the jobs of the settings at their times, each in a separate process, until stopped; missed nights are caught up."""
    from jobs.nightly.process import Commands, only_scheduler
    from jobs.nightly.schedule import Scheduler, jobs_of
    from jobs.nightly.started import StartedLog
    from jobs.operating import JobSettings
    from jobs.output.layout import Layout

    chosen = settings_with(
        settings,
        out=out,
        facts=facts,
        rules=rules,
        curbing_country=curbing_country,
        importers=importers,
        draws=draws,
    )
    plan = _changed(chosen.schedule, cron, zone)
    given = {"--settings": settings, "--out": out}
    single = {**given, "--rules": rules, "--curbing-country": curbing_country, "--draws": draws}
    run = _words(single) + _words({"--facts": facts or [], "--importer": importers or []})
    run += [
        flag for flag, wanted in (("--strict", strict), ("--strict-knowledge", strict_knowledge)) if wanted
    ]
    root = context.find_root().command

    def further(job: JobSettings) -> tuple[str, ...]:
        return (
            *job.command,
            *_words({name: value for name, value in given.items() if _takes(root, job, name)}),
        )

    jobs = jobs_of(plan, run, further)
    for job in jobs:
        following = ", ".join(f"{start:%a %Y-%m-%d %H:%M}" for start in _next(job.how.starts, now()))
        told = f"{job.name}: starts by '{job.how.cron}' in {job.how.zone}, next (UTC): {following}"
        typer.echo(told, err=not show)
    if show:
        return ExitCode.OK
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    layout = Layout(chosen.out)
    layout.refuse_links_out()
    with only_scheduler(layout.schedule_lock) as lock:
        commands = Commands(lock, plan.grace_minutes * 60)
        commands.stop_on_signals()
        published = partial(_published, layout.state, chosen.curbing_country)
        Scheduler(plan, jobs, StartedLog(layout.started), published, now, commands).serve()
    return ExitCode.OK


def _changed(plan: Any, cron: str | None, zone: str | None) -> Any:
    """Return the schedule with what the command line changes."""
    from pydantic import ValidationError

    from jobs.operating import ScheduleSettings

    given = {name: value for name, value in (("cron", cron), ("zone", zone)) if value is not None}
    try:
        return ScheduleSettings.model_validate({**plan.model_dump(), **given})
    except ValidationError as problem:
        first = problem.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"--{first['loc'][0]} {first['input']!r}: {message}.") from problem


def _words(options: dict[str, Any]) -> list[str]:
    """Return options as they were given: one value, or several."""
    words: list[str] = []
    for option, value in options.items():
        values = value if isinstance(value, list) else [value]
        words += [part for one in values if one is not None for part in (option, str(one))]
    return words


def _takes(root: Any, job: Any, option: str) -> bool:
    """Return whether the command of a job takes an option that it does not give itself.

    Raises:
        SettingsError: there is no such command, or it must not be started by the scheduler.
    """
    command = root
    for word in job.command:
        if not hasattr(command, "commands"):
            break
        found = command.commands.get(word)
        if found is None:
            listed = sorted(set(command.commands) - {"schedule"})
            raise SettingsError(
                f"[schedule.jobs]: command {list(job.command)} is no command of curbline: '{word}'{did_you_mean(word, listed)}"
            )
        command = found
    if command.name == "schedule" or hasattr(command, "commands"):
        raise SettingsError(
            f"[schedule.jobs]: command {list(job.command)} is not one that a scheduler can start."
        )
    return option not in job.command and any(option in parameter.opts for parameter in command.params)


def _next(starts: Any, moment: datetime) -> list[datetime]:
    found: list[datetime] = []
    for start in starts.after(moment):
        found.append(start)
        if len(found) == SHOWN:
            break
    return found


def _published(state: Path, curbing_country: str) -> dict[date, datetime]:
    """Return the days that the run ledger has; none where it cannot be read, so that a run finds out why."""
    from jobs.output.ledger import days_published
    from warehouse.database import Database
    from warehouse.errors import DataError

    if not state.is_file():
        return {}
    try:
        with Database.open(state, read_only=True) as reader:
            return days_published(reader, curbing_country)
    except DataError:
        return {}
