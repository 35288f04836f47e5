"""Do polars and DuckDB give equal results for the same rules? `python -m bench.parity`, a million rows by default.

Random feature rows with nulls, infinities, and numbers on and beside every edge go through every factor of every rule
set: eager polars, streaming polars and DuckDB, and for a part of the rows the plain-Python oracle.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import date
from functools import cache
from typing import Any

import duckdb
import polars as pl

from engine.language import oracle
from engine.language.evaluation import evaluate, with_factor
from engine.language.rules import RuleSet
from jobs.resources import default_rules_dir
from jobs.rules.rulebook import load_rulebook
from tests.engine.rows import random_rows

ON = date(2026, 11, 23)
ENDS = ("value_low", "value_best", "value_high")
Apart = tuple[int, int, float]


@cache
def rule_sets() -> dict[str, RuleSet]:
    """The rule sets that come along, by folder."""
    folder = default_rules_dir()
    places = {"rules": folder, "rules/methods/geopolrisk": folder / "methods" / "geopolrisk"}
    return {name: load_rulebook(place).ruleset for name, place in places.items()}


def apart(want: pl.DataFrame, got: pl.DataFrame) -> Apart:
    """Ends where only one is null, rows where another rule decided, and the largest difference."""
    nulls, far = 0, 0.0
    for end in ENDS:
        nulls += int((want[end].is_null() != got[end].is_null()).sum())
        far = max(far, float((want[end] - got[end]).abs().max() or 0.0))  # type: ignore[arg-type]
    return nulls, int((want["rule_id"].ne_missing(got["rule_id"])).sum()), far


def main() -> None:
    """Compare; exit 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--asked", type=int, default=10_000, help="rows that the oracle is asked")
    given = parser.parse_args()
    wrong = False
    print(f"{given.rows:,} rows; polars {pl.__version__}, duckdb {duckdb.__version__}\n")
    print(f"{'factor':<40}{'known':>12}{'streaming':>22}{'duckdb':>22}{'oracle':>22}{'s':>7}")
    for name, ruleset in rule_sets().items():
        frame = random_rows(ruleset, given.rows, seed=20261123).with_row_index("row")
        for factor in ruleset.scorecard.factors.values():
            if factor.by:
                continue
            start = time.perf_counter()
            want = evaluate(ruleset, factor.name, frame, on=ON)
            columns = ["row", *want.columns]
            lazy = with_factor(ruleset, factor.name, frame.lazy(), on=ON).select(columns)
            relation = with_factor(ruleset, factor.name, duckdb.from_arrow(frame.to_arrow()), on=ON)
            found: list[Apart] = [
                apart(want, lazy.collect(engine="streaming").sort("row")),
                apart(want, relation.select(*columns).pl().sort("row")),
                _asked(ruleset, factor.name, frame.head(given.asked), want.head(given.asked)),
            ]
            wrong |= any(nulls or others or far > 1e-12 for nulls, others, far in found)
            shown = "".join(f"{n:>6} {r:>6} {far:>8.1e}" for n, r, far in found)
            taken = time.perf_counter() - start
            print(f"{name + ': ' + factor.name:<40}{want['value_best'].count():>12,}{shown}{taken:>7.1f}")
    print("\nper backend: ends of which one is null, rows decided by another rule, largest difference")
    sys.exit(int(wrong))


def _asked(ruleset: RuleSet, factor: str, frame: pl.DataFrame, got: pl.DataFrame) -> Apart:
    answers: list[Any] = [oracle.evaluate(ruleset, factor, row, ON) for row in frame.iter_rows(named=True)]
    want = pl.DataFrame(answers, schema=dict.fromkeys(ENDS, pl.Float64), orient="row")
    return apart(want.with_columns(rule_id=got["rule_id"]), got)


if __name__ == "__main__":
    main()
