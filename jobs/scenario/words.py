"""The words of a scenario file: one change is one verb with the columns of the facts or the names of the rules.

A scenario asks *what if*. It is no test of rules: those are the scenario tests below `rules/scenarios/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

Name = Annotated[str, Field(min_length=1, max_length=200)]
Names = Annotated[
    tuple[Name, ...],
    BeforeValidator(lambda value: value if isinstance(value, list | tuple) else (value,)),
    Field(min_length=1),
]
Number = int | float


def _three_ends(value: object) -> object:
    """Return [low, best, high] of a number or of three."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (value, value, value)
    return value


Ends = Annotated[tuple[Number, Number, Number], BeforeValidator(_three_ends)]


class Change(BaseModel):
    """Base of the changes: every key is known, and every value is of its kind."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class OfLaw(Change):
    """A change of the state of a measure: of all its clauses and destinations, unless one is named."""

    measure_id: Names
    clause: Name | None = None
    destination: Name | None = None


class Lapse(OfLaw):
    """A suspension ends with no successor, and the measure binds again: from the day after it, or from a day named."""

    valid_from: date | None = None


class Extend(OfLaw):
    """A suspension goes on, up to the day before `valid_to`."""

    valid_to: date


class End(OfLaw):
    """A suspension ends early, and the measure binds from that day."""

    valid_from: date


class Suspend(OfLaw):
    """A measure that binds is suspended; without `valid_to` for good."""

    valid_from: date
    valid_to: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _refuse_backwards(self.valid_from, self.valid_to)
        return self


class Repeal(OfLaw):
    """A measure ends, on the day that is scored or on a later day."""

    valid_from: date | None = None


class Copy(Change):
    """A new measure after the model of one that exists: the same instrument and destinations, on another mineral."""

    measure_id: Name
    new_id: Name
    notice: Name
    mineral: Name
    stage: Names
    coverage_share: Ends = (1, 1, 1)
    quota_share: Ends | None = None
    valid_from: date
    valid_to: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _refuse_backwards(self.valid_from, self.valid_to)
        _refuse_disorder(self.coverage_share)
        return self


class Honour(Change):
    """A pledge is kept to the letter: binding, in force, and covering what its text leaves open."""

    pledge_id: Names
    stage: Names | None = None


class Void(Change):
    """A pledge is worth nothing."""

    pledge_id: Names


class Rows(Change):
    """Rows of a fact table that say something else: a claim, a stock, what a plant can add."""

    table: Name
    where: Mapping[str, Any] = Field(min_length=1)
    to: Mapping[str, Any] = Field(min_length=1)


class Shut(Change):
    """Plants that can add nothing."""

    capacity_id: Names


class Parameter(Change):
    """A parameter of a rule, or of the scorecard."""

    rule: Name
    name: Name
    value: Ends

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _refuse_disorder(self.value)
        return self


class Verb(Change):
    """One change: exactly one of these."""

    lapse: Lapse | None = None
    extend: Extend | None = None
    end: End | None = None
    suspend: Suspend | None = None
    repeal: Repeal | None = None
    copy_: Copy | None = Field(default=None, alias="copy")
    honour: Honour | None = None
    void: Void | None = None
    add: Mapping[str, Any] | None = Field(default=None, min_length=1)
    set_: Rows | None = Field(default=None, alias="set")
    shut: Shut | None = None
    parameter: Parameter | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise PydanticCustomError("one_verb", "one change is one of {verbs}; start another with a dash", {"verbs": ", ".join(VERBS)})  # fmt: skip
        return self

    @property
    def name(self) -> str:
        """Return the verb, as it is written."""
        return next(iter(self.model_fields_set)).removesuffix("_")

    @property
    def body(self) -> Any:
        """Return what is below it."""
        return getattr(self, next(iter(self.model_fields_set)))


class Scenario(Change):
    """One file: what is supposed, and about which day and whose curbs it asks."""

    scenario: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
    title: Name
    why: str = ""
    as_of: date | None = None
    curbing_country: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    horizon_days: int | None = None
    changes: tuple[Verb, ...] = Field(min_length=1)


VERBS: Final = tuple(field.alias or name for name, field in Verb.model_fields.items())


def _refuse_backwards(start: date, end: date | None) -> None:
    if end is not None and end <= start:
        raise PydanticCustomError(
            "backwards",
            "it ends on {end} before it has begun on {start}; valid_to is the first day after it",
            {"start": start.isoformat(), "end": end.isoformat()},
        )


def _refuse_disorder(ends: tuple[Number, Number, Number]) -> None:
    low, best, high = ends
    if not low <= best <= high:
        raise PydanticCustomError("disorder", "the range is out of order; write [low, best, high]")
