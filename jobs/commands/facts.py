"""`curbline facts`: check a bundle of facts, and make one of a public file."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ground.counted import counted
from jobs.commands import facts_add, facts_compare, facts_review, facts_watch
from jobs.commands.options import JsonOption, either, now, parse_day
from jobs.errors import ExitCode, SettingsError

if TYPE_CHECKING:
    from jobs.facts.fetch import Fetched
    from jobs.facts.importing import Imported

app = typer.Typer(
    help="Check facts bundles, add rows to them, and make them from public files.", no_args_is_help=True
)
facts_add.register(app)
facts_compare.register(app)
facts_review.register(app)
facts_watch.register(app)


@app.callback()
def group() -> None:
    """Check facts bundles, add rows to them, and make them from public files."""


@app.command()
def check(
    folder: Annotated[
        str | None,
        typer.Argument(metavar="[DIR]", help="The bundle: a folder with bundle.toml and its tables."),
    ] = None,
    *,
    facts: Annotated[
        str | None, typer.Option("--facts", metavar="DIR", help="The bundle, instead of the argument.")
    ] = None,
    alone: Annotated[
        bool, typer.Option("--alone", help="Check it by itself, not stacked on the embedded facts.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Any row that does not validate is an error.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Read a bundle as a run would, and list every row that would be set aside."""
    from jobs.facts.check import check_facts
    from jobs.resources import EMBEDDED, default_facts_dir

    named = either("--facts", folder, facts)
    if named is None:
        raise SettingsError("name the bundle to check: `curbline facts check DIR`.")
    bundle = default_facts_dir() if named == EMBEDDED else Path(named)
    found = check_facts(bundle, alone=alone, strict=strict)
    if as_json:
        typer.echo(json.dumps(found.as_dict(), ensure_ascii=False, indent=1))
    else:
        for row in found.rejected:
            typer.echo(f"{row.file}:{row.line}: {row.column} {row.value!r}: {row.reason}")
        accepted = (
            f"{counted(sum(found.tables.values()), 'row')} accepted in {counted(len(found.tables), 'table')}"
        )
        typer.echo(f"{found.bundle}: {accepted}, {counted(len(found.rejected), 'fault')}.")
    return ExitCode.WARNINGS if found.rejected else ExitCode.OK


@app.command()
def sources(*, as_json: JsonOption = False) -> int:
    """List the public data sets that can be imported: publisher, licence, updates, limits and peculiarities."""
    from warehouse.sources.registry import IMPORTERS

    found = [importer.source for importer in IMPORTERS.values()]
    if as_json:
        typer.echo(json.dumps([asdict(source) for source in found], ensure_ascii=False, indent=1))
        return ExitCode.OK
    for source in found:
        typer.echo(f"{source.name}: {source.title} ({source.publisher})")
        typer.echo(f"  {source.url}")
        typer.echo(f"  terms: {source.licence}")
        typer.echo(f"  comes out {source.cadence}; an edition is old after {source.allowed_age_days:,} days")
        typer.echo(f"  rows for the map: {source.min_rows:,} to {source.max_rows:,}")
        for quirk in source.quirks:
            typer.echo(f"  * {quirk}")
    return ExitCode.OK


