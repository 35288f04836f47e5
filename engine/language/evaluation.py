"""Evaluating a factor over a polars frame."""

from collections.abc import Collection
from datetime import date
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl

from engine.language.compile import combine_expressions, compile_factor, made_of
from engine.language.rules import Factor, RuleSet
from ground.words import ENDS

VALUE_SCHEMA = {
    "value_low": pl.Float64,
    "value_best": pl.Float64,
    "value_high": pl.Float64,
    "rule_id": pl.String,
}


class MissingFeatureError(LookupError):
    """A frame lacks a column that a rule reads."""


def evaluate(ruleset: RuleSet, factor: str, frame: pl.DataFrame, *, on: date) -> pl.DataFrame:
    """Return what the rules say of a factor, row by row.

    Args:
        ruleset: checked rules.
        factor: its name in the scorecard; one that is made of others row by row has no deciding rule.
        frame: the features of the factor's grain; a range feature in three columns.
        on: the day whose rules and parameters hold.

    Returns:
        ``value_low, value_best, value_high`` (null: no rule applies) and ``rule_id``, the rule that decided at best,
        in the order of the frame.

    Raises:
        MissingFeatureError: names the column and the rule that reads it.
    """
    setting = _setting(ruleset, factor)
    if setting.by:
        message = f"'{factor}' sums rows, so a row has no value of it; ask for its total"
        raise MissingFeatureError(message)
    if setting.parts:
        made: pl.DataFrame = with_factor(ruleset, factor, frame, on=on)
        return made.select(*VALUE_SCHEMA)
    rules = ruleset.for_factor(factor, on)
    if not rules or not frame.height:
        return pl.DataFrame(schema=VALUE_SCHEMA).clear(frame.height)
    columns = _columns_read(ruleset, factor, frame.columns, on)
    expressions = combine_expressions([rule.id for rule in rules], setting.combine)
    if setting.order > 1:
        own = evaluate_each(ruleset, factor, frame, on=on)
        return nw.from_native(own).select(*expressions).to_native()
    # In the first pass a measure says the same to most buyers: each combination is asked once.
    combinations = frame.select(columns).unique()
    own = evaluate_each(ruleset, factor, combinations, on=on)
    answers = pl.concat(
        [combinations, nw.from_native(own).select(*expressions).to_native()], how="horizontal"
    )
    found = frame.select(columns).join(
        answers, on=columns, how="left", nulls_equal=True, maintain_order="left"
    )
    return found.select(*VALUE_SCHEMA)


def total(ruleset: RuleSet, factor: str, frame: pl.DataFrame, *, on: date) -> pl.DataFrame:
    """Return a factor that sums rows (``by`` in the scorecard), one row per group.

    Args:
        ruleset: checked rules.
        factor: its name in the scorecard.
        frame: the features of its parts' grain.
        on: the day whose rules and parameters hold.

    Returns:
        The features that it goes by, sorted, then ``value_low, value_best, value_high``: unknown (null) where the
        value of any row of the group is, since a sum without it would read as less exposed.

    Raises:
        MissingFeatureError: the factor sums no rows, or the frame lacks a column.
    """
    setting = _setting(ruleset, factor)
    keys = list(setting.by)
    if not keys:
        message = f"'{factor}' sums no rows: the scorecard gives it no by:"
        raise MissingFeatureError(message)
    known = [pl.when(pl.col(c).null_count() == 0).then(pl.col(c).sum()) for c in (f"value_{e}" for e in ENDS)]
    rows: pl.DataFrame = with_factor(ruleset, factor, frame, on=on)
    return rows.group_by(keys, maintain_order=True).agg(known).sort(keys)


def with_factor(ruleset: RuleSet, factor: str, frame: Any, *, on: date) -> Any:
    """Return the same, for any frame that narwhals knows: lazy ones stay lazy, and a DuckDB relation stays in DuckDB.

    Args:
        ruleset: checked rules.
        factor: its name in the scorecard; of one that sums rows, what each row brings to the sum.
        frame: polars (lazy or not), a DuckDB relation, PySpark and others, with the columns that the rules read.
        on: the day whose rules and parameters hold.

    Returns:
        The frame with ``value_low, value_best, value_high, rule_id`` behind its own columns; see ``evaluate``.

    Raises:
        MissingFeatureError: names the column and the rule that reads it.
    """
    setting = _setting(ruleset, factor)
    given = nw.from_native(frame)
    own = list(given.collect_schema().names())
    if setting.parts:
        for part in setting.parts:
            given = nw.from_native(with_factor(ruleset, part, given.to_native(), on=on))
            given = given.rename({f"value_{end}": f"{part}_{end}" for end in ENDS}).drop("rule_id")
        values = made_of(setting.parts, setting.combine)
        return given.select(*own, *values, nw.lit(None, dtype=nw.String).alias("rule_id")).to_native()
    rules = [rule.id for rule in ruleset.for_factor(factor, on)]
    if not rules:
        nothing = [nw.lit(None, dtype=nw.Float64).alias(f"value_{end}") for end in ENDS]
        return given.select(*own, *nothing, nw.lit(None, dtype=nw.String).alias("rule_id")).to_native()
    _columns_read(ruleset, factor, own, on)
    each = given.select(*own, **compile_factor(ruleset, factor, on))
    return each.select(*own, *combine_expressions(rules, setting.combine)).to_native()


def _setting(ruleset: RuleSet, factor: str) -> Factor:
    if factor not in ruleset.scorecard.factors:
        message = f"the scorecard has no factor '{factor}'; it has {', '.join(ruleset.scorecard.factors)}"
        raise MissingFeatureError(message)
    return ruleset.scorecard.factors[factor]


def _columns_read(ruleset: RuleSet, factor: str, given: Collection[str], on: date) -> list[str]:
    """Return the columns that the rules of a factor read, each once.

    Raises:
        MissingFeatureError: names the column and the rule that reads it.
    """
    columns: dict[str, None] = {}
    for rule in ruleset.for_factor(factor, on):
        for name in (rule.score.on, *(condition.feature for condition in rule.conditions)):
            for column in ruleset.features[name].columns if name else ():
                if column not in given:
                    message = f"{rule.file} reads the feature '{name}', but the frame for '{factor}' has no column {column}"
                    raise MissingFeatureError(message)
                columns[column] = None
    return list(columns)


def evaluate_each(ruleset: RuleSet, factor: str, frame: pl.DataFrame, *, on: date) -> pl.DataFrame:
    """Return ``{rule_id}_low, _best, _high`` of every rule that sets the factor, in the order of the frame.

    Raises:
        MissingFeatureError: names the column and the rule that reads it.
    """
    _columns_read(ruleset, factor, frame.columns, on)
    compiled = compile_factor(ruleset, factor, on)
    return nw.from_native(frame).select(**compiled).to_native()
