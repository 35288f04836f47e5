"""Commands about time: diff, backfill."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from typing import Annotated

import typer

from ground.words import MAIN_HORIZON
from jobs.commands.options import (
    DrawsOption,
    FactsOption,
    HorizonOption,
    JsonOption,
    MineralOption,
    OneCountryOption,
    OutOption,
    RegimeOption,
    RulesOption,
    SettingsOption,
    StrictKnowledgeOption,
    named_horizon,
    named_minerals,
    named_regime,
    now,
    parse_day,
    screen,
    settings_with,
)
from jobs.errors import ExitCode
from jobs.marts import MAIN_REGIME

NIGHT = "A published run: its id (or the start of it), or its day, such as 2026-11-10."


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(diff)
    app.command()(backfill)


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
    ranges: Annotated[
        bool,
        typer.Option(
            "--ranges",
            help="Also give p10 and p90 of each move, from the same draws: scores what moved on both nights again.",
        ),
    ] = False,
    mineral: MineralOption = None,
    horizon: HorizonOption = MAIN_HORIZON,
    regime: RegimeOption = MAIN_REGIME,
    top: Annotated[int, typer.Option("--top", min=0, help="How many of the largest moves are listed.")] = 10,
    curbing_country: OneCountryOption = None,
    facts: FactsOption = None,
    rules: RulesOption = None,
    out: OutOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> int:
    """Say which scores moved between two nights, and why: code, rules, facts, the calendar alone, or law.

    One input is swapped at a time, in this order, in the same draws, so that the causes of a move sum to it. A published
    run holds its own facts and rules; its code is told apart by scoring them again with this one.
    """
    from jobs.diff.asked import diff_published, diff_replayed
    from jobs.diff.text import Shown, as_dict, as_text
    from jobs.sql import plain

    shown = Shown(named_horizon(horizon), named_regime(regime), top)
    chosen = settings_with(settings, out=out, facts=facts, rules=rules, curbing_country=curbing_country)
    minerals = named_minerals(mineral)
    if replay:
        found = diff_replayed(chosen, (_day(before), _day(after)), minerals, ranges=ranges)
    else:
        found = diff_published(chosen, (before, after), minerals, ranges=ranges)
    told = as_dict(found[0], found[1], found[2].moves, found[2].reasons, shown)
    if as_json:
        typer.echo(json.dumps(told, default=plain, ensure_ascii=False, indent=1))
    else:
        screen().print(as_text(told))
    return ExitCode.OK


def backfill(
    *,
    first: Annotated[str, typer.Option("--from", metavar="DATE", help="The first day.")],
    last: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="The last day; by default today in UTC.")
    ] = None,
    every: Annotated[
        str, typer.Option("--every", metavar="day|week|month", help="Step between the days.")
    ] = "month",
    mineral: MineralOption = None,
    strict_knowledge: StrictKnowledgeOption = False,
    curbing_country: OneCountryOption = None,
    facts: FactsOption = None,
    rules: RulesOption = None,
    draws: DrawsOption = None,
    out: OutOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> int:
    """Score past days in a row, each as known on that day, and keep them in mart.score_history.

    A day that is there already, of the same facts, rules and code, is kept: a backfill that was stopped goes on where it
    was.
    """
    from rich.console import Console

    from jobs.nightly.phases import Phases
    from jobs.nightly.series import SeriesOutcome, days_of
    from jobs.nightly.series import backfill as score_days
    from jobs.output.layout import Layout
    from jobs.sql import plain

    moment = now()
    begin = parse_day("--from", first) or moment.date()
    days = days_of(begin, parse_day("--to", last) or moment.date(), every, moment.date())
    chosen = settings_with(
        settings,
        out=out,
        facts=facts,
        rules=rules,
        curbing_country=curbing_country,
        strict_knowledge=strict_knowledge,
        draws=draws,
    )
    outcome = SeriesOutcome()
    with Phases(Console(stderr=True)) as phases:
        for vintage in score_days(chosen, days, moment, phases, named_minerals(mineral)):
            outcome.vintages.append(vintage)
            if not as_json:
                typer.echo(vintage.sentence)
    if as_json:
        told: dict[str, object] = {
            "vintages": [asdict(one) for one in outcome.vintages],
            "history": str(Layout(chosen.out).history),
        }
        told["seconds"] = {one.name: round(one.seconds, 1) for one in phases.done}
        typer.echo(json.dumps(told, default=plain, ensure_ascii=False, indent=1))
    else:
        typer.echo(
            f"History: {Layout(chosen.out).history} (Parquet by day; docs/time.md says how to read it)"
        )
    return outcome.code


def _day(written: str) -> date:
    parse_day("--replay", written)
    return date.fromisoformat(written)
