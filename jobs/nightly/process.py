"""Processes that the scheduler starts, and the lock that keeps a second scheduler from starting them too."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from jobs.errors import BusyError

log = logging.getLogger("curbline.schedule")
#: After a polite stop, the process is killed.
LAST_SECONDS = 10.0
LOOK_EVERY_S = 0.2


class Commands:
    """Starts commands of this command line, one at a time.

    Args:
        inherited: A descriptor that every command keeps open, so that its lock lasts as long as the command does.
        grace_s: How long a command may go on after a stop was asked for.
        program: The words before the command's own.
    """

    def __init__(
        self,
        inherited: int,
        grace_s: float,
        program: Sequence[str] = (sys.executable, "-m", "jobs.cli"),
    ) -> None:
        self._inherited = inherited
        self._grace_s = grace_s
        self._program = program
        self._stopping = threading.Event()

    @property
    def is_stopping(self) -> bool:
        """Whether a stop was asked for."""
        return self._stopping.is_set()

    def stop_on_signals(self) -> None:
        """Take SIGTERM and SIGINT as asking for a stop."""

        def stop(number: int, frame: FrameType | None) -> None:
            del frame
            log.info("%s: nothing further starts; a run under way is waited for", signal.Signals(number).name)
            self._stopping.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)

    def wait(self, seconds: float) -> None:
        """Wait, or return early where a stop was asked for."""
        self._stopping.wait(max(seconds, 0.0))

    def run(self, arguments: Sequence[str], *, timeout_s: float) -> int:
        """Run a command in a session of its own, so that Ctrl-C reaches the scheduler alone, and wait for it."""
        process = subprocess.Popen(
            [*self._program, *arguments], start_new_session=True, pass_fds=[self._inherited]
        )
        left, grace = timeout_s, self._grace_s
        while left > 0 and grace > 0:
            with suppress(subprocess.TimeoutExpired):
                return process.wait(LOOK_EVERY_S)
            left -= LOOK_EVERY_S
            grace -= LOOK_EVERY_S if self.is_stopping else 0.0
        why = f"has taken its {timeout_s / 60:g} minutes" if left <= 0 else "has used up the time to end"
        log.error("`curbline %s` %s and is stopped", arguments[0], why)
        return _end(process)


def _end(process: subprocess.Popen[bytes]) -> int:
    """Stop a command and what it started: politely, then not."""
    for number, patience in ((signal.SIGTERM, LAST_SECONDS), (signal.SIGKILL, None)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            return process.wait(patience)
    return process.wait()


@contextmanager
def only_scheduler(path: Path) -> Iterator[int]:
    """Hold the lock of the schedulers of one folder, and yield its descriptor for the commands to keep open.

    A command left behind by a scheduler that was killed holds the lock until it ends, and is waited for: what it
    publishes need not be done again.

    Raises:
        BusyError: another scheduler is at work.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(descriptor)
            if holder is not None and _is_alive(holder):
                raise BusyError(
                    f"{path.parent}: another scheduler is at work (process {holder}). Stop it first, or name another "
                    "folder with --out."
                ) from None
            log.info("a run that a killed scheduler left is under way; it is waited for")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid()}).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> int | None:
    try:
        return int(json.loads(os.pread(descriptor, 4096, 0))["pid"])
    except (ValueError, KeyError, TypeError):
        return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
