"""Columns of the published tables, each with meaning, unit and source."""

from __future__ import annotations

from collections.abc import Iterator

from ground.words import BANDS
from warehouse.published.change_columns import CHANGE_TABLES
from warehouse.published.columns import (
    RUN,
    Family,
    MartColumn,
    MartTable,
    day,
    flag,
    number,
    text,
    texts,
    whole,
)
from warehouse.published.law_columns import LAW_TABLES
from warehouse.published.purchase_columns import PURCHASE_TABLES
from warehouse.published.route_columns import (
    HORIZON,
    IMPORTER_KEY,
    LANE,
    MINERAL,
    REGIME,
    REGIMES,
    ROUTE_KEY,
    STAGE,
    YEARS,
)

_ENDS = (
    ("_low", "low end"),
    ("_best", "every input at its best value"),
    ("_high", "high end"),
)
_QUALITY = (
    text("reconciliation", "How well trade and production agree: good, fair, weak or insufficient."),
    flag("hindsight", "True where a figure first known after known_at had to be used."),
)
_TOUCHED = tuple(
    number(
        f"touched_share_{end}",
        f"Share of the exporter's pool that went through the curbing country at some stage, {word} (0..1); computed.",
    )
    for end, word in (("low", "low end"), ("best", "best estimate"), ("high", "high end"))
)


def _scores() -> tuple[MartColumn, ...]:
    found: list[MartColumn] = []
    for regime, words in REGIMES.items():
        found.append(number(regime, f"Score if {words}: 100·√expected missing share (0..100); computed."))
        found += [
            number(f"{regime}{end}", f"Score if {words}, {word} (0..100); computed.") for end, word in _ENDS
        ]
        found += [
            number(
                f"{regime}_missing_share{end}",
                f"Share of normal tonnes missing if {words}, {word} (0..1); computed.",
            )
            for end, word in _ENDS
        ]
        found += [
            text(
                f"{regime}_band",
                f"Band of the score if {words}: minimal, low, moderate, high or critical.",
            ),
            text(
                f"{regime}_confidence",
                f"How many of the draws fall into one band if {words}: firm (80 %), leaning (50 %) or open (fewer).",
            ),
            number(
                f"{regime}_priority",
                f"100·√(dependence × expected missing share) if {words} (0..100); computed.",
            ),
            number(
                f"{regime}_time_to_shortage_days",
                f"Days until goods run short if {words}, every input at its best value and the stock whole; empty when "
                "nothing is missing; computed.",
            ),
            *(
                number(
                    f"{regime}_time_to_shortage_days_{name}",
                    f"Days until goods run short if {words}, with the stock that is left: {odds} that they do sooner; empty "
                    "where the stock outlasts the horizon; computed from the joint draws.",
                )
                for name, odds in (
                    ("p10", "one chance in ten"),
                    ("p50", "an even chance"),
                    ("p90", "nine chances in ten"),
                )
            ),
        ]
        found += _expected(regime, words)
    return tuple(found)


def _expected(regime: str, words: str) -> list[MartColumn]:
    """Return what the joint draws say in one regime."""
    return [
        number(
            f"{regime}_expected_missing_share",
            f"Share of normal tonnes missing if {words}, mean of the joint draws (0..1); computed.",
        ),
        *(
            number(
                f"{regime}_missing_share_{name}",
                f"Share of normal tonnes missing if {words}: {odds} (0..1); computed from the joint draws.",
            )
            for name, odds in (
                ("p10", "nine chances in ten of more"),
                ("p50", "an even chance of more"),
                ("p90", "one chance in ten of more"),
            )
        ),
        number(
            f"{regime}_gap_share",
            f"The same mean before stocks are drawn on if {words}: what the market is short of (0..1); computed.",
        ),
        *(
            number(
                f"{regime}_chance_{band}",
                f"Share of the draws in the band {band} if {words} (0..1); the five sum to 1; computed.",
            )
            for band in BANDS
        ),
        number(
            f"{regime}_chance_of_shortage",
            f"Share of the draws in which 4 % or more is missing if {words} (0..1); computed.",
        ),
    ]


def _of_trade() -> Iterator[MartColumn]:
    """Yield what the draws say of a lane's tonnes and money, where these are uncertain."""
    for regime, words in REGIMES.items():
        for name, odds in (("p10", "nine chances in ten of more"), ("p90", "one chance in ten of more")):
            yield number(
                f"{regime}_missing_trade_share_{name}",
                f"What is missing over the lane's tonnes (or money) at best if {words}: {odds}. Differs from the missing share "
                "where the mineral's part of its codes is uncertain, and is empty elsewhere; computed.",
            )


