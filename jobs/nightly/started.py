"""What the scheduler has done: `schedule.jsonl` in the output folder, one line for each start that is settled."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Settled:
    """One start, after its last try. Times are UTC; `exit_code` is negative where a signal ended the last try."""

    job: str
    start: datetime
    day: str
    began_at: datetime
    ended_at: datetime
    exit_code: int
    tries: int


@dataclass(frozen=True)
class StartedLog:
    """The file, which is only ever added to; a line that a crash cut short is passed over."""

    path: Path

    def append(self, settled: Settled) -> None:
        """Add a line, and see it to the disk."""
        line = json.dumps(asdict(settled), default=datetime.isoformat) + "\n"
        with self.path.open("ab+") as file:
            if file.tell() and not self._ends_a_line():
                line = "\n" + line
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())

    def _ends_a_line(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read() == b"\n"

    def entries(self) -> list[Settled]:
        """Return every line that can be read, oldest first."""
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        return [entry for line in lines if (entry := _read(line)) is not None]

    def newest(self, job: str, *, until: datetime) -> datetime | None:
        """Return the last start of a job that is settled.

        Args:
            job: its name.
            until: the time now; starts after it were written by a clock that was ahead, and count for nothing.
        """
        starts = [entry.start for entry in self.entries() if entry.job == job and entry.start <= until]
        return max(starts, default=None)


def _read(line: bytes) -> Settled | None:
    try:
        read: dict[str, Any] = json.loads(line)
        times = {name: datetime.fromisoformat(read[name]) for name in ("start", "began_at", "ended_at")}
        entry = Settled(**{**read, **times})
    except (ValueError, KeyError, TypeError):
        return None
    return entry if entry.start.tzinfo is not None else None
