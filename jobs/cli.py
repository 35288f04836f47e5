"""`curbline`: the command line. Commands are thin; heavy modules are imported when a command needs them."""

from __future__ import annotations

import codecs
import io
import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from jobs.commands import alerts as alerts_commands
from jobs.commands import backtest as backtest_commands
from jobs.commands import dossier as dossier_commands
from jobs.commands import facts as facts_commands
from jobs.commands import keep as keep_commands
from jobs.commands import method as method_commands
from jobs.commands import minimal as minimal_commands
from jobs.commands import plan as plan_commands
from jobs.commands import portfolio as portfolio_commands
from jobs.commands import read as read_commands
from jobs.commands import report as report_commands
from jobs.commands import rules as rules_commands
from jobs.commands import scenario as scenario_commands
from jobs.commands import schedule as schedule_commands
from jobs.commands import time as time_commands
from jobs.commands import work as work_commands
from jobs.errors import ExitCode
from jobs.resources import package_version

INTERRUPTED = 130
CUT_OFF = 141  # what a shell says of a program that wrote into a closed pipe: 128 + SIGPIPE
USAGE = 2

app = typer.Typer(
    name="curbline",
    help="How exposed is each critical-mineral supply route to export curbs, why, and what would change it?",
    epilog="Exit codes: 0 ok, 10 ok with warnings, 20 checks failed and nothing published, 30 input missing or stale, "
    "40 settings or rules wrong, 50 internal, 75 busy.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(rules_commands.app, name="rules")
app.add_typer(facts_commands.app, name="facts")
app.add_typer(method_commands.app, name="method")
app.add_typer(alerts_commands.app, name="alerts")
app.add_typer(portfolio_commands.app, name="portfolio")
work_commands.register(app)
schedule_commands.register(app)
read_commands.register(app)
keep_commands.register(app)
report_commands.register(app)
backtest_commands.register(app)
time_commands.register(app)
scenario_commands.register(app)
plan_commands.register(app)
dossier_commands.register(app)
minimal_commands.register(app)


def _print_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"curbline {package_version()}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=lambda value: _print_version(wanted=value),
            is_eager=True,
            help="Print the version.",
        ),
    ] = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="On a fault in Curbline, show where it happened.")
    ] = False,
) -> None:
    """Take the options given before the command."""
    del version, traceback  # the first has printed by now, the second is read by main


def _escaped(problem: UnicodeError) -> tuple[str, int]:
    """Spell what an encoding lacks as JSON does, so that `--json` stays JSON."""
    if not isinstance(problem, UnicodeEncodeError):
        raise problem
    return json.dumps(problem.object[problem.start : problem.end])[1:-1], problem.end


def _print_anywhere() -> None:
    """Let no terminal fail a command: work that is done must not end as a fault while it is reported."""
    codecs.register_error("curbline", _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # tests and notebooks put other streams there
            stream.reconfigure(errors="curbline")


def _is_cut_off(problem: BaseException) -> bool:
    """Return whether the reader of a pipe, such as head, has closed it, which Typer and Rich turn into an exit."""
    cause: BaseException | None = problem
    while cause is not None and not isinstance(cause, BrokenPipeError):
        cause = cause.__cause__ or cause.__context__
    return cause is not None


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code; errors are sentences on standard error."""
    try:
        return _main(arguments)
    except (SystemExit, BrokenPipeError) as problem:
        if not _is_cut_off(problem):
            raise
        for stream in (
            sys.stdout,
            sys.stderr,
        ):  # what is still in their buffers goes nowhere when Python ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return CUT_OFF


def _main(arguments: list[str] | None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    # The systems solved are many and small: threads gain nothing, and waiting for a busy core costs minutes.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _print_anywhere()
    errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    try:
        result = app(args=given, prog_name="curbline", standalone_mode=False)
        sys.stdout.flush()
        return int(result) if isinstance(result, int) else ExitCode.OK
    except (KeyboardInterrupt, typer.Abort):
        errors.print("Stopped. A run that was under way published nothing.")
        return INTERRUPTED
    except typer.TyperException as problem:
        errors.print(f"{problem.format_message()} (`curbline --help` lists commands and options.)")
        return ExitCode.SETTINGS if problem.exit_code == USAGE else ExitCode.INTERNAL
    except (SystemExit, GeneratorExit, BrokenPipeError):
        raise
    except BaseException as problem:  # noqa: BLE001  (the last line of defence, for panics of libraries too)
        from jobs.outcome import code_of, sentence_of

        if "--traceback" in given:
            errors.print_exception()
        errors.print(sentence_of(problem, Path.cwd()))
        return code_of(problem)


if __name__ == "__main__":
    sys.exit(main())
