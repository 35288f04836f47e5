"""Checks before publishing: row counts, keys, ranges, and points that add up. One failure publishes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import polars as pl
import polars.selectors as cs

from engine.scoring.steps import STEPS
from ground.counted import counted
from ground.words import MAIN_HORIZON, REGIMES
from jobs.errors import CheckError
from jobs.marts import KEYS, MAIN_REGIME, ROUTE, VIEW_KEYS, range_columns
from jobs.ports import Reader
from jobs.settings import ALL_COUNTRIES

POINTS_TOLERANCE = 1e-9
SHOWN = 3
#: Tables of scores, each with the table of its points.
SCORES = {"route_score": "contribution_wide", "importer_score": "importer_contribution_wide"}
#: Tables that must hold rows, and those of a run for all curbing countries.
FULL = ("route_score", "importer_score", "reconciliation", "measure_coverage")
FULL_OF_ALL = ("withheld_share",)

Marts = Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class CheckResult:
    """One check of one table; `failures` counts the rows (or columns, or minerals) that break it."""

    check_id: str
    table_name: str
    failures: int
    detail: str

    @property
    def passed(self) -> bool:
        """Whether nothing breaks it."""
        return not self.failures


class MartChecks:
    """Every check over the tables of a run, which come a few minerals at a time.

    Args:
        curbing_country: An ISO 3166 alpha-3 code, or `all`, where only `withheld_share` is full.
        horizons: Those of the scorecard, in days; every route has a row for each.
    """

    def __init__(self, curbing_country: str, horizons: Sequence[int]) -> None:
        self._horizons = horizons
        self._full = FULL_OF_ALL if curbing_country == ALL_COUNTRIES else FULL
        self._found: dict[tuple[str, str], CheckResult] = {}
        self._rows: Counter[str] = Counter()
        self._scores = dict.fromkeys(SCORES, 0.0)
        self._minerals: dict[str, set[str]] = {}

    def add(self, marts: Marts) -> None:
        """Check one part, with the columns of the mart contract; a score and its points come in the same part."""
        for name, frame in marts.items():
            self._rows[name] += frame.height
            if name in SCORES:
                self._scores[name] += float(frame["active"].sum() or 0.0)
            for result in (*_key_checks(name, frame), _finite(name, frame), *self._apart(name, frame)):
                self._keep(result)
        for name, wide in SCORES.items():
            if name in marts:
                for result in _score_checks(name, marts[name], self._horizons):
                    self._keep(result)
            if name in marts and wide in marts:
                terms = marts.get("contribution_term")
                for result in _sum_checks(wide, marts[wide], name, marts[name], terms):
                    self._keep(result)

    @property
    def rows(self) -> Mapping[str, int]:
        """How many rows each table has so far."""
        return self._rows

    def results(self) -> list[CheckResult]:
        """Return one result per check and table, passed or not, in a fixed order."""
        return [self._found[place] for place in sorted(self._found)] + [
            CheckResult(
                "has_rows", name, failures=int(not rows), detail="" if rows else "the table has no rows"
            )
            for name, rows in ((name, self._rows[name]) for name in self._full)
        ]

    def verify_built(self, reader: Reader, path: Path) -> None:
        """Compare the built file with the tables that were checked, and check the keys of its views.

        Raises:
            CheckError: The file holds other rows or scores than were computed, or a key of a view repeats or is empty.
        """
        for name, rows in sorted(self._rows.items()):
            stored = reader.query(f'SELECT count(*)::BIGINT AS n FROM mart."{name}"').item()
            if stored != rows:
                raise CheckError(
                    f"{path.name}: mart.{name} holds {counted(stored, 'row')} where {rows:,} were computed; nothing was published."
                )
        for name, computed in self._scores.items():
            total = reader.query(f"SELECT coalesce(sum(active), 0)::DOUBLE AS total FROM mart.{name}").item()
            if abs(total - computed) > 1e-6 * max(1.0, abs(computed)):
                raise CheckError(
                    f"{path.name}: the active scores of mart.{name} sum to {total} instead of the {computed} computed; nothing was published."
                )

        for name, keys in VIEW_KEYS.items():
            faults = reader.query(view_faults(name, keys)).item()
            if faults:
                raise CheckError(
                    f"{path.name}: the key of mart.{name} ({', '.join(keys)}) repeats or is empty in {counted(faults, 'row')}; "
                    "nothing was published. A join in warehouse/published/views.sql matches too many rows."
                )

    def _keep(self, result: CheckResult) -> None:
        """Put the findings of several parts together."""
        place = (result.table_name, result.check_id)
        before = self._found.get(place)
        if before is not None:
            detail = "; ".join(filter(None, (before.detail, result.detail)))
            result = CheckResult(
                result.check_id, result.table_name, before.failures + result.failures, detail
            )
        self._found[place] = result

    def _apart(self, name: str, frame: pl.DataFrame) -> Iterator[CheckResult]:
        """Check that keys are unique over all parts: in each of them, with no mineral in two."""
        if "mineral" in KEYS[name]:
            seen = self._minerals.setdefault(name, set())
            own = set(frame["mineral"].drop_nulls().unique())
            twice = sorted(own & seen)
            seen |= own
            detail = f"given in two parts: {', '.join(twice)}" if twice else ""
            yield CheckResult("mineral_given_once", name, len(twice), detail)


def view_faults(name: str, keys: Sequence[str]) -> str:
    """Return SQL that counts the rows of a view beyond one per key, and those with an empty key.

    Long views are checked at one horizon and regime: a join that repeats rows there repeats them in all, and the rest
    would take longer than the scores did.
    """
    held = {"horizon_days": str(MAIN_HORIZON), "regime": f"'{MAIN_REGIME}'"}
    where = " AND ".join(f"{key} = {value}" for key, value in held.items() if key in keys) or "true"
    empty = " OR ".join(f"{key} IS NULL" for key in keys)
    return (
        f"SELECT coalesce(sum(CASE WHEN {empty} THEN n ELSE n - 1 END), 0)::BIGINT AS faults "
        f"FROM (SELECT {', '.join(keys)}, count(*) AS n FROM mart.{name} WHERE {where} GROUP BY ALL)"
    )


def require_passed(results: Sequence[CheckResult]) -> None:
    """Raise unless every check passed.

    Raises:
        CheckError: Lists each failed check with its table, the number of rows and the first of them.
    """
    failed = [result for result in results if not result.passed]
    if failed:
        lines = [f"{item.table_name}: {item.check_id}: {item.detail}" for item in failed]
        raise CheckError(
            f"{len(failed)} of {counted(len(results), 'check')} failed; nothing was published and the last published file stays.\n"
            + "\n".join(lines)
        )


def check_frame(results: Sequence[CheckResult]) -> pl.DataFrame:
    """Return the results as the rows of `meta.check`."""
    rows = [(f"{item.table_name}: {item.check_id}", item.passed, item.detail or None) for item in results]
    return pl.DataFrame(
        rows, schema={"check_name": pl.String, "passed": pl.Boolean, "detail": pl.String}, orient="row"
    )


def _result(check_id: str, table: str, broken: pl.DataFrame, sentence: str) -> CheckResult:
    """Make a result of the rows that break a check, naming the first few."""
    if broken.height == 0:
        return CheckResult(check_id, table, failures=0, detail="")
    keys = list(KEYS[table])
    rows = broken.sort(keys).head(SHOWN).select(keys).rows()
    shown = "; ".join(" ".join("?" if value is None else str(value) for value in row) for row in rows)
    return CheckResult(
        check_id,
        table,
        failures=broken.height,
        detail=f"{sentence} in {counted(broken.height, 'row')}, first: {shown}",
    )


def _key_checks(name: str, frame: pl.DataFrame) -> Iterator[CheckResult]:
    keys = KEYS[name]
    missing = [key for key in keys if key not in frame.columns]
    if missing:
        yield CheckResult(
            "key_columns",
            name,
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
    return CheckResult("finite", name, failures=len(bad), detail=detail)


def _score_checks(name: str, frame: pl.DataFrame, horizons: Sequence[int]) -> Iterator[CheckResult]:
    for regime in REGIMES:
        share = f"{regime}_missing_share"
        drawn = [f"{share}_low", f"{regime}_expected_missing_share", f"{share}_high"]
        best = [f"{share}_low", f"{share}_best", f"{share}_high"]
        for measure, top, columns in (
            (regime, 100.0, range_columns(regime)),
            (f"{regime}_expected_missing_share", 1.0, drawn),
            (f"{regime}_missing_share_best", 1.0, best),
        ):
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
    if name == "route_score":
        short = frame.filter(pl.col("horizon_days").n_unique().over(ROUTE) != len(horizons))
        yield _result("all_horizons", name, short, "another horizon of the route is missing")
    silent = frame.filter(pl.col("active").is_null() & pl.col("unknown_reason").is_null())
    yield _result("unknown_has_reason", name, silent, "no score and no reason")
    contrary = frame.filter(pl.col("active").is_not_null() & pl.col("unknown_reason").is_not_null())
    yield _result("known_has_no_reason", name, contrary, "a score, and a reason why there is none")


def _sum_checks(
    wide_name: str, wide: pl.DataFrame, score_name: str, scores: pl.DataFrame, terms: pl.DataFrame | None
) -> Iterator[CheckResult]:
    """Check that points sum to the score, and the terms of a step to the step."""
    keys = [key for key in KEYS[wide_name] if key != "regime"]
    published = scores.unpivot(on=list(REGIMES), index=keys, variable_name="regime", value_name="score")
    total = wide.select(*keys, "regime", pl.sum_horizontal(step.column for step in STEPS).alias("points"))
    joined = total.join(
        published.with_columns(pl.lit(value=True).alias("has_row")), on=[*keys, "regime"], how="left"
    )
    strays = joined.filter(pl.col("has_row").is_null())
    yield _result("points_have_score", wide_name, strays, f"points without a row in {score_name}")
    apart = joined.filter((pl.col("points") - pl.col("score")).abs() > POINTS_TOLERANCE)
    yield _result("points_sum_to_score", wide_name, apart, f"steps do not sum to the score of {score_name}")
    if terms is None:
        return
    # A term's column may mean another thing for another mineral, so each list is summed over its own rows.
    off: dict[str, list[pl.DataFrame]] = {step.column: [] for step in STEPS}
    for (mineral,), own in terms.partition_by("mineral", as_dict=True).items():
        rows = wide.filter(pl.col("mineral") == mineral)
        members = {
            step.column: [term for term in own.filter(step=step.name)["term"] if term in wide.columns]
            for step in STEPS
        }
        wrong = rows.select(
            ((pl.sum_horizontal(found) - pl.col(step)).abs() > POINTS_TOLERANCE).alias(step)
            for step, found in members.items()
            if found
        )
        for step in wrong.columns:
            off[step].append(rows.select(*keys, "regime").filter(wrong[step]))
    for step, parts in off.items():
        if parts:
            yield _result(
                f"terms_sum_to_{step}", wide_name, pl.concat(parts), f"terms do not sum to step {step}"
            )
