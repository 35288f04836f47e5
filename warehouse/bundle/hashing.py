"""The identity of a set of facts."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping

import polars as pl


def facts_hash(tables: Mapping[str, pl.DataFrame]) -> str:
    """Hash of all rows of all tables, independent of the order of rows, columns and tables.

    Rows are sorted by all columns and written in one spelling (shortest form of a number, ISO days, empty for
    unknown), so that a file saved in another order or as Parquet has the same hash.

    Args:
        tables: table name → frame in the schema of its record.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for name in sorted(tables):
        frame = tables[name].select(sorted(tables[name].columns))
        digest.update(f"{name}\n{','.join(frame.columns)}\n".encode())
        if frame.height:
            text = io.BytesIO()
            # Sorting the spelled-out lines is quicker than sorting by ten columns, and as good.
            frame.with_columns(pl.col(pl.String).replace("", None)).write_csv(text, include_header=False)
            lines = sorted(text.getvalue().splitlines())
            digest.update(b"\n".join(lines))
    return digest.hexdigest()
