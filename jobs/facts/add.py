"""Adding rows to a bundle by hand: validated with everything they refer to, appended, never rewriting a row."""

from __future__ import annotations

import csv
import io
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path

import polars as pl

from engine.language.errors import Location
from jobs.errors import InputError, SettingsError
from jobs.facts.amend import amended
from jobs.facts.file import NewRow, read_facts_file
from jobs.output.lock import exclusive
from warehouse.bundle.reading import Facts, RejectedRow, read_bundles
from warehouse.records.tables import TABLES, columns

#: Columns of a key that tell editions and sources apart, not things.
_EDITION = frozenset({"source_id", "known_from", "vintage", "qualifier"})
_MANIFEST = 'name = "{name}"\nversion = "1"\nlicence = "private"\n'


@dataclass(frozen=True)
class Staged:
    """A bundle with the new rows, beside its place, and the facts that it makes with the bundles below it.

    Attributes:
        folder: the staged copy.
        stack: bundles as a run would read them, the staged copy in the place of the bundle.
        facts: what they hold together.
        added: rows added, by table.
        already: rows that are in the bundle word for word, and are not added again.
        claims: by table, rows of other sources about the same things as the rows added.
    """

    folder: Path
    stack: tuple[Path, ...]
    facts: Facts
    added: dict[str, int] = field(default_factory=dict)
    already: int = 0
    claims: dict[str, int] = field(default_factory=dict)


@contextmanager
def staged(file: Path, bundle: Path, stack: Sequence[Path]) -> Iterator[Staged]:
    """Give a copy of `bundle` with the rows of `file` added, validated as a run would.

    Args:
        file: rows to add; see `jobs.facts.file`.
        bundle: folder that they are meant for; made if it does not exist.
        stack: bundles in the order of a run, `bundle` among them.

    Raises:
        InputError: The file or a row of it is at fault; every fault is listed with its place.
        BundleError: A bundle cannot be read.
    """
    rows, amendments = read_facts_file(file)
    rows += amended(file, amendments, [path for path in stack if path.is_dir()])
    with tempfile.TemporaryDirectory(prefix="curbline-add-") as above:
        copy = Path(above) / bundle.resolve().name
        _copy(bundle, copy)
        lines: dict[tuple[str, int], NewRow] = {}
        added: dict[str, int] = {}
        for table in [name for name in TABLES if any(row.table == name for row in rows)]:
            new = _append(copy, table, [row for row in rows if row.table == table])
            lines |= {(f"{copy.name}/{table}.csv", line): row for line, row in new.items()}
            if new:
                added[table] = len(new)
        stacked = tuple(copy if path.resolve() == bundle.resolve() else path for path in stack)
        facts = read_bundles(stacked)
        problems = _problems(file, facts.report.rejected, lines)
        problems += _pushed_out(facts.report.rejected, lines, stack)
        if problems:
            raise InputError("\n".join([*problems, f"{file}: refused; nothing was added."]))
        yield Staged(
            copy, stacked, facts, added, len(rows) - sum(added.values()), _claims(facts, lines.values())
        )


def _claims(facts: Facts, rows: Iterable[NewRow]) -> dict[str, int]:
    """Count the rows of other sources about the same things, of tables in which sources may contradict each other."""
    found: dict[str, int] = {}
    for table, own in groupby(sorted(rows, key=lambda row: row.table), key=lambda row: row.table):
        key = TABLES[table].key
        if "source_id" not in key or table == "sources":
            continue
        thing = [name for name in key if name not in _EDITION]
        said = [{name: row.cells.get(name) for name in (*thing, "source_id")} for row in own]
        new = pl.DataFrame(said, schema=dict.fromkeys((*thing, "source_id"), pl.String()))
        known = facts.tables[table].select(pl.col(*thing, "source_id").cast(pl.String))
        beside = known.join(new.unique(), on=thing, how="inner", nulls_equal=True, suffix="_new")
        count = beside.filter(pl.col("source_id") != pl.col("source_id_new")).height
        if count:
            found[table] = count
    return found


def commit(found: Staged, bundle: Path, *, since: datetime) -> None:
    """Put the staged tables in the place of the bundle's, one whole file after another.

    What is referred to goes first, and rows that are there already are not added again: after a crash half-way,
    adding the same file once more completes it.

    Raises:
        InputError: The bundle changed meanwhile, or cannot be written.
        BusyError: Another process is adding to it.
    """
    try:
        bundle.mkdir(parents=True, exist_ok=True)
        with exclusive(bundle / ".lock", since=since):
            if not (bundle / "bundle.toml").exists():
                _replace(found.folder / "bundle.toml", bundle / "bundle.toml")
            for table in found.added:
                name = f"{table}.csv"
                new, old = found.folder / name, bundle / name
                if old.exists() and not new.read_bytes().startswith(old.read_bytes().rstrip(b"\r\n")):
                    raise InputError(f"{old}: changed while rows were being added; add the file again.")
                _replace(new, old)
    except OSError as error:
        raise InputError(
            f"{bundle}: cannot be written ({error.strerror}); check disk and permissions."
        ) from None


