"""From years in which a country restricted a code to measures, their states, goods and destinations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self

import polars as pl

from warehouse.records.tables import schema
from warehouse.sources.oecd_words import COUNTRY_NAMES, folded
from warehouse.suggest import did_you_mean

#: Mineral and stage.
Good = tuple[str, str]
_WHOLE = "taken as the whole stage; how much of it the restricted lines carry is not known"


@dataclass(frozen=True, slots=True)
class InventoryMap:
    """What the inventory is read against.

    Attributes:
        spelt: countries by every name that they go by, as names are compared.
        names: names of countries by code.
        goods: minerals and stages by code.
        forms: forms that measures of other sources name, by country, mineral and stage.
        hints: what was found for unknown names, as the same one may be in thousands of rows.
    """

    spelt: Mapping[str, str]
    names: Mapping[str, str]
    goods: Mapping[str, Sequence[Good]]
    forms: Mapping[tuple[str, str, str], Collection[str]]
    hints: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, tables: Mapping[str, pl.DataFrame]) -> Self:
        """Return the map that fact tables hold, every cell as text."""
        names = dict(tables["countries"].select("country", "name").iter_rows())
        spelt = {folded(name): code for code, name in names.items()}
        spelt |= {folded(name): code for name, code in COUNTRY_NAMES.items()}
        goods: dict[str, set[Good]] = defaultdict(set)
        for hs6, mineral, stage in tables["hs_codes"].select("hs6", "mineral", "stage").iter_rows():
            if stage:  # what the code holds besides has none
                goods[hs6].add((mineral, stage))
        owners = dict(tables["measures"].select("measure_id", "curbing_country").iter_rows())
        forms: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        columns = ("measure_id", "mineral", "stage", "form")
        for measure, mineral, stage, form in tables["measure_items"].select(columns).iter_rows():
            if stage and form:
                forms[owners[measure], mineral, stage].add(form)
        return cls(spelt, names, {hs6: sorted(held) for hs6, held in goods.items()}, forms)

    def country(self, written: str) -> str:
        """Return the country of a name; empty where it is not one."""
        return self.spelt.get(folded(written), "")

    def hint(self, written: str) -> str:
        """Return a did-you-mean clause for the name of a country; empty where nothing comes close."""
        if written not in self.hints:
            self.hints[written] = did_you_mean(written, [*self.names.values(), *COUNTRY_NAMES])
        return self.hints[written]

    def goods_of(self, country: str, hs6: str) -> list[Good]:
        """Return what a code of a country's exports holds, without goods of several forms.

        Measures on one form do not add up, measures on several do. A row on a whole code may not add to what other
        sources say of the same goods, so it takes their form, and cannot where they have two.
        """
        return [good for good in self.goods[hs6] if len(self.forms.get((country, *good), ())) <= 1]


@dataclass(frozen=True, slots=True)
class Restriction:
    """One row of the inventory that is stored: a country restricts a code in a year."""

    country: str
    instrument: str
    hs6: str
    year: int
    kind: str
    rate: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What the file says about years without a row.

    Attributes:
        years: countries and years of which the file has any row.
        unclear: countries and years of which a row could not be read; "" and 0 mean every one.
    """

    years: Collection[tuple[str, int]]
    unclear: Collection[tuple[str, int]]

    @property
    def last(self) -> int:
        """The last year of the edition; 0 where it has none."""
        return max((year for _, year in self.years), default=0)

    def is_free(self, country: str, year: int) -> bool:
        """Return whether the lack of a row means that the measure is gone."""
        doubts = {(country, year), (country, 0), ("", year), ("", 0)}
        return (country, year) in self.years and doubts.isdisjoint(self.unclear)


def law_tables(
    rows: Sequence[Restriction], survey: Survey, known: InventoryMap, source: str, published: date
) -> dict[str, pl.DataFrame]:
    """Return rows of measures, measure_states, measure_items and measure_destinations.

    Args:
        rows: what is restricted; several rows may say the same of a code, instrument and year.
        survey: which years were looked at.
        known: names, goods and forms.
        source: name of the edition's source row, which the names of the measures start with.
        published: day from which the world could know the edition.
    """
    found: dict[tuple[str, str, str], list[Restriction]] = defaultdict(list)
    for row in rows:
        found[row.country, row.instrument, row.hs6].append(row)
    measures: list[tuple[Any, ...]] = []
    states: list[tuple[Any, ...]] = []
    items: list[tuple[Any, ...]] = []
    destinations: list[tuple[Any, ...]] = []
    origin = (source, published)
    for (country, instrument, hs6), own in sorted(found.items()):
        words = f"{country.lower()}-{instrument.replace('_', '-')}-{hs6}"
        name = f"{source.removesuffix('-import')}-{words}"
        kinds = ", ".join(sorted({row.kind for row in own}))
        years = sorted({row.year for row in own})
        title = f"{known.names[country]}, HS {hs6}: {kinds}, by the inventory of the OECD"
        note = f"the day of announcement is not known; {years[0]} is the first year with a row"
        measures.append(
            (name, country, None, None, title, instrument, date(years[0], 1, 1), False, None, note, *origin)
        )
        states += [(name, "all", "*", *state, *origin) for state in _states(own, country, years, survey)]
        destinations.append((name, "all", "*", "all", None, None, None, False, None, *origin))
        for mineral, stage in known.goods_of(country, hs6):
            form = next(iter(known.forms.get((country, mineral, stage), ())), None)
            # An item that says nothing of its coverage counts as the whole stage. How many national lines of the
            # code are hit, and how much of the stage other codes carry, is not in the file: the low end is nothing.
            good = (mineral, stage, form, hs6, "the inventory, HS 2007")
            coverage, quota = (0.0, 1.0, 1.0), (None, None, None)
            item = f"{name}-{mineral}-{stage}"
            items.append((item, name, "all", *good, *coverage, *quota, False, _WHOLE, *origin))
    tables = {
        "measures": measures,
        "measure_states": states,
        "measure_items": items,
        "measure_destinations": destinations,
    }
    return {name: pl.DataFrame(held, schema=schema(name), orient="row") for name, held in tables.items()}


def _states(
    rows: Sequence[Restriction], country: str, years: Sequence[int], survey: Survey
) -> list[tuple[str, date, date | None, str, str | None]]:
    """State, first day, first day after, basis and note of every unbroken run of years, and of what came after."""
    held = set(years)
    states: list[tuple[str, date, date | None, str, str | None]] = []
    for first in (year for year in years if year - 1 not in held):
        last = first
        while last + 1 in held:
            last += 1
        after = None if last == survey.last else date(last + 1, 1, 1)
        basis = f"in the inventory for {first}" + (f" to {last}" if last > first else "")
        rates = _rates([row for row in rows if first <= row.year <= last])
        note = f"rates as written: {rates}" if rates else None
        states.append(("in_force", date(first, 1, 1), after, basis, note))
        if after and survey.is_free(country, last + 1):
            states.append(("ended", after, None, f"no row for {last + 1}, a year that was looked at", None))
    return states


def _rates(rows: Sequence[Restriction]) -> str:
    """Return the rates of a run, each from the first year on in which it is written."""
    by_year: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        if row.rate:
            by_year[row.year].add(row.rate)
    said: list[str] = []
    before: set[str] = set()
    for year, rates in sorted(by_year.items()):
        if rates != before:
            said.append(f"{year}: {' and '.join(sorted(rates))}")
        before = rates
    return "; ".join(said)
