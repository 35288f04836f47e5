"""How fast are rules? `python -m bench.rules`: ours against the same forty rules by hand in polars, in one run.

Ten million feature rows are joined with three tables, go through forty rules, and are written as Parquet; each
contestant runs in a process of its own, whose time and peak memory the kernel counts. `--peers` also puts the 34
conditions of the rules to other rule engines, each installed into a throw-away environment.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from bench import rule_set
from bench.measure import Measured, measure
from bench.peers import PEERS, run_peers
from engine.language.evaluation import with_factor
from engine.language.ruleset import load_ruleset
from ground.words import HORIZONS

ROOT = Path(__file__).resolve().parents[1]
GOAL_RATIO, GOAL_MIB = 1.2, 1200.0
CHUNK = 1_000_000
MORSEL = 20_000  # rows that stream at a time: 120 columns of rules are wide, and both contestants gain by it
KEYS = ["row", "mineral", "stage", "exporter", "importer", "horizon_days"]
WAYS = ("hand", "ours")


def write_rows(folder: Path, count: int) -> None:
    """Lanes in files of a million rows, and the three tables that they are joined with."""
    rng = np.random.default_rng(20261123)
    minerals = [f"mineral{i:02}" for i in range(70)]
    countries = [f"C{i:03}" for i in range(200)]
    (folder / "lanes").mkdir()
    for start in range(0, count, CHUNK):
        n = min(CHUNK, count - start)
        frame = pl.DataFrame(
            {
                "row": np.arange(start, start + n),
                "mineral": pl.Series(minerals).gather(rng.integers(0, 70, n)),
                "stage": pl.Series(rule_set.STAGES).gather(rng.integers(0, 4, n)),
                "exporter": pl.Series(countries).gather(rng.integers(0, 200, n)),
                "importer": pl.Series(countries).gather(rng.integers(0, 200, n)),
                "horizon_days": pl.Series(HORIZONS).gather(rng.integers(0, 3, n)),
                "lane_share": rng.random(n) ** 3,
                "stock_days": _with_nulls(rng.random(n) * 120, rng),
            }
            | {name: column for feature in rule_set.RANGES for name, column in _range(feature, n, rng)}
        ).with_columns(is_small_lane=pl.col("lane_share") < 0.02)
        frame.write_parquet(folder / "lanes" / f"{start // CHUNK:03}.parquet")
    pairs = pl.DataFrame({"mineral": minerals}).join(pl.DataFrame({"stage": rule_set.STAGES}), how="cross")
    pairs.with_columns(
        instrument=pl.Series(rule_set.INSTRUMENTS).gather(rng.integers(0, 8, pairs.height)),
        concentration=pl.Series(rng.random(pairs.height)),
    ).write_parquet(folder / "measures.parquet")
    pl.DataFrame({"exporter": countries, "instability": rng.random(200)}).write_parquet(
        folder / "exporters.parquet"
    )
    classes = pl.Series(rule_set.CLASSES).gather(rng.integers(0, 3, 200))
    pl.DataFrame({"importer": countries, "destination_class": classes}).write_parquet(
        folder / "importers.parquet"
    )


def _range(name: str, count: int, rng: np.random.Generator) -> list[tuple[str, pl.Series]]:
    """Three ends in order, unknown together in a tenth of the rows."""
    gone = pl.Series(rng.random(count) < 0.1)
    ends = np.sort(rng.random((3, count)), axis=0)
    return [
        (f"{name}_{end}", pl.Series(row).set(gone, None))
        for end, row in zip(rule_set.ENDS, ends, strict=True)
    ]


def _with_nulls(values: np.ndarray, rng: np.random.Generator) -> pl.Series:
    return pl.Series(values).set(pl.Series(rng.random(len(values)) < 0.1), None)


def joined(folder: Path) -> pl.LazyFrame:
    """The lanes with what the three tables say of them."""
    lanes = pl.scan_parquet(folder / "lanes" / "*.parquet")
    for name, keys in (
        ("measures", ["mineral", "stage"]),
        ("exporters", ["exporter"]),
        ("importers", ["importer"]),
    ):
        lanes = lanes.join(pl.scan_parquet(folder / f"{name}.parquet"), on=keys, how="left")
    return lanes


def score(folder: Path, way: str) -> pl.LazyFrame:
    """Keys and values of every lane, by the engine's rules or by hand."""
    if way == "hand":
        return rule_set.by_hand(joined(folder), KEYS)
    ruleset = load_ruleset(rule_set.texts())
    scored: pl.LazyFrame = with_factor(ruleset, rule_set.FACTOR, joined(folder), on=rule_set.ON)
    return scored.select(*KEYS, *(f"value_{end}" for end in rule_set.ENDS), "rule_id")


