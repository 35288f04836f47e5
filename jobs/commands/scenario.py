"""`curbline scenario`: what if."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ground.words import MAIN_HORIZON
from jobs.commands.options import (
    AsOfOption,
    DrawsOption,
    FactsOption,
    ImportersOption,
    JsonOption,
    KnownAtOption,
    MineralOption,
    RegimeOption,
    RulesOption,
    SettingsOption,
    named_minerals,
    named_regime,
    now,
    parse_day,
    screen,
    settings_with,
)
from jobs.errors import ExitCode, SettingsError
from jobs.marts import MAIN_REGIME


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(scenario)


def scenario(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE]…",
            help="Scenario files, or names of those that come with Curbline; without any, these are listed.",
        ),
    ] = None,
    *,
    horizon: Annotated[
        int | None,
        typer.Option("--horizon", metavar="DAYS", help="By default that of the file, else 365 days."),
    ] = None,
    regime: RegimeOption = MAIN_REGIME,
    mineral: MineralOption = None,
    top: Annotated[int, typer.Option("--top", min=1, help="Lanes shown.")] = 10,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Also write the tables as CSV and Parquet.")
    ] = None,
    as_of: AsOfOption = None,
    known_at: KnownAtOption = None,
    importers: ImportersOption = None,
    facts: FactsOption = None,
    rules: RulesOption = None,
    draws: DrawsOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> int:
    """Ask what if: score scenarios beside the facts as they are, which stay untouched."""
    from jobs.sql import plain

    if not files:
        return _list(as_json=as_json)
    from ground.question import Question
    from jobs.export.tables import TableFormat, refuse_foreign
    from jobs.rules.rulebook import CURBS, load_rulebook, require_horizon
    from jobs.scenario.reading import find_scenario, read_scenario
    from jobs.scenario.show import as_data, as_text
    from jobs.scenario.tables import write_tables
    from jobs.scenario.world import Comparison, World
    from jobs.settings import ALL_COUNTRIES
    from warehouse.asof.state import Warehouse
    from warehouse.bundle.reading import read_bundles

    chosen = settings_with(settings, facts=facts, rules=rules, importers=importers, draws=draws)
    if chosen.curbing_country == ALL_COUNTRIES:
        raise SettingsError(
            "a scenario asks about the curbs of one country; name it as curbing_country in the file."
        )
    regime = named_regime(regime)
    if to:
        refuse_foreign(to.resolve())
    read = [read_scenario(find_scenario(file)) for file in files]
    names = [one.scenario.scenario for one in read]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"two of the files are named '{name}'; give each a scenario: of its own.")
    ruleset = load_rulebook(chosen.rules, method=CURBS, facts=chosen.facts).ruleset
    loaded = read_bundles(chosen.facts, strict=chosen.strict)
    today = now().date()
    minerals = named_minerals(mineral)
    outcomes, worlds = [], dict[tuple[Question, Comparison], World]()
    with Warehouse.open_memory() as state:
        state.load_facts(loaded)
        for one in read:
            day = parse_day("--as-of", as_of) or one.scenario.as_of or today
            country = one.scenario.curbing_country or chosen.curbing_country
            question = Question(day, parse_day("--known-at", known_at) or day, country)
            days = horizon or one.scenario.horizon_days or MAIN_HORIZON
            require_horizon(ruleset, days)
            asked = Comparison(days, regime, chosen.draws)
            if (question, asked) not in worlds:
                worlds[question, asked] = World(state, loaded, ruleset, question, asked)
            outcomes.append(worlds[question, asked].play(one, minerals))
    shown = list(dict.fromkeys(chosen.declared_importers))
    if as_json:
        found = as_data(outcomes, shown, top, loaded.report.facts_hash)
        typer.echo(json.dumps(found, default=plain, ensure_ascii=False, indent=1))
    else:
        screen().print(as_text(outcomes, shown, top))
    if to:
        for path in write_tables(outcomes, to.resolve(), tuple(TableFormat)):
            typer.echo(str(path), err=as_json)
    return ExitCode.OK


def _list(*, as_json: bool) -> int:
    from jobs.scenario.reading import read_scenario, shipped
    from jobs.tables import as_table

    found = [read_scenario(path).scenario for path in shipped().values()]
    if as_json:
        rows = [
            {"scenario": one.scenario, "title": one.title, "why": one.why.strip() or None} for one in found
        ]
        typer.echo(json.dumps({"scenarios": rows}, ensure_ascii=False, indent=1))
    else:
        screen().print(as_table(("scenario", "what if"), [(one.scenario, one.title) for one in found]))
    return ExitCode.OK
