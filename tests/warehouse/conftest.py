"""A tiny bundle of facts out of the tables in `tiny/`: two chains, a few countries and the notices of the issue."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from warehouse.asof.state import Warehouse
from warehouse.records.tables import TABLES, columns

TODAY = date(2026, 11, 23)
Row = Mapping[str, Any]
Rows = dict[str, list[dict[str, Any]]]
#: A table each; a cell that is empty is left out of its row.
TINY = Path(__file__).parent / "tiny"


def small_facts() -> Rows:
    """Rows of every table of the tiny bundle, as text; a test may change them before writing."""
    found: Rows = {}
    for path in sorted(TINY.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            found[path.stem] = [{k: v for k, v in row.items() if v} for row in csv.DictReader(file)]
    return found


def write_bundle(folder: Path, facts: Mapping[str, Sequence[Row]], name: str = "tiny") -> Path:
    """Write a bundle folder with a CSV per table."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bundle.toml").write_text(
        f'name = "{name}"\nversion = "1"\nlicence = "CC0"\n', encoding="utf-8"
    )
    for table, rows in facts.items():
        header = [c.name for c in columns(table)]
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, header, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    return folder


@pytest.fixture
def facts() -> Rows:
    found = small_facts()
    assert set(found) <= set(TABLES)
    return found


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Mapping[str, Sequence[Row]]], Path]:
    def to_folder(facts: Mapping[str, Sequence[Row]]) -> Path:
        return write_bundle(tmp_path / "facts", facts)

    return to_folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("bundle") / "facts", small_facts())


@pytest.fixture(scope="module")
def warehouse(tiny: Path) -> Iterator[Warehouse]:
    with Warehouse.open_memory() as found:
        found.load_bundles([tiny], strict=True)
        yield found
