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
from warehouse.sources.parsed import ParsedFile, PublicSource, Reading
from warehouse.sources.registry import IMPORTERS

#: Tables of the embedded facts that a file is read against.
_MAP = ("minerals", "chains", "countries", "hs_codes", "conversions")


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    Attributes:
        source: name of the public data set.
        folder: bundle that was written.
        tables: rows written per table, without the source's own row.
        rows_in: entries of the file that the map asks for: stored and rejected together.
        stored: entries that stand in the tables.
        rejected: entries left out; the bundle holds them in rejected-rows.txt.
        outside: entries that the map does not ask for, by reason.
    """

    source: str
    folder: Path
    tables: Mapping[str, int]
    rows_in: int
    stored: int
    rejected: tuple[RejectedRow, ...]
    outside: Mapping[str, int]

    def as_dict(self) -> dict[str, object]:
        """Return plain values for JSON; rejected rows are counted by column and reason."""
        reasons = Counter(f"{row.column}: {row.reason}" for row in self.rejected)
        return {
            "source": self.source,
            "folder": str(self.folder),
            "rows_in": self.rows_in,
            "stored": self.stored,
            "tables": dict(self.tables),
            "rejected": len(self.rejected),
            "rejected_by_reason": dict(sorted(reasons.items())),
            "outside": dict(self.outside),
        }


def import_file(
    name: str, path: Path, folder: Path, *, release: str = "", any_size: bool = False
) -> Imported:
    """Parse one file and write the bundle `folder`, which must not exist yet or be empty.

    Args:
        name: public data set; one of IMPORTERS.
        path: file as its publisher ships it.
        folder: bundle to write.
        release: edition, where the file's name does not state it.
        any_size: take a file whose row count is outside the bounds of its source.

    Raises:
        SettingsError: No such source, or the folder holds something already.
        BundleError: The file cannot be used as a whole.
        InputError: The file or the folder cannot be read or written.
    """
    if name not in IMPORTERS:
        raise SettingsError(f"SOURCE: '{name}' is not known{did_you_mean(name, IMPORTERS)}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError(
            f"{folder}: already holds something; facts are never overwritten, so name a new folder with --out."
        )
    importer = IMPORTERS[name]
    facts = default_facts_dir()
    tables = {table: read_table(facts / f"{table}.csv", f"{table}.csv").frame for table in _MAP}
    try:
        parsed = importer.parse(path, Reading(tables, release, any_size))
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read: {error.strerror}; check the file.") from None
    try:
        _write(folder, importer.source, path.name, parsed)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written: {error.strerror}; check disk and permissions."
        ) from None
    heights = {table: frame.height for table, frame in parsed.tables.items()}
    return Imported(
        name, folder, heights, parsed.rows_in, parsed.stored, tuple(parsed.rejected), parsed.outside
    )


def _write(folder: Path, public: PublicSource, file: str, parsed: ParsedFile) -> None:
    """Write the bundle beside its place and move it there whole."""
    source, published = parsed.source_id, parsed.published.isoformat()
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".import-", dir=folder.parent))
    try:
        for table, frame in parsed.tables.items():
            frame.write_parquet(building / f"{table}.parquet")
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
