"""The command that people look at: report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ground.counted import counted
from jobs.commands.options import OutOption, RunOption, SettingsOption, published, reading, settings_with
from jobs.errors import ExitCode, InputError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(report)


def report(
    *,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to", metavar="DIR", help="Where to write; by default report/latest of the output folder."
        ),
    ] = None,
    run_id: RunOption = None,
    out: OutOption = None,
    settings: SettingsOption = None,
) -> int:
    """Write the report: a folder of pages that opens from disk, without a server and without scripts."""
    from jobs.output.layout import Layout
    from jobs.output.seal import damage_of
    from jobs.report.build import build_report

    chosen = settings_with(settings, out=out)
    snapshot = published(chosen, run_id)
    damage = damage_of(snapshot.path)
    if damage is not None:
        raise InputError(
            f"{snapshot.path.name} {damage}. `curbline verify` says which tables; run `curbline run` to publish again."
        )
    target = to.resolve() if to else Layout(chosen.out).report / "latest"
    with reading(chosen, run_id) as reader:
        written = build_report(reader, target)
    typer.echo(str(written.folder / "index.html"))
    typer.echo(
        f"{counted(written.pages, 'page')}, {written.bytes / 1e6:.1f} MB; {counted(written.routes, 'route')} of "
        f"{written.routes_scored:,} have a page, `curbline explain` tells of the others."
    )
    return ExitCode.OK
