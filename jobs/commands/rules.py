"""`curbline rules`: check and test a folder of rules."""

from __future__ import annotations

import typer

from jobs.commands.options import RulesOption, SettingsOption, settings_with
from jobs.errors import ExitCode

app = typer.Typer(help="Check and test rule files.", no_args_is_help=True)


@app.command()
def check(rules: RulesOption = None, settings: SettingsOption = None) -> int:
    """Run every static check and list all problems, with file, line and column."""
    from jobs.rulebook import problems_of, show_problems

    folder = settings_with(settings, rules=rules).rules
    problems, texts = problems_of(folder)
    for shown in show_problems(problems, folder, texts):
        typer.echo(shown)
    serious = sum(not problem.is_warning for problem in problems)
    typer.echo(f"{len(texts)} files of {folder}: {serious} problems, {len(problems) - serious} warnings.")
    if serious:
        return ExitCode.SETTINGS
    return ExitCode.WARNINGS if problems else ExitCode.OK


@app.command(name="test")
def run_tests(rules: RulesOption = None, settings: SettingsOption = None) -> int:
    """Run the tests that stand inside the rule files."""
    from jobs.rulebook import load_rulebook, test_rules

    report = test_rules(load_rulebook(settings_with(settings, rules=rules).rules))
    for failure in report.failures:
        typer.echo(failure)
    typer.echo(report.sentence)
    return ExitCode.SETTINGS if report.failures else ExitCode.OK
