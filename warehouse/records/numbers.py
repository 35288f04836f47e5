"""Records of quantities: trade, production, reserves, capacity, prices, stocks, substitution and lead times."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from warehouse.records.fields import (
    ClaimKind,
    CountryCode,
    Day,
    Days,
    DestinationCode,
    Flag,
    FlowTonnes,
    Hs6,
    HsRevision,
    Key,
    MineralName,
    Number,
    Price,
    ProductionTonnes,
    Qualifier,
    ReserveTonnes,
    Share,
    Stage,
    Text,
    Usd,
    Year,
)
from warehouse.records.rows import FactRow, SourcedRow, may, need


class TradeFlow(FactRow):
    """One year of one code on one lane."""

    says: ClassVar[str] = "Trade in one code from one country to another in one year."
    year: Year = need("Calendar year.")
    exporter: CountryCode = need("Exporter; ISO 3166 alpha-3.")
    importer: CountryCode = need("Importer; ISO 3166 alpha-3.")
    hs6: Hs6 = need("Six-digit code of the Harmonized System.")
    hs_revision: HsRevision = need("Revision of the Harmonized System in which the code is written.")
    value_usd: Usd | None = may("Value in US dollars of that year.")
    quantity_t: FlowTonnes | None = may("Gross tonnes; empty where only the value is known.")
    is_complete: Flag = need("False where small flows of that code and year are missing from the source.")
    source_id: Key = need("Source of this row; see core.sources.")
    known_from: Day = need("First day on which the world could know this row.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.value_usd is None and self.quantity_t is None:
            raise PydanticCustomError(
                "empty_flow",
                "the row has neither value nor tonnes; leave it out or fill one",
                {"column": "quantity_t"},
            )
        return self


class Production(SourcedRow):
    """A claim about a year's production."""

    says: ClassVar[str] = (
        "One source's claim about one country's production of a mineral at a stage in a year."
    )
    mineral: MineralName = need("Mineral, or a group that is split into its elements.")
    stage: Stage = need("mined, refined, metal or fabricated.")
    country: CountryCode = need("ISO 3166 alpha-3; WLD for the world, OTH for all producers without a row.")
    year: Year = need("Calendar year.")
    production_t_low: ProductionTonnes | None = may("Production, low end (t of content).")
    production_t_best: ProductionTonnes | None = may(
        "Production, best estimate (t of content); empty if withheld."
    )
    production_t_high: ProductionTonnes | None = may("Production, high end (t of content).")
    qualifier: Qualifier = need("How the figure came about: reported, estimated, derived, withheld, claim …")
    vintage: Text | None = may("Edition of the series that contains the figure.")
    form: Text | None = may("Form that is counted; forms within one source add up.")


class Reserve(SourcedRow):
    """A claim about reserves or resources."""

    says: ClassVar[str] = "One source's claim about one country's reserves or resources of a mineral."
    mineral: MineralName = need("Mineral, or a group.")
    country: CountryCode = need("ISO 3166 alpha-3; WLD for the world.")
    year: Year = need("Year to which the claim refers.")
    reserves_t: ReserveTonnes | None = may("Tonnes of content; empty if withheld.")
    qualifier: Qualifier = need("How the figure came about.")
    claim_kind: ClaimKind = need("reserve (can be mined at a profit) or resource (is thought to be there).")
    vintage: Text | None = may("Edition of the series that contains the figure.")
    form: Text | None = may("Form that is counted.")


