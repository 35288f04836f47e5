"""Measure what monthly backfills cost beside nights, in seconds of processor, which other programs hardly change.

`python -m bench.backfill [MONTHS]` runs one night and a backfill of so many months (by default 3) up to 2026-11-01, both on the
embedded facts with all minerals, and says what 36 months would cost in nights if every month cost what these did. The
first month of a backfill shares nothing, and it loads the facts and tests the rules for all of them.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
from rich.console import Console

from jobs.nightly.phases import Phases
from jobs.nightly.series import backfill
from jobs.settings import load_settings

LAST = date(2026, 11, 1)
ASKED = 36


def seconds() -> float:
    """Return the seconds of processor of this process and its children that have ended."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def night(folder: Path) -> float:
    """Return the seconds of processor of one whole night."""
    before = seconds()
    command = [sys.executable, "-m", "jobs.cli", "run", "--as-of", str(LAST), "--out", str(folder)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    if done.returncode not in (0, 10):
        message = f"the night ended with {done.returncode}"
        raise SystemExit(message)
    return seconds() - before


def months(folder: Path, count: int) -> list[float]:
    """Return the seconds of processor of each month of a backfill; those of the first hold what all share."""
    days = [pl.Series([LAST]).dt.offset_by(f"-{count - 1 - place}mo").item() for place in range(count)]
    settings = load_settings(None).model_copy(update={"out": folder})
    spent, before = [], seconds()
    for one in backfill(settings, days, datetime.now(UTC), Phases(Console(quiet=True))):
        spent.append(seconds() - before)
        before = seconds()
        print(f"{one.sentence}: {spent[-1]:.1f} s")
    return spent


def main(arguments: list[str]) -> int:
    """Run both and print the ratio."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    count = int(arguments[0]) if arguments else 3
    with tempfile.TemporaryDirectory() as place:
        spent = months(Path(place) / "months", count)
        one = night(Path(place) / "night")
    later = sum(spent[1:]) / max(len(spent) - 1, 1)
    whole = spent[0] + (ASKED - 1) * later
    print(f"a night {one:.1f} s; the first month {spent[0]:.1f} s, each that follows {later:.1f} s")
    print(f"{ASKED} months would cost {whole:.0f} s, which is {whole / one:.1f} nights")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
