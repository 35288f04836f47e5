"""Which words of the facts have a role in the scores, by `core.word_roles`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import polars as pl

from ground.question import Question
from warehouse.asof.state import Warehouse
from warehouse.errors import InputError


class WordRoles:
    """The roles that hold on the day of the law, as known on the day of knowledge."""

    def __init__(self, warehouse: Warehouse, question: Question) -> None:
        self._warehouse, self._question = warehouse, question

    @cached_property
    def _roles(self) -> pl.DataFrame:
        return self._warehouse.query(
            "SELECT role, word, applies FROM words_at($as_of, $known_at) ORDER BY role, word",
            {"as_of": self._question.as_of, "known_at": self._question.known_at},
        )

    def having(self, role: str, used: Iterable[str]) -> list[str]:
        """Return the words that have a role.

        Args:
            role: a `WordRole`, such as counts_as_cover.
            used: the words of the facts whose part in the scores depends on the role; each must have a row.

        Raises:
            InputError: no row known by then decides on one of the words that are used.
        """
        known = self._roles.filter(pl.col("role") == role)
        undecided = sorted({*used} - {*known["word"]})
        if undecided:
            raise InputError(
                f"word_roles: no row of the role {role} for {', '.join(undecided)} on {self._question.as_of}, as known "
                f"on {self._question.known_at}. Add one that says whether it applies, or stack the facts on the embedded ones."
            )
        return known.filter("applies")["word"].to_list()
