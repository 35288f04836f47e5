"""Routes and importers whose score cannot be formed: published empty, with the reason, instead of left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

Marts = Mapping[str, pl.DataFrame]
_KEYS = {
    "route_score": ["mineral", "stage", "exporter", "importer"],
    "importer_score": ["mineral", "stage", "importer"],
}
#: Of an importer nothing is known that belongs to one lane alone.
_OF_A_LANE = ("exporter", "route_usd", "trade_basis", "trade_completeness")


def unknown_scores(
    scored: Marts, unmeasured: pl.DataFrame, horizons: Sequence[int], run: Mapping[str, pl.Expr]
) -> dict[str, pl.DataFrame]:
    """Return rows without a score, in the columns of the scored ones.

    Args:
        scored: route_score and importer_score, of these minerals or empty.
        unmeasured: lanes without tonnes, as `warehouse.asof.inputs.Inputs.unmeasured` gives them.
        horizons: days of each horizon.
        run: values of the columns that are the same in every row.

    Returns:
        The two tables with the unknown rows added and sorted. An importer is unknown only where none of its lanes at
        the stage has tonnes: else its score rests on those that have.
    """
    days = pl.DataFrame({"horizon_days": list(horizons)}, schema={"horizon_days": pl.Int64})
    found = {}
    for name, keys in _KEYS.items():
        rows = unmeasured if name == "route_score" else unmeasured.drop(_OF_A_LANE)
        new = (
            rows.unique(keys, keep="first", maintain_order=True)
            .join(scored[name].select(keys).unique(), on=keys, how="anti")
            .join(days, how="cross")
            .with_columns(**run, flags=pl.lit([], pl.List(pl.String)))
        )
        table = scored[name]
        found[name] = (
            pl.concat(
                [table, new.select(c for c in new.columns if c in table.columns)], how="diagonal_relaxed"
            ).sort(*keys, "horizon_days")
            if new.height
            else table
        )
    return found
