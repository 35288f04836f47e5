"""What is kept: the nights of the last days, month-ends for good, and the exports of the last nights; and the room for more."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from jobs.errors import PublishError
from jobs.operating import RetentionSettings
from jobs.output.layout import Layout, Snapshot
from jobs.output.seal import seal_path

#: A file published later than this after its day is a replay, and no month-end.
OWN_DAY = timedelta(days=7)
#: What a run needs beside the file that it leaves: sorting, the log of its writes, facts that grow.
SPARE = 1.5
LOOKED_AT = 3


@dataclass(frozen=True)
class Dropped:
    """What was removed: names of published files, and runs of which the exports alone went."""

    snapshots: list[str]
    exports: list[str]
    bytes: int


def drop_old(
    layout: Layout,
    kept: RetentionSettings,
    *,
    most: int | None = None,
    today: date,
    spare: Path | None = None,
    dry: bool = False,
) -> Dropped:
    """Remove published files and exports that the settings do not keep. Call it under the lock only.

    The file behind the pointer and ``spare`` stay, with their exports, whatever their age.

    Args:
        layout: the output folder.
        kept: what is kept.
        most: how many files are kept besides month-ends, where their number is limited.
        today: the day (UTC) from which ages count; a file's age is that of its publishing.
        spare: the file just published.
        dry: remove nothing, and say what would be.
    """
    snapshots = layout.list_snapshots()
    pointed = layout.pointed()
    held = {path.name for path in (spare, pointed.path if pointed else None) if path is not None}
    ends = _month_ends(snapshots) if kept.month_ends else set()
    dropped = Dropped([], [], 0)
    size = 0
    for position, snapshot in enumerate(snapshots):
        name, exports = snapshot.path.name, layout.exports / snapshot.run_id
        if name in held:
            continue
        age_days = (today - _published(snapshot)).days
        is_over = most is not None and position >= most
        if (is_over or age_days > kept.days) and name not in ends:
            dropped.snapshots.append(name)
            going = [snapshot.path, seal_path(snapshot.path), exports]
        elif (is_over or age_days > kept.export_days) and exports.is_dir():
            dropped.exports.append(snapshot.run_id)
            going = [exports]
        else:
            continue
        size += sum(map(size_of, going))
        if not dry:
            for path in going:
                _remove(path)
    return Dropped(dropped.snapshots, dropped.exports, size)


def _published(snapshot: Snapshot) -> date:
    return datetime.fromtimestamp(snapshot.path.stat().st_mtime, UTC).date()


def _month_ends(snapshots: list[Snapshot]) -> set[str]:
    """Return the last night of every month: of nights published on their own day, the newest of the month."""
    nights = [one for one in snapshots if abs(_published(one) - one.as_of) <= OWN_DAY]
    last: dict[tuple[int, int], Snapshot] = {}
    for night in nights:  # the most recently published first, which stands for its day
        month = (night.as_of.year, night.as_of.month)
        if month not in last or night.as_of > last[month].as_of:
            last[month] = night
    return {night.path.name for night in last.values()}


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder; 0 for what is gone."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            return sum(map(size_of, path.iterdir()))
        return path.lstat().st_size
    return 0


@dataclass(frozen=True)
class Room:
    """Space for further nights.

    Attributes:
        free_bytes: what the file system has left.
        night_bytes: the largest of the last nights with its exports; None before the first.
        used_bytes: published files and exports.
    """

    free_bytes: int
    night_bytes: int | None
    used_bytes: int

    @property
    def nights_left(self) -> int | None:
        """How many nights fit before any is dropped; None before the first."""
        return None if not self.night_bytes else int(self.free_bytes / self.night_bytes)

    def sentence(self) -> str:
        """Say it in one sentence."""
        free, used = f"{self.free_bytes / 1e9:,.1f} GB free", f"{self.used_bytes / 1e9:,.2f} GB"
        if self.night_bytes is None:
            return f"Disk: {free}; nights take {used}."
        night = f"a night takes {self.night_bytes / 1e6:,.0f} MB, so that {self.nights_left:,} more fit"
        return f"Disk: {free}; nights take {used}, {night}."


def room_of(layout: Layout) -> Room:
    """Measure an output folder."""
    home = next(path for path in (layout.root, *layout.root.resolve().parents) if path.is_dir())
    nights = [
        size_of(snapshot.path) + size_of(layout.exports / snapshot.run_id)
        for snapshot in layout.list_snapshots()
    ]
    return Room(
        shutil.disk_usage(home).free,
        max(nights[:LOOKED_AT], default=None),
        size_of(layout.snapshots) + size_of(layout.exports),
    )


def require_room(layout: Layout) -> None:
    """Refuse to start what cannot be finished.

    Raises:
        PublishError: less is free than the last nights took, with half as much to spare.
    """
    room = room_of(layout)
    if room.night_bytes is not None and room.free_bytes < room.night_bytes * SPARE:
        raise PublishError(
            f"{layout.root}: {room.free_bytes / 1e6:,.0f} MB are free and a night needs about "
            f"{room.night_bytes * SPARE / 1e6:,.0f} MB, so that none was started. Free some space, or lower "
            "`days` and `export_days` of [retention] and run `curbline prune`."
        )
