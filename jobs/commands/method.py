"""`curbline method`: other published scores, from the same facts, with their own rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from jobs.commands.options import (
    JsonOption,
    OutOption,
    RunOption,
    SettingsOption,
    published,
    screen,
    settings_with,
)
from jobs.errors import ExitCode

app = typer.Typer(
    help="Other published scores from the same facts, with their own rules.", no_args_is_help=True
)
SHOWN = 40


@app.callback()
def methods() -> None:
    """Keep the name of the method in the command, though there is only one so far."""


@app.command()
def geopolrisk(
    *,
    year: Annotated[
        int | None,
        typer.Option(
            "--year", help="Year of trade, production and governance; by default the last with trade."
        ),
    ] = None,
    importer: Annotated[str | None, typer.Option("--importer", metavar="ISO3", help="One importer.")] = None,
    mineral: Annotated[str | None, typer.Option("--mineral", help="One mineral.")] = None,
    routes: Annotated[
        bool, typer.Option("--routes", help="Show each exporter instead of the importer's total.")
    ] = False,
    rules: Annotated[
        Path | None,
        typer.Option(
            "--rules", metavar="DIR", help="Rules of the method; by default methods/geopolrisk of the rules."
        ),
    ] = None,
    run_id: RunOption = None,
    out: OutOption = None,
    settings: SettingsOption = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Score by the GeoPolRisk method: concentration of production, instability of exporters, share of supply."""
    from jobs.export.csv import csv_text
    from jobs.geopolrisk import METHOD, narrowed, rules_folder, score, shown
    from jobs.rules.rulebook import load_rulebook
    from jobs.tables import as_table

    chosen = settings_with(settings, out=out)
    rulebook = load_rulebook(rules or rules_folder(chosen.rules), method=METHOD, facts=chosen.facts)
    scores = score(published(chosen, run_id), rulebook.ruleset, year)
    frame = narrowed(
        scores.routes if routes else scores.importers,
        mineral=mineral,
        importer=importer.upper() if importer else None,
    )
    if as_json:
        data = {"method": METHOD, "year": scores.year, "rows": frame.to_dicts()}
        typer.echo(json.dumps(data, ensure_ascii=False, indent=1))
    elif as_csv:
        typer.echo(csv_text(frame), nl=False)
    else:
        top = shown(frame).head(SHOWN)
        screen().print(as_table(top.columns, top.rows()))
        if frame.height > SHOWN:
            typer.echo(
                f"The {SHOWN} highest of {frame.height} are shown; --csv and --json give all.", err=True
            )
    return ExitCode.OK
