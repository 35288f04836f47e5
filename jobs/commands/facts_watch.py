"""`curbline facts watch|inbox|looked|draft`: what was announced last night, drafted for a person."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ground.counted import counted
from jobs.commands.options import (
    FactsOption,
    JsonOption,
    OutOption,
    SettingsOption,
    now,
    parse_day,
    settings_with,
)
from jobs.errors import ExitCode, InputError, SettingsError

if TYPE_CHECKING:
    import polars as pl

    from jobs.facts.draft import Verdict

FeedsOption = Annotated[
    Path | None,
    typer.Option("--feeds", metavar="FILE", help="Declared feeds; by default those shipped with Curbline."),
]
InboxOption = Annotated[
    Path | None,
    typer.Option("--inbox", metavar="DIR", help="Folder of drafts; by default `inbox` in the output folder."),
]
_TABLES = ("minerals", "countries", "hs_codes", "measures", "measure_states")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (watch, inbox, looked, draft):
        app.command()(command)


def watch(
    *,
    feeds: FeedsOption = None,
    inbox: InboxOption = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="NAME", help="Ask this feed alone; repeat it for several."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Ask also feeds that are not due yet.")] = False,
    facts: FactsOption = None,
    out: OutOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> int:
    """Ask the declared feeds for news, and draft rows of what concerns us into the inbox. Nothing is added."""
    from jobs.facts.feeds import read_feeds
    from jobs.facts.watch import watch as look
    from jobs.resources import feeds_file
    from jobs.suggest import did_you_mean

    chosen = settings_with(settings, facts=facts, out=out)
    declared = read_feeds(feeds or feeds_file())
    names = [feed.name for feed in declared]
    if unknown := [name for name in only or () if name not in names]:
        raise SettingsError(f"--only: '{unknown[0]}' is not a declared feed{did_you_mean(unknown[0], names)}")
    wanted = [feed for feed in declared if not only or feed.name in only]
    folder = inbox or chosen.out / "inbox"
    found = look(wanted, folder, _tables(chosen.facts), now(), is_forced=force)
    failed = [one for one in found if one.outcome == "failed"]
    drafts = [name for one in found for name in one.drafts]
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=1))
    else:
        for one in found:
            more = f", {counted(len(one.drafts), 'draft')}" if one.drafts else ""
            more += f", {one.others:,} of no concern" if one.others else ""
            typer.echo(f"{one.feed}: {one.outcome}{more}{f': {one.said}' if one.said else ''}")
            for name in one.drafts:
                typer.echo(f"  {folder / name}")
        if drafts:
            typer.echo("Check a draft and add it: curbline facts add DRAFT --to DIR --plan")
    if len(failed) == len(wanted):
        return ExitCode.INPUT
    return ExitCode.WARNINGS if failed else ExitCode.OK


def inbox(
    *,
    inbox: InboxOption = None,
    out: OutOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> int:
    """List the drafts that wait for a person."""
    folder = inbox or settings_with(settings, out=out).out / "inbox"
    if not folder.is_dir():
        raise InputError(
            f"{folder}: no such folder; `curbline facts watch` makes it, or name one with --inbox."
        )
    found: list[dict[str, Any]] = []
    for path in sorted(folder.glob("*.yml")):
        text = path.read_text(encoding="utf-8")
        title = text.partition("\n")[0].removeprefix("# Drafted by rules from: ")
        told = sorted(
            {
                line[2:].partition(" | ")[0]
                for line in text.splitlines()
                if line.startswith(("# mineral: ", "# notice: "))
            }
        )
        found.append({"file": str(path), "title": title, "names": told, "has_measure": "\nmeasures:" in text})
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return ExitCode.OK
    for one in found:
        typer.echo(f"{one['file']}: {one['title']}")
        typer.echo(
            f"  {', '.join(one['names']) or 'nothing named'}; {'rows of a measure' if one['has_measure'] else 'a source alone'}"
        )
    typer.echo(
        f"{counted(len(found), 'draft')} in {folder}. Remove what is done; a removed draft does not come back."
    )
    return ExitCode.OK


def looked(
    *,
    feeds: FeedsOption = None,
    inbox: InboxOption = None,
    facts: FactsOption = None,
    out: OutOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> int:
    """Say of each feed and measure when somebody last looked, when it last changed, and when it was last confirmed."""
    from jobs.facts.feeds import read_feeds
    from jobs.facts.looked import looked_at_feeds, looked_at_measures
    from jobs.resources import feeds_file

    chosen = settings_with(settings, facts=facts, out=out)
    declared = read_feeds(feeds or feeds_file())
    folder = inbox or chosen.out / "inbox"
    of_feeds = looked_at_feeds(declared, folder)
    of_measures = looked_at_measures(declared, folder, _tables(chosen.facts))
    if as_json:
        data = {"feeds": [asdict(one) for one in of_feeds], "measures": [asdict(one) for one in of_measures]}
        typer.echo(json.dumps(data, ensure_ascii=False, indent=1))
        return ExitCode.OK
    for one in of_feeds:
        when = (
            f"looked {one.last_looked[:16]}, changed {one.last_changed[:16] or 'never since'}"
            if one.last_looked
            else "never looked"
        )
        typer.echo(f"{one.name}: {when}{f'; {one.fault}' if one.fault else ''}")
    for one in of_measures:
        when = f"looked {one.last_looked[:16]} at {one.where}" if one.last_looked else "nobody looked"
        typer.echo(f"  {one.name}: {when}, changed {one.last_changed}, confirmed {one.last_confirmed}")
    return ExitCode.OK


def draft(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Text of a notice or article: plain text or a web page.")
    ],
    *,
    published: Annotated[str, typer.Option("--published", metavar="DAY", help="Day of publication.")],
    publisher: Annotated[str, typer.Option("--publisher", metavar="NAME", help="Who published it.")],
    title: Annotated[
        str, typer.Option("--title", metavar="TEXT", help="Its title; by default the first line.")
    ] = "",
    url: Annotated[str, typer.Option("--link", metavar="URL", help="Where it stands.")] = "",
    grade: Annotated[str, typer.Option("--grade", metavar="A|B|C|D", help="Grade of the source.")] = "C",
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FILE", help="Write the draft there instead of printing it."),
    ] = None,
    facts: FactsOption = None,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> int:
    """Find by rules what a text states, hold it against the ledger, and draft rows for a person to check."""
    from jobs.facts.draft import Origin, drafted, text_of
    from jobs.facts.feeds import digest_of

    day = parse_day("--published", published)
    if day is None:
        raise SettingsError("--published: give the day on which the text was published, such as 2026-11-24.")
    if grade not in {"A", "B", "C", "D"}:
        raise SettingsError(f"--grade: '{grade}' is not one of A, B, C, D.")
    text = text_of(file)
    named = title or next(line.strip() for line in text.splitlines() if line.strip())[:160]
    slug = (
        "".join(
            letter if letter.isalnum() and letter.isascii() else "-" for letter in publisher.lower()
        ).strip("-")
        or "source"
    )
    origin = Origin(f"{slug}-{day}-{digest_of(text)[:8]}", publisher, named, url, grade, day)
    rows, told = drafted(text, origin, _tables(settings_with(settings, facts=facts).facts))
    if to is not None:
        if to.exists():
            raise SettingsError(f"{to}: is there already; name a new file with --to.")
        to.write_text(rows, encoding="utf-8")
    if as_json:
        typer.echo(
            json.dumps(
                {"draft": rows, "statements": [_plain(one) for one in told]}, ensure_ascii=False, indent=1
            )
        )
        return ExitCode.OK
    if to is None:
        typer.echo(rows, nl=False)
    else:
        for one in told:
            said = f": {one.verdict}{f' ({one.why})' if one.why else ''}" if one.verdict else ""
            typer.echo(f"{one.statement.kind} {one.statement.value}{said}")
        typer.echo(
            f"{counted(len(told), 'statement')}; the draft is {to}. Check it, then: curbline facts add {to} --plan"
        )
    return ExitCode.OK


def _plain(one: Verdict) -> dict[str, str]:
    return {**asdict(one.statement), "verdict": one.verdict, "why": one.why}


def _tables(folders: tuple[Path, ...]) -> dict[str, pl.DataFrame]:
    from warehouse.bundle.reading import read_tables

    return read_tables(folders, _TABLES)
