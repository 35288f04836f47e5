"""Plans against what can be found by hand or by trying everything."""

import numpy as np
import pytest

from engine.purchases.plan import PlanError, Steps, best_plan, in_order, losses, percent_effects, tail_mean

GAP = np.array([np.linspace(0.0, 0.9, 10), np.full(10, 0.2)])
SPEND = np.array([1000.0, 4000.0])
NONE = np.zeros(2)
DAY = np.full(10, 1.0 / 100)


def steps(*costs: float, most: float = 50.0) -> Steps:
    return Steps(np.array([0, 1]), np.stack([DAY, DAY]), np.array(costs), np.full(2, most))


def test_the_budget_goes_where_a_dollar_saves_most() -> None:
    # A day on the second line saves 40 a draw until its gap is closed after 20 days; one on the first saves 10 at most.
    plan = best_plan(GAP, NONE, SPEND, steps(1.0, 1.0), 20.0, 0.0)
    np.testing.assert_allclose(plan.units, [0.0, 20.0], atol=1e-6)
    assert plan.loss_usd.mean() == pytest.approx((SPEND[0] * GAP[0]).mean())


def test_a_plan_keeps_its_budget_and_beats_what_can_be_tried() -> None:
    rng = np.random.default_rng(7)
    gap = rng.uniform(0, 0.6, (3, 12))
    spend, covered = np.array([900.0, 400.0, 700.0]), np.array([0.1, 0.0, 0.05])
    able = Steps(
        np.array([0, 1, 2, 2]),
        np.stack([np.full(12, 0.01)] * 3 + [gap[2] / 100 * 0.7]),
        np.array([3.0, 1.0, 2.0, 4.0]),
        np.array([20.0, 20.0, 20.0, 30.0]),
    )
    plan = best_plan(gap, covered, spend, able, 60.0, 0.5)
    assert plan.units @ able.cost_usd <= 60.0 + 1e-6
    aim = 0.5 * plan.loss_usd.mean() + 0.5 * np.sort(plan.loss_usd)[-2:].mean()
    for _ in range(500):
        tried = rng.uniform(0, able.most)
        tried = tried * min(1.0, 60.0 / float(tried @ able.cost_usd))
        loss = losses(gap, covered, spend, able, tried)
        # The tail of the programme is that of exactly a tenth; two of twelve draws are a little more, hence the room.
        assert (
            0.5 * loss.mean() + 0.5 * loss.max()
            >= 0.5 * plan.loss_usd.mean() + 0.5 * plan.loss_usd.max() - 25.0
        )
        assert 0.5 * loss.mean() + 0.5 * np.sort(loss)[-2:].mean() >= aim - 10.0


def test_steps_save_together_what_the_plan_saves() -> None:
    plan = best_plan(GAP, NONE, SPEND, steps(1.0, 2.0), 60.0, 0.5)
    before = losses(GAP, NONE, SPEND, steps(1.0, 2.0), np.zeros(2))
    bought = in_order(GAP, NONE, SPEND, steps(1.0, 2.0), plan)
    assert sum(one.mean_usd for one in bought) == pytest.approx(before.mean() - plan.loss_usd.mean())
    assert sum(one.tail_usd for one in bought) == pytest.approx(tail_mean(before) - tail_mean(plan.loss_usd))
    assert sum(one.cost_usd for one in bought) == pytest.approx(60.0)


def test_weight_on_the_tail_buys_for_bad_draws() -> None:
    gap = np.array([[0.0] * 9 + [1.0], [0.12] * 10])
    spend, able = (
        np.array([1000.0, 1000.0]),
        Steps(np.array([0, 1]), np.stack([DAY, DAY]), np.ones(2), np.full(2, 50.0)),
    )
    mean = best_plan(gap, NONE, spend, able, 10.0, 0.0)
    tail = best_plan(np.array([[0.0] * 9 + [1.0], [0.12] * 9 + [0.0]]), NONE, spend, able, 10.0, 1.0)
    np.testing.assert_allclose(mean.units, [0.0, 10.0], atol=1e-6)
    np.testing.assert_allclose(tail.units, [10.0, 0.0], atol=1e-6)


def test_a_second_source_that_is_worse_is_not_bought() -> None:
    effect = percent_effects(GAP[1], GAP[1] + 0.1)
    able = Steps(np.array([1]), effect[None], np.ones(1), np.full(1, 100.0))
    plan = best_plan(GAP, NONE, SPEND, able, 50.0, 0.5)
    assert plan.units[0] == 0.0


def test_what_cannot_be_solved_says_so() -> None:
    with pytest.raises(PlanError, match="the solver says"):
        best_plan(GAP, NONE, SPEND, steps(1.0, 1.0), -5.0, 0.5)
