"""The same scores from several processes: each takes a few minerals at a time, and the sums come back in order.

Which minerals go together depends on the facts alone, so that any number of processes gives the same bytes. Processes
are spawned, not forked: polars keeps threads, which a fork would leave behind.
"""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing.connection import wait
from typing import Final

import polars as pl

from engine.scoring.expect import Expectations
from engine.scoring.exposure import Sums
from engine.scoring.portfolio import Part, score_part

#: Fewer routes are scored sooner in one process than in another that has to be started.
ROUTES_WORTH_A_PROCESS: Final = 10_000
ORPHANED: Final = 70  # exit status of a process whose parent has gone

Marts = Mapping[str, pl.DataFrame]
_totals: list[Expectations] = []  # of this process, when it is a worker


def score_in_processes(
    parts: Sequence[Part], totals: Expectations, processes: int
) -> Generator[tuple[Marts, Sums]]:
    """Score each part in one of several processes; close it, and they end.

    Args:
        parts: which minerals go together.
        totals: with nothing taken in yet; every process has its own copy.
        processes: how many at most.

    Yields:
        The tables of each part and its sums, in order.
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, spawn, _begin, (totals,)) as pool:
        waiting: deque[Future[tuple[Marts, Sums]]] = deque()
        try:
            for part in parts:
                waiting.append(pool.submit(_score, part))
                if len(waiting) > processes + 1:  # so that results do not pile up in memory
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _begin(totals: Expectations) -> None:
    """Begin a process: it keeps its own sums, and ends with its parent, however that ends."""
    _totals[:] = [totals]
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(ORPHANED)


def _score(part: Part) -> tuple[Marts, Sums]:
    (totals,) = _totals
    return score_part(part, totals), totals.drain()