class Capacity(SourcedRow):
    """A plant or mine and what it can add."""

    says: ClassVar[str] = "One plant or mine, what it can make and what it can add within each horizon."
    capacity_id: Key = need("Name of the row.")
    mineral: MineralName = need("Mineral, or a group.")
    stage: Stage = need("mined, refined, metal or fabricated.")
    country: CountryCode = need("Country of the site; ISO 3166 alpha-3.")
    company: Text | None = may("Owner or operator.")
    site: Text | None = may("Place.")
    kind: Text | None = may("Kind of capacity, such as existing, restart or new plant.")
    status: Text | None = may("How far it has come.")
    capacity_t_low: ProductionTonnes | None = may("Yearly capacity, low end (t of content).")
    capacity_t_best: ProductionTonnes | None = may("Yearly capacity, best estimate (t of content).")
    capacity_t_high: ProductionTonnes | None = may("Yearly capacity, high end (t of content).")
    add_90_t_low: ProductionTonnes | None = may("Yearly rate that can be added within 90 days, low end (t).")
    add_90_t_best: ProductionTonnes | None = may("Yearly rate that can be added within 90 days, best (t).")
    add_90_t_high: ProductionTonnes | None = may(
        "Yearly rate that can be added within 90 days, high end (t)."
    )
    add_365_t_low: ProductionTonnes | None = may("Yearly rate that can be added within a year, low end (t).")
    add_365_t_best: ProductionTonnes | None = may("Yearly rate that can be added within a year, best (t).")
    add_365_t_high: ProductionTonnes | None = may(
        "Yearly rate that can be added within a year, high end (t)."
    )
    add_1825_t_low: ProductionTonnes | None = may("Yearly rate that can be added in five years, low end (t).")
    add_1825_t_best: ProductionTonnes | None = may("Yearly rate that can be added in five years, best (t).")
    add_1825_t_high: ProductionTonnes | None = may(
        "Yearly rate that can be added in five years, high end (t)."
    )
    access_share_low: Share | None = may("Share of it open to outside buyers, low end (0..1).")
    access_share_best: Share | None = may("Share of it open to outside buyers, best estimate (0..1).")
    access_share_high: Share | None = may("Share of it open to outside buyers, high end (0..1).")
    access_note: Text | None = may("Who may buy.")
    valid_from: Day | None = may("First day on which the row applies; empty means always.")
    valid_to: Day | None = may("First day on which it no longer applies.")


class PriceRow(SourcedRow):
    """A price of one form."""

    says: ClassVar[str] = "A price of one form of a mineral over a period."
    price_id: Key = need("Name of the row.")
    mineral: MineralName = need("Mineral.")
    form: Text | None = may("Form that is priced.")
    valid_from: Day | None = may("First day of the period.")
    valid_to: Day | None = may("First day after the period.")
    usd_per_t_low: Price = need("US dollars per gross tonne of the form, low end.")
    usd_per_t_best: Price = need("US dollars per gross tonne of the form, best estimate.")
    usd_per_t_high: Price = need("US dollars per gross tonne of the form, high end.")


class Substitution(SourcedRow):
    """How much use can switch away."""

    says: ClassVar[str] = (
        "The share of a mineral's use that can switch to something else within each horizon."
    )
    substitution_id: Key = need("Name of the row.")
    mineral: MineralName = need("Mineral.")
    use: Text = need("Use that switches, or all.")
    kind: Text | None = may("How it switches.")
    switch_90_share_low: Share | None = may("Share that can switch within 90 days, low end (0..1).")
    switch_90_share_best: Share | None = may("Share that can switch within 90 days, best estimate (0..1).")
    switch_90_share_high: Share | None = may("Share that can switch within 90 days, high end (0..1).")
    switch_365_share_low: Share | None = may("Share that can switch within a year, low end (0..1).")
    switch_365_share_best: Share | None = may("Share that can switch within a year, best estimate (0..1).")
    switch_365_share_high: Share | None = may("Share that can switch within a year, high end (0..1).")
    switch_1825_share_low: Share | None = may("Share that can switch within five years, low end (0..1).")
    switch_1825_share_best: Share | None = may("Share that can switch within five years, best (0..1).")
    switch_1825_share_high: Share | None = may("Share that can switch within five years, high end (0..1).")
    valid_from: Day | None = may("First day on which the row applies; empty means always.")
    valid_to: Day | None = may("First day on which it no longer applies.")


class Stock(SourcedRow):
    """A stock that someone holds."""

    says: ClassVar[str] = "A stock, as days of cover or tonnes, and who may use it."
    stock_id: Key = need("Name of the row.")
    mineral: MineralName = need("Mineral; * for every mineral.")
    form: Text | None = may("Form that is held.")
    holder: Text = need("Country (ISO 3166 alpha-3), bloc or other holder.")
    holder_type: Text | None = may("Kind of holder, such as industry or national.")
    metric: Text = need("What is measured, such as cover_days or tonnes.")
    stock_days_low: Days | None = may("Days of use covered, low end.")
    stock_days_best: Days | None = may("Days of use covered, best estimate.")
    stock_days_high: Days | None = may("Days of use covered, high end.")
    quantity_t_low: FlowTonnes | None = may("Tonnes held, low end.")
    quantity_t_best: FlowTonnes | None = may("Tonnes held, best estimate.")
    quantity_t_high: FlowTonnes | None = may("Tonnes held, high end.")
    usable_by_civil_buyers: Text | None = may(
        "Whether civil buyers may draw on it: true, false or a condition."
    )
    valid_from: Day | None = may("First day on which the row applies; empty means always.")
    valid_to: Day | None = may("First day on which it no longer applies.")


