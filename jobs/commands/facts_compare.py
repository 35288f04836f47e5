"""`curbline facts compare`: what a new edition revised."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from jobs.commands.options import JsonOption
from jobs.errors import ExitCode
from jobs.resources import EMBEDDED


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(compare)


def compare(
    earlier: Annotated[str, typer.Argument(metavar="EARLIER", help=f"A facts bundle, or '{EMBEDDED}'.")],
    later: Annotated[str, typer.Argument(metavar="LATER", help=f"A facts bundle, or '{EMBEDDED}'.")],
    *,
    earlier_source: Annotated[
        str,
        typer.Option(
            "--earlier-source",
            metavar="PREFIX",
            help="Only sources whose name starts like this, such as usgs-mcs-2025.",
        ),
    ] = "",
    later_source: Annotated[
        str, typer.Option("--later-source", metavar="PREFIX", help="The same for the later edition.")
    ] = "",
    top: Annotated[int, typer.Option("--top", min=1, help="Rows shown per list.")] = 10,
    as_json: JsonOption = False,
) -> int:
    """Compare two editions of a public data set: rows lost and new, figures revised, world totals that moved."""
    from jobs.facts.compare import as_data, as_text, compare_tables, edition_tables
    from jobs.resources import default_facts_dir
    from jobs.sql import plain

    folders = [default_facts_dir() if name == EMBEDDED else Path(name) for name in (earlier, later)]
    found = compare_tables(
        edition_tables(folders[0], earlier_source), edition_tables(folders[1], later_source)
    )
    if as_json:
        typer.echo(json.dumps(as_data(found, top), default=plain, ensure_ascii=False, indent=1))
    elif found:
        for line in as_text(found, top):
            typer.echo(line)
    else:
        typer.echo("No table is in both editions, so there is nothing to compare.")
    return ExitCode.WARNINGS if any(comparison.drift for comparison in found) else ExitCode.OK
