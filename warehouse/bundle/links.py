"""What must hold between rows: unique keys, names with their rows, sums within the whole, outcomes after their curb."""

from __future__ import annotations

import polars as pl

from warehouse.bundle.files import LINE, RejectedRow
from warehouse.bundle.rows import FILE
from warehouse.records.tables import TABLES, Reference, Table
from warehouse.suggest import did_you_mean

#: Shares of one whole may exceed it by rounding only.
_MOST = 1.02
_BROKEN = "__broken"


def linked(tables: dict[str, pl.DataFrame]) -> tuple[dict[str, pl.DataFrame], list[RejectedRow]]:
    """Drop rows that repeat a key, refer to nothing, add up to more than the whole, or precede their curb.

    Args:
        tables: typed frames with file and line, over all bundles.

    Returns:
        The frames that are left, without file and line, and the rejected rows.
    """
    kept: dict[str, pl.DataFrame] = {}
    rejected: list[RejectedRow] = []
    for name, table in TABLES.items():
        frame = tables[name]
        frame, twice = _unique(frame, table)
        rejected += twice
        for reference in table.references:
            # A row may name a row of its own table (none does today), so the frame at hand counts as kept.
            frame, orphans = _referring(frame, reference, {**kept, name: frame})
            rejected += orphans
        frame, above = _sums(frame, name)
        rejected += above
        if name == "outcomes":
            frame, early = _after_its_curb(frame, kept["measures"])
            rejected += early
        kept[name] = frame
    return {name: frame.drop(FILE, LINE) for name, frame in kept.items()}, rejected


def _reject(frame: pl.DataFrame, column: str, value: pl.Expr, reason: pl.Expr) -> list[RejectedRow]:
    rows = frame.select(
        FILE, LINE, value.cast(pl.String).fill_null("").alias("value"), reason.alias("reason")
    ).sort(FILE, LINE)
    return [RejectedRow(file, line, column, said, why) for file, line, said, why in rows.iter_rows()]


def _unique(frame: pl.DataFrame, table: Table) -> tuple[pl.DataFrame, list[RejectedRow]]:
    again = ~frame.select(pl.struct(table.key).is_first_distinct().alias("first")).get_column("first")
    if not again.any():
        return frame, []
    first = frame.unique(table.key, keep="first", maintain_order=True).select(
        *table.key, (pl.col(FILE) + ":" + pl.col(LINE).cast(pl.String)).alias("__first")
    )
    twice = frame.filter(again).join(first, on=list(table.key), how="left", nulls_equal=True)
    said = pl.concat_str([pl.col(k).cast(pl.String).fill_null("") for k in table.key], separator=" | ")
    keys = ", ".join(table.key)
    reason = pl.format("repeats the key ({}) of {}; remove one of them", pl.lit(keys), pl.col("__first"))
    return frame.filter(~again), _reject(twice, table.key[0], said, reason)


def _referring(
    frame: pl.DataFrame, reference: Reference, kept: dict[str, pl.DataFrame]
) -> tuple[pl.DataFrame, list[RejectedRow]]:
    column = reference.column
    names: set[str] = set(reference.allowed)
    for target, target_column in reference.targets:
        names |= set(kept[target].get_column(target_column).to_list())
    values = frame.get_column(column).drop_nulls().unique().to_list()
    unknown = {
        value: missing
        for value in values
        if (missing := [p for p in (value.split(";") if reference.is_list else [value]) if p not in names])
    }
    if not unknown:
        return frame, []
    places = " or ".join(dict.fromkeys(target for target, _ in reference.targets))
    reasons = {
        value: f"'{missing[0]}' is in no row of {places}{did_you_mean(missing[0], names)}; add it there or correct the name"
        for value, missing in unknown.items()
    }
    bad = pl.col(column).is_in(list(unknown)).fill_null(value=False)
    reason = pl.col(column).replace_strict(reasons, default="", return_dtype=pl.String)
    return frame.filter(~bad), _reject(frame.filter(bad), column, pl.col(column), reason)


def _sums(frame: pl.DataFrame, name: str) -> tuple[pl.DataFrame, list[RejectedRow]]:
    """Return the shares of one whole: element splits of a group, and what a trade code holds on a lane."""
    if name == "element_splits":
        whole = ["group_mineral", "country", "stage", "deposit_type", "year", "source_id"]
        total = pl.col("share_best").sum().over(whole)
        what = "the splits of this group, country, stage, deposit and source"
    elif name == "hs_codes":
        whole = [
            "hs6",
            "hs_revision",
            "exporter",
            "importer",
            "year_from",
            "year_to",
            "share_of",
            "known_from",
        ]
        # One good counted for several contents (a magnet's Nd and Dy) has one form and one share: count it once.
        once = pl.struct("form", "share_low", "share_best", "share_high").is_first_distinct().over(whole)
        total = pl.when(once).then(pl.col("share_best")).otherwise(0.0).sum().over(whole)
        what = "the shares of this code and lane"
    else:
        return frame, []
    summed = frame.with_columns(total.alias(_BROKEN))
    bad = summed.filter(pl.col(_BROKEN) > _MOST)
    reason = pl.format(
        "{} add up to {}, more than the whole; correct the shares", pl.lit(what), pl.col(_BROKEN).round(3)
    )
    return (
        summed.filter(pl.col(_BROKEN) <= _MOST).drop(_BROKEN),
        _reject(bad, "share_best", pl.col("share_best"), reason),
    )


def _after_its_curb(outcomes: pl.DataFrame, measures: pl.DataFrame) -> tuple[pl.DataFrame, list[RejectedRow]]:
    """Only what was seen after the announcement of a curb of the exporter's own can be its outcome."""
    curbs = measures.select("measure_id", "curbing_country", "date_announced")
    joined = outcomes.join(curbs, on="measure_id", how="left", maintain_order="left")
    early = pl.col("window_to") <= pl.col("date_announced")
    foreign = pl.col("exporter") != pl.col("curbing_country")
    before = pl.format(
        "the window ends before {} was announced on {}; an outcome comes after its curb",
        "measure_id",
        "date_announced",
    )
    whose = pl.format("{} is a measure of {}; name the country that curbs", "measure_id", "curbing_country")
    return joined.filter(~early & ~foreign).select(outcomes.columns), [
        *_reject(joined.filter(early), "window_to", pl.col("window_to"), before),
        *_reject(joined.filter(foreign & ~early), "exporter", pl.col("exporter"), whose),
    ]
