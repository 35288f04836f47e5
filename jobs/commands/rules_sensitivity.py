"""`curbline rules sensitivity`."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from ground.words import MAIN_HORIZON
from jobs.commands.options import (
    AsOfOption,
    FactsOption,
    HorizonOption,
    JsonOption,
    KnownAtOption,
    MineralOption,
    RulesArgument,
    RulesOption,
    SettingsOption,
    either,
    now,
    parse_day,
    screen,
    settings_with,
)
from jobs.errors import ExitCode


def sensitivity(
    folder: RulesArgument = None,
    *,
    top: Annotated[int, typer.Option("--top", min=1, help="Values shown.")] = 10,
    horizon: HorizonOption = MAIN_HORIZON,
    mineral: MineralOption = None,
    as_of: AsOfOption = None,
    known_at: KnownAtOption = None,
    facts: FactsOption = None,
    rules: RulesOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> int:
    """Set each value of the rules to the ends of its range, and say which values move the portfolio's priorities most."""
    from rich.console import Console
    from rich.progress import Progress

    from jobs.gather import gather_in_memory
    from jobs.rules.rulebook import CURBS, load_rulebook, require_horizon
    from jobs.rules.sensitivity import COLUMNS, as_data, header, measure, rows
    from jobs.sql import plain
    from jobs.tables import as_table

    chosen = settings_with(settings, facts=facts, rules=either("--rules", folder, rules))
    ruleset = load_rulebook(chosen.rules, method=CURBS, facts=chosen.facts).ruleset
    require_horizon(ruleset, horizon)
    day = parse_day("--as-of", as_of) or now().date()
    inputs = gather_in_memory(chosen, day, parse_day("--known-at", known_at) or day)
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("values")
        found = measure(
            inputs,
            ruleset,
            horizon,
            [name.lower() for name in mineral or []],
            lambda done, of: bar.update(task, completed=done, total=of),
        )
    if as_json:
        typer.echo(json.dumps(as_data(found, day, horizon, top), default=plain, ensure_ascii=False, indent=1))
        return ExitCode.OK
    for line in header(found, day, horizon):
        typer.echo(line)
    typer.echo()
    screen().print(as_table(COLUMNS, rows(found, top)))
    return ExitCode.OK