class LeadTime(SourcedRow):
    """How long something takes."""

    says: ClassVar[str] = "How many days a transit, a build or an approval takes."
    lead_time_id: Key = need("Name of the row.")
    kind: Text = need("What takes the time, such as transit_sea or plant_build.")
    origin: DestinationCode = need("From where; ISO 3166 alpha-3, bloc or *.")
    destination: DestinationCode = need("To where; ISO 3166 alpha-3, bloc or *.")
    mineral: MineralName = need("Mineral; * for every mineral.")
    days_low: Days | None = may("Calendar days, low end.")
    days_best: Days | None = may("Calendar days, best estimate.")
    days_high: Days | None = may("Calendar days, high end.")
    valid_from: Day | None = may("First day on which the row applies; empty means always.")
    valid_to: Day | None = may("First day on which it no longer applies.")


class LicencePractice(SourcedRow):
    """How licensing worked in practice."""

    says: ClassVar[str] = "One observation of how a licence system worked in practice."
    practice_id: Key = need("Name of the row.")
    curbing_country: CountryCode = need("Country that licenses; ISO 3166 alpha-3.")
    mineral: MineralName = need("Mineral; * for every mineral.")
    form: Text | None = may("Form that was applied for.")
    destination: DestinationCode = need("Destination; ISO 3166 alpha-3, bloc or *.")
    valid_from: Day | None = may("First day of the observation.")
    valid_to: Day | None = may("First day after the observation.")
    metric: Text = need("What was observed.")
    value_low: Number | None = may("Observed value, low end, in `unit`.")
    value_best: Number | None = may("Observed value, best estimate, in `unit`.")
    value_high: Number | None = may("Observed value, high end, in `unit`.")
    unit: Text | None = may("Unit of the observed value.")


class Governance(SourcedRow):
    """One year's governance index of one country; no part of a Curbline score, kept for other methods."""

    says: ClassVar[str] = (
        "A governance indicator of a country in a year; it does not enter Curbline's own score."
    )
    country: CountryCode = need("ISO 3166 alpha-3.")
    year: Year = need("Calendar year.")
    indicator: Key = need("Which indicator, such as political_stability.")
    estimate: Number = need("Estimate in standard normal units, about -2.5 (weak) to 2.5 (strong).")
    standard_error: Number | None = may("Standard error of the estimate, in the same units.")


class ImportShare(SourcedRow):
    """What a publisher says about where a country's imports come from; a cross-check of the trade codes."""

    says: ClassVar[str] = (
        "A published share of one origin in a country's imports, to compare trade codes with."
    )
    mineral: MineralName = need("Mineral, or a group that is split into its elements.")
    form: Text = need("Good that the share is stated for, as the publisher names it.")
    importer: CountryCode = need("Importer; ISO 3166 alpha-3.")
    exporter: CountryCode = need("Origin; ISO 3166 alpha-3; OTH for all origins that are not named.")
    year_from: Year = need("First calendar year of the mean.")
    year_to: Year = need("Last calendar year of the mean.")
    import_share: Share = need("Share of the origin in the importer's imports, as stated.")


class ImportShareCode(SourcedRow):
    """Which trade code holds a good that a published import share is stated for."""

    says: ClassVar[str] = (
        "A trade code of a good for which import shares are published, or why our codes do not cover that good."
    )
    mineral: MineralName = need("Mineral, or a group; see core.import_shares.")
    form: Text = need("Good, as the publisher of the shares names it.")
    hs6: Hs6 | None = may("Code that covers this good and no other; empty where there is none.")
    hs_revision: HsRevision | None = may("Revision of the Harmonized System in which the code is written.")
    reason: Text | None = may("Why no code can be compared; empty where one can.")
    stage: Stage | None = may(
        "Stage whose routes cover this good, where its code is split between goods; empty if no stage does."
    )

    @model_validator(mode="after")
    def _code_or_reason(self) -> Self:
        if (self.hs6 is None) != (self.hs_revision is None) or (self.hs6 is None) == (self.reason is None):
            raise PydanticCustomError(
                "code_or_reason",
                "the row needs a code with its revision, or else a reason why there is none",
                {"column": "hs6"},
            )
        return self


class Spread(SourcedRow):
    """How far what stands in for a figure may lie from it; a judgement, named so that it can be dated and replaced."""

    says: ClassVar[str] = (
        "How far a substitute may be from the figure that it replaces, as a factor in either direction."
    )
    spread: Key = need(
        "value_share_for_weight: a share of value where the share of weight is wanted; unit_value_for_weight: the code's "
        "mean value per tonne where only the value of a flow is known and no price fits."
    )
    factor: Annotated[Number, Field(ge=1)] = need(
        "The figure is between the substitute divided by this factor and multiplied by it."
    )
