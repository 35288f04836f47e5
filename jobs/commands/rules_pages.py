"""`curbline rules pages`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ground.counted import counted
from jobs.commands.options import RulesOption, SettingsOption, settings_with
from jobs.errors import ExitCode


def pages(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="Where to write the pages; pages of rules that no longer exist are removed."
        ),
    ],
    *,
    rules: RulesOption = None,
    settings: SettingsOption = None,
) -> int:
    """Write a page per rule, in plain words, with an index."""
    from jobs.rules.pages import write_pages
    from jobs.rules.rulebook import load_rulebook

    chosen = settings_with(settings, rules=rules)
    count = write_pages(load_rulebook(chosen.rules, facts=chosen.facts), folder)
    typer.echo(f"{counted(count, 'page')} in {folder}")
    return ExitCode.OK
