"""One published file for all tests that ask questions of it, made by the real nightly job."""

from __future__ import annotations

import fcntl
import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import settings

# A timing is a benchmark, not a test: the first example of a test may build a table or import a library.
settings.register_profile("curbline", deadline=None)
settings.load_profile("curbline")

AS_OF = date(2026, 11, 23)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of `curbline.duckdb`, scored from the embedded facts for 23 November 2026; its exports lie beside it.

    Workers of pytest-xdist share one: the first to come builds it under a lock, the others wait and open it.
    """
    base = tmp_path_factory.getbasetemp()
    # Workers have folders of their own below one that belongs to the whole session.
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    pointer = shared / "published-run" / "curbline.duckdb"
    with (shared / "published-run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not pointer.exists():
            _publish(pointer.parent)
    return pointer


def _publish(out: Path) -> None:
    # The whole nightly job is imported only where a test asks for the file.
    from rich.console import Console

    from jobs.nightly.phases import Phases
    from jobs.nightly.run import RunDates, run
    from jobs.settings import build_settings

    def clock() -> datetime:
        return datetime(2026, 11, 23, 2, 0, tzinfo=UTC)

    settings = build_settings({"out": str(out)}, base=out.parent, origin=None, text="")
    with Phases(Console(stderr=True)) as phases:
        run(settings, RunDates(AS_OF, AS_OF, clock(), clock), phases)
