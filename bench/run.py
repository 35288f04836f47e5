"""`make bench`: what a night costs, what a question costs, and how far the scoring is from a script by hand.

Prints the phases and the peak memory of `curbline run` on the embedded facts, the time of `explain` and `sql` from the
shell, and the time of the same arithmetic in plain numpy and polars (bench/limit.py). Goals stand beside the
figures; a goal that is missed is marked, and the benchmark still ends with 0, since machines differ.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.measure import Measured, measure

ROOT = Path(__file__).resolve().parents[1]
CURBLINE = (sys.executable, "-m", "jobs.cli")
AS_OF = "2026-11-23"
RUN_SECONDS, RUN_MIB, QUESTION_SECONDS, LIMIT_RATIO = 25.0, 1500.0, 1.0, 1.5
EXPLAIN = ("explain", "gallium", "refined", "CHN", "USA")
SQL = (
    "sql",
    "SELECT mineral, count(*) AS routes, max(active) AS worst FROM mart.route_score GROUP BY 1 ORDER BY 1",
)


def best_of(count: int, command: tuple[str, ...], folder: Path) -> Measured:
    """Return the quickest of several runs: what the code costs, without what else the machine did."""
    return min((measure(command, folder) for _ in range(count)), key=lambda found: found.seconds)


def line(name: str, found: Measured, goal: float | None = None) -> str:
    """Return one line of the report."""
    text = f"{name:<34}{found.seconds:>8.2f} s{found.cpu_seconds:>9.2f} s cpu{found.peak_mib:>9.0f} MiB"
    return text if goal is None else f"{text}   goal {goal:g} s{'' if found.seconds <= goal else '  MISSED'}"


def report_run(found: Measured) -> None:
    """Print a run's phases."""
    summary: dict[str, Any] = json.loads(found.output)
    routes, facts = summary["routes"]["total"], summary["facts"]["rows"]
    print(
        f"{routes:,} routes at {summary['routes']['horizon_days']} days from {facts:,} rows of facts, as of {summary['as_of']}\n"
    )
    print(line("curbline run", found, RUN_SECONDS))
    print(
        f"{'':34}peak memory {found.peak_mib:,.0f} MiB, goal {RUN_MIB:,.0f}{'' if found.peak_mib <= RUN_MIB else '  MISSED'}"
    )
    for phase in summary["phases"]:
        print(
            f"    {phase['phase']:<30}{phase['seconds']:>8.2f} s{phase['seconds'] / found.seconds:>9.0%}"
            f"{phase['peak_memory_mb']:>12,} MB by its end"
        )
    accounted = sum(phase["seconds"] for phase in summary["phases"])
    print(f"    {'start-up, summary, the rest':<30}{found.seconds - accounted:>8.2f} s\n")


def report_limit() -> None:
    """Print how the draws of the engine compare with the same by hand, both timed in one process."""
    found = json.loads(measure((sys.executable, "-m", "bench.limit"), ROOT).output)
    ratio = float(found["ratio"])
    print(
        f"{found['draws']} draws {found['engine_s']:.2f} s, by hand {found['hand_s']:.2f} s: {ratio:.2f} times, "
        f"goal {LIMIT_RATIO}{'' if ratio <= LIMIT_RATIO else '  MISSED'}"
    )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--as-of", default=AS_OF, help="the day to score")
    parser.add_argument(
        "--repeat", type=int, default=3, help="how often each command is run; the quickest counts"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="curbline-bench-") as name:
        out = Path(name)
        common = ("--out", str(out))
        night = best_of(given.repeat, (*CURBLINE, "run", "--as-of", given.as_of, "--json", *common), ROOT)
        report_run(night)
        for title, question in (("curbline explain", EXPLAIN), ("curbline sql", SQL)):
            print(line(title, best_of(given.repeat, (*CURBLINE, *question, *common), ROOT), QUESTION_SECONDS))
        report_limit()


if __name__ == "__main__":
    main()