def agree(folder: Path) -> str:
    """Say how far the two results are apart; stop where it is more than rounding."""
    both = pl.scan_parquet(folder / "hand.parquet").join(
        pl.scan_parquet(folder / "ours.parquet"), on="row", suffix="_ours"
    )
    far = [(pl.col(f"value_{e}") - pl.col(f"value_{e}_ours")).abs().max().alias(e) for e in rule_set.ENDS]
    nulls = [pl.col(f"value_{e}_ours").null_count().alias(f"{e}_null") for e in rule_set.ENDS]
    others = pl.col("rule_id").ne_missing(pl.col("rule_id_ours")).sum().alias("others")
    found = both.select(pl.len(), others, *far, *nulls).collect(engine="streaming").row(0, named=True)
    apart = max(found[end] for end in rule_set.ENDS)
    if apart > 1e-9 or found["others"] or any(found[f"{end}_null"] for end in rule_set.ENDS):
        sys.exit(f"the results differ: {found}")
    return f"{found['len']:,} rows agree to {apart:.0e}, and on the rule that decided"


def line(name: str, found: Measured, rows: int) -> str:
    """One line of the table."""
    return (
        f"{name:<28}{found.seconds:>8.2f} s{found.cpu_seconds:>9.2f} s cpu{found.peak_mib:>8.0f} MiB"
        f"{rows / found.seconds:>14,.0f} rows/s"
    )


def main() -> None:
    """Run the benchmark, or one contestant of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeat", type=int, default=3, help="the quickest of several runs counts")
    parser.add_argument(
        "--peers", action="store_true", help=f"also {', '.join(PEERS)}, fetched from the package index"
    )
    parser.add_argument("--one", nargs=2, metavar=("WAY", "FOLDER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        way, folder = given.one[0], Path(given.one[1])
        pl.Config.set_streaming_chunk_size(MORSEL)
        start = time.perf_counter()
        score(folder, way).sink_parquet(folder / f"{way}.parquet", maintain_order=False)
        print(json.dumps({"seconds": time.perf_counter() - start}))
        return
    with tempfile.TemporaryDirectory(prefix="curbline-bench-") as name:
        folder = Path(name)
        write_rows(folder, given.rows)
        best: dict[str, Measured] = {}
        for _ in range(given.repeat):  # in turns, so that a busy moment of the machine meets both
            for way in WAYS:
                found = measure((sys.executable, "-m", "bench.rules", "--one", way, name), ROOT)
                if way not in best or found.seconds < best[way].seconds:
                    best[way] = found
        print(
            f"{given.rows:,} rows, three joins, {len(rule_set.CONDITIONS) + len(rule_set.SHAPES)} rules, written as Parquet"
        )
        for way, title in (("hand", "polars by hand"), ("ours", "the engine")):
            print(line(title, best[way], given.rows))
        ratio, peak = best["ours"].seconds / best["hand"].seconds, best["ours"].peak_mib
        cpu = best["ours"].cpu_seconds / best["hand"].cpu_seconds
        print(
            f"{ratio:.2f} times the time (cpu {cpu:.2f}), goal {GOAL_RATIO}{'' if ratio <= GOAL_RATIO else '  MISSED'}; "
            f"peak {peak:.0f} MiB, goal {GOAL_MIB:.0f}{'' if peak <= GOAL_MIB else '  MISSED'}"
        )
        print(agree(folder))
        if given.peers:
            run_peers(joined(folder).head(2_000).collect())


if __name__ == "__main__":
    main()
