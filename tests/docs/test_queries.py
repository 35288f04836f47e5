"""The queries in the documentation run on a published file, through `curbline sql`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jobs.sql import ask
from tests.warehouse.helpers import given
from warehouse.asof.state import Warehouse
from warehouse.published.dictionary import data_dictionary
from warehouse.published.snapshot import build_snapshot

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
QUERIES = [
    query
    for page in PAGES
    for query in re.findall(r'^curbline sql "(.*?)"', page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
]


@pytest.fixture(scope="module")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("published") / "curbline.duckdb"
    with Warehouse.open_memory() as state:
        build_snapshot(path, state, given())
    return path


def test_the_readme_asks_something() -> None:
    assert len(QUERIES) >= 2


@pytest.mark.parametrize("query", QUERIES)
def test_query_runs(empty_file: Path, query: str) -> None:
    assert ask(empty_file, query, limit=10, timeout_s=20).frame.width


def test_columns_carry_comments_as_the_readme_says(empty_file: Path) -> None:
    inline = re.search(r"`(SELECT \* FROM duckdb_columns\(\)[^`]*)`", (ROOT / "README.md").read_text("utf-8"))
    assert inline is not None
    columns = ask(empty_file, inline[1], limit=5000, timeout_s=20).frame
    assert columns.height > 100
    assert columns["comment"].null_count() == 0


def test_the_data_dictionary_is_the_generated_one() -> None:
    written = (ROOT / "docs" / "data-dictionary.md").read_text(encoding="utf-8")
    assert written == data_dictionary(), "the comments of the tables changed; run `make dictionary`"