@app.command("import")
def import_(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="The public data set, such as baci; see `curbline facts sources`."
        ),
    ],
    *,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="The bundle to write: a new or empty folder.")
    ],
    file: Annotated[
        Path | None,
        typer.Option(
            "--file", metavar="PATH", help="The file as its publisher provides it. Nothing is fetched."
        ),
    ] = None,
    url: Annotated[
        str,
        typer.Option(
            "--url", metavar="URL", help="Fetch the file from this address, or take it from the cache."
        ),
    ] = "",
    sha256: Annotated[
        str, typer.Option("--sha256", metavar="HEX", help="Checksum that the file must have.")
    ] = "",
    cache: Annotated[
        Path | None,
        typer.Option("--cache", metavar="DIR", help="Folder of fetched files, instead of the user's cache."),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Use what was fetched before, without asking the server.")
    ] = False,
    year: Annotated[
        list[int] | None,
        typer.Option(
            "--year", metavar="YEAR", help="Request this year from UN Comtrade; repeat it for several."
        ),
    ] = None,
    reporter: Annotated[
        list[str] | None,
        typer.Option(
            "--reporter",
            metavar="ISO3",
            help="Request only this country from UN Comtrade; repeat it for several.",
        ),
    ] = None,
    base_url: Annotated[
        str, typer.Option("--base-url", metavar="URL", help="Another address of UN Comtrade's API.")
    ] = "",
    release: Annotated[
        str,
        typer.Option("--release", metavar="YYYYMM", help="Edition, if the file's name does not state it."),
    ] = "",
    any_size: Annotated[
        bool, typer.Option("--any-size", help="Accept a file with fewer rows than a full edition.")
    ] = False,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", metavar="DAY", help="Day on which the edition's age is judged; today by default."
        ),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option("--mapping", metavar="FILE", help="What the columns mean, for the source csv."),
    ] = None,
    previous: Annotated[
        Path | None,
        typer.Option(
            "--previous",
            metavar="DIR",
            help="Bundle with the earlier edition; by default the embedded facts.",
        ),
    ] = None,
    accept_drift: Annotated[
        str,
        typer.Option(
            "--accept-drift",
            metavar="WHY",
            help="Accept an edition that lost many rows or moved a world total by half.",
        ),
    ] = "",
    as_json: JsonOption = False,
) -> int:
    """Turn a public file into a facts bundle for `curbline run --facts embedded --facts DIR`."""
    from jobs.facts.importing import check_target, import_file
    from jobs.facts.origin import Origin, obtain

    at = now()
    day = parse_day("--as-of", as_of) or at.date()
    check_target(source, out)
    named = tuple(country.upper() for country in reporter or ())
    origin = Origin(file, url, sha256, cache, offline, tuple(year or ()), named, base_url)
    path, fetched = obtain(source, origin, at, lambda said: typer.echo(said, err=True))
    done = import_file(
        source,
        path,
        out,
        release=release,
        any_size=any_size,
        fetched=fetched,
        as_of=day,
        mapping=mapping,
        previous=previous,
        accept_drift=accept_drift,
    )
    if as_json:
        typer.echo(json.dumps(done.as_dict(), ensure_ascii=False, indent=1))
    else:
        _report(done, path, out, fetched)
    return ExitCode.WARNINGS if done.rejected or done.set_aside or done.stale else ExitCode.OK


def _report(done: Imported, path: Path, out: Path, fetched: Fetched | None) -> None:
    if fetched is not None:
        how = "taken from the cache; it was fetched" if fetched.from_cache else "fetched"
        typer.echo(f"{path.name}: {how} on {fetched.fetched_at:%Y-%m-%d}, sha256 {fetched.sha256}.")
        if not fetched.is_length_known:
            typer.echo("  The server did not say how long it is: compare the checksum with the publisher's.")
    typer.echo(
        f"{path.name}: {counted(done.rows_in, 'entry', 'entries')} = {done.stored:,} stored + {len(done.rejected):,} rejected."
    )
    for table, count in done.tables.items():
        typer.echo(f"  {counted(count, 'row')} in {table}.")
    for reason, count in done.left_empty.items():
        typer.echo(f"  {count:,} of them with {reason}.")
    for reason, count in done.outside.items():
        typer.echo(f"  {count:,} more: {reason}.")
    for reason, count in done.set_aside.items():
        typer.echo(f"  {count:,} set aside: {reason}.")
    if done.rejected:
        typer.echo(f"  The rejected rows are in {out / 'rejected-rows.txt'}.")
    if done.is_compared:
        typer.echo(f"  Compared with the earlier edition: {out / 'edition-report.txt'}.")
    if done.stale:
        typer.echo(f"{done.stale}.")
    typer.echo(f"Bundle written: {out}")
