"""What scenarios move, as two tables: lanes and buyers. The same columns stand in JSON, CSV and Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import polars as pl
import polars.selectors as cs
import xlsxwriter

from engine.scoring.exposure import DAYS_A_YEAR
from jobs.export.csv import write_csv
from jobs.export.tables import TableFormat, refuse_foreign, whole_folder, write_manifest
from jobs.marts import LISTED
from jobs.scenario.compare import LANE
from jobs.scenario.world import Outcome

LANES, BUYERS = "scenario_lane", "scenario_importer"
WORKBOOK = "scenarios.xlsx"
#: Less than this of a lane is not told; nothing that is printed with three digits shows it.
LEAST_SHARE = 1e-4


def tables(outcomes: Sequence[Outcome]) -> dict[str, pl.DataFrame]:
    """Return the tables by name, all scenarios one below the other.

    Columns of `scenario_lane`: scenario, the question, keys of the lane, horizon_days, regime, route_t and route_usd (a year), scores,
    bands and expected missing shares without (`base_…`) and with the scenario, and the change in tonnes and USD over the
    horizon: mean, and the p10 and p90 of what changes within the same draw. Lanes that do not move are left out.

    Columns of `scenario_importer`: the same of a buyer's lanes together; a bloc buys from outside, `*` is everybody but
    the curbing country and entrepots. Stage `*` is all stages, mineral `*` everything that the scenario reaches:
    tonnes of different goods are not added up. Where some lanes have no known value, `lanes_without_usd` counts them
    and the money is that of the others.
    """
    return {
        LANES: pl.concat([_lanes(one) for one in outcomes]),
        BUYERS: pl.concat([_dated(one, one.differences.buyers) for one in outcomes]),
    }


def _lanes(one: Outcome) -> pl.DataFrame:
    within = one.asked.horizon_days / DAYS_A_YEAR
    frame = one.differences.lanes.filter(pl.col("change_share").abs().ge(LEAST_SHARE))
    changes = [
        (pl.col(f"change_share{end}") * pl.col(f"route_{unit}") * within).alias(f"change_missing_{unit}{end}")
        for unit in ("t", "usd")
        for end in ("", "_p10", "_p90")
    ]
    moved = frame.with_columns(changes).sort(
        pl.col("change_missing_usd").abs(), pl.col("change_missing_t").abs(), *LANE,
        descending=[True, True, *(False for _ in LANE)], nulls_last=True,
    )  # fmt: skip
    return _dated(one, moved)


def _dated(one: Outcome, frame: pl.DataFrame) -> pl.DataFrame:
    about = {
        "scenario": one.file.scenario.scenario, "as_of": one.question.as_of, "known_at": one.question.known_at,
        "curbing_country": one.question.curbing_country, "horizon_days": one.asked.horizon_days,
        "regime": one.asked.regime,
    }  # fmt: skip
    return frame.select(*(pl.lit(value).alias(name) for name, value in about.items()), pl.all())


def write_tables(outcomes: Sequence[Outcome], folder: Path, formats: Sequence[TableFormat]) -> list[Path]:
    """Write the tables, and a workbook of them, into a folder that holds nothing but earlier exports.

    Raises:
        SettingsError: the folder holds other files.
        PublishError: the disk is full or the folder cannot be written.
    """
    refuse_foreign(folder)
    with whole_folder(folder) as built:
        for name, frame in tables(outcomes).items():
            for kind in formats:
                path = built / f"{name}.{kind.value}"
                if kind is TableFormat.CSV:
                    write_csv([frame], path)
                else:
                    frame.write_parquet(path)
        write_workbook(outcomes, built / WORKBOOK)
    write_manifest(folder)
    written = [folder / f"{name}.{kind.value}" for name in (LANES, BUYERS) for kind in formats]
    return [*written, folder / WORKBOOK]


def write_workbook(outcomes: Sequence[Outcome], path: Path) -> None:
    """Write a workbook: what is supposed, importers, and the lanes that are large enough to be listed.

    The creation time inside is the latest day that was scored, so that the same scenarios give the same bytes.
    """
    found = tables(outcomes)
    supposed = [
        (one.file.scenario.scenario, one.file.scenario.title, sentence)
        for one in outcomes
        for sentence in one.sentences
    ]
    sheets = {
        "Scenarios": pl.DataFrame(
            supposed, schema=dict.fromkeys(("scenario", "title", "supposed"), pl.String), orient="row"
        ),
        "Importers": found[BUYERS],
        "Lanes": found[LANES].filter(listing=LISTED),
    }
    last = max(one.question.as_of for one in outcomes)
    options = {"strings_to_urls": False, "strings_to_formulas": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as workbook:
        workbook.set_properties({"created": datetime(last.year, last.month, last.day)})  # noqa: DTZ001  (Excel knows no zones)
        for name, frame in sheets.items():
            frame.write_excel(
                workbook,
                name,
                column_formats={
                    cs.contains("_share"): "0.0%",
                    cs.contains("_usd") & cs.float(): "#,##0",
                    cs.contains("score"): "0.0",
                },
                freeze_panes=(1, 1),
                autofit=True,
            )
