"""Columns of the published tables, each with meaning, unit and source."""

from __future__ import annotations

from warehouse.published.columns import RUN, Family, MartColumn, MartTable, day, flag, number, text, whole

REGIMES = {
    "active": "the law in force on as_of",
    "snapback": "every suspended, announced or unverified measure takes effect",
    "full_stop": "every flow of the curbing country ceases",
}
_ENDS = (
    ("_low", "low end"),
    ("", "best estimate"),
    ("_high", "high end"),
)
_MINERAL = text("mineral", "Mineral; see core.minerals.")
_STAGE = text("stage", "mined, refined, metal or fabricated.")
_EXPORTER = text("exporter", "Exporter; ISO 3166 alpha-3.")
_IMPORTER = text("importer", "Importer; ISO 3166 alpha-3.")
_HORIZON = whole("horizon_days", "Horizon of the score (days): 90, 365 or 1825.")
_REGIME = text("regime", "active, snapback or full_stop.")
LANE = (_MINERAL, _STAGE, _EXPORTER, _IMPORTER)
_YEARS = (
    whole("trade_year", "Latest year of trade that was known; from core.trade."),
    whole("baseline_year", "Last full year before the first curb; its tonnes are the normal ones."),
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
        found += [
            number(f"{regime}{end}", f"Score if {words}, {word} (0..100 = 100·√missing share); computed.")
            for end, word in _ENDS
        ]
        found += [
            number(
                f"{regime}_missing_share{end}",
                f"Share of normal tonnes expected to be missing if {words}, {word} (0..1); computed.",
            )
            for end, word in _ENDS
        ]
        found += [
            text(
                f"{regime}_band",
                f"Band of the best score if {words}: minimal, low, moderate, high or critical.",
            ),
            text(
                f"{regime}_confidence",
                f"Whether one band holds the draws if {words}: firm (80 % of them), leaning (50 %) or open.",
            ),
            number(
                f"{regime}_priority",
                f"100·√(dependence × missing share) if {words} (0..100); computed.",
            ),
            number(
                f"{regime}_time_to_shortage_days",
                f"Days until goods run short if {words}; empty when nothing is missing; computed.",
            ),
        ]
        found += _expected(regime, words)
    return tuple(found)


def _expected(regime: str, words: str) -> list[MartColumn]:
    """What the joint draws say in one regime."""
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
            for band in ("minimal", "low", "moderate", "high", "critical")
        ),
        number(
            f"{regime}_chance_of_shortage",
            f"Share of the draws in which 4 % or more is missing if {words} (0..1); computed.",
        ),
    ]


