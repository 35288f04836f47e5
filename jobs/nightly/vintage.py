"""The scores of one day as `mart.score_history` keeps them, taken in as a run delivers its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from ground.words import REGIMES
from jobs.diff.compared import KEYS, LANE_COLUMNS, TOTAL, TOTAL_COLUMNS, columns_of, compared
from jobs.marts import REST

_TAILS = tuple(f"{regime}_missing_share_{end}" for regime in REGIMES for end in ("p10", "p90"))
_BESIDE = ("hindsight", *_TAILS)
_NAMES = {
    name: f"{regime}{ending}"
    for regime in REGIMES
    for name, ending in zip(
        columns_of(regime).values(),
        ("", "_band", "_expected_missing_share", "_expected_missing_t", "_expected_missing_usd"),
        strict=True,
    )
}


class Delivered:
    """Routes and importer totals of a run, a few minerals at a time."""

    def __init__(self) -> None:
        self._routes: list[pl.DataFrame] = []
        self._totals: list[pl.DataFrame] = []

    def take(self, marts: Mapping[str, pl.DataFrame]) -> None:
        """Keep what is compared with other days."""
        if "route_score" in marts:
            self._routes.append(marts["route_score"].select(*LANE_COLUMNS, *_BESIDE, "listing"))
        if "importer_score" in marts:
            self._totals.append(marts["importer_score"].select(*TOTAL_COLUMNS, *_BESIDE))

    @property
    def routes(self) -> pl.DataFrame:
        """All routes."""
        return pl.concat(self._routes, how="vertical_relaxed")

    @property
    def totals(self) -> pl.DataFrame:
        """All importer totals."""
        return pl.concat(self._totals, how="vertical_relaxed")

    @property
    def is_empty(self) -> bool:
        """Whether nothing was scored."""
        return not self._routes

    def history(self, members: Sequence[str]) -> pl.DataFrame:
        """Return the columns of `mart.score_history` but those of the run.

        Args:
            members: countries of the bloc that is an importer by itself.
        """
        routes, totals = self.routes, self.totals
        both = compared(routes, totals, members).rename(_NAMES)
        beside = pl.concat(
            [
                routes.select(*KEYS, *_BESIDE, "listing"),
                totals.select(*_keyed(), *_BESIDE, pl.lit("").alias("listing")),
            ],
            how="vertical_relaxed",
        )
        joined = both.join(beside, on=list(KEYS), how="left", maintain_order="left")
        return joined.filter(pl.col("listing") != REST).drop("listing")


def _keyed() -> list[pl.Expr]:
    return [pl.lit(TOTAL).alias(key) if key == "exporter" else pl.col(key) for key in KEYS]
