"""Commands about time: diff."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated

import typer

from ground.words import MAIN_HORIZON, REGIMES
from jobs.commands.options import (
    FactsOption,
    HorizonOption,
    JsonOption,
    MineralOption,
    OutOption,
    RulesOption,
    SettingsOption,
    parse_day,
    screen,
    settings_with,
)
from jobs.errors import ExitCode, SettingsError
from jobs.marts import MAIN_REGIME
from jobs.suggest import did_you_mean

NIGHT = "A published run: its id (or the start of it), or its day, such as 2026-11-10."


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(diff)


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help=f"{NIGHT} With --replay a day.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The later one, named in the same way.")],
    *,
    replay: Annotated[
        bool,
        typer.Option(
            "--replay",
            help="Score both days in memory, each as known on itself, under the facts and rules at hand; no published "
            "run is needed, and rules and code cannot differ.",
        ),
    ] = False,
    mineral: MineralOption = None,
    horizon: HorizonOption = MAIN_HORIZON,
    regime: Annotated[
        str, typer.Option("--regime", help="Whose moves to show: active, snapback or full_stop.")
    ] = MAIN_REGIME,
    top: Annotated[int, typer.Option("--top", min=0, help="How many of the largest moves are listed.")] = 10,
    curbing_country: Annotated[
        str | None,
        typer.Option("--curbing-country", metavar="ISO3", help="With --replay: whose curbs."),
    ] = None,
    facts: FactsOption = None,
    rules: RulesOption = None,
    out: OutOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> int:
    """Say which scores moved between two nights, and why: code, rules, facts, law, or the calendar alone.

    One input is swapped at a time, in this order, in the same draws, so that the causes of a move sum to it. A published
    run holds its own facts and rules; its code is told apart by scoring them again with this one.
    """
    from jobs.diff.asked import diff_published, diff_replayed
    from jobs.diff.text import Shown, as_dict, as_text
    from jobs.sql import plain

    chosen_regime = regime.lower().replace("-", "_")
    if chosen_regime not in REGIMES:
        raise SettingsError(f"unknown regime '{regime}'{did_you_mean(regime, REGIMES)}")
    chosen = settings_with(
        settings, out=out, facts=facts, rules=rules, curbing_country=curbing_country, importers=None
    )
    minerals = tuple(mineral or ())
    if replay:
        found = diff_replayed(chosen, (_day(before), _day(after)), minerals)
    else:
        found = diff_published(chosen, (before, after), minerals)
    told = as_dict(found[0], found[1], found[2].moves, found[2].reasons, Shown(horizon, chosen_regime, top))
    if as_json:
        typer.echo(json.dumps(told, default=plain, ensure_ascii=False, indent=1))
    else:
        screen().print(as_text(told))
    return ExitCode.OK


def _day(written: str) -> date:
    parse_day("--replay", written)
    return date.fromisoformat(written)
