"""Purchases at size, in seconds of the processor: 10,000 lines as a workbook, 200,000 as tables, a million summed.

    python -m bench.purchases OUT

OUT is the folder of a run with purchases, such as curbline-demo after `make demo`. Its lines are taken again and again
with other stocks and spends, on the draws of the file. Nothing in OUT is changed.
"""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from jobs.export.csv import write_csv
from jobs.output.layout import Layout
from jobs.purchases.book import load_risk_book
from jobs.purchases.risk import Book
from jobs.purchases.workbook import write_risk_book
from jobs.resources import default_facts_dir, default_rules_dir
from jobs.rules.rulebook import CURBS, load_rulebook
from jobs.settings import AudienceSettings
from warehouse.database import Database

BOOK, TABLES, SUMS = 10_000, 200_000, 1_000_000


def main() -> int:
    snapshot = Layout(Path(sys.argv[1])).resolve_published().path
    with Database.open(snapshot, read_only=True) as reader:
        lines = reader.query("SELECT * FROM mart.purchase WHERE exporter IS NOT NULL")
        draws = reader.query("SELECT * FROM mart.purchase_draw")
    ruleset = load_rulebook(default_rules_dir(), method=CURBS, facts=[default_facts_dir()]).ruleset
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workbook(snapshot, many(lines, BOOK), draws, ruleset, folder)
        tables(many(lines, TABLES), draws, ruleset, folder)
    sums(many(lines, SUMS), draws)
    return 0


def many(lines: pl.DataFrame, count: int) -> pl.DataFrame:
    rng = np.random.default_rng(1)
    some = lines[np.arange(count) % lines.height]
    return some.with_columns(
        line_id=pl.format("L{}", pl.int_range(pl.len())),
        part=pl.format("P{}", pl.int_range(pl.len()) // 3),
        stock_days=pl.Series(rng.integers(0, 120, count).astype(float)),
        spend_usd=pl.Series(rng.lognormal(9, 1.5, count)),
    )


def workbook(snapshot: Path, lines: pl.DataFrame, draws: pl.DataFrame, ruleset: object, folder: Path) -> None:
    copy = folder / snapshot.name
    shutil.copyfile(snapshot, copy)
    start = time.process_time()
    risk, totals = Book.from_marts(lines, draws).frames(ruleset)  # type: ignore[arg-type]
    scored = time.process_time()
    with duckdb.connect(str(copy)) as database:
        about = lines.head(1).select("run_id", "as_of", "known_at", "curbing_country").row(0, named=True)
        for table, frame in (("purchase", lines), ("purchase_risk", risk), ("purchase_total", totals)):
            known = frame.with_columns(pl.lit(value).alias(name) for name, value in about.items())
            database.register("incoming", known.to_arrow())
            database.execute(
                f"DELETE FROM mart.{table}; INSERT INTO mart.{table} BY NAME SELECT * FROM incoming"
            )
    stored = time.process_time()
    with Database.open(copy, read_only=True) as reader:
        book = load_risk_book(reader, AudienceSettings())
    read = time.process_time()
    write_risk_book(book, folder / book.file_name)
    done = time.process_time()
    size = (folder / book.file_name).stat().st_size / 1e6
    print(
        f"{lines.height:,} lines: scored {scored - start:.1f} s, read {read - stored:.1f} s, workbook {done - read:.1f} s ({size:.1f} MB)"
    )
    copy.unlink()


def tables(lines: pl.DataFrame, draws: pl.DataFrame, ruleset: object, folder: Path) -> None:
    start = time.process_time()
    risk, _ = Book.from_marts(lines, draws).frames(ruleset)  # type: ignore[arg-type]
    scored = time.process_time()
    for name, frame in (("purchase", lines), ("purchase_risk", risk)):
        write_csv([frame], folder / f"{name}.csv")
        frame.write_parquet(folder / f"{name}.parquet")
    print(
        f"{lines.height:,} lines: scored {scored - start:.1f} s, CSV and Parquet {time.process_time() - scored:.1f} s"
    )


def sums(lines: pl.DataFrame, draws: pl.DataFrame) -> None:
    start = time.process_time()
    totals = Book.from_marts(lines.drop("part").with_columns(part=pl.lit("one")), draws).totals()
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{lines.height:,} lines summed over all draws in three regimes: {seconds:.1f} s, peak {peak:,.0f} MB, {totals.height:,} sums"
    )


if __name__ == "__main__":
    sys.exit(main())
