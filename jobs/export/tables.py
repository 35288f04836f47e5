"""Export of every mart table, in a fixed order, into a folder that appears whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from shutil import rmtree

import polars as pl

from jobs.errors import PublishError
from jobs.export.csv import write_csv
from jobs.export.parquet import write_parquet
from jobs.layout import BUILD_PREFIX
from jobs.marts import KEYS
from jobs.ports import Reader
from jobs.publish import folder_sentence

MANIFEST = "manifest.json"


class TableFormat(StrEnum):
    """File formats of exported tables."""

    CSV = "csv"
    PARQUET = "parquet"


WRITERS: dict[TableFormat, Callable[[pl.DataFrame, Path], None]] = {
    TableFormat.CSV: write_csv,
    TableFormat.PARQUET: write_parquet,
}


#: Mostly empty cells, some 240 MB of text every night; a run writes them as Parquet, `curbline export` also as CSV.
NIGHTLY_SKIP = frozenset(
    {("contribution_wide", TableFormat.CSV), ("importer_contribution_wide", TableFormat.CSV)}
)


def mart_tables(reader: Reader) -> list[str]:
    """Return the names of the mart tables (the long views over them are left to SQL)."""
    found = reader.query(
        "SELECT table_name FROM information_schema.tables "
        "WHERE table_schema = 'mart' AND table_type = 'BASE TABLE' ORDER BY table_name"
    )
    return found["table_name"].to_list()


def ordered(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Sort a table by its key, or by every column where it has none, so that equal content gives equal bytes.

    Keys are unique in a published file. Only the key is sorted, and the rows are moved only if they lie otherwise:
    the wide tables are large and mostly come in order.
    """
    keys = [key for key in KEYS.get(name, ()) if key in frame.columns] or frame.columns
    if not keys:
        return frame
    order = frame.select(keys).with_row_index("row_in_file").sort(keys, nulls_last=True, maintain_order=True)
    places = order["row_in_file"]
    return frame if places.is_sorted() else frame[places]


def export_tables(
    reader: Reader,
    folder: Path,
    formats: Sequence[TableFormat],
    *,
    skip: Collection[tuple[str, TableFormat]] = (),
) -> list[Path]:
    """Write every mart table in each format.

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
        wanted = [kind for kind in formats if (name, kind) not in skip]
        if not wanted:
            continue
        frame = ordered(name, reader.query(f'SELECT * FROM mart."{name}"'))
        for kind in wanted:
            path = folder / f"{name}.{kind.value}"
            WRITERS[kind](frame, path)
            written.append(path)
    return written


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
    manifest = folder / MANIFEST
    manifest.write_text(json.dumps({"files": entries}, indent=1) + "\n", encoding="utf-8")
    return manifest


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Give a folder to write into, and move its files to the target when all are written.

    Files that were in the target under other names stay. The manifest moves last: who reads it first and checks
    the sums never takes a half-moved set for a whole one.

    Raises:
        PublishError: The disk is full or the folder cannot be written.
    """
    built = target.parent / f"{BUILD_PREFIX}{target.name}"
    try:
        built.mkdir(parents=True, exist_ok=True)
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
