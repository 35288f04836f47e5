"""The names of the United States Geological Survey: series, units, countries, and the errors that its files hold.

Which commodity and statistic becomes which table, mineral, stage and form is in usgs_series.csv, one line per
series and edition; what is wrong in a file is in usgs_corrections.csv, dated and with its reason.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

ANY = "*"
OUTSIDE = "outside"
WORLD, REST = "WLD", "OTH"
#: Tonnes per unit; a metric carat is a fifth of a gram.
UNITS: Mapping[str, float] = {
    "metric tons": 1.0,
    "thousand metric tons": 1_000.0,
    "thousand metric dry tons": 1_000.0,
    "million metric tons": 1_000_000.0,
    "kilograms": 0.001,
    "thousand carats": 0.0002,
    "thousands of carats": 0.0002,
    "million carats": 0.2,
    # Helium is the only gas of ours: 0.16928 kg in a cubic metre at 15 degrees and one atmosphere.
    "million cubic meters": 169.28,
}
#: Names that differ from those of core.countries.
_COUNTRIES: Mapping[str, str] = {
    "burma": "MMR",
    "congo (kinshasa)": "COD",
    "congo (brazzaville)": "COG",
    "korea, north": "PRK",
    "korea, republic of": "KOR",
    "turkey": "TUR",
    "côte d'ivoire": "CIV",
    "the bahamas": "BHS",
    "other countries": REST,
    "other": REST,
    "world total": WORLD,
}
_TOTAL = re.compile(r"world total(?:\s*\(rounded\)|\s*\(?(?:ilmenite|rutile), rounded\)?)?(?:\s*\d{1,2})?")
_ROUNDED = re.compile(r"(?::|,)\s*rounded$")
_AND = re.compile(r",\s*(?:and\s+)?|\s+and\s+")
_ASIDE = re.compile(r"^(.+?)\s*\(([^()]+)\)$")


@dataclass(frozen=True, slots=True)
class Series:
    """One published series and what it becomes.

    Attributes:
        commodity: commodity as the file names it.
        statistic: Production, Reserves, Capacity or Import; * for all.
        detail: what exactly is counted, as the file words it; * for all.
        table: fact table, or `outside`.
        mineral: mineral or group of ours.
        stage: stage; empty for tables without.
        form: form that is counted; empty where the series has one only.
        content_share: content per tonne of what is counted, from low to high.
        estimate_spread: how far an estimate of the publisher may be off, as a share of it.
        reason: why a series stays outside.
    """

    commodity: str
    statistic: str
    detail: str
    table: str
    mineral: str
    stage: str
    form: str
    content_share: tuple[float, float, float]
    estimate_spread: float
    reason: str


@dataclass(frozen=True, slots=True)
class Correction:
    """One error of one file.

    Attributes:
        commodity: commodity as the file names it.
        statistic: Production, Reserves or Capacity.
        stated_unit: unit that the file states.
        true_unit: unit in which the figures are.
        largest_stated: above this figure the error must have been mended, so the row is refused.
        found_on: day on which the error was found.
        reason: how one can tell.
    """

    commodity: str
    statistic: str
    stated_unit: str
    true_unit: str
    largest_stated: float
    found_on: str
    reason: str


def folded(text: str) -> str:
    """Return a name without case, curly quotes, hard spaces and doubled blanks, for comparison."""
    return " ".join(text.replace("\u00a0", " ").replace("’", "'").split()).casefold()


def _lines(name: str, edition: str) -> list[dict[str, str]]:
    text = (files("warehouse.sources") / name).read_text(encoding="utf-8")
    return [line for line in csv.DictReader(text.splitlines()) if line["edition"] == edition]


@cache
def series(edition: str) -> Mapping[str, tuple[Series, ...]]:
    """Series of an edition by folded commodity, those with a detail of their own first."""
    found: dict[str, list[Series]] = {}
    for line in _lines("usgs_series.csv", edition):
        found.setdefault(folded(line["commodity"]), []).append(
            Series(
                line["commodity"],
                line["statistic"],
                folded(line["detail"]),
                line["table"],
                line["mineral"],
                line["stage"],
                line["form"],
                (
                    float(line["content_share_low"] or 1),
                    float(line["content_share_best"] or 1),
                    float(line["content_share_high"] or 1),
                ),
                float(line["estimate_spread"] or 0),
                line["reason"],
            )
        )
    return {name: tuple(sorted(rows, key=lambda row: row.detail == ANY)) for name, rows in found.items()}


def find_series(edition: str, commodity: str, statistic: str, detail: str) -> Series | None:
    """Return the series of a row; None where the edition has none for its commodity and statistic.

    Raises:
        KeyError: The commodity is ours and the wording of its detail is new.
    """
    ours = series(edition).get(folded(commodity), ())
    named = [row for row in ours if row.statistic in {statistic, ANY}]
    worded = _ROUNDED.sub("", folded(detail))
    for row in named:
        if row.detail in {ANY, worded}:
            return row
    if ours and statistic in {"Production", "Reserves", "Capacity", "Import"}:
        raise KeyError(detail)
    return None


@cache
def corrections(edition: str) -> tuple[Correction, ...]:
    """Known errors of an edition's file."""
    return tuple(
        Correction(
            line["commodity"],
            line["statistic"],
            line["stated_unit"],
            line["true_unit"],
            float(line["largest_stated"]),
            line["found_on"],
            line["reason"],
        )
        for line in _lines("usgs_corrections.csv", edition)
    )


def find_correction(edition: str, commodity: str, statistic: str, unit: str) -> Correction | None:
    """Return the known error of a row, if it has one."""
    for row in corrections(edition):
        same = folded(row.commodity) == folded(commodity) and row.statistic == statistic
        if same and row.stated_unit == folded(unit):
            return row
    return None


def find_country(name: str, known: Mapping[str, str]) -> tuple[str, str] | None:
    """Code of a country and what follows its name in brackets; None where there is no such country.

    Args:
        name: name as written; `World total` becomes WLD and `Other countries` OTH.
        known: alpha-3 code by folded name of core.countries.
    """
    plain = folded(name)
    if _TOTAL.fullmatch(plain):
        return WORLD, ""
    if found := _COUNTRIES.get(plain) or known.get(plain):
        return found, ""
    aside = _ASIDE.match(plain)
    if aside and (found := _COUNTRIES.get(aside[1]) or known.get(aside[1])):
        return found, aside[2]
    return None


def names_several(name: str, known: Mapping[str, str]) -> bool:
    """Return whether a name lists several countries, whose common figure no row of ours can hold."""
    parts = _AND.split(folded(name))
    return len(parts) > 1 and all(_COUNTRIES.get(part) or known.get(part) for part in parts)
