"""Comparing two editions of the same public data set: what is lost, what is new, what was revised and by how much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from ground.counted import counted

#: A new edition that loses more than this share of the earlier one's rows is stopped until it is accepted.
MOST_LOST_SHARE = 0.1
#: So is one in which a world total moves by more than this share of the earlier one.
MOST_MOVED_SHARE = 0.5
#: Figures that differ by less are one figure, written with more or fewer digits.
SAME_SHARE = 1e-5
_AGGREGATES = ("WLD", "OTH")


@dataclass(frozen=True, slots=True)
class Series:
    """How a fact table is compared.

    Attributes:
        key: columns that name one figure, whatever edition it is in.
        value: the figure.
        group: columns that name a world total; empty where figures do not add up.
        scope: columns whose values in the later edition say what is compared at all.
    """

    key: tuple[str, ...]
    value: str
    group: tuple[str, ...] = ()
    scope: tuple[str, ...] = ("year",)


SERIES: Mapping[str, Series] = {
    "trade": Series(
        ("hs_revision", "hs6", "year", "exporter", "importer"),
        "value_usd",
        ("hs_revision", "hs6", "year"),
        ("hs_revision", "year"),
    ),
    "production": Series(
        ("mineral", "stage", "year", "country"), "production_t_best", ("mineral", "stage", "year")
    ),
    "reserves": Series(("mineral", "claim_kind", "country"), "reserves_t", ("mineral", "claim_kind"), ()),
    "capacity": Series(
        ("mineral", "stage", "country", "site", "valid_from"),
        "capacity_t_best",
        ("mineral", "stage", "valid_from"),
        ("valid_from",),
    ),
    "governance": Series(("indicator", "year", "country"), "estimate"),
    "import_shares": Series(("mineral", "form", "importer", "exporter"), "import_share", scope=()),
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One table in two editions, over the years (and revisions of the nomenclature) that both have.

    Attributes:
        table: fact table.
        earlier: figures of the earlier edition.
        later: figures of the later edition.
        lost: keys with a figure that only the earlier one has, with `earlier`.
        new: keys that only the later one has, with `later`.
        revised: keys with another figure: `earlier`, `later`, `ratio`; the largest change first.
        totals: world totals: `earlier`, `later`, `ratio`, over keys that both have; the largest change first.
    """

    table: str
    earlier: int
    later: int
    lost: pl.DataFrame
    new: pl.DataFrame
    revised: pl.DataFrame
    totals: pl.DataFrame

    @property
    def lost_share(self) -> float:
        """Share of the earlier edition's figures that the later one lacks."""
        return self.lost.height / self.earlier if self.earlier else 0.0

    @property
    def drift(self) -> list[str]:
        """Why the later edition should not be taken without a look; empty where nothing is out of bounds."""
        said = []
        if self.lost_share > MOST_LOST_SHARE:
            said.append(
                f"{self.table}: {self.lost.height:,} of {counted(self.earlier, 'row')} of the earlier edition missing "
                f"({self.lost_share:.0%}, more than {MOST_LOST_SHARE:.0%})"
            )
        moved = self.totals.filter((pl.col("ratio") - 1).abs() > MOST_MOVED_SHARE)
        for row in moved.iter_rows(named=True):
            names = " ".join(str(row[name]) for name in SERIES[self.table].group)
            said.append(
                f"{self.table}: the world total of {names} moved from {row['earlier']:,.0f} to {row['later']:,.0f}, "
                f"by more than {MOST_MOVED_SHARE:.0%}"
            )
        return said


def compare_editions(table: str, earlier: pl.DataFrame, later: pl.DataFrame) -> Comparison | None:
    """Compare one fact table in two editions.

    Args:
        table: a key of SERIES; other tables are not compared.
        earlier: rows of the earlier edition.
        later: rows of the later edition.

    Returns:
        The comparison; None where the table is not one that editions revise, or one of them has no row of it.
    """
    series = SERIES.get(table)
    if series is None or earlier.is_empty() or later.is_empty():
        return None
    if series.scope:
        both = list(series.scope)
        earlier, later = earlier.join(later, on=both, how="semi"), later.join(earlier, on=both, how="semi")
    old, new = _figures(earlier, series, "earlier"), _figures(later, series, "later")
    matched = old.join(new, on=list(series.key), how="inner", nulls_equal=True)
    ratio = (pl.col("later") / pl.col("earlier")).alias("ratio")
    change = (pl.col("later") - pl.col("earlier")).abs()
    same = (change <= SAME_SHARE * pl.col("earlier").abs()).fill_null(
        pl.col("earlier").is_null() & pl.col("later").is_null()
    )
    revised = matched.filter(~same).with_columns(ratio)
    return Comparison(
        table,
        old.height,
        new.height,
        # A row without a figure (withheld, not available) cannot be lost.
        old.drop_nulls("earlier")
        .join(new, on=list(series.key), how="anti", nulls_equal=True)
        .sort(series.key),
        new.join(old, on=list(series.key), how="anti", nulls_equal=True).sort(series.key),
        _largest_first(revised, series.key),
        _totals(old, new, series),
    )


def _figures(frame: pl.DataFrame, series: Series, name: str) -> pl.DataFrame:
    """Return one figure per key: forms of one source add up, a withheld figure stays unknown."""
    value = pl.col(series.value)
    total = pl.when(value.count() > 0).then(value.sum()) if series.group else value.first()
    return frame.group_by(series.key).agg(total.alias(name))


def _totals(old: pl.DataFrame, new: pl.DataFrame, series: Series) -> pl.DataFrame:
    """World totals of both editions, published aggregates left out."""
    if not series.group:
        return pl.DataFrame(schema={"earlier": pl.Float64, "later": pl.Float64, "ratio": pl.Float64})
    place = next((name for name in ("country", "exporter") if name in series.key), "")
    sums = [
        frame.filter(~pl.col(place).is_in(_AGGREGATES)).group_by(series.group).agg(pl.col(name).sum())
        for frame, name in ((old, "earlier"), (new, "later"))
    ]
    both = sums[0].join(sums[1], on=list(series.group), how="inner").filter(pl.col("earlier") > 0)
    return _largest_first(
        both.with_columns((pl.col("later") / pl.col("earlier")).alias("ratio")), series.group
    )


def _largest_first(frame: pl.DataFrame, key: tuple[str, ...]) -> pl.DataFrame:
    change = (pl.col("later") - pl.col("earlier")).abs()
    return frame.sort(change, *key, descending=[True, *(False for _ in key)], nulls_last=True)
