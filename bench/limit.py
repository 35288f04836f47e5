"""The draws by hand: flat numpy, no names, no rules, no checks. How close is the engine to it?

While the engine scores the embedded facts, each chain's draws are made again by the lines below: tonnes out of their
ranges, pools, the shock of every law, and for each law the mean, quantiles and chances of what is missing after
stocks (every law is treated so here; the engine does it for the nine of three regimes and horizons, and takes the mean
alone of the others). What is withheld of each flow is taken from the engine. Prints as JSON the seconds of both and
the largest difference between their missing shares. One process, one run: quote the ratio.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np

from engine.scoring.draws import Numbers, quantile
from engine.scoring.expect import Expectations
from engine.scoring.joint import JointChain, Posed
from engine.scoring.portfolio import score_in_parts
from engine.scoring.response import replacement_t
from engine.scoring.world import drawn_stages
from ground.draws import DEFAULT_DRAWS
from ground.question import Question
from jobs.gather import gather
from jobs.resources import default_rules_dir
from jobs.rules.rulebook import load_rulebook
from warehouse.asof.inputs import Inputs
from warehouse.asof.state import Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FACTS = Path(__file__).resolve().parents[1] / "warehouse" / "facts"
AS_OF = date(2026, 11, 23)
WORLDS = 32
PHASES = ("attribution and shock", "draws")


def main() -> None:
    """Score once with the engine, and chain by chain by hand."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_DRAWS
    inputs, ruleset = embedded()
    seconds: defaultdict[str, float] = defaultdict(float)
    apart = 0.0
    missing = JointChain.missing

    @contextmanager
    def phase(name: str) -> Iterator[None]:
        start, before = time.perf_counter(), seconds["by hand"]
        yield
        seconds[name] += time.perf_counter() - start - (seconds["by hand"] - before)

    def both(joint: JointChain, posed: Sequence[Posed]) -> Any:
        nonlocal apart
        found = missing(joint, posed)
        curbs = joint._curbs(posed)
        start = time.perf_counter()
        mine = by_hand(joint, posed, curbs)
        stocked(mine)
        seconds["by hand"] += time.perf_counter() - start
        for one, routes in zip(found, mine, strict=True):
            for theirs, ours in zip(one.route, routes, strict=True):
                apart = max(apart, float(np.abs(theirs - ours).max(initial=0.0)))
        return found

    totals = Expectations(Numbers(draws), inputs, ruleset)
    with patch.object(JointChain, "missing", both):
        for _ in score_in_parts(inputs, ruleset, phase, totals):
            pass
    if apart > 1e-9:
        sys.exit(f"by hand another result: {apart}")
    engine = sum(seconds[name] for name in PHASES)
    hand = seconds["by hand"]
    print(
        json.dumps(
            {"draws": draws, "hand_s": hand, "engine_s": engine, "ratio": engine / hand, "apart": apart}
        )
    )


def embedded() -> tuple[Any, Any]:
    """Inputs of the embedded facts, and the embedded rules."""
    state = Warehouse.open_memory()
    state.load_bundles([FACTS])
    inputs = gather(Inputs(state, Question(AS_OF, AS_OF, "CHN")))
    return inputs, load_rulebook(default_rules_dir()).ruleset


def by_hand(joint: JointChain, posed: Sequence[Posed], curbs: Any) -> list[list[Any]]:
    """Missing shares of the routes of each law, stage by stage, (routes, D)."""
    stages, cc, size = (
        drawn_stages(joint.chain, joint.numbers, joint.spread.kind),
        joint.chain.curbing,
        joint.size,
    )
    found = [[np.zeros((len(k), size)) for k, _ in joint.routes] for _ in posed]
    biting = [p for p, law in enumerate(curbs) if any(c.any() or e.any() for c, e in law)]
    for start in range(0, size, WORLDS):
        w = slice(start, start + WORLDS)
        ready = [pools(stage, w) for stage in stages]
        origin = joint.origin[w]
        reach = (
            joint_reach(joint, ready, stages, w)
            if any(curbs[p][s][1].any() for p in biting for s in range(len(stages)))
            else None
        )
        stop_lost: list[Any] = []
        for p in biting:
            ratio: Any = None
            before: Any = None
            for s, (x, d, at, share, inverse, out) in enumerate(ready):
                c, e = (part[w] for part in curbs[p][s])
                p0 = stages[s].production_t[w]
                p1 = p0 if ratio is None else p0 * np.where((before <= 0) & (p0 > 0), 1.0, ratio)
                entering = p1 + d * kept(p0, p1, c, origin, cc)
                new = None
                if (plant := posed[p].new_plant) is not None:
                    u = joint._capacity(joint.chain.stages[s].name)[w, None]
                    tonnes = quantile(replacement_t(plant[s]), u, joint.spread.kind)
                    total = tonnes.sum(axis=1)
                    new = tonnes * (np.minimum(total, stop_lost[s]) / np.where(total > 0, total, 1))[:, None]
                after, fed = solved(
                    entering, new, at, share, inverse, c, e, None if reach is None else reach[s], cc
                )
                full = np.where(x > 0, x, 1)
                own = np.where(x > 0, after / full, 1.0)
                own[np.abs(own - 1) < 1e-12] = 1.0
                ratio = (
                    own if new is None else np.maximum(own, np.where(x > 0, np.minimum(1, fed / full), 1.0))
                )
                before = x
                k, j = joint.routes[s]
                cut = e[:, j] * (0 if reach is None else reach[s][:, k])
                cut[:, k == cc] = c[:, j[k == cc]]
                found[p][s][:, w] = np.clip(1 - (1 - cut) * own[:, k], 0, 1).T
                if p == 0:
                    use = np.maximum(0, x - out) * np.maximum(0, 1 - own)
                    use[:, cc] = 0
                    stop_lost.append(use.sum(axis=1))
    return found


