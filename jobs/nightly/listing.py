"""Which lanes a list names: floors, and what customs statistics cannot mean. Scores and sums are of all lanes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from jobs.marts import LISTED, OWN, REST, SMALL, UNLISTED

if TYPE_CHECKING:
    from datetime import date

    from engine.language.rules import RuleSet

BUNDLE = "bundle"


@dataclass(frozen=True)
class Floors:
    """From where on a lane is listed: USD a year, share of the importer's supply, share of the stage's trade.

    A bundled code's lane of less than ``rest_t`` tonnes is not a lane that customs statistics can mean.
    """

    usd: float
    supply_share: float
    world_share: float
    rest_t: float

    @classmethod
    def of(cls, ruleset: RuleSet, day: date) -> Floors:
        """Return the floors of a scorecard on a day."""
        return cls(
            usd=ruleset.parameter("listed_from_usd", day).best,
            supply_share=ruleset.parameter("listed_from_supply_share", day).best,
            world_share=ruleset.parameter("listed_from_world_share", day).best,
            rest_t=ruleset.parameter("rest_below_t", day).best,
        )


def with_listing(
    routes: pl.DataFrame, floors: Floors, curbing_country: str, entrepots: Collection[str]
) -> pl.DataFrame:
    """Return the routes with a column ``listing``.

    Args:
        routes: whole stages of `mart.route_score`.
        floors: from where on a lane is listed.
        curbing_country: which is not a victim of its own curbs.
        entrepots: countries that pass goods on, and are not hit either where they buy.

    Returns:
        ``unknown`` where there is no score, ``own`` for lanes into the curbing country and entrepots, ``rest`` for what
        statistics cannot mean and is worth less than the floor, ``small`` below a floor, else ``listed``.
    """
    usd, tonnes = pl.col("route_usd"), pl.col("route_t")
    is_poor = usd < floors.usd
    is_small = (
        is_poor.fill_null(value=False)
        | (pl.col("dependence_share") < floors.supply_share)
        | (tonnes < floors.world_share * tonnes.sum().over("mineral", "stage", "horizon_days"))
    )
    is_rest = (pl.col("trade_basis") == BUNDLE) & (tonnes < floors.rest_t) & is_poor.fill_null(value=True)
    is_own = pl.col("importer").is_in([curbing_country, *entrepots])
    return routes.with_columns(
        listing=pl.when(pl.col("active").is_null())
        .then(pl.lit(UNLISTED))
        .when(is_own)
        .then(pl.lit(OWN))
        .when(is_rest)
        .then(pl.lit(REST))
        .when(is_small)
        .then(pl.lit(SMALL))
        .otherwise(pl.lit(LISTED))
    )
