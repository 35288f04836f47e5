"""Importing a downloaded public file: parsed, counted, and written as a facts bundle to stack on the embedded one."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from jobs.errors import InputError, SettingsError
from jobs.facts.compare import as_text, compare_tables, earlier_edition, require_no_drift
from jobs.facts.fetch import Fetched
from jobs.resources import default_facts_dir
from jobs.suggest import did_you_mean
from warehouse.bundle.files import RejectedRow, read_table
from warehouse.records.tables import schema
from warehouse.sources.parsed import ParsedFile, PublicSource, Reading
from warehouse.sources.registry import IMPORTERS

_REPORTED = 200  # rows of each list of the edition report
#: Tables of the embedded facts that a file is read against.
_MAP = ("minerals", "chains", "countries", "hs_codes", "hs_spans", "conversions", "measures", "measure_items")


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    Attributes:
        source: name of the public data set.
        folder: bundle that was written.
        tables: rows written per table, without the source's own row.
        rows_in: entries of the file that the map asks for: stored and rejected together.
        stored: entries that are in the tables.
        rejected: entries left out; the bundle holds them in rejected-rows.txt.
        outside: entries that the map does not ask for, by reason.
        set_aside: entries of wanted goods that the map cannot read, by reason with the mend.
        left_empty: figures of stored entries that are unknown though the file has something, by reason.
        stale: a sentence where the edition is older than its source allows; empty where it is not.
        is_compared: an earlier edition was at hand; the bundle holds edition-report.txt.
    """

    source: str
    folder: Path
    tables: Mapping[str, int]
    rows_in: int
    stored: int
    rejected: tuple[RejectedRow, ...]
    outside: Mapping[str, int]
    set_aside: Mapping[str, int]
    left_empty: Mapping[str, int]
    stale: str
    is_compared: bool

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
            "set_aside": dict(self.set_aside),
            "left_empty": dict(self.left_empty),
            "stale": self.stale,
            "is_compared": self.is_compared,
        }


def check_target(name: str, folder: Path) -> None:
    """Check what can be checked before a file is fetched.

    Raises:
        SettingsError: No such source, or the folder holds something already.
    """
    if name not in IMPORTERS:
        raise SettingsError(f"SOURCE: '{name}' is not known{did_you_mean(name, IMPORTERS)}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError(
            f"{folder}: is not empty; facts are never overwritten, so name a new folder with --out."
        )


def read_map() -> dict[str, pl.DataFrame]:
    """Return the embedded tables that a file is read against, every cell as text."""
    facts = default_facts_dir()
    return {table: read_table(facts / f"{table}.csv", f"{table}.csv").frame for table in _MAP}


def import_file(
    name: str,
    path: Path,
    folder: Path,
    *,
    release: str = "",
    any_size: bool = False,
    fetched: Fetched | None = None,
    as_of: date | None = None,
    mapping: Path | None = None,
    previous: Path | None = None,
    accept_drift: str = "",
) -> Imported:
    """Parse one file and write the bundle `folder`, which must not exist yet or be empty.

    Args:
        name: public data set; one of IMPORTERS.
        path: file as its publisher ships it.
        folder: bundle to write.
        release: edition, where the file's name does not state it.
        any_size: take a file whose row count is outside the bounds of its source, such as an extract, which cannot
            be held against an earlier edition either.
        mapping: what the columns of the file mean, for the source `csv`.
        previous: bundle with an earlier edition to compare with; by default the embedded facts.
        accept_drift: why an edition is taken that lost a tenth of its rows or moved a world total by half.
        fetched: where the file came from, if it was fetched; the bundle notes it.
        as_of: day for which the edition must be young enough; its age is not looked at without it.

    Raises:
        SettingsError: No such source, or the folder holds something already.
        BundleError: The file cannot be used as a whole.
        InputError: The file or the folder cannot be read or written, nothing of the file can be stored, or the edition
            drifts and no reason was given.
    """
    check_target(name, folder)
    importer = IMPORTERS[name]
    try:
        parsed = importer.parse(path, Reading(read_map(), release, any_size, _mapping(name, mapping)))
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read: {error.strerror}; check the file.") from None
    if not parsed.stored:
        raise InputError(_nothing_stored(path.name, parsed))
    earlier = earlier_edition(
        previous or default_facts_dir(), importer.source.family, parsed.source_id, parsed.published
    )
    comparisons = compare_tables(earlier, parsed.tables)
    if not accept_drift and not any_size:
        require_no_drift(comparisons, path.name)
    report = as_text(comparisons, _REPORTED)
    if accept_drift and any(comparison.drift for comparison in comparisons):
        report.append(f"accepted: {accept_drift}")
    try:
        _write(folder, importer.source, path.name, parsed, report, fetched)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written: {error.strerror}; check disk and permissions."
        ) from None
    return Imported(
        source=name,
        folder=folder,
        tables={table: frame.height for table, frame in parsed.tables.items()},
        rows_in=parsed.rows_in,
        stored=parsed.stored,
        rejected=tuple(parsed.rejected),
        outside=parsed.outside,
        set_aside=parsed.set_aside,
        left_empty=parsed.left_empty,
        stale=_stale(importer.source, path.name, parsed.published, as_of),
        is_compared=bool(report),
    )


