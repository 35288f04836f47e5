"""The life of a row: every row of every bundle that has a key, in the order in which the world could know them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from jobs.errors import SettingsError
from jobs.suggest import did_you_mean
from warehouse.bundle.files import LINE, read_folder
from warehouse.errors import BundleError
from warehouse.records.tables import TABLES

_TIMES = ("known_from", "valid_from", "valid_to")
_MOST = 20_000_000  # bytes of a table in which keys are looked up: `trade` has none that a person names


@dataclass(frozen=True, slots=True)
class Event:
    """One row.

    Attributes:
        known_from: day from which the world could know it.
        table: its table.
        place: file and line.
        says: its cells by column, in the order of the file, without those that are empty, and without source and day.
        source_id, grade, title: its source.
        is_own: the row's own key has the words; else it refers to them.
    """

    known_from: str
    table: str
    place: str
    says: dict[str, str]
    source_id: str
    grade: str
    title: str
    is_own: bool


def history(folders: Sequence[Path], words: Sequence[str]) -> list[Event]:
    """Return the rows that have all the words in their key or in what they refer to, oldest knowledge first.

    Args:
        folders: bundles, in the order of a run.
        words: values such as a measure's id, or a mineral, a stage and a country.

    Raises:
        SettingsError: No row has them; the nearest known value is named.
        BundleError: A bundle cannot be read.
    """
    frames = list(_frames(folders))
    sources = {
        row["source_id"]: row
        for table, _, frame in frames
        if table == "sources"
        for row in frame.iter_rows(named=True)
    }
    found = []
    known: set[str] = set()
    for table, file, frame in frames:
        own = [name for name in TABLES[table].key if name in frame.columns and name not in _TIMES]
        refers = [one.column for one in TABLES[table].references if one.column in frame.columns]
        columns = list(dict.fromkeys([*own, *refers]))
        known |= {value for name in columns for value in frame[name].drop_nulls().unique().to_list()}
        has_all = pl.all_horizontal(
            pl.any_horizontal(pl.col(name) == word for name in columns) for word in words
        )
        for row in frame.filter(has_all.fill_null(value=False)).iter_rows(named=True):
            source = sources.get(row.get("source_id") or "", {})
            says = {
                name: cell
                for name, cell in row.items()
                if cell and name not in {LINE, "source_id", "known_from"}
            }
            is_own = all(row[name] in words for name in _named(own))
            title, grade = source.get("title") or "", source.get("grade") or ""
            place, known_from = f"{file}:{row[LINE]}", row.get("known_from") or ""
            found.append(
                Event(known_from, table, place, says, row.get("source_id") or "", grade, title, is_own)
            )
    if not found:
        missing = next((word for word in words if word not in known), words[0])
        raise SettingsError(f"KEY: no row has {' and '.join(words)}{did_you_mean(missing, known)}")
    return sorted(found, key=lambda event: (event.known_from, event.table, event.place))


def _named(own: Sequence[str]) -> Sequence[str]:
    """Return the columns of a key that name a thing by themselves: its first where that is an id."""
    return own[:1] if own and own[0].endswith("_id") else own


def _frames(folders: Sequence[Path]) -> Iterator[tuple[str, str, pl.DataFrame]]:
    for folder in folders:
        wanted = [
            name for name in TABLES
            if (path := folder / f"{name}.csv").exists() and path.stat().st_size <= _MOST
        ]  # fmt: skip
        _, raw_tables, problems = read_folder(folder, wanted)
        if problems:
            raise BundleError(problems)
        for raw in raw_tables:
            yield raw.table, raw.file, raw.frame
