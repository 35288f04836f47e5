"""Other rule engines on the 34 conditions of bench/rule_set.py: each in an environment of its own, thrown away after.

Each must give our results on the sample before it is timed. One that cannot be installed is skipped, and said so.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import polars as pl

from bench import rule_set
from engine.language.evaluation import evaluate, with_factor
from engine.language.rules import RuleSet
from engine.language.ruleset import load_ruleset

PEERS = ("rule-engine", "business-rules", "zen-engine")
WORKER = Path(__file__).with_name("peer_worker.py")
OURS_ROWS = 1_000_000


def run_peers(sample: pl.DataFrame) -> None:
    """Print rows per second of processor time, of ours and of each peer, on the same conditions."""
    texts = rule_set.texts()
    for number in range(len(rule_set.CONDITIONS), len(rule_set.CONDITIONS) + len(rule_set.SHAPES)):
        del texts[f"{rule_set.rule_id(number)}.yml"]
    ruleset = load_ruleset(texts)
    want = evaluate(ruleset, rule_set.FACTOR, sample, on=rule_set.ON)["value_best"].fill_null(0.0).to_list()
    many = pl.concat([sample] * (OURS_ROWS // sample.height))
    ours = min(_seconds(ruleset, many) for _ in range(3))
    print(
        f"\n{len(rule_set.CONDITIONS)} conditions, no joins, nothing written, per second of processor time; results agree on {sample.height:,} rows"
    )
    print(f"{'the engine':<28}{many.height / ours:>14,.0f} rows/s")
    names = sorted({feature for condition, _ in rule_set.CONDITIONS for feature in condition})
    task = {
        "rows": sample.select(names).to_dicts(),
        "conditions": [[condition, value[1]] for condition, value in rule_set.CONDITIONS],
        "want": want,
    }
    for peer in PEERS:
        with tempfile.TemporaryDirectory(prefix="curbline-peer-") as name:
            print(f"{peer:<28}{_one(peer, Path(name), task, many.height / ours)}")


def _seconds(ruleset: RuleSet, frame: pl.DataFrame) -> float:
    # Row by row as the others: `evaluate` would ask each combination once, and the sample repeats.
    start = time.process_time()
    with_factor(ruleset, rule_set.FACTOR, frame.lazy(), on=rule_set.ON).select("value_best").collect()
    return time.process_time() - start


def _one(peer: str, folder: Path, task: dict[str, object], ours: float) -> str:
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    install = (str(python), "-m", "pip", "install", "-q", "--only-binary", ":all:", peer)
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        done = subprocess.run((*install[:5], peer), capture_output=True, text=True, check=False)
    if done.returncode:
        return f"skipped: it cannot be installed ({(done.stderr.strip().splitlines() or ['no reason given'])[-1]})"
    (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
    command = (str(python), "-I", str(WORKER), peer, str(folder / "task.json"))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"skipped: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}"
    found = json.loads(done.stdout)
    return f"{found['rows_per_second']:>14,.0f} rows/s   version {found['version']}, {ours / found['rows_per_second']:,.0f} times slower"