_AROUND = (
    text(
        "narrowed_by",
        "Group of inputs that explains most of the variance of the active missing share; empty where little varies.",
    ),
    number("narrowed_by_share", "Share of that variance which it explains by itself (0..1); computed."),
    number(
        "prior_expected_missing_share",
        "`active_expected_missing_share` as the rules alone give it, before trade since the curbs is looked at; computed.",
    ),
    text(
        "evidence",
        "How much trade since the curb narrows its severity: none, weak or strong (parameters of the scorecard); computed.",
    ),
    text("worst_regime", "Regime with the highest best score."),
    number(
        "scheduled", "Score over the horizon, weighted by time over changes already known (0..100); computed."
    ),
    number("scheduled_missing_share", "Missing share behind `scheduled` (0..1); computed."),
    text(
        "next_event",
        "Next known change of a measure on this route; without a date: which measure is unverified, and since when.",
    ),
    day("next_event_date", "Day of the next known change; from core.measure_states."),
    text(
        "unknown_reason",
        "Why the score is empty, such as trade of which no tonnes can be formed; empty where there is a score.",
    ),
    texts(
        "flags",
        "Rules of factor flag that apply: what to be careful of; see meta.rule. An empty list where none does.",
    ),
)
_STEPS = Family(
    r"s\d+",
    "s0",
    "Points of one step (points of score); mart.waterfall_step says which. The steps sum to the score.",
)
_TERMS = Family(r"t\d+", "t01", "Points of one term; mart.contribution_term says which, mineral by mineral.")
_RESPONSE_RULES = tuple(
    text(f"{factor}_rule_id", f"Rule that decided {words} at best; see meta.rule.")
    for factor, words in (
        ("alternatives", "how much other suppliers replace"),
        ("substitution", "how much users do without"),
        ("stock_days", "the days of stock"),
    )
)
TABLES_OF_MART: dict[str, MartTable] = {
    "route_score": MartTable(
        "Scores of every route: one row per mineral, stage, exporter, importer and horizon.",
        (*ROUTE_KEY, "horizon_days"),
        (
            *RUN,
            *LANE,
            HORIZON,
            *YEARS,
            number("route_t", "Tonnes of content in the baseline year; from core.trade and core.hs_codes."),
            number("latest_t", "Tonnes of content in the latest year; from core.trade and core.hs_codes."),
            number("route_usd", "Value of the mineral's part in the baseline year (USD); from core.trade."),
            text(
                "trade_basis", "How well the code represents the mineral: exact, dominant, proxy or bundle."
            ),
            text("trade_completeness", "complete, small_flows_missing or value_only; from core.trade."),
            *_QUALITY,
            flag(
                "is_entrepot",
                "True where exporter or importer mostly passes goods on, or the lane joins CHN and HKG or MAC.",
            ),
            text(
                "listing",
                "Whether lists name the lane: listed; small (below a floor of the scorecard); rest (a bundled code's lane of "
                "less than customs statistics can mean, see mart.lane); own (into the curbing country or an entrepot); or "
                "unknown (no score).",
            ),
            number(
                "dependence_share",
                "Route tonnes over the importer's production and imports (0..1); computed.",
            ),
            *_TOUCHED,
            *_scores(),
            *_of_trade(),
            *_AROUND,
        ),
    ),
    "importer_score": MartTable(
        "Scores of every importer, each country and the EU27 as one: mineral, stage, importer and horizon.",
        (*IMPORTER_KEY, "horizon_days"),
        (
            *RUN,
            MINERAL,
            STAGE,
            text("importer", "Importer; ISO 3166 alpha-3, or EU27 as one importer."),
            HORIZON,
            *YEARS,
            number("import_t", "Imports in the baseline year (t of content); from core.trade."),
            number(
                "production_t", "Own production in the baseline year (t of content); from core.production."
            ),
            number(
                "pool_t", "Production, imports and unexplained exports together (t of content); computed."
            ),
            *_QUALITY,
            *_TOUCHED,
            *_scores(),
            *_AROUND,
        ),
    ),
    "exposure": MartTable(
        "Money missing by importer or bloc, summed inside the joint draws, so that totals have honest ranges.",
        ("importer", "mineral", "stage", "horizon_days", "regime"),
        (
            *RUN,
            text(
                "importer",
                "Importer (ISO 3166 alpha-3) or bloc, without what moves between its members; * for all countries but the "
                "curbing one and entrepots.",
            ),
            text("mineral", "Mineral, or * for all of them; see core.minerals."),
            text("stage", "mined, refined, metal or fabricated, or * for all of them."),
            HORIZON,
            REGIME,
            number("traded_usd", "Value of its imports in the baseline year, over the horizon (USD)."),
            number(
                "expected_missing_usd", "Value expected to be missing over the horizon, mean (USD); computed."
            ),
            number("missing_usd_p10", "Nine chances in ten that more is missing (USD); computed."),
            number("missing_usd_p90", "One chance in ten that more is missing (USD); computed."),
        ),
    ),
    "doubt": MartTable(
        "The facts worth finding out: which inputs explain most of the variance of the money missing of each declared "
        "importer, of each mineral, and of everything. At most ten a row's portfolio; what chance explains as well is not a fact.",
        ("importer", "mineral", "horizon_days", "regime", "fact_rank"),
        (
            *RUN,
            text(
                "importer",
                "Declared importer or bloc, or * for all countries but the curbing one and entrepots.",
            ),
            text("mineral", "Mineral, or * for all of them; see core.minerals."),
            HORIZON,
            REGIME,
            whole("fact_rank", "Place of the fact: 1 explains most."),
            text("kind", "Group of inputs that it belongs to, such as severity or stocks; see narrowed_by."),
            text("fact", "What is not known, in words."),
            text("fact_id", "Name of the input: kind and what it belongs to, parted by /."),
            number(
                "explained_share",
                "Share of the variance of the money missing that it explains by itself (0..1); first-order index, computed.",
            ),
            number(
                "total_share",
                "The same with what it explains by multiplying with the other facts listed (0..1); computed.",
            ),
            number("width_usd", "Width of the range: missing_usd_p90 less missing_usd_p10 (USD); computed."),
            number(
                "remaining_width_usd",
                "Width that would remain on average if the fact were known (USD); computed.",
            ),
            number(
                "width_points",
                "The range in points of the score of the share of the money traded; computed.",
            ),
            number(
                "remaining_width_points",
                "Points that would remain on average if the fact were known; computed.",
            ),
        ),
    ),
    "waterfall_step": MartTable(
        "Steps of the waterfall, in the order in which they act.",
        ("step",),
        (
            text(
                "step", "Step: S0, S1 and so on; its column in the wide tables is the same in small letters."
            ),
            text("step_name", "Name of the step."),
            text(
                "sentence",
                "What a term of it says that has no measure and no pledge, with places for numbers.",
            ),
            text(
                "response",
                "Factor whose rule decides the step: alternatives, substitution or stock_days; else empty.",
            ),
            flag("is_extraterritorial", "True where the measures of the step reach foreign goods."),
            whole("sort_order", "Order in which the steps act."),
        ),
    ),
    "contribution_term": MartTable(
        "Terms of the waterfalls: what each column t01, t02 … of the wide tables represents, mineral by mineral.",
        ("mineral", "term"),
        (
            MINERAL,
            text("term", "Short name of the term: its column in the wide tables, for this mineral."),
            text("step", "Step of the waterfall; see mart.waterfall_step."),
            text("step_name", "Name of the step."),
            text("rule_id", "Rule that most buyers meet behind the term; see meta.rule."),
            text("measure_id", "Measure behind the term; see core.measures."),
            text("clause", "Clause of the measure."),
            text("term_stage", "Stage that the measure hits; it may be upstream of the route's."),
            text("flow_exporter", "Exporter of the flow that the measure hits; ISO 3166 alpha-3."),
            text("pledge_id", "Pledge behind the term; see core.pledges."),
            whole("sort_order", "Order in which rules were swapped; the points depend on it."),
            texts("source_ids", "Sources; see core.sources."),
            text(
                "explain",
                "Sentence of the term where no rule speaks for it, with places for the route's names.",
            ),
            text("notice", "Notice of the measure with its clause, as sentences name it."),
        ),
    ),
    "contribution_wide": MartTable(
        "Waterfall of every route in points, one column per step and per term; read mart.contribution instead.",
        (*ROUTE_KEY, "horizon_days", "regime"),
        (*LANE, HORIZON, REGIME, _STEPS, *_RESPONSE_RULES, _TERMS),
    ),
    "importer_contribution_wide": MartTable(
        "Waterfall of every importer in points; read mart.importer_contribution instead.",
        (*IMPORTER_KEY, "horizon_days", "regime"),
        (
            MINERAL,
            STAGE,
            text("importer", "Importer; ISO 3166 alpha-3, or EU27."),
            HORIZON,
            REGIME,
            _STEPS,
            *_RESPONSE_RULES,
            _TERMS,
        ),
    ),
    **LAW_TABLES,
    **CHANGE_TABLES,
    **PURCHASE_TABLES,
}
