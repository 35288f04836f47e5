"""The second pass: what rules on alternatives, substitution, stocks and flags say of every unit (method section 5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from engine.language.evaluation import evaluate, evaluate_each
from engine.language.rules import RuleSet
from engine.scoring.blocks import Block
from engine.scoring.inputs import Inputs, ends
from engine.scoring.ranges import BEST, HIGH, LOW, Array, three_points
from ground.words import ENDS, REGIMES

EVERY_EXPORTER = "*"
SHARES = np.linspace(0.0, 1.0, 33)


@dataclass(frozen=True)
class Responses:
    """Values for ``u`` units, in the order of the blocks.

    Attributes:
        alternatives: regime to (3, u).
        substitution, stock_days, transit_days: (3, u).
        rule_ids: factor to (u,) the rule that decided at best.
        curves: mineral, stage and horizon to what the alternatives rules say at ``SHARES``.
        flags: (u,) ids of the flag rules that apply, separated by semicolons; null where none does.
    """

    alternatives: dict[str, Array]
    substitution: Array
    stock_days: Array
    transit_days: Array
    rule_ids: dict[str, pl.Series]
    flags: pl.Series
    curves: Mapping[tuple[str, str, int], Array]

    def alternatives_at(self, mineral: str, stage: str, horizon_days: int, share: Array) -> Array:
        """Return what the rules make of a replaceable share of the loss; linear between the points asked."""
        curve = self.curves[mineral, stage, horizon_days]
        return np.asarray(np.interp(share, SHARES, curve))


def unit_frame(blocks: Sequence[Block], inputs: Inputs, notes: pl.DataFrame) -> pl.DataFrame:
    """Return one row per unit and horizon, with the route features that need no regime.

    Args:
        blocks: in order.
        inputs: the day's frames.
        notes: mineral, stage, reconciliation, is_hindsight.
    """
    parts = []
    for block in blocks:
        units = (
            block.units
            if not block.is_importer
            else block.units.with_columns(exporter=pl.lit(EVERY_EXPORTER))
        )
        parts.append(
            units.with_columns(
                pl.lit(block.horizon_days, pl.Int64).alias("horizon_days"),
                pl.lit(block.is_importer).alias("is_importer"),
                pl.Series("dependence_share", block.dependence),
                *(pl.Series(f"touched_share_{end}", block.touched[p]) for end, p in _ENDS),
            )
        )
    hubs = inputs["countries"].filter("is_entrepot")["country"]
    frame = pl.concat(parts, how="diagonal_relaxed")
    exact = [
        (notes, ["mineral", "stage"]),
        (inputs["substitution"], ["mineral", "horizon_days"]),
        (inputs["stocks"], ["mineral", "importer"]),
        (inputs["transit"], ["exporter", "importer"]),
    ]
    for table, keys in exact:
        frame = frame.join(table, on=keys, how="left", maintain_order="left")
    return frame.with_columns(
        is_entrepot=pl.col("exporter").is_in(hubs.implode()) | pl.col("importer").is_in(hubs.implode()),
        latest_to_baseline_share=pl.when(pl.col("route_t_best") > 0).then(
            pl.col("latest_t") / pl.col("route_t_best")
        ),
    )


_ENDS = (("low", LOW), ("best", BEST), ("high", HIGH))


def respond(blocks: Sequence[Block], frame: pl.DataFrame, inputs: Inputs, ruleset: RuleSet) -> Responses:
    """Evaluate the second-pass factors. A unit to which no rule applies has no relief: 0."""
    rule_ids: dict[str, pl.Series] = {}

    def run(factor: str, at: pl.DataFrame) -> Array:
        value = evaluate(ruleset, factor, at, on=inputs.as_of)
        rule_ids.setdefault(factor, value["rule_id"])
        low, best, high = (value[f"value_{end}"].fill_null(0.0).to_numpy() for end in ENDS)
        return three_points(low, best, high)

    alternatives = {
        regime: run("alternatives", _with_share(frame, [b.regimes[regime].alternatives for b in blocks]))
        for regime in REGIMES
    }
    unknown = ruleset.parameter("unknown_transit_days", inputs.as_of)
    spans = zip(ends("transit_days"), (unknown.low, unknown.best, unknown.high), strict=True)
    low, best, high = (frame[column].cast(pl.Float64).fill_null(value).to_numpy() for column, value in spans)
    return Responses(
        alternatives,
        run("substitution", frame),
        run("stock_days", frame),
        three_points(low, best, high),
        rule_ids,
        _flags(frame, inputs, ruleset),
        _curves(frame, inputs, ruleset),
    )


def _curves(frame: pl.DataFrame, inputs: Inputs, ruleset: RuleSet) -> dict[tuple[str, str, int], Array]:
    """Return what the alternatives rules say of known shares, asked once for each mineral, stage and horizon.

    A rule may read more of a route than these (its importer, say); the first route then represents the others.
    """
    keys = ["mineral", "stage", "horizon_days"]
    heads = frame.unique(keys, keep="first", maintain_order=True)
    shares = pl.DataFrame({f"alternative_share_{end}": SHARES for end, _ in _ENDS})
    asked = heads.drop(shares.columns, strict=False).join(shares, how="cross", maintain_order="left_right")
    value = evaluate(ruleset, "alternatives", asked, on=inputs.as_of)["value_best"].fill_null(0.0).to_numpy()
    found = value.reshape(heads.height, len(SHARES))
    return {
        (m, s, int(h)): curve for (m, s, h), curve in zip(heads.select(keys).iter_rows(), found, strict=True)
    }


def _flags(frame: pl.DataFrame, inputs: Inputs, ruleset: RuleSet) -> pl.Series:
    rules = [rule.id for rule in ruleset.for_factor("flag", inputs.as_of)]
    if not rules:
        return pl.Series("flags", [None] * frame.height, dtype=pl.String)
    each = evaluate_each(ruleset, "flag", frame, on=inputs.as_of)
    raised = [pl.when(pl.col(f"{rule}_best") > 0).then(pl.lit(rule)) for rule in rules]
    return each.select(
        pl.concat_str(raised, separator=";", ignore_nulls=True).replace("", None).alias("flags")
    )["flags"]


def _with_share(frame: pl.DataFrame, shares: list[Array]) -> pl.DataFrame:
    every = np.concatenate(shares, axis=1)
    return frame.with_columns(
        pl.Series(f"alternative_share_{end}", every[p]).fill_nan(None) for end, p in _ENDS
    )
