"""Importing a downloaded public file: parsed, counted, and written as a facts bundle to stack on the embedded one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from jobs.errors import InputError, SettingsError
from jobs.resources import default_facts_dir
from jobs.suggest import did_you_mean
from warehouse.bundle_files import RejectedRow, read_table
from warehouse.records import schema
from warehouse.sources import baci
from warehouse.sources.parsed import ParsedFile, PublicSource

SOURCES: dict[str, PublicSource] = {baci.SOURCE.name: baci.SOURCE}


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    Attributes:
        source: name of the public data set.
        folder: bundle that was written.
        tables: rows stored per table, without the source's own row.
        rows_in: rows of the file that the map asks for: stored and rejected together.
        rejected: rows left out; the bundle holds them in rejected-rows.txt.
        outside: rows that the map does not ask for, by reason.
    """

    source: str
    folder: Path
    tables: Mapping[str, int]
    rows_in: int
    rejected: tuple[RejectedRow, ...]
    outside: Mapping[str, int]

    def as_dict(self) -> dict[str, object]:
        """Return plain values for JSON; rejected rows are counted by column and reason."""
        reasons = Counter(f"{row.column}: {row.reason}" for row in self.rejected)
        return {
            "source": self.source,
            "folder": str(self.folder),
            "rows_in": self.rows_in,
            "stored": dict(self.tables),
            "rejected": len(self.rejected),
            "rejected_by_reason": dict(sorted(reasons.items())),
            "outside": dict(self.outside),
        }


def import_file(
    name: str, path: Path, folder: Path, *, release: str = "", any_size: bool = False
) -> Imported:
    """Parse one file and write the bundle `folder`, which must not exist yet or be empty.

    Args:
        name: public data set; one of SOURCES.
        path: file as its publisher ships it.
        folder: bundle to write.
        release: edition as YYYYMM, where the file's name does not state it.
        any_size: take a file whose row count is outside the bounds of its source.

    Raises:
        SettingsError: No such source, or the folder holds something already.
        BundleError: The file cannot be used as a whole.
        InputError: The file or the folder cannot be read or written.
    """
    if name not in SOURCES:
        raise SettingsError(f"SOURCE: '{name}' is not known{did_you_mean(name, SOURCES)}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError(
            f"{folder}: already holds something; facts are never overwritten, so name a new folder with --out."
        )
    try:
        parsed = baci.parse(path, _wanted(release, any_size=any_size))
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read: {error.strerror}; check the file.") from None
    source = baci.source_id(path, release)
    try:
        _write(folder, source, baci.release_day(path, release).isoformat(), SOURCES[name], path.name, parsed)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written: {error.strerror}; check disk and permissions."
        ) from None
    return Imported(
        name, folder, {"trade": parsed.rows.height}, parsed.rows_in, tuple(parsed.rejected), parsed.outside
    )


def _wanted(release: str, *, any_size: bool) -> baci.Wanted:
    """Return codes and countries of the embedded facts."""
    facts = default_facts_dir()
    codes = read_table(facts / "hs_codes.csv", "hs_codes.csv").frame
    countries = read_table(facts / "countries.csv", "countries.csv").frame.drop_nulls("baci_code")
    by_revision: dict[str, set[str]] = {}
    for revision, hs6 in codes.select("hs_revision", "hs6").unique().iter_rows():
        by_revision.setdefault(revision, set()).add(hs6)
    return baci.Wanted(
        {revision: frozenset(found) for revision, found in by_revision.items()},
        dict(countries.select("baci_code", "country").iter_rows()),
        release,
        0 if any_size else baci.SOURCE.min_rows,
    )


def _write(
    folder: Path, source: str, published: str, public: PublicSource, file: str, parsed: ParsedFile
) -> None:
    """Write the bundle beside its place and move it there whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".import-", dir=folder.parent))
    try:
        parsed.rows.write_parquet(building / "trade.parquet")
        row = {
            "source_id": source,
            "publisher": public.publisher,
            "title": f"{public.title}, {published[:7]}",
            "url": public.url,
            "published": published,
            "licence": public.licence,
            "grade": "A",
            "note": f"imported from {file}",
            "known_from": published,
        }
        names = schema("sources").names()
        pl.DataFrame([row]).select(names).write_csv(building / "sources.csv")
        manifest = {"name": source, "title": row["title"], "version": published, "licence": public.licence}
        lines = [f'{key} = "{value}"\n' for key, value in manifest.items()]
        (building / "bundle.toml").write_text("".join(lines), encoding="utf-8")
        if parsed.rejected:
            said = [f"{r.file}:{r.line}: {r.column} {r.value!r}: {r.reason}\n" for r in parsed.rejected]
            (building / "rejected-rows.txt").write_text("".join(said), encoding="utf-8")
        building.chmod(0o755)
        if folder.is_dir():
            folder.rmdir()
        os.replace(building, folder)  # noqa: PTH105  (the name says that it replaces)
    finally:
        shutil.rmtree(building, ignore_errors=True)
