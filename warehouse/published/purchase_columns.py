"""Columns of the tables on a company's own purchases; they are empty in a run without any."""

from __future__ import annotations

from warehouse.published.columns import RUN, MartTable, day, flag, number, text, texts, whole
from warehouse.published.route_columns import HORIZON, MINERAL, REGIME, STAGE

_EXPORTER = text(
    "exporter", "Exporter of the route that stands for the line, or * for all that the importer has."
)
_IMPORTER = text("importer", "Importer of that route, or the country whose pool stands for the line.")
_LINE = text(
    "line_id",
    "Line of the company's file: its own id, or a hash of supplier, part, mineral, stage and places.",
)
_MONEY = (
    number(
        "gap_usd",
        "Spend expected to be missing over the horizon before any stock (USD); mean over the draws.",
    ),
    number(
        "expected_missing_usd",
        "Spend at risk: what is expected to be missing after the company's own stock (USD).",
    ),
    number("missing_usd_p10", "In one draw of ten less is missing (USD)."),
    number("missing_usd_p90", "In one draw of ten more is missing (USD)."),
)
_TONNES = (
    number(
        "expected_missing_t",
        "Tonnes as bought that are expected to be missing over the horizon, after own stock.",
    ),
    number("missing_t_p10", "In one draw of ten less is missing (t)."),
    number("missing_t_p90", "In one draw of ten more is missing (t)."),
)
_TAIL = (
    number(
        "tail_usd",
        "Mean spend missing in the tenth of the draws that is worst for the whole portfolio (USD).",
    ),
    number("tail_share", "Share of the portfolio's tail that it makes (0..1): what to fix first."),
)
PURCHASE_TABLES: dict[str, MartTable] = {
    "purchase": MartTable(
        "The company's own lines as `curbline portfolio add` took them, and the route that stands for each. No score "
        "without a route: unknown_reason says why.",
        ("line_id",),
        (
            *RUN,
            _LINE,
            text("supplier_id", "Supplier's number in the company's system."),
            text("supplier_name", "Supplier."),
            text("supplier_country", "Country of the supplier's site; ISO 3166 alpha-3."),
            text("part", "Part number."),
            MINERAL,
            STAGE,
            _EXPORTER,
            _IMPORTER,
            text("mapped_by", "How the route was found."),
            text("unknown_reason", "Why no route stands for the line."),
            text("hs6", "HS code, six digits."),
            text("cn8", "Combined Nomenclature code, eight digits."),
            text("origin", "Declared origin; ISO 3166 alpha-3."),
            flag("origin_is_declared", "Whether an origin was declared."),
            text("destination", "Country of the company's own site; ISO 3166 alpha-3."),
            text("incoterm", "Incoterm."),
            number("quantity_t", "Tonnes bought a year, as bought."),
            number("annual_spend", "Spend a year in its own currency."),
            text("currency", "Currency of annual_spend; ISO 4217."),
            number("usd_per_unit", "Rate to US dollars."),
            day("rate_date", "Day of the rate; empty for US dollars."),
            text("rate_source", "Source of the rate."),
            number("spend_usd", "Spend a year (USD)."),
            number(
                "stock_days",
                "The company's own stock (days of use); empty where not stated: none is counted then.",
            ),
            text("owner", "Who answers for the line."),
            text("end_use", "End use."),
            whole("year", "Year of quantity and spend."),
            text("note", "What was assumed when the line was read."),
            text(
                "contains",
                "Minerals, stages and mass shares of the part's bill of materials; mineral is then the shortest.",
            ),
            texts("route_parts", "Routes of these minerals; the largest of their gaps counts in each draw."),
            whole("row_in_file", "Row of the company's file."),
            text("next_event", "Next known change of the law on the route."),
            day("next_event_date", "Its day."),
            whole("days_to_next_event", "Days from as_of to it."),
            number("pledge_points", "Points of the route's score that pledges take off today (0 or less)."),
            number(
                "touched_share_best",
                "Share of the route's goods that went through the curbing country (0..1).",
            ),
            number("touched_share_low", "The same, low end."),
            number("touched_share_high", "The same, high end."),
        ),
    ),
    "purchase_risk": MartTable(
        "What is missing of each line by regime, after the company's own stock; from the draws of mart.purchase_draw.",
        ("line_id", "horizon_days", "regime"),
        (
            *RUN,
            _LINE,
            HORIZON,
            REGIME,
            number("score", "100·√expected missing share after the company's own stock (0..100)."),
            text("band", "Band of the score."),
            number("gap_share", "Share missing before any stock (0..1); mean over the draws."),
            number(
                "expected_missing_share",
                "Share missing after the company's own stock (0..1); mean over the draws.",
            ),
            number("missing_share_p10", "In one draw of ten less is missing (0..1)."),
            number("missing_share_p90", "In one draw of ten more is missing (0..1)."),
            number("chance_of_shortage", "Share of the draws in which anything is missing (0..1)."),
            *_MONEY,
            *_TONNES,
            *_TAIL,
            number(
                "days_to_shortage_p10",
                "Days until the own stock is used up: one draw in ten is sooner. Empty where it lasts, or no stock is stated.",
            ),
            number("days_to_shortage_p50", "The same, even chance."),
            number("days_to_shortage_p90", "The same, nine draws in ten."),
        ),
    ),
    "purchase_total": MartTable(
        "Sums of lines by part, supplier, mineral, owner and in total, made inside each draw, so that ranges are honest.",
        ("grouping", "name", "horizon_days", "regime"),
        (
            *RUN,
            text("grouping", "What lines are summed by: part, supplier, mineral, owner or total."),
            text("name", "Of the part, supplier and so on; * in total."),
            HORIZON,
            REGIME,
            whole("lines", "Lines with a route."),
            whole("lines_without_spend", "Lines among them of unknown spend, which no sum holds."),
            number("spend_usd", "Spend over the horizon (USD)."),
            number("unknown_origin_share", "Share of that spend whose origin is not declared (0..1)."),
            *_MONEY,
            *_TONNES,
            *_TAIL,
        ),
    ),
    "purchase_check": MartTable(
        "Dated tests of the company's lines: yes, no or cannot tell, with the reason. No score moves by them.",
        ("line_id", "check_id", "entity"),
        (
            *RUN,
            _LINE,
            text(
                "check_id",
                "dfars-225-7018, content-0.1-percent or named-entity; see rules/purchases/checks.toml.",
            ),
            text(
                "answer",
                "yes, no or cannot tell; of a name: yes where it has the same words, else cannot tell.",
            ),
            text("reason", "Why."),
            text("reference", "Text that the test is of, or the measure behind a list of entities."),
            day("applies_from", "First day on which the text applies."),
            flag("is_in_force", "Whether that day has come by as_of."),
            text("entity", "Entity that a name is like; empty text for other tests."),
            number(
                "match_score",
                "How alike the names are, 0..100 without regard to the order of words; computed.",
            ),
        ),
    ),
    "purchase_draw": MartTable(
        "The draws that sums over purchases are made of: the gap of each route before stocks. Draw d is one world in all "
        "routes, so sum inside a draw.",
        ("mineral", "stage", "exporter", "importer", "regime", "draw"),
        (
            *RUN,
            MINERAL,
            STAGE,
            _EXPORTER,
            _IMPORTER,
            REGIME,
            whole("draw", "Number of the draw, from 0."),
            number("gap_share", "Share of normal tonnes missing over 365 days before stocks (0..1)."),
        ),
    ),
}
