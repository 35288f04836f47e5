"""Which route, or which country's pool, stands for a purchase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl

from engine.scoring.inputs import Inputs
from jobs.errors import InputError
from jobs.ports import Reader

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
    """Return line_id, exporter, importer, mapped_by, unknown_reason, and of a bill of materials route_parts; a row a line.

    A line with a bill of materials has a unit for each mineral that has one; its own is the first, until the draws say
    which is shortest of all.
    """
    rows = []
    for line in lines.iter_rows(named=True):
        goods = goods_of(line["contains"])
        found = [
            routes.of({**line, "mineral": mineral, "stage": stage})
            for mineral, stage in goods or [(line["mineral"], line["stage"])]
        ]
        units = [one.unit for one in found if one.unit]
        first = next((one for one in found if one.unit), found[0])
        unit = first.unit or (None, None, None, None)
        lacking = (
            f"; {len(found) - len(units)} of {len(found)} minerals have no route"
            if units and len(units) < len(found)
            else ""
        )
        basis = None if first.basis is None else first.basis + lacking
        rows.append(
            (
                line["line_id"],
                unit[2],
                unit[3],
                basis,
                first.reason,
                ["|".join(one) for one in units] if goods else None,
            )
        )
    schema: dict[str, pl.DataType] = {
        **dict.fromkeys(("line_id", "exporter", "importer", "mapped_by", "unknown_reason"), pl.String()),
        "route_parts": pl.List(pl.String()),
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def require_purchases(reader: Reader) -> None:
    """Refuse a published file of a version that kept no purchases as this one does.

    Raises:
        InputError: it is one.
    """
    found = reader.query(
        "SELECT count(*)::BIGINT AS n FROM duckdb_columns() WHERE schema_name = 'mart' AND table_name = 'purchase' "
        "AND column_name = 'route_parts'"
    ).item()
    if not found:
        raise InputError(
            "this file was published by an earlier version, which kept no purchases so; run `curbline run` again."
        )


def goods_of(contains: str | None) -> list[tuple[str, str]]:
    """Return minerals and stages of a bill of materials, as a line keeps it."""
    return [
        (words[0], words[1])
        for words in (one.split() for one in (contains or "").split(";"))
        if len(words) == 3
    ]


def units_of(line: Mapping[str, Any]) -> tuple[Unit, ...]:
    """Return the units of a line: its route, or those of all minerals of its bill of materials."""
    if line["route_parts"]:
        return tuple(Unit(*part.split("|")) for part in line["route_parts"])
    return (Unit(line["mineral"], line["stage"], line["exporter"], line["importer"]),)
