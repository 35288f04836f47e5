"""Frozen models of a rule set: features, rules, scorecard. Everything keeps the place where it was written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import Final

from engine.language.errors import Location
from engine.language.vocabulary import Member
from ground.words import ENDS

#: States of a measure, and those in which it may bind, which a regime weighs.
WEIGHED_STATES: Final = ("announced", "in_force", "suspended", "unknown", "lapsed_unverified")
STATES: Final = (*WEIGHED_STATES, "proposed", "superseded", "ended", "dropped")
#: Factors of curb scores: name, grain, pass and unit.
CURB_FACTORS: Final = (
    ("withheld", "measure_destination", 1, "share"),
    ("extraterritorial", "measure_destination", 1, "share"),
    ("reroute", "measure_destination", 1, "share"),
    ("mitigation", "pledge_measure", 1, "share"),
    ("access", "pledge_importer", 1, "share"),
    ("alternatives", "route", 2, "share"),
    ("substitution", "route", 2, "share"),
    ("stock_days", "route", 2, "days"),
    ("flag", "route", 2, "share"),
)
STATUSES: Final = ("draft", "active", "retired")
COMBINES: Final = ("strongest", "complement", "first", "sum", "product")
#: Distributions between the ends of a range (`engine.scoring.draws.quantile`).
SPREADS: Final = ("pert", "triangular", "uniform", "lognormal", "chance")
DEFAULT_SPREADS: Final = ("pert", "triangular", "uniform")  # those that suit every range
#: Factors whose ranges are drawn rule by rule; those of the others are parts of something that is drawn as a whole.
DRAWN_FACTORS: Final = (
    *("withheld", "extraterritorial", "mitigation"),
    *("alternatives", "substitution", "stock_days"),
)
MADE_OF_COMBINES: Final = ("product", "sum")  # those that put a factor together from others


@dataclass(frozen=True)
class Range:
    """Low, best and high end of a value; one number is a range of no width."""

    low: float
    best: float
    high: float

    @classmethod
    def exact(cls, value: float) -> "Range":
        """Return a range of no width."""
        return cls(value, value, value)

    def end(self, name: str) -> float:
        """Return one end by its name."""
        return {"low": self.low, "best": self.best, "high": self.high}[name]


@dataclass(frozen=True)
class ParameterRef:
    """``$name``: the value of a dated parameter."""

    name: str
    at: Location


Value = Range | ParameterRef
Category = str | int | float | bool


@dataclass(frozen=True)
class Feature:
    """A column that rules may read (features.yml)."""

    name: str
    meaning: str
    type: str
    grain: tuple[str, ...]
    is_known: bool
    is_range: bool
    order: int = 1
    unit: str = ""
    source: str = "warehouse"
    values: tuple[Category, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Its column, or the three columns of a range."""
        return tuple(f"{self.name}_{end}" for end in ENDS) if self.is_range else (self.name,)


def is_of_type(feature: Feature, value: object) -> bool:
    """Return whether a written value is of the feature's type; a category is any word, number or truth value."""
    kinds: dict[str, type | tuple[type, ...]] = {
        "number": (int, float),
        "bool": bool,
        "date": date,
        "text": str,
        "category": (str, int, float, bool),
    }
    return isinstance(value, kinds.get(feature.type, object)) and (
        feature.type != "number" or not isinstance(value, bool)
    )


@dataclass(frozen=True)
class DatedValue:
    """A parameter's value from a day on, and the reference that bears it."""

    start: date
    value: Range
    reference: str
    at: Location


@dataclass(frozen=True)
class Parameter:
    """A judgement that may change over time; a value holds until the next one begins."""

    name: str
    unit: str
    values: tuple[DatedValue, ...]
    at: Location

    def on(self, day: date) -> Range | None:
        """Return the value on a day; None before the first."""
        known = [value for value in self.values if value.start <= day]
        return known[-1].value if known else None


@dataclass(frozen=True)
class Condition:
    """One filter of ``applies_when``: a list of categories, or a stretch of numbers.

    ``values`` are as written; ``blocs`` has the members of those that are blocs, where facts were at hand.
    """

    feature: str
    at: Location
    values: tuple[Category, ...] = ()
    at_least: Value | None = None
    below: Value | None = None
    blocs: Mapping[str, tuple[Member, ...]] = field(default_factory=dict)

    def listed(self, on: date) -> tuple[Category, ...]:
        """Return the values on a day: a bloc means the countries that are its members then."""
        return tuple(one for value in self.values for one in self._meant(value, on))

    def _meant(self, value: Category, on: date) -> tuple[Category, ...]:
        members = self.blocs.get(value) if isinstance(value, str) else None
        if members is None:
            return (value,)
        return tuple(member.country for member in members if member.belongs(on))

    @property
    def is_stretch(self) -> bool:
        """Whether it compares numbers."""
        return self.at_least is not None or self.below is not None


@dataclass(frozen=True)
class Score:
    """How a feature turns into a value: its shape and its points, in the order written. No shape: one value.

    ``at`` is the place of the feature's name, or of the one value; ``places`` are those of the points.
    """

    at: Location
    on: str = ""
    shape: str = ""
    points: tuple[tuple[Category, Value], ...] = ()
    value: Value | None = None
    places: tuple[Location, ...] = ()

    @property
    def rises(self) -> bool:
        """Whether its points are numbers, each above the one before."""
        keys = [key for key, _ in self.points]
        numbers = [key for key in keys if isinstance(key, int | float)]
        return len(numbers) == len(keys) and all(lower < upper for lower, upper in pairwise(numbers))


