"""`curbline facts history|review`: the life of a row, and what deserves a person's time."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from ground.counted import counted
from jobs.commands.options import (
    FactsOption,
    JsonOption,
    OutOption,
    RunOption,
    SettingsOption,
    reading,
    settings_with,
)
from jobs.errors import ExitCode


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (history, review):
        app.command()(command)


def history(
    key: Annotated[
        list[str],
        typer.Argument(
            metavar="KEY...", help="An id such as cn-23-2023, or words of a key: antimony refined CHN."
        ),
    ],
    *,
    own: Annotated[
        bool, typer.Option("--own", help="Only rows whose own key it is, not rows that refer to it.")
    ] = False,
    facts: FactsOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show every row that has a key, in the order in which the world could know it, with its source and place."""
    from jobs.facts.history import history as life

    found = [
        event for event in life(settings_with(settings, facts=facts).facts, key) if event.is_own or not own
    ]
    if as_json:
        typer.echo(json.dumps([asdict(event) for event in found], ensure_ascii=False, indent=1))
        return ExitCode.OK
    for event in found:
        note = event.says.pop("note", "")
        typer.echo(
            f"{event.known_from}  {event.table}  {'  '.join(f'{name}={cell}' for name, cell in event.says.items())}"
        )
        typer.echo(f"            {event.grade} {event.source_id}: {event.title}  [{event.place}]")
        if note:
            typer.echo(f"            {note}")
    typer.echo(
        f"{counted(len(found), 'row')}, oldest knowledge first; rows are never rewritten, so the last ones are what holds."
    )
    return ExitCode.OK


def review(
    *,
    stale_days: Annotated[
        int, typer.Option("--stale-days", min=0, help="A state that nobody confirmed for longer is stale.")
    ] = 180,
    top: Annotated[int, typer.Option("--top", min=1, max=1000, help="Findings shown of each list.")] = 10,
    run: RunOption = None,
    out: OutOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> int:
    """List what is stale, contradicted, weak or most worth finding out, by the money that is expected to be missing."""
    from jobs.facts.review import as_lines
    from jobs.facts.review import review as look

    with reading(settings_with(settings, out=out), run) as reader:
        found = look(reader, stale_days=stale_days, top=top)
    if as_json:
        data = {name: [asdict(one) for one in findings] for name, findings in found.items()}
        typer.echo(json.dumps(data, ensure_ascii=False, indent=1))
    else:
        for line in as_lines(found):
            typer.echo(line)
    return ExitCode.OK
