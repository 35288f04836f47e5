"""mart.measure_coverage of the real run: every item, closed reasons, codes in columns of their own."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from jobs.nightly import coverage
from warehouse.database import Database


@pytest.fixture(scope="module")
def found(published: Path) -> pl.DataFrame:
    with Database.open(published, read_only=True) as database:
        return database.query("SELECT * FROM mart.measure_coverage")


def test_every_item_stands_there_once(found: pl.DataFrame, published: Path) -> None:
    with Database.open(published, read_only=True) as database:
        items = database.query("SELECT count(*) FROM core.measure_items").item()
    assert found.height == items
    assert found.select("measure_id", "clause", "item_id").is_duplicated().sum() == 0


def test_reasons_are_a_closed_list_without_codes(found: pl.DataFrame) -> None:
    said = set(found.get_column("reason").drop_nulls())
    assert said <= set(coverage.REASONS)
    assert not any(character.isdigit() for reason in coverage.REASONS for character in reason)
    # Only where routes were scored by trade of its own codes is nothing said.
    assert found.filter(
        pl.col("reason").is_null() != ((pl.col("route_count") > 0) & pl.col("has_trade"))
    ).is_empty()


def test_no_code_of_a_notice_is_missing_from_the_map(found: pl.DataFrame) -> None:
    assert coverage.NOT_IN_MAP not in set(found.get_column("reason").drop_nulls())


@pytest.mark.parametrize(
    ("mineral", "form", "reason", "code"),
    [
        ("tungsten", "apt_and_oxide", coverage.NO_TRADE, "284180"),
        ("antimony", "oxide_9999", coverage.BY_STAGE, "282580"),
        ("synthetic_diamond", "powder", coverage.NO_TRADE, "710510"),
        ("silver", "unwrought", coverage.NO_TRADE, "710691"),
        ("iron_phosphate", "lfp_cathode", coverage.CATCH_ALL, None),
    ],
)
def test_reason_of_an_item(
    found: pl.DataFrame, mineral: str, form: str, reason: str, code: str | None
) -> None:
    rows = found.filter((pl.col("mineral") == mineral) & (pl.col("form") == form))
    assert set(rows.get_column("reason")) == {reason}
    for mapped in rows.get_column("mapped_hs6"):
        assert mapped.is_empty() if code is None else code in mapped


def test_traded_codes_are_told(found: pl.DataFrame) -> None:
    own = found.filter((pl.col("mineral") == "gallium") & (pl.col("form") == "metal"))
    assert own.get_column("traded_hs6").unique().to_list() == [["811292"]]
    assert own.filter(pl.col("route_usd") > 0).height == own.height > 0
