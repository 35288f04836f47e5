"""Loading facts bundles: read, validate, link, and say what was left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from warehouse.bundle.files import LINE, Manifest, RejectedRow, read_folder
from warehouse.bundle.hashing import facts_hash
from warehouse.bundle.links import linked
from warehouse.bundle.rows import FILE, typed
from warehouse.errors import BundleError, FileProblem, StrictError
from warehouse.records.tables import TABLES, schema

__all__ = ["Facts", "LoadReport", "Manifest", "RejectedRow", "read_bundles", "read_tables"]


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What loading found.

    Attributes:
        bundles: manifest of each bundle, in the order of stacking.
        row_counts: accepted rows per table.
        rejected: rows left out, sorted by file and line.
        facts_hash: hash over all accepted rows, independent of their order and of the files they are in.
    """

    bundles: tuple[Manifest, ...]
    row_counts: Mapping[str, int]
    rejected: tuple[RejectedRow, ...]
    facts_hash: str

    @property
    def rejected_by_file(self) -> dict[str, int]:
        """How many distinct rows of each file were left out."""
        rows = {(r.file, r.line) for r in self.rejected}
        return dict(sorted(Counter(file for file, _ in rows).items()))


@dataclass(frozen=True, slots=True)
class Facts:
    """Accepted rows of every table (empty where no bundle has any), and the report on them."""

    tables: Mapping[str, pl.DataFrame]
    report: LoadReport


def read_bundles(folders: Sequence[Path], *, strict: bool = False) -> Facts:
    """Read one or several stacked bundles as one set of facts.

    Args:
        folders: bundle folders; later ones add to the earlier ones and may refer to their rows.
        strict: refuse rejected rows instead of setting them aside.

    Raises:
        BundleError: a folder or file cannot be used at all; every problem of every file is listed.
        StrictError: strict, and rows were rejected.
    """
    if not folders:
        raise BundleError([FileProblem("facts", 0, "no bundle was named; name at least one folder")])
    manifests: list[Manifest] = []
    problems: list[FileProblem] = []
    parts: dict[str, list[pl.DataFrame]] = {name: [] for name in TABLES}
    rejected: list[RejectedRow] = []
    for folder in folders:
        manifest, raw_tables, found = read_folder(folder)
        problems += found
        if manifest is not None:
            manifests.append(manifest)
        for raw in raw_tables:
            frame, bad = typed(raw)
            if raw.open_line and any(r.line == raw.open_line for r in bad):
                said = "breaks off in the middle of a row; it is half-written: copy it again"
                problems.append(FileProblem(raw.file, raw.open_line, said))
            parts[raw.table].append(frame)
            rejected += bad
    if problems:
        raise BundleError(problems)
    stacked = {name: pl.concat(frames) if frames else _empty(name) for name, frames in parts.items()}
    tables, unlinked = linked(stacked)
    rejected = sorted([*rejected, *unlinked], key=lambda r: (r.file, r.line, r.column, r.reason))
    if strict and rejected:
        raise StrictError(
            [FileProblem(r.file, r.line, f"{r.column} '{r.value}': {r.reason}") for r in rejected]
        )
    ordered = {name: frame.select(schema(name).names()) for name, frame in tables.items()}
    counts = {name: frame.height for name, frame in ordered.items()}
    return Facts(ordered, LoadReport(tuple(manifests), counts, tuple(rejected), facts_hash(ordered)))


def read_tables(folders: Sequence[Path], names: Sequence[str]) -> dict[str, pl.DataFrame]:
    """Return rows of a few small tables of stacked bundles, valid but not linked: quick, for looking up codes.

    Raises:
        BundleError: a folder or one of these tables cannot be used.
    """
    parts: dict[str, list[pl.DataFrame]] = {name: [_empty(name)] for name in names}
    problems: list[FileProblem] = []
    for folder in folders:
        _, raw_tables, found = read_folder(folder, names)
        problems += found
        for raw in raw_tables:
            parts[raw.table].append(typed(raw)[0])
    if problems:
        raise BundleError(problems)
    return {name: pl.concat(frames).select(schema(name).names()) for name, frames in parts.items()}


def _empty(name: str) -> pl.DataFrame:
    return pl.DataFrame(schema={LINE: pl.Int64(), **schema(name), FILE: pl.String()})
