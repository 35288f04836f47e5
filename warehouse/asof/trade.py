"""From coded trade rows and production claims to one row per lane and per producer."""

from __future__ import annotations

import polars as pl

_LANE = ["mineral", "stage", "exporter", "importer"]
_STAGE = ["mineral", "stage"]
#: Why a row cannot become tonnes.
NO_TONNES = "only the value is known, and there is neither a price nor a unit value"


def flow_frame(coded: pl.DataFrame, baselines: pl.DataFrame) -> pl.DataFrame:
    """Sum coded rows to lanes, for the baseline year and the latest year.

    Args:
        coded: rows of queries/flows.sql.
        baselines: rows of queries/baselines.sql.

    Returns:
        Columns as `Inputs.flows` says, sorted by mineral, stage, exporter, importer.
    """
    years = baselines.select(*_STAGE, "baseline_year", "trade_year")
    usable = coded.filter(pl.col("t_best").is_not_null() & (pl.col("exporter") != pl.col("importer")))
    # Sorting first makes sums and the choice of basis the same in every run.
    rows = usable.join(years, on=_STAGE).sort(*_LANE, "year", "hs6", "t_best", "trade_basis")
    base = (
        rows.filter(pl.col("year") == pl.col("baseline_year"))
        .group_by(_LANE, maintain_order=True)
        .agg(
            pl.col("t_low").sum().alias("route_t_low"),
            pl.col("t_best").sum().alias("route_t_best"),
            pl.col("t_high").sum().alias("route_t_high"),
            pl.col("mineral_usd").sum().alias("route_usd"),
            *(_part(end) for end in ("low", "high")),
            *_quality(),
        )
    )
    latest = (
        rows.filter(pl.col("year") == pl.col("trade_year"))
        .group_by(_LANE, maintain_order=True)
        .agg(
            pl.col("t_best").sum().alias("latest_t"),
            *(e.name.prefix("latest_") for e in _quality()),
        )
    )
    joined = base.join(latest, on=_LANE, how="full", coalesce=True).join(years, on=_STAGE, how="left")
    told = ("trade_basis", "is_complete", "is_value_only", "is_hindsight")
    return (
        joined.with_columns(
            *(pl.coalesce(name, f"latest_{name}").alias(name) for name in told),
            *(pl.col(name).fill_null(1.0) for name in ("part_low", "part_high")),
            *(
                pl.col(name).fill_null(0.0)
                for name in ("route_t_low", "route_t_best", "route_t_high", "route_usd", "latest_t")
            ),
        )
        .with_columns(
            pl.col("baseline_year").alias("year"),
            pl.when("is_value_only")
            .then(pl.lit("value_only"))
            .when("is_complete")
            .then(pl.lit("complete"))
            .otherwise(pl.lit("small_flows_missing"))
            .alias("trade_completeness"),
        )
        .select(
            *_LANE,
            "year",
            "route_t_low",
            "route_t_best",
            "route_t_high",
            "route_usd",
            "part_low",
            "part_high",
            "trade_basis",
            "is_complete",
            "trade_completeness",
            "latest_t",
            "trade_year",
            "baseline_year",
            "is_hindsight",
        )
        .sort(_LANE)
    )


def _part(end: str) -> pl.Expr:
    """How much of its codes the mineral may be, over what it is at best; null where nothing is shipped at best."""
    at_best = pl.col("t_best")
    part = (at_best * pl.col(f"share_{end}") / pl.col("share_best")).filter(at_best > 0).sum() / at_best.sum()
    return pl.when(at_best.sum() > 0).then(part).alias(f"part_{end}")


def _quality() -> list[pl.Expr]:
    """Basis of the largest part, and whether any part is incomplete, of value only, or known by hindsight."""
    return [
        pl.col("trade_basis").sort_by("t_best", maintain_order=True).last().alias("trade_basis"),
        pl.col("is_complete").all().alias("is_complete"),
        pl.col("is_value_only").any().alias("is_value_only"),
        pl.col("is_hindsight").any().alias("is_hindsight"),
    ]


