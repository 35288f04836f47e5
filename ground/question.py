"""What every answer of Curbline is an answer to."""

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
