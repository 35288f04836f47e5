"""The same arithmetic by hand: flat numpy and polars, no rules, no names, no checks. How close is the engine to it?

The engine scores the embedded facts once while every system that it solves is written down. Then the same systems are
solved again by the lines below, the same scores and points are formed, and both times are printed as JSON together
with the largest difference between the two results. One process, one run: quote the ratio.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
import polars as pl

from engine.scoring.chain_score import ChainScorer
from engine.scoring.portfolio import score_portfolio
from engine.scoring.world import build_worlds
from ground.question import Question
from jobs.gather import gather
from jobs.resources import default_rules_dir
from jobs.rules.rulebook import load_rulebook
from warehouse.asof.inputs import Inputs
from warehouse.asof.state import Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

FACTS = Path(__file__).resolve().parents[1] / "warehouse" / "facts"
AS_OF = date(2026, 11, 23)
EDGES = np.array([20.0, 40.0, 60.0, 80.0])
Call = tuple[ChainScorer, Any, Any, Any, Any]


def main() -> None:
    """Score once with the engine, once by hand."""
    ruleset = load_rulebook(default_rules_dir()).ruleset
    state = Warehouse.open_memory()
    state.load_bundles([FACTS])
    inputs = gather(Inputs(state, Question(AS_OF, AS_OF, "CHN")))
    score_portfolio(inputs, ruleset)  # warm: imports, caches
    seconds: dict[str, float] = {}

    @contextmanager
    def phase(name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        seconds[name] = time.perf_counter() - start

    start = time.perf_counter()
    marts = score_portfolio(inputs, ruleset, phase)
    engine_seconds = time.perf_counter() - start
    calls, answers = recorded(inputs, ruleset)
    start = time.perf_counter()
    missing = by_hand(calls)
    units, points = (
        int(marts["route_score"].height + marts["importer_score"].height),
        marts["contribution_wide"].width,
    )
    formed(units, points)
    hand_seconds = time.perf_counter() - start
    apart = max(float(np.abs(a - b).max(initial=0.0)) for a, b in zip(missing, answers, strict=True))
    if apart > 1e-9:
        sys.exit(f"by hand another result: {apart}")
    print(
        json.dumps(
            {"seconds": hand_seconds, "engine_seconds": engine_seconds, "apart": apart, "phases": seconds}
        )
    )


def recorded(inputs: Any, ruleset: Any) -> tuple[list[Call], list[Any]]:
    """Every system that the engine solves, and the missing shares of routes that it finds."""
    calls: list[Call] = []
    answers: list[Any] = []
    solve = ChainScorer._solve

    def watch(self: ChainScorer, curbs: Any, worlds: Any, weight: Any, added: Any) -> Any:
        found = solve(self, curbs, worlds, weight, added)
        if any(np.any(curb.withheld_share) or np.any(curb.extraterritorial_share) for curb in curbs):
            calls.append((self, curbs, worlds, weight, added))
            answers.extend(found.route)
        return found

    with patch.object(ChainScorer, "_solve", watch):
        score_portfolio(inputs, ruleset)
    return calls, answers


def by_hand(calls: list[Call]) -> list[Any]:
    """Missing shares of routes of every recorded system."""
    found = []
    ready: dict[int, list[Any]] = {}
    for scorer, curbs, worlds, weight, added in calls:
        if id(scorer) not in ready:
            build_worlds(scorer.chain)
            ready[id(scorer)] = [
                pools(t, p) for t, p in zip(scorer.trade_t, scorer.production_t, strict=True)
            ]
        cc = scorer.chain.curbing
        ratio: Any = None
        before: Any = None
        for s, (x, d, at, share, inverse) in enumerate(ready[id(scorer)]):
            c, e, reach = curbs[s].withheld_share, curbs[s].extraterritorial_share, curbs[s].reach_share
            p0, x0 = scorer.production_t[s][worlds], x[worlds]
            p1 = p0 if ratio is None else p0 * np.where((before <= 0) & (p0 > 0), 1.0, ratio)
            made = p0.sum(axis=1)[:, None]
            mix = np.where(
                made > 0,
                (p1.sum(axis=1)[:, None] - c * p1[:, cc, None]) / np.where(made > 0, made, 1),
                1 - c / 2,
            )
            w = weight[:, None]
            kept = np.clip(np.where(w < 0.5, 1 - (1 - mix) * 2 * w, mix + (1 - c - mix) * (2 * w - 1)), 0, 1)
            entering = p1 + d[worlds] * kept
            after = solved(entering, worlds, at, share, inverse, c, e, reach, cc)
            ratio = np.where(x0 > 0, after / np.where(x0 > 0, x0, 1), 1.0)
            k, j = scorer.routes[s]
            cut = np.where(k == cc, c[:, j], e[:, j] * reach[:, k])
            found.append(np.clip(1 - (1 - cut) * ratio[:, k], 0, 1))
            importers(scorer, s, worlds, x0, ratio, c, e, reach)
            for point in range(5):
                found[-1].min(axis=0) if point < 2 else found[-1].max(axis=0)
            if added is not None and np.any(added[s]):
                fed = solved(entering + added[s], worlds, at, share, inverse, c, e, reach, cc)
                ratio = np.maximum(np.where(x0 > 0, np.minimum(1, fed / np.where(x0 > 0, x0, 1)), 1), ratio)
            before = x0
    return found


def importers(
    scorer: ChainScorer, s: int, worlds: Any, x: Any, ratio: Any, c: Any, e: Any, reach: Any
) -> None:
    """Missing share of every pool, of the bloc's, and what final users lose."""
    eu = np.flatnonzero(scorer.bloc_members)
    np.clip(1 - ratio, 0, 1)
    inner = scorer.trade_t[s][:, eu][:, :, eu][worlds]
    kept = inner * (1 - e[:, None, eu] * reach[:, eu, None]) * ratio[:, eu, None]
    before = x[:, eu].sum(axis=1) - inner.sum(axis=(1, 2))
    after = (x * ratio)[:, eu].sum(axis=1) - kept.sum(axis=(1, 2))
    np.where(before > 0, 1 - after / np.where(before > 0, before, 1), 0)
    use = np.maximum(0, x - scorer.exports_t[s][worlds]) * np.maximum(0, 1 - ratio)
    use.sum(axis=1)
    del c


