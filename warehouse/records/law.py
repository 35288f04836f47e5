"""Records of law and of promises: measures, agreements, pledges, destination classes and statements."""

from __future__ import annotations

from typing import ClassVar

from warehouse.records.fields import (
    AgreementState,
    Backing,
    Confidence,
    CountryCode,
    Coverage,
    Day,
    DestinationClass,
    DestinationCode,
    DestinationList,
    Flag,
    Hs6List,
    Instrument,
    Key,
    LegalStrength,
    MeasureState,
    MineralName,
    ProductionTonnes,
    Scope,
    Share,
    Stage,
    Text,
)
from warehouse.records.rows import SourcedRow, may, need


class Measure(SourcedRow):
    """A notice that restricts exports, or frames such notices."""

    says: ClassVar[str] = "One measure of one country: a notice, a law, or a practice."
    measure_id: Key = need("Name of the measure.")
    curbing_country: CountryCode = need("Country that takes the measure; ISO 3166 alpha-3.")
    authority: Text | None = may("Who issued it.")
    notice: Text | None = may("Number of the notice, such as MOFCOM 57/2025.")
    title: Text = need("What it does, in one line.")
    instrument: Instrument = need("Kind of measure, from the closed list.")
    date_announced: Day = need("Day of announcement.")
    is_framework: Flag = need("True for a law that only enables later notices.")
    implements_note: Text | None = may("What it carries out or is based on.")


class MeasureStateRow(SourcedRow):
    """A state of a clause from a day on."""

    says: ClassVar[str] = "The state of one clause of a measure for one destination from a day on."
    measure_id: Key = need("Measure; see core.measures.")
    clause: Text = need("Clause, or all.")
    destination: DestinationCode = need("ISO 3166 alpha-3, bloc or *; * unless states differ by destination.")
    state: MeasureState = need("Stored state; lapsed_unverified is derived and never stored.")
    valid_from: Day = need("First day of the state.")
    valid_to: Day | None = may("First day after the stated term; empty where none is stated.")
    basis: Text | None = may("What the state rests on.")


class MeasureItem(SourcedRow):
    """What a clause hits."""

    says: ClassVar[str] = "One mineral, stage and form that a clause names."
    item_id: Key = need("Name of the item.")
    measure_id: Key = need("Measure; see core.measures.")
    clause: Text = need("Clause, or all.")
    mineral: MineralName = need("Mineral; * for every controlled mineral.")
    stage: Stage | None = may("Stage; empty where the item has none (technology, equipment).")
    form: Text | None = may("Name of the form; measures on the same form do not add up, disjoint forms do.")
    hs6: Hs6List | None = may(
        "Trade codes of the item; in a bundle separated by semicolons; empty where it has none."
    )
    hs6_basis: Text | None = may("Who assigned the codes: the notice or an analyst.")
    coverage_share_low: Share | None = may(
        "Share of the mineral's tonnes at the stage that it covers, low end."
    )
    coverage_share_best: Share | None = may(
        "Share of the mineral's tonnes at the stage that it covers, best."
    )
    coverage_share_high: Share | None = may(
        "Share of the mineral's tonnes at the stage that it covers, high end."
    )
    quota_share_low: Share | None = may(
        "Quota over unrestricted exports, low end; empty where unknown or no quota."
    )
    quota_share_best: Share | None = may("Quota over unrestricted exports, best estimate.")
    quota_share_high: Share | None = may("Quota over unrestricted exports, high end.")
    is_extraterritorial: Flag = need("True where it reaches goods that never touch the country again.")


class MeasureDestination(SourcedRow):
    """Whom a clause hits."""

    says: ClassVar[str] = "One destination that a clause names or leaves out."
    measure_id: Key = need("Measure; see core.measures.")
    clause: Text = need("Clause, or all.")
    destination: DestinationCode = need("ISO 3166 alpha-3, bloc, or * for every destination.")
    scope: Scope = need("all, country, military_end_users or entities.")
    listed_share_low: Share | None = may(
        "Share of the destination's imports that listed buyers take, low end."
    )
    listed_share_best: Share | None = may("Share of the destination's imports that listed buyers take, best.")
    listed_share_high: Share | None = may(
        "Share of the destination's imports that listed buyers take, high end."
    )
    is_excluded: Flag = need("True where the clause leaves this destination out.")


class Agreement(SourcedRow):
    """An agreement between states."""

    says: ClassVar[str] = "One agreement, accord or memorandum."
    agreement_id: Key = need("Name of the agreement.")
    title: Text = need("Title.")
    parties: DestinationList = need(
        "Parties: ISO 3166 alpha-3 or blocs; in a bundle separated by semicolons."
    )
    other_parties: Text | None = may("Parties that are no country or bloc of ours.")
    agreement_type: Text | None = may("Kind of agreement.")
    binding: Text | None = may("Whether it binds, in the words of its text.")
    date_announced: Day | None = may("Day of announcement.")
    date_signed: Day | None = may("Day of signature.")
    date_in_force: Day | None = may("Day of entry into force.")
    entry_clause: Text | None = may("What entry into force needs.")
    exit_clause: Text | None = may("How it can be left.")


