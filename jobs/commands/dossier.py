"""`curbline dossier`: the self-assessment of Article 24."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jobs.commands.options import OutOption, RunOption, SettingsOption, published, settings_with
from jobs.errors import ExitCode, SettingsError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(dossier)


def dossier(
    *,
    to: Annotated[
        Path, typer.Option("--to", metavar="DIR", help="A new or empty folder, or an earlier one of these.")
    ],
    importer: Annotated[
        str | None, typer.Option("--importer", metavar="CODE", help="Of what a country or bloc imports.")
    ] = None,
    portfolio: Annotated[bool, typer.Option("--portfolio", help="Of your own purchases.")] = False,
    run_id: RunOption = None,
    out: OutOption = None,
    settings: SettingsOption = None,
) -> int:
    """Write the self-assessment that Article 24 of the EU Critical Raw Materials Act asks for, as HTML and DOCX."""
    from jobs.export.tables import refuse_foreign, whole_folder, write_manifest
    from jobs.output.layout import Layout
    from jobs.purchases.actions import file_name, read_actions
    from jobs.purchases.book import load_risk_book
    from jobs.purchases.documents import as_html, write_docx
    from jobs.purchases.dossier import of_importer, of_purchases
    from jobs.settings import AudienceSettings
    from warehouse.database import Database

    if portfolio == (importer is not None):
        raise SettingsError("name --portfolio or --importer CODE, one of them.")
    chosen = settings_with(settings, out=out)
    snapshot = published(chosen, run_id)
    target = to.resolve()
    refuse_foreign(target)
    with Database.open(snapshot.path, read_only=True) as reader:
        if importer is not None:
            found = of_importer(reader, importer)
        else:
            audience = AudienceSettings()
            actions, _ = read_actions(Layout(chosen.out).risk / file_name(audience.name))
            found = of_purchases(reader, load_risk_book(reader, audience, actions))
    name = f"dossier_{importer.lower() if importer else 'purchases'}_{snapshot.as_of.isoformat()}"
    with whole_folder(target) as folder:
        (folder / f"{name}.html").write_text(as_html(found), encoding="utf-8", newline="")
        write_docx(found, snapshot.as_of, folder / f"{name}.docx")
        write_manifest(folder)
    for kind in ("html", "docx"):
        typer.echo(str(target / f"{name}.{kind}"))
    return ExitCode.OK
