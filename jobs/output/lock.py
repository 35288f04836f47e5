"""One run at a time: an advisory lock that the kernel frees when the holder dies, even by kill -9."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from jobs.errors import BusyError, SettingsError


def _holder(descriptor: int) -> str:
    """Say who wrote the lock file, as far as can be told."""
    try:
        entry = json.loads(os.pread(descriptor, 4096, 0) or b"{}")
        return f" (process {entry['pid']}, since {entry['since']})"
    except (ValueError, KeyError, TypeError):
        return ""


@contextmanager
def exclusive(path: Path, *, since: datetime, option: str = "--out") -> Iterator[None]:
    """Hold the lock of one folder.

    The lock file stays behind on purpose: removing it would let two runs lock two different files of that name.

    Args:
        path: The lock file; its folder is made if needed.
        since: When this run began, told to whoever finds the lock taken.
        option: The option that names another folder.

    Raises:
        BusyError: Another process holds it (exit code 75).
        SettingsError: The folder cannot be made or written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    except OSError as problem:
        raise SettingsError(
            f"{path.parent}: the folder cannot be written ({problem.strerror}). "
            f"Name another with {option}, or change its permissions."
        ) from problem
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise BusyError(
                f"{path.parent}: another run is under way{_holder(descriptor)}. Nothing was changed; "
                f"wait for it to end, or name another folder with {option}."
            ) from problem
        entry = json.dumps({"pid": os.getpid(), "since": since.isoformat(timespec="seconds")})
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, entry.encode(), 0)
        yield
    finally:
        os.close(descriptor)
