"""Why a route has its score: score, ranges, the three regimes, points with their reasons, measures, sources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from ground.words import ENDS, MAIN_HORIZON, REGIMES
from jobs.errors import InputError, SettingsError
from jobs.marts import MAIN_REGIME
from jobs.places import code_of, country_code, importer_code
from jobs.ports import Reader
from jobs.suggest import did_you_mean

ALL = "all"


@dataclass(frozen=True)
class RouteQuestion:
    """A route (or all that an importer buys, with exporter `all`), a horizon and a regime."""

    mineral: str
    stage: str
    exporter: str
    importer: str
    horizon_days: int = MAIN_HORIZON
    regime: str = MAIN_REGIME

    @property
    def is_total(self) -> bool:
        """Whether the importer's total is asked for."""
        return self.exporter == ALL

    @property
    def table(self) -> str:
        """Return the score table that answers it."""
        return "importer_score" if self.is_total else "route_score"

    def keys(self) -> dict[str, Any]:
        """Return the values of its key columns."""
        keys: dict[str, Any] = {"mineral": self.mineral, "stage": self.stage, "importer": self.importer}
        if not self.is_total:
            keys["exporter"] = self.exporter
        return {**keys, "horizon_days": self.horizon_days}


def explain(reader: Reader, question: RouteQuestion) -> dict[str, Any]:
    """Collect everything that explains one score.

    Args:
        reader: The published file.
        question: What to explain; names of countries and minerals are accepted beside codes.

    Returns:
        A dictionary of plain values: question, run, score row, waterfall, measures, sources.

    Raises:
        SettingsError: A name is unknown; the nearest one is offered.
        InputError: The route exists nowhere in the published file.
    """
    question = resolve(reader, question)
    row = _where(reader, f"mart.{question.table}", question.keys())
    if row.height == 0:
        raise InputError(_no_route(reader, question))
    score = row.row(0, named=True)
    measures = _measures(reader, question)
    waterfall = _waterfall(reader, question)
    cited = _cited([*(term["source_ids"] for term in waterfall), *measures["source_ids"].to_list()])
    return {
        "question": {**question.keys(), "exporter": question.exporter, "regime": question.regime},
        "run": {name: score[name] for name in ("run_id", "as_of", "known_at", "curbing_country")},
        "scores": {regime: regime_of(score, regime) for regime in REGIMES},
        "row": {name: value for name, value in score.items() if not name.startswith(REGIMES)},
        "waterfall": waterfall,
        "measures": measures.to_dicts(),
        "sources": _sources(reader, cited).to_dicts(),
    }


def resolve(reader: Reader, question: RouteQuestion) -> RouteQuestion:
    """Turn the names as written into the codes of the published file.

    Raises:
        SettingsError: A name is unknown; the nearest one is offered.
    """
    if question.regime not in REGIMES:
        raise SettingsError(f"unknown regime '{question.regime}'{did_you_mean(question.regime, REGIMES)}")
    routes = reader.query("SELECT DISTINCT mineral, stage FROM mart.route_score ORDER BY ALL")
    names = reader.query(
        "SELECT mineral AS code, name, symbol AS other FROM core.minerals ORDER BY ALL"
    ).rows()
    scored = set(routes["mineral"])
    mineral = code_of(
        "mineral",
        question.mineral,
        [row for row in names if row[0] in scored] or [(m, m, None) for m in scored],
    )
    stages = set(routes.filter(pl.col("mineral") == mineral)["stage"])
    if question.stage.casefold() not in stages:
        raise SettingsError(
            f"no routes of {mineral} at stage '{question.stage}'{did_you_mean(question.stage, stages)}"
        )
    days = reader.query("SELECT DISTINCT horizon_days FROM mart.route_score ORDER BY 1")[
        "horizon_days"
    ].to_list()
    if question.horizon_days not in days:
        raise SettingsError(
            f"no scores at a horizon of {question.horizon_days} days; known: {', '.join(map(str, days))}"
        )
    is_total = question.exporter.casefold() in (ALL, "*")
    exporter = ALL if is_total else country_code(reader, "exporter", question.exporter)
    importer = (
        importer_code(reader, question.importer)
        if is_total
        else country_code(reader, "importer", question.importer)
    )
    return RouteQuestion(
        mineral, question.stage.casefold(), exporter, importer, question.horizon_days, question.regime
    )


def _where(
    reader: Reader, table: str, keys: dict[str, Any], more: str = "", order: str = "ALL"
) -> pl.DataFrame:
    condition = " AND ".join(f'"{name}" = ${name}' for name in keys)
    return reader.query(f"SELECT * FROM {table} WHERE {condition} {more} ORDER BY {order}", keys)


