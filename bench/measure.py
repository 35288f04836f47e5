"""Time and peak memory of one process, as the kernel counted them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

UNITS_PER_MIB = 1024 * 1024 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB
ENDED_WELL = (0, 10)


@dataclass(frozen=True)
class Measured:
    """What a process cost, and what it printed."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
    output: str


def measure(command: Sequence[str], folder: Path) -> Measured:
    """Run a command to its end; stop the benchmark if it fails.

    Its output goes to files, so that a full pipe never holds it up, and wait4 gives the usage of this process alone.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode not in ENDED_WELL:
            sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{output.read()}{errors.read()}")
        return Measured(
            seconds=seconds,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            peak_mib=usage.ru_maxrss / UNITS_PER_MIB,
            output=output.read(),
        )
