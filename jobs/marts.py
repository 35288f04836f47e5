"""Names that the jobs rely on: mart tables, their keys, horizons, regimes and bands."""

from __future__ import annotations

HORIZONS = (90, 365, 1825)
MAIN_HORIZON = 365
REGIMES = ("active", "snapback", "full_stop")
MAIN_REGIME = "active"
BANDS = ("critical", "high", "moderate", "low", "minimal")
UNKNOWN_BAND = "unknown"
ENDS = ("low", "", "high")  # of a published range; "" is best
STEPS = ("s0", "s1", "s2", "s3", "s4", "s5", "s6")

ROUTE = ("mineral", "stage", "exporter", "importer")
KEYS: dict[str, tuple[str, ...]] = {
    "route_score": (*ROUTE, "horizon_days"),
    "importer_score": ("mineral", "stage", "importer", "horizon_days"),
    "exposure": ("importer", "mineral", "stage", "horizon_days", "regime"),
    "contribution_term": ("mineral", "term"),
    "contribution_wide": (*ROUTE, "horizon_days", "regime"),
    "importer_contribution_wide": ("mineral", "stage", "importer", "horizon_days", "regime"),
    "route_measure": (
        *ROUTE, "horizon_days", "regime", "measure_id", "clause", "item_id", "flow_stage", "flow_exporter", "flow_importer",
    ),
    "measure_coverage": ("measure_id", "clause", "item_id"),
    "reconciliation": ("mineral", "stage"),
    "withheld_share": ("curbing_country", *ROUTE, "horizon_days"),
}  # fmt: skip


def range_columns(name: str) -> list[str]:
    """Return the columns of a published range from low to high, `name` itself being best."""
    return [f"{name}_{end}" if end else name for end in ENDS]
