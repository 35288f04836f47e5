"""Two processes give the bytes of one, and end with their parent."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import date
from functools import cache
from pathlib import Path
from textwrap import dedent

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from engine.scoring.draws import Numbers
from engine.scoring.expect import Expectations
from engine.scoring.inputs import Inputs
from engine.scoring.portfolio import Marts, parts_of, score_in_parts
from jobs.gather import gather_in_memory
from jobs.nightly.processes import score_in_processes
from jobs.settings import load_settings
from tests.engine.rulebook import default_ruleset

TODAY = date(2026, 11, 27)
MINERALS = ["gallium", "germanium"]


@cache
def of_two() -> Inputs:
    return gather_in_memory(load_settings(), TODAY, TODAY).only(MINERALS)


def totals() -> Expectations:
    return Expectations(Numbers(16), of_two(), default_ruleset(), ["JPN", "USA"])


def test_processes_change_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.scoring.portfolio.ROUTES_AT_ONCE", 1)
    alone, together = totals(), totals()
    one: list[Marts] = list(score_in_parts(of_two(), default_ruleset(), totals=alone))
    parts = list(parts_of(of_two(), default_ruleset(), 16))
    assert len(parts) == len(MINERALS)
    for mine, (theirs, sums) in zip(one, score_in_processes(parts, together, 2), strict=True):
        together.take(sums)
        assert mine.keys() == theirs.keys()
        for name, frame in mine.items():
            assert_frame_equal(frame, theirs[name], check_exact=True)
    for table in (Expectations.exposure, Expectations.doubt):
        assert_frame_equal(table(alone), table(together), check_exact=True)
    assert together.exposure().filter(pl.col("mineral") == "*").height > 0


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads the process table of Linux")
def test_a_worker_ends_when_its_parent_is_killed() -> None:
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, stderr=quiet, text=True
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.kill()
    until = time.monotonic() + 20
    while is_alive(worker) and time.monotonic() < until:
        time.sleep(0.1)
    assert not is_alive(worker)


def is_alive(process: int) -> bool:
    """Whether it runs; one that is dead may wait for whoever has adopted it."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


PARENT = dedent(
    """
    import multiprocessing, os, time
    from concurrent.futures import ProcessPoolExecutor
    from jobs.nightly.processes import _begin

    if __name__ == "__main__":
        pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _begin, (None,))
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(60)
    """
)
