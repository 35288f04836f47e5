"""Checks of the scorecard: it states all that the engine reads, and nothing that the engine would pass over."""

from collections.abc import Iterator, Mapping
from typing import Final

from engine.language.checks.parameters import check_parameters
from engine.language.errors import Location, Problem, did_you_mean
from engine.language.rules import (
    COMBINES,
    CURB_FACTORS,
    STATES,
    WEIGHED_STATES,
    Factor,
    Feature,
    ParameterRef,
    Scorecard,
)
from ground.words import BANDS, LAW_REGIMES, REGIMES

#: Parameters that the program itself reads, besides those that the regimes name, and the unit of each.
ENGINE_PARAMETERS: Final[Mapping[str, str]] = {
    "small_lane_share": "share",
    "touched_threshold_share": "share",
    "unknown_transit_days": "days",
    "reserve_years": "years",
    "ramp_share": "multiple",
    "common_severity_share": "share",
    "shortage_from_share": "share",
    "stock_rebuilt_a_year_share": "share",
    "firm_from_chance": "share",
    "evidence_weak_from": "share",
    "evidence_strong_from": "share",
    "least_observed_share": "share",
    "bundle_share_multiple": "multiple",
    "common_movement_multiple": "multiple",
    "movement_from_10m_usd_multiple": "multiple",
    "movement_from_1m_usd_multiple": "multiple",
    "movement_from_100k_usd_multiple": "multiple",
    "movement_of_small_lanes_multiple": "multiple",
    "leaning_from_chance": "share",
    "listed_from_usd": "usd",
    "listed_from_supply_share": "share",
    "listed_from_world_share": "share",
    "rest_below_t": "t",
    "reconciliation_fair_from": "share",
    "reconciliation_weak_from": "share",
    "reconciliation_insufficient_from": "share",
}
WEIGHT: Final = "share"
#: Ways of combining values whose result is not a value of the unit: shares add up to more than 1.
LEAVES_UNIT: Final = {"share": "sum", "days": "complement"}


def check_scorecard(scorecard: Scorecard, features: Mapping[str, Feature]) -> Iterator[Problem]:
    """Yield problems of a scorecard; that of another method has parameters alone."""
    yield from check_parameters(scorecard.parameters, scorecard.references, None)
    yield from _parameters(scorecard)
    if scorecard.method:
        return
    yield from _horizons(scorecard, features, scorecard.place("horizons"))
    yield from _bands(scorecard, scorecard.place("bands"))
    yield from _regimes(scorecard, scorecard.place("regimes"))
    yield from _factors(scorecard, scorecard.place("factors"))


def _parameters(scorecard: Scorecard) -> Iterator[Problem]:
    """Check that each parameter is read by the engine or a regime, in its unit, and that none is missing."""
    weights = [value for states in scorecard.regimes.values() for value in states.values()]
    named = {value.name for value in weights if isinstance(value, ParameterRef)}
    read = {**dict.fromkeys(named, WEIGHT), **ENGINE_PARAMETERS}
    for name, parameter in scorecard.parameters.items():
        if name not in read:
            found = f"the parameter '{name}' is read by nobody"
            yield Problem(parameter.at, "R023", found, did_you_mean(name, [*ENGINE_PARAMETERS]))
        elif parameter.unit != read[name]:
            found = f"'{name}' is in {parameter.unit}, and the engine reads it in {read[name]}"
            yield Problem(parameter.at, "R015", found, f"write unit: {read[name]}")
    for name in ENGINE_PARAMETERS:
        if name not in scorecard.parameters and not scorecard.method:
            found = f"the scorecard has no parameter '{name}', which the engine reads"
            yield Problem(scorecard.place("parameters"), "R008", found, "add it under parameters:")


def _horizons(scorecard: Scorecard, features: Mapping[str, Feature], at: Location) -> Iterator[Problem]:
    catalogued = features["horizon_days"].values if "horizon_days" in features else scorecard.horizons
    for days in scorecard.horizons:
        if days not in catalogued:
            found = f"the horizon of {days} days is not a value of the feature 'horizon_days', so no rule can have a case for it"
            yield Problem(
                at, "R011", found, "add it to the values in features.yml, or take it from horizons:"
            )


