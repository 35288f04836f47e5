"""Options that several commands share, and what they turn into."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from ground.words import HORIZONS, REGIMES
from jobs.errors import InputError, SettingsError
from jobs.output.layout import Layout, Snapshot
from jobs.resources import EMBEDDED
from jobs.settings import Settings, build_settings, load_settings
from jobs.suggest import did_you_mean

if TYPE_CHECKING:
    from warehouse.database import Database

OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        help="Output folder; by default the one in the settings, otherwise ./curbline-data.",
    ),
]
SettingsOption = Annotated[
    Path | None,
    typer.Option(
        "--settings", metavar="FILE", help="Settings file; by default ./curbline.toml if there is one."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
RunOption = Annotated[
    str | None,
    typer.Option(
        "--run",
        metavar="RUN_ID",
        help="A published run other than the one behind the pointer, by (the start of) its id.",
    ),
]
HorizonOption = Annotated[
    int, typer.Option("--horizon", metavar="DAYS", help=f"One of {', '.join(map(str, HORIZONS))} days.")
]
MineralOption = Annotated[
    list[str] | None,
    typer.Option("--mineral", help="Only routes of this mineral; repeat it for several."),
]
FactsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--facts",
        metavar="DIR",
        help=f"A facts bundle; repeat it to stack several, '{EMBEDDED}' is the one shipped with Curbline. Replaces those of the settings.",
    ),
]
ImportersOption = Annotated[
    list[str] | None,
    typer.Option(
        "--importer",
        metavar="CODE",
        help="A country or bloc that the run tells of first; repeat it. Replaces declared_importers of the settings.",
    ),
]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", metavar="DATE", help="The day to score; by default today in UTC.")
]
KnownAtOption = Annotated[
    str | None,
    typer.Option(
        "--known-at",
        metavar="DATE",
        help="Use only what was known on this day; by default the day to score.",
    ),
]
DrawsOption = Annotated[
    int | None,
    typer.Option(
        "--draws",
        metavar="N",
        help="Joint draws that the ranges rest on: a power of two up to 4096; by default that of the settings, else 256.",
    ),
]
CountryOption = Annotated[
    str | None,
    typer.Option(
        "--curbing-country",
        metavar="ISO3",
        help="The country whose curbs count: an ISO 3166 alpha-3 code, or 'all'.",
    ),
]
OneCountryOption = Annotated[
    str | None,
    typer.Option(
        "--curbing-country",
        metavar="ISO3",
        help="The country whose curbs count: an ISO 3166 alpha-3 code.",
    ),
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Stop the run if any row of the facts does not validate.")
]
StrictKnowledgeOption = Annotated[
    bool,
    typer.Option(
        "--strict-knowledge", help="Refuse production and reserves published after the day of knowledge."
    ),
]
RegimeOption = Annotated[
    str, typer.Option("--regime", help="Whose figures to show: active, snapback or full_stop.")
]
RulesOption = Annotated[
    str | None, typer.Option("--rules", metavar="DIR", help=f"A folder of rules, or '{EMBEDDED}'.")
]

RulesArgument = Annotated[
    str | None,
    typer.Argument(metavar="[DIR]", help=f"A folder of rules, or '{EMBEDDED}'; the same as --rules."),
]


def either(option: str, argument: str | None, optional: str | None) -> str | None:
    """Return a folder that a command takes as an argument or by an option; None where neither is given.

    Raises:
        SettingsError: both are given, and they are different folders.
    """
    if argument is None or optional is None:
        return argument if optional is None else optional
    if Path(argument).resolve() != Path(optional).resolve():
        raise SettingsError(f"{argument} and {option} {optional} are different folders; name one of them.")
    return argument


def now() -> datetime:
    """Return the time in UTC: the only clock of the program; everything else is given its date."""
    return datetime.now(UTC)


def parse_day(option: str, written: str | None) -> date | None:
    """Return the date of an option; None if it was left out.

    Raises:
        SettingsError: It is not a date of the calendar in the form YYYY-MM-DD.
    """
    if written is None:
        return None
    try:
        day = date.fromisoformat(written)
    except ValueError:
        day = None
    if day is None or day.isoformat() != written:
        raise SettingsError(f"{option} '{written}' is not a date; write YYYY-MM-DD, such as 2026-11-23.")
    return day


def named_minerals(written: list[str] | None) -> list[str]:
    """Return the minerals of an option as the facts spell them, in order and each once; empty where it was left out."""
    return sorted({name.lower() for name in written or []})


def named_horizon(days: int) -> int:
    """Return the horizon of an option.

    Raises:
        SettingsError: It is not one that routes are scored at.
    """
    if days not in HORIZONS:
        raise SettingsError(
            f"--horizon {days} is not one that routes are scored at; write one of {', '.join(map(str, HORIZONS))}."
        )
    return days


def named_regime(written: str) -> str:
    """Return the regime of an option; case and hyphens do not matter.

    Raises:
        SettingsError: There is no such regime.
    """
    regime = written.lower().replace("-", "_")
    if regime not in REGIMES:
        raise SettingsError(f"unknown regime '{written}'{did_you_mean(regime, REGIMES)}")
    return regime


def settings_with(
    path: Path | None,
    *,
    out: Path | None = None,
    facts: list[str] | None = None,
    rules: str | None = None,
    curbing_country: str | None = None,
    importers: list[str] | None = None,
    strict: bool = False,
    strict_knowledge: bool = False,
    draws: int | None = None,
) -> Settings:
    """Return the settings with what the command line changes; its relative paths start at the working folder.

    Raises:
        SettingsError: The file or an option is wrong.
    """
    settings = load_settings(path)
    given: dict[str, Any] = {"facts": facts or None, "rules": rules, "out": str(out) if out else None}
    given |= {"curbing_country": _country(curbing_country), "draws": draws}
    given["declared_importers"] = [code.upper() for code in importers] if importers else None
    changes = {name: value for name, value in given.items() if value is not None}
    changed = build_settings(changes, base=Path.cwd(), origin=None, text="")
    update = {name: getattr(changed, name) for name in changes}
    update |= {
        name: True for name, value in (("strict", strict), ("strict_knowledge", strict_knowledge)) if value
    }
    return settings.model_copy(update=update)


def _country(written: str | None) -> str | None:
    if written is None:
        return None
    return written.lower() if written.lower() == "all" else written.upper()


def published(settings: Settings, run_id: str | None) -> Snapshot:
    """Return the published file to read: the one behind the pointer, or a named run.

    Raises:
        InputError: Nothing is published, or the file behind the pointer is gone.
        SettingsError: No run, or more than one, has that id, or a symbolic link leads out of the folder.
    """
    layout = Layout(settings.out)
    layout.refuse_links_out()
    if run_id is None:
        return layout.resolve_published()
    snapshots = layout.list_snapshots()
    found = [item for item in snapshots if item.run_id.startswith(run_id.lower())]
    if len(found) == 1:
        return found[0]
    known = [item.run_id for item in snapshots]
    if not found:
        raise SettingsError(f"{layout.snapshots}: no published run '{run_id}'{did_you_mean(run_id, known)}")
    raise SettingsError(f"{layout.snapshots}: {len(found)} runs start with '{run_id}'; write more of the id.")


@contextmanager
def reading(settings: Settings, run_id: str | None) -> Iterator[Database]:
    """Open the published file to read; see `published`.

    Raises:
        InputError: It lacks what is read, since another version of Curbline published it.
    """
    from jobs.output.identity import code_version
    from warehouse.database import Database
    from warehouse.errors import LackingError

    snapshot = published(settings, run_id)
    with Database.open(snapshot.path, read_only=True) as reader:
        try:
            yield reader
        except LackingError as problem:
            if reader.query("SELECT code_version FROM meta.run").item() == code_version():
                raise
            raise InputError(
                f"{snapshot.path.name} was published by another version of Curbline and lacks what this command reads. "
                f"Publish that day again with `curbline run --as-of {snapshot.as_of}`."
            ) from problem


def screen() -> Console:
    """Return the console of standard output; piped, lines are not folded to a terminal's width."""
    return Console(width=None if sys.stdout.isatty() else 200, highlight=False)
