"""Parquet: the neutral copy for tools that do not open DuckDB files."""

from __future__ import annotations

from pathlib import Path

import polars as pl


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame as zstd Parquet; the bytes depend on the frame only."""
    frame.write_parquet(path, compression="zstd", compression_level=3, statistics=True)
