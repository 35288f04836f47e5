"""Published tables of the law and of the data: which measure hits what, what is covered, how well figures agree."""

from __future__ import annotations

from ground.words import LAW_REGIMES
from warehouse.published.columns import MartTable, day, flag, number, text, texts, whole
from warehouse.published.route_columns import (
    C_ENDS,
    FLOW_MEASURE_KEY,
    HORIZON,
    LANE,
    MINERAL,
    REGIME,
    REGIMES,
    ROUTE_KEY,
    STAGE,
    YEARS,
)

LAW_TABLES: dict[str, MartTable] = {
    "flow_measure": MartTable(
        "Which measure withholds how much of which flow; mart.route_measure lays it out by route.",
        FLOW_MEASURE_KEY,
        (
            MINERAL,
            text("flow_stage", "Stage of the flow that is hit."),
            text("flow_exporter", "Exporter of that flow; ISO 3166 alpha-3."),
            text("flow_importer", "Importer of that flow; ISO 3166 alpha-3."),
            HORIZON,
            REGIME,
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
                for end, word in C_ENDS
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
            MINERAL,
            STAGE,
            text("form", "Form that the item names."),
            texts("hs6", "Trade codes of the item."),
            texts("mapped_hs6", "Its codes that represent this mineral and stage; see core.hs_codes."),
            texts("traded_hs6", "Its codes with trade in the facts, whatever they represent."),
            flag("has_trade", "True if at least one of its codes has trade."),
            whole("route_count", "Number of routes of the curbing country that the item reaches."),
            number("route_usd", "Value of these routes in the baseline year (USD)."),
            text(
                "reason",
                "Why nothing was scored, or nothing by its own trade, as one of a fixed list of phrases; otherwise empty.",
            ),
        ),
    ),
    "reconciliation": MartTable(
        "How well trade and production agree per mineral and stage.",
        ("mineral", "stage"),
        (
            MINERAL,
            STAGE,
            *YEARS,
            number("production_t", "Production that is known (t of content); from core.production."),
            number("unexplained_t", "Exports beyond production and imports (t of content); computed."),
            number(
                "unexplained_share", "Unexplained over production and unexplained together (0..1); computed."
            ),
            text("grade", "good (below 10 %), fair (25 %), weak (50 %) or insufficient."),
            whole("producer_count", "Countries with a production figure."),
            whole("exporter_count", "Countries that export."),
            number("unlisted_t_best", "What producers without a figure may make together (t of content)."),
            text("what_would_mend", "Data that would close the gap."),
        ),
    ),
    "withheld_share": MartTable(
        "Share of each flow that its own curbing country's measures withhold, for every curbing country.",
        ("curbing_country", *ROUTE_KEY, "horizon_days"),
        (
            text("curbing_country", "Country whose measures are read; ISO 3166 alpha-3."),
            *LANE,
            HORIZON,
            *(
                number(
                    f"{regime}_c_{end}",
                    f"Share of the flow withheld if {REGIMES[regime]}, {word} (0..1); computed.",
                )
                for regime in LAW_REGIMES
                for end, word in C_ENDS
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
        "Dated events, ahead or just passed, of all countries' measures, of agreements, pledges and rules.",
        ("event_date", "kind", "subject_id", "clause", "event"),
        (
            day("event_date", "Day of the event, or day on which a state lapsed that is unverified still."),
            text("kind", "measure, agreement, pledge or rule."),
            text(
                "country",
                "Whose it is: the country that curbs, the first party; ISO 3166 alpha-3. Empty for rules.",
            ),
            text("subject_id", "Measure, agreement, pledge or rule; see core and meta.rule."),
            text("measure_id", "Measure, also where a pledge is one; see core.measures. Otherwise empty."),
            text("clause", "Clause of the measure, name of the rule's parameter, or all."),
            text("event", "What happens."),
            text("state_before", "State up to the day before."),
            text("state_after", "State from that day on, lapsed_unverified among them."),
            flag("is_unverified", "True where the state has lapsed by as_of and no successor is known."),
            text("notice", "Number of the notice, or what it is."),
            texts("minerals", "Minerals that it names; * for all."),
            whole(
                "lane_count",
                "Lanes out of the country that its items and destinations name, all stages; empty where its goods have no "
                "trade in the facts.",
            ),
            number(
                "route_t",
                "Tonnes of content a year of these lanes; empty where they are of several minerals or stages, which do not "
                "add up.",
            ),
            number("route_usd", "Value a year of these lanes of which it is known (USD, baseline year)."),
            day("last_confirmed_on", "Day on which a source last confirmed the state, or was published."),
            text("last_confirmed_by", "Publisher of that source."),
            text("what_is_open", "What the facts leave open."),
            text("what_would_settle", "What would settle an unverified or ended state."),
            texts("other_reports", "What other sources say of the same state, where they differ."),
            text("source_id", "Source of the change; see core.sources. Empty for rules."),
        ),
    ),
}
