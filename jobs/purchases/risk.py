"""What the law does to a company's purchases: per line and in sums, out of the same draws as the scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from engine.language.rules import RuleSet
from engine.purchases.losses import (
    Profiles,
    missing_draws,
    shares,
    sums,
    tail_shares,
    weighed,
    worst_draws,
    yearly,
)
from engine.scoring.attribution import Index
from engine.scoring.blocks import Block
from engine.scoring.draws import Numbers
from engine.scoring.evidence import Evidence
from engine.scoring.expect import Expectations
from engine.scoring.exposure import QUANTILES, row_quantile
from engine.scoring.inputs import Inputs
from engine.scoring.portfolio import score_in_parts
from engine.scoring.ranges import Array
from engine.scoring.score import band_index, score
from engine.scoring.steps import BY_NAME
from ground.words import ENDS, MAIN_HORIZON, REGIMES
from jobs.marts import MAIN_REGIME
from jobs.purchases.checks import check_frame
from jobs.purchases.routes import POOL, Routes, Unit, mapped_frame, units_of
from jobs.purchases.store import Portfolio

#: How lines are summed, and by which column; everything is one sum.
GROUPINGS = {
    "part": "part",
    "supplier": "supplier_name",
    "mineral": "mineral",
    "owner": "owner",
    "total": None,
}
EVERYTHING, NOT_NAMED = "*", "(not named)"
UNIT = list(Unit._fields)
PLEDGES = BY_NAME["S2"].column


@dataclass
class KeptGaps:
    """Gaps of the units wanted, at one horizon, as `Expectations` shows them: regime and unit to (D,)."""

    wanted: frozenset[Unit]
    gap: dict[tuple[str, Unit], Array] = field(default_factory=dict)

    def take(self, block: Block, regime: str, gap: Array) -> None:
        """Keep the draws of the units that are wanted."""
        if block.horizon_days != MAIN_HORIZON:
            return
        exporters = [POOL] * block.units.height if block.is_importer else block.units["exporter"].to_list()
        for place, (exporter, importer) in enumerate(zip(exporters, block.units["importer"], strict=True)):
            unit = Unit(block.mineral, block.stage, exporter, importer)
            if unit in self.wanted:
                self.gap[regime, unit] = np.array(
                    np.broadcast_to(gap, (block.units.height, gap.shape[1]))[place]
                )


def purchase_marts(
    portfolio: Portfolio, inputs: Inputs, ruleset: RuleSet, numbers: Numbers, evidence: Evidence
) -> dict[str, pl.DataFrame]:
    """Return the tables `purchase`, `purchase_risk`, `purchase_total`, `purchase_draw` and `purchase_check`, without run_id.

    The minerals concerned are scored again at the main horizon. Draws go by name, so they are those of the run.

    Args:
        portfolio: the company's lines.
        inputs: the day's frames of all minerals.
        ruleset: of the run.
        numbers: of the run.
        evidence: what trade taught in the run.
    """
    routes = Routes(inputs)
    mapped = mapped_frame(portfolio.lines, routes)
    lines = portfolio.lines.join(mapped, on="line_id", how="left", maintain_order="left")
    known = lines.filter(pl.col("exporter").is_not_null())
    units = sorted({unit for line in known.iter_rows(named=True) for unit in units_of(line)})
    kept = KeptGaps(frozenset((*units, *routes.others(known))))
    facts = _scored(units, inputs, ruleset, numbers, evidence, kept)
    lines = _governed(lines, kept.gap)
    known = lines.filter(pl.col("exporter").is_not_null())
    book = Book(known, kept.gap, numbers.draws)
    risk, totals = book.frames(ruleset)
    lines = lines.join(facts, on=UNIT, how="left", maintain_order="left")
    days = (pl.col("next_event_date") - pl.lit(inputs.as_of)).dt.total_days()
    described = lines.with_columns(days_to_next_event=days, origin_is_declared=pl.col("origin").is_not_null())
    about = {name: pl.lit(value) for name, value in asdict(inputs.question).items()}
    about["run_id"] = pl.lit(None, pl.String)
    tables = {
        "purchase": described,
        "purchase_risk": risk,
        "purchase_total": totals,
        "purchase_draw": kept_frame(kept),
        "purchase_check": check_frame(lines, inputs, portfolio.entities),
    }
    return {name: frame.with_columns(**about) for name, frame in tables.items()}


def _governed(lines: pl.DataFrame, gaps: Mapping[tuple[str, Unit], Array]) -> pl.DataFrame:
    """Give a line with a bill of materials the mineral and route that are shortest on average under the law of the day."""
    rows = []
    for line in lines.filter(pl.col("route_parts").list.len() > 0).iter_rows(named=True):
        most = max(units_of(line), key=lambda unit: (float(gaps[MAIN_REGIME, unit].mean()), unit))
        rows.append((line["line_id"], *most))
    found = pl.DataFrame(
        rows, schema=dict.fromkeys(("line_id", *(f"{name}_new" for name in UNIT)), pl.String), orient="row"
    )
    return lines.join(found, on="line_id", how="left", maintain_order="left").with_columns(
        pl.coalesce(f"{name}_new", name).alias(name) for name in UNIT
    ).drop(f"{name}_new" for name in UNIT)  # fmt: skip


def gap_of(line: Mapping[str, Any], regime: str, gaps: Mapping[tuple[str, Unit], Array]) -> Array:
    """Return (D,) the gap of a line; without one of its minerals a part cannot be made, so the largest of them counts."""
    return np.asarray(np.stack([gaps[regime, unit] for unit in units_of(line)]).max(axis=0))


def kept_frame(kept: KeptGaps) -> pl.DataFrame:
    """Return the draws of the gaps: a row per unit, regime and draw."""
    parts = [
        pl.DataFrame({"draw": np.arange(len(gap)), "gap_share": gap}).select(
            *(pl.lit(value).alias(name) for name, value in unit._asdict().items()),
            pl.lit(regime).alias("regime"),
            "draw",
            "gap_share",
        )
        for (regime, unit), gap in sorted(kept.gap.items())
    ]
    schema = {**dict.fromkeys((*UNIT, "regime"), pl.String), "draw": pl.Int64, "gap_share": pl.Float64}
    return pl.concat([pl.DataFrame(schema=schema), *parts], how="vertical_relaxed").sort(
        *UNIT, "regime", "draw"
    )


def _scored(
    units: Sequence[Unit],
    inputs: Inputs,
    ruleset: RuleSet,
    numbers: Numbers,
    evidence: Evidence,
    kept: KeptGaps,
) -> pl.DataFrame:
    """Score the minerals concerned, and return what their routes say: next event and what pledges give."""
    one = replace(ruleset, scorecard=replace(ruleset.scorecard, horizons=(MAIN_HORIZON,)))
    some = inputs.only(sorted({unit.mineral for unit in units}))
    totals = Expectations(numbers, some, one, evidence=evidence, gaps=kept.take)
    found = [pl.DataFrame(schema=_FACTS)]
    for part in score_in_parts(some, one, totals=totals):
        for scores, points in (
            ("route_score", "contribution_wide"),
            ("importer_score", "importer_contribution_wide"),
        ):
            pool = [] if "exporter" in part[scores].columns else [pl.lit(POOL).alias("exporter")]
            keys = [key for key in UNIT if key in part[scores].columns]
            eased = part[points].filter(pl.col("regime") == "active", pl.col("horizon_days") == MAIN_HORIZON)
            frame = part[scores].join(eased.select(*keys, pledge_points=pl.col(PLEDGES)), on=keys, how="left")
            found.append(
                frame.with_columns(*pool).select(pl.col(name).cast(kind) for name, kind in _FACTS.items())
            )
    return pl.concat(found)


_FACTS = {
    **dict.fromkeys(UNIT, pl.String()),
    "next_event": pl.String(), "next_event_date": pl.Date(), "pledge_points": pl.Float64(),
    **dict.fromkeys((f"touched_share_{end}" for end in ENDS), pl.Float64()),
}  # fmt: skip


class Book:
    """Lines on their units, ready to be summed.

    Args:
        lines: those with a unit.   gaps: (D,) of each unit by regime.   draws: D.
    """

    def __init__(self, lines: pl.DataFrame, gaps: Mapping[tuple[str, Unit], Array], draws: int) -> None:
        self.lines, self.draws, self.within = lines, draws, yearly(MAIN_HORIZON)
        parts = pl.col("route_parts").list.join(";").fill_null("")
        keyed = lines.select(*UNIT, "route_parts", key=pl.concat_str(*UNIT, parts, separator="|"))
        places = keyed.unique("key", keep="first", maintain_order=True).with_row_index("at")
        at = keyed.join(places.select("key", "at"), on="key", how="left", maintain_order="left")["at"]
        self.profiles = Profiles.of(
            at.to_numpy().astype(np.intp), lines["stock_days"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        )
        self.gap = {
            regime: np.stack([gap_of(line, regime, gaps) for line in places.iter_rows(named=True)])
            if places.height
            else np.zeros((0, draws))
            for regime in REGIMES
        }
        self.usd = lines["spend_usd"].cast(pl.Float64).fill_null(np.nan).to_numpy() * self.within
        self.tonnes = lines["quantity_t"].cast(pl.Float64).fill_null(np.nan).to_numpy() * self.within

    @classmethod
    def from_marts(cls, lines: pl.DataFrame, draws: pl.DataFrame) -> Book:
        """Return lines of `mart.purchase` on the draws of `mart.purchase_draw`."""
        known = lines.filter(pl.col("exporter").is_not_null())
        by_unit = draws.sort("draw").partition_by("regime", *UNIT, as_dict=True)
        gaps = {
            (str(key[0]), Unit(*map(str, key[1:]))): own["gap_share"].to_numpy()
            for key, own in by_unit.items()
        }
        return cls(known, gaps, len(next(iter(gaps.values()))) if gaps else 0)

    def totals(self) -> pl.DataFrame:
        """Return `purchase_total` of these lines alone."""
        found = [pl.DataFrame(schema=_TOTAL)]
        for regime, gap in self.gap.items():
            worst = self._worst(gap)
            found += [
                self._totals(grouping, column, regime, gap, worst) for grouping, column in GROUPINGS.items()
            ]
        return pl.concat(found)

    def _worst(self, gap: Array) -> Index:
        return worst_draws(self._sums(np.zeros(len(self.usd), dtype=np.intp), 1, gap)[1][0])

    def frames(self, ruleset: RuleSet) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return `purchase_risk` and `purchase_total`."""
        risk = [self._risk(regime, gap, self._worst(gap), ruleset) for regime, gap in self.gap.items()]
        return pl.concat([pl.DataFrame(schema=_RISK), *risk]), self.totals()

    def _risk(self, regime: str, gap: Array, worst: Index, ruleset: RuleSet) -> pl.DataFrame:
        own, at = shares(gap, self.profiles, MAIN_HORIZON), self.profiles.of_line
        tail = tail_shares(gap, self.profiles, MAIN_HORIZON, worst)[at] * self.usd
        points = score(own.missing[at])
        edges = [band.start for band in ruleset.scorecard.bands]
        names = np.array([band.name for band in ruleset.scorecard.bands])
        whole = float(np.nansum(tail))
        frame = pl.DataFrame(
            {
                "line_id": self.lines["line_id"],
                "score": points,
                "band": names[band_index(points, edges)],
                "gap_share": own.gap[at],
                "expected_missing_share": own.missing[at],
                "missing_share_p10": own.missing_p10[at],
                "missing_share_p90": own.missing_p90[at],
                "chance_of_shortage": own.chance[at],
                "gap_usd": own.gap[at] * self.usd,
                "expected_missing_usd": own.missing[at] * self.usd,
                "missing_usd_p10": own.missing_p10[at] * self.usd,
                "missing_usd_p90": own.missing_p90[at] * self.usd,
                "expected_missing_t": own.missing[at] * self.tonnes,
                "missing_t_p10": own.missing_p10[at] * self.tonnes,
                "missing_t_p90": own.missing_p90[at] * self.tonnes,
                "tail_usd": tail,
                "tail_share": tail / whole if whole > 0 else np.full(len(tail), np.nan),
                **{f"days_to_shortage_{name}": own.days[k, at] for k, name in enumerate(QUANTILES)},
            }
        ).fill_nan(None)
        stated = self.lines["stock_days"].is_not_null()
        days = [
            pl.when(stated).then(f"days_to_shortage_{name}").alias(f"days_to_shortage_{name}")
            for name in QUANTILES
        ]
        return frame.with_columns(
            *days, regime=pl.lit(regime), horizon_days=pl.lit(MAIN_HORIZON, pl.Int64)
        ).select(pl.col(name).cast(kind) for name, kind in _RISK.items())

    def _totals(
        self, grouping: str, column: str | None, regime: str, gap: Array, worst: Index
    ) -> pl.DataFrame:
        names = (
            pl.Series([EVERYTHING] * self.lines.height, dtype=pl.String)
            if column is None
            else self.lines[column].fill_null(NOT_NAMED)
        )
        distinct = names.unique().sort()
        group = names.replace_strict(distinct, np.arange(len(distinct)), return_dtype=pl.Int64).to_numpy()
        before, after = self._sums(group, len(distinct), gap)
        ordered = np.sort(after, axis=1)
        usd = pl.Series(self.usd).fill_nan(None)
        spent = self.lines.select(
            name=names, spend_usd=usd, lacks=usd.is_null(),
            undeclared=pl.when(pl.col("origin").is_null()).then(usd).otherwise(0.0),
        ).group_by("name").agg(
            lines=pl.len(), lines_without_spend=pl.col("lacks").sum(), spend_usd=pl.col("spend_usd").sum(), undeclared=pl.col("undeclared").sum(),
        ).sort("name")  # fmt: skip
        tail = after[:, worst].mean(axis=1)
        everything = float(after.sum(axis=0)[worst].mean())
        return spent.with_columns(
            unknown_origin_share=pl.when(pl.col("spend_usd") > 0).then(pl.col("undeclared") / pl.col("spend_usd")),
            gap_usd=before.mean(axis=1), expected_missing_usd=after.mean(axis=1),
            missing_usd_p10=row_quantile(ordered, QUANTILES["p10"]), missing_usd_p90=row_quantile(ordered, QUANTILES["p90"]),
            tail_usd=tail, tail_share=tail / everything if everything > 0 else pl.lit(None, pl.Float64),
            grouping=pl.lit(grouping), regime=pl.lit(regime), horizon_days=pl.lit(MAIN_HORIZON, pl.Int64),
        ).join(self._tonnes(names, distinct, group, gap), on="name", how="left", maintain_order="left").select(
            pl.col(name).cast(kind) for name, kind in _TOTAL.items()
        )  # fmt: skip

    def _sums(self, group: Index, groups: int, gap: Array) -> tuple[Array, Array]:
        weights = weighed(group, self.profiles.of_line, self.usd, (groups, len(self.profiles)))
        return sums(weights, gap, self.profiles, MAIN_HORIZON)

    def _tonnes(self, names: pl.Series, distinct: pl.Series, group: Index, gap: Array) -> pl.DataFrame:
        """Return tonnes missing of groups that buy one good alone and know all its tonnes; other tonnes do not add up."""
        goods = self.lines.select(
            name=names,
            good=pl.concat_str("mineral", "stage", separator=" "),
            lacks=pl.col("quantity_t").is_null(),
        )
        alone = goods.group_by("name").agg(one=(pl.col("good").n_unique() == 1) & ~pl.col("lacks").any())
        weights = weighed(group, self.profiles.of_line, self.tonnes, (len(distinct), len(self.profiles)))
        ordered = np.sort(sums(weights, gap, self.profiles, MAIN_HORIZON)[1], axis=1)
        frame = pl.DataFrame(
            {
                "name": distinct,
                "expected_missing_t": ordered.mean(axis=1),
                "missing_t_p10": row_quantile(ordered, QUANTILES["p10"]),
                "missing_t_p90": row_quantile(ordered, QUANTILES["p90"]),
            }
        )
        known = frame.join(alone, on="name", how="left", maintain_order="left")
        return known.select("name", *(pl.when("one").then(name).alias(name) for name in frame.columns[1:]))


