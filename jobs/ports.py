"""What the jobs need of a database: anything that answers SQL with a polars frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import polars as pl


class Reader(Protocol):
    """Facts or a published file, to be read."""

    def query(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None, /) -> pl.DataFrame:
        """Run one statement with bound parameters and return its rows."""
        ...


class Writer(Reader, Protocol):
    """The state database, to be read and written."""

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None, /) -> None:
        """Run statements and throw their results away."""
        ...
