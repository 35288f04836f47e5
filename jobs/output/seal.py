"""What a published file was when it was published, recorded beside it, so that damage is found and named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ground.counted import counted
from warehouse.database import Database
from warehouse.digest import TableDigest, engine_version, table_digest, table_digests, table_names
from warehouse.errors import DataError

WAL_SUFFIX = ".wal"


@dataclass(frozen=True)
class Contents:
    """The tables of a database by `schema.name`, and the DuckDB that made their digests."""

    engine: str = ""
    tables: Mapping[str, TableDigest] = field(default_factory=dict)


@dataclass(frozen=True)
class Seal:
    """Size and SHA-256 of a published file, and the digests of its tables."""

    bytes: int
    sha256: str
    contents: Contents


@dataclass(frozen=True)
class Verdict:
    """What verifying found: `is_whole` is None where nothing was recorded to compare with."""

    is_whole: bool | None
    lines: tuple[str, ...]


def seal_path(snapshot: Path) -> Path:
    """Return where the record of a published file is kept."""
    return snapshot.with_suffix(".json")


def contents_of(database: Database) -> Contents:
    """Return the digests of all tables of a database."""
    return Contents(engine_version(database), dict(table_digests(database)))


def write_seal(file: Path, contents: Contents, to: Path) -> None:
    """Record what a file is at this moment."""
    seal = Seal(file.stat().st_size, _sha256(file), contents)
    to.write_text(json.dumps(asdict(seal), indent=1) + "\n", encoding="utf-8")


def read_seal(snapshot: Path) -> Seal | None:
    """Return what was recorded of a published file; None without a record, or with one that cannot be read."""
    try:
        read = json.loads(seal_path(snapshot).read_text(encoding="utf-8"))
        tables = {name: TableDigest(**table) for name, table in read["contents"]["tables"].items()}
        return Seal(int(read["bytes"]), str(read["sha256"]), Contents(read["contents"]["engine"], tables))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def damage_of(snapshot: Path) -> str | None:
    """Say how a published file differs from what was published, as in "X *is gone*"; None where it is whole.

    A file without a record, as earlier versions published it, is whole if it can be opened.
    """
    if snapshot.is_symlink():
        return "is a symbolic link, not the file that was published"
    if not snapshot.is_file():
        return "is gone"
    if snapshot.with_name(snapshot.name + WAL_SUFFIX).exists():
        return "was opened for writing: a write-ahead log is beside it"
    seal = read_seal(snapshot)
    if seal is None:
        return _unreadable(snapshot)
    size = snapshot.stat().st_size
    if size != seal.bytes:
        return f"has {size:,} bytes instead of {seal.bytes:,}"
    if _sha256(snapshot) != seal.sha256:
        return "is not what was published: its SHA-256 differs"
    return None


def verify(snapshot: Path) -> Verdict:
    """Compare a published file with what was recorded of it, table by table where it is damaged."""
    damage, seal = damage_of(snapshot), read_seal(snapshot)
    if damage is None and seal is not None:
        said = f"{snapshot.name} is whole: {seal.bytes:,} bytes and {counted(len(seal.contents.tables), 'table')}, as published."
        return Verdict(is_whole=True, lines=(said,))
    if seal is None:
        damage = damage or _unreadable(snapshot, wholly=True)
        if damage is None:
            said = f"{snapshot.name} can be read, but no hash of it was recorded, so that changed rows cannot be detected."
            return Verdict(is_whole=None, lines=(said,))
    first = f"{snapshot.name} {damage}."
    unopened = _unreadable(snapshot)
    if seal is None or unopened is not None:
        return Verdict(is_whole=False, lines=(first, *([f"It {unopened}."] if unopened else [])))
    return Verdict(is_whole=False, lines=(first, *_compared(snapshot, seal.contents)))


def _compared(snapshot: Path, recorded: Contents) -> list[str]:
    """Say which tables are not what they were."""
    with Database.open(snapshot, read_only=True) as reader:
        engine = engine_version(reader)
        found = {f"{schema}.{name}": (schema, name) for schema, name in table_names(reader)}
    if engine != recorded.engine:
        return [f"Its tables cannot be compared: DuckDB {recorded.engine} recorded them, this is {engine}."]
    lines = [f"{name}: is no longer there" for name in recorded.tables if name not in found]
    lines += [f"{name}: was not published" for name in found if name not in recorded.tables]
    for name, was in recorded.tables.items():
        if name not in found:
            continue
        try:
            # Opened anew for every table: DuckDB reads nothing more once it has met a damaged block.
            with Database.open(snapshot, read_only=True) as reader:
                now = table_digest(reader, *found[name])
        except DataError as problem:
            lines.append(f"{name}: cannot be read ({problem})")
            continue
        if now.rows != was.rows:
            lines.append(f"{name}: {counted(now.rows, 'row')} instead of {was.rows:,}")
        elif now.digest != was.digest:
            lines.append(f"{name}: rows were changed")
    return lines or ["Every table still has the rows that were published."]


def _unreadable(snapshot: Path, *, wholly: bool = False) -> str | None:
    try:
        with Database.open(snapshot, read_only=True) as reader:
            if wholly:
                contents_of(reader)
    except DataError as problem:
        return f"cannot be read ({problem})"
    return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