@dataclass(frozen=True)
class Example:
    """An inline test: what is given on a day and what is expected.

    Without ``expect`` the rule does not apply, or, with ``is_unknown``, it applies and its value stays unknown.
    ``places`` are those of the given values.
    """

    name: str
    on: date
    given: Mapping[str, object]
    expect: Range | None
    at: Location
    is_unknown: bool = False
    places: Mapping[str, Location] = field(default_factory=dict)

    def place(self, name: str) -> Location:
        """Return the place of a given value; the test's own place if it gives none of that name."""
        return self.places.get(name, self.at)


@dataclass(frozen=True)
class Reference:
    """What bears a value: a publication, or a computation of our own."""

    key: str
    title: str
    url: str
    dated: date | None
    checked: date | None
    at: Location


@dataclass(frozen=True)
class Rule:
    """One rule file.

    ``stays_unknown``: where its feature is unknown, so is the value (``if_unknown: unknown``). ``spread``: how its
    ranges are drawn, empty for the scorecard's way.
    """

    id: str
    title: str
    status: str
    version: int
    owner: str
    rationale: str
    references: Mapping[str, Reference]
    effective_from: date
    effective_to: date | None
    parameters: Mapping[str, Parameter]
    sets: str
    priority: int
    conditions: tuple[Condition, ...]
    score: Score
    if_unknown: Value | None
    explain: str
    examples: tuple[Example, ...]
    file: str
    places: Mapping[str, Location] = field(default_factory=dict)
    stays_unknown: bool = False
    spread: str = ""

    def place(self, key: str) -> Location:
        """Return the place of a key of the rule; the file's first line if it has no such key."""
        return self.places.get(key, Location(self.file))

    def stands_on(self, day: date) -> bool:
        """Return whether the rule is active and in effect."""
        started = self.effective_from <= day and (self.effective_to is None or day < self.effective_to)
        return self.status == "active" and started


@dataclass(frozen=True)
class Factor:
    """What rules can set, on which grain, and how several rules combine.

    A factor with ``parts`` is set by no rule: it is made of other factors, row by row, or, with ``by``, of the rows
    that share these features.
    """

    name: str
    grain: str
    order: int
    combine: str
    unit: str
    parts: tuple[str, ...] = ()
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Band:
    """A band of the score, from its lower edge."""

    name: str
    start: float


@dataclass(frozen=True)
class Scorecard:
    """scorecard.yml: horizons, regimes, factors, bands, spread of ranges, and the engine's dated parameters.

    ``method`` is empty for the curb scores. A rule set that names another method has neither horizons nor regimes.
    """

    version: int
    method: str
    horizons: tuple[int, ...]
    bands: tuple[Band, ...]
    regimes: Mapping[str, Mapping[str, Value]]
    spread: str
    factors: Mapping[str, Factor]
    references: Mapping[str, Reference]
    parameters: Mapping[str, Parameter]
    file: str
    places: Mapping[str, Location] = field(default_factory=dict)

    def place(self, key: str) -> Location:
        """Return the place of a key of the scorecard; the file's first line if it has no such key."""
        return self.places.get(key, Location(self.file))


class UnknownParameterError(LookupError):
    """The engine asked for a parameter that the scorecard does not have, or has not yet on that day."""


@dataclass(frozen=True)
class RuleSet:
    """Features, scorecard and rules that passed every check."""

    features: Mapping[str, Feature]
    scorecard: Scorecard
    rules: tuple[Rule, ...]

    def parameter(self, name: str, on: date) -> Range:
        """Return a parameter of the scorecard on a day.

        Raises:
            UnknownParameterError: names the parameter and the day.
        """
        parameter = self.scorecard.parameters.get(name)
        value = parameter.on(on) if parameter else None
        if value is None:
            message = f"{self.scorecard.file}: the parameter '{name}' has no value on {on}; add one that begins by then"
            raise UnknownParameterError(message)
        return value

    def state_weight(self, regime: str, state: str, on: date) -> Range | None:
        """Return how much a measure in a state counts in a regime; None where the scorecard omits the state."""
        value = self.scorecard.regimes.get(regime, {}).get(state)
        if isinstance(value, ParameterRef):
            return self.parameter(value.name, on)
        return value

    def spread_of(self, rule_id: str) -> str:
        """Return how ranges of a rule are drawn; the scorecard's way where the rule does not say, or there is no rule."""
        return self._spreads.get(rule_id, self.scorecard.spread)

    @cached_property
    def _spreads(self) -> dict[str, str]:
        return {rule.id: rule.spread for rule in self.rules if rule.spread}

    def for_factor(self, factor: str, on: date) -> tuple[Rule, ...]:
        """Return rules that set a factor on a day, in the order in which ``first`` asks them."""
        own = [rule for rule in self.rules if rule.sets == factor and rule.stands_on(on)]
        return tuple(sorted(own, key=lambda rule: (rule.priority, rule.id)))


def resolve(value: Value, parameters: Mapping[str, Parameter], on: date) -> Range:
    """Return a value on a day; a parameter reference is looked up.

    Raises:
        UnknownParameterError: the parameter has no value on that day.
    """
    if isinstance(value, Range):
        return value
    found = parameters[value.name].on(on) if value.name in parameters else None
    if found is None:
        message = f"{value.at}: ${value.name} has no value on {on}"
        raise UnknownParameterError(message)
    return found