def completeness(flows: pl.DataFrame) -> pl.DataFrame:
    """Worst completeness per mineral and stage: value_only only where every lane is."""
    word = pl.col("trade_completeness")
    return (
        flows.group_by(_STAGE)
        .agg(
            pl.when((word == "value_only").all())
            .then(pl.lit("value_only"))
            .when((word == "complete").all())
            .then(pl.lit("complete"))
            .otherwise(pl.lit("small_flows_missing"))
            .alias("trade_completeness")
        )
        .sort(_STAGE)
    )


def unmeasured_frame(coded: pl.DataFrame, baselines: pl.DataFrame) -> pl.DataFrame:
    """Lanes that traded in the baseline year, and none of whose rows can become tonnes.

    Returns:
        Columns as `Inputs.unmeasured` says, sorted by mineral, stage, exporter, importer.
    """
    years = baselines.select(*_STAGE, "baseline_year", "trade_year")
    rows = coded.filter(pl.col("exporter") != pl.col("importer")).join(years, on=_STAGE)
    return (
        rows.filter(pl.col("year") == pl.col("baseline_year"))
        .sort(*_LANE, "hs6", "trade_basis")
        .group_by(_LANE, maintain_order=True)
        .agg(
            pl.col("baseline_year").first(),
            pl.col("trade_year").first(),
            pl.when(pl.col("mineral_usd").is_not_null().any())
            .then(pl.col("mineral_usd").sum())
            .alias("route_usd"),
            pl.col("trade_basis").first(),
            pl.lit("value_only").alias("trade_completeness"),
            pl.col("is_hindsight").any().alias("hindsight"),
            pl.lit(f"no tonnes can be formed: {NO_TONNES}").alias("unknown_reason"),
            pl.col("t_best").is_null().all().alias("is_unmeasured"),
        )
        .filter("is_unmeasured")
        .drop("is_unmeasured")
        .sort(_LANE)
    )


def gap_frame(coded: pl.DataFrame, baselines: pl.DataFrame) -> pl.DataFrame:
    """Count the coded rows that no lane holds, with their reason."""
    years = baselines.select(*_STAGE, "baseline_year", "trade_year")
    reason = (
        pl.when(pl.col("t_best").is_null())
        .then(pl.lit(NO_TONNES))
        .when(pl.col("exporter") == pl.col("importer"))
        .then(pl.lit("exporter and importer are the same"))
    )
    return (
        coded.join(years, on=_STAGE)
        .with_columns(reason.alias("reason"))
        .filter(pl.col("reason").is_not_null())
        .group_by(*_STAGE, "year", "hs6", "reason")
        .agg(pl.len().cast(pl.Int64).alias("row_count"), pl.col("value_usd").sum().cast(pl.Float64))
        .select(*_STAGE, "year", "hs6", "reason", "row_count", "value_usd")
    )


def production_frame(found: pl.DataFrame, baselines: pl.DataFrame, chains: pl.DataFrame) -> pl.DataFrame:
    """Pick each producer's year nearest the baseline year.

    Args:
        found: rows of production_at, all years.
        baselines: baseline year per mineral and stage; where a stage has no trade, the mineral's latest one counts.
        chains: minerals and stages that are scored.

    Returns:
        Columns as `Inputs.production` says, sorted by mineral, stage, country.
    """
    own = baselines.select(*_STAGE, "baseline_year")
    of_mineral = baselines.group_by("mineral").agg(pl.col("baseline_year").max().alias("mineral_year"))
    newest = baselines.get_column("baseline_year").max()
    wanted = (
        chains.select(_STAGE)
        .unique()
        .join(own, on=_STAGE, how="left")
        .join(of_mineral, on="mineral", how="left")
        .select(*_STAGE, pl.coalesce("baseline_year", "mineral_year", pl.lit(newest)).alias("wanted_year"))
    )
    return (
        found.filter(pl.col("country") != "WLD")
        .join(wanted, on=_STAGE)
        .with_columns((pl.col("year") - pl.col("wanted_year")).abs().alias("distance"))
        .sort(*_STAGE, "country", "distance", "year")
        .unique([*_STAGE, "country"], keep="first", maintain_order=True)
        .select(
            *_STAGE,
            "country",
            "production_t_low",
            "production_t_best",
            "production_t_high",
            "qualifier",
            "year",
            (pl.col("country") == "OTH").alias("is_unlisted_total"),
            "is_hindsight",
            "source_id",
        )
    )
