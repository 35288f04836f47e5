"""Export of every mart table, in a fixed order, into a folder that appears whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from shutil import rmtree

import polars as pl

from jobs.errors import PublishError, SettingsError
from jobs.export.csv import write_csv
from jobs.marts import KEYS
from jobs.output.layout import BUILD_PREFIX
from jobs.output.publish import folder_sentence
from jobs.ports import Reader
from warehouse.database import Database, quoted

MANIFEST = "manifest.json"
ROWS_AT_ONCE = 50_000
#: polars guesses the type of a column of a CSV from so many rows, and takes a column without a value there for text.
ROWS_GUESSED_FROM = 100
#: A value in the first half of them stays in sight, however many rows move to the top.
ROWS_IN_SIGHT = ROWS_GUESSED_FROM // 2


class TableFormat(StrEnum):
    """File formats of exported tables."""

    CSV = "csv"
    PARQUET = "parquet"


#: Some 500 MB of text a night that no spreadsheet opens; a run writes them as Parquet, `curbline export` also as CSV.
WIDE_TABLES = ("route_score", "contribution_wide", "importer_contribution_wide")
NIGHTLY_SKIP = frozenset((name, TableFormat.CSV) for name in (*WIDE_TABLES, "purchase_draw"))


def mart_tables(reader: Reader) -> list[str]:
    """Return the names of the mart tables (the long views over them are left to SQL)."""
    found = reader.query(
        "SELECT table_name FROM information_schema.tables "
        "WHERE table_schema = 'mart' AND table_type = 'BASE TABLE' ORDER BY table_name"
    )
    return found["table_name"].to_list()


def export_tables(
    reader: Database,
    folder: Path,
    formats: Sequence[TableFormat],
    *,
    skip: Collection[tuple[str, TableFormat]] = (),
) -> list[Path]:
    """Write every mart table in each format, sorted by its key, so that equal content gives equal bytes.

    In CSV a few rows come before the others: see `typed_first`.

    Args:
        reader: The published file.
        folder: An existing folder.
        formats: Which formats.
        skip: Tables that are not written in a format.

    Returns:
        The files written.
    """
    written: list[Path] = []
    for name in mart_tables(reader):
        order = sort_clause(reader, name)
        for kind in formats:
            if (name, kind) in skip:
                continue
            path = folder / f"{name}.{kind.value}"
            if kind is TableFormat.PARQUET:
                reader.copy_parquet(f"FROM mart.{quoted(name)} {order}", path)
            else:
                write_csv(typed_first(reader, name, order), path)
            written.append(path)
    return written


def sort_clause(reader: Reader, name: str) -> str:
    """Return what brings a table into the order of its key; nothing where it is so already, as in the large tables."""
    keys = list(KEYS[name])
    last: list[pl.DataFrame] = []
    for piece in pieces(reader, name, ", ".join(keys)):
        rows = pl.concat([*last, piece]).with_row_index("row_in_file")
        if not rows.sort(keys, nulls_last=True, maintain_order=True)["row_in_file"].is_sorted():
            return f"ORDER BY {', '.join(keys)}"
        last = [piece.tail(1)]
    return ""


def pieces(reader: Reader, name: str, columns: str = "*", order: str = "") -> Iterator[pl.DataFrame]:
    """Yield the rows of a table as they lie, some at a time; or all at once where they must be sorted."""
    if order:
        yield reader.query(f"SELECT {columns} FROM mart.{quoted(name)} {order}")
        return
    count = reader.query(f"SELECT coalesce(max(rowid) + 1, 0)::BIGINT AS n FROM mart.{quoted(name)}").item()
    for start in range(0, max(count, 1), ROWS_AT_ONCE):
        yield reader.query(
            f"SELECT {columns} FROM mart.{quoted(name)} WHERE rowid >= {start} AND rowid < {start + ROWS_AT_ONCE}"
        )


def typed_first(reader: Reader, name: str, order: str = "") -> Iterator[pl.DataFrame]:
    """Yield the rows of a table for a CSV: first those that show the types of sparse columns, then the others.

    A column whose first value may be further down than readers look is covered by the first row with a value, which
    moves to the top; one such row usually covers many columns. A column without any value stays without.
    """
    moved: list[int] = []
    start, unseen = 0, list(reader.query(f"SELECT * FROM mart.{quoted(name)} LIMIT 0").columns)
    for piece in pieces(reader, name, order=order):
        while found := [c for c in unseen if piece[c].null_count() < piece.height]:
            row = min(piece[c].is_not_null().arg_max() or 0 for c in found)
            unseen = [c for c in unseen if piece.item(row, c) is None]
            if start + row >= ROWS_IN_SIGHT:
                moved.append(start + row)
                yield piece.slice(row, 1)
        start += piece.height
    start = 0
    for piece in pieces(reader, name, order=order):
        yield piece.filter(~pl.int_range(start, start + piece.height, eager=True).is_in(moved))
        start += piece.height


def write_manifest(folder: Path) -> Path:
    """Write name, size and SHA-256 of every file of a folder; no time, so equal content gives equal bytes."""
    entries = [
        {
            "file": path.name,
            "bytes": path.stat().st_size,
            "sha256": _sha256(path),
        }
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != MANIFEST
    ]
    manifest, aside = folder / MANIFEST, folder / f"{BUILD_PREFIX}{MANIFEST}"
    aside.unlink(missing_ok=True)
    aside.write_text(json.dumps({"files": entries}, indent=1) + "\n", encoding="utf-8")
    aside.replace(manifest)
    return manifest


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refuse_foreign(target: Path) -> None:
    """Refuse to export into a folder that holds anything but an earlier export.

    Raises:
        SettingsError: It is not a folder, or has files and no manifest of an export.
    """
    if not target.exists():
        return
    if not target.is_dir():
        raise SettingsError(f"{target} is a file; name a folder with --to.")
    if any(target.iterdir()) and not _is_manifest(target / MANIFEST):
        raise SettingsError(
            f"{target} has files in it and is not an earlier export (it lacks the {MANIFEST} of one). "
            "Name a new or empty folder with --to."
        )


def _is_manifest(path: Path) -> bool:
    try:
        files = json.loads(path.read_text(encoding="utf-8"))["files"]
        return all({"file", "bytes", "sha256"} == set(entry) for entry in files)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Give a folder to write into, and move its files to the target when all are written.

    Files that were in the target under other names stay; what a killed export left behind goes. The manifest moves
    last: who reads it first and checks the sums never takes a half-moved set for a whole one.

    Raises:
        PublishError: The disk is full or the folder cannot be written.
    """
    built = target.parent / f"{BUILD_PREFIX}{target.name}"
    try:
        if built.is_symlink():
            built.unlink()
        rmtree(built, ignore_errors=True)
        built.mkdir(parents=True)
        yield built
        target.mkdir(parents=True, exist_ok=True)
        for path in sorted(built.iterdir(), key=lambda item: (item.name == MANIFEST, item.name)):
            path.replace(target / path.name)
        built.rmdir()
    except BaseException as problem:
        rmtree(built, ignore_errors=True)
        sentence = folder_sentence(problem, target)
        if sentence is None:
            raise
        raise PublishError(sentence) from problem