_AROUND = (
    text(
        "narrowed_by",
        "Group of inputs that explains most of the variance of the active missing share; empty where little varies.",
    ),
    number("narrowed_by_share", "Share of that variance which it explains by itself (0..1); computed."),
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
    text("unknown_reason", "Why the score is empty; empty where there is one."),
    text(
        "flags",
        "Rules of factor flag that apply, separated by semicolons: what to be careful of; see meta.rule.",
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
_C_ENDS = (("low", "low end"), ("best", "best estimate"), ("high", "high end"))

ROUTE_KEY = ("mineral", "stage", "exporter", "importer")
IMPORTER_KEY = ("mineral", "stage", "importer")
FLOW_MEASURE_KEY = (
    *("mineral", "flow_stage", "flow_exporter", "flow_importer", "horizon_days", "regime"),
    *("measure_id", "clause", "item_id"),
)

TABLES_OF_MART: dict[str, MartTable] = {
    "route_score": MartTable(
        "Scores of every route: one row per mineral, stage, exporter, importer and horizon.",
        (*ROUTE_KEY, "horizon_days"),
        (
            *RUN,
            *LANE,
            _HORIZON,
            *_YEARS,
            number("route_t", "Tonnes of content in the baseline year; from core.trade and core.hs_codes."),
            number("latest_t", "Tonnes of content in the latest year; from core.trade and core.hs_codes."),
            number("route_usd", "Value of the mineral's part in the baseline year (USD); from core.trade."),
            text(
                "trade_basis", "How well the code stands for the mineral: exact, dominant, proxy or bundle."
            ),
            text("trade_completeness", "complete, small_flows_missing or value_only; from core.trade."),
            *_QUALITY,
            flag(
                "is_entrepot",
                "True where exporter or importer mostly passes goods on, or the lane joins CHN and HKG or MAC.",
            ),
            number(
                "dependence_share",
                "Route tonnes over the importer's production and imports (0..1); computed.",
            ),
            *_TOUCHED,
            *_scores(),
            *_AROUND,
        ),
    ),
    "importer_score": MartTable(
        "Scores of every importer, each country and the EU27 as one: mineral, stage, importer and horizon.",
        (*IMPORTER_KEY, "horizon_days"),
        (
            *RUN,
            _MINERAL,
            _STAGE,
            text("importer", "Importer; ISO 3166 alpha-3, or EU27 as one importer."),
            _HORIZON,
            *_YEARS,
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
            text("importer", "Importer (ISO 3166 alpha-3) or bloc, without what moves between its members."),
            text("mineral", "Mineral, or * for all of them; see core.minerals."),
            text("stage", "mined, refined, metal or fabricated, or * for all of them."),
            _HORIZON,
            _REGIME,
            number("traded_usd", "Value of its imports in the baseline year, over the horizon (USD)."),
            number(
                "expected_missing_usd", "Value expected to be missing over the horizon, mean (USD); computed."
            ),
            number("missing_usd_p10", "Nine chances in ten that more is missing (USD); computed."),
            number("missing_usd_p90", "One chance in ten that more is missing (USD); computed."),
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
        "Terms of the waterfalls: what each column t01, t02 … of the wide tables stands for, mineral by mineral.",
        ("mineral", "term"),
        (
            _MINERAL,
            text("term", "Short name of the term: its column in the wide tables, for this mineral."),
            text("step", "Step of the waterfall; see mart.waterfall_step."),
            text("step_name", "Name of the step."),
            text("rule_id", "Rule that most buyers meet behind the term; see meta.rule."),
            text("measure_id", "Measure behind the term; see core.measures."),
            text("clause", "Clause of the measure."),
            text("term_stage", "Stage at which the measure bites; it may lie upstream of the route's."),
            text("flow_exporter", "Exporter of the flow that the measure hits; ISO 3166 alpha-3."),
            text("pledge_id", "Pledge behind the term; see core.pledges."),
            whole("sort_order", "Order in which rules were swapped; the points depend on it."),
            text("source_ids", "Sources, separated by semicolons; see core.sources."),
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
        (*LANE, _HORIZON, _REGIME, _STEPS, *_RESPONSE_RULES, _TERMS),
    ),
    "importer_contribution_wide": MartTable(
        "Waterfall of every importer in points; read mart.importer_contribution instead.",
        (*IMPORTER_KEY, "horizon_days", "regime"),
        (
            _MINERAL,
            _STAGE,
            text("importer", "Importer; ISO 3166 alpha-3, or EU27."),
            _HORIZON,
            _REGIME,
            _STEPS,
            *_RESPONSE_RULES,
            _TERMS,
        ),
    ),
    "flow_measure": MartTable(
        "Which measure withholds how much of which flow; mart.route_measure lays it out by route.",
        FLOW_MEASURE_KEY,
        (
            _MINERAL,
            text("flow_stage", "Stage of the flow that is hit."),
            text("flow_exporter", "Exporter of that flow; ISO 3166 alpha-3."),
            text("flow_importer", "Importer of that flow; ISO 3166 alpha-3."),
            _HORIZON,
            _REGIME,
            text("measure_id", "Measure; see core.measures."),
            text("clause", "Clause of the measure."),
            text("item_id", "Item of the clause; see core.measure_items."),
            text("scope", "Whom the clause names: all, country, military_end_users or entities."),
            flag(
                "is_extraterritorial", "True where the measure reaches foreign goods bound for flow_importer."
            ),
            text("state", "State of the clause on as_of, lapsed_unverified among them."),
            number(
                "coverage_share_best",
                "Share of the mineral's tonnes at the stage that the item covers (0..1).",
            ),
            *(
                number(
                    f"withheld_share_{end}", f"Share of the flow that the measure withholds, {word} (0..1)."
                )
                for end, word in _C_ENDS
            ),
            text("rule_id", "Rule that gave the share; see meta.rule."),
            text("source_id", "Source of the state; see core.sources."),
        ),
    ),
    "measure_coverage": MartTable(
        "Every item of every measure: its codes, whether trade in them exists, what was scored, and why not.",
        ("measure_id", "clause", "item_id"),
        (
            text("measure_id", "Measure; see core.measures."),
            text("clause", "Clause of the measure."),
            text("item_id", "Item of the clause; see core.measure_items."),
            _MINERAL,
            _STAGE,
            text("form", "Form that the item names."),
            text("hs6", "Trade codes of the item, separated by semicolons."),
            text(
                "mapped_hs6", "Those of its codes that stand for this mineral and stage; see core.hs_codes."
            ),
            text("traded_hs6", "Those of its codes that hold trade in the facts, whatever they stand for."),
            flag("has_trade", "True where at least one of its codes holds trade."),
            whole("route_count", "Number of routes of the curbing country that the item reaches."),
            number("route_usd", "Value of these routes in the baseline year (USD)."),
            text(
                "reason",
                "Why nothing was scored, or nothing by trade of its own, in a closed list of phrases; else empty.",
            ),
        ),
    ),
    "reconciliation": MartTable(
        "How well trade and production agree per mineral and stage.",
        ("mineral", "stage"),
        (
            _MINERAL,
            _STAGE,
            *_YEARS,
            number("production_t", "Production that is known (t of content); from core.production."),
            number("unexplained_t", "Exports beyond production and imports (t of content); computed."),
            number(
                "unexplained_share", "Unexplained over production and unexplained together (0..1); computed."
            ),
            text("grade", "good (below 10 %), fair (25 %), weak (50 %) or insufficient."),
            whole("producer_count", "Countries with a production figure."),
            whole("exporter_count", "Countries that export."),
            number("unlisted_t_best", "What producers without a figure may make together (t of content)."),
            text("what_would_mend", "Data that would mend the gap."),
        ),
    ),
    "withheld_share": MartTable(
        "Share of each flow that its own curbing country's measures withhold, for every curbing country.",
        ("curbing_country", *ROUTE_KEY, "horizon_days"),
        (
            text("curbing_country", "Country whose measures are read; ISO 3166 alpha-3."),
            *LANE,
            _HORIZON,
            *(
                number(
                    f"{regime}_c_{end}",
                    f"Share of the flow withheld if {REGIMES[regime]}, {word} (0..1); computed.",
                )
                for regime in ("active", "snapback")
                for end, word in _C_ENDS
            ),
            number(
                "touched_share_best",
                "Empty in a run for all curbing countries: no look-through is made.",
                optional=True,
            ),
            number("full_stop", "Empty in a run for all curbing countries.", optional=True),
            text("unknown_reason", "Why these are empty.", optional=True),
        ),
    ),
    "calendar": MartTable(
        "Changes of measures that are already known to come.",
        ("event_date", "measure_id", "clause", "event"),
        (
            day("event_date", "Day of the change; from core.measure_states."),
            text("measure_id", "Measure; see core.measures."),
            text("clause", "Clause of the measure."),
            text("event", "What happens."),
            text("state_after", "State from that day on, lapsed_unverified among them."),
            text("notice", "Number of the notice."),
            text("source_id", "Source of the change; see core.sources."),
        ),
    ),
}
