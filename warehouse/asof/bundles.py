"""Bundles: a trade code that holds several goods, and an ore that holds several elements.

Each good's share of its bundle is a range, and the highest shares together may be more than the whole. Which goods
stand together is told here, so that whoever draws the shares can hold them to their whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from ground.words import ENDS

_SHARE = [f"share_{end}" for end in ENDS]
_STAGE = ["mineral", "stage"]
_LANE = [*_STAGE, "exporter", "importer"]
_GOOD = [*_STAGE, "form", *_SHARE]
_MORE_THAN_WHOLE: Final = 1 + 1e-9  # shares are stated with rounding


@dataclass(frozen=True)
class Bundles:
    """Which bundles can be overfull, and what is a part of them.

    Attributes:
        goods: mineral, bundle, good (from 0; a good counted for several contents, as a magnet's Nd and Dy, is one), kind
            (trade or production), good_mineral, good_stage, country, share_low, share_best, share_high. What a bundle
            is made of is told again for each mineral that is in it.
    trade: mineral, stage, exporter, importer, bundle, part_t_low, part_t_best, part_t_high: what of a lane is
            shipped under the code, in tonnes of content.
        production: mineral, stage, country, bundle: production that is a share of an ore.
    """

    goods: pl.DataFrame
    trade: pl.DataFrame
    production: pl.DataFrame


def bundles_of(
    coded: pl.DataFrame, baselines: pl.DataFrame, production: pl.DataFrame, splits: pl.DataFrame
) -> Bundles:
    """Return the bundles of the baseline year whose highest shares add up to more than the whole.

    Args:
        coded: rows of queries/flows.sql.
        baselines: rows of queries/baselines.sql.
        production: as `Inputs.production` says.
        splits: rows of production_split_at.
    """
    codes = _codes(coded, baselines)
    ores = _ores(production, splits)
    own = ["kind", "country", "whole"]
    overfull = (
        pl.concat([codes.select(*own, *_GOOD), ores.select(*own, *_GOOD)])
        .unique()
        .sort(*own, *_GOOD)
        # One good counted for several contents has one form and one share: it takes its room once.
        .with_columns(good=(pl.struct("form", *_SHARE).rank("dense").over(own) - 1).cast(pl.Int64))
        .with_columns(first=pl.col("good").is_first_distinct().over(own))
        .filter(pl.col("share_high").filter("first").sum().over(own) > _MORE_THAN_WHOLE)
        .drop("first")
    )
    # Most lanes of an exporter have the same shares: what is the same is one bundle, named after the first of them.
    made_of = overfull.group_by(own, maintain_order=True).agg(made_of=pl.struct("good", *_GOOD))
    same = ["kind", "country", pl.col("made_of").hash(seed=0)]
    named = made_of.with_columns(
        bundle=pl.concat_str("kind", "country", pl.col("whole").min().over(same), separator="/")
    )
    goods = (
        named.unique("bundle", keep="first", maintain_order=True)
        .with_columns(mineral=pl.col("made_of").list.eval(pl.element().struct.field("mineral").unique()))
        .explode("mineral")
        .explode("made_of")
        .with_columns(
            pl.col("made_of").struct.field("good", *_SHARE),
            good_mineral=pl.col("made_of").struct.field("mineral"),
            good_stage=pl.col("made_of").struct.field("stage"),
        )
        .select("mineral", "bundle", "good", "kind", "good_mineral", "good_stage", "country", *_SHARE)
        .sort("mineral", "bundle", "good", "good_mineral", "good_stage")
    )
    of = named.select(*own, "bundle")
    return Bundles(
        goods,
        codes.join(of, on=own)
        .select(*_LANE, "bundle", *(pl.col(f"t_{end}").alias(f"part_t_{end}") for end in ENDS))
        .sort(*_LANE, "bundle", "part_t_best"),
        ores.join(of, on=own).select(*_STAGE, "country", "bundle").unique().sort(*_STAGE, "country"),
    )


def _codes(coded: pl.DataFrame, baselines: pl.DataFrame) -> pl.DataFrame:
    """Return the parts of lanes in the baseline year, each with its whole: what is shipped under one code."""
    years = baselines.select(*_STAGE, year="baseline_year")
    return (
        coded.join(years, on=[*_STAGE, "year"])
        .filter((pl.col("t_high") > 0) & (pl.col("exporter") != pl.col("importer")))
        .with_columns(
            kind=pl.lit("trade"),
            country="exporter",
            whole=pl.concat_str("hs6", "share_of", "importer", pl.col("year").cast(pl.String), separator="/"),
        )
    )


def _ores(production: pl.DataFrame, splits: pl.DataFrame) -> pl.DataFrame:
    """Return the shares of elements whose production is derived from a group's, each with its whole."""
    derived = production.filter(pl.col("qualifier") == "derived").select(*_STAGE, "country", "year")
    shares = splits.group_by("group_mineral", *_STAGE, "country", "year").agg(
        pl.col("share_low").min(),
        pl.col("share_best")
        .sort_by("grade", "known_from", "split_id", descending=[False, True, False])
        .first(),
        pl.col("share_high").max(),
    )
    return shares.join(derived, on=[*_STAGE, "country", "year"]).with_columns(
        kind=pl.lit("production"),
        form="mineral",
        whole=pl.concat_str("group_mineral", "stage", pl.col("year").cast(pl.String), separator="/"),
    )
