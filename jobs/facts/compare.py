"""What a new edition of a public data set revised, and whether it may be taken without a look."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import polars as pl

from jobs.errors import InputError
from warehouse.bundle.editions import SAME_SHARE, SERIES, Comparison, compare_editions
from warehouse.bundle.files import read_folder
from warehouse.bundle.rows import typed
from warehouse.errors import BundleError


def edition_tables(folder: Path, source: str = "") -> dict[str, pl.DataFrame]:
    """Return the rows of a bundle by table, of the sources whose name starts with `source`.

    Raises:
        BundleError: The bundle cannot be read.
    """
    _, raw_tables, problems = read_folder(folder)
    if problems:
        raise BundleError(problems)
    wanted = {*SERIES, "sources"}
    tables = {raw.table: typed(raw)[0] for raw in raw_tables if raw.table in wanted}
    return {name: frame.filter(pl.col("source_id").str.starts_with(source)) for name, frame in tables.items()}


def compare_tables(
    earlier: Mapping[str, pl.DataFrame], later: Mapping[str, pl.DataFrame]
) -> list[Comparison]:
    """Compare every table that both hold and that editions revise."""
    found = [
        compare_editions(name, earlier[name], later[name])
        for name in SERIES
        if name in earlier and name in later
    ]
    return [comparison for comparison in found if comparison is not None]


def earlier_edition(folder: Path, family: str, source_id: str, published: date) -> dict[str, pl.DataFrame]:
    """Return the newest edition of a public data set that a bundle holds, other than `source_id` and not after it.

    Args:
        folder: bundle to look in.
        family: how the sources of every edition start.
        source_id: source of the edition at hand.
        published: day of the edition at hand.
    """
    tables = edition_tables(folder, f"{family}-")
    sources = tables.get("sources")
    if sources is None:
        return {}
    editions = sources.filter((pl.col("published") <= published) & (pl.col("source_id") != source_id))
    # A data set may come in several parts of one day, such as one per revision of the nomenclature.
    newest = editions.filter(pl.col("published") == pl.col("published").max())["source_id"].to_list()
    return {name: frame.filter(pl.col("source_id").is_in(newest)) for name, frame in tables.items()}


def require_no_drift(comparisons: list[Comparison], file: str) -> None:
    """Refuse an edition that lost a tenth of its rows or in which a world total moved by half.

    Raises:
        InputError: It did; every reason is listed.
    """
    said = [reason for comparison in comparisons for reason in comparison.drift]
    if said:
        shown = said[:20] + ([f"and {len(said) - 20} more"] if len(said) > 20 else [])
        raise InputError(
            "\n".join(f"{file}: {reason}." for reason in shown)
            + f"\n{file}: refused; nothing was written. Check these figures; if they are correct, import "
            "again with --accept-drift and a reason, which is kept in the bundle."
        )


def as_text(comparisons: list[Comparison], top: int) -> list[str]:
    """Return a paragraph per table: counts, the largest revisions, and the world totals that moved most."""
    lines: list[str] = []
    for found in comparisons:
        lines.append(
            f"{found.table}: {found.earlier:,} figures before, {found.later:,} now; {found.lost.height:,} lost, "
            f"{found.new.height:,} new, {found.revised.height:,} revised."
        )
        for title, frame in (("revised", found.revised), ("world totals", _moved(found.totals))):
            if frame.height:
                lines.append(f"  {title}, largest change first:")
                lines += [f"    {_row(found.table, row)}" for row in frame.head(top).iter_rows(named=True)]
        lines += [f"  out of bounds: {reason}." for reason in found.drift]
    return lines


def as_data(comparisons: list[Comparison], top: int) -> dict[str, object]:
    """Return the same as data."""
    return {
        found.table: {
            "earlier": found.earlier,
            "later": found.later,
            "lost": found.lost.height,
            "new": found.new.height,
            "revised": found.revised.height,
            "largest_revisions": found.revised.head(top).to_dicts(),
            "world_totals": _moved(found.totals).head(top).to_dicts(),
            "out_of_bounds": found.drift,
        }
        for found in comparisons
    }


def _moved(totals: pl.DataFrame) -> pl.DataFrame:
    return totals.filter((pl.col("ratio") - 1).abs() > SAME_SHARE)


def _row(table: str, row: Mapping[str, object]) -> str:
    names = " ".join(str(row[name]) for name in SERIES[table].key if name in row)
    ratio = row["ratio"]
    factor = f" (× {ratio:.2f})" if isinstance(ratio, float) and row["earlier"] else ""
    return f"{names}: {_figure(row['earlier'])} to {_figure(row['later'])}{factor}"


def _figure(value: object) -> str:
    return f"{value:,.6g}" if isinstance(value, int | float) else "unknown"
