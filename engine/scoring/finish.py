"""From missing shares and responses to score columns (method sections 1 and 5)."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from engine.language.rules import RuleSet
from engine.scoring.blocks import REGIMES, Block
from engine.scoring.chain_score import RANGE_INPUTS
from engine.scoring.ranges import BEST, LIKELY_HIGH, LIKELY_LOW, POINTS, SUFFIXES, Array, in_order, mirrored
from engine.scoring.responses import Responses
from engine.scoring.score import (
    band_index,
    confidence,
    missing_share,
    priority,
    replaced_share,
    score,
    time_to_shortage_days,
)

Names = "np.typing.NDArray[np.str_]"


class Finisher:
    """Scores of all units at once.

    Args:
        blocks: in order.   units: their frame, one row a unit.   responses: what the second pass says.
    """

    def __init__(
        self, blocks: Sequence[Block], units: pl.DataFrame, responses: Responses, ruleset: RuleSet
    ) -> None:
        self.blocks, self.units, self.responses = blocks, units, responses
        self.horizon = units["horizon_days"].to_numpy().astype(np.float64)
        self.edges = [band.start for band in ruleset.scorecard.bands]
        self.bands = np.array([band.name for band in ruleset.scorecard.bands])
        self.before = {
            regime: np.concatenate([b.regimes[regime].missing for b in blocks], axis=1) for regime in REGIMES
        }

    def columns(self) -> pl.DataFrame:
        """Every score column of `mart.route_score` and `mart.importer_score`."""
        out: dict[str, object] = {}
        scores: dict[str, Array] = {}
        for regime in REGIMES:
            replaced = self._replaced(regime)
            missing = in_order(
                missing_share(
                    self.before[regime], replaced, mirrored(self.responses.stock_days), self.horizon
                )
            )
            points = scores[regime] = score(missing)
            for place, suffix in enumerate(SUFFIXES):
                end = "" if suffix == "best" else f"_{suffix}"
                out[f"{regime}{end}"] = points[place]
                out[f"{regime}_missing_share{end}"] = missing[place]
            band = band_index(points, self.edges)
            out[f"{regime}_band"] = self.bands[band[BEST]]
            out[f"{regime}_confidence"] = confidence(band[LIKELY_LOW], band[LIKELY_HIGH])
            out[f"{regime}_priority"] = priority(self.units["dependence_share"].to_numpy(), missing[BEST])
            out[f"{regime}_time_to_shortage_days"] = time_to_shortage_days(
                self.before[regime][BEST],
                replaced[BEST],
                self.responses.stock_days[BEST],
                self.responses.transit_days[BEST],
            )
            if regime == "active":
                out["band_likely_low"] = self.bands[band[LIKELY_LOW]]
                out["band_likely_high"] = self.bands[band[LIKELY_HIGH]]
        wide = np.array(out["active_confidence"]) == "wide"
        out["narrowed_by"] = pl.Series(self._narrowed_by(wide), dtype=pl.String)
        best = np.stack([scores[regime][BEST] for regime in REGIMES])
        out["worst_regime"] = np.array(REGIMES)[best.argmax(axis=0)]
        scheduled = self._scheduled()
        out["scheduled_missing_share"] = scheduled
        out["scheduled"] = score(scheduled)
        frame = pl.DataFrame(out)
        return frame.with_columns(pl.col("^.*_time_to_shortage_days$").fill_nan(None))

    def _replaced(self, regime: str) -> Array:
        """N (5, u), ordered as the loss is: the low end of a loss has the high end of its relief."""
        return mirrored(replaced_share(self.responses.alternatives[regime], self.responses.substitution))

    def _scheduled(self) -> Array:
        """L weighed by time over the states already known to come within the horizon."""
        total = np.zeros(self.units.height)
        start = 0
        for block in self.blocks:
            size = block.units.height
            at = slice(start, start + size)
            ends = [*block.schedule[1:], block.horizon_days]
            for segment, (first, last) in enumerate(zip(block.schedule, ends, strict=True)):
                replaced = replaced_share(
                    self.responses.scheduled_alternatives[segment, at], self.responses.substitution[BEST, at]
                )
                missing = missing_share(
                    block.scheduled_missing[segment],
                    replaced,
                    self.responses.stock_days[BEST, at],
                    float(block.horizon_days),
                )
                total[at] += missing * (last - first) / block.horizon_days
            start += size
        return total

    def _narrowed_by(self, wide: "np.typing.NDArray[np.bool_]") -> list[str | None]:
        """The input group whose collapse to best shrinks the likely range of L's score most; wide rows only."""
        likely = [LIKELY_LOW, LIKELY_HIGH]
        before = self.before["active"][likely]
        relief = {
            "alternatives": self.responses.alternatives["active"],
            "substitution": self.responses.substitution,
            "stocks": self.responses.stock_days,
        }

        def width(missing: Array, known: str) -> Array:
            at = {
                name: (values[[BEST, BEST]] if name == known else mirrored(values)[likely])
                for name, values in relief.items()
            }
            replaced = replaced_share(at["alternatives"], at["substitution"])
            low, high = score(missing_share(missing, replaced, at["stocks"], self.horizon))
            return np.asarray(high - low)

        names = [*RANGE_INPUTS, *relief]
        widths = [
            width(np.concatenate([b.likely_if_known[name] for b in self.blocks], axis=1), name)
            for name in RANGE_INPUTS
        ]
        widths += [width(before, name) for name in relief]
        least = np.stack(widths).argmin(axis=0)
        return [names[place] if is_wide else None for place, is_wide in zip(least, wide, strict=True)]

    def steps_after_law(self, regime: str) -> Array:
        """(4, u) score at best after upstream replacement, alternatives, substitution and stocks."""
        before = self.before[regime][BEST]
        alternatives = self.responses.alternatives[regime][BEST]
        substitution = self.responses.substitution[BEST]
        replaced = replaced_share(alternatives, substitution)
        final = missing_share(before, replaced, self.responses.stock_days[BEST], self.horizon)
        return score(np.stack([before, before * (1 - alternatives), before * (1 - replaced), final]))


__all__ = ["POINTS", "Finisher"]
