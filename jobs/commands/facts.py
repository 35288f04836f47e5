"""`curbline facts`: check a bundle of facts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from jobs.commands.options import JsonOption
from jobs.errors import ExitCode

app = typer.Typer(help="Check facts bundles.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Check facts bundles."""


@app.command()
def check(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The bundle: a folder with bundle.toml and its tables.")
    ],
    *,
    alone: Annotated[
        bool, typer.Option("--alone", help="Check it by itself, not stacked on the embedded facts.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Any row that does not validate is an error.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Read a bundle as a run would, and list every row that would be set aside."""
    from jobs.facts_check import check_facts

    found = check_facts(folder, alone=alone, strict=strict)
    if as_json:
        typer.echo(json.dumps(found.as_dict(), ensure_ascii=False, indent=1))
    else:
        for row in found.rejected:
            typer.echo(f"{row.file}:{row.line}: {row.column} {row.value!r}: {row.reason}")
        accepted = f"{sum(found.tables.values()):,} rows accepted in {len(found.tables)} tables"
        typer.echo(f"{found.bundle}: {accepted}, {len(found.rejected)} faults.")
    return ExitCode.WARNINGS if found.rejected else ExitCode.OK
