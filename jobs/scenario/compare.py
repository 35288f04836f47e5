"""A scenario beside the facts as they are: the same draws, so that a difference is no noise of sampling.

Differences are formed inside each draw, lane by lane and in the sums of every buyer, and only then summed up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import polars as pl

from engine.scoring.blocks import Block
from engine.scoring.doubt import Draws
from engine.scoring.exposure import DAYS_A_YEAR, QUANTILES, row_quantile
from engine.scoring.portfolio_doubt import EVERY
from engine.scoring.ranges import Array

Stage = tuple[str, str]
LANE = ("mineral", "stage", "exporter", "importer")
ENDS = ("p10", "p90")
BUYER_SCHEMA = {
    **dict.fromkeys(("importer", "mineral", "stage"), pl.String),
    **{
        f"{name}_{unit}": pl.Float64
        for unit in ("t", "usd")
        for name in ("traded", "base_missing", "missing", "change_missing", "change_p10", "change_p90")
    },
    "lanes_without_usd": pl.Int64,
}
LANE_SCHEMA = {
    **dict.fromkeys(LANE, pl.String),
    **dict.fromkeys(
        (
            "route_t", "route_usd", "base_expected_missing_share", "expected_missing_share",
            "change_share", "change_share_p10", "change_share_p90",
        ),
        pl.Float64,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Lanes:
    """The lanes of one stage and L of each in every draw, (u, D)."""

    units: pl.DataFrame
    missing: Draws


@dataclass
class Kept:
    """L of the lanes of one horizon and regime, as `Expectations` shows it."""

    horizon_days: int
    regime: str
    stages: dict[Stage, Lanes] = field(default_factory=dict)

    def take(self, block: Block, regime: str, missing: Draws) -> None:
        """Keep the draws of a block of lanes."""
        if regime == self.regime and block.horizon_days == self.horizon_days and not block.is_importer:
            units = block.units.select("exporter", "importer", "route_usd", route_t="route_t_best")
            self.stages[block.mineral, block.stage] = Lanes(units, missing)


@dataclass(frozen=True)
class Differences:
    """What a scenario moves: see LANE_SCHEMA and BUYER_SCHEMA; money and tonnes are those of the horizon."""

    lanes: pl.DataFrame
    buyers: pl.DataFrame


@dataclass
class _Sum:
    """Sums of a buyer's lanes in every draw: traded, and missing (2, D) without and with the scenario.

    Lanes of unknown size are counted, not summed; where no lane is known, neither is the sum.
    """

    traded: float = 0.0
    missing: Array | None = None
    unknown: int = 0

    def add(self, yearly: pl.Series, share_of_year: float, taken: Array) -> Self:
        """Take in lanes: tonnes or USD a year (k,), and the shares missing of each (2, k, D)."""
        known = np.flatnonzero(yearly.is_not_null())
        self.unknown += yearly.null_count()
        if len(known):
            size = yearly.drop_nulls().to_numpy() * share_of_year
            missing = size @ taken[:, known]
            self.traded += float(size.sum())
            self.missing = missing if self.missing is None else self.missing + missing
        return self

    def figures(self, unit: str) -> dict[str, float]:
        """Return the columns of the sum in a unit; none where nothing is known."""
        if self.missing is None:
            return {}
        before, after = self.missing
        change = np.sort(after - before)[None]
        return {
            f"traded_{unit}": self.traded,
            f"base_missing_{unit}": float(before.mean()),
            f"missing_{unit}": float(after.mean()),
            f"change_missing_{unit}": float(change.mean()),
            **{f"change_{name}_{unit}": float(row_quantile(change, QUANTILES[name])[0]) for name in ENDS},
        }


def differences(base: Kept, scenario: Kept, buys: Mapping[str, Iterable[str]]) -> Differences:
    """Compare two sets of draws on the same lanes.

    Args:
        base: without the scenario.
        scenario: with it; of the minerals that it moves.
        buys: for each country the buyers that it is part of, see `engine.scoring.exposure.buyers_of`.
    """
    lanes, rows = [pl.DataFrame(schema=LANE_SCHEMA)], []
    money: dict[tuple[str, str], _Sum] = {}
    share_of_year = base.horizon_days / DAYS_A_YEAR
    for (mineral, stage), after in sorted(scenario.stages.items(), key=lambda one: one[0]):
        before = base.stages[mineral, stage]
        if not before.units.equals(after.units):
            message = f"{mineral} {stage}: the lanes of the scenario are not those of the base"
            raise ValueError(message)
        lanes.append(_lanes(mineral, stage, before, after))
        both = np.stack([before.missing, after.missing])  # (2, u, D)
        for buyer, own in _by_buyer(before.units, buys).items():
            picked, taken = before.units[own], both[:, own].astype(np.float64)
            sums = {unit: _Sum().add(picked[f"route_{unit}"], share_of_year, taken) for unit in ("t", "usd")}
            row: dict[str, object] = {"importer": buyer, "mineral": mineral, "stage": stage}
            row |= {
                name: value for unit, own_sum in sums.items() for name, value in own_sum.figures(unit).items()
            }
            rows.append({**row, "lanes_without_usd": sums["usd"].unknown})
            for scope in (mineral, EVERY):
                money.setdefault((buyer, scope), _Sum()).add(picked["route_usd"], share_of_year, taken)
    rows += [
        {
            "importer": buyer,
            "mineral": mineral,
            "stage": EVERY,
            **total.figures("usd"),
            "lanes_without_usd": total.unknown,
        }
        for (buyer, mineral), total in money.items()
    ]
    buyers = pl.DataFrame(rows, schema=BUYER_SCHEMA).sort("importer", "mineral", "stage")
    return Differences(pl.concat(lanes), buyers)


def _lanes(mineral: str, stage: str, before: Lanes, after: Lanes) -> pl.DataFrame:
    change = np.sort(after.missing - before.missing, axis=1)
    frame = before.units.select(
        pl.lit(mineral).alias("mineral"),
        pl.lit(stage).alias("stage"),
        "exporter",
        "importer",
        "route_t",
        "route_usd",
        pl.Series("base_expected_missing_share", before.missing.mean(axis=1, dtype=np.float64)),
        pl.Series("expected_missing_share", after.missing.mean(axis=1, dtype=np.float64)),
        pl.Series("change_share", change.mean(axis=1, dtype=np.float64)),
        *(pl.Series(f"change_share_{name}", row_quantile(change, QUANTILES[name])) for name in ENDS),
    )
    return frame.select(list(LANE_SCHEMA))


def _by_buyer(units: pl.DataFrame, buys: Mapping[str, Iterable[str]]) -> dict[str, Array]:
    """Return the places of the lanes that each buyer buys on; what moves between members of a bloc is no import of it."""
    found: dict[str, list[int]] = {}
    for place, (exporter, importer) in enumerate(units.select("exporter", "importer").iter_rows()):
        of_exporter = set(buys.get(exporter, ()))
        for buyer in buys.get(importer, ()):
            if buyer in (importer, EVERY) or buyer not in of_exporter:
                found.setdefault(buyer, []).append(place)
    return {buyer: np.array(places, dtype=np.intp) for buyer, places in found.items()}
