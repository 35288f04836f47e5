"""`curbline status`: what is published, how old it is, and how the last runs ended."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import polars as pl

from jobs.errors import ExitCode
from jobs.output import ledger
from jobs.output.layout import Layout, Snapshot
from jobs.output.retention import Room, room_of
from jobs.output.seal import damage_of
from warehouse.database import Database
from warehouse.errors import DataError, StateBusyError

ENTRIES = 5


@dataclass(frozen=True)
class Status:
    """What an output folder holds.

    Attributes:
        pointed: the snapshot behind the pointer, even if its file is gone.
        damage: what is wrong with that file, as in "X is gone"; None where it is as it was published.
        newest: the snapshot published last, behind the pointer or beside it.
        count: how many snapshots lie in the folder.
        age_days: days from the published day to today; None without one.
        is_stale: nothing published, the file gone or damaged, or older than the settings allow.
        entries: the last rows of the ledger, newest first.
        note: why the ledger could not be read, if so.
        room: space for further nights.
    """

    pointed: Snapshot | None
    damage: str | None
    newest: Snapshot | None
    count: int
    age_days: int | None
    is_stale: bool
    entries: pl.DataFrame
    note: str | None
    room: Room | None = None

    @property
    def code(self) -> ExitCode:
        """30 where nothing fresh is published, so that a monitor can call this command."""
        return ExitCode.INPUT if self.is_stale else ExitCode.OK

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "published": str(self.pointed.path) if self.pointed else None,
            "is_there": self.pointed is not None and self.pointed.path.is_file(),
            "damage": self.damage,
            "as_of": self.pointed.as_of if self.pointed else None,
            "run_id": self.pointed.run_id if self.pointed else None,
            "age_days": self.age_days,
            "is_stale": self.is_stale,
            "newest_snapshot": str(self.newest.path) if self.newest else None,
            "snapshots": self.count,
            "ledger": self.entries.to_dicts(),
            "note": self.note,
            "disk": None
            if self.room is None
            else {**asdict(self.room), "nights_left": self.room.nights_left},
        }

    def sentence(self) -> str:
        """Say in one sentence whether all is well."""
        if self.pointed is None:
            return "Nothing is published here yet; `curbline run` does it."
        if self.damage is not None:
            return f"The pointer leads to {self.pointed.path.name}, which {self.damage}; `curbline run` publishes again."
        age = f"as of {self.pointed.as_of}, {self.age_days} day{'' if self.age_days == 1 else 's'} old"
        return f"Stale: {age}; see why the last runs failed." if self.is_stale else f"Fresh: {age}."


def status_of(layout: Layout, *, today: date, stale_after_days: int) -> Status:
    """Look at an output folder; nothing is changed and a run under way is not disturbed.

    Raises:
        SettingsError: a symbolic link in the folder leads out of it.
    """
    layout.refuse_links_out()
    pointed = layout.pointed()
    damage = damage_of(pointed.path) if pointed else None
    snapshots = layout.list_snapshots()
    age = (today - pointed.as_of).days if pointed else None
    entries, note = _entries(layout)
    return Status(
        pointed=pointed,
        damage=damage,
        newest=snapshots[0] if snapshots else None,
        count=len(snapshots),
        age_days=age,
        is_stale=damage is not None or age is None or age > stale_after_days,
        entries=entries,
        note=note,
        room=room_of(layout),
    )


def _entries(layout: Layout) -> tuple[pl.DataFrame, str | None]:
    if not layout.state.is_file():
        return pl.DataFrame(), None
    try:
        with Database.open(layout.state, read_only=True) as state:
            return ledger.tail(state, ENTRIES), None
    except StateBusyError:
        return pl.DataFrame(), "A run is under way; the ledger can be read when it has ended."
    except DataError as problem:
        return pl.DataFrame(), f"The ledger cannot be read: {problem}"
