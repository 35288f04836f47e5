"""Commands that only read what is published: explain, calendar, doubt, sql, status."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from ground.counted import counted
from ground.words import MAIN_HORIZON
from jobs.commands.options import (
    FactsOption,
    HorizonOption,
    JsonOption,
    OutOption,
    RegimeOption,
    RunOption,
    SettingsOption,
    named_regime,
    now,
    published,
    reading,
    screen,
    settings_with,
)
from jobs.errors import ExitCode, SettingsError
from jobs.marts import MAIN_REGIME


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (explain, calendar, doubt, sql, status):
        app.command()(command)


def explain(
    mineral: Annotated[str, typer.Argument(help="Such as gallium or dysprosium.")],
    stage: Annotated[str, typer.Argument(help="mined, refined, metal or fabricated.")],
    exporter: Annotated[
        str,
        typer.Argument(help="ISO 3166 alpha-3, or 'all' for everything that the importer buys and produces."),
    ],
    importer: Annotated[str, typer.Argument(help="ISO 3166 alpha-3; with 'all' also a bloc such as EU27.")],
    *,
    horizon: HorizonOption = MAIN_HORIZON,
    regime: RegimeOption = MAIN_REGIME,
    run_id: RunOption = None,
    out: OutOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> int:
    """Explain a route's score: points with reasons, measures, sources, next event."""
    from jobs.explain.route import RouteQuestion
    from jobs.explain.route import explain as collect
    from jobs.explain.text import as_text
    from jobs.sql import plain

    question = RouteQuestion(mineral, stage, exporter, importer, horizon, named_regime(regime))
    with reading(settings_with(settings, out=out), run_id) as reader:
        found = collect(reader, question)
    if as_json:
        typer.echo(json.dumps(found, default=plain, ensure_ascii=False, indent=1))
    else:
        screen().print(as_text(found))
    return ExitCode.OK


def calendar(
    *,
    days: Annotated[int, typer.Option("--days", min=0, max=1825, help="How far ahead to look.")] = 90,
    country: Annotated[
        str | None, typer.Option("--country", help="Only events of this country: a code or a name.")
    ] = None,
    mineral: Annotated[
        str | None, typer.Option("--mineral", help="Only events that name this mineral.")
    ] = None,
    either_way: Annotated[
        bool,
        typer.Option(
            "--either-way",
            help="Score what it comes to if the measures of each day bind, and if not: seconds a mineral.",
        ),
    ] = False,
    as_ics: Annotated[bool, typer.Option("--ics", help="Print an iCalendar file.")] = False,
    run_id: RunOption = None,
    out: OutOption = None,
    facts: FactsOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> int:
    """Look ahead: dated events of the law, of pledges and rules; what lapsed and is unverified comes first."""
    from jobs.calendar.events import Wanted, events
    from jobs.calendar.ics import ics
    from jobs.calendar.show import as_text
    from jobs.calendar.ways import RunFacts, either
    from jobs.sql import plain

    if as_ics and as_json:
        raise SettingsError("--ics and --json are two formats; name one of them.")
    chosen = settings_with(settings, out=out, facts=facts)
    with reading(chosen, run_id) as reader:
        found = events(reader, Wanted(days, country, mineral))
        run = RunFacts.of(reader) if either_way else None
    if run is not None:
        found["ways"] = either(chosen, found, run)
    if as_ics:
        typer.echo(ics(found), nl=False)
    elif as_json:
        typer.echo(json.dumps(found, default=plain, ensure_ascii=False, indent=1))
    else:
        screen().print(as_text(found))
    return ExitCode.OK


def doubt(
    importer: Annotated[
        str,
        typer.Argument(
            metavar="[IMPORTER]",
            help="A declared importer or bloc, such as JPN or EU27; by default all of them.",
        ),
    ] = "all",
    *,
    mineral: Annotated[
        str, typer.Option("--mineral", help="Instead of an importer: this mineral, for all importers.")
    ] = "all",
    horizon: HorizonOption = MAIN_HORIZON,
    regime: RegimeOption = MAIN_REGIME,
    run_id: RunOption = None,
    out: OutOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> int:
    """Say which facts are worth finding out: how much of the range of the money missing each would take away."""
    from jobs.explain.doubt import Portfolio, as_text
    from jobs.explain.doubt import doubt as collect
    from jobs.sql import plain

    portfolio = Portfolio(importer, mineral, horizon, named_regime(regime))
    with reading(settings_with(settings, out=out), run_id) as reader:
        found = collect(reader, portfolio)
    if as_json:
        typer.echo(json.dumps(found, default=plain, ensure_ascii=False, indent=1))
    else:
        screen().print(as_text(found))
    return ExitCode.OK


def sql(
    query: Annotated[str, typer.Argument(help="One SQL statement, or - to read it from standard input.")],
    *,
    how: Annotated[
        str, typer.Option("--format", metavar="table|csv|json", help="How to print the answer.")
    ] = "table",
    limit: Annotated[int, typer.Option("--limit", min=1, help="Maximum number of rows printed.")] = 1000,
    timeout: Annotated[
        float,
        typer.Option("--timeout", min=0.1, metavar="SECONDS", help="The query is stopped after this time."),
    ] = 30.0,
    run_id: RunOption = None,
    out: OutOption = None,
    settings: SettingsOption = None,
) -> int:
    """Query the published file in SQL; nothing can be written, and no other file can be read."""
    from jobs.sql import Format, ask, bounded, render
    from jobs.suggest import did_you_mean

    if how not in list(Format):
        raise SettingsError(f"unknown format '{how}'{did_you_mean(how, list(Format))}")
    text = sys.stdin.read() if query == "-" else query
    snapshot = published(settings_with(settings, out=out), run_id)
    with bounded(timeout):
        answer = ask(snapshot.path, text, limit=limit, timeout_s=timeout)
    shown = render(answer, Format(how))
    if isinstance(shown, str):
        typer.echo(shown, nl=not shown.endswith("\n"))
    else:
        screen().print(shown)
    if answer.is_cut:
        typer.echo(
            f"Only the first {counted(limit, 'row')} shown, there are more; --limit raises it.", err=True
        )
    return ExitCode.OK


def status(*, out: OutOption = None, settings: SettingsOption = None, as_json: JsonOption = False) -> int:
    """Say what is published, how old it is, and how the last runs ended; exit code 30 if nothing recent is published."""
    from jobs.output.layout import Layout
    from jobs.output.status import status_of
    from jobs.sql import plain
    from jobs.tables import as_table

    chosen = settings_with(settings, out=out)
    found = status_of(Layout(chosen.out), today=now().date(), stale_after_days=chosen.stale_after_days)
    if as_json:
        typer.echo(json.dumps(found.as_dict(), default=plain, ensure_ascii=False, indent=1))
        return found.code
    console = screen()
    console.print(found.sentence(), markup=False)
    if found.pointed is not None:
        console.print(f"Pointer: {chosen.out / 'curbline.duckdb'} → {found.pointed.path.name}", markup=False)
    if found.newest is not None:
        console.print(f"Snapshots: {found.count}, published last: {found.newest.path.name}", markup=False)
    if found.room is not None:
        console.print(found.room.sentence(), markup=False)
    if found.entries.height:
        shown = found.entries.select(
            "run_id", "as_of", "curbing_country", "status", "started_at", "finished_at", "message"
        )
        console.print(as_table(shown.columns, shown.rows()))
    if found.note:
        console.print(found.note, markup=False)
    return found.code
