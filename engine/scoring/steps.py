"""The steps of the waterfall (method section 5): their only home. The order here is the order in which they act.

The engine counts by them, `mart.waterfall_step` publishes them, and views, sentences and checks read it there. A new
step is one entry here, and its swap in engine/scoring/waterfall.py.
"""

from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

Response = Literal["alternatives", "substitution", "stock_days"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        name: S0, S1 and so on, as published.
        words: what it is called.
        sentence: of a term that has no measure and no pledge; places are `{curbing_country}` and `{points}`.
        response: the factor whose rule decides it, where one does.
        is_extraterritorial: whether its measures reach foreign goods.
    """

    name: str
    words: str
    sentence: str
    response: Response | None = None
    is_extraterritorial: bool = False

    @property
    def column(self) -> str:
        """Its column in the wide tables."""
        return self.name.lower()


STEPS: Final = (
    Step("S0", "full stop", "If {curbing_country} stopped all exports, with no response: {points}."),
    Step(
        "S1",
        "law",
        "Count again from nothing withheld: the notices of this step then add what they hold back.",
    ),
    Step("S2", "pledges", "Pledges ease the law: {points}."),
    Step(
        "S3", "extraterritorial reach", "The law reaches foreign goods: {points}.", is_extraterritorial=True
    ),
    Step("S4", "alternatives", "Other suppliers replace part of the loss: {points}.", "alternatives"),
    Step("S5", "substitution", "Users switch to other materials: {points}.", "substitution"),
    Step("S6", "stocks", "Stocks cover part of the loss: {points}.", "stock_days"),
    Step(
        "S7",
        "ranges",
        "From every input at its best to the mean over what the inputs may be, used-up stock included: {points}.",
    ),
)
BY_NAME: Final = {step.name: step for step in STEPS}
COLUMNS: Final = tuple(step.column for step in STEPS)
#: What the first part of S4 says: supply that is new at an earlier stage.
UPSTREAM_SENTENCE: Final = "New plants upstream replace part of what is lost: {points}."


def step_frame() -> pl.DataFrame:
    """Return `mart.waterfall_step`: step, step_name, sentence, response, is_extraterritorial, sort_order."""
    rows = [
        (step.name, step.words, step.sentence, step.response, step.is_extraterritorial, order)
        for order, step in enumerate(STEPS)
    ]
    schema = {
        "step": pl.String,
        "step_name": pl.String,
        "sentence": pl.String,
        "response": pl.String,
        "is_extraterritorial": pl.Boolean,
        "sort_order": pl.Int64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")
