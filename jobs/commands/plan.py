"""`curbline plan`: what to do first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from jobs.commands.options import (
    JsonOption,
    OutOption,
    RegimeOption,
    RunOption,
    SettingsOption,
    named_regime,
    published,
    screen,
    settings_with,
)
from jobs.errors import ExitCode
from jobs.marts import MAIN_REGIME


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(plan)


def plan(
    *,
    budget: Annotated[
        float, typer.Option("--budget", metavar="USD", help="What all steps may cost together.")
    ],
    costs: Annotated[
        str,
        typer.Option(
            "--costs",
            metavar="FILE",
            help="CSV of line_id (* for all), step (stock_day, second_source, substitution), cost_usd or cost_spend_share of a unit "
            "(a day, a percent of the line), most, exporter; 'demo' is that of the demo.",
        ),
    ],
    tail_weight: Annotated[
        float,
        typer.Option(
            "--tail-weight", help="Part of the worst tenth in what is reduced; the rest is the mean."
        ),
    ] = 0.5,
    regime: RegimeOption = MAIN_REGIME,
    run_id: RunOption = None,
    out: OutOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> int:
    """Find the stock days, second sources and substitutions that reduce your expected and worst losses most per dollar."""
    from rich.console import Group

    from jobs.purchases.plan import SHOWN, pose, read_costs, solve
    from jobs.purchases.store import DEMO, DEMO_COSTS, demo_file
    from jobs.tables import as_table
    from warehouse.database import Database

    chosen = settings_with(settings, out=out)
    snapshot = published(chosen, run_id)
    named = read_costs(demo_file(DEMO_COSTS) if costs == DEMO else Path(costs))
    with Database.open(snapshot.path, read_only=True) as reader:
        found = solve(pose(reader, named, named_regime(regime)), budget, tail_weight)
    if as_json:
        typer.echo(
            json.dumps({**found, "run_id": snapshot.run_id, "regime": regime}, ensure_ascii=False, indent=1)
        )
        return ExitCode.OK
    rows = [
        (place, one["line_id"], one["part"] or "", one["mineral"], one["what"], one["cost_usd"], one["saves_mean_usd"], one["saves_tail_usd"])
        for place, one in enumerate(found["steps"][:SHOWN], start=1)
    ]  # fmt: skip
    more = len(found["steps"]) - len(rows)
    left = (
        f" {found['lines_left_out']} smaller lines at risk were not looked at."
        if found["lines_left_out"]
        else ""
    )
    screen().print(
        Group(
            f"For {found['spent_usd']:,.0f} USD of {found['budget_usd']:,.0f}: expected spend at risk falls from {found['expected_missing_usd']:,.0f} "
            f"to {found['planned_missing_usd']:,.0f} USD, in the worst tenth from {found['tail_usd']:,.0f} to {found['planned_tail_usd']:,.0f}.{left}",
            as_table(
                (
                    "",
                    "line",
                    "part",
                    "mineral",
                    "step",
                    "costs, USD",
                    "saves on average",
                    "saves in the worst tenth",
                ),
                rows,
            ),
            f"And {more} smaller steps (--json shows all)." if more > 0 else "",
            "Each step saves on top of those before it. A percent costs the same whether it is the first or the last; "
            "whether a source is qualified is yours to know.",
        )
    )
    return ExitCode.OK
