"""Commands for what people look at: report, picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ground.counted import counted
from jobs.commands.options import OutOption, RunOption, SettingsOption, published, reading, settings_with
from jobs.errors import ExitCode, InputError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(report)
    app.command()(picture)


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
    from jobs.output.layout import LATEST, Layout
    from jobs.output.seal import damage_of
    from jobs.report.build import build_report

    chosen = settings_with(settings, out=out)
    snapshot = published(chosen, run_id)
    damage = damage_of(snapshot.path)
    if damage is not None:
        raise InputError(
            f"{snapshot.path.name} {damage}. `curbline verify` says which tables; run `curbline run` to publish again."
        )
    target = to.resolve() if to else Layout(chosen.out).report / LATEST
    with reading(chosen, run_id) as reader:
        written = build_report(reader, target)
    typer.echo(str(written.folder / "index.html"))
    typer.echo(
        f"{counted(written.pages, 'page')}, {written.bytes / 1e6:.1f} MB; {counted(written.routes, 'route')} of "
        f"{written.routes_scored:,} have a page, `curbline explain` tells of the others."
    )
    return ExitCode.OK


def picture(
    kind: Annotated[str, typer.Argument(help="money, heat, origin, timeline or waterfall.")],
    of: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[OF]...",
            help="What it is of: an importer (money, heat), a mineral (origin, timeline), or mineral, stage, exporter and "
            "importer of a route (waterfall).",
        ),
    ] = None,
    *,
    target: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="An .svg or .png file.")],
    run_id: RunOption = None,
    out: OutOption = None,
    settings: SettingsOption = None,
) -> int:
    """Draw one chart of the report for a slide, as SVG or PNG."""
    from jobs.report.picture import chart_for, refuse_unknown, write_picture

    refuse_unknown(kind, of or (), target)
    with reading(settings_with(settings, out=out), run_id) as reader:
        chart = chart_for(reader, kind, of or ())
    write_picture(chart, target)
    typer.echo(f"{target}: {chart.title}")
    return ExitCode.OK
