"""Scenarios as a person reads them, and the same as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
from rich.console import Group, RenderableType
from rich.text import Text

from engine.scoring.portfolio_doubt import EVERY
from ground.counted import counted
from jobs.explain.text import amount, points, share
from jobs.marts import LISTED, SMALL
from jobs.scenario.tables import BUYERS, LANES, tables
from jobs.scenario.world import Outcome
from jobs.tables import as_table

EVERYBODY = "everybody"
LISTED_MINERALS = 12


def as_text(outcomes: Sequence[Outcome], importers: Sequence[str], top: int) -> Group:
    """Lay out the scenarios one after another, and side by side where there are several.

    Args:
        outcomes: in the order in which they were asked for.
        importers: buyers that are told of; everybody is always.
        top: lanes and pairs of importer and mineral shown of each.
    """
    found = tables(outcomes)
    parts: list[RenderableType] = []
    for one in outcomes:
        parts += _one(one, {name: _own(frame, one) for name, frame in found.items()}, importers, top)
    if len(outcomes) > 1:
        parts += _side_by_side(outcomes, found[BUYERS], importers)
    return Group(*parts[:-1])


def _own(frame: pl.DataFrame, one: Outcome) -> pl.DataFrame:
    return frame.filter(pl.col("scenario") == one.file.scenario.scenario)


def _one(
    one: Outcome, found: dict[str, pl.DataFrame], importers: Sequence[str], top: int
) -> list[RenderableType]:
    question, asked = one.question, one.asked
    known = "" if question.known_at == question.as_of else f", as known on {question.known_at}"
    parts: list[RenderableType] = [
        Text(f"{one.file.scenario.title} ({one.file.scenario.scenario})", style="bold"),
        Text(f"As of {question.as_of}{known}, curbs of {question.curbing_country}, {asked.horizon_days} days, {asked.regime.replace('_', ' ')}."),
        *(Text(f"  {sentence}") for sentence in one.sentences),
    ]  # fmt: skip
    if not one.minerals:
        return [*parts, Text("No mineral that is traded is reached; nothing moves."), Text()]
    shown = ", ".join(one.minerals[:LISTED_MINERALS])
    more = f" and {len(one.minerals) - LISTED_MINERALS} more" if len(one.minerals) > LISTED_MINERALS else ""
    parts += [Text(f"Reaches {counted(len(one.minerals), 'mineral')}: {shown}{more}."), Text()]
    lanes, buyers = found[LANES], found[BUYERS]
    if lanes.is_empty():
        return [*parts, Text("No lane moves."), Text()]
    parts += _money(buyers, importers)
    parts += _minerals(buyers, importers, top)
    parts += _lanes(lanes, top)
    return parts


def _named(frame: pl.DataFrame, importers: Sequence[str]) -> pl.DataFrame:
    return frame.filter(pl.col("importer").is_in([*importers, EVERY]))


def _who(importer: str) -> str:
    return EVERYBODY if importer == EVERY else importer


def _change(row: dict[str, Any], unit: str) -> tuple[str, str]:
    return signed(
        row[f"change_missing_{unit}"]
    ), f"{signed(row[f'change_p10_{unit}'])} … {signed(row[f'change_p90_{unit}'])}"


def signed(value: float | None) -> str:
    """Return an amount with its sign; 0 where nothing that could be printed changes."""
    if value is None:
        return "?"
    written = f"{value:+,.0f}" if abs(value) >= 100 else f"{value:+.3g}"
    return "0" if float(written.replace(",", "")) == 0 or abs(value) < 1e-3 else written


def _money(buyers: pl.DataFrame, importers: Sequence[str]) -> list[RenderableType]:
    rows = [
        (_who(row["importer"]), amount(row["traded_usd"]), amount(row["base_missing_usd"]), amount(row["missing_usd"]), *_change(row, "usd"))
        for row in _named(buyers, importers).filter(mineral=EVERY).sort(pl.col("change_missing_usd").abs(), "importer", descending=[True, False]).iter_rows(named=True)
    ]  # fmt: skip
    columns = ("importer", "imports, USD", "missing now, USD", "then", "change", "eight chances in ten")
    return [Text("Expected to be missing, by importer", style="bold"), as_table(columns, rows), Text()]


def _minerals(buyers: pl.DataFrame, importers: Sequence[str], top: int) -> list[RenderableType]:
    own = _named(buyers, importers).filter(pl.col("importer") != EVERY, pl.col("stage") != EVERY)
    own = own.filter(pl.col("change_missing_t").abs() > 0).sort(
        pl.col("change_missing_usd").abs(),
        "importer",
        "mineral",
        "stage",
        descending=[True, False, False, False],
    )
    rows = [
        (row["importer"], f"{row['mineral']} / {row['stage']}", amount(row["base_missing_t"]), amount(row["missing_t"]), signed(row["change_missing_t"]), *_change(row, "usd"))
        for row in own.head(top).iter_rows(named=True)
    ]  # fmt: skip
    if not rows:
        return []
    columns = (
        "importer",
        "mineral / stage",
        "missing now, t",
        "then",
        "change, t",
        "change, USD",
        "eight chances in ten",
    )
    return [Text("Most moved, by importer and mineral", style="bold"), as_table(columns, rows), Text()]


def _lanes(lanes: pl.DataFrame, top: int) -> list[RenderableType]:
    told = lanes.filter(pl.col("listing").is_in([LISTED, SMALL]))
    rows = [
        (
            f"{row['mineral']} / {row['stage']}", f"{row['exporter']} → {row['importer']}",
            f"{points(row['base_score'])} → {points(row['score'])}",
            row["band"] if row["band"] == row["base_band"] else f"{row['base_band']} → {row['band']}",
            f"{share(row['base_expected_missing_share'])} → {share(row['expected_missing_share'])}",
            signed(row["change_missing_t"]), signed(row["change_missing_usd"]),
        )
        for row in told.head(top).iter_rows(named=True)
    ]  # fmt: skip
    listed = lanes.filter(listing=LISTED)
    bands = listed.filter(pl.col("band") != pl.col("base_band")).height
    large = f"{listed.height:,} move that are large enough to be listed, {bands:,} of them into another band"
    head = f"Lanes most moved; {large if listed.height else 'none is large enough to be listed'}"
    columns = ("mineral / stage", "lane", "score", "band", "missing", "change, t", "change, USD")
    return [Text(head, style="bold"), as_table(columns, rows), Text()]


def _side_by_side(
    outcomes: Sequence[Outcome], buyers: pl.DataFrame, importers: Sequence[str]
) -> list[RenderableType]:
    names = [one.file.scenario.scenario for one in outcomes]
    money = _named(buyers, importers).filter(mineral=EVERY)
    rows = []
    for name in names:
        own = {
            row["importer"]: row["change_missing_usd"]
            for row in money.filter(scenario=name).iter_rows(named=True)
        }
        rows.append((name, *(signed(own.get(importer, 0.0)) for importer in (*importers, EVERY))))
    columns = ("change of what is expected to be missing, USD", *importers, EVERYBODY)
    return [Text("Side by side", style="bold"), as_table(columns, rows), Text()]


def as_data(
    outcomes: Sequence[Outcome], importers: Sequence[str], top: int, facts_hash: str
) -> dict[str, Any]:
    """Return the same as data."""
    found = tables(outcomes)
    about = ["scenario", "as_of", "known_at", "curbing_country", "horizon_days", "regime"]
    return {
        "facts_hash": facts_hash,
        "scenarios": [
            {
                "scenario": one.file.scenario.scenario,
                "title": one.file.scenario.title,
                "why": one.file.scenario.why.strip() or None,
                "as_of": one.question.as_of,
                "known_at": one.question.known_at,
                "curbing_country": one.question.curbing_country,
                "horizon_days": one.asked.horizon_days,
                "regime": one.asked.regime,
                "supposed": list(one.sentences),
                "minerals": list(one.minerals),
                "lanes_moved": _own(found[LANES], one).height,
                "importers": _named(_own(found[BUYERS], one), importers).drop(about).to_dicts(),
                "lanes": _own(found[LANES], one).head(top).drop(about).to_dicts(),
            }
            for one in outcomes
        ],
    }
