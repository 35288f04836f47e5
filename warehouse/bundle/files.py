"""Reading the files of a bundle folder: is it there, whole, UTF-8, and has it the right columns?

A file that fails here is refused as a whole, since there is no telling which rows it lacks.
"""

from __future__ import annotations

import contextlib
import csv
import io
import tomllib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from ground.counted import counted
from warehouse.errors import FileProblem
from warehouse.records.tables import TABLES, columns
from warehouse.suggest import did_you_mean

_TABLE_SUFFIXES = (".csv", ".parquet")
#: Files that may lie beside the tables.
_OTHER_SUFFIXES = (".toml", ".md", ".txt", "")
#: With more unknown columns than this the file is another table, and naming each does not help.
_MOST_NAMED = 20
_OPTIONAL = frozenset({"note"})
#: Days after 1970-01-01 of the first and the last day that Python knows.
_FIRST_DAY, _LAST_DAY = (date.min - date(1970, 1, 1)).days, (date.max - date(1970, 1, 1)).days
_PER_DAY = {"ms": 86_400 * 10**3, "us": 86_400 * 10**6, "ns": 86_400 * 10**9}
#: What a column of a Parquet file may hold besides numbers; lists, structs, bytes and durations cannot be cells.
_PLAIN_KINDS = (pl.String, pl.Categorical, pl.Enum, pl.Boolean, pl.Date, pl.Datetime, pl.Null)
LINE = "__line"
_MANIFEST_MORE = ("title", "description", "licence_notes", "known_at", "trade_years")


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was left out, and why. One row may be named several times, once per fault.

    Attributes:
        file: bundle folder and file name.
        line: line in the file (for Parquet: row number, counted from 1).
        column: column at fault; empty where the row as a whole is.
        value: what was there.
        reason: a sentence with the mend.
    """

    file: str
    line: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class RawTable:
    """One file as read: text cells (CSV) or native values (Parquet), null where empty, and the line of each row.

    `open_line` is the line of a last row that no line end closes, else 0: if that row does not validate, the file
    was cut off in it.
    """

    table: str
    file: str
    frame: pl.DataFrame
    rejected: tuple[RejectedRow, ...] = ()
    open_line: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """What bundle.toml says."""

    name: str
    version: str
    licence: str


class _FaultError(Exception):
    """A fault of the file being read; becomes a FileProblem."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message, self.line = message, line


def read_folder(
    folder: Path, only: Collection[str] | None = None
) -> tuple[Manifest | None, list[RawTable], list[FileProblem]]:
    """Read every table of one bundle folder.

    Args:
        folder: folder with bundle.toml and one CSV or Parquet file per table; tables may be absent.
        only: tables to read, whatever else is there; by default all.

    Returns:
        The manifest (None if it is at fault), the tables that could be read, and every problem found.
    """
    if not folder.is_dir():
        problem = FileProblem(
            folder.name, 0, "no such folder; name a folder that contains bundle.toml and the tables"
        )
        return None, [], [problem]
    problems: list[FileProblem] = []
    manifest = None
    try:
        manifest = _manifest(folder / "bundle.toml")
    except _FaultError as fault:
        problems.append(FileProblem(f"{folder.name}/bundle.toml", fault.line, fault.message))
    tables: dict[str, RawTable] = {}
    paths = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    for path in (p for p in paths if only is None or p.stem in only):
        place = f"{folder.name}/{path.name}"
        if not path.is_file():
            if path.suffix in _TABLE_SUFFIXES:
                problems.append(FileProblem(place, 0, not_a_file(path)))
            continue
        if path.suffix not in _TABLE_SUFFIXES:
            if path.suffix.lower() not in _OTHER_SUFFIXES:
                problems.append(
                    FileProblem(place, 0, "is neither .csv nor .parquet; move it out of the bundle")
                )
            continue
        try:
            if path.stem not in TABLES:
                raise _FaultError(
                    f"'{path.stem}' is not a table of a bundle{did_you_mean(path.stem, TABLES)}"
                )
            if path.stem in tables:
                raise _FaultError("the table is here twice, as CSV and as Parquet; remove one of them")
            tables[path.stem] = read_table(path, place)
        except _FaultError as fault:
            problems.append(FileProblem(place, fault.line, fault.message))
        except OSError as error:
            problems.append(FileProblem(place, 0, f"cannot be read: {error.strerror}; check its permissions"))
    return manifest, [tables[name] for name in TABLES if name in tables], problems


