"""The published views: what each is, its key, and the meaning of its columns; views.sql makes them."""

from __future__ import annotations

from warehouse.published.columns import MartView
from warehouse.published.mart_columns import TABLES_OF_MART
from warehouse.published.route_columns import FLOW_MEASURE_KEY, IMPORTER_KEY, ROUTE_KEY

TERM_KEY = ("horizon_days", "regime", "term")


def _told(table: str) -> dict[str, str]:
    return {column.name: column.comment for column in TABLES_OF_MART[table].own}


#: Comments of the columns of views.
VIEW_COLUMNS: dict[str, str] = {
    "publisher": "Who published the shares; see core.sources.",
    "form": "Good, as the publisher names it; see core.import_share_codes.",
    "year_from": "First calendar year of the published mean.",
    "year_to": "Last calendar year of the published mean.",
    "trade_years": "Years of trade that the codes are summed over; empty where none is on hand.",
    "trade_year": "Latest year of trade that was known; from core.trade.",
    "hs6_list": "Trade codes that cover this good; from core.import_share_codes.",
    "share_basis": "What trade_share is a share of: tonnes of content, or USD where tonnes are missing for 5 % of the value.",
    "published_share": "Share of the origin in the imports as published (0..1); 0 where the publisher names no such origin.",
    "trade_share": "Share of the origin in the imports of these codes (0..1); empty where nothing can be compared.",
    "attributed_share": "Share of the origin in the importer's tonnes of trade_year at this stage, as the split of the codes has "
    "them (0..1); empty where there is no route.",
    "difference_points": "Our share less published_share (percentage points).",
    "apart_share": "Half the sum of the differences of this good: the share of imports attributed to another origin (0..1).",
    "month": "First day of the month.",
    "baseline_year": "Last full year before the first curb; its months are the normal ones.",
    "source_id": "Source of quantity_t; see core.sources.",
    "known_from": "Newest day on which any of the sources spoke.",
    "quantity_t": "Tonnes of goods (not of content) in the month: of the best grade, stated before derived, then the newest; see "
    "core.observed_months.",
    "quantity_t_low": "The least that any source says of the month (t of goods).",
    "quantity_t_high": "The most that any source says of the month (t of goods).",
    "value_usd": "Value of the month as told (USD); empty where no source tells it.",
    "claim_count": "How many sources speak of the month.",
    "basis": "reported: somebody's figure for the mineral; code …: customs figure of that code, from core.trade_months.",
    "year_before_t": "The same month a year before (t of goods); empty where no source speaks of it.",
    "baseline_month_t": "The same month of baseline_year (t of goods); empty where no source speaks of it.",
    "of_year_before_share": "quantity_t over year_before_t (1 is no change); empty where either is unknown.",
    "of_baseline_share": "quantity_t over baseline_month_t (1 is no change); empty where either is unknown.",
    "last_12_known_t": "Sum of the known months of the twelve that end with this one (t of goods); see last_12_known_months.",
    "last_12_known_months": "How many of those twelve months are known; below 12 the sum is of fewer.",
    "grade": "By apart_share: good (below 10 %), fair (25 %), weak (50 %), insufficient; or not compared.",
    "not_compared_because": "Why no code can be compared; empty where one can.",
    "remark": "What a reader must know: published bounds, and what the codes cover beyond the good, or miss of it.",
    **_told("contribution_wide"),
    **_told("contribution_term"),
    **_told("exposure"),
    "listing": "Whether lists name the lane: listed, small, rest, own or unknown; see mart.route_score.",
    "lane_count": "How many lanes of mart.route_score it stands for: 1, or those that REST holds.",
    "band": "Band of the score: minimal, low, moderate, high or critical.",
    "confidence": "How many of the draws fall into one band: firm (80 %), leaning (50 %) or open (fewer).",
    "chance_of_shortage": "Share of the draws in which 4 % or more is missing (0..1); computed.",
    "expected_missing_share": "Share of normal tonnes missing, mean of the joint draws (0..1); computed.",
    "missing_share_p10": "Share of normal tonnes missing: nine chances in ten of more (0..1); computed.",
    "missing_share_p90": "Share of normal tonnes missing: one chance in ten of more (0..1); computed.",
    "days_missing": "Days of normal supply expected to be missing over the horizon: expected_missing_share × horizon_days.",
    "traded_t": "Tonnes of content in the baseline year, taken to the length of the horizon; empty where unknown.",
    "expected_missing_t": "Tonnes of content expected to be missing over the horizon, mean; computed.",
    "missing_t_p10": "Nine chances in ten that more is missing (t of content); computed.",
    "missing_t_p90": "One chance in ten that more is missing (t of content); computed.",
    "traded_usd": "Value in the baseline year, taken to the length of the horizon (USD); empty where unknown.",
    "points": "Points of score that the term adds (negative: takes away); the points of a route sum to its score.",
    "sentence": "The term in one sentence.",
    **_told("flow_measure"),
    "rule_id": "Rule that decided the term or the share; see meta.rule.",
}
_GOOD_KEY = ("publisher", "mineral", "form", "importer", "exporter")
VIEWS: dict[str, MartView] = {
    "contribution": MartView(
        "Waterfall of every route, one row per term in play; points sum to the score.",
        (*ROUTE_KEY, *TERM_KEY),
    ),
    "importer_contribution": MartView(
        "Waterfall of every importer, one row per term in play; points sum to the score.",
        (*IMPORTER_KEY, *TERM_KEY),
    ),
    "import_share_check": MartView(
        "Where a country's imports come from: as published and by our trade codes, side by side. A check of the codes, "
        "not part of a score.",
        _GOOD_KEY,
    ),
    "bundle_share_check": MartView(
        "Origins of a country's imports of a good whose code covers others too: as published, and by the split of the "
        "code. A check of the split, not part of a score.",
        _GOOD_KEY,
    ),
    "flow_month": MartView(
        "What was shipped month by month, as customs codes or reports have it, beside the same month a year before and in the "
        "baseline year. Tonnes of goods; not part of a score.",
        ("mineral", "stage", "form", "exporter", "importer", "month"),
    ),
    "contribution_sentence": MartView(
        "Waterfall of every route with a sentence for each term, as `curbline explain` prints it.",
        (*ROUTE_KEY, *TERM_KEY),
    ),
    "importer_contribution_sentence": MartView(
        "Waterfall of every importer with a sentence for each term, as `curbline explain` prints it.",
        (*IMPORTER_KEY, *TERM_KEY),
    ),
    "route_missing": MartView(
        "What every route is expected to go short of: share, days, tonnes and money, one row per regime. Sum the means "
        "only; for the range of a total read mart.exposure, which is summed inside the draws.",
        (*ROUTE_KEY, "horizon_days", "regime"),
    ),
    "lane": MartView(
        "Lanes as lists show them: those that customs statistics cannot mean (listing rest) are one lane of each exporter "
        "and importer, of mineral REST and stage *, with their sums; its share is that of the tonnes, and it has no range.",
        (*ROUTE_KEY, "horizon_days", "regime"),
    ),
    "route_measure": MartView(
        "Which measure hits which flow of a route: its own lane, a flow into its exporter at this stage or before, or its "
        "goods on their way to the importer.",
        (*("stage", "exporter", "importer"), *FLOW_MEASURE_KEY),
    ),
}
