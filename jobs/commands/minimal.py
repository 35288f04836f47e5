"""`curbline minimal`: the fewest flows or measures whose stop would hurt."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ground.words import MAIN_HORIZON
from jobs.commands.options import (
    AsOfOption,
    DrawsOption,
    FactsOption,
    JsonOption,
    KnownAtOption,
    MineralOption,
    OneCountryOption,
    RulesOption,
    SettingsOption,
    named_minerals,
    now,
    parse_day,
    screen,
    settings_with,
)
from jobs.errors import ExitCode, SettingsError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(minimal)


def minimal(
    importers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[IMPORTER]…",
            help="Countries, or the bloc that is an importer by itself; by default declared_importers of the settings.",
        ),
    ] = None,
    *,
    mineral: MineralOption = None,
    by: Annotated[
        str, typer.Option("--by", metavar="exporters|routes|measures", help="What may stop.")
    ] = "exporters",
    largest: Annotated[
        int, typer.Option("--largest", metavar="N", help="Stops in a set at most, up to 3.")
    ] = 2,
    band: Annotated[
        str,
        typer.Option("--band", help="A set counts from the lower edge of this band on; high begins at 36 %."),
    ] = "high",
    horizon: Annotated[int, typer.Option("--horizon", metavar="DAYS", help="90 or 365 days.")] = MAIN_HORIZON,
    top: Annotated[int, typer.Option("--top", min=1, help="Sets shown of each.")] = 10,
    as_of: AsOfOption = None,
    known_at: KnownAtOption = None,
    curbing_country: OneCountryOption = None,
    facts: FactsOption = None,
    rules: RulesOption = None,
    draws: DrawsOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> int:
    """Find the fewest exporters, flows or measures whose stop takes an importer's loss into a band."""
    from jobs.gather import gather_in_memory
    from jobs.minimal.asked import Asked, Minimal
    from jobs.minimal.show import as_data, as_text
    from jobs.rules.rulebook import CURBS, load_rulebook, require_horizon
    from jobs.settings import ALL_COUNTRIES
    from jobs.sql import plain

    chosen = settings_with(settings, facts=facts, rules=rules, curbing_country=curbing_country, draws=draws)
    if chosen.curbing_country == ALL_COUNTRIES:
        raise SettingsError("flows stop on top of the curbs of one country; name it with --curbing-country.")
    ruleset = load_rulebook(chosen.rules, method=CURBS, facts=chosen.facts).ruleset
    require_horizon(ruleset, horizon)
    day = parse_day("--as-of", as_of) or now().date()
    base = gather_in_memory(chosen, day, parse_day("--known-at", known_at) or day)
    named = dict.fromkeys(code.upper() for code in importers or chosen.declared_importers)
    asked = Asked(tuple(named), by.lower(), largest, band.lower(), horizon, chosen.draws)
    question = Minimal(base, ruleset, asked)
    answers = list(question.answers(named_minerals(mineral)))
    if as_json:
        found = as_data(answers, asked, question.threshold, base.question)
        typer.echo(json.dumps(found, default=plain, ensure_ascii=False, indent=1))
    else:
        screen().print(as_text(answers, asked, question.threshold, base.question, top))
    return ExitCode.OK
