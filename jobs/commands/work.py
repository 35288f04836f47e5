"""Commands that change something: run, export, init."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ground.words import MAIN_HORIZON
from jobs.commands.options import (
    AsOfOption,
    CountryOption,
    DrawsOption,
    FactsOption,
    HorizonOption,
    ImportersOption,
    JsonOption,
    KnownAtOption,
    OutOption,
    RulesOption,
    RunOption,
    SettingsOption,
    StrictKnowledgeOption,
    StrictOption,
    now,
    parse_day,
    published,
    screen,
    settings_with,
)
from jobs.errors import ExitCode, InputError, SettingsError

AcceptOption = Annotated[
    bool,
    typer.Option("--accept", help="Publish even if more moved since the last night than [checks] allows."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (run, export, init):
        app.command()(command)


def run(
    *,
    as_of: AsOfOption = None,
    known_at: KnownAtOption = None,
    curbing_country: CountryOption = None,
    importers: ImportersOption = None,
    facts: FactsOption = None,
    rules: RulesOption = None,
    out: OutOption = None,
    settings: SettingsOption = None,
    strict: StrictOption = False,
    strict_knowledge: StrictKnowledgeOption = False,
    draws: DrawsOption = None,
    accept: AcceptOption = False,
    as_json: JsonOption = False,
) -> int:
    """Recalculate once: facts, rules, scores, checks, published file, exports."""
    from jobs.alerts.check import alerting
    from jobs.nightly.phases import Phases
    from jobs.nightly.run import RunDates
    from jobs.nightly.run import run as recalculate_and_publish
    from jobs.nightly.summary import as_text, summarise
    from jobs.nightly.telling import Telling
    from jobs.output.layout import Layout
    from jobs.sql import plain
    from warehouse.database import Database

    start = time.perf_counter()
    moment = now()
    day = parse_day("--as-of", as_of) or moment.date()
    chosen = settings_with(
        settings,
        out=out,
        facts=facts,
        rules=rules,
        curbing_country=curbing_country,
        importers=importers,
        strict=strict,
        strict_knowledge=strict_knowledge,
        draws=draws,
    )
    dates = RunDates(
        as_of=day, known_at=parse_day("--known-at", known_at) or day, started_at=moment, clock=now
    )
    layout = Layout(chosen.out)
    with (
        Phases(Console(stderr=True)) as phases,
        alerting(chosen, layout, now),  # after the telling, whose health it reads
        Telling(layout, chosen.tell, phases, day, now) as telling,
    ):
        outcome = recalculate_and_publish(chosen, dates, phases, accept=accept)
        with Database.open(outcome.snapshot, read_only=True) as reader:
            summary = summarise(outcome, reader, phases.done, time.perf_counter() - start)
        telling.code, telling.pointer_moved = outcome.code, outcome.pointer_moved
        telling.found = summary["routes"]["by_band"]
    if as_json:
        typer.echo(json.dumps(summary, default=plain, ensure_ascii=False, indent=1))
    else:
        screen().print(as_text(summary))
    return outcome.code


def export(
    *,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="csv|parquet|xlsx",
            help="Repeat it for several; by default csv and parquet, or xlsx if routes are chosen.",
        ),
    ] = None,
    importer: Annotated[
        str | None,
        typer.Option(
            "--importer",
            metavar="ISO3",
            help="A workbook of the routes into this country or bloc, such as DEU or EU27.",
        ),
    ] = None,
    top: Annotated[
        int | None, typer.Option("--top", min=1, help="A workbook of the N routes with most money missing.")
    ] = None,
    horizon: HorizonOption = MAIN_HORIZON,
    min_usd: Annotated[
        float | None,
        typer.Option(
            "--min-usd",
            min=0,
            metavar="USD",
            help="Leave out routes worth less a year; by default 100000 for the top routes of all importers, otherwise 0.",
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to", metavar="DIR", help="Where to write; by default exports/<run> of the output folder."
        ),
    ] = None,
    run_id: RunOption = None,
    out: OutOption = None,
    settings: SettingsOption = None,
) -> int:
    """Write every mart table as CSV and Parquet, or a workbook of chosen routes."""
    from jobs.export.book import Selection, load_book
    from jobs.export.tables import TableFormat, export_tables, refuse_foreign, whole_folder, write_manifest
    from jobs.export.xlsx import write_book
    from jobs.output.layout import Layout
    from jobs.output.seal import damage_of
    from jobs.suggest import did_you_mean
    from warehouse.bundle.files import manifests_named
    from warehouse.database import Database
    from warehouse.published.datapackage import write_data_package

    chosen_routes = importer is not None or top is not None
    wanted = formats or (["xlsx"] if chosen_routes else ["csv", "parquet"])
    known = [*(kind.value for kind in TableFormat), "xlsx"]
    for kind in wanted:
        if kind not in known:
            raise SettingsError(f"unknown format '{kind}'{did_you_mean(kind, known)}")
    if "xlsx" in wanted and not chosen_routes:
        raise SettingsError("a workbook needs chosen routes: name --importer DEU, or --top 50.")
    if chosen_routes and "xlsx" not in wanted:
        raise SettingsError(
            "--importer and --top choose the routes of a workbook; add --format xlsx, or leave --format out."
        )
    chosen = settings_with(settings, out=out)
    snapshot = published(chosen, run_id)
    damage = damage_of(snapshot.path)
    if damage is not None:
        raise InputError(
            f"{snapshot.path.name} {damage}. `curbline verify` says which tables; run `curbline run` to publish again."
        )
    target = to.resolve() if to else Layout(chosen.out).exports / snapshot.run_id
    if to:
        refuse_foreign(target)
    with Database.open(snapshot.path, read_only=True) as reader, whole_folder(target) as folder:
        tables = tuple(kind for kind in TableFormat if kind.value in wanted)
        if tables:
            export_tables(reader, folder, tables)
        if "xlsx" in wanted:
            selection = Selection(importer, top, horizon, min_usd)
            book = load_book(reader, selection)
            write_book(book, folder / book.selection.file_name)
        if tables:
            named = reader.query("SELECT bundles FROM meta.run").item()
            write_data_package(reader, folder, manifests_named(chosen.facts, named))
        written = sorted(path.name for path in folder.iterdir())
    write_manifest(target)
    for name in written:
        typer.echo(str(target / name))
    return ExitCode.OK


def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")]) -> int:
    """Create a project: settings, a copy of the rules, and an empty facts bundle."""
    from jobs.init import init_project

    for path in init_project(folder):
        typer.echo(str(path))
    typer.echo(f"Next: cd {folder} && curbline run")
    return ExitCode.OK