def pools(trade: Any, made: Any) -> tuple[Any, ...]:
    """Pool, unexplained exports, exporters, their shares, and the inverse of each world."""
    out, into = trade.sum(axis=2), trade.sum(axis=1)
    d = np.maximum(0, out - made - into)
    has = made + d > 0
    while True:
        wider = has | np.einsum("wkj,wk->wj", trade > 0, has)
        if np.array_equal(wider, has):
            break
        has = wider
    d = np.where(has, d, out)
    x = made + into + d
    at = np.flatnonzero((out > 0).any(axis=0))
    share = np.ascontiguousarray(np.swapaxes(trade[:, at] / np.where(x > 0, x, 1)[:, at, None], 1, 2))
    return x, d, at, share, np.linalg.inv(np.eye(len(at)) - share[:, at])


def solved(
    entering: Any, worlds: Any, at: Any, share: Any, inverse: Any, c: Any, e: Any, reach: Any, cc: int
) -> Any:
    """Pools after the shock: rank one where only the curbing country's flows are cut, else a full solve."""
    after = np.empty_like(entering)
    full = np.any(e, axis=1)
    own = int(np.searchsorted(at, cc))
    cut = own < len(at) and at[own] == cc
    for world in np.unique(worlds[~full]):
        rows = np.flatnonzero((worlds == world) & ~full)
        inner = entering[rows][:, at] @ inverse[world].T
        if cut:
            lost = share[world][:, own] * c[rows]
            through = lost[:, at] @ inverse[world].T
            inner -= through * (inner[:, own] / (1 + through[:, own]))[:, None]
            after[rows] = entering[rows] + inner @ share[world].T - inner[:, own, None] * lost
        else:
            after[rows] = entering[rows] + inner @ share[world].T
    if full.any():
        keep = 1 - e[full][:, :, None] * reach[full][:, None, at]
        keep[:, :, at == cc] = 1 - c[full][:, :, None]
        keep *= share[worlds[full]]
        inner = np.linalg.solve(np.eye(len(at)) - keep[:, at], entering[full][:, at, None])[:, :, 0]
        after[full] = entering[full] + np.einsum("bjk,bk->bj", keep, inner)
    return after


def formed(units: int, columns: int) -> None:
    """Scores, bands and points of as many rows as the engine publishes, as polars frames in the same order."""
    rng = np.random.default_rng(0)
    for _ in range(3):
        missing = np.maximum(0, rng.random((5, units)) * (1 - rng.random((5, units))) - 0.1)
        scores = 100 * np.sqrt(missing)
        frame = pl.DataFrame({f"s{i}": scores[i] for i in range(5)} | {f"l{i}": missing[i] for i in range(5)})
        frame.with_columns(pl.Series("band", np.searchsorted(EDGES, scores[2], side="right"))).sort("l2")
    steps = 100 * np.sqrt(rng.random((columns // 2, 3 * units)))
    pl.DataFrame({f"t{i}": row for i, row in enumerate(np.diff(steps, axis=0))}).sort("t0")


if __name__ == "__main__":
    main()