def _replace(new: Path, old: Path) -> None:
    beside = old.with_name(f".{old.name}.new")
    with new.open("rb") as source, beside.open("wb") as sink:
        shutil.copyfileobj(source, sink)
        sink.flush()
        os.fsync(sink.fileno())
    os.replace(beside, old)  # noqa: PTH105  (the name says that it replaces)


def _copy(bundle: Path, copy: Path) -> None:
    """Link the files of a bundle into a folder of the same name; begin one where there is none."""
    copy.mkdir()
    if bundle.is_dir():
        for path in bundle.iterdir():
            if path.is_file() and not path.name.startswith("."):
                (copy / path.name).symlink_to(path.resolve())
    elif bundle.exists():
        raise SettingsError(f"{bundle}: is a file; name the folder of a bundle with --to.")
    if not (copy / "bundle.toml").exists():
        (copy / "bundle.toml").write_text(_MANIFEST.format(name=copy.name), encoding="utf-8")


def _append(copy: Path, table: str, rows: Sequence[NewRow]) -> dict[int, NewRow]:
    """Write the rows of one table below those that are there; return them by their line."""
    path = copy / f"{table}.csv"
    if path.with_suffix(".parquet").exists():
        raise InputError(
            f"{copy.name}/{table}.parquet: rows by hand are added to CSV; name another bundle with --to."
        )
    old = path.read_text(encoding="utf-8-sig") if path.exists() else ""
    read = list(csv.reader(io.StringIO(old, newline="")))
    header = read[0] if read else [column.name for column in columns(table)]
    there = {tuple(cells) for cells in read[1:]}
    text = old if old.endswith("\n") or not old else old + "\n"
    text = text or _rendered(header)
    lines: dict[int, NewRow] = {}
    for row in rows:
        cells = tuple(row.cells.get(name, "") for name in header)
        if cells in there:
            continue
        there.add(cells)
        lines[text.count("\n") + 1] = row
        text += _rendered(cells)
    path.unlink(missing_ok=True)  # a link to the bundle's own file, which stays
    path.write_text(text, encoding="utf-8", newline="")
    return lines


def _rendered(cells: Sequence[str]) -> str:
    sink = io.StringIO()
    csv.writer(sink, lineterminator="\n").writerow(cells)
    return sink.getvalue()


def _problems(file: Path, rejected: Sequence[RejectedRow], lines: dict[tuple[str, int], NewRow]) -> list[str]:
    """Say what is wrong with the new rows, at their places in the file that was given."""
    faults = [
        (lines[fault.file, fault.line], fault) for fault in rejected if (fault.file, fault.line) in lines
    ]
    # A row that names one refused in the same file has no fault of its own.
    refused = {row.cells.get(_key(row)) for row, _ in faults if _key(row)}
    own = [(row, fault) for row, fault in faults if fault.value not in refused or fault.column == _key(row)]
    said = []
    for row, fault in own:
        at: Location = row.places.get(fault.column, row.at)
        shown = f" '{fault.value}'" if fault.value else ""
        column = f" {fault.column}" if fault.column else ""
        said.append((at.line, at.column, f"{row.table}{column}{shown}: {fault.reason}"))
    return [f"{file.name}:{line}:{column}: {text}" for line, column, text in sorted(said)]


def _key(row: NewRow) -> str:
    """Return the column that names a row; empty where it takes several columns to name one."""
    key = TABLES[row.table].key
    return key[0] if len(key) == 1 else ""


def _pushed_out(
    rejected: Sequence[RejectedRow], lines: dict[tuple[str, int], NewRow], stack: Sequence[Path]
) -> list[str]:
    """Say which existing rows would be set aside because of the new ones."""
    others = {fault for fault in rejected if (fault.file, fault.line) not in lines}
    if not others:
        return []
    there = [path for path in stack if path.is_dir()]
    pushed = others - set(read_bundles(there).report.rejected)
    return [
        f"{fault.file}:{fault.line}: {fault.column} '{fault.value}': with the new rows this row {fault.reason}"
        for fault in sorted(pushed, key=lambda fault: (fault.file, fault.line))
    ]
