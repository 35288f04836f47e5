"""Records of single months: trade by code as customs write it, and figures of a mineral as somebody reports them.

A month is the day on which it begins. Months never mix with the years of `trade`: they are tables of their own.
"""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from warehouse.records.fields import (
    CountryCode,
    Day,
    DestinationCode,
    Flag,
    FlowTonnes,
    HsRevision,
    Key,
    MineralName,
    ReportedBy,
    Stage,
    Text,
    TradeCode,
    Usd,
)
from warehouse.records.rows import FactRow, SourcedRow, may, need


class _Month(FactRow):
    """A row of one month that has a figure."""

    month: Day = need("First day of the month.")

    @model_validator(mode="after")
    def _is_a_month(self) -> Self:
        if self.month.day != 1:
            raise PydanticCustomError(
                "month",
                "a month is named by its first day; write {first}",
                {"column": "month", "first": str(self.month.replace(day=1))},
            )
        if getattr(self, "quantity_t", None) is None and getattr(self, "value_usd", None) is None:
            raise PydanticCustomError(
                "empty_flow",
                "the row has neither value nor tonnes; leave it out or fill one",
                {"column": "quantity_t"},
            )
        return self


class TradeMonth(_Month):
    """One month of one code on one lane."""

    says: ClassVar[str] = (
        "Trade in one code from one country to another in one month, as one side reports it; never added to years."
    )
    exporter: CountryCode = need("Exporter; ISO 3166 alpha-3.")
    importer: CountryCode = need("Importer; ISO 3166 alpha-3; WLD where only the total is told.")
    code: TradeCode = need("Six digits of the Harmonized System, or the eight of a country's own tariff.")
    hs_revision: HsRevision = need(
        "Revision of the Harmonized System that the code, or its first six digits, is written in."
    )
    reported_by: ReportedBy = need(
        "exporter (value without freight) or importer (with freight and insurance)."
    )
    value_usd: Usd | None = may("Value in US dollars of that month.")
    quantity_t: FlowTonnes | None = may("Tonnes of goods; empty where nobody weighed them.")
    source_id: Key = need("Source of this row; see core.sources.")
    known_from: Day = need("First day on which the world could know this row.")


class ObservedMonth(_Month, SourcedRow):
    """One month of one mineral as somebody reports it."""

    says: ClassVar[str] = (
        "What a source says was exported of a mineral in one month; sources that contradict each other are rows of their own."
    )
    mineral: MineralName = need("Mineral.")
    stage: Stage = need("mined, refined, metal or fabricated.")
    form: Text = need("Goods that the figure counts, such as metal, oxide or magnets.")
    exporter: CountryCode = need("Exporter; ISO 3166 alpha-3.")
    importer: DestinationCode = need("Importer: ISO 3166 alpha-3, bloc, or WLD for all together.")
    quantity_t: FlowTonnes | None = may(
        "Tonnes of goods as reported, not of content; 0 where nothing was shipped."
    )
    value_usd: Usd | None = may("Value in US dollars, where it is reported.")
    is_derived: Flag = need(
        "True where it follows from a figure and a percentage, a sum or a difference in the source."
    )


class NationalCode(SourcedRow):
    """What a code of a country's own tariff means."""

    says: ClassVar[str] = "Which mineral, stage and form an eight-digit code of a country's own tariff holds."
    country: CountryCode = need("Country whose tariff it is; ISO 3166 alpha-3.")
    code: TradeCode = need("Code of eight digits; its first six are those of the Harmonized System.")
    mineral: MineralName = need("Mineral.")
    stage: Stage = need("mined, refined, metal or fabricated.")
    form: Text = need("Form, as core.observed_months names it.")
