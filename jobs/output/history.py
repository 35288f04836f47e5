"""`mart.score_history`: one Parquet file per curbing country and day, written whole or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl

from ground.question import Question
from jobs.errors import PublishError
from jobs.output.layout import BUILD_PREFIX, Layout
from jobs.output.publish import folder_sentence
from warehouse.published.history_columns import HISTORY

FILE = "scores.parquet"


def vintage_path(layout: Layout, question: Question) -> Path:
    """Return where the scores of a day lie."""
    return layout.history / f"curbing_country={question.curbing_country}" / f"as_of={question.as_of}" / FILE


def run_of(path: Path) -> str | None:
    """Return the run that wrote a day's scores; None where there are none, or the file cannot be read."""
    if not path.is_file():
        return None
    try:
        found = pl.scan_parquet(path, hive_partitioning=False).select("run_id").head(1).collect()
    except (pl.exceptions.PolarsError, OSError):
        return None
    return str(found["run_id"].item()) if found.height else None


def write_vintage(layout: Layout, question: Question, run_id: str, scores: pl.DataFrame) -> Path:
    """Write the scores of a day in the place of those that were there.

    Args:
        layout: the output folder.
        question: the day, as known on itself.
        run_id: identity of the run.
        scores: columns of `HISTORY`, but those of the run.

    Raises:
        PublishError: the disk is full or the folder cannot be written; nothing half-made is left.
    """
    path = vintage_path(layout, question)
    built = path.with_name(BUILD_PREFIX + path.name)
    stamped = scores.with_columns(
        run_id=pl.lit(run_id),
        as_of=pl.lit(question.as_of),
        known_at=pl.lit(question.known_at),
        curbing_country=pl.lit(question.curbing_country),
    )
    columns = [pl.col(column.name).cast(column.dtype) for column in HISTORY.own]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stamped.select(columns).sort(HISTORY.key).write_parquet(built, compression="zstd")
        built.replace(path)
    except BaseException as problem:
        with contextlib.suppress(OSError):
            built.unlink(missing_ok=True)
        sentence = folder_sentence(problem, layout.root)
        if sentence is None:
            raise
        raise PublishError(sentence) from problem
    return path


def read_vintage(path: Path) -> pl.DataFrame:
    """Return the scores of a day, without the columns of their run."""
    frame = pl.read_parquet(path, hive_partitioning=False)
    return frame.drop("run_id", "as_of", "known_at", "curbing_country")


def days_there(layout: Layout, country: str) -> Sequence[date]:
    """Return the days of which scores are on hand, in order."""
    folder = layout.history / f"curbing_country={country}"
    names = sorted(one.parent.name.removeprefix("as_of=") for one in folder.glob(f"as_of=*/{FILE}"))
    return [date.fromisoformat(name) for name in names]