def _bands(scorecard: Scorecard, at: Location) -> Iterator[Problem]:
    """Check the bands: published columns and workbooks name them, while their edges are the scorecard's own."""
    names = tuple(band.name for band in scorecard.bands)
    for name in names:
        if name not in BANDS:
            yield Problem(at, "R011", f"unknown band '{name}'", did_you_mean(name, list(BANDS)))
    if set(names) <= set(BANDS) and names != BANDS:
        found = f"the bands are {', '.join(names) or 'none'}"
        yield Problem(at, "R008", found, f"list {', '.join(BANDS)}, each once, in this order")
    if scorecard.bands and scorecard.bands[0].start != 0:
        found = (
            f"the band '{names[0]}' begins at {scorecard.bands[0].start:g}, so that lower scores have no band"
        )
        yield Problem(at, "R030", found, "begin the first band at 0")
    for band in scorecard.bands:
        if band.start >= 100:
            found = f"the band '{band.name}' begins at {band.start:g}, which no score exceeds"
            yield Problem(at, "R030", found, "begin it below 100")


def _regimes(scorecard: Scorecard, at: Location) -> Iterator[Problem]:
    for regime in REGIMES:
        if regime not in scorecard.regimes:
            yield Problem(at, "R008", f"the scorecard has no regime '{regime}'", "add it under regimes:")
    for regime, states in scorecard.regimes.items():
        if regime not in REGIMES:
            yield Problem(at, "R011", f"unknown regime '{regime}'", did_you_mean(regime, list(REGIMES)))
            continue
        if regime not in LAW_REGIMES:
            if states:
                found = f"the regime '{regime}' weighs states, and it asks no law"
                yield Problem(at, "R007", found, f"write {regime}: {{}}")
            continue
        for state, value in states.items():
            if state not in STATES:
                found = f"unknown state '{state}' in regime '{regime}'"
                yield Problem(at, "R011", found, did_you_mean(state, list(STATES)))
            if isinstance(value, ParameterRef) and value.name not in scorecard.parameters:
                found = f"unknown parameter '${value.name}'"
                yield Problem(value.at, "R024", found, did_you_mean(value.name, list(scorecard.parameters)))
        for state in WEIGHED_STATES:
            if state not in states:
                found = f"the regime '{regime}' has no weight for the state '{state}', so such a measure would count for nothing"
                yield Problem(at, "R008", found, f"add {state}: with a share or a $parameter")


def _factors(scorecard: Scorecard, at: Location) -> Iterator[Problem]:
    """Check the grain and pass of the factors that the engine asks for by name."""
    for name, grain, order, unit in CURB_FACTORS:
        factor = scorecard.factors.get(name)
        if factor is None:
            yield Problem(at, "R008", f"the scorecard has no factor '{name}'", "add it under factors:")
            continue
        if (factor.grain, factor.order, factor.unit) != (grain, order, unit):
            is_so = f"of grain {factor.grain}, pass {factor.order} and unit {factor.unit}"
            found = f"'{name}' is {is_so}, where the engine reads it otherwise"
            yield Problem(at, "R013", found, f"write grain: {grain}, pass: {order}, unit: {unit}")
        if factor.combine == LEAVES_UNIT[unit]:
            sound = [way for way in COMBINES if way not in (factor.combine, "product")]
            found = f"'{name}' is in {unit}, and the {factor.combine} of several rules need not be"
            yield Problem(at, "R015", found, f"write combine: {' or '.join(sound)}")
    asked = {name for name, *_ in CURB_FACTORS}
    parts = {part for factor in scorecard.factors.values() for part in factor.parts}
    for factor in scorecard.factors.values():
        if factor.name not in asked | parts:
            yield _unread(factor, at)


def _unread(factor: Factor, at: Location) -> Problem:
    found = f"no score reads the factor '{factor.name}'"
    return Problem(at, "R014", found, did_you_mean(factor.name, [name for name, *_ in CURB_FACTORS]))
