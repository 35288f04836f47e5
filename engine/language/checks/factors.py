"""Checks of factors that are made of other factors, and of rules whose value stays unknown."""

from collections.abc import Iterator, Mapping

from engine.language.errors import Location, Problem, did_you_mean
from engine.language.rules import MADE_OF_COMBINES, Factor, Feature, Rule, Scorecard


def check_factors(scorecard: Scorecard, features: Mapping[str, Feature]) -> Iterator[Problem]:
    """Yield problems of ``of`` and ``by`` in the scorecard."""
    at = Location(scorecard.file)
    above: dict[str, Factor] = {}
    for factor in scorecard.factors.values():
        if factor.parts:
            yield from _made(factor, above, at)
        elif factor.combine == "product" or factor.by:
            found = (
                f"'{factor.name}' is a product, or goes by features, and names no factors that it is made of"
            )
            yield Problem(at, "R008", found, "add of: [factor, ...], or choose another combine: and no by:")
        for name in factor.by:
            yield from _by(name, factor, above, features, at)
        above[factor.name] = factor


def _made(factor: Factor, above: Mapping[str, Factor], at: Location) -> Iterator[Problem]:
    if factor.combine not in MADE_OF_COMBINES or (factor.by and factor.combine != "sum"):
        found = f"'{factor.name}' is made of other factors, and '{factor.combine}' cannot put them together"
        yield Problem(at, "R009", found, "write combine: sum" + ("" if factor.by else " or product"))
    for name in factor.parts:
        part = above.get(name)
        if part is None:
            found = f"'{factor.name}' is made of '{name}', which is not a factor listed above it"
            yield Problem(at, "R014", found, did_you_mean(name, list(above)))
            continue
        if part.order > factor.order or (part.grain != factor.grain and not factor.by):
            found = (
                f"'{name}' is of another grain or of a later pass than '{factor.name}', which is made of it"
            )
            yield Problem(
                at, "R013", found, "give both one grain and pass, or sum its rows with by: [feature, ...]"
            )
        wanted = "share" if factor.combine == "product" else factor.unit
        if part.unit != wanted:
            found = f"'{name}' is in {part.unit}, and the {factor.combine} '{factor.name}' is of {wanted}"
            yield Problem(at, "R015", found, f"write unit: {wanted}")
    if factor.combine == "product" and factor.unit != "share":
        found = f"'{factor.name}' is a product of shares, and so in no {factor.unit}"
        yield Problem(at, "R015", found, "write unit: share")


def _by(
    name: str, factor: Factor, above: Mapping[str, Factor], features: Mapping[str, Feature], at: Location
) -> Iterator[Problem]:
    feature = features.get(name)
    if feature is None:
        found = f"'{factor.name}' goes by the unknown feature '{name}'"
        yield Problem(at, "R010", found, did_you_mean(name, list(features)))
        return
    for grain in sorted({factor.grain, *(above[part].grain for part in factor.parts if part in above)}):
        if grain not in feature.grain:
            found = f"'{factor.name}' goes by '{name}', which is not of the grain {grain}"
            yield Problem(at, "R013", found, f"add {grain} to its grain:, or leave it out of by:")
    if not feature.is_known or feature.is_range:
        found = f"'{factor.name}' goes by '{name}', which is a range or may be unknown"
        yield Problem(at, "R012", found, "go by features that are always one known value")


def check_unknown(
    rule: Rule, factor: Factor, own: Mapping[str, Feature], scorecard: Scorecard
) -> Iterator[Problem]:
    """Yield problems of ``if_unknown``.

    ``if_unknown: unknown`` is for parts of other factors: elsewhere no rule and an unknown would read alike.
    """
    on = rule.score.on
    if (rule.if_unknown is not None or rule.stays_unknown) and (
        not on or (on in own and own[on].is_known and own[on].type != "category")
    ):
        yield Problem(
            rule.place("if_unknown"),
            "R034",
            "the score rests on nothing that may be unknown",
            "remove if_unknown",
        )
    if rule.stays_unknown and not any(factor.name in other.parts for other in scorecard.factors.values()):
        yield Problem(
            rule.place("if_unknown"),
            "R034",
            f"'{factor.name}' cannot stay unknown: no factor is made of it, so unknown would count as no rule",
            "write if_unknown: [low, best, high]",
        )