def manifests_named(folders: Sequence[Path], wanted: Sequence[str]) -> list[Manifest]:
    """Return the manifests of the folders that are still of those bundles, named as `name version`."""
    found = []
    for folder in folders:
        try:
            manifest = _manifest(folder / "bundle.toml")
        except (OSError, _FaultError):
            continue
        if f"{manifest.name} {manifest.version}" in wanted:
            found.append(manifest)
    return found


def _manifest(path: Path) -> Manifest:
    if not path.exists() and not path.is_symlink():
        raise _FaultError("is missing; write name, version and licence of the bundle into it")
    if not path.is_file():
        raise _FaultError(not_a_file(path))
    try:
        content = tomllib.loads(path.read_bytes().decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _FaultError(f"is not TOML in UTF-8: {error}") from None
    except RecursionError:
        raise _FaultError("is nested too deeply; a manifest is a list of plain keys") from None
    except OSError as error:
        raise _FaultError(f"cannot be read: {error.strerror}; check its permissions") from None
    wanted = ("name", "version", "licence")
    for key in content:
        if key not in (*wanted, *_MANIFEST_MORE):
            raise _FaultError(f"unknown key '{key}'{did_you_mean(key, wanted)}")
    for key in wanted:
        if not isinstance(content.get(key), str) or not content[key]:
            raise _FaultError(f'lacks {key}; add a line such as {key} = "…"')
    return Manifest(content["name"], content["version"], content["licence"])


def read_table(path: Path, place: str) -> RawTable:
    """Read one table file; a fault of the file as a whole is raised."""
    if path.suffix == ".parquet":
        frame, bad_days = _parquet(path, place)
        return RawTable(path.stem, place, frame, tuple(bad_days))
    text = _decoded(path.read_bytes())
    header, rows, rejected = _csv(text, place)
    _check_header(path.stem, header)
    frame = pl.DataFrame(rows, schema=dict.fromkeys((LINE, *header), pl.String), orient="row")
    frame = frame.with_columns(pl.col(LINE).cast(pl.Int64))
    last = frame.get_column(LINE).max() if frame.height and not text.endswith(("\n", "\r")) else 0
    return RawTable(path.stem, place, frame, tuple(rejected), int(str(last)))


def _parquet(path: Path, place: str) -> tuple[pl.DataFrame, list[RejectedRow]]:
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError, pl.exceptions.PanicException) as error:
        raise _FaultError(
            f"is not a complete Parquet file ({str(error).splitlines()[0]}); it may be half-written: copy it again"
        ) from None
    _check_header(path.stem, frame.columns)
    for name, kind in frame.schema.items():
        if not kind.is_numeric() and kind not in _PLAIN_KINDS:
            raise _FaultError(
                f"column '{name}' has values of type {kind}; write text, numbers, true or false, or dates"
            )
    return _within_calendar(
        frame.with_row_index(LINE, offset=1).with_columns(pl.col(LINE).cast(pl.Int64)), place
    )


