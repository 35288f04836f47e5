"""Risk by supplier, in the shapes that procurement suites read. Files only: sending them stays the company's job.

The neutral shape is that of Salesforce's supplier risk score (as-of, category, score, raw score, rationale). Nobody's name
but a supplier's is in any of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from jobs.errors import InputError
from jobs.export.csv import csv_text
from jobs.export.tables import refuse_foreign, whole_folder, write_manifest
from jobs.ports import Reader
from jobs.purchases.routes import require_purchases
from jobs.suggest import did_you_mean

CATEGORY, SUBCATEGORY = "Supply risk", "Export curbs on critical minerals"
ARIBA_BATCH = 100  # suppliers in one request
ARIBA_MOST_FIELDS = 300
#: Levels as SAP Ariba names them, from ours.
ARIBA_LEVELS = {
    "critical": "High",
    "high": "High",
    "moderate": "Medium",
    "low": "Low",
    "minimal": "Low",
    None: "Unknown",
}
#: Columns of the Coupa file, by ours; a mapping file replaces them with the prompts of one's own fields.
COUPA_COLUMNS = {
    "supplier_id": "Supplier Number", "score": "Curbline Score", "band": "Curbline Band",
    "spend_at_risk_usd": "Curbline Spend At Risk USD", "rationale": "Curbline Rationale", "as_of": "Curbline As Of",
}  # fmt: skip
FORMATS = ("neutral", "ariba", "coupa", "prewave")

SUPPLIERS_SQL = """
WITH named AS (
    SELECT p.*, r.score, r.band, r.expected_missing_usd, r.missing_usd_p90, r.expected_missing_share,
           coalesce(p.supplier_id, p.supplier_name) AS who
    FROM mart.purchase AS p LEFT JOIN mart.purchase_risk AS r ON r.line_id = p.line_id AND r.regime = 'active'
)
SELECT who AS supplier_id, min(supplier_name) AS supplier_name, any_value(as_of) AS as_of, any_value(run_id) AS run_id,
       count(*)::BIGINT AS lines, count(score)::BIGINT AS lines_scored,
       sum(score * spend_usd) FILTER (score IS NOT NULL AND spend_usd > 0) / sum(spend_usd) FILTER (score IS NOT NULL AND spend_usd > 0) AS score,
       max(score) AS highest_score, arg_max(band, score) AS band,
       arg_max(mineral, coalesce(expected_missing_usd, 0)) AS mineral, arg_max(expected_missing_share, score) AS missing_share,
       sum(spend_usd) AS spend_usd, sum(expected_missing_usd) AS spend_at_risk_usd
FROM named WHERE who IS NOT NULL GROUP BY who ORDER BY who
"""


def suppliers(reader: Reader) -> pl.DataFrame:
    """Return a row per supplier: its worst band, its score weighted by spend, and why in a sentence.

    Raises:
        InputError: the file holds no purchases with a supplier.
    """
    require_purchases(reader)
    found = reader.query(SUPPLIERS_SQL)
    if found.is_empty():
        raise InputError(
            "this run holds no purchases with a supplier; add some with `curbline portfolio add FILE`, and run again."
        )
    score = pl.coalesce("score", "highest_score")
    told = pl.format(
        "Worst of {} lines: {} {}, {} % of a year expected to be missing after own stock.", "lines",
        pl.col("mineral").str.replace_all("_", " "), pl.format("({})", "band"), (pl.col("missing_share") * 100).round(0).cast(pl.Int64),
    )  # fmt: skip
    none = pl.lit("No route stands for any line of this supplier, so nothing is known of its risk.")
    return found.with_columns(
        score=score.round(1), raw_score=score, category=pl.lit(CATEGORY), subcategory=pl.lit(SUBCATEGORY),
        rationale=pl.when(pl.col("lines_scored") > 0).then(told).otherwise(none),
    )  # fmt: skip


NEUTRAL = (
    "supplier_id", "supplier_name", "as_of", "category", "subcategory", "score", "raw_score", "band", "rationale",
    "lines", "lines_scored", "spend_usd", "spend_at_risk_usd", "run_id",
)  # fmt: skip


def neutral(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the neutral shape: a score of 0..100, higher is worse; null is unknown."""
    return [_plain(row) for row in frame.select(NEUTRAL).iter_rows(named=True)]


