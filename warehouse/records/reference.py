"""Records that everything else refers to: sources, minerals, chains, countries, blocs, codes and conversions."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from warehouse.records.fields import (
    HS_REVISIONS,
    AnyStage,
    Count,
    CountryCode,
    Day,
    Flag,
    Grade,
    Hs6,
    HsRevision,
    Key,
    MineralName,
    Share,
    ShareOf,
    Stage,
    Text,
    TradeBasis,
    Year,
)
from warehouse.records.rows import FactRow, NoteText, SourcedRow, may, need


class Source(FactRow):
    """Where facts come from."""

    says: ClassVar[str] = "One publication that facts were taken from, with its grade."
    source_id: Key = need("Name of the source, used by every other table.")
    publisher: Text = need("Who published it; also joins the vintages of one series.")
    title: Text = need("Title of the publication.")
    url: Text | None = may("Address of the publication.")
    published: Day | None = may("Day of publication; empty where it is unknown.")
    licence: Text | None = may("Terms under which its figures may be used.")
    grade: Grade = need(
        "A official, B official through an extract, C trade press or news, D weak or judgement."
    )
    note: NoteText = None
    known_from: Day = need("First day on which the world could know the source.")


class Mineral(SourcedRow):
    """A mineral, or a group of them."""

    says: ClassVar[str] = "One mineral, or one group under which figures are published."
    mineral: MineralName = need("Name of the mineral in lower snake case.")
    name: Text = need("Name for display.")
    symbol: Text | None = may("Chemical symbol.")
    is_group: Flag = need("True for a group such as rare_earths, which is split into its members.")
    content_basis: Text | None = may("What its tonnes count, such as contained metal or oxide equivalent.")


class ChainStage(SourcedRow):
    """A stage that a mineral passes through."""

    says: ClassVar[str] = "One stage in the chain of one mineral, in order."
    mineral: MineralName = need("Mineral; see core.minerals.")
    stage_order: Count = need("Place of the stage in the chain, counted from 1.")
    stage: Stage = need("mined, refined, metal or fabricated.")
    product: Text | None = may("What is made and traded at the stage.")


class Country(SourcedRow):
    """A country or territory with its codes."""

    says: ClassVar[str] = "One country or territory."
    country: CountryCode = need("ISO 3166 alpha-3 code; XKX for Kosovo.")
    name: Text = need("Name for display.")
    iso2: Text | None = may("ISO 3166 alpha-2 code.")
    baci_code: Text | None = may("Number of the country in BACI.")
    is_entrepot: Flag = need("True where goods mostly pass through.")


class BlocMember(SourcedRow):
    """Membership of a country in a bloc, dated."""

    says: ClassVar[str] = "One country's membership in one bloc."
    bloc: Key = need("Code of the bloc, such as EU27.")
    country: CountryCode = need("Member; ISO 3166 alpha-3.")
    valid_from: Day | None = may("First day of membership; empty means always.")
    valid_to: Day | None = may("First day after membership; empty while it lasts.")


class HsCode(SourcedRow):
    """What a trade code means for one mineral, form and lane."""

    says: ClassVar[str] = "The share of one trade code that is one mineral at one stage, per lane and years."
    hs6: Hs6 = need("Six-digit code of the Harmonized System.")
    hs_revision: HsRevision = need("Revision of the Harmonized System: 92, 96, 02, 07, 12, 17 or 22.")
    mineral: MineralName = need("Mineral, or `other` for goods that are none of ours.")
    stage: Stage | None = may("Stage; empty only for `other`.")
    form: Text | None = may("Form of the mineral, such as oxide or magnet.")
    exporter: CountryCode = need("Exporter to which the share applies; * for all without their own row.")
    importer: CountryCode = need("Importer to which the share applies; * for all without their own row.")
    year_from: Year | None = may("First year to which the share applies; empty means always.")
    year_to: Year | None = may(
        "Last year to which the share applies, inclusive; empty means it still applies."
    )
    share_low: Share = need("Share of the code, low end (0..1).")
    share_best: Share = need("Share of the code, best estimate (0..1).")
    share_high: Share = need("Share of the code, high end (0..1).")
    share_of: ShareOf = need("weight or value: what the share is a share of.")
    trade_basis: TradeBasis = need(
        "exact, dominant, proxy or bundle: how well the code represents the mineral."
    )
    conversion_id: Key | None = may("How gross tonnes become content; empty where they are the content.")


class HsSpan(SourcedRow):
    """A code that keeps its meaning over several revisions."""

    says: ClassVar[str] = (
        "A trade code that means the same goods in every revision of a span, so that trade written in one of them can stand "
        "for another."
    )
    hs6: Hs6 = need("Six-digit code of the Harmonized System.")
    revision_from: HsRevision = need("First revision in which the code means these goods: 92 to 22, by year.")
    revision_to: HsRevision = need("Last revision in which it does.")

    @model_validator(mode="after")
    def _is_a_span(self) -> Self:
        if HS_REVISIONS.index(self.revision_from) > HS_REVISIONS.index(self.revision_to):
            raise PydanticCustomError(
                "span",
                "the span ends with HS {last}, before HS {first}; put the older revision first",
                {"column": "revision_to", "first": self.revision_from, "last": self.revision_to},
            )
        return self


class Conversion(SourcedRow):
    """Content of a form."""

    says: ClassVar[str] = "Contained mineral per gross tonne of one form."
    conversion_id: Key = need("Name of the conversion.")
    mineral: MineralName = need("Mineral whose content is counted.")
    stage: AnyStage | None = may("Stage of the form.")
    form: Text | None = may("Form that is converted.")
    content_share_low: Share = need("Content per gross tonne, low end (0..1).")
    content_share_best: Share = need("Content per gross tonne, best estimate (0..1).")
    content_share_high: Share = need("Content per gross tonne, high end (0..1).")


class ElementSplit(SourcedRow):
    """Share of a group that is one element."""

    says: ClassVar[str] = (
        "The share of a group's tonnes that is one element, by country, stage or deposit type."
    )
    split_id: Key = need("Name of the row.")
    group_mineral: MineralName = need("Group that is split, such as rare_earths.")
    mineral: MineralName = need("Element.")
    country: CountryCode = need("Country to which the share applies; * for all without their own row.")
    stage: AnyStage = need("Stage to which the share applies; * for every stage.")
    deposit_type: Text | None = may("Deposit or plant type; empty for the mix of a whole country.")
    share_low: Share = need("Share of the group's tonnes, low end (0..1).")
    share_best: Share = need("Share of the group's tonnes, best estimate (0..1).")
    share_high: Share = need("Share of the group's tonnes, high end (0..1).")
    year: Year | None = may("Year to which the share refers.")
