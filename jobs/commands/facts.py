"""`curbline facts`: check a bundle of facts, and make one of a downloaded public file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from jobs.commands.options import JsonOption
from jobs.errors import ExitCode

app = typer.Typer(help="Check facts bundles, and make them of public files.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Check facts bundles, and make them of public files."""


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


@app.command("import")
def import_(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The public data set, such as baci.")],
    *,
    file: Annotated[
        Path,
        typer.Option(
            "--file",
            metavar="PATH",
            help="The file as its publisher ships it. Nothing is fetched: download it yourself first.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="The bundle to write: a new or empty folder.")
    ],
    release: Annotated[
        str,
        typer.Option("--release", metavar="YYYYMM", help="Edition, where the file's name does not state it."),
    ] = "",
    any_size: Annotated[
        bool, typer.Option("--any-size", help="Take a file with fewer rows than its editions have.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Turn a downloaded public file into a facts bundle for `curbline run --facts embedded --facts DIR`."""
    from jobs.facts_import import import_file

    done = import_file(source, file, out, release=release, any_size=any_size)
    if as_json:
        typer.echo(json.dumps(done.as_dict(), ensure_ascii=False, indent=1))
    else:
        typer.echo(
            f"{file.name}: {done.rows_in:,} entries = {done.stored:,} stored + {len(done.rejected):,} rejected."
        )
        for table, count in done.tables.items():
            typer.echo(f"  {count:,} rows in {table}.")
        for reason, count in done.outside.items():
            typer.echo(f"  {count:,} more: {reason}.")
        if done.rejected:
            typer.echo(f"  The rejected rows stand in {out / 'rejected-rows.txt'}.")
        typer.echo(f"Bundle written: {out}")
    return ExitCode.WARNINGS if done.rejected else ExitCode.OK
