"""Checks before publishing: row counts, keys, ranges, and points that add up. One failure publishes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import polars as pl
import polars.selectors as cs

from jobs.errors import CheckError
from jobs.marts import HORIZONS, KEYS, REGIMES, STEPS, range_columns
from jobs.ports import Reader
from jobs.settings import ALL_COUNTRIES

POINTS_TOLERANCE = 1e-9
SHOWN = 3

Marts = Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class CheckResult:
    """One check of one table; `failures` counts the rows (or columns) that break it."""

    check_id: str
    table_name: str
    passed: bool
    failures: int
    detail: str


def check_marts(marts: Marts, curbing_country: str) -> list[CheckResult]:
    """Run every check over the tables of a run.

    Args:
        marts: Mart tables by name, with the columns of the mart contract.
        curbing_country: An ISO 3166 alpha-3 code, or `all`, where only `withheld_share` is full.

    Returns:
        One result per check and table, passed or not, in a fixed order.
    """
    results: list[CheckResult] = []
    for name in sorted(marts):
        frame = marts[name]
        results.extend(_key_checks(name, frame))
        results.append(_finite(name, frame))
    results.extend(_presence(marts, curbing_country))
    for name in ("route_score", "importer_score"):
        if name in marts:
            results.extend(_score_checks(name, marts[name]))
    for wide, scores in (
        ("contribution_wide", "route_score"),
        ("importer_contribution_wide", "importer_score"),
    ):
        if wide in marts and scores in marts:
            results.extend(
                _sum_checks(wide, marts[wide], scores, marts[scores], marts.get("contribution_term"))
            )
    return results


def require_passed(results: Sequence[CheckResult]) -> None:
    """Raise unless every check passed.

    Raises:
        CheckError: Lists each failed check with its table, the number of rows and the first of them.
    """
    failed = [result for result in results if not result.passed]
    if failed:
        lines = [f"{item.table_name}: {item.check_id}: {item.detail}" for item in failed]
        raise CheckError(
            f"{len(failed)} of {len(results)} checks failed; nothing was published and the last published file stays.\n"
            + "\n".join(lines)
        )


def check_frame(results: Sequence[CheckResult]) -> pl.DataFrame:
    """Return the results as the rows of `meta.check`."""
    rows = [(f"{item.table_name}: {item.check_id}", item.passed, item.detail or None) for item in results]
    return pl.DataFrame(
        rows, schema={"check_name": pl.String, "passed": pl.Boolean, "detail": pl.String}, orient="row"
    )


def verify_built(reader: Reader, marts: Marts, path: Path) -> None:
    """Compare the built file with the tables that it was built from: row counts, and the sum of all scores.

    Raises:
        CheckError: The file holds other rows than were computed.
    """
    for name, frame in sorted(marts.items()):
        stored = reader.query(f'SELECT count(*)::BIGINT AS n FROM mart."{name}"').item()
        if stored != frame.height:
            raise CheckError(
                f"{path.name}: mart.{name} holds {stored} rows where {frame.height} were computed; nothing was published."
            )
    for name in ("route_score", "importer_score"):
        if name not in marts:
            continue
        stored_sum = reader.query(f"SELECT coalesce(sum(active), 0)::DOUBLE AS total FROM mart.{name}").item()
        computed = float(marts[name]["active"].sum() or 0.0)
        if abs(stored_sum - computed) > 1e-6 * max(1.0, abs(computed)):
            raise CheckError(
                f"{path.name}: the active scores of mart.{name} sum to {stored_sum}, computed were {computed}; nothing was published."
            )


def _result(check_id: str, table: str, broken: pl.DataFrame, sentence: str) -> CheckResult:
    """Make a result of the rows that break a check, naming the first few."""
    if broken.height == 0:
        return CheckResult(check_id, table, passed=True, failures=0, detail="")
    keys = [name for name in KEYS.get(table, ()) if name in broken.columns] or broken.columns[:4]
    rows = broken.sort(keys).head(SHOWN).select(keys).rows()
    shown = "; ".join(" ".join("?" if value is None else str(value) for value in row) for row in rows)
    return CheckResult(
        check_id,
        table,
        passed=False,
        failures=broken.height,
        detail=f"{sentence} in {broken.height} rows, first: {shown}",
    )


def _key_checks(name: str, frame: pl.DataFrame) -> Iterator[CheckResult]:
    keys = KEYS.get(name)
    if keys is None:
        return
    if name == "contribution_term" and "mineral" not in frame.columns:
        keys = ("term",)  # one list of terms for all minerals
    missing = [key for key in keys if key not in frame.columns]
    if missing:
        yield CheckResult(
            "key_columns",
            name,
            passed=False,
            failures=len(missing),
            detail=f"key columns missing: {', '.join(missing)}",
        )
        return
    unknown = frame.filter(pl.any_horizontal(pl.col(key).is_null() for key in keys))
    yield _result("key_known", name, unknown, "a key is empty")
    yield _result("key_unique", name, frame.filter(pl.struct(keys).is_duplicated()), "the key repeats")


def _finite(name: str, frame: pl.DataFrame) -> CheckResult:
    floats = frame.select(cs.float())
    counts = floats.select((~pl.all().is_finite()).sum()) if floats.width else floats
    bad = [column for column in counts.columns if counts[column].item()]
    detail = f"not a finite number in: {', '.join(bad)}" if bad else ""
    return CheckResult("finite", name, passed=not bad, failures=len(bad), detail=detail)


def _presence(marts: Marts, curbing_country: str) -> Iterator[CheckResult]:
    full = (
        ("withheld_share",)
        if curbing_country == ALL_COUNTRIES
        else ("route_score", "importer_score", "reconciliation", "measure_coverage")
    )
    for name in full:
        empty = name not in marts or marts[name].height == 0
        yield CheckResult(
            "has_rows",
            name,
            passed=not empty,
            failures=int(empty),
            detail="the table has no rows" if empty else "",
        )
    scores = marts.get("route_score")
    if scores is not None and scores.height:
        per_route = scores.group_by("mineral", "stage", "exporter", "importer").agg(
            pl.col("horizon_days").n_unique().alias("n")
        )
        yield _result(
            "all_horizons",
            "route_score",
            per_route.filter(pl.col("n") != len(HORIZONS)),
            "a horizon is missing",
        )


def _score_checks(name: str, frame: pl.DataFrame) -> Iterator[CheckResult]:
    for regime in REGIMES:
        for measure, top in ((regime, 100.0), (f"{regime}_missing_share", 1.0)):
            columns = range_columns(measure)
            outside = pl.any_horizontal(
                (pl.col(c) < -POINTS_TOLERANCE) | (pl.col(c) > top + POINTS_TOLERANCE) for c in columns
            )
            yield _result(
                f"{measure}_within_0_{top:g}", name, frame.filter(outside), f"{measure} outside 0..{top:g}"
            )
            falling = pl.any_horizontal(
                pl.col(lower) > pl.col(upper) + POINTS_TOLERANCE for lower, upper in pairwise(columns)
            )
            yield _result(
                f"{measure}_ordered", name, frame.filter(falling), f"the ends of {measure} are out of order"
            )
    for end_active, end_snapback in zip(range_columns("active"), range_columns("snapback"), strict=True):
        above = frame.filter(pl.col(end_active) > pl.col(end_snapback) + POINTS_TOLERANCE)
        yield _result(f"{end_active}_below_{end_snapback}", name, above, "active is above snapback")
    silent = frame.filter(pl.col("active").is_null() & pl.col("unknown_reason").is_null())
    yield _result("unknown_has_reason", name, silent, "no score and no reason")


def _sum_checks(
    wide_name: str, wide: pl.DataFrame, score_name: str, scores: pl.DataFrame, terms: pl.DataFrame | None
) -> Iterator[CheckResult]:
    """Points sum to the score, and the terms of a step sum to the step."""
    keys = [key for key in KEYS[wide_name] if key != "regime"]
    published = scores.unpivot(on=list(REGIMES), index=keys, variable_name="regime", value_name="score")
    total = wide.select(*keys, "regime", pl.sum_horizontal(STEPS).alias("points"))
    strays = total.join(published, on=[*keys, "regime"], how="anti")
    yield _result("points_have_score", wide_name, strays, f"points without a row in {score_name}")
    joined = total.join(published.drop_nulls("score"), on=[*keys, "regime"])
    apart = joined.filter((pl.col("points") - pl.col("score")).abs() > POINTS_TOLERANCE)
    yield _result("points_sum_to_score", wide_name, apart, f"steps do not sum to the score of {score_name}")
    if terms is None:
        return
    # A term's column may mean another thing for another mineral, so each list is summed over its own rows.
    lists = terms.partition_by("mineral", as_dict=True) if "mineral" in terms.columns else {(None,): terms}
    for step in STEPS:
        parts: list[pl.DataFrame] = []
        for (mineral,), own in lists.items():
            here = own.filter(pl.col("step").str.to_lowercase() == step)["term"]
            members = [term for term in here if term in wide.columns]
            rows = wide if mineral is None else wide.filter(pl.col("mineral") == mineral)
            if members:
                off = (pl.sum_horizontal(members) - pl.col(step)).abs() > POINTS_TOLERANCE
                parts.append(rows.filter(off).select(*keys, "regime"))
        if parts:
            yield _result(
                f"terms_sum_to_{step}", wide_name, pl.concat(parts), f"terms do not sum to step {step}"
            )
