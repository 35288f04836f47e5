"""`curbline rules`: check and test a folder of rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ground.counted import counted
from ground.words import MAIN_HORIZON
from jobs.commands.options import (
    AsOfOption,
    FactsOption,
    HorizonOption,
    JsonOption,
    KnownAtOption,
    MineralOption,
    OutOption,
    RulesArgument,
    RulesOption,
    RunOption,
    SettingsOption,
    either,
    now,
    parse_day,
    reading,
    settings_with,
)
from jobs.commands.rules_pages import pages
from jobs.commands.rules_sensitivity import sensitivity
from jobs.errors import ExitCode, SettingsError

app = typer.Typer(help="Check, test and read rule files.", no_args_is_help=True)
app.command()(sensitivity)
app.command()(pages)


@app.command()
def check(
    folder: RulesArgument = None,
    *,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="DIR|FILE|REV",
            help="Also compare versions and ids with an earlier folder of rules, a published file, or a git revision.",
        ),
    ] = None,
    max_reference_age: Annotated[
        int,
        typer.Option(
            "--max-reference-age",
            metavar="DAYS",
            min=0,
            help="Warn of references that were checked longer ago.",
        ),
    ] = 365,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="The day to count from; by default today.")
    ] = None,
    facts: FactsOption = None,
    rules: RulesOption = None,
    settings: SettingsOption = None,
) -> int:
    """Run every static check and list all problems, with file, line and column."""
    from engine.language.checks.age import check_age
    from jobs.rules.check import problems_since
    from jobs.rules.rulebook import problems_of, show_problems
    from jobs.rules.vocabulary import vocabulary_or_why

    day = parse_day("--as-of", as_of) or now().date()
    chosen = settings_with(settings, facts=facts, rules=either("--rules", folder, rules))
    place = chosen.rules
    vocabulary, why = vocabulary_or_why(chosen.facts)
    ruleset, problems, texts = problems_of(place, vocabulary)
    if ruleset is not None:  # what cannot be read cannot be compared
        problems += check_age(ruleset, day, max_reference_age)
        problems += problems_since(ruleset, against, place) if against is not None else []
    problems = sorted(set(problems))
    for shown in show_problems(problems, place, texts):
        typer.echo(shown)
    if problems:
        pages = ", ".join(f"docs/checks/{code}.md" for code in sorted({p.code for p in problems}))
        typer.echo(f"With an example and its mend: {pages}")
    serious = sum(not problem.is_warning for problem in problems)
    typer.echo(
        f"{counted(len(texts), 'file')} of {place}: {counted(serious, 'problem')}, {counted(len(problems) - serious, 'warning')}."
    )
    if vocabulary is None:
        typer.echo(f"Codes of minerals, countries and blocs were not looked up: {why}")
    if serious:
        return ExitCode.SETTINGS
    return ExitCode.WARNINGS if problems or vocabulary is None else ExitCode.OK


@app.command(name="fmt")
def lay_out_files(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="Rule files or folders of them; by default all rules."),
    ] = None,
    *,
    check_only: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail if a file is not formatted.")
    ] = False,
    rules: RulesOption = None,
    settings: SettingsOption = None,
) -> int:
    """Format rule files: order of keys, indentation, quotes. Comments are kept; a file with problems is not touched."""
    from jobs.rules.format import lay_out, write

    chosen = settings_with(settings, rules=rules)
    report = lay_out(chosen.rules, paths or [], chosen.facts)
    if not check_only:
        write(report)
    for line in report.lines:
        typer.echo(line)
    for path in report.changed:
        typer.echo(f"{path}: {'is not laid out; curbline rules fmt does it' if check_only else 'laid out'}.")
    done = "to lay out" if check_only else "laid out"
    typer.echo(
        f"{counted(len(report.changed), 'file')} {done}, {report.in_order} in order, {report.refused} refused."
    )
    return ExitCode.SETTINGS if report.refused or (check_only and report.changed) else ExitCode.OK


@app.command(name="test")
def run_tests(
    folder: RulesArgument = None,
    *,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Also write the result as JUnit XML.")
    ] = None,
    min_coverage: Annotated[
        float,
        typer.Option(
            "--min-coverage",
            metavar="PERCENT",
            min=0,
            max=100,
            help="Fail if the tests reach a smaller share of the branches, including those of drafts.",
        ),
    ] = 0.0,
    rules: RulesOption = None,
    settings: SettingsOption = None,
) -> int:
    """Run the tests inside the rule files, and count the branches that they reach."""
    from jobs.rules.report import run_rule_tests, write_junit
    from jobs.rules.rulebook import load_rulebook

    chosen = settings_with(settings, rules=either("--rules", folder, rules))
    run = run_rule_tests(load_rulebook(chosen.rules, facts=chosen.facts))
    if junit is not None:
        write_junit(run, junit)
    for line in run.lines(min_coverage):
        typer.echo(line)
    return ExitCode.OK if run.passed and run.covered_percent >= min_coverage else ExitCode.SETTINGS


@app.command()
def schema(
    folder: RulesArgument = None,
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write one file per schema; by default they are printed."),
    ] = None,
    facts: FactsOption = None,
    rules: RulesOption = None,
    settings: SettingsOption = None,
) -> int:
    """Print the JSON Schemas of rules, features and scorecard, for completion and hover text in an editor.

    Codes of minerals, stages, countries and blocs are those of the facts.
    """
    from jobs.rules.rulebook import load_rulebook
    from jobs.rules.schema import schema_texts, write_schemas
    from jobs.rules.vocabulary import vocabulary_or_why

    chosen = settings_with(settings, facts=facts, rules=either("--rules", folder, rules))
    rulebook = load_rulebook(chosen.rules, facts=chosen.facts)
    if out is None:
        texts = schema_texts(rulebook)
        typer.echo(
            json.dumps({name: json.loads(text) for name, text in texts.items()}, ensure_ascii=False, indent=2)
        )
    else:
        for path in write_schemas(rulebook, out):
            typer.echo(str(path))
    if rulebook.vocabulary is None:
        _, why = vocabulary_or_why(chosen.facts)
        typer.echo(f"The schemas list no codes of minerals, countries and blocs: {why}", err=True)
        return ExitCode.WARNINGS
    return ExitCode.OK


@app.command()
def show(
    rule_id: Annotated[str, typer.Argument(metavar="ID", help="Id of a rule, such as dual-use-licence.")],
    *,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="DATE", help="The day whose values are shown; by default today."),
    ] = None,
    rules: RulesOption = None,
    settings: SettingsOption = None,
) -> int:
    """Describe a rule in plain words: what it selects, what it gives, its parameters with their history and references."""
    from engine.language.describe import describe_rule
    from jobs.rules.rulebook import load_rulebook
    from jobs.suggest import did_you_mean

    day = parse_day("--as-of", as_of) or now().date()
    chosen = settings_with(settings, rules=rules)
    rulebook = load_rulebook(chosen.rules, facts=chosen.facts)
    by_id = {rule.id: rule for rule in rulebook.ruleset.rules}
    if rule_id not in by_id:
        raise SettingsError(f"{rulebook.folder}: no rule '{rule_id}'{did_you_mean(rule_id, list(by_id))}")
    for line in describe_rule(rulebook.ruleset, by_id[rule_id], day):
        typer.echo(line)
    return ExitCode.OK


@app.command()
def who(
    mineral: Annotated[str, typer.Argument(help="Such as gallium or dysprosium.")],
    stage: Annotated[str, typer.Argument(help="mined, refined, metal or fabricated.")],
    exporter: Annotated[str, typer.Argument(help="ISO 3166 alpha-3.")],
    importer: Annotated[str, typer.Argument(help="ISO 3166 alpha-3.")],
    *,
    horizon: HorizonOption = MAIN_HORIZON,
    run_id: RunOption = None,
    rules: RulesOption = None,
    out: OutOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> int:
    """List every rule that was evaluated for a published route, and why it did or did not apply."""
    from jobs.places import country_code
    from jobs.rules.rulebook import CURBS, load_rulebook
    from jobs.rules.who import Lane, as_data, as_text
    from jobs.rules.who import who as ask
    from jobs.sql import plain

    chosen = settings_with(settings, out=out, rules=rules)
    ruleset = load_rulebook(chosen.rules, method=CURBS, facts=chosen.facts).ruleset
    with reading(chosen, run_id) as reader:
        ends = country_code(reader, "exporter", exporter), country_code(reader, "importer", importer)
        lane = Lane(mineral.lower(), stage.lower(), *ends, horizon)
        day, looks = ask(reader, ruleset, lane)
    if as_json:
        typer.echo(json.dumps(as_data(lane, day, looks), default=plain, ensure_ascii=False, indent=1))
    else:
        typer.echo(as_text(ruleset, lane, day, looks))
    return ExitCode.OK


@app.command(name="try")
def try_file(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A rule file, new or changed; a draft counts as active.")
    ],
    *,
    horizon: HorizonOption = MAIN_HORIZON,
    top: Annotated[int, typer.Option("--top", min=1, help="Routes shown per regime.")] = 15,
    mineral: MineralOption = None,
    as_of: AsOfOption = None,
    known_at: KnownAtOption = None,
    facts: FactsOption = None,
    rules: RulesOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> int:
    """Score the portfolio in memory with and without a rule file, and say which routes would move and how far."""
    from jobs.gather import gather_in_memory, only_minerals
    from jobs.rules.rulebook import CURBS, load_rulebook, require_horizon
    from jobs.rules.trial import as_data, as_text, compare, score_routes, with_file
    from jobs.sql import plain

    chosen = settings_with(settings, facts=facts, rules=rules)
    rulebook = load_rulebook(chosen.rules, method=CURBS, facts=chosen.facts)
    require_horizon(rulebook.ruleset, horizon)
    trial = with_file(rulebook, file)
    day = parse_day("--as-of", as_of) or now().date()
    facts_of_day = gather_in_memory(chosen, day, parse_day("--known-at", known_at) or day)
    inputs = only_minerals(facts_of_day, [name.lower() for name in mineral or []])
    moves = compare(score_routes(inputs, rulebook.ruleset), score_routes(inputs, trial.ruleset), horizon)
    if as_json:
        typer.echo(
            json.dumps(as_data(trial, moves, horizon, top, day), default=plain, ensure_ascii=False, indent=1)
        )
    else:
        typer.echo(as_text(trial, moves, horizon, top, day))
    return ExitCode.OK
