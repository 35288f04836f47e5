"""Which route, or which country's pool, stands for a purchase."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl

from engine.scoring.inputs import Inputs

POOL = "*"  # as exporter: all that a country has, whoever sent it

OTHERS = 6  # second sources of a good whose draws are kept, for plans


class Unit(NamedTuple):
    """A route, or the pool of a country where the exporter is `POOL`."""

    mineral: str
    stage: str
    exporter: str
    importer: str


@dataclass(frozen=True)
class Mapped:
    """What a line is taken for: the unit and how it was found; without one, the reason."""

    unit: Unit | None
    basis: str | None
    reason: str | None = None


class Routes:
    """The routes and pools of a day.

    Args:
        inputs: the day's frames.
    """

    def __init__(self, inputs: Inputs) -> None:
        flows = inputs["flows"].select("mineral", "stage", "exporter", "importer")
        self._flows = inputs["flows"]
        self._lanes = set(flows.iter_rows())
        self._pools = {(mineral, stage, importer) for mineral, stage, _, importer in self._lanes}
        self._scored = set(inputs["chains"].select("mineral", "stage").iter_rows())
        self._curbing = inputs.curbing_country

    def others(self, lines: pl.DataFrame) -> list[Unit]:
        """Return other routes into the sites of the lines: of each good the `OTHERS` largest that are not curbed."""
        goods = lines.select("mineral", "stage", importer="destination").drop_nulls().unique()
        found = (
            self._flows.join(goods, on=["mineral", "stage", "importer"], how="semi")
            .filter(pl.col("exporter") != self._curbing, pl.col("exporter") != pl.col("importer"))
            .sort("route_usd", "exporter", descending=[True, False], nulls_last=True)
            .group_by("mineral", "stage", "importer", maintain_order=True)
            .head(OTHERS)
        )
        return [Unit(*row) for row in found.select(Unit._fields).iter_rows()]

    def of(self, line: Mapping[str, Any]) -> Mapped:
        """Return what a line with mineral, stage, origin, supplier_country and destination is taken for."""
        mineral, stage = line["mineral"], line["stage"]
        origin, supplier, site = line["origin"], line["supplier_country"], line["destination"]
        if (mineral, stage) not in self._scored:
            return Mapped(None, None, f"no chain of {stage} {mineral} is scored on this day")
        pairs = (
            (origin, site, "declared origin to the site"),
            (origin, supplier, "declared origin to the supplier's country"),
            (supplier, site, "supplier's country to the site; origin not declared"),
        )
        for exporter, importer, basis in pairs:
            if (
                exporter
                and importer
                and exporter != importer
                and (mineral, stage, exporter, importer) in self._lanes
            ):
                told = (
                    basis
                    if origin is None
                    else basis.replace("; origin not declared", "; no trade of the declared origin on record")
                )
                return Mapped(Unit(mineral, stage, exporter, importer), told)
        pools = (
            (origin if origin == site else None, "made in the site's own country: its pool"),
            (supplier, "the supplier country's pool"),
            (site, "the site country's pool"),
        )
        for country, basis in pools:
            if country and country != self._curbing and (mineral, stage, country) in self._pools:
                return Mapped(Unit(mineral, stage, POOL, country), basis)
        if not (origin or supplier or site):
            return Mapped(None, None, "neither a supplier country, an origin nor a site is given")
        if {one for one in (origin, supplier, site) if one} == {self._curbing}:
            return Mapped(None, None, f"nothing leaves {self._curbing}: no site outside it is given")
        shown = ", ".join(one for one in dict.fromkeys((origin, supplier, site)) if one)
        return Mapped(None, None, f"no trade in {stage} {mineral} is on record for {shown}")


def mapped_frame(lines: pl.DataFrame, routes: Routes) -> pl.DataFrame:
    """Return line_id, exporter, importer, mapped_by, unknown_reason; one row a line."""
    found: Iterable[Mapped] = map(routes.of, lines.iter_rows(named=True))
    rows = [
        (
            line_id,
            one.unit.exporter if one.unit else None,
            one.unit.importer if one.unit else None,
            one.basis,
            one.reason,
        )
        for line_id, one in zip(lines["line_id"], found, strict=True)
    ]
    schema = dict.fromkeys(("line_id", "exporter", "importer", "mapped_by", "unknown_reason"), pl.String)
    return pl.DataFrame(rows, schema=schema, orient="row")
