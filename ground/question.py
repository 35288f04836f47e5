"""The question that every result of Curbline answers."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Question:
    """The day of the law, the day of knowledge, and whose curbs.

    Attributes:
        as_of: the law and the stocks are those of this day.
        known_at: nothing is used that the world could know only later, but for figures marked as hindsight.
        curbing_country: ISO 3166 alpha-3; a run may also ask for ``all``.
    """

    as_of: date
    known_at: date
    curbing_country: str


class Asked:
    """What is known in answer to a question, and forwards its parts."""

    question: Question

    @property
    def as_of(self) -> date:
        """The day of the law."""
        return self.question.as_of

    @property
    def known_at(self) -> date:
        """The day of knowledge."""
        return self.question.known_at

    @property
    def curbing_country(self) -> str:
        """Whose curbs."""
        return self.question.curbing_country
