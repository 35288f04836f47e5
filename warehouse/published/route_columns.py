"""What many published tables share: keys, routes, years, regimes."""

from __future__ import annotations

from warehouse.published.columns import text, whole

REGIMES = {
    "active": "the law in force on as_of applies",
    "snapback": "every suspended, announced or unverified measure takes effect",
    "full_stop": "every flow of the curbing country ceases",
}
MINERAL = text("mineral", "Mineral; see core.minerals.")
STAGE = text("stage", "mined, refined, metal or fabricated.")
EXPORTER = text("exporter", "Exporter; ISO 3166 alpha-3.")
IMPORTER = text("importer", "Importer; ISO 3166 alpha-3.")
HORIZON = whole("horizon_days", "Horizon of the score (days): 90, 365 or 1825.")
REGIME = text("regime", "active, snapback or full_stop.")
LANE = (MINERAL, STAGE, EXPORTER, IMPORTER)
YEARS = (
    whole("trade_year", "Latest year of trade that was known; from core.trade."),
    whole("baseline_year", "Last full year before the first curb; its tonnes are the normal ones."),
)
C_ENDS = (("low", "low end"), ("best", "best estimate"), ("high", "high end"))

ROUTE_KEY = ("mineral", "stage", "exporter", "importer")
IMPORTER_KEY = ("mineral", "stage", "importer")
FLOW_MEASURE_KEY = (
    *("mineral", "flow_stage", "flow_exporter", "flow_importer", "horizon_days", "regime"),
    *("measure_id", "clause", "item_id"),
)
