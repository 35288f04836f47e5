"""Which values of the rules move the portfolio's priorities most, as a table and as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from engine.language.describe import range_words
from engine.language.rules import RuleSet
from engine.scoring.inputs import Inputs
from engine.trials.rescore import ROUTE_KEYS, Rescorer
from engine.trials.sensitivity import Effect, LeverEffects, Move, Sensitivity, sensitivity
from ground.counted import counted
from jobs.gather import only_minerals

COLUMNS = (
    *("value", "rule", "best (range)", "reference", "to low", "to high", "routes", "bands", "largest"),
    "weighs most",
)


def measure(
    inputs: Inputs,
    ruleset: RuleSet,
    horizon: int,
    minerals: Sequence[str],
    progress: Callable[[int, int], None],
) -> Sensitivity:
    """Return the effect of every range of the rules, in the active regime.

    Args:
        inputs: the day's facts.
        ruleset: checked rules.
        horizon: one of the scorecard's.
        minerals: only these; all where there is none.
        progress: told after each value how many of all are done.

    Raises:
        SettingsError: a mineral has no route on the day.
    """
    chosen = only_minerals(inputs, minerals)
    return sensitivity(Rescorer(chosen, ruleset, horizon), ruleset, progress)


def header(found: Sensitivity, on: date, horizon: int) -> list[str]:
    """Return what was done and over what, in two sentences."""
    how = "each with its best set to its low and to its high end, one at a time"
    mean = "`to low` and `to high` are their mean change of priority in points, weighted by USD"
    return [
        f"{counted(len(found.levers), 'range')} of the rules on {on}, {how}; active regime, {horizon} days.",
        f"{found.moved:,} of {found.routes:,} routes move under at least one ({_usd(found.moved_usd)} of {_usd(found.usd)}); {mean}.",
    ]


def _usd(value: float) -> str:
    return f"{value / 1e9:,.1f} bn USD" if value >= 1e8 else f"{value / 1e6:,.1f} m USD"


def rows(found: Sensitivity, top: int) -> list[list[object]]:
    """Return one row per value, in the order of ``COLUMNS``; counts and routes are of the end that moves more."""
    return [_row(one) for one in found.levers[:top]]


def _row(one: LeverEffects) -> list[object]:
    lever, effects = one.lever, one.effects
    most = max(effects.values(), key=lambda effect: effect.mean_change)
    return [
        lever.name,
        lever.rule_id,
        range_words(lever.span, lever.unit),
        lever.reference or "the rationale",
        _mean(effects.get("low")),
        _mean(effects.get("high")),
        most.moved,
        max(effect.bands_changed for effect in effects.values()),
        _largest(effects),
        _words(most.heaviest),
    ]


def _mean(effect: Effect | None) -> str:
    return "" if effect is None else f"{effect.mean_change:.2f}"


def _largest(effects: Mapping[str, Effect]) -> str:
    moves = [effect.largest for effect in effects.values() if effect.largest is not None]
    return f"{max(moves, key=lambda move: abs(move.change)).change:+.1f}" if moves else ""


def _words(move: Move | None) -> str:
    if move is None:
        return ""
    mineral, stage, exporter, importer = move.route
    return f"{mineral} {stage} {exporter} to {importer} {move.change:+.1f}"


def as_data(found: Sensitivity, on: date, horizon: int, top: int) -> dict[str, object]:
    """Return the same as data, with both ends in full."""
    return {
        "as_of": on,
        "regime": "active",
        "horizon_days": horizon,
        "routes": found.routes,
        "route_usd": found.usd,
        "routes_moved": found.moved,
        "routes_moved_usd": found.moved_usd,
        "values": [
            {
                "value": one.lever.name,
                "rule_id": one.lever.rule_id,
                "sets": one.lever.factor,
                "unit": one.lever.unit,
                "low_best_high": [one.lever.span.low, one.lever.span.best, one.lever.span.high],
                "reference": one.lever.reference or None,
                "effects": {end: _effect_data(effect) for end, effect in one.effects.items()},
            }
            for one in found.levers[:top]
        ],
    }


def _effect_data(effect: Effect) -> dict[str, object]:
    return {
        "mean_priority_change": effect.mean_change,
        "routes_moved": effect.moved,
        "routes_changing_band": effect.bands_changed,
        "largest_move": _move_data(effect.largest),
        "weighs_most": _move_data(effect.heaviest),
    }


def _move_data(move: Move | None) -> dict[str, object] | None:
    if move is None:
        return None
    return {**dict(zip(ROUTE_KEYS, move.route, strict=True)), "priority_change": move.change}