_SHARES = (
    "gap_share",
    "expected_missing_share",
    "missing_share_p10",
    "missing_share_p90",
    "chance_of_shortage",
)
_MONEY = ("gap_usd", "expected_missing_usd", "missing_usd_p10", "missing_usd_p90")
_TONNES = ("expected_missing_t", "missing_t_p10", "missing_t_p90")
_TAIL = ("tail_usd", "tail_share")
_RISK: Mapping[str, pl.DataType] = {
    "line_id": pl.String(), "horizon_days": pl.Int64(), "regime": pl.String(), "score": pl.Float64(), "band": pl.String(),
    **dict.fromkeys((*_SHARES, *_MONEY, *_TONNES, *_TAIL, *(f"days_to_shortage_{name}" for name in QUANTILES)), pl.Float64()),
}  # fmt: skip
_TOTAL: Mapping[str, pl.DataType] = {
    "grouping": pl.String(), "name": pl.String(), "horizon_days": pl.Int64(), "regime": pl.String(),
    "lines": pl.Int64(), "lines_without_spend": pl.Int64(),
    **dict.fromkeys(("spend_usd", "unknown_origin_share", *_MONEY, *_TONNES, *_TAIL), pl.Float64()),
}  # fmt: skip

__all__ = ["GROUPINGS", "KeptGaps", "missing_draws", "purchase_marts"]
