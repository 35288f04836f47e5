"""Phases of a run: how long each took, shown as it happens on a terminal only."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


@dataclass(frozen=True)
class PhaseTime:
    """One phase, its duration in all, and the most memory that the process had held by its end."""

    name: str
    seconds: float
    peak_mb: float


@dataclass
class Phases:
    """Times the phases of a run; as a context manager it also shows the phase of the moment where there is a terminal.

    A phase may be entered again, for the next few minerals: its times add up.
    """

    console: Console
    #: The run that is timed, once it is known.
    run_id: str = ""
    _done: dict[str, PhaseTime] = field(default_factory=dict)
    _progress: Progress | None = None
    _task: TaskID | None = None

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
            self._progress = Progress(*columns, console=self.console, transient=True)
            self._progress.start()
            self._task = self._progress.add_task("starting", total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    @property
    def done(self) -> list[PhaseTime]:
        """The phases, in the order in which each first ended."""
        return list(self._done.values())

    def phase(self, name: str) -> AbstractContextManager[None]:
        """Time a phase; phases within phases are timed too, and the outer one includes them."""
        return self._timed(name)

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, description=name)
        start = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - start
            before = self._done.get(name)
            if before is not None:
                seconds += before.seconds
            self._done[name] = PhaseTime(name, seconds, peak_memory_mb())


def peak_memory_mb() -> float:
    """Return the most memory that this process has held so far (MB)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)  # bytes there, kilobytes elsewhere
