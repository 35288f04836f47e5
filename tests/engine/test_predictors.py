"""Forecasts of one event: what each rests on, and that none sees what it is held against."""

from __future__ import annotations

import numpy as np
import pytest

from engine.scoring.evidence import nearest_horizon
from engine.scoring.ranges import Array
from engine.trials.predictors import Estimated, Event, predictors, severities
from engine.trials.replay import Answer
from tests.engine.rulebook import default_ruleset

D = 64


def event(name: str, episode: str, seen: float, *, reach: float = 0.5, change: float | None = 0.1) -> Event:
    fall = np.linspace(0.1, 0.3, D)
    answer = Answer(fall, reach, reach, "licence", 90, (0.2, 0.4, 0.6), 1.0, 0.7, 0.6)
    return Event(name, episode, seen, answer, change)


EVENTS = [
    event("a1", "a", 0.5),
    event("a2", "a", 0.4),
    event("b", "b", 0.3),
    event("c", "c", -0.2, reach=0.0, change=None),
]


def forecasts(events: list[Event]) -> dict[str, Array]:
    """What each way has to say of the first event."""
    told = {way.name: way.predict(events[0]) for way in predictors(events, D)}
    return {name: draws for name, draws in told.items() if draws is not None}


def test_every_way_of_forecasting_gives_what_it_says() -> None:
    ways = forecasts(EVENTS)
    points = {"exporter's import share": 0.7, "last year's change": 0.1, "no effect": 0.0}
    for name, point in points.items():
        assert np.array_equal(ways[name], np.full(D, point))
    assert sorted(ways["constant"].tolist()) == [-0.2, 0.3]
    assert np.array_equal(ways["rules of today"], EVENTS[0].answer.fall)
    assert ways["estimated, episode left out"].shape == (D,)


def test_nothing_to_go_by_is_no_forecast() -> None:
    ways = {way.name: way.predict(EVENTS[3]) for way in predictors(EVENTS, D)}
    assert ways["last year's change"] is None
    assert ways["estimated, episode left out"] is None
    alone = forecasts(EVENTS[:2])
    assert "constant" not in alone
    assert "estimated, episode left out" not in alone


def test_an_estimate_does_not_see_its_own_episode() -> None:
    other = [event("a1", "a", 0.05), event("a2", "a", 0.45), *EVENTS[2:]]
    before, after = (Estimated(events, D).predict(EVENTS[0]) for events in (EVENTS, other))
    assert before is not None
    assert after is not None
    assert np.array_equal(before, after)
    moved = [*EVENTS[:2], event("b", "b", 0.05)]
    changed = Estimated(moved, D).predict(EVENTS[0])
    assert changed is not None
    assert not np.array_equal(changed, before)


def test_severities_are_falls_over_reach_where_there_is_reach() -> None:
    assert [one.severity for one in severities(EVENTS)] == pytest.approx([1.0, 0.8, 0.6])


@pytest.mark.parametrize(
    ("days", "horizon"), [(1, 90), (31, 90), (227, 90), (228, 365), (366, 365), (9999, 1825)]
)
def test_a_window_is_forecast_at_the_nearest_horizon(days: int, horizon: int) -> None:
    assert nearest_horizon(default_ruleset(), days) == horizon
