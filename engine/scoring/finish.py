"""From missing shares and responses to score columns (method sections 1 and 5)."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from engine.scoring.blocks import Block
from engine.scoring.ranges import BEST, POINTS, Array, in_order, mirrored
from engine.scoring.responses import Responses
from engine.scoring.score import (
    missing_share,
    replaced_share,
    score,
    time_to_shortage_days,
)
from ground.words import ENDS, REGIMES

Names = "np.typing.NDArray[np.str_]"


class Finisher:
    """Scores of all units at once.

    Args:
        blocks: in order.   units: their frame, one row a unit.   responses: what the second pass says.
    """

    def __init__(self, blocks: Sequence[Block], units: pl.DataFrame, responses: Responses) -> None:
        self.blocks, self.units, self.responses = blocks, units, responses
        self.horizon = units["horizon_days"].to_numpy().astype(np.float64)
        self.before = {
            regime: np.concatenate([b.regimes[regime].missing for b in blocks], axis=1) for regime in REGIMES
        }

    def columns(self) -> pl.DataFrame:
        """Return bounds and best values; the draws give the score itself (`engine.scoring.expect`)."""
        out: dict[str, object] = {}
        for regime in REGIMES:
            replaced = self._replaced(regime)
            missing = in_order(
                missing_share(
                    self.before[regime], replaced, mirrored(self.responses.stock_days), self.horizon
                )
            )
            points = score(missing)
            for place, suffix in enumerate(ENDS):
                out[f"{regime}_{suffix}"] = points[place]
                out[f"{regime}_missing_share_{suffix}"] = missing[place]
            out[f"{regime}_time_to_shortage_days"] = time_to_shortage_days(
                self.before[regime][BEST],
                replaced[BEST],
                self.responses.stock_days[BEST],
                self.responses.transit_days[BEST],
            )
        frame = pl.DataFrame(out)
        return frame.with_columns(pl.col("^.*_time_to_shortage_days$").fill_nan(None))

    def _replaced(self, regime: str) -> Array:
        """Return N (3, u), ordered as the loss is: the low end of a loss has the high end of its relief."""
        return mirrored(replaced_share(self.responses.alternatives[regime], self.responses.substitution))

    def steps_after_law(self, regime: str) -> Array:
        """Return (4, u) score at best after upstream replacement, alternatives, substitution and stocks."""
        before = self.before[regime][BEST]
        alternatives = self.responses.alternatives[regime][BEST]
        substitution = self.responses.substitution[BEST]
        replaced = replaced_share(alternatives, substitution)
        final = missing_share(before, replaced, self.responses.stock_days[BEST], self.horizon)
        return score(np.stack([before, before * (1 - alternatives), before * (1 - replaced), final]))


__all__ = ["POINTS", "Finisher"]
