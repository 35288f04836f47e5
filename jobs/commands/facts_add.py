"""`curbline facts add|template|schema`: facts written by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ground.counted import counted
from ground.question import Question
from ground.words import MAIN_HORIZON
from jobs.commands.options import (
    AsOfOption,
    FactsOption,
    HorizonOption,
    JsonOption,
    RulesOption,
    SettingsOption,
    now,
    parse_day,
    settings_with,
)
from jobs.errors import ExitCode, SettingsError

if TYPE_CHECKING:
    from jobs.facts.add import Staged


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (add, template, schema):
        app.command()(command)


def add(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="Rows to add, as YAML; `facts template` prints one to start from."
        ),
    ],
    *,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to",
            metavar="DIR",
            help="The bundle to add to; by default the last one in the settings. Created if it does not exist.",
        ),
    ] = None,
    plan_only: Annotated[
        bool,
        typer.Option(
            "--plan", help="Add nothing: score with and without the rows, and say which routes move."
        ),
    ] = False,
    horizon: HorizonOption = MAIN_HORIZON,
    top: Annotated[int, typer.Option("--top", min=1, help="Routes shown per regime of a plan.")] = 10,
    as_of: AsOfOption = None,
    facts: FactsOption = None,
    rules: RulesOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> int:
    """Append rows to a bundle after checking them with everything they refer to; no row is ever rewritten."""
    from jobs.facts.add import commit, staged
    from jobs.resources import default_facts_dir

    chosen = settings_with(settings, facts=facts, rules=rules)
    own = [path for path in chosen.facts if path != default_facts_dir()]
    bundle = to or (own[-1] if own else None)
    if bundle is None:
        raise SettingsError(
            "the embedded facts are replaced with every release; name your own bundle with --to DIR (it is created "
            "if it is new), or begin a project with `curbline init DIR`."
        )
    bundle = bundle.resolve()
    stack = chosen.facts if bundle in chosen.facts else (*chosen.facts, bundle)
    with staged(file, bundle, stack) as found:
        if plan_only:
            return _plan(
                found, stack, chosen.rules, chosen.curbing_country, as_of, horizon, top, as_json=as_json
            )
        commit(found, bundle, since=now())
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "bundle": str(bundle),
                    "added": found.added,
                    "already": found.already,
                    "claims": found.claims,
                },
                indent=1,
            )
        )
        return ExitCode.OK
    for table, count in found.added.items():
        beside = found.claims.get(table)
        more = f", beside {counted(beside, 'row')} of other sources about the same" if beside else ""
        typer.echo(f"{table}: {count} added{more}.")
    if found.already:
        typer.echo(f"{found.already} were already there, word for word.")
    typer.echo(f"Bundle: {bundle}")
    if bundle not in chosen.facts:
        typer.echo(f"It is not in the settings: curbline run --facts embedded --facts {to or bundle}")
    return ExitCode.OK


def _plan(
    found: Staged,
    stack: tuple[Path, ...],
    rules: Path,
    country: str,
    as_of: str | None,
    horizon: int,
    top: int,
    *,
    as_json: bool,
) -> int:
    from jobs.facts.plan import plan
    from jobs.rules.rulebook import CURBS, load_rulebook, require_horizon
    from jobs.rules.trial import moves_data, moves_text
    from jobs.settings import ALL_COUNTRIES, DEFAULT_CURBING_COUNTRY
    from jobs.sql import plain

    own = [folder for folder in stack if folder.is_dir()]  # the bundle to add to may be new
    ruleset = load_rulebook(rules, method=CURBS, facts=own).ruleset
    require_horizon(ruleset, horizon)
    day = parse_day("--as-of", as_of) or now().date()
    country = DEFAULT_CURBING_COUNTRY if country == ALL_COUNTRIES else country
    planned = plan(stack, found.facts, ruleset, Question(day, day, country), horizon)
    if as_json:
        data = {"as_of": day, "horizon_days": horizon, "added": found.added, "already": found.already}
        data |= {"minerals": planned.minerals, "routes_new": planned.new, "routes_gone": planned.gone}
        data |= {"regimes": moves_data(planned.moves, top)}
        typer.echo(json.dumps(data, default=plain, ensure_ascii=False, indent=1))
        return ExitCode.OK
    rows = ", ".join(f"{count} in {table}" for table, count in found.added.items()) or "none"
    typer.echo(f"On {day}, {horizon} days, with the new rows ({rows}); nothing was added.")
    if not planned.minerals:
        typer.echo("Nothing that a score reads on that day differs, so no route moves.")
        return ExitCode.OK
    typer.echo(
        f"Scored with and without them: {', '.join(planned.minerals)}; no fact of other minerals differs."
    )
    if planned.new or planned.gone:
        typer.echo(f"{counted(planned.new, 'new route')}, {planned.gone:,} gone.")
    for line in moves_text(planned.moves, top):
        typer.echo(line)
    return ExitCode.OK


def template(
    name: Annotated[
        str,
        typer.Argument(
            metavar="[NAME]",
            help="notice, for `facts add`; mapping, for `facts import csv`; feeds, for `facts watch`.",
        ),
    ] = "notice",
) -> int:
    """Print a file to start from: a notice with its source, states and items, the mapping of a CSV, or feeds to watch."""
    from jobs.resources import TEMPLATES, facts_template
    from jobs.suggest import did_you_mean

    if name not in TEMPLATES:
        raise SettingsError(f"NAME: '{name}' is not a template{did_you_mean(name, TEMPLATES)}")
    typer.echo(facts_template(name), nl=False)
    return ExitCode.OK


def schema(
    table: Annotated[
        str | None, typer.Argument(metavar="[TABLE]", help="A fact table; without it the tables are listed.")
    ] = None,
    *,
    as_json: JsonOption = False,
) -> int:
    """List the fact tables, or the columns of one with their permitted values and meaning. --json gives JSON Schema."""
    from jobs.suggest import did_you_mean
    from warehouse.records.tables import TABLES, bundle_schema, columns

    if table is not None and table not in TABLES:
        raise SettingsError(f"TABLE: '{table}' is not a fact table{did_you_mean(table, TABLES)}")
    if as_json:
        whole = bundle_schema()
        typer.echo(json.dumps(whole if table is None else whole[table], ensure_ascii=False, indent=1))
    elif table is None:
        for name, found in TABLES.items():
            typer.echo(f"{name:22} {found.model.says}")
    else:
        typer.echo(f"{table}: {TABLES[table].model.says}")
        typer.echo(f"No two rows may share: {', '.join(TABLES[table].key)}")
        for column in columns(table):
            need = "must be filled" if column.required else "may be empty"
            words = f" One of: {', '.join(column.vocabulary)}." if column.vocabulary else ""
            typer.echo(f"  {column.name} ({column.sql_type.lower()}, {need}): {column.comment}{words}")
    return ExitCode.OK
