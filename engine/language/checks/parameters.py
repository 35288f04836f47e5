"""Checks of dated parameters, of a rule and of the scorecard."""

from collections.abc import Iterator, Mapping
from datetime import date

from engine.language.catalogue import UNITS
from engine.language.errors import Problem, did_you_mean
from engine.language.rules import Parameter, Reference


def check_parameters(
    parameters: Mapping[str, Parameter],
    references: Mapping[str, Reference],
    start: date | None,
) -> Iterator[Problem]:
    """Yield problems of parameters: values, references, units; ``start`` is the first day of the rule."""
    for name, parameter in parameters.items():
        if not parameter.values:
            yield Problem(
                parameter.at,
                "R022",
                f"the parameter '{name}' has no value",
                "add - {from: date, value: .., reference: ..}",
            )
        elif start is not None and parameter.on(start) is None:
            first = parameter.values[0]
            yield Problem(
                first.at,
                "R022",
                f"'{name}' has no value when the rule starts on {start}",
                f"its first value begins on {first.start}",
            )
        for value in parameter.values:
            if value.reference not in references:
                yield Problem(
                    value.at,
                    "R021",
                    f"unknown reference '{value.reference}'",
                    did_you_mean(value.reference, list(references)),
                )
            if parameter.unit not in UNITS:
                yield Problem(
                    parameter.at,
                    "R015",
                    f"unknown unit '{parameter.unit}' of '{name}'",
                    did_you_mean(parameter.unit, [unit for unit in UNITS if unit]),
                )
                break
            if parameter.unit == "share" and not (value.value.low >= 0 and value.value.high <= 1):
                yield Problem(
                    value.at,
                    "R015",
                    f"'{name}' is a share, but {value.value.low:g}..{value.value.high:g} leaves 0..1",
                    "write shares between 0 and 1",
                )