def joint_reach(joint: JointChain, ready: Any, stages: Any, w: slice) -> list[Any]:
    """Part of each pool that a re-export licence reaches."""
    mixing = quantile(np.array([0.0, 0.0, 1.0]), joint.numbers.of("mixed stock"), joint.spread.kind)[w, None]
    origin, cc = joint.origin[w], joint.chain.curbing
    reach: list[Any] = []
    clean: Any = None
    was: Any = None
    for (x, d, at, share, inverse, _), stage in zip(ready, stages, strict=True):
        p = stage.production_t[w]
        made = np.ones_like(p)
        if clean is not None:
            total = np.where(was, p, 0).sum(axis=1)
            mix = np.where(was, p * clean, 0).sum(axis=1) / np.where(total > 0, total, 1)
            made = np.where(was, clean, unknown(np.where(total > 0, mix, 0.5), origin)[:, None])
        made[:, cc] = 0
        total = p.sum(axis=1)
        mix = (p * made).sum(axis=1) / np.where(total > 0, total, 1)
        entering = p * made + d * unknown(np.where(total > 0, mix, 0.5), origin)[:, None]
        through = entering + (share @ (inverse @ entering[:, at, None]))[:, :, 0]
        clean = np.where(x > 0, np.clip(through / np.where(x > 0, x, 1), 0, 1), 1.0)
        was = x > 0
        touched = 1 - clean
        part = touched + mixing * ((touched >= joint.threshold) - touched)
        part[:, cc] = 0
        reach.append(part)
    return reach


def unknown(mix: Any, weight: Any) -> Any:
    """Clean share of goods of unknown origin."""
    return np.where(weight < 0.5, 1 - (1 - mix) * 2 * weight, mix * (2 - 2 * weight))


def kept(p0: Any, p1: Any, c: Any, weight: Any, cc: int) -> Any:
    """Share of unexplained exports that still arrives."""
    made = p0.sum(axis=1)[:, None]
    mix = np.where(
        made > 0, (p1.sum(axis=1)[:, None] - c * p1[:, cc, None]) / np.where(made > 0, made, 1), 1 - c / 2
    )
    w = weight[:, None]
    return np.clip(np.where(w < 0.5, 1 - (1 - mix) * 2 * w, mix + (1 - c - mix) * (2 * w - 1)), 0, 1)


def pools(stage: Any, w: slice) -> tuple[Any, ...]:
    """Pool, unexplained exports, exporters, their shares, the inverse, and what each exports."""
    k, j, t, made = stage.exporter, stage.importer, stage.lane_t[w], stage.production_t[w]
    count, n = made.shape
    trade = np.zeros((count, n, n))
    trade[:, k, j] = t
    out, into = trade.sum(axis=2), trade.sum(axis=1)
    d = np.maximum(0, out - made - into)
    has, feeds = made + d > 0, (trade[0] > 0).astype(np.float32)
    while True:
        wider = has | (has.astype(np.float32) @ feeds > 0)
        if np.array_equal(wider, has):
            break
        has = wider
    d = np.where(has, d, out)
    x = made + into + d
    at = np.unique(k)
    share = np.ascontiguousarray(np.swapaxes(trade[:, at] / np.where(x > 0, x, 1)[:, at, None], 1, 2))
    return x, d, at, share, np.linalg.inv(np.eye(len(at)) - share[:, at]), out


def solved(
    entering: Any, new: Any, at: Any, share: Any, inverse: Any, c: Any, e: Any, reach: Any, cc: int
) -> Any:
    """Pools after the shock of one law, and with new plant: rank one, or a full solve where a licence bites."""
    every = entering[:, :, None] if new is None else np.stack([entering, entering + new], axis=2)
    full = np.any(e, axis=1)
    own = np.flatnonzero(at == cc)
    inner = inverse @ every[:, at]
    lost = share[:, :, own] * c[:, :, None]
    through = inverse @ lost[:, at]
    if len(own):
        inner -= through * (inner[:, own] / (1 + through[:, own]))
    after = every + share @ inner - lost @ inner[:, own]
    if full.any():
        keep = 1 - e[full][:, :, None] * reach[full][:, None, at]
        keep[:, :, own] = 1 - c[full][:, :, None]
        keep *= share[full]
        after[full] = every[full] + keep @ np.linalg.solve(np.eye(len(at)) - keep[:, at], every[full][:, at])
    return after[:, :, 0], after[:, :, -1]


def stocked(found: Any) -> None:
    """Of every route and law: what others replace, what stocks cover, and what is published of the rest."""
    rng = np.random.default_rng(0)
    for law in found:
        for missing in law:
            relief, stock = rng.random(missing.shape[1]), rng.random((len(missing), 1)) / 10
            if not missing.any():
                continue
            gap = missing * (1 - relief) * 0.9
            left = np.clip(gap - np.clip(stock - gap * 0.1, 0, stock), 0, None)
            left.mean(axis=1), gap.mean(axis=1)
            ordered = np.sort(left.astype(np.float32), axis=1)
            last = ordered.shape[1] - 1
            [ordered[:, int(share * last)] for share in (0.1, 0.5, 0.9)]
            [np.count_nonzero(ordered >= edge, axis=1) for edge in (0.04, 0.16, 0.36, 0.64, 0.04)]
            days = np.divide(stock, gap, out=np.full(gap.shape, np.inf), where=left > 0)
            np.sort(days, axis=1)


if __name__ == "__main__":
    main()
