"""Corrections and retractions: later editions of a row, since no row is ever rewritten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from jobs.errors import InputError
from jobs.facts.file import Amendment, NewRow
from warehouse.bundle.files import LINE, read_folder
from warehouse.errors import BundleError
from warehouse.records.tables import TABLES

_KNOWN = "known_from"
#: What a state becomes when it is retracted; of other rows an edition that says nothing cannot stand in the ledger.
_RETRACTED = {"measure_states": "unknown", "agreement_states": "unknown"}


def amended(file: Path, amendments: Sequence[Amendment], folders: Sequence[Path]) -> list[NewRow]:
    """Return the rows that correct or retract others: the row as it was, with what is otherwise, known from a later day.

    Args:
        file: the facts file, for messages.
        amendments: what it corrects and retracts.
        folders: bundles in which the rows are.

    Raises:
        InputError: No row, or more than one, is named; the table has no editions; the correction is not known later.
        BundleError: A bundle cannot be read.
    """
    found, problems = [], []
    for one in amendments:
        try:
            found.append(_later(one, folders))
        except ValueError as fault:
            problems.append(f"{file.name}:{one.at.line}:{one.at.column}: {one.table}: {fault}")
    if problems:
        raise InputError("\n".join([*problems, f"{file}: refused; nothing was added."]))
    return found


def _later(one: Amendment, folders: Sequence[Path]) -> NewRow:
    key = TABLES[one.table].key
    if _KNOWN not in key:
        raise ValueError(
            f"its rows have no editions (a key of {', '.join(key)}); correct it by a row of its own, as docs/adding-facts.md says"
        )
    old = _named(one, folders)
    sets = {**one.shared, **one.sets}
    if "source_id" in key and sets.get("source_id", old["source_id"]) != old["source_id"]:
        raise ValueError(
            f"another source cannot correct {old['source_id']}: add its figure as a row, a claim beside the other"
        )
    if one.is_retraction:
        if one.table not in _RETRACTED:
            raise ValueError(
                f"only rows of {' and '.join(_RETRACTED)} can be retracted; add what holds instead as a row"
            )
        sets["state"] = _RETRACTED[one.table]
    if sets.get(_KNOWN, "") <= old[_KNOWN]:
        raise ValueError(
            f"the correction must be known later than the row ({old[_KNOWN]}); give a later known_from"
        )
    places = dict.fromkeys(old, one.at)
    return NewRow(one.table, {**old, **sets}, one.at, places)


def _named(one: Amendment, folders: Sequence[Path]) -> Mapping[str, str]:
    """Return the newest edition of the one row that the cells name."""
    rows: list[dict[str, str | None]] = []
    for folder in folders:
        _, raw_tables, problems = read_folder(folder, [one.table])
        if problems:
            raise BundleError(problems)
        for raw in raw_tables:
            if any(raw.frame.schema[name] != pl.String for name in one.of if name in raw.frame.columns):
                continue
            fits = [pl.col(name) == text for name, text in one.of.items() if name in raw.frame.columns]
            if len(fits) == len(one.of):
                rows += raw.frame.filter(pl.all_horizontal(fits)).drop(LINE).to_dicts()
    key = [name for name in TABLES[one.table].key if name != _KNOWN]
    things = {tuple(row.get(name) for name in key) for row in rows}
    said = ", ".join(f"{name} {text}" for name, text in one.of.items())
    if not rows:
        raise ValueError(f"no row has {said}; `curbline facts history` shows those that there are")
    if len(things) > 1:
        raise ValueError(f"{len(things)} rows have {said}; name one of them by more of {', '.join(key)}")
    newest = max(rows, key=lambda row: row[_KNOWN] or "")
    return {name: cell for name, cell in newest.items() if cell is not None}
