"""What the law is known to do next, and what is unverified today, for each party of a mineral and stage."""

from collections.abc import Iterable

import polars as pl

from engine.scoring.inputs import Inputs

UNVERIFIED = "lapsed_unverified"


def by_party(inputs: Inputs, stages: pl.DataFrame) -> pl.DataFrame:
    """Return one row per mineral, stage and party, looking at measures on that stage and on the stages before it.

    A party is the importer of the curbing country's own route, or the exporter of any other.

    Args:
        inputs: the day's frames.
        stages: mineral, stage, stage_order of the chains that are scored.

    Returns:
        mineral, stage, party, next_event, next_event_date, has_unverified_state. Where nothing is known to come but a
        measure is unverified, next_event says which and since when, and has no date.
    """
    measures = inputs["measures"].select(
        "measure_id",
        "clause",
        "notice",
        "mineral",
        "state",
        "state_valid_from",
        item_stage="stage",
        party="importer",
    )
    order = stages.select("mineral", item_stage="stage", item_order="stage_order")
    reached = (
        measures.join(order, on=["mineral", "item_stage"])
        .join(stages, on="mineral")
        .filter(pl.col("item_order") <= pl.col("stage_order"))
    )
    lapsed = pl.col("state") == UNVERIFIED
    unverified = (
        reached.sort(
            "mineral",
            "stage",
            "party",
            "state_valid_from",
            "measure_id",
            descending=[False] * 3 + [True, False],
        )
        .group_by("mineral", "stage", "party", maintain_order=True)
        .agg(
            has_unverified_state=lapsed.any(),
            since=pl.format("{}: unverified since {}", "notice", "state_valid_from").filter(lapsed).first(),
        )
    )
    coming = (
        reached.join(
            inputs["timeline"].select(
                "measure_id", "clause", "valid_from", party="importer", new_state="state"
            ),
            on=["measure_id", "clause", "party"],
        )
        .sort("mineral", "stage", "party", "valid_from", "measure_id", "clause")
        .group_by("mineral", "stage", "party", maintain_order=True)
        .first()
        .select(
            "mineral",
            "stage",
            "party",
            next_event=pl.format("{}: {} becomes {}", "notice", "state", "new_state").str.replace_all(
                "_", " "
            ),
            next_event_date="valid_from",
        )
    )
    return unverified.join(coming, on=["mineral", "stage", "party"], how="left").sort(
        "mineral", "stage", "party"
    )


def binding_days(
    units: pl.DataFrame, inputs: Inputs, ruled: Iterable[pl.DataFrame], stages: pl.DataFrame
) -> pl.Series:
    """Return the days for which measures in force have withheld goods of each unit, at its stage or before; 0 if none.

    Args:
        units: mineral, stage, party.
        inputs: the day's frames.
        ruled: the day's measures with what the rules say of them (item, importer and horizon).
        stages: mineral, stage, stage_order of the chains that are scored.
    """
    kept = ("mineral", "stage", "importer", "start_date")
    biting = [
        part.filter((pl.col("state") == "in_force") & (pl.col("withheld_best") > 0)).select(kept)
        for part in ruled
    ]
    if not biting:
        return pl.repeat(0, units.height, dtype=pl.Int64, eager=True)
    order = stages.select("mineral", item_stage="stage", item_order="stage_order")
    since = (
        pl.concat(biting)
        .unique()
        .select("mineral", "start_date", item_stage="stage", party="importer")
        .join(order, on=["mineral", "item_stage"])
        .join(stages, on="mineral")
        .filter(pl.col("item_order") <= pl.col("stage_order"))
        .group_by("mineral", "stage", "party")
        .agg(since=pl.col("start_date").min())
    )
    return (
        units.join(since, on=["mineral", "stage", "party"], how="left", maintain_order="left")
        .select(((pl.lit(inputs.as_of) - pl.col("since")).dt.total_days()).fill_null(0).clip(lower_bound=0))
        .to_series()
    )
