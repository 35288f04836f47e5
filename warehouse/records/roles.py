"""The record of what a word of a vocabulary does in the scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, Self, get_args

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from warehouse.records.fields import Day, Flag, Instrument, Key, Scope, WordRole
from warehouse.records.rows import SourcedRow, need

#: The closed vocabulary that the words of a role come from; a role of an open one, such as metrics, is not here.
VOCABULARIES: Final[Mapping[str, tuple[str, ...]]] = {
    "ends_normal_trade": get_args(Instrument),
    "names_buyers": get_args(Scope),
    "reaches_every_stage": get_args(Instrument),
}


class WordRoleRow(SourcedRow):
    """Whether a word of a vocabulary has a role in the scores; a judgement, so it is dated and can be replaced."""

    says: ClassVar[str] = "Whether a word of a vocabulary has a role in the scores, from a day on."
    role: WordRole = need(
        "counts_as_cover: a metric of stocks is days that buyers hold; ends_normal_trade: the announcement of an "
        "instrument ends the normal years of trade; names_buyers: a scope lists buyers instead of a destination; "
        "reaches_every_stage: an item without a stage, of this instrument, reaches every stage that is traded."
    )
    word: Key = need("The metric, instrument or scope.")
    applies: Flag = need("True where the word has the role.")
    valid_from: Day = need(
        "First day on which this holds, until a row that was known later, or begins later, takes its place."
    )

    @model_validator(mode="after")
    def _is_of_the_vocabulary(self) -> Self:
        words = VOCABULARIES.get(self.role)
        if words is not None and self.word not in words:
            raise PydanticCustomError(
                "word_of_role",
                "cannot have the role {role}; use one of {words}",
                {"column": "word", "role": self.role, "words": ", ".join(words)},
            )
        return self
