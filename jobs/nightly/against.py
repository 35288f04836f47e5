"""Checks of a night against the last one: what moves more than the settings allow waits for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from ground.counted import counted
from ground.words import MAIN_HORIZON
from jobs.diff.compared import KEYS
from jobs.diff.night import PublishedNight
from jobs.errors import CheckError
from jobs.marts import MAIN_REGIME
from jobs.nightly.checks import CheckResult
from jobs.nightly.since import Since
from jobs.operating import CheckSettings
from warehouse.database import Database

#: Tables whose length says whether facts were lost.
COUNTED = ("route_score", "importer_score", "reconciliation", "measure_coverage")
BAND = f"{MAIN_REGIME}_band"
ROUTES = (
    f'SELECT {", ".join(KEYS)}, "{BAND}", route_usd FROM mart.route_score WHERE horizon_days = {MAIN_HORIZON}'
)
#: So few rows say nothing about a share.
FEW = 10
SHOWN = 5
#: A night that is older is none to hold another against.
OLDEST_DAYS = 31


def against_last(
    routes: pl.DataFrame, rows: Mapping[str, int], last: Path, bounds: CheckSettings
) -> list[CheckResult]:
    """Hold a night against the last one.

    Args:
        routes: rows of `mart.route_score` of this night, with its keys, band of the main regime, and `route_usd`.
        rows: how many rows each table of this night has.
        last: the published file of the last night.
        bounds: what may move how far.

    Returns:
        One result per check; the details of failed ones give both figures and the first routes.
    """
    with Database.open(last, read_only=True) as reader:
        before = reader.query(ROUTES)
        counts = {
            name: reader.query(f"SELECT count(*)::BIGINT AS n FROM mart.{name}").item() for name in COUNTED
        }
    now = routes.filter(horizon_days=MAIN_HORIZON)
    return [
        *_lengths(counts, rows, bounds.row_change_share),
        _unknown(before, now, bounds.unknown_rise_share),
        _money(before, now, bounds.value_change_share),
        _bands(before, now, bounds.band_move_share),
    ]


def hold_against(
    last: PublishedNight | None, since: Since, rows: Mapping[str, int], bounds: CheckSettings
) -> list[CheckResult]:
    """Hold a night against the last one, where there is one of the last weeks; an older one is noted and passed over."""
    routes = since.routes
    if last is None or routes is None:
        return []
    age_days = (since.as_of - last.question.as_of).days
    if age_days > OLDEST_DAYS:
        since.notes.append(
            f"the last night is {age_days} days older, so that this one was not held against it."
        )
        return []
    return against_last(routes, rows, last.snapshot.path, bounds)


def _lengths(before: Mapping[str, int], now: Mapping[str, int], most: float) -> Iterator[CheckResult]:
    for name, was in before.items():
        rows = now.get(name, 0)
        off = abs(rows - was)
        failed = off > FEW and off > most * was
        detail = f"{counted(rows, 'row')} where the last night had {was:,}; at most {most:.0%} may come or go"
        yield _result("rows_like_last_night", name, failed, detail)


def _unknown(before: pl.DataFrame, now: pl.DataFrame, most: float) -> CheckResult:
    was, share = (_share(frame, pl.col(BAND).is_null()) for frame in (before, now))
    fresh = now.filter(pl.col(BAND).is_null()).join(before.drop_nulls(BAND), on=KEYS, how="semi")
    failed = share - was > most and fresh.height > FEW
    detail = f"{share:.1%} of the routes have no score, where it was {was:.1%}; {_first(fresh)}"
    return _result("unknown_like_last_night", "route_score", failed, detail)


def _money(before: pl.DataFrame, now: pl.DataFrame, most: float) -> CheckResult:
    was, usd = (float(frame["route_usd"].sum() or 0.0) for frame in (before, now))
    failed = was > 0 and abs(usd - was) > most * was and max(before.height, now.height) > FEW
    detail = f"the routes are worth {usd:,.0f} USD a year, where it was {was:,.0f}; at most {most:.0%} may come or go"
    return _result("value_like_last_night", "route_score", failed, detail)


def _bands(before: pl.DataFrame, now: pl.DataFrame, most: float) -> CheckResult:
    both = now.select(*KEYS, BAND).drop_nulls().join(
        before.select(*KEYS, pl.col(BAND).alias("was")).drop_nulls(), on=KEYS
    )  # fmt: skip
    moved = both.filter(pl.col(BAND) != pl.col("was"))
    failed = moved.height > FEW and moved.height > most * both.height
    share = moved.height / both.height if both.height else 0.0
    detail = f"{share:.1%} of the routes changed their band, where at most {most:.0%} may; {_first(moved)}"
    return _result("bands_like_last_night", "route_score", failed, detail)


def _share(frame: pl.DataFrame, condition: pl.Expr) -> float:
    return frame.filter(condition).height / frame.height if frame.height else 0.0


def _first(routes: pl.DataFrame) -> str:
    lines = [
        f"{row['mineral']} {row['stage']} {row['exporter']} {row['importer']}"
        + (f" {row['was']} → {row[BAND]}" if "was" in row else "")
        for row in routes.sort(KEYS).head(SHOWN).iter_rows(named=True)
    ]
    return f"first: {'; '.join(lines)}"


def _result(check: str, table: str, failed: bool, detail: str) -> CheckResult:  # noqa: FBT001
    return CheckResult(check, table, failures=int(failed), detail=detail if failed else "")


def require_like_last(results: list[CheckResult], last: str, *, accepted: bool) -> list[str]:
    """Return warnings for what a person accepted.

    Raises:
        CheckError: something moved further than the settings allow, and nobody accepted it.
    """
    failed = [f"{one.table_name}: {one.check_id}: {one.detail}" for one in results if not one.passed]
    if accepted or not failed:
        return [f"accepted: {line}" for line in failed]
    raise CheckError(
        f"this night is too unlike the last one ({last}); nothing was published and the last published file stays.\n"
        + "\n".join(failed)
        + "\nIf it is right all the same, run `curbline run --accept`; the bounds are those of [checks] in the settings."
    )
