"""Evaluating a factor over a polars frame."""

from datetime import date

import narwhals.stable.v2 as nw
import polars as pl

from engine.compile import combine_expressions, compile_factor
from engine.rules import RuleSet

VALUE_SCHEMA = {
    "value_low": pl.Float64,
    "value_best": pl.Float64,
    "value_high": pl.Float64,
    "rule_id": pl.String,
}


class MissingFeatureError(LookupError):
    """A frame lacks a column that a rule reads."""


def evaluate(ruleset: RuleSet, factor: str, frame: pl.DataFrame, *, on: date) -> pl.DataFrame:
    """What the rules say of a factor, row by row.

    Args:
        ruleset: checked rules.
        factor: its name in the scorecard.
        frame: the features of the factor's grain; a range feature in three columns.
        on: the day whose rules and parameters hold.

    Returns:
        ``value_low, value_best, value_high`` (null: no rule applies) and ``rule_id``, the rule that decided at best,
        in the order of the frame.

    Raises:
        MissingFeatureError: names the column and the rule that reads it.
    """
    if factor not in ruleset.scorecard.factors:
        message = f"the scorecard has no factor '{factor}'; it has {', '.join(ruleset.scorecard.factors)}"
        raise MissingFeatureError(message)
    rules = ruleset.for_factor(factor, on)
    if not rules or not frame.height:
        return pl.DataFrame(schema=VALUE_SCHEMA).clear(frame.height)
    columns = _columns_read(ruleset, factor, frame, on)
    setting = ruleset.scorecard.factors[factor]
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


def _columns_read(ruleset: RuleSet, factor: str, frame: pl.DataFrame, on: date) -> list[str]:
    """The columns that the rules of a factor read, each once.

    Raises:
        MissingFeatureError: names the column and the rule that reads it.
    """
    columns: dict[str, None] = {}
    for rule in ruleset.for_factor(factor, on):
        for name in (rule.score.on, *(condition.feature for condition in rule.conditions)):
            for column in ruleset.features[name].columns if name else ():
                if column not in frame.columns:
                    message = f"{rule.file} reads the feature '{name}', but the frame for '{factor}' has no column {column}"
                    raise MissingFeatureError(message)
                columns[column] = None
    return list(columns)


def evaluate_each(ruleset: RuleSet, factor: str, frame: pl.DataFrame, *, on: date) -> pl.DataFrame:
    """``{rule_id}_low, _best, _high`` of every rule that sets the factor, in the order of the frame.

    Raises:
        MissingFeatureError: names the column and the rule that reads it.
    """
    _columns_read(ruleset, factor, frame, on)
    compiled = compile_factor(ruleset, factor, on)
    return nw.from_native(frame).select(**compiled).to_native()
