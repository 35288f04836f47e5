"""What moved between two nights, as a person reads it and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
from rich.console import Group, RenderableType
from rich.text import Text

from ground.counted import counted
from jobs.diff.compared import TOTAL
from jobs.diff.reasons import told
from jobs.diff.split import CAUSES, MOVED, RANGES, ROW
from jobs.explain.text import amount
from jobs.tables import as_table

#: Reasons told of one cause; the others are counted.
SHOWN_REASONS = 12
SHOWN_AT_NIGHT = 4
WORDS = {
    "code": "another code",
    "rules": "rules",
    "facts": "facts",
    "law": "law (rows that arrived)",
    "calendar": "calendar (only the day)",
}


@dataclass(frozen=True)
class Shown:
    """What of the moves is told: at which horizon, in which regime, and how many of the largest."""

    horizon_days: int
    regime: str
    top: int


def as_dict(
    before: dict[str, Any], after: dict[str, Any], moves: pl.DataFrame, reasons: pl.DataFrame, shown: Shown
) -> dict[str, Any]:
    """Collect what is told of the moves.

    Args:
        before: run_id, as_of, known_at and curbing_country of the earlier night; run_id is empty for a replayed one.
        after: the same of the later night.
        moves: rows of `mart.score_change`.
        reasons: rows of `mart.score_change_reason`.
        shown: what of them is told.
    """
    own = moves.filter(horizon_days=shown.horizon_days, regime=shown.regime)
    per_row = own.unique(ROW, maintain_order=True)
    return {
        "before": before,
        "after": after,
        "horizon_days": shown.horizon_days,
        "regime": shown.regime,
        "moved": {
            "routes": per_row.filter(pl.col("exporter") != TOTAL).height,
            "importer_totals": per_row.filter(pl.col("exporter") == TOTAL).height,
            "into_another_band": per_row.filter(
                pl.col("band_before").ne_missing(pl.col("band_after"))
            ).height,
        },
        "causes": [_cause(own, reasons, cause) for cause in CAUSES if (own["cause"] == cause).any()],
        "totals": _largest(own.filter(exporter=TOTAL), shown.top),
        "routes": _largest(own.filter(pl.col("exporter") != TOTAL), shown.top),
    }


def _cause(own: pl.DataFrame, reasons: pl.DataFrame, cause: str) -> dict[str, Any]:
    rows = own.filter(cause=cause)
    routes = rows.filter(pl.col("exporter") != TOTAL)
    return {
        "cause": cause,
        "routes": routes.height,
        "importer_totals": rows.height - routes.height,
        "up": routes.filter(pl.col("points") > 0).height,
        "down": routes.filter(pl.col("points") < 0).height,
        "minerals": sorted(set(rows["mineral"])),
        # Routes alone: totals would count the same tonnes again.
        "missing_t_change_by_mineral": dict(
            routes.group_by("mineral").agg(_known_sum("missing_t_change")).sort("mineral").iter_rows()
        ),
        "missing_usd_change": routes.select(_known_sum("missing_usd_change")).item(),
        "reasons": told(reasons, cause, sorted(set(rows["mineral"]))),
    }


def _known_sum(name: str) -> pl.Expr:
    """Return the sum over the rows that have the figure; null where there are rows and none has it."""
    return pl.when(pl.col(name).is_not_null().any() | (pl.len() == 0)).then(pl.col(name).sum()).alias(name)


def _whole_sum(name: str) -> pl.Expr:
    """Return the sum over the causes of one move; null where one of them is unknown, since then the move is."""
    return pl.when(pl.col(name).is_not_null().all()).then(pl.col(name).sum()).alias(name)


def _largest(own: pl.DataFrame, top: int) -> list[dict[str, Any]]:
    """Return the rows that moved most in money, each with its points by cause."""
    summed = own.group_by(ROW, maintain_order=True).agg(
        *(
            pl.col(name).first()
            for name in ("score_before", "score_after", "band_before", "band_after", *RANGES)
        ),
        *(_whole_sum(name) for name in ("missing_share_change", "missing_t_change", "missing_usd_change")),
        pl.struct("cause", "points").alias("by"),
    )
    ordered = summed.sort(
        pl.col("missing_usd_change").abs(), *ROW, descending=[True, *(False for _ in ROW)], nulls_last=True
    )
    return [
        {**row, "by": {one["cause"]: one["points"] for one in row["by"]}}
        for row in ordered.head(top).iter_rows(named=True)
    ]


def as_text(found: dict[str, Any]) -> Group:
    """Lay out what `as_dict` collected."""
    before, after = found["before"], found["after"]
    moved = found["moved"]
    what = f"{counted(moved['routes'], 'route')} and {counted(moved['importer_totals'], 'importer total')}"
    head = Text(f"{_night(before)} to {_night(after)}, curbs of {after['curbing_country']}", style="bold")
    if not found["causes"]:
        place = f"{found['horizon_days']} days, {found['regime'].replace('_', ' ')}"
        return Group(head, Text(f"{place}: no score moved by {MOVED:g} points or more or into another band."))
    parts: list[RenderableType] = [
        head,
        Text(
            f"{found['horizon_days']} days, {found['regime'].replace('_', ' ')}: {what} moved by {MOVED:g} points or more "
            f"or into another band; {moved['into_another_band']:,} into another band."
        ),
    ]
    for cause in found["causes"]:
        parts += [Text(), *_told(cause)]
    for title, rows in (("Importer totals", found["totals"]), ("Routes", found["routes"])):
        if rows:
            parts += [Text(), Text(f"{title} that moved most, by money", style="bold"), _table(rows)]
    return Group(*parts)


def since_text(found: dict[str, Any]) -> list[RenderableType]:
    """Lay out what changed since the night before, short enough to read every morning."""
    moved, before = found["moved"], found["before"]
    what = f"{counted(moved['routes'], 'route')} and {counted(moved['importer_totals'], 'importer total')}"
    lines: list[RenderableType] = [Text(f"Since {before['as_of']} (run {before['run_id']})", style="bold")]
    if not found["causes"]:
        return [*lines, Text("  no score moved"), Text()]
    lines.append(Text(f"  {what} moved, {moved['into_another_band']:,} into another band"))
    for cause in found["causes"]:
        first, *rest = _told(cause, SHOWN_AT_NIGHT)
        lines += [Text(f"  {first.plain}"), *(Text(f"  {line.plain}") for line in rest)]
    if found["totals"]:
        lines.append(_table(found["totals"]))
    return [*lines, Text()]


def _night(night: dict[str, Any]) -> str:
    known = "" if night["known_at"] == night["as_of"] else f", as known on {night['known_at']}"
    name = f"run {night['run_id']}" if night["run_id"] else "replayed"
    return f"{night['as_of']} ({name}{known})"


def _told(cause: dict[str, Any], most: int = SHOWN_REASONS) -> list[Text]:
    usd = cause["missing_usd_change"]
    head = (
        f"{WORDS[cause['cause']]}: {counted(cause['routes'], 'route')} ({cause['up']:,} up, {cause['down']:,} down), "
        f"{signed(usd)} USD expected to be missing"
    )
    shown = cause["reasons"][:most]
    more = len(cause["reasons"]) - len(shown)
    lines = [f"  {reason}" for reason in shown] + (
        [f"  and {more} more (`curbline diff --json` lists them)"] if more else []
    )
    return [Text(head[:1].upper() + head[1:], style="bold"), *(Text(line) for line in lines)]


def signed(value: float | None) -> str:
    """Return a change with its sign, as short as an amount."""
    if value is None:
        return "?"
    size = amount(abs(value))
    return size if size == "0" else f"{'-' if value < 0 else '+'}{size}"


def _table(rows: list[dict[str, Any]]) -> RenderableType:
    causes = [cause for cause in CAUSES if any(cause in row["by"] for row in rows)]
    ranged = any(row[name] is not None for row in rows for name in RANGES)
    laid = [
        (
            f"{row['mineral']} / {row['stage']}",
            row["importer"] if row["exporter"] == TOTAL else f"{row['exporter']} → {row['importer']}",
            f"{_points(row['score_before'])} → {_points(row['score_after'])}",
            row["band_after"] or "unknown"
            if row["band_before"] == row["band_after"]
            else f"{row['band_before'] or 'unknown'} → {row['band_after'] or 'unknown'}",
            *(_change(row["by"], cause) for cause in causes),
            signed(row["missing_t_change"]),
            signed(row["missing_usd_change"]),
            *((_range(row),) if ranged else ()),
        )
        for row in rows
    ]  # fmt: skip
    names = ("mineral / stage", "route", "score", "band", *causes, "missing, t", "missing, USD")
    names += ("USD, eight chances in ten",) if ranged else ()
    return as_table(names, laid)


def _range(row: dict[str, Any]) -> str:
    low, high = (row[f"missing_usd_change_{end}"] for end in ("p10", "p90"))
    return "?" if low is None else f"{signed(low)} … {signed(high)}"


def _points(value: float | None) -> str:
    return "?" if value is None else f"{value:.1f}"


def _change(by: dict[str, float | None], cause: str) -> str:
    if cause not in by:
        return ""
    points = by[cause]
    return "?" if points is None else f"{points:+.2f}"
