"""Columns of the tables that say what moved since the night before, and why."""

from __future__ import annotations

from warehouse.published.columns import RUN, MartTable, number, text
from warehouse.published.route_columns import HORIZON, IMPORTER, MINERAL, REGIME, ROUTE_KEY, STAGE

_CAUSE = text(
    "cause",
    "What moved it: code, rules, facts, calendar (the day alone, dated parameters included) or law (rows on what states "
    "did or promised); swapped in this order.",
)
CHANGE_TABLES: dict[str, MartTable] = {
    "score_change": MartTable(
        "Routes and importer totals whose score moved by 0.05 points, or into another band, since the night before "
        "(meta.run.since_run_id): a row per cause. Figures of the causes sum to the move; the draws are the same ones.",
        (*ROUTE_KEY, "horizon_days", "regime", "cause"),
        (
            *RUN,
            MINERAL,
            STAGE,
            text("exporter", "Exporter; ISO 3166 alpha-3, or * for the importer's total."),
            IMPORTER,
            HORIZON,
            REGIME,
            _CAUSE,
            number("score_before", "Score of the night before (0..100); empty where there was none."),
            number("score_after", "Score of this night (0..100); empty where there is none."),
            text("band_before", "Band of the night before; empty where there was none."),
            text("band_after", "Band of this night; empty where there is none."),
            number(
                "points",
                "Points of score that the cause moves; empty where it brings or takes away the score itself.",
            ),
            number("missing_share_change", "Change of the expected missing share (-1..1)."),
            number(
                "missing_t_change",
                "Change of the tonnes expected to be missing over the horizon (t of content); of a total, over its lanes.",
            ),
            number("missing_usd_change", "The same in money (USD)."),
            *(
                number(
                    f"missing_{unit}_change_{end}",
                    f"{said} draws of the whole move, all its causes together, from the same draws on both nights ({name}); "
                    "empty in a run, which keeps no draws of the night before: `curbline diff --ranges` gives it.",
                )
                for unit, name in (("t", "t of content"), ("usd", "USD"))
                for end, said in (("p10", "Exceeded by nine in ten"), ("p90", "Exceeded by one in ten"))
            ),
        ),
    ),
    "score_change_reason": MartTable(
        "What differs between the two nights of mart.score_change: rows, notices, rules, dates, by cause and mineral.",
        ("cause", "mineral", "reason_id"),
        (
            _CAUSE,
            text("mineral", "Mineral that it reaches, or * for any; see core.minerals."),
            text("reason_id", "What it is: a row of a fact table by its key, a rule, a parameter or a date."),
            text("kind", "row, notice, rule, parameter, date or code."),
            text("reason", "What differs, in words."),
            text("source_id", "Source of the row; see core.sources. Empty where it is no row."),
        ),
    ),
}
