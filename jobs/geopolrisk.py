"""The GeoPolRisk score of routes and importers, from the published facts and a rule set of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from engine.language.evaluation import evaluate, total
from engine.language.rules import RuleSet
from ground.words import ENDS
from jobs.asked import question_of_run
from jobs.errors import InputError
from jobs.output.layout import Snapshot
from jobs.resources import default_rules_dir
from jobs.suggest import did_you_mean
from warehouse.asof.inputs import Inputs
from warehouse.asof.state import Warehouse
from warehouse.database import Database

METHOD = "geopolrisk"
ROUTE_SCORE, IMPORTER_SCORE = "route_score", "importer_score"
KEYS = ["mineral", "stage", "importer"]


@dataclass(frozen=True)
class Scores:
    """One year's scores.

    Attributes:
        year: of trade, production and governance.
        routes: per mineral, stage, importer and exporter: the features, ``route_score_low, _best, _high`` and
            ``unknown_reason``.
        importers: per mineral, stage and importer: the sum of its routes, likewise; ``routes`` counts them.
    """

    year: int
    routes: pl.DataFrame
    importers: pl.DataFrame


def score(snapshot: Snapshot, ruleset: RuleSet, year: int | None) -> Scores:
    """Score one year of a published file, as it was known on the file's day of knowledge.

    Args:
        snapshot: a published file.
        ruleset: rules whose scorecard names the method.
        year: calendar year; by default the last with trade.

    Raises:
        InputError: no trade of the year is known.
    """
    with Database.open(snapshot.path, read_only=True) as reader:
        inputs = Inputs(Warehouse(reader), question_of_run(reader))
        if year is None:
            year = inputs.trade_years[-1]
        return score_lanes(inputs.geopolrisk(year), ruleset, year)


def score_lanes(lanes: pl.DataFrame, ruleset: RuleSet, year: int) -> Scores:
    """Return the rules' values over one year's lanes (see `Inputs.geopolrisk`), as of the end of the year."""
    on = date(year, 12, 31)
    values = evaluate(ruleset, ROUTE_SCORE, lanes, on=on).drop("rule_id")
    routes = pl.concat([lanes, values], how="horizontal").rename(_named(ROUTE_SCORE))
    facts = lanes.group_by(KEYS).agg(
        pl.len().alias("routes"),
        pl.first("imports_t", "own_production_t", "production_hhi_best"),
        pl.first("unknown_reason"),
    )
    importers = total(ruleset, IMPORTER_SCORE, lanes, on=on).join(facts, on=KEYS, how="left").sort(KEYS)
    return Scores(year, routes, importers.rename(_named(IMPORTER_SCORE)))


def rules_folder(rules: Path) -> Path:
    """Return the method's rules below a folder of rules, or those that come along where it has none."""
    own = rules / "methods" / METHOD
    return own if own.is_dir() else default_rules_dir() / "methods" / METHOD


def shown(frame: pl.DataFrame) -> pl.DataFrame:
    """Return what fits on a screen, the highest score first and the unknown last."""
    score = next(name for name in frame.columns if name.endswith("_score_best"))
    left_out = pl.selectors.starts_with(
        "supply_share_low", "supply_share_high", "production_hhi_low", "production_hhi_high"
    )
    return frame.sort(score, *KEYS, descending=[True, False, False, False], nulls_last=True).select(~left_out)


def _named(factor: str) -> dict[str, str]:
    return {f"value_{end}": f"{factor}_{end}" for end in ENDS}


def narrowed(frame: pl.DataFrame, **wanted: str | None) -> pl.DataFrame:
    """Return rows of one mineral, importer or both.

    Raises:
        InputError: there are none: nothing is known then, which is not a score of 0.
    """
    found = frame
    for column, value in wanted.items():
        if value is None:
            continue
        known = found[column].unique().sort().to_list()
        found = found.filter(pl.col(column) == value)
        if found.is_empty():
            raise InputError(
                f"no shipments with {column} '{value}' are known, and so no score; that is not a score of 0"
                f"{did_you_mean(value, known)}"
            )
    return found
