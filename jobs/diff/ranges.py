"""Ranges of moves: what changes inside the same draw, so that a range is of the move and not of two nights apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from engine.language.rules import RuleSet
from engine.scoring.blocks import BLOC_AS_IMPORTER, Block
from engine.scoring.doubt import Draws
from engine.scoring.draws import Numbers
from engine.scoring.expect import Expectations
from engine.scoring.exposure import DAYS_A_YEAR, QUANTILES, row_quantile
from engine.scoring.inputs import Inputs
from engine.scoring.portfolio import score_in_parts
from engine.scoring.ranges import Array
from jobs.diff.compared import TOTAL
from jobs.diff.night import gathered
from jobs.diff.split import CHANGE, RANGES, ROW
from jobs.diff.swaps import Ends

UNITS = ("t", "usd")
Row = tuple[str, str, str, str, int, str]


@dataclass
class Tonnes:
    """What is missing on every lane and in every importer's total, in each draw, by row of `ROW`: (2, D) t and USD.

    Lanes of unknown size are left out, and sums are those of the others, as in `jobs.diff.compared`.
    """

    members: frozenset[str]
    found: dict[Row, dict[str, Array]]

    def take(self, block: Block, regime: str, missing: Draws) -> None:
        """Take in the draws of a block of lanes."""
        if block.is_importer:
            return
        within = block.horizon_days / DAYS_A_YEAR
        sizes = block.units.select("exporter", "importer", t="route_t_best", usd="route_usd")
        for lane, (exporter, importer, *yearly) in enumerate(sizes.iter_rows()):
            own = {
                unit: missing[lane].astype(np.float64) * (size * within)
                for unit, size in zip(UNITS, yearly, strict=True)
                if size is not None
            }
            head = (block.mineral, block.stage)
            self.found[*head, exporter, importer, block.horizon_days, regime] = own
            buyers = [importer]
            if importer in self.members and exporter not in self.members:
                buyers.append(BLOC_AS_IMPORTER)
            for buyer in buyers:
                total = self.found.setdefault((*head, TOTAL, buyer, block.horizon_days, regime), {})
                for unit, values in own.items():
                    total[unit] = total[unit] + values if unit in total else values


def with_ranges(moves: pl.DataFrame, ends: Ends) -> pl.DataFrame:
    """Return moves with p10 and p90 of what they change in tonnes and USD, all causes of a move together.

    Both nights are scored again with this code, mineral by mineral. Where the code of one was another, its draws cannot
    be had; there, and for what came or went, the ranges stay unknown.
    """
    if not ends.before.code == ends.after.code == ends.code or moves.is_empty():
        return moves
    sides = [
        (gathered(night.rows, night.question), rules)
        for night, rules in ((ends.before, ends.rules_before), (ends.after, ends.rules_after))
    ]
    parts = []
    for (mineral,), own in moves.group_by("mineral", maintain_order=True):
        before, after = (tonnes(inputs, rules, [str(mineral)], ends.after.draws) for inputs, rules in sides)
        parts.append(_ranged(own, before, after))
    return pl.concat(parts).select(moves.columns).sort(*ROW, maintain_order=True)


def tonnes(inputs: Inputs, ruleset: RuleSet, minerals: Sequence[str], draws: int) -> Tonnes:
    """Return what some minerals miss in every draw that a night would have; minerals without trade are left out."""
    members = inputs["blocs"].filter(pl.col("bloc") == BLOC_AS_IMPORTER)["country"].to_list()
    kept = Tonnes(frozenset(members), {})
    traded = set(inputs["flows"]["mineral"])
    own = inputs.only([mineral for mineral in minerals if mineral in traded])
    totals = Expectations(Numbers(draws), own, ruleset, seen=kept.take)
    for _ in score_in_parts(own, ruleset, totals=totals):
        pass
    return kept


def _ranged(moves: pl.DataFrame, before: Tonnes, after: Tonnes) -> pl.DataFrame:
    rows = moves.select(ROW).unique(maintain_order=True)
    found = [{**row, **_range(before, after, tuple(row.values()))} for row in rows.iter_rows(named=True)]
    kinds = {name: kind for name, kind in CHANGE.items() if name in (*ROW, *RANGES)}
    ranges = pl.DataFrame(found, schema=kinds)
    return moves.drop(RANGES).join(ranges, on=ROW, how="left", maintain_order="left")


def _range(before: Tonnes, after: Tonnes, row: Row) -> Mapping[str, float]:
    old, new = before.found.get(row, {}), after.found.get(row, {})
    figures: dict[str, float] = {}
    for unit in UNITS:
        if unit in old and unit in new:
            change = np.sort(new[unit] - old[unit])[None]
            for end in ("p10", "p90"):
                figures[f"missing_{unit}_change_{end}"] = float(row_quantile(change, QUANTILES[end])[0])
    return figures
