"""`curbline portfolio`: a company's own purchases."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.commands.options import (
    FactsOption,
    JsonOption,
    OutOption,
    RunOption,
    SettingsOption,
    published,
    screen,
    settings_with,
)
from jobs.errors import ExitCode, InputError

if TYPE_CHECKING:
    from jobs.purchases.lines import Checked

app = typer.Typer(help="A company's own purchases: what of them is at risk.", no_args_is_help=True)

FileArgument = Annotated[
    str,
    typer.Argument(
        metavar="FILE", help="CSV or workbook of purchases; 'demo' is the one shipped with Curbline."
    ),
]
CurrenciesOption = Annotated[
    Path | None,
    typer.Option(
        "--currencies", metavar="FILE", help="CSV of rates: currency, usd_per_unit, rate_date, source."
    ),
]
DestinationOption = Annotated[
    str | None,
    typer.Option(
        "--destination", metavar="COUNTRY", help="Your own site's country, for lines that name none."
    ),
]
SheetOption = Annotated[
    str | None, typer.Option("--sheet", help="Sheet of a workbook; by default the one that has the columns.")
]
DeclarationsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--declaration",
        metavar="FILE",
        help="A supplier's CMRT, EMRT or AMRT as evidence of origin; repeat it for several.",
    ),
]
BomOption = Annotated[
    Path | None,
    typer.Option(
        "--bom",
        metavar="FILE",
        help="Bill of materials: parent, child, mass_share, for lines that name a part alone.",
    ),
]
RejectedOption = Annotated[
    Path | None,
    typer.Option(
        "--rejected",
        metavar="FILE",
        help="Where rejected rows go with their reasons; by default FILE.rejected.csv here.",
    ),
]


@app.command()
def check(
    file: FileArgument,
    *,
    currencies: CurrenciesOption = None,
    destination: DestinationOption = None,
    sheet: SheetOption = None,
    declarations: DeclarationsOption = None,
    bom: BomOption = None,
    rejected: RejectedOption = None,
    facts: FactsOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show how a file of purchases is read, and write what is not taken with its reason; nothing is added."""
    from jobs.purchases.show import as_data, as_text

    checked, name = _checked(file, currencies, destination, sheet, declarations, bom, facts, settings)
    aside = _write_rejected(checked, name, rejected)
    if as_json:
        typer.echo(json.dumps(as_data(checked, aside), ensure_ascii=False, indent=1))
    else:
        screen().print(as_text(checked, name, aside))
    return ExitCode.WARNINGS if checked.rejected.height else ExitCode.OK


