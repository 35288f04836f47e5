"""How much of its codes a mineral is, on each lane and in every draw.

The part of a code that is the mineral is often a judgement. It moves the tonnes and the money of a lane, so it belongs
into the range of what is missing of them. Expected tonnes and money stay those at best: parts are taken over their mean.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from engine.scoring.attribution import Index
from engine.scoring.doubt import Draws
from engine.scoring.draws import quantile
from engine.scoring.world import DrawnStage


@dataclass(frozen=True)
class Parts:
    """The lanes whose part is uncertain.

    Attributes:
        at: (k,) places of the routes.   over_mean: (k, D) the part in every draw, over its mean.
    """

    at: Index
    over_mean: Draws

    def of(self, missing: Draws) -> Draws:
        """Return (k, D) what is missing of a year's trade at best, given the share missing (routes, D)."""
        return missing[self.at] * self.over_mean


def drawn_parts(flows: pl.DataFrame, places: tuple[Index, Index], stage: DrawnStage, spread: str) -> Parts:
    """Return the uncertain parts of a stage.

    Args:
        flows: routes of the stage.
        places: exporters and importers of the routes.
        stage: its lanes in every draw, sorted; a route that ships nothing in any of them has none.
        spread: how inputs are drawn.
    """
    low, high = (flows[f"part_{end}"].fill_null(1.0).to_numpy() for end in ("low", "high"))
    n = stage.production_t.shape[1]
    lanes, routes = (
        exporter * n + importer for exporter, importer in ((stage.exporter, stage.importer), places)
    )
    at = np.flatnonzero((high > low) & np.isin(routes, lanes))
    lane = np.searchsorted(lanes, routes[at])
    ends = np.stack([low[at], np.clip(1.0, low[at], high[at]), high[at]])
    part = quantile(ends, stage.u[:, lane], spread)
    if stage.room is not None:
        part = low[at] + (part - low[at]) * stage.room[:, lane]
    mean = part.mean(axis=0)
    return Parts(at, (part / np.where(mean > 0, mean, 1.0)).T.astype(np.float32))
