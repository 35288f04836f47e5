"""The data package beside the exported tables: what it says is what the files hold."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.warehouse.helpers import given
from warehouse.asof.state import Warehouse
from warehouse.bundle.reading import Manifest
from warehouse.database import Database
from warehouse.published.datapackage import FILE, data_package, write_data_package
from warehouse.published.mart_columns import TABLES_OF_MART
from warehouse.published.snapshot import build_snapshot

BUNDLE = Manifest(
    "facts",
    "1",
    "Own compilation CC BY 4.0; trade figures: CEPII BACI, Etalab Open Licence 2.0; USGS: public domain; a friend's list",
)
CALENDAR = pl.DataFrame(
    {
        "event_date": [date(2026, 11, 28)],
        "measure_id": ["m1"],
        "clause": ["all"],
        "event": ["ends"],
        "state_after": ["lapsed_unverified"],
        "notice": ["1/2026"],
        "source_id": ["s1"],
        "kind": ["measure"],
        "subject_id": ["m1"],
    }
)
CALENDAR = CALENDAR.with_columns(
    pl.lit(None, dtype=c.dtype).alias(c.name)
    for c in TABLES_OF_MART["calendar"].own
    if c.name not in CALENDAR.columns
).select(c.name for c in TABLES_OF_MART["calendar"].own)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("package")
    with Warehouse.open_memory() as state:
        build_snapshot(root / "file.duckdb", state, given({"calendar": CALENDAR}))
    exports = root / "exports"
    exports.mkdir()
    flat = CALENDAR.with_columns(minerals=pl.lit(None, pl.String), other_reports=pl.lit(None, pl.String))
    flat.write_csv(exports / "calendar.csv")
    CALENDAR.write_parquet(exports / "calendar.parquet")
    (exports / "contribution_wide.csv").write_text("mineral,stage\n", encoding="utf-8")
    (exports / "book.xlsx").write_bytes(b"not a table")
    (exports / "stranger.csv").write_text("a\n1\n", encoding="utf-8")
    return exports


def described(folder: Path) -> dict[str, Any]:
    with Database.open(folder.parent / "file.duckdb", read_only=True) as database:
        return data_package(database, folder, [BUNDLE])


def test_every_exported_table_is_a_resource_and_nothing_else(folder: Path) -> None:
    found = {r["name"]: r["path"] for r in described(folder)["resources"]}
    assert found == {
        "calendar": "calendar.csv",
        "calendar-parquet": "calendar.parquet",
        "contribution_wide": "contribution_wide.csv",
    }


def test_fields_are_the_published_columns_with_their_comments(folder: Path) -> None:
    resource = described(folder)["resources"][0]
    columns = TABLES_OF_MART["calendar"].own
    assert [f["name"] for f in resource["schema"]["fields"]] == [c.name for c in columns]
    for field, column in zip(resource["schema"]["fields"], columns, strict=True):
        is_list = column.dtype == pl.List(pl.String)
        assert field["description"] == column.comment + (" A list, such as [AUS, MYS]." if is_list else "")
    assert resource["description"] == TABLES_OF_MART["calendar"].says
    assert resource["schema"]["fields"][0]["type"] == "date"
    assert resource["schema"]["primaryKey"] == list(TABLES_OF_MART["calendar"].key)
    assert resource["schema"]["missingValues"] == [""]


def test_sizes_and_sums_are_those_of_the_files(folder: Path) -> None:
    for resource in described(folder)["resources"]:
        content = (folder / resource["path"]).read_bytes()
        assert resource["bytes"] == len(content)
        assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_licences_come_from_the_bundle_part_by_part(folder: Path) -> None:
    found = [(entry["name"], entry["title"]) for entry in described(folder)["licenses"]]
    assert found == [
        ("CC-BY-4.0", "Own compilation CC BY 4.0"),
        ("etalab-2.0", "trade figures: CEPII BACI, Etalab Open Licence 2.0"),
        ("other-pd", "USGS: public domain"),
        ("notspecified", "a friend's list"),
    ]


def test_a_run_without_bundles_says_that_no_licence_is_stated(folder: Path) -> None:
    with Database.open(folder.parent / "file.duckdb", read_only=True) as database:
        assert data_package(database, folder, [])["licenses"][0]["name"] == "notspecified"


def test_it_names_the_run_and_no_clock(folder: Path) -> None:
    package = described(folder)
    assert package["profile"] == "data-package"
    assert package["name"] == "curbline-2026-11-23-r1"
    assert package["id"] == package["curbline"]["run_id"] == "r1"
    assert "created" not in package


def test_the_same_folder_gives_the_same_bytes(folder: Path) -> None:
    with Database.open(folder.parent / "file.duckdb", read_only=True) as database:
        first = write_data_package(database, folder, [BUNDLE]).read_bytes()
        again = write_data_package(database, folder, [BUNDLE]).read_bytes()
    (folder / FILE).unlink()
    assert first == again
    assert json.loads(first) == described(folder)


@pytest.mark.slow
def test_a_night_writes_it_for_every_table_with_its_sources(published: Path) -> None:
    (path,) = (published.parent / "exports").glob(f"*/{FILE}")
    package = json.loads(path.read_text(encoding="utf-8"))
    tables = {file.name for file in path.parent.iterdir() if file.suffix in (".csv", ".parquet")}
    assert {resource["path"] for resource in package["resources"]} == tables
    assert {entry["name"] for entry in package["licenses"]} == {"CC-BY-4.0", "etalab-2.0", "other-pd"}
    assert len(package["sources"]) > 300
    assert all(source["title"] for source in package["sources"])
    listed = json.loads((path.parent / "manifest.json").read_text(encoding="utf-8"))["files"]
    assert FILE in {entry["file"] for entry in listed}
    for resource in package["resources"]:
        names = [field["name"] for field in resource["schema"]["fields"]]
        assert len(names) == len(set(names))
        assert all(field["description"] for field in resource["schema"]["fields"])
        if resource["format"] == "csv":
            with (path.parent / resource["path"]).open(encoding="utf-8") as file:
                assert file.readline().strip().split(",") == names
