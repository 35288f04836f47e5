"""Commands that look after what is published: verify, restore, prune."""

from __future__ import annotations

from typing import Annotated

import typer

from ground.counted import counted
from jobs.commands.options import OutOption, SettingsOption, now, published, settings_with
from jobs.errors import ExitCode, InputError, SettingsError
from jobs.output.layout import Layout, Snapshot


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (verify, restore, prune):
        app.command()(command)


def verify(
    run_id: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]",
            help="(The start of) the id of a published run; by default the one behind the pointer.",
        ),
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every published file, newest first.")] = False,
    out: OutOption = None,
    settings: SettingsOption = None,
) -> int:
    """Compare a published file with the hashes recorded when it was published; exit code 30 if it is damaged."""
    from jobs.output.seal import verify as compare

    if every and run_id is not None:
        raise SettingsError("--all is every run; leave out the run, or --all.")
    chosen = settings_with(settings, out=out)
    snapshots = _all_of(Layout(chosen.out)) if every else [published(chosen, run_id)]
    damaged: list[Snapshot] = []
    unknown = 0
    for snapshot in snapshots:
        verdict = compare(snapshot.path)
        for line in verdict.lines:
            typer.echo(line)
        damaged += [snapshot] if verdict.is_whole is False else []
        unknown += verdict.is_whole is None
    if every:
        typer.echo(
            f"{counted(len(snapshots), 'file')}, {len(damaged)} damaged, {unknown} without a recorded hash."
        )
    if damaged:
        days = ", ".join(sorted({str(snapshot.as_of) for snapshot in damaged}))
        typer.echo(f"Run `curbline run` for the same day ({days}) to publish it again.")
        return ExitCode.INPUT
    return ExitCode.WARNINGS if unknown else ExitCode.OK


def _all_of(layout: Layout) -> list[Snapshot]:
    layout.refuse_links_out()
    found = layout.list_snapshots()
    pointed = layout.pointed()
    if pointed is not None and pointed.path not in {one.path for one in found}:
        found.insert(0, pointed)  # its file is gone, which is damage too
    if not found:
        raise InputError(f"{layout.snapshots}: nothing is published here yet; `curbline run` does it.")
    return found


def restore(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="(The start of) the id of a published run.")],
    *,
    out: OutOption = None,
    settings: SettingsOption = None,
) -> int:
    """Lead the pointer back to an earlier night, if it is whole; the next run moves it forward again."""
    from jobs.output.lock import exclusive
    from jobs.output.publish import point_to
    from jobs.output.seal import damage_of

    chosen = settings_with(settings, out=out)
    layout = Layout(chosen.out)
    snapshot = published(chosen, run_id)
    with exclusive(layout.lock, since=now()):
        damage = damage_of(snapshot.path)
        if damage is not None:
            raise InputError(
                f"{snapshot.path.name} {damage}; the pointer stays. `curbline run --as-of {snapshot.as_of}` publishes "
                "that day again."
            )
        for warning in point_to(layout, snapshot.path):
            typer.echo(f"Warning: {warning}", err=True)
    typer.echo(f"{layout.pointer} → {snapshot.path.name}, as of {snapshot.as_of}")
    if not (layout.exports / snapshot.run_id).is_dir():
        typer.echo(
            f"Its exports are not kept any more; `curbline export --run {snapshot.run_id}` writes them again."
        )
    return ExitCode.OK


def prune(
    *,
    dry: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
    out: OutOption = None,
    settings: SettingsOption = None,
) -> int:
    """Remove the nights and exports that the settings do not keep ([retention]); every run does so too."""
    from jobs.output.lock import exclusive
    from jobs.output.retention import drop_old

    chosen = settings_with(settings, out=out)
    layout = Layout(chosen.out)
    layout.refuse_links_out()
    if not layout.root.is_dir():
        raise InputError(f"{layout.root}: there is no such folder; name the one of a run with --out.")
    moment = now()
    with exclusive(layout.lock, since=moment):
        dropped = drop_old(layout, chosen.retention, most=chosen.keep_snapshots, today=moment.date(), dry=dry)
    for name in dropped.snapshots:
        typer.echo(f"{name}, with its exports")
    for run in dropped.exports:
        typer.echo(f"exports of {run}")
    would = "would be removed" if dry else "removed"
    files = counted(len(dropped.snapshots), "published file")
    exports = counted(len(dropped.exports), "further folder") + " of exports"
    typer.echo(f"{files} and {exports} {would}, {dropped.bytes / 1e6:,.0f} MB.")
    return ExitCode.OK
