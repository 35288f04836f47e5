"""What two nights are compared by: score, band, and what is expected to be missing, of routes and importer totals."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from engine.scoring.blocks import BLOC_AS_IMPORTER
from engine.scoring.exposure import DAYS_A_YEAR
from ground.words import REGIMES
from jobs.ports import Reader

#: Stands for every exporter in the row of an importer's total.
TOTAL = "*"
KEYS = ("mineral", "stage", "exporter", "importer", "horizon_days")
#: Of each regime: score, band, share missing, and what that is in tonnes and money over the horizon.
VALUES = ("score", "band", "share", "t", "usd")
_LANE = ("route_t", "route_usd")
_READ = [
    column for regime in REGIMES for column in (regime, f"{regime}_band", f"{regime}_expected_missing_share")
]
#: Columns of `mart.route_score` and `mart.importer_score` that `compared` reads.
LANE_COLUMNS = (*KEYS, *_READ, *_LANE)
TOTAL_COLUMNS = tuple(name for name in (*KEYS, *_READ) if name != "exporter")
MEMBERS = "SELECT DISTINCT country FROM members_at($as_of, $known_at) WHERE bloc = $bloc ORDER BY country"


def columns_of(regime: str) -> dict[str, str]:
    """Return the columns of one regime by what they hold."""
    return {value: f"{regime}_{value}" for value in VALUES}


def read_compared(reader: Reader) -> pl.DataFrame:
    """Return the compared scores of a published file; see `compared`."""
    run = reader.query("SELECT as_of, known_at FROM meta.run").row(0, named=True)
    members = reader.query(MEMBERS, {**run, "bloc": BLOC_AS_IMPORTER})["country"].to_list()
    lanes, totals = (
        reader.query(f"SELECT {', '.join(names)} FROM mart.{table}")
        for table, names in (("route_score", LANE_COLUMNS), ("importer_score", TOTAL_COLUMNS))
    )
    return compared(lanes, totals, members)


def compared(routes: pl.DataFrame, totals: pl.DataFrame, members: Sequence[str]) -> pl.DataFrame:
    """Lay routes and importer totals out alike.

    Args:
        routes: rows of `mart.route_score`, or those that the engine gives.
        totals: rows of `mart.importer_score`.
        members: countries of the bloc that is an importer by itself.

    Returns:
        KEYS (exporter `*`: the importer's total), and for each regime score (0..100), band, share (0..1), t (t of content)
        and usd (USD) expected to be missing over the horizon. Those of a total are the sums over the lanes into it, as
        in `mart.exposure`: over those whose tonnes, or whose value, are known.
    """
    horizon = pl.col("horizon_days") / DAYS_A_YEAR
    lanes = routes.select(
        *KEYS,
        *_common(),
        *(
            (pl.col(f"{regime}_expected_missing_share") * pl.col(f"route_{unit}") * horizon).alias(
                f"{regime}_{unit}"
            )
            for regime in REGIMES
            for unit in ("t", "usd")
        ),
    )
    bloc = lanes.filter(pl.col("importer").is_in(members) & ~pl.col("exporter").is_in(members))
    into = pl.concat([lanes, bloc.with_columns(importer=pl.lit(BLOC_AS_IMPORTER))])
    keys = [key for key in KEYS if key != "exporter"]
    sums = [f"{regime}_{unit}" for regime in REGIMES for unit in ("t", "usd")]
    # A sum over nothing known is not known either.
    sold = into.group_by(keys).agg(
        pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum()).alias(name) for name in sums
    )
    own = totals.select(*keys, *_common()).join(sold, on=keys, how="left", maintain_order="left")
    order = [*KEYS, *(name for regime in REGIMES for name in columns_of(regime).values())]
    own = own.with_columns(exporter=pl.lit(TOTAL))
    return pl.concat([lanes.select(order), own.select(order)])


def _common() -> list[pl.Expr]:
    return [
        expression
        for regime in REGIMES
        for expression in (
            pl.col(regime).alias(f"{regime}_score"),
            pl.col(f"{regime}_band").alias(f"{regime}_band"),
            pl.col(f"{regime}_expected_missing_share").alias(f"{regime}_share"),
        )
    ]
