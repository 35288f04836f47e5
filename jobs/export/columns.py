"""Columns of the workbook's sheets: the order is an interface, so new ones go to the end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """How a column's values are written."""

    TEXT = auto()
    BAND = auto()
    SCORE = auto()
    POINTS = auto()
    SHARE = auto()
    TONNES = auto()
    USD = auto()
    DAYS = auto()
    YEAR = auto()
    DATE = auto()
    LINK = auto()
    RATE = auto()


@dataclass(frozen=True)
class Column:
    """One column: the field, its header with the unit, how it is written, and its width in characters."""

    key: str
    header: str
    kind: Kind = Kind.TEXT
    width: float = 12
    wraps: bool = False


ROUTE_COLUMNS = (
    Column("mineral", "Mineral", width=18),
    Column("stage", "Stage", width=11),
    Column("exporter", "Exporter", width=9),
    Column("importer", "Importer", width=9),
)

IMPORTERS = (
    Column("importer", "Importer", width=9),
    Column("mineral", "Mineral", width=20),
    Column("traded_usd", "Imports within the horizon (USD)", Kind.USD, 16),
    Column("expected_missing_usd", "Expected missing (USD)", Kind.USD, 14),
    Column("missing_usd_p10", "One in ten below (USD)", Kind.USD, 14),
    Column("missing_usd_p90", "One in ten above (USD)", Kind.USD, 14),
)

RISK = (
    *ROUTE_COLUMNS,
    Column("band", "Band", Kind.BAND, 10),
    Column("score", "Score (0–100)", Kind.SCORE, 8),
    Column("expected_missing_share", "Expected missing (% of tonnes)", Kind.SHARE, 11),
    Column("missing_share_p10", "One in ten below (% of tonnes)", Kind.SHARE, 11),
    Column("missing_share_p90", "One in ten above (% of tonnes)", Kind.SHARE, 11),
    Column("confidence", "Confidence", width=11),
    Column("expected_missing_usd", "Expected missing (USD)", Kind.USD, 13),
    Column("priority", "Priority (0–100)", Kind.SCORE, 8),
    Column("route_usd", "Trade value (USD, baseline year)", Kind.USD, 14),
    Column("route_t", "Normal trade (t contained, baseline year)", Kind.TONNES, 13),
    Column("main_reason", "Main reason", width=48, wraps=True),
    Column("next_event", "Next known event", width=32, wraps=True),
    Column("next_event_date", "Date of next event", Kind.DATE, 11),
    Column("owner", "Owner (yours to fill)", width=14, wraps=True),
    Column("reason_url", "Source of the main reason", Kind.LINK, 40),
    Column("snapback_band", "Snapback band", Kind.BAND, 10),
    Column("snapback_score", "Snapback score (0–100)", Kind.SCORE, 9),
    Column("full_stop_band", "Full-stop band", Kind.BAND, 10),
    Column("full_stop_score", "Full-stop score (0–100)", Kind.SCORE, 9),
    Column("scheduled_score", "Scheduled score (0–100)", Kind.SCORE, 10),
    Column("time_to_shortage_days", "Time to shortage (days, even chance)", Kind.DAYS, 10),
    Column("dependence_share", "Dependence (% of supply)", Kind.SHARE, 12),
    Column("baseline_year", "Baseline year", Kind.YEAR, 9),
    Column("latest_t", "Latest trade (t contained)", Kind.TONNES, 13),
    Column("trade_year", "Latest trade year", Kind.YEAR, 9),
    Column("exporter_name", "Exporter name", width=20),
    Column("importer_name", "Importer name", width=20),
    Column("reconciliation", "Reconciliation", width=14),
    Column("trade_basis", "Trade code fit", width=10),
    Column("trade_completeness", "Trade completeness", width=20),
    Column("hindsight", "Uses later data", width=9),
    Column("narrowed_by", "What would narrow the range", width=20),
    Column("unknown_reason", "Why unknown", width=30, wraps=True),
)
RISK_PRINTED = 17  # columns on paper, to the owner: all of them on one page are too small to read

REASONS = (
    *ROUTE_COLUMNS,
    Column("step", "Step", width=6),
    Column("step_name", "Step name", width=18),
    Column("points", "Points (of score)", Kind.POINTS, 9),
    Column("sentence", "Reason", width=80, wraps=True),
    Column("measure_id", "Measure", width=24),
    Column("clause", "Clause", width=10),
    Column("rule_id", "Rule", width=24),
    Column("source_ids", "Sources", width=28),
)

MEASURES = (
    *ROUTE_COLUMNS,
    Column("regime", "View", width=10),
    Column("notice", "Notice", width=24),
    Column("title", "Title", width=50, wraps=True),
    Column("clause", "Clause", width=10),
    Column("instrument", "Instrument", width=20),
    Column("state", "State", width=18),
    Column("flow_stage", "Flow: stage", width=11),
    Column("flow_exporter", "Flow: from", width=8),
    Column("flow_importer", "Flow: to", width=8),
    Column("coverage_share_best", "Covered (% of the flow)", Kind.SHARE, 10),
    Column("withheld_share_low", "Withheld, low (%)", Kind.SHARE, 10),
    Column("withheld_share_best", "Withheld, best (%)", Kind.SHARE, 10),
    Column("withheld_share_high", "Withheld, high (%)", Kind.SHARE, 10),
    Column("measure_id", "Measure", width=24),
    Column("item_id", "Item", width=24),
    Column("source_id", "Source", width=24),
)

SOURCES = (
    Column("source_id", "Source", width=30),
    Column("publisher", "Publisher", width=30),
    Column("title", "Title", width=60, wraps=True),
    Column("url", "Link", Kind.LINK, 60),
    Column("published", "Published", Kind.DATE, 11),
    Column("licence", "Licence", width=24),
    Column("grade", "Grade (A–D)", width=8),
)
