"""mart.import_share_check: published shares of imports beside those of the trade codes, for any importer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.warehouse.conftest import Rows
from tests.warehouse.helpers import given
from tests.warehouse.test_snapshot import MARTS
from warehouse.asof.state import Warehouse
from warehouse.errors import StrictError
from warehouse.published.snapshot import build_snapshot

Write = Callable[[Mapping[str, Sequence[Mapping[str, Any]]]], Path]
SOURCED = {"source_id": "official", "known_from": "2026-02-28"}


def flow(year: int, exporter: str, usd: float, tonnes: float | str, code: str = "811292") -> dict[str, Any]:
    return {
        "year": year, "exporter": exporter, "importer": "JPN", "hs6": code, "hs_revision": "17", "value_usd": usd,
        "quantity_t": tonnes, "is_complete": "true", "source_id": "official", "known_from": f"{year + 2}-01-31",
    }  # fmt: skip


def share(exporter: str, published: float, mineral: str = "gallium", form: str = "Metal") -> dict[str, Any]:
    return {
        "mineral": mineral, "form": form, "importer": "JPN", "exporter": exporter, "year_from": 2021, "year_to": 2023,
        "import_share": published, **SOURCED,
    }  # fmt: skip


def checked(facts: Rows, write: Write, folder: Path) -> list[dict[str, Any]]:
    path = folder / "file.duckdb"
    with Warehouse.open_memory() as warehouse:
        warehouse.load_bundles([write(facts)], strict=True)
        build_snapshot(path, warehouse, given(MARTS))
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.sql("FROM mart.import_share_check")
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


@pytest.fixture
def goods(facts: Rows) -> Rows:
    facts["trade"] = [
        flow(2021, "CHN", 600, 60), flow(2022, "DEU", 300, 20), flow(2023, "MYS", 100, 20), flow(2020, "FRA", 9_000, 9_000),
    ]  # fmt: skip
    facts["import_shares"] = [share("CHN", 0.5), share("DEU", 0.4), share("OTH", 0.1)]
    facts["import_share_codes"] = [
        {"mineral": "gallium", "form": "Metal", "hs6": "811292", "hs_revision": "17", **SOURCED}
    ]
    return facts


def test_tonnes_of_the_same_years_with_the_rest_folded(goods: Rows, write: Write, tmp_path: Path) -> None:
    rows = checked(goods, write, tmp_path)
    assert [(r["exporter"], r["published_share"], r["trade_share"]) for r in rows] == [
        ("CHN", 0.5, 0.6),
        ("DEU", 0.4, 0.2),
        ("OTH", 0.1, 0.2),
    ]
    assert [r["difference_points"] for r in rows] == pytest.approx([10, -20, 10])
    assert rows[0]["apart_share"] == pytest.approx(0.2)
    assert {(r["importer"], r["grade"], r["share_basis"], r["trade_years"]) for r in rows} == {
        ("JPN", "fair", "tonnes of content", "2021-2023")
    }


def test_dollars_where_tonnes_are_missing(goods: Rows, write: Write, tmp_path: Path) -> None:
    goods["trade"][1]["quantity_t"] = ""
    rows = checked(goods, write, tmp_path)
    assert {r["share_basis"] for r in rows} == {"USD"}
    assert [r["trade_share"] for r in rows] == pytest.approx([0.6, 0.3, 0.1])


def test_a_flow_without_a_value_counts_by_its_tonnes_and_never_as_nothing(
    goods: Rows, write: Write, tmp_path: Path
) -> None:
    goods["trade"][1]["value_usd"] = ""
    rows = checked(goods, write, tmp_path)
    assert {r["share_basis"] for r in rows} == {"tonnes of content"}
    assert [r["trade_share"] for r in rows] == pytest.approx([0.6, 0.2, 0.2])


def test_where_neither_is_known_throughout_nothing_is_compared(
    goods: Rows, write: Write, tmp_path: Path
) -> None:
    goods["trade"][1]["value_usd"] = ""
    goods["trade"][2]["quantity_t"] = ""
    rows = checked(goods, write, tmp_path)
    assert {(r["trade_share"], r["grade"]) for r in rows} == {(None, "not compared")}
    assert {r["not_compared_because"] for r in rows} == {"some flows have no value and some no tonnes"}


def test_a_rest_that_nobody_states_is_compared_too(goods: Rows, write: Write, tmp_path: Path) -> None:
    goods["import_shares"] = [share("CHN", 0.6), share("DEU", 0.4), share("FRA", 0.0)]
    rows = {r["exporter"]: r for r in checked(goods, write, tmp_path)}
    assert rows["OTH"]["published_share"] == 0
    assert rows["OTH"]["trade_share"] == pytest.approx(0.2)
    assert rows["FRA"]["trade_share"] == 0


@pytest.mark.parametrize(
    ("codes", "why"),
    [
        ([], "no row of core.import_share_codes"),
        ([{"mineral": "gallium", "form": "Metal", "reason": "scrap", **SOURCED}], "scrap"),
        ([{"mineral": "gallium", "form": "Metal", "hs6": "284690", "hs_revision": "17", **SOURCED}], "no trade of these"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_says_why(
    goods: Rows, write: Write, tmp_path: Path, codes: list[dict[str, Any]], why: str
) -> None:
    goods["import_share_codes"] = codes
    rows = checked(goods, write, tmp_path)
    assert len(rows) == 3
    for row in rows:
        assert row["grade"] == "not compared"
        assert row["not_compared_because"].startswith(why)
        assert row["trade_share"] is None
        assert row["apart_share"] is None


def test_an_edition_read_twice_counts_once(goods: Rows, write: Write, tmp_path: Path) -> None:
    goods["sources"].append({**goods["sources"][0], "source_id": "official-import"})
    goods["import_shares"] += [{**row, "source_id": "official-import"} for row in goods["import_shares"]]
    assert len(checked(goods, write, tmp_path)) == 3


@pytest.mark.parametrize(
    "more", [{}, {"hs6": "811292"}, {"hs6": "811292", "hs_revision": "17", "reason": "scrap"}]
)
def test_a_good_has_a_code_or_a_reason(
    goods: Rows, write: Write, tmp_path: Path, more: dict[str, str]
) -> None:
    goods["import_share_codes"] = [{"mineral": "gallium", "form": "Metal", **more, **SOURCED}]
    with pytest.raises(StrictError, match="code"):
        checked(goods, write, tmp_path)


def test_a_good_may_name_the_stage_that_its_code_is_split_into(
    goods: Rows, write: Write, tmp_path: Path
) -> None:
    reason = {
        "mineral": "gallium",
        "form": "Metal",
        "reason": "the code holds other goods too",
        "stage": "refined",
    }
    goods["import_share_codes"] = [{**reason, **SOURCED}]
    path = tmp_path / "file.duckdb"
    with Warehouse.open_memory() as warehouse:
        warehouse.load_bundles([write(goods)], strict=True)
        build_snapshot(path, warehouse, given(MARTS))
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.sql(
            "SELECT exporter, stage, published_share, attributed_share, grade FROM mart.bundle_share_check"
        ).fetchall()
    assert [row[:3] for row in found] == [
        ("CHN", "refined", 0.5),
        ("DEU", "refined", 0.4),
        ("OTH", "refined", 0.1),
    ]
    assert {row[3:] for row in found} == {(None, "not compared")}, "no route goes to that importer here"