def _nothing_stored(file: str, parsed: ParsedFile) -> str:
    """Say that no entry was stored, and what became of those that the file has."""
    first = parsed.rejected[0] if parsed.rejected else None
    found = [
        f"{count:,} of {reason}" for reason, count in {**parsed.set_aside, **parsed.outside}.items() if count
    ]
    if first:
        found.append(
            f"{len(parsed.rejected):,} rejected, the first in line {first.line}: {first.column} '{first.value}' {first.reason}"
        )
    what = "; ".join(found) if found else "it has no entry"
    return f"{file}: contains nothing that can be stored ({what}); no bundle was written. Give a file with wanted goods."


def _mapping(name: str, path: Path | None) -> str:
    if (name == "csv") != (path is not None):
        raise SettingsError(
            "--mapping belongs to the source csv, which needs it; `curbline facts template mapping` prints one."
        )
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read as UTF-8 ({error}); name the mapping file.") from None


def _stale(public: PublicSource, file: str, published: date, as_of: date | None) -> str:
    age_days = 0 if as_of is None else (as_of - published).days
    if age_days <= public.allowed_age_days:
        return ""
    return (
        f"{file}: the edition of {published} is {age_days:,} days old, more than the {public.allowed_age_days:,} of "
        f"{public.name}; look for a newer one at {public.url}"
    )


def _write(
    folder: Path,
    public: PublicSource,
    file: str,
    parsed: ParsedFile,
    report: list[str],
    fetched: Fetched | None,
) -> None:
    """Write the bundle beside its place and move it there whole."""
    source, published = parsed.source_id, parsed.published.isoformat()
    came = f"fetched on {fetched.fetched_at:%Y-%m-%d}, sha256 {fetched.sha256}" if fetched else ""
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".import-", dir=folder.parent))
    try:
        for table, frame in parsed.tables.items():
            frame.write_parquet(building / f"{table}.parquet")
        row = {
            "source_id": source,
            "publisher": public.publisher,
            "title": f"{public.title}, {published[:7]}",
            "url": fetched.url if fetched else public.url,
            "published": published,
            "licence": public.licence,
            "grade": "A",
            "note": f"imported from {file}{came and ', '}{came}",
            "known_from": published,
        }
        names = schema("sources").names()
        if "sources" not in parsed.tables:
            pl.DataFrame([row]).select(names).write_csv(building / "sources.csv")
        manifest = {"name": source, "title": row["title"], "version": published, "licence": public.licence}
        if fetched:
            manifest["description"] = f"{fetched.url} {came}"
        # A JSON string is a TOML string too.
        lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in manifest.items()]
        (building / "bundle.toml").write_text("".join(lines), encoding="utf-8")
        if parsed.rejected:
            said = [f"{r.file}:{r.line}: {r.column} {r.value!r}: {r.reason}\n" for r in parsed.rejected]
            (building / "rejected-rows.txt").write_text("".join(said), encoding="utf-8")
        if report:
            (building / "edition-report.txt").write_text("\n".join(report) + "\n", encoding="utf-8")
        building.chmod(0o755)
        if folder.is_dir():
            folder.rmdir()
        os.replace(building, folder)  # noqa: PTH105  (the name says that it replaces)
    finally:
        shutil.rmtree(building, ignore_errors=True)
