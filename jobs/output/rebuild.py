"""Opening the state: it is made from the facts, so that a damaged one is set aside and made again."""

from __future__ import annotations

import shutil
from pathlib import Path

from ground.counted import counted
from jobs.output.seal import WAL_SUFFIX
from warehouse.asof.state import Warehouse
from warehouse.database import Database
from warehouse.ddl import SCHEMA_VERSION
from warehouse.errors import DamagedError, DataError

SET_ASIDE = ".set-aside"


def open_or_rebuild(path: Path) -> Warehouse:
    """Open or create the state database.

    One of an earlier schema is copied before it is changed. A damaged one is renamed and made anew; what can be read of its ledger is carried over, and `notes` of the
    warehouse says so.

    Raises:
        StateBusyError: another process holds the file.
        StateError: it cannot be opened for another reason, such as its permissions, or a newer Curbline wrote it.
    """
    backup = _backed_up(path)
    try:
        state = Warehouse.open_state(path)
    except DamagedError:
        pass
    else:
        if backup is not None:
            state.notes.append(
                f"{path.name} was written by an earlier Curbline and is kept as {backup.name}; its ledger goes on."
            )
        return state
    aside = _set_aside(path)
    state = Warehouse.open_state(path)
    kept = _carry_ledger(aside, state)
    ledger = (
        "its ledger could not be read" if kept is None else f"its ledger of {counted(kept, 'row')} was kept"
    )
    state.notes.append(
        f"{path.name} was damaged: it is set aside as {aside.name} and rebuilt from the facts; {ledger}."
    )
    return state


def _backed_up(path: Path) -> Path | None:
    """Copy a state with an earlier schema, before it is changed; None where there is nothing to copy."""
    if not path.is_file():
        return None
    try:
        with Database.open(path, read_only=True) as state:
            version = state.query("SELECT max(version) AS version FROM meta.schema_version").item()
    except DataError:
        return None  # opening it for good says what is wrong
    if version is None or version >= SCHEMA_VERSION:
        return None
    backup = path.with_name(f"{path.name}.schema-{version}")
    if not backup.exists():
        shutil.copy2(path, backup)
    return backup


def _set_aside(path: Path) -> Path:
    """Rename the file, and its log so that it is not taken for the log of the new one."""
    aside, number = path.with_name(path.name + SET_ASIDE), 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}{SET_ASIDE}-{number}")
    wal = path.with_name(path.name + WAL_SUFFIX)
    if wal.exists():
        wal.replace(wal.with_name(wal.name + aside.name.removeprefix(path.name)))
    path.replace(aside)
    return aside


def _carry_ledger(aside: Path, state: Warehouse) -> int | None:
    """Copy the ledger of a damaged state; None where it cannot be read."""
    try:
        with Database.open(aside, read_only=True) as damaged:
            rows = damaged.query("SELECT * FROM meta.ledger")
        with state.database.transaction(), state.database.frame("incoming", rows):
            state.execute("INSERT INTO meta.ledger BY NAME SELECT * FROM incoming")
    except DataError:
        return None
    return rows.height
