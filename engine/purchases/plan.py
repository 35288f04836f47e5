"""Which steps reduce a company's losses most within a budget: a linear programme over the draws, tail included.

A step is a day of stock, a percent moved to a second source, or a percent substituted; each has a price and a most. In
draw d, line l loses spend · max(0, gap − Σ effects − (stock + days) / horizon). This is convex in the steps, so with
one variable for each line and draw it is linear. What is minimised is a mix of the mean and of the conditional value
at risk, the mean of the worst draws.

Source: Rockafellar and Uryasev (2000), "Optimization of conditional value-at-risk"; solved by HiGHS through SciPy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, sparse

from engine.purchases.losses import TAIL, worst_draws
from engine.scoring.attribution import Index
from engine.scoring.ranges import Array


class PlanError(ValueError):
    """The solver found no plan; the message says what it said."""


@dataclass(frozen=True)
class Steps:
    """What could be done.

    Attributes:
        line: (k,) place of the line that each step helps.
        effect: (k, D) share of the line's goods that one unit of the step saves in each draw; negative where a second
            source is worse in that draw.
        cost_usd: (k,) of one unit.   most: (k,) units.
    """

    line: Index
    effect: Array
    cost_usd: Array
    most: Array


@dataclass(frozen=True)
class Plan:
    """What to do: (k,) units of each step, and what is lost then, (D,) USD."""

    units: Array
    loss_usd: Array


def losses(gap: Array, covered: Array, spend_usd: Array, steps: Steps, units: Array) -> Array:
    """Return (D,) USD lost by all lines with steps in place.

    Args:
        gap: (l, D) share missing before stocks.
        covered: (l,) share of the horizon that the own stock lasts.
        spend_usd: (l,) over the horizon.
        steps: what could be done.
        units: (k,) how much of each is.
    """
    saved = np.zeros_like(gap)
    np.add.at(saved, steps.line, steps.effect * units[:, None])
    short = np.maximum(0.0, gap - saved - covered[:, None])
    return np.asarray(spend_usd @ short)


def best_plan(
    gap: Array, covered: Array, spend_usd: Array, steps: Steps, budget_usd: float, tail_weight: float
) -> Plan:
    """Return the steps that reduce the mix of mean and tail most.

    Args:
        gap: as of `losses`.
        covered: likewise.
        spend_usd: likewise.
        steps: what could be done.
        budget_usd: what they may cost together.
        tail_weight: part of the tail in the mix, 0..1.

    Raises:
        PlanError: the solver found none.
    """
    lines, draws = gap.shape
    k, size = len(steps.line), lines * draws
    # Variables: units (k), share short of each line and draw, threshold of the tail, excess over it in each draw.
    threshold = k + size
    scale = max(float(spend_usd.sum()), 1.0)
    money = np.repeat(spend_usd / scale, draws)
    mean = money / draws
    cost = np.zeros(threshold + 1 + draws)
    cost[k : k + size] = (1.0 - tail_weight) * mean
    cost[threshold] = tail_weight
    cost[threshold + 1 :] = tail_weight / (TAIL * draws)
    rows = np.arange(size)
    effect = sparse.csr_array(
        (
            steps.effect.ravel(),
            ((steps.line[:, None] * draws + np.arange(draws)).ravel(), np.repeat(np.arange(k), draws)),
        ),
        shape=(size, k),
    )
    short = sparse.hstack(
        [-effect, -sparse.eye_array(size), sparse.csr_array((size, 1 + draws))], format="csr"
    )
    by_draw = sparse.csr_array((money, (rows % draws, rows)), shape=(draws, size))
    tail = sparse.hstack(
        [
            sparse.csr_array((draws, k)),
            by_draw,
            sparse.csr_array(-np.ones((draws, 1))),
            -sparse.eye_array(draws),
        ],
        format="csr",
    )
    budget = sparse.csr_array(np.concatenate([steps.cost_usd, np.zeros(size + 1 + draws)])[None])
    bound = np.concatenate([(covered[:, None] - gap).ravel(), np.zeros(draws), [budget_usd]])
    ends = (
        [(0.0, float(most)) for most in steps.most]
        + [(0.0, None)] * size
        + [(None, None)]
        + [(0.0, None)] * draws
    )
    found = optimize.linprog(
        cost, A_ub=sparse.vstack([short, tail, budget], format="csr"), b_ub=bound, bounds=ends, method="highs"
    )
    if not found.success:
        message = f"the solver says: {found.message}"
        raise PlanError(message)
    units = np.asarray(found.x[:k])
    units[units < 1e-6] = 0.0
    return Plan(units, losses(gap, covered, spend_usd, steps, units))


@dataclass(frozen=True)
class Bought:
    """A step of a plan: what it costs, and what it saves on top of those before it, USD."""

    step: int
    units: float
    cost_usd: float
    mean_usd: float
    tail_usd: float


def in_order(gap: Array, covered: Array, spend_usd: Array, steps: Steps, plan: Plan) -> list[Bought]:
    """Return the steps of a plan, each time the one that saves most for its cost on top of those before."""
    left = [int(step) for step in np.flatnonzero(plan.units)]
    done = np.zeros_like(plan.units)
    before = losses(gap, covered, spend_usd, steps, done)
    found = []
    while left:
        tried = [_with(done, step, plan.units[step]) for step in left]
        after = [losses(gap, covered, spend_usd, steps, one) for one in tried]
        prices = np.array([max(plan.units[step] * steps.cost_usd[step], 1e-9) for step in left])
        saved = np.array([_worth(before) - _worth(one) for one in after])
        best = int(np.argmax(saved / prices))
        step = left.pop(best)
        found.append(
            Bought(
                step, float(plan.units[step]), float(plan.units[step] * steps.cost_usd[step]),
                float(before.mean() - after[best].mean()), float(tail_mean(before) - tail_mean(after[best])),
            )
        )  # fmt: skip
        done, before = tried[best], after[best]
    return found


def tail_mean(loss: Array) -> float:
    """Return the mean of the worst tenth of the draws."""
    return float(loss[worst_draws(loss)].mean())


def _with(units: Array, step: int, amount: float) -> Array:
    more = units.copy()
    more[step] = amount
    return more


def _worth(loss: Array) -> float:
    return float(loss.mean()) + tail_mean(loss)


def percent_effects(gap: Array, other: Array | None) -> Array:
    """Return (D,) share saved by moving one percent of a line: to another route, or to another material for good."""
    return np.asarray((gap - (0.0 if other is None else other)) / 100.0)


__all__: Sequence[str] = [
    "Bought",
    "Plan",
    "PlanError",
    "Steps",
    "best_plan",
    "in_order",
    "losses",
    "percent_effects",
    "tail_mean",
]
