"""`curbline plan`: the steps that reduce a company's losses most for its money, from costs that it enters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from engine.purchases.losses import yearly
from engine.purchases.plan import (
    Bought,
    PlanError,
    Steps,
    best_plan,
    in_order,
    losses,
    percent_effects,
    tail_mean,
)
from ground.words import MAIN_HORIZON
from jobs.errors import InputError, SettingsError
from jobs.ports import Reader
from jobs.purchases.risk import gap_of
from jobs.purchases.routes import POOL, Unit, require_purchases
from jobs.suggest import did_you_mean

STOCK, SECOND, SUBSTITUTION = "stock_day", "second_source", "substitution"
UNITS = {STOCK: "days of stock", SECOND: "% from", SUBSTITUTION: "% substituted"}
COLUMNS = ("line_id", "step", "cost_usd", "cost_spend_share", "most", "exporter")
EVERY_LINE = "*"
#: Lines that a plan looks at: those that make most of the mean and the tail. More would not be solved in seconds.
MOST_LINES = 150
SHOWN = 10


@dataclass(frozen=True)
class Problem:
    """Lines and steps, as the solver takes them.

    Attributes:
        lines: of mart.purchase, in order.   gap: (l, D).   covered, spend_usd: (l,).
        steps: what could be done.   rows: of the costs, one a step.
        rest: how many lines at risk are left out, and what they lose on average (USD).
    """

    lines: pl.DataFrame
    gap: np.ndarray[Any, np.dtype[np.float64]]
    covered: np.ndarray[Any, np.dtype[np.float64]]
    spend_usd: np.ndarray[Any, np.dtype[np.float64]]
    steps: Steps
    rows: list[dict[str, Any]]
    rest: tuple[int, float]


def read_costs(path: Path) -> pl.DataFrame:
    """Return the rows of a file of costs.

    Raises:
        InputError: it cannot be read, or a row of it cannot be used.
    """
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as problem:
        raise InputError(f"{path}: no table of costs can be read ({str(problem)[:120]}).") from problem
    lacking = [name for name in ("line_id", "step", "most") if name not in frame.columns]
    if lacking or not {"cost_usd", "cost_spend_share"} & set(frame.columns):
        raise InputError(f"{path}: lacks columns; it needs {', '.join(COLUMNS)}.")
    frame = frame.with_columns(
        pl.lit(None, pl.String).alias(name) for name in COLUMNS if name not in frame.columns
    )
    for number, row in enumerate(frame.iter_rows(named=True), start=2):
        if row["step"] not in UNITS:
            raise InputError(f"{path}:{number}: step '{row['step']}'{did_you_mean(row['step'] or '', UNITS)}")
        figures = [row[name] for name in ("cost_usd", "cost_spend_share", "most")]
        given = [one for one in figures[:2] if one]
        try:
            fits = len(given) == 1 and all(float(one) > 0 for one in (*given, figures[2] or "0"))
        except ValueError:
            fits = False
        if not fits or (row["step"] != STOCK and float(figures[2]) > 100):
            raise InputError(
                f"{path}:{number}: give one of cost_usd or cost_spend_share for a unit (a day, or a percent of the line), and most, "
                "above 0; most is at most 100 percent."
            )
        if (row["step"] == SECOND) != bool(row["exporter"]):
            raise InputError(
                f"{path}:{number}: a second source needs its exporter, and no other step has one."
            )
    return frame.select(
        "line_id", "step", pl.col("cost_usd", "cost_spend_share", "most").cast(pl.Float64), "exporter"
    )


def pose(reader: Reader, costs: pl.DataFrame, regime: str) -> Problem:
    """Return the problem of a published file.

    Args:
        reader: of the file.
        costs: from `read_costs`.
        regime: whose losses are reduced.

    Raises:
        InputError: the file holds no purchases at risk, or the costs name what is not there.
    """
    require_purchases(reader)
    lines = reader.query(
        "SELECT p.*, r.expected_missing_usd, r.tail_usd FROM mart.purchase AS p JOIN mart.purchase_risk AS r USING (line_id) "
        "WHERE r.regime = $regime AND r.tail_usd > 0 ORDER BY r.expected_missing_usd + r.tail_usd DESC, p.line_id",
        {"regime": regime},
    )
    if lines.is_empty():
        raise InputError(
            f"no line of purchases has spend at risk in the regime {regime}, so there is nothing to plan."
        )
    rest = lines.slice(MOST_LINES)
    lines = lines.head(MOST_LINES)
    draws = reader.query(
        "SELECT * FROM mart.purchase_draw WHERE regime = $regime ORDER BY draw", {"regime": regime}
    )
    gaps = {
        (regime, Unit(*map(str, key))): own["gap_share"].to_numpy()
        for key, own in draws.partition_by(*Unit._fields, as_dict=True).items()
    }
    gap = np.stack([gap_of(line, regime, gaps) for line in lines.iter_rows(named=True)])
    spend = lines["spend_usd"].to_numpy() * yearly(MAIN_HORIZON)
    covered = lines["stock_days"].fill_null(0.0).to_numpy() / MAIN_HORIZON
    steps, rows = _steps(lines, gap, {unit: own for (_, unit), own in gaps.items()}, costs, reader)
    return Problem(
        lines, gap, covered, spend, steps, rows, (rest.height, float(rest["expected_missing_usd"].sum()))
    )


def _steps(
    lines: pl.DataFrame, short: Any, gaps: Mapping[Unit, Any], costs: pl.DataFrame, reader: Reader
) -> tuple[Steps, list[dict[str, Any]]]:
    place = {line_id: at for at, line_id in enumerate(lines["line_id"])}
    known = set(reader.query("SELECT line_id FROM mart.purchase")["line_id"])
    rows: list[dict[str, Any]] = []
    effects = []
    own = {(row["line_id"], row["step"]) for row in costs.iter_rows(named=True)}
    for cost in costs.iter_rows(named=True):
        named = cost["line_id"]
        if named != EVERY_LINE and named not in known:
            raise InputError(
                f"the costs name line '{named}', which is not among the purchases{did_you_mean(named, known)}"
            )
        which = [
            at for line_id, at in place.items()
            if line_id == named or (named == EVERY_LINE and (line_id, cost["step"]) not in own)
        ]  # fmt: skip
        for at in which:
            line = lines.row(at, named=True)
            gap = short[at]
            if cost["step"] == STOCK:
                effect = np.full(len(gap), 1.0 / MAIN_HORIZON)
            elif cost["step"] == SUBSTITUTION:
                effect = percent_effects(gap, None)
            else:
                effect = percent_effects(gap, _second(line, cost["exporter"], gaps))
            price = (
                cost["cost_usd"]
                if cost["cost_usd"] is not None
                else cost["cost_spend_share"] * line["spend_usd"]
            )
            effects.append(effect)
            rows.append({**cost, "line_id": line["line_id"], "line": at, "price_usd": price})
    if not rows:
        raise InputError(
            "none of the costs is of a line at risk; name lines that the workbook shows, or * for all."
        )
    return Steps(
        np.array([row["line"] for row in rows], dtype=np.intp), np.stack(effects),
        np.array([row["price_usd"] for row in rows]), np.array([row["most"] for row in rows]),
    ), rows  # fmt: skip


def _second(line: Mapping[str, Any], exporter: str, gaps: Mapping[Unit, Any]) -> Any:
    if line["route_parts"]:
        raise InputError(
            f"line {line['line_id']} has a bill of materials; a second source of one of its minerals alone saves nothing."
        )
    unit = Unit(line["mineral"], line["stage"], exporter, line["destination"] or "")
    if unit not in gaps:
        there = sorted(
            one.exporter
            for one in gaps
            if one[:2] == unit[:2] and one.importer == unit.importer and one.exporter != POOL
        )
        raise InputError(
            f"line {line['line_id']}: no draws are kept of {unit.stage} {unit.mineral} from {exporter} to {unit.importer or 'no site'}; "
            f"kept: {', '.join(there) or 'none'}"
        )
    return gaps[unit]


def solve(problem: Problem, budget_usd: float, tail_weight: float) -> dict[str, Any]:
    """Return the plan as data: what is lost without and with it, and its steps in order.

    Raises:
        SettingsError: the budget or the weight is out of bounds, or the solver found no plan.
    """
    if not budget_usd > 0 or not 0.0 <= tail_weight <= 1.0:
        raise SettingsError("--budget is a sum above 0, and --tail-weight a share between 0 and 1.")
    try:
        plan = best_plan(
            problem.gap, problem.covered, problem.spend_usd, problem.steps, budget_usd, tail_weight
        )
    except PlanError as wrong:
        raise SettingsError(f"no plan was found: {wrong}") from wrong
    nothing = np.zeros_like(plan.units)
    before = losses(problem.gap, problem.covered, problem.spend_usd, problem.steps, nothing)
    bought = in_order(problem.gap, problem.covered, problem.spend_usd, problem.steps, plan)
    return {
        "budget_usd": budget_usd,
        "spent_usd": float(plan.units @ problem.steps.cost_usd),
        "lines": problem.lines.height,
        "lines_left_out": problem.rest[0],
        "expected_missing_usd": float(before.mean()),
        "tail_usd": tail_mean(before),
        "planned_missing_usd": float(plan.loss_usd.mean()),
        "planned_tail_usd": tail_mean(plan.loss_usd),
        "steps": [_told(one, problem) for one in bought],
    }


def _told(one: Bought, problem: Problem) -> dict[str, Any]:
    row = problem.rows[one.step]
    line = problem.lines.row(row["line"], named=True)
    words = UNITS[row["step"]] + (f" {row['exporter']}" if row["exporter"] else "")
    return {
        "line_id": row["line_id"], "part": line["part"], "mineral": line["mineral"], "step": row["step"],
        "exporter": row["exporter"], "units": one.units, "what": f"{one.units:,.0f} {words}", "cost_usd": one.cost_usd,
        "saves_mean_usd": one.mean_usd, "saves_tail_usd": one.tail_usd,
    }  # fmt: skip