def _waterfall(reader: Reader, question: RouteQuestion) -> list[dict[str, Any]]:
    """Return the terms in their order, each with its sentence; terms that moved nothing are left out."""
    keys = question.keys()
    view = "importer_contribution_sentence" if question.is_total else "contribution_sentence"
    condition = " AND ".join(f'c."{name}" = ${name}' for name in keys)
    return reader.query(
        "SELECT c.step, c.step_name, c.points, c.sentence, c.measure_id, c.clause, c.term_stage, c.rule_id, "
        f"c.pledge_id, c.source_ids FROM mart.{view} AS c WHERE {condition} AND c.regime = $regime "
        "ORDER BY c.sort_order, c.step, c.term",
        {**keys, "regime": question.regime},
    ).to_dicts()


def _measures(reader: Reader, question: RouteQuestion) -> pl.DataFrame:
    """Return the measures that hit the route or the flows that feed it, the strongest first; of a bloc, its members'."""
    keys = question.keys()
    del keys["importer"]
    condition = " AND ".join(f'rm."{name}" = ${name}' for name in keys)
    regime = "snapback" if question.regime == "full_stop" else question.regime
    return reader.query(
        f"""
        WITH buyer AS (
            SELECT country AS importer
            FROM members_at((SELECT as_of FROM meta.run), (SELECT known_at FROM meta.run)) WHERE bloc = $importer
            UNION
            SELECT $importer
        )
        SELECT rm.measure_id, any_value(m.notice) AS notice, rm.clause, rm.state, rm.flow_stage, rm.flow_exporter,
               rm.flow_importer, sum(rm.withheld_share_low) AS withheld_share_low,
               sum(rm.withheld_share_best) AS withheld_share_best, sum(rm.withheld_share_high) AS withheld_share_high,
               arg_max(rm.rule_id, rm.withheld_share_best) AS rule_id,
               list(DISTINCT rm.source_id ORDER BY rm.source_id) AS source_ids
        FROM (SELECT DISTINCT ON (measure_id, clause, item_id, flow_stage, flow_exporter, flow_importer) *
              FROM mart.route_measure AS rm SEMI JOIN buyer USING (importer)
              WHERE {condition} AND rm.regime = $regime ORDER BY ALL) AS rm
        LEFT JOIN (SELECT measure_id, arg_max(notice, known_from) AS notice FROM core.measures GROUP BY measure_id) AS m
          USING (measure_id)
        GROUP BY rm.measure_id, rm.clause, rm.state, rm.flow_stage, rm.flow_exporter, rm.flow_importer
        ORDER BY withheld_share_best DESC, rm.measure_id, rm.clause, rm.flow_stage, rm.flow_exporter, rm.flow_importer
        """,
        {**keys, "importer": question.importer, "regime": regime},
    )


def regime_of(score: dict[str, Any], regime: str) -> dict[str, Any]:
    """Gather the columns of one regime."""
    return {
        "score": {
            "expected": score[regime],
            **{end: score[f"{regime}_{end}"] for end in ENDS},
        },
        "expected": {
            **(_evidence(score) if regime == "active" else {}),
            "missing_share": score[f"{regime}_expected_missing_share"],
            **{name: score[f"{regime}_missing_share_{name}"] for name in ("p10", "p50", "p90")},
            "gap_share": score[f"{regime}_gap_share"],
            "chance_of_shortage": score[f"{regime}_chance_of_shortage"],
        },
        "band": score[f"{regime}_band"],
        "confidence": score[f"{regime}_confidence"],
        "priority": score[f"{regime}_priority"],
        "time_to_shortage_days": {
            "best": score[f"{regime}_time_to_shortage_days"],
            **{name: score[f"{regime}_time_to_shortage_days_{name}"] for name in ("p10", "p50", "p90")},
        },
    }


def _evidence(score: dict[str, Any]) -> dict[str, Any]:
    """Return what trade since the curb changed."""
    return {"evidence": score["evidence"], "prior_missing_share": score["prior_expected_missing_share"]}


def _cited(cells: Iterable[Sequence[str] | None]) -> list[str]:
    """Return every source id in the lists."""
    return sorted({name for cell in cells for name in cell or ()})


def _sources(reader: Reader, ids: list[str]) -> pl.DataFrame:
    return reader.query(
        "SELECT source_id, grade, publisher, title, published, url FROM core.sources "
        "WHERE list_contains($ids, source_id) ORDER BY source_id",
        {"ids": ids},
    )


def _no_route(reader: Reader, question: RouteQuestion) -> str:
    """Say that nothing is traded on the lane, and where the importer does buy."""
    keys = {"mineral": question.mineral, "stage": question.stage, "importer": question.importer}
    found = _where(reader, "mart.route_score", keys)
    name = f"{question.mineral} / {question.stage} / {question.exporter} → {question.importer}"
    if found.height == 0:
        return f"{name}: no trade into {question.importer} is known at this stage, so there is nothing to score. Unknown is not zero."
    largest = (
        found.unique("exporter")
        .sort("route_t", "exporter", descending=[True, False], nulls_last=True)["exporter"]
        .head(8)
        .to_list()
    )
    return f"{name}: no such trade is known. {question.importer} buys from: {', '.join(largest)}."