def _within_calendar(frame: pl.DataFrame, place: str) -> tuple[pl.DataFrame, list[RejectedRow]]:
    """Set rows aside whose dates lie outside the years 1 to 9999: Python can neither hold nor print them."""
    rejected: list[RejectedRow] = []
    fine = pl.lit(value=True)
    for name, kind in frame.schema.items():
        if kind not in (pl.Date, pl.Datetime):
            continue
        # The stored number itself: polars panics when it turns such a day into anything else.
        per_day = _PER_DAY[kind.time_unit] if isinstance(kind, pl.Datetime) else 1
        day = pl.col(name).to_physical() // per_day
        is_day = day.is_between(_FIRST_DAY, _LAST_DAY).fill_null(value=True)
        reason = "is outside the years 1 to 9999; write the day meant"
        for line, days in frame.filter(~is_day).select(LINE, day).iter_rows():
            rejected.append(RejectedRow(place, line, name, f"day {days} after 1970-01-01", reason))
        fine &= is_day
    return (frame.filter(fine) if rejected else frame), rejected


def not_a_file(path: Path) -> str:
    """Say what is in the place of a file."""
    if path.is_dir():
        found = "a folder"
    elif path.is_symlink() and not path.exists():
        found = "a symbolic link that leads nowhere"
    elif path.is_fifo():
        found = "a pipe"
    else:
        found = "a device or socket"
    return f"is {found}, not a file; put the file itself in its place"


def _decoded(content: bytes) -> str:
    if not content.strip():
        raise _FaultError("is empty; a table has at least its header. It may be half-written: copy it again")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _FaultError("is UTF-16; save it as CSV in UTF-8")
    if b"\x00" in content:
        line = content[: content.index(b"\x00")].count(b"\n") + 1
        raise _FaultError("contains zero bytes, as half-written files do; copy it again", line)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        byte = content[error.start]
        guess = ""
        with contextlib.suppress(UnicodeDecodeError):
            guess = f"; in Windows-1252 it would be '{bytes([byte]).decode('cp1252')}'"
        raise _FaultError(
            f"is not UTF-8: byte 0x{byte:02X}{guess}. Save the file as CSV in UTF-8", line
        ) from None


def _csv(text: str, place: str) -> tuple[list[str], list[tuple[str | None, ...]], list[RejectedRow]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    rows: list[tuple[str | None, ...]] = []
    rejected: list[RejectedRow] = []
    start = 1
    short = 0
    try:
        for cells in reader:
            line, start = start, reader.line_num + 1
            short = 0
            if not header:
                header = cells
            elif len(cells) == len(header):
                rows.append((str(line), *(cell or None for cell in cells)))
            elif cells:
                short = line if len(cells) < len(header) else 0
                reason = f"has {counted(len(cells), 'cell')} where the header has {len(header)}; quote cells that contain a comma"
                rejected.append(RejectedRow(place, line, "", ",".join(cells)[:200], reason))
    except csv.Error as error:
        raise _FaultError(
            f"breaks off or is not CSV ({error}); it may be half-written: copy it again", start
        ) from None
    if short and not text.endswith("\n"):
        raise _FaultError("breaks off in the middle of a row; it is half-written: copy it again", short)
    return header, rows, rejected


def _check_header(table: str, header: Sequence[str]) -> None:
    wanted = [c.name for c in columns(table)]
    faults = []
    unknown = [name for name in header if name not in wanted]
    if len(unknown) > _MOST_NAMED:
        said = (
            f"has {len(header):,} columns, of which {len(unknown):,} are unknown, such as '{unknown[0][:80]}'"
        )
        raise _FaultError(f"{said}. The columns are: {', '.join(wanted)}", 1)
    twice = sorted(name for name, count in Counter(header).items() if count > 1)
    faults += [f"column '{name}' occurs twice" for name in twice]
    missing = [name for name in wanted if name not in header and name not in _OPTIONAL]
    faults += [f"unknown column '{name}'{did_you_mean(name, missing or wanted)}" for name in unknown]
    faults += [f"column '{name}' is missing" for name in missing]
    if faults:
        raise _FaultError(f"{'; '.join(faults)}. The columns are: {', '.join(wanted)}", 1)
