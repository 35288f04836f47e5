"""`curbline backtest`."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from jobs.commands.options import (
    FactsOption,
    JsonOption,
    RulesOption,
    SettingsOption,
    now,
    parse_day,
    settings_with,
)
from jobs.errors import ExitCode


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(backtest)


def backtest(
    *,
    known_at: Annotated[
        str | None,
        typer.Option(
            "--known-at",
            metavar="DATE",
            help="Only outcomes that were known on this day; by default today in UTC.",
        ),
    ] = None,
    held_out: Annotated[
        bool,
        typer.Option("--held-out", help="Judge only the outcomes kept for an independent test."),
    ] = False,
    facts: FactsOption = None,
    rules: RulesOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> int:
    """Replay what happened under curbs as it was known the day before, and score the forecasts; prints Markdown."""
    from rich.console import Console
    from rich.progress import Progress

    from jobs.backtest.page import as_data, page
    from jobs.backtest.replay import run
    from jobs.rules.rulebook import CURBS, load_rulebook
    from jobs.sql import plain
    from warehouse.asof.state import Warehouse

    chosen = settings_with(settings, facts=facts, rules=rules)
    ruleset = load_rulebook(chosen.rules, method=CURBS, facts=chosen.facts).ruleset
    day = parse_day("--known-at", known_at) or now().date()
    with (
        Warehouse.open_memory() as warehouse,
        Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar,
    ):
        warehouse.load_bundles(chosen.facts, strict=chosen.strict)
        task = bar.add_task("outcomes")
        found = run(
            warehouse,
            ruleset,
            day,
            held_out=held_out,
            on_progress=lambda done, of: bar.update(task, completed=done, total=of),
        )
    if as_json:
        typer.echo(json.dumps(as_data(found), default=plain, ensure_ascii=False, indent=1))
    else:
        typer.echo(page(found), nl=False)
    return ExitCode.OK
