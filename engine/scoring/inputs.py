"""The frames that the engine is given, described here alone; the warehouse delivers them and jobs passes them on.

Tonnes are of contained mineral a year, shares lie in 0..1, `_low, _best, _high` are the ends of a range, and a null
is an unknown. A frame with fewer columns is refused by name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, cast

import polars as pl

from ground.question import Asked, Question
from ground.words import ENDS, HORIZONS

Found = TypeVar("Found")


def ends(name: str) -> tuple[str, str, str]:
    """Return the three columns of a range feature."""
    low, best, high = (f"{name}_{end}" for end in ENDS)
    return low, best, high


COLUMNS: Mapping[str, tuple[str, ...]] = {
    "chains": ("mineral", "stage", "stage_order"),
    "flows": (
        *(
            "mineral",
            "stage",
            "exporter",
            "importer",
            *ends("route_t"),
            "route_usd",
            "latest_t",
            "part_low",
            "part_high",
        ),
        *("trade_basis", "trade_completeness", "trade_year", "baseline_year"),
    ),
    "production": ("mineral", "stage", "country", *ends("production_t"), "is_unlisted_total", "is_hindsight"),
    "measures": (
        *("item_id", "measure_id", "clause", "notice", "instrument", "scope", "mineral", "stage", "form"),
        *("importer", *ends("coverage_share"), *ends("quota_share"), *ends("listed_share")),
        *(
            *ends("destination_class"),
            "state",
            "state_valid_from",
            "start_date",
            "is_named_buyers",
            "is_extraterritorial",
            "is_enforced",
        ),
        *("holds_general_licence", "source_id"),
    ),
    "timeline": ("measure_id", "clause", "importer", "valid_from", "state"),
    "pledges": (
        *("pledge_id", "backing", "kind", "coverage", "performance", "mineral", "stage", "importer"),
        "source_id",
    ),
    "access": (
        *("access_of", "exporter", "importer", "instrument", "legal_strength", "agreement_state", "coverage"),
        *("kind", "mineral", "stage", "fact_id", "source_id"),
    ),
    "capacity": ("mineral", "stage", "country", *(end for days in HORIZONS for end in ends(f"add_{days}_t"))),
    "reserves": ("mineral", "country", *ends("reserves_t")),
    "stocks": ("mineral", "importer", *ends("stock_known_days")),
    "substitution": ("mineral", "horizon_days", *ends("switch_share")),
    "transit": ("exporter", "importer", *ends("transit_days")),
    "blocs": ("bloc", "country"),
    "countries": ("country", "is_entrepot"),
    "bundle_goods": (
        *("mineral", "bundle", "good", "kind", "good_mineral", "good_stage", "country"),
        *ends("share"),
    ),
    "bundled_trade": ("mineral", "stage", "exporter", "importer", "bundle", *ends("part_t")),
    "bundled_production": ("mineral", "stage", "country", "bundle"),
}


class InputError(ValueError):
    """A frame that the engine was given lacks columns."""


@dataclass(frozen=True)
class Inputs(Asked):
    """All that is known on one day about one curbing country's reach. Frames: see ``COLUMNS``.

    ``_all`` is what these are a part of: curbs on other minerals tell how severe a rule is.
    """

    question: Question
    frames: Mapping[str, pl.DataFrame]
    _all: "Inputs | None" = field(default=None, repr=False)
    _parts: dict[tuple[str, ...], dict[tuple[object, ...], pl.DataFrame]] = field(
        default_factory=dict, repr=False
    )

    _remembered: dict[tuple[str, int], tuple[object, object]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Refuse a missing frame or column.

        Raises:
            InputError: names the frame and what it lacks.
        """
        for name, columns in COLUMNS.items():
            if name not in self.frames:
                message = f"The engine was given no frame '{name}'; the warehouse must deliver it."
                raise InputError(message)
            lacking = [column for column in columns if column not in self.frames[name].columns]
            if lacking:
                message = f"Frame '{name}' lacks the columns {', '.join(lacking)}."
                raise InputError(message)

    def __getitem__(self, name: str) -> pl.DataFrame:
        """Return the frame of that name."""
        return self.frames[name]

    def only(self, minerals: Sequence[str]) -> "Inputs":
        """Return the same day with the rows of some minerals alone, so that nothing else is computed."""
        frames = {
            name: frame.filter(pl.col("mineral").is_in(minerals)) if "mineral" in frame.columns else frame
            for name, frame in self.frames.items()
        }
        return Inputs(self.question, frames, self.whole)

    @property
    def alone(self) -> "Inputs":
        """The same frames without the inputs that they are a part of."""
        return Inputs(self.question, self.frames)

    @property
    def whole(self) -> "Inputs":
        """The inputs of every mineral, of which these may be a part."""
        return self._all or self

    def remembered(self, name: str, about: object, make: Callable[[], Found]) -> Found:
        """Return what was found of these inputs before, under the same rules, say; else make it and remember it."""
        key = (name, id(about))  # the object is held, so that no other takes its place
        if key not in self._remembered:
            self._remembered[key] = (about, make())
        return cast("Found", self._remembered[key][1])

    def part(self, name: str, **keys: object) -> pl.DataFrame:
        """Return the rows of a frame with these key values; a frame is split once per set of keys, in its order."""
        split = (name, *keys)
        if split not in self._parts:
            self._parts[split] = partition(self.frames[name], *keys)
        return self._parts[split].get(tuple(keys.values()), self.frames[name].clear())


def partition(frame: pl.DataFrame, *keys: str) -> dict[tuple[object, ...], pl.DataFrame]:
    """Return the rows of a frame by the values of some columns, in its order."""
    if not frame.height:
        return {}
    return frame.partition_by(*keys, as_dict=True, maintain_order=True)