def ariba(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Return bodies of requests of at most 100 suppliers each, keyed by the vendor id; levels, figures and no names."""
    rows = [
        {
            "smVendorId": row["supplier_id"],
            "customFields": {
                "curblineLevel": ARIBA_LEVELS[row["band"]], "curblineScore": row["score"],
                "curblineSpendAtRiskUsd": None if row["spend_at_risk_usd"] is None else round(row["spend_at_risk_usd"]),
                "curblineRationale": row["rationale"], "curblineAsOf": row["as_of"].isoformat(), "curblineRun": row["run_id"],
            },
        }
        for row in frame.iter_rows(named=True)
    ]  # fmt: skip
    return [{"suppliers": rows[start : start + ARIBA_BATCH]} for start in range(0, len(rows), ARIBA_BATCH)]


def coupa(frame: pl.DataFrame, columns: Mapping[str, str]) -> pl.DataFrame:
    """Return the columns of a Coupa file under its own names; columns without one must be left out of the file.

    Raises:
        InputError: a column to be mapped does not exist.
    """
    for name in columns:
        if name not in frame.columns:
            raise InputError(f"the mapping names column '{name}'{did_you_mean(name, frame.columns)}")
    return frame.select(pl.col(name).alias(prompt) for name, prompt in columns.items())


def prewave(frame: pl.DataFrame) -> dict[str, Any]:
    """Return one batch of external scores; suppliers without a score are left out, since it takes numbers alone."""
    known = frame.filter(pl.col("score").is_not_null())
    return {
        "scores": [
            {
                "supplierId": row["supplier_id"], "name": f"{CATEGORY}: {SUBCATEGORY}", "score": row["score"],
                "date": row["as_of"].isoformat(), "comment": row["rationale"],
            }
            for row in known.iter_rows(named=True)
        ]
    }  # fmt: skip


def read_mapping(path: Path | None) -> Mapping[str, str]:
    """Return our columns by the names of one's own fields, out of a CSV with column and prompt.

    Raises:
        InputError: the file cannot be read.
    """
    if path is None:
        return COUPA_COLUMNS
    try:
        return dict(pl.read_csv(path, infer_schema=False).select("column", "prompt").iter_rows())
    except (OSError, pl.exceptions.PolarsError) as problem:
        raise InputError(
            f"{path}: no mapping can be read ({str(problem)[:120]}); its columns are column and prompt."
        ) from problem


def write(reader: Reader, kind: str, folder: Path, mapping: Path | None = None) -> list[Path]:
    """Write the files of one format into a folder that appears whole.

    Raises:
        InputError: there is no such format, nothing to write, or the mapping cannot be used.
        SettingsError: the folder holds other files.
    """
    if kind not in FORMATS:
        raise InputError(f"format '{kind}'{did_you_mean(kind, FORMATS)}")
    refuse_foreign(folder)
    frame = suppliers(reader)
    files: dict[str, str] = {}
    if kind == "neutral":
        files = {"suppliers.json": _json(neutral(frame)), "suppliers.csv": csv_text(frame.select(NEUTRAL))}
    elif kind == "ariba":
        files = {f"ariba-{number:03d}.json": _json(body) for number, body in enumerate(ariba(frame), start=1)}
    elif kind == "coupa":
        files = {"coupa.csv": csv_text(coupa(frame, read_mapping(mapping)))}
    else:
        files = {"prewave.json": _json(prewave(frame))}
    with whole_folder(folder) as built:
        for name, text in files.items():
            (built / name).write_text(text, encoding="utf-8", newline="")
        write_manifest(built)
    return [folder / name for name in files]


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


__all__ = ["FORMATS", "ariba", "coupa", "neutral", "prewave", "suppliers", "write"]
