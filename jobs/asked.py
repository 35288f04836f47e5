"""The question that a published file answers."""

from ground.question import Question
from jobs.ports import Reader


def question_of_run(reader: Reader) -> Question:
    """Return the question of the run that made a published file."""
    row = reader.query("SELECT as_of, known_at, curbing_country FROM meta.run").row(0)
    return Question(*row)