@app.command()
def add(
    file: FileArgument,
    *,
    currencies: CurrenciesOption = None,
    destination: DestinationOption = None,
    sheet: SheetOption = None,
    declarations: DeclarationsOption = None,
    bom: BomOption = None,
    rejected: RejectedOption = None,
    entities: Annotated[
        Path | None,
        typer.Option(
            "--entities",
            metavar="FILE",
            help="CSV of names to screen suppliers and end uses against: name, list, reference.",
        ),
    ] = None,
    facts: FactsOption = None,
    out: OutOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> int:
    """Check a file of purchases and keep its lines in the output folder, in place of earlier ones; runs then score them."""
    from jobs.output.layout import Layout
    from jobs.purchases.checks import read_entities
    from jobs.purchases.show import as_data, as_text
    from jobs.purchases.store import save

    checked, name = _checked(file, currencies, destination, sheet, declarations, bom, facts, settings)
    aside = _write_rejected(checked, name, rejected)
    layout = Layout(settings_with(settings, out=out).out)
    layout.refuse_links_out()
    kept = save(checked, name, layout.portfolio, read_entities(entities) if entities else None)
    if as_json:
        typer.echo(json.dumps({**as_data(checked, aside), "kept": str(kept)}, ensure_ascii=False, indent=1))
    else:
        screen().print(as_text(checked, name, aside))
        typer.echo(f"Kept in {kept}. Next: curbline run --out {layout.root}")
    return ExitCode.WARNINGS if checked.rejected.height else ExitCode.OK


@app.command()
def report(
    *,
    run_id: RunOption = None,
    out: OutOption = None,
    settings: SettingsOption = None,
) -> int:
    """Write the workbooks on your lines again from a published file, with the actions as they are kept now."""
    from jobs.output.layout import Layout
    from jobs.purchases.deliver import deliver
    from warehouse.bundle.files import manifests_named
    from warehouse.database import Database

    chosen = settings_with(settings, out=out)
    snapshot = published(chosen, run_id)
    with Database.open(snapshot.path, read_only=True) as reader:
        named = reader.query("SELECT bundles FROM meta.run").item()
        bundles = manifests_named(chosen.facts, named)
        files, notes = deliver(reader, Layout(chosen.out), chosen.export.audiences, bundles)
    for path in files:
        typer.echo(str(path))
    for note in notes:
        typer.echo(f"Note: {note}", err=True)
    return ExitCode.WARNINGS if notes else ExitCode.OK


@app.command()
def send(
    kind: Annotated[str, typer.Argument(metavar="FORMAT", help="neutral, ariba, coupa or prewave.")],
    to: Annotated[
        Path, typer.Option("--to", metavar="DIR", help="A new or empty folder, or an earlier one of these.")
    ],
    *,
    mapping: Annotated[
        Path | None,
        typer.Option(
            "--mapping", metavar="FILE", help="For coupa: CSV with column and prompt of your own fields."
        ),
    ] = None,
    run_id: RunOption = None,
    out: OutOption = None,
    settings: SettingsOption = None,
) -> int:
    """Write the risk of each supplier for another system to read; nothing is sent."""
    from jobs.purchases.writers import write
    from warehouse.database import Database

    snapshot = published(settings_with(settings, out=out), run_id)
    with Database.open(snapshot.path, read_only=True) as reader:
        for path in write(reader, kind, to.resolve(), mapping):
            typer.echo(str(path))
    return ExitCode.OK


def _checked(
    file: str,
    currencies: Path | None,
    destination: str | None,
    sheet: str | None,
    declarations: list[Path] | None,
    bom: Path | None,
    facts: list[str] | None,
    settings: Path | None,
) -> tuple[Checked, str]:
    from jobs.purchases.bom import Bom, read_bom
    from jobs.purchases.cells import CellError
    from jobs.purchases.declarations import read_declaration, with_evidence
    from jobs.purchases.headers import PURCHASES
    from jobs.purchases.lines import check as check_lines
    from jobs.purchases.names import Names
    from jobs.purchases.sheets import read_table
    from jobs.purchases.store import DEMO, DEMO_RATES, demo_file, read_rates
    from warehouse.bundle.reading import read_bundles

    path = demo_file() if file == DEMO else Path(file)
    raw = read_table(path, PURCHASES, sheet)
    rates = read_rates(demo_file(DEMO_RATES) if file == DEMO and currencies is None else currencies)
    chosen = settings_with(settings, facts=facts)
    names = Names.of(read_bundles(chosen.facts).tables)
    try:
        site = names.country(destination) if destination else None
    except CellError as problem:
        raise InputError(f"--destination {destination} {problem}.") from None
    held = read_bom(bom, names) if bom else Bom({})
    checked = check_lines(raw, names, rates, site, held)
    checked = replace(checked, notes=[*checked.notes, *held.notes])
    if declarations:
        lines, notes = with_evidence(checked.lines, [read_declaration(one, names) for one in declarations])
        checked = replace(checked, lines=lines, notes=[*checked.notes, *notes])
    return checked, path.name


def _write_rejected(checked: Checked, name: str, path: Path | None) -> Path | None:
    from jobs.purchases.store import write_rejected

    if checked.rejected.is_empty():
        return None
    path = path or Path(f"{Path(name).stem}.rejected.csv")
    try:
        write_rejected(checked, path)
    except OSError as problem:
        raise InputError(
            f"{path}: rejected rows cannot be written ({problem.strerror}); name a file with --rejected."
        ) from problem
    return path
