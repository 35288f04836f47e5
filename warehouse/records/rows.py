"""The base of every fact record: what all rows share and what holds between their columns."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from ground.words import ENDS
from warehouse.records.fields import CLASS_ORDER, Day, Key, Text

#: Pairs of columns of which the first must lie before the second (exclusive ends) or not after it (years).
_PERIODS = (
    ("valid_from", "valid_to", True),
    ("window_from", "window_to", True),
    ("baseline_from", "baseline_to", True),
    ("year_from", "year_to", False),
)


def need(text: str) -> Any:
    """Return a column that every row must fill; `text` becomes the column's comment."""
    return Field(description=text)


def may(text: str) -> Any:
    """Return a column that may be empty, which means unknown; `text` becomes the column's comment."""
    return Field(default=None, description=text)


@cache
def range_names(model: type[FactRow]) -> tuple[str, ...]:
    """Stems of the range columns of a model: those with a `_low` and a `_high` column."""
    names = model.model_fields
    return tuple(n.removesuffix("_low") for n in names if n.endswith("_low") and f"{n[:-4]}_high" in names)


class FactRow(BaseModel):
    """One row of one fact table; unknown columns are refused and ranges are in order."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=False)

    #: What one row of the table says; becomes the table's comment.
    says: ClassVar[str] = ""

    @model_validator(mode="after")
    def _columns_agree(self) -> Self:
        for first, last, strictly in _PERIODS:
            start, end = getattr(self, first, None), getattr(self, last, None)
            if start is None or end is None:
                continue
            if end < start or (strictly and end == start):
                raise PydanticCustomError(
                    "period",
                    "{last} {end} is not after {first} {start}; an end is exclusive: the day after the last day"
                    if strictly
                    else "{last} {end} is before {first} {start}",
                    {"column": last, "first": first, "last": last, "start": str(start), "end": str(end)},
                )
        for stem in range_names(type(self)):
            self._range_in_order(stem)
        return self

    def _range_in_order(self, stem: str) -> None:
        names = [f"{stem}_{end}" for end in ENDS if hasattr(self, f"{stem}_{end}")]
        values = [getattr(self, name) for name in names]
        empty = [name for name, value in zip(names, values, strict=True) if value is None]
        if empty and len(empty) < len(names):
            raise PydanticCustomError(
                "range_ends",
                "the range {stem} lacks {empty}; give every end, or leave all of them empty where it is unknown",
                {"column": empty[0], "stem": stem, "empty": " and ".join(empty)},
            )
        if empty:
            return
        ranks = [CLASS_ORDER[v] if isinstance(v, str) else v for v in values]
        if ranks != sorted(ranks):
            said = ", ".join(f"{n}={v}" for n, v in zip(names, values, strict=True))
            raise PydanticCustomError(
                "range_order",
                "the ends of the range {stem} do not rise: {said}",
                {"column": names[0], "stem": stem, "said": said},
            )


NoteText = Annotated[Text | None, Field(default=None, description="Remark in the project's own words.")]


class SourcedRow(FactRow):
    """A row that names its source and the day from which the world could know it."""

    note: NoteText = None
    source_id: Key = need("Source of this row; see core.sources.")
    known_from: Day = need("First day on which the world could know this row.")
