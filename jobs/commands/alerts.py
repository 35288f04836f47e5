"""Commands that tell people: `curbline alerts check` and `curbline alerts test`."""

from __future__ import annotations

import os

import typer

from ground.counted import counted
from jobs.commands.options import OutOption, SettingsOption, now, settings_with
from jobs.errors import ExitCode
from jobs.output.layout import Layout

app = typer.Typer(help="Tell people of what is worth waking for, each once.", no_args_is_help=True)
TEST = (
    "Curbline: test",
    "This is a test of `curbline alerts test`: alerts reach you here. Nothing is wrong.",
)


@app.command()
def check(*, out: OutOption = None, settings: SettingsOption = None) -> int:
    """Look for what the settings call worth waking for, and tell of it once; exit code 50 if that fails."""
    from jobs.alerts.check import check as look
    from jobs.alerts.send import channels_of

    chosen = settings_with(settings, out=out)
    done = look(Layout(chosen.out), chosen.alerts, channels_of(chosen.alerts, os.environ), now())
    for alert in done.new:
        typer.echo(f"{alert.kind}: {alert.reason}\n  {alert.command}")
    for line in done.notes:
        typer.echo(f"Note: {line}", err=True)
    for line in done.faults:
        typer.echo(f"Not sent to {line}; the next check tries again.", err=True)
    quiet = " until the quiet hours end" if done.is_quiet and done.waiting else ""
    typer.echo(f"{counted(len(done.new), 'new alert')}; {done.sent} sent, {done.waiting} waiting{quiet}.")
    if done.faults:
        return ExitCode.INTERNAL
    return ExitCode.WARNINGS if done.notes else ExitCode.OK


@app.command("test")
def send_test(*, settings: SettingsOption = None) -> int:
    """Send a test to every service and to the command, at any hour; exit code 50 if one does not take it."""
    from jobs.alerts.send import channels_of

    chosen = settings_with(settings)
    faults = 0
    for channel in channels_of(chosen.alerts, os.environ):
        fault = channel.send(*TEST)
        typer.echo(f"{channel.name}: {fault or 'sent'}")
        faults += fault is not None
    return ExitCode.INTERNAL if faults else ExitCode.OK