class AgreementStateRow(SourcedRow):
    """A state of an agreement from a day on."""

    says: ClassVar[str] = "The state of one agreement from a day on."
    agreement_id: Key = need("Agreement; see core.agreements.")
    state: AgreementState = need("State, from the closed list.")
    valid_from: Day = need("First day of the state.")
    valid_to: Day | None = may("First day after it; empty where none is stated.")
    basis: Text | None = may("What the state rests on.")


class Pledge(SourcedRow):
    """A promise within an agreement."""

    says: ClassVar[str] = "One promise of one party, within an agreement."
    pledge_id: Key = need("Name of the pledge.")
    agreement_id: Key = need("Agreement; see core.agreements.")
    pledging_party: DestinationList = need(
        "Who promises: ISO 3166 alpha-3 or blocs; in a bundle separated by semicolons."
    )
    beneficiary: DestinationList | None = may(
        "To whom: ISO 3166 alpha-3 or blocs; in a bundle separated by semicolons."
    )
    kind: Text = need("Kind of pledge, such as no_export_ban_or_quota.")
    legal_strength: LegalStrength = need("binding, conditional or best_effort.")
    backing: Backing = need("Who backs it: enacted, announced, beneficiary_asserted or third_country.")
    description: Text = need("What is promised.")
    ambiguity: Text | None = may("What the text leaves open.")
    implements_measure_id: Key | None = may(
        "Measure whose state change the pledge itself is; it never mitigates."
    )
    quantity_t: ProductionTonnes | None = may("Tonnes promised.")
    quantity_text: Text | None = may("Quantity in its own unit, such as money or vehicles.")
    performance: Text | None = may("How it has been kept so far.")
    performance_evidence: Text | None = may("What shows that.")
    protection_credit_low: Share | None = may(
        "Judged protection, low end (0..1); known only from its own date."
    )
    protection_credit_high: Share | None = may("Judged protection, high end (0..1).")
    valid_from: Day | None = may("First day of the promise; empty where it starts when known.")
    valid_to: Day | None = may("First day after its term.")
    in_article_2025_10_27: Flag = need("True where the article of 27 October 2025 reports it.")


class PledgeItem(SourcedRow):
    """What a pledge covers."""

    says: ClassVar[str] = "One mineral, stage and lane that a pledge covers, or does not."
    pledge_id: Key = need("Pledge; see core.pledges.")
    mineral: MineralName = need("Mineral; * for every mineral.")
    stage: Stage | None = may("Stage; empty for every stage.")
    form: Text | None = may("Form that is named.")
    coverage: Coverage = need("covered, not_covered, unclear, contested or not_applicable.")
    exporter: DestinationCode = need("Exporter: ISO 3166 alpha-3, bloc or *.")
    importer: DestinationCode = need("Importer: ISO 3166 alpha-3, bloc or *.")


class DestinationClassRow(SourcedRow):
    """How a licensing country treats a destination."""

    says: ClassVar[str] = "Whether a destination is an ordinary buyer, one in dispute, or a favoured one."
    class_id: Key = need("Name of the row.")
    curbing_country: CountryCode = need("Country that licenses; ISO 3166 alpha-3.")
    destination: DestinationCode = need("ISO 3166 alpha-3, bloc, or * for all without their own row.")
    mineral: MineralName = need("Mineral; * for every mineral.")
    class_low: DestinationClass = need("Mildest class that the evidence allows.")
    class_best: DestinationClass = need("Likeliest class: favoured, ordinary or dispute.")
    class_high: DestinationClass = need("Most severe class that the evidence allows.")
    valid_from: Day = need("First day of the class.")
    valid_to: Day | None = may("First day after it.")
    reason: Text = need("Evidence, other than how exports developed.")
    confidence: Confidence | None = may("low, medium or high.")


class Statement(SourcedRow):
    """What an article says that fits no other table."""

    says: ClassVar[str] = "One statement of a source that fits no other table."
    statement_id: Key = need("Name of the statement.")
    topic: Text = need("Topic.")
    subject: Text = need("Whom or what it is about.")
    predicate: Text = need("What is said of it.")
    value: Text | None = may("Value, as written.")
    unit: Text | None = may("Unit of the value.")
    stated_on: Day | None = may("Day of the statement.")
    in_article_2025_10_27: Flag = need("True where the article of 27 October 2025 says it.")
    agreement_id: Key | None = may("Agreement that it concerns; see core.agreements.")
