"""How long a year of monthly trade takes to import: twelve months of a million rows each, written and read here.

Prints seconds and the largest memory of the import alone. `python -m bench.months [ROWS_A_MONTH]`; run by hand.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from jobs.facts.importing import read_map
from tests.warehouse.sources.comtrade_rows import HEADER, record

_ROWS_A_MONTH = 1_000_000
_IMPORT = (
    "import resource, sys, time; from pathlib import Path; from jobs.facts.importing import import_file;"
    "begun = time.perf_counter(); done = import_file('comtrade-months', Path(sys.argv[1]), Path(sys.argv[2]), any_size=True);"
    "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2;"
    "usage = resource.getrusage(resource.RUSAGE_SELF); cpu = usage.ru_utime + usage.ru_stime;"
    "print(f'imported: {time.perf_counter() - begun:.1f} s ({cpu:.1f} s of processor), {peak:.2f} GiB, '"
    "f'{done.rows_in:,} rows for the map, {done.stored:,} stored')"
)


def written(path: Path, rows_a_month: int) -> int:
    """Write a table of twelve months, of which a twentieth of the rows is of wanted codes, and return its size in bytes."""
    drawn = np.random.default_rng(2025)
    tables = read_map()
    wanted = tables["hs_codes"].filter(hs_revision="22")["hs6"].unique().sort().to_list()
    countries = tables["countries"].drop_nulls("baci_code")["baci_code"].sort().to_list()
    plain = record("842", "M", "156", classificationCode="H6", freqCode="M")
    header = True
    for month in range(1, 13):
        # Every row of a month is a lane and code of its own.
        lanes = np.arange(rows_a_month, dtype=np.int64) * (
            len(countries) ** 2 * 5_000 // rows_a_month
        ) + drawn.integers(5_000)
        code = lanes % 5_000
        is_wanted = code < 250
        picked = [
            wanted[c % len(wanted)] if w else f"{10_000 + c * 17:06}"
            for c, w in zip(code, is_wanted, strict=True)
        ]
        pair = lanes // 5_000
        frame = pl.DataFrame({name: [plain[name]] for name in HEADER}).select(
            pl.all().repeat_by(rows_a_month).explode()
        )
        frame = frame.with_columns(
            pl.lit(f"2025{month:02}").alias("period"),
            pl.Series("reporterCode", [countries[p // len(countries)] for p in pair]),
            pl.Series("partnerCode", [countries[p % len(countries)] for p in pair]),
            pl.lit("").alias("reporterISO"), pl.lit("").alias("partnerISO"),
            pl.Series("cmdCode", picked),
            pl.Series("primaryValue", drawn.integers(1, 10**7, rows_a_month)).cast(pl.String),
        )  # fmt: skip
        with path.open("wb" if header else "ab") as sink:
            frame.write_csv(sink, include_header=header)
        header = False
    return path.stat().st_size


def main() -> None:
    """Write, import and print."""
    rows_a_month = int(sys.argv[1]) if len(sys.argv) > 1 else _ROWS_A_MONTH
    with tempfile.TemporaryDirectory(prefix="curbline-bench-") as folder:
        path = Path(folder) / "TradeData_11_24_2026_1_1_1.csv"
        begun = time.perf_counter()
        size = written(path, rows_a_month)
        print(
            f"written: 12 x {rows_a_month:,} rows, {size / 1e9:.2f} GB, {time.perf_counter() - begun:.0f} s"
        )
        subprocess.run([sys.executable, "-c", _IMPORT, str(path), str(Path(folder) / "out")], check=True)
    print(f"peak of the writer: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2:.2f} GiB")


if __name__ == "__main__":
    main()
