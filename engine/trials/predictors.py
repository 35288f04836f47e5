"""Ways of forecasting an event, all behind one protocol: today's rules, severities estimated anew, and baselines.

A forecast is draws of the share that goes missing over the event's window, (D,). A point is D equal draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from scipy import special

from engine.scoring.draws import latin
from engine.scoring.ranges import Array
from engine.trials.replay import Answer
from engine.trials.severities import Seen, SeverityModel


@dataclass(frozen=True)
class Event:
    """One outcome, with what its day knew.

    Attributes:
        outcome_id: name.   episode: the curb and the mineral; outcomes of one episode are left out together.
        seen: share that went missing; negative for a rise.
        answer: what the rules and the trade of the day say.
        last_change: share by which the flow fell in the year before; None where no two years are known.
    """

    outcome_id: str
    episode: str
    seen: float
    answer: Answer
    last_change: float | None


class Predictor(Protocol):
    """A way of forecasting."""

    @property
    def name(self) -> str:
        """Its name in tables."""

    def predict(self, event: Event) -> Array | None:
        """Return (D,) share missing; None where it has nothing to go by."""


class Rules:
    """Today's rules on the facts of the day. Some of their severities were set after these very outcomes."""

    name: Final = "rules of today"

    def predict(self, event: Event) -> Array | None:
        """Return the rules' answer."""
        return event.answer.fall


class RulesAndMovement:
    """The rules' answer, with the movement of trade by itself: what is left moves up or down as any year's trade does.

    Args:
        draws: D.
    """

    name: Final = "rules and ordinary movement"

    def __init__(self, draws: int) -> None:
        self.draws = draws

    def predict(self, event: Event) -> Array | None:
        """Return draws of the fall; below 0 where trade rose."""
        u = latin(("ordinary movement", event.outcome_id), self.draws)
        moved = np.exp(event.answer.movement_sd * special.ndtri(u))
        return np.asarray(1.0 - (1.0 - event.answer.fall) * moved)


class Estimated:
    """Severities estimated from the other episodes, times what the law reached, and how flows move by themselves.

    Args:
        events: that may be learnt from.
        draws: D.
    """

    name: Final = "estimated, episode left out"

    def __init__(self, events: Sequence[Event], draws: int) -> None:
        self.events, self.draws = events, draws
        self._models: dict[str, SeverityModel | None] = {}

    def predict(self, event: Event) -> Array | None:
        """Return draws of the fall; None where the law reaches nothing."""
        if event.episode not in self._models:
            others = severities([other for other in self.events if other.episode != event.episode])
            self._models[event.episode] = SeverityModel(others) if others else None
        model = self._models[event.episode]
        own = event.answer
        if model is None or own.reach <= 0.0:
            return None
        u = latin(("back-test", event.outcome_id), self.draws)
        return model.predict_fall((own.rule_id, own.horizon_days), u, own.lane_share, own.reach)


def severities(events: Sequence[Event]) -> list[Seen]:
    """Return observed severities of the events that a law reached."""
    return [
        Seen(
            event.seen / event.answer.reach,
            event.episode,
            event.answer.rule_id,
            event.answer.horizon_days,
            min(event.answer.lane_share, 1.0),
            min(event.answer.reach, 1.0),
        )
        for event in events
        if event.answer.reach > 0.0
    ]


class ImportShare:
    """The exporter's share of the importers' imports, as criticality studies read it.

    Args:
        draws: D.
    """

    name: Final = "exporter's import share"

    def __init__(self, draws: int) -> None:
        self.draws = draws

    def predict(self, event: Event) -> Array | None:
        """Return a point."""
        return np.full(self.draws, event.answer.import_share)


class Constant:
    """What the other episodes saw, whatever the event: each outcome a draw.

    Args:
        events: that may be learnt from.
    """

    name: Final = "constant"

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events

    def predict(self, event: Event) -> Array | None:
        """Return the same distribution for all, the own episode left out."""
        others = [other.seen for other in self.events if other.episode != event.episode]
        return np.array(others) if others else None


class LastChange:
    """The change of the year before, carried on.

    Args:
        draws: D.
    """

    name: Final = "last year's change"

    def __init__(self, draws: int) -> None:
        self.draws = draws

    def predict(self, event: Event) -> Array | None:
        """Return a point."""
        return None if event.last_change is None else np.full(self.draws, event.last_change)


class NoEffect:
    """Curbs do nothing.

    Args:
        draws: D.
    """

    name: Final = "no effect"

    def __init__(self, draws: int) -> None:
        self.draws = draws

    def predict(self, event: Event) -> Array | None:  # noqa: ARG002  (the protocol's)
        """Return a point at zero."""
        return np.zeros(self.draws)


def predictors(events: Sequence[Event], draws: int) -> list[Predictor]:
    """Return every way of forecasting, learning where it learns from these events."""
    return [
        Rules(),
        RulesAndMovement(draws),
        Estimated(events, draws),
        ImportShare(draws),
        Constant(events),
        LastChange(draws),
        NoEffect(draws),
    ]
