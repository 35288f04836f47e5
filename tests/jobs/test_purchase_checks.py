"""Dated tests of lines: yes, no and cannot tell, and names that are like those of a list."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest

from engine.scoring.inputs import Inputs
from jobs.errors import InputError
from jobs.purchases.checks import check_frame, read_entities
from jobs.purchases.store import NO_ENTITIES


class Day:
    """The day's frames, as far as the tests read them."""

    curbing_country = "CHN"

    def __init__(self, as_of: date) -> None:
        self.as_of = as_of

    def __getitem__(self, name: str) -> pl.DataFrame:
        assert name == "measures"
        rows = [
            ("cn-61-2025-ab", "dysprosium", "metal", "suspended"),
            ("other", "gallium", "refined", "in_force"),
        ]
        return pl.DataFrame(rows, schema=["measure_id", "mineral", "stage", "state"], orient="row")


def answers(
    *lines: dict[str, Any], as_of: date = date(2026, 11, 28), entities: pl.DataFrame = NO_ENTITIES
) -> pl.DataFrame:
    plain = {"supplier_name": None, "end_use": None, "origin": None} | dict.fromkeys(
        ("touched_share_low", "touched_share_best", "touched_share_high")
    )
    rows = [{**plain, "line_id": str(place), **line} for place, line in enumerate(lines)]
    schema = {
        **dict.fromkeys(("line_id", "mineral", "stage", "origin", "supplier_name", "end_use"), pl.String),
        **dict.fromkeys(("touched_share_low", "touched_share_best", "touched_share_high"), pl.Float64),
    }
    return check_frame(pl.DataFrame(rows, schema=schema), cast("Inputs", Day(as_of)), entities)


def answer(found: pl.DataFrame, check_id: str) -> list[str]:
    return found.filter(pl.col("check_id") == check_id)["answer"].to_list()


def test_covered_material_of_a_covered_country_is_told() -> None:
    magnet = {"mineral": "neodymium", "stage": "fabricated"}
    found = answers(
        {**magnet, "origin": "CHN"},
        {**magnet, "origin": "JPN", "touched_share_best": 0.4},
        magnet,
        {"mineral": "gallium", "stage": "refined", "origin": "CHN"},
    )
    assert answer(found, "dfars-225-7018") == ["yes", "cannot tell", "cannot tell", "no"]
    reasons = found["reason"].to_list()
    assert (
        reasons[1] == "made in JPN, earlier stages not declared; 40% of this route's goods went through CHN"
    )
    assert "no origin is declared" in reasons[2]
    assert found["applies_from"].unique().to_list() == [date(2027, 1, 1)]
    assert not found["is_in_force"].any()
    assert answers(magnet, as_of=date(2027, 1, 1))["is_in_force"].all()


def test_content_is_looked_through_where_an_origin_is_declared() -> None:
    metal = {"mineral": "dysprosium", "stage": "metal", "origin": "JPN"}
    found = answers(
        {**metal, "touched_share_low": 0.2, "touched_share_high": 0.9},
        {**metal, "touched_share_low": 0.0, "touched_share_high": 0.0005},
        {**metal, "touched_share_low": 0.0, "touched_share_high": 0.5},
        {**metal, "origin": None, "touched_share_low": 0.2, "touched_share_high": 0.9},
        {**metal, "origin": "CHN"},
        {
            "mineral": "gallium",
            "stage": "refined",
            "origin": "JPN",
            "touched_share_low": 0.2,
            "touched_share_high": 0.9,
        },
    )
    assert answer(found, "content-0.1-percent") == ["yes", "no", "cannot tell", "cannot tell", "no"]
    assert (
        "(the measure is suspended)" in found.filter(pl.col("check_id") == "content-0.1-percent")["reason"][0]
    )


def test_a_name_like_a_listed_one_is_shown_with_its_score(tmp_path: Path) -> None:
    path = tmp_path / "entities.csv"
    path.write_text("name,list,reference\nNordwind Aerospace GmbH,our own list,legal 12\n", encoding="utf-8")
    line = {"mineral": "gallium", "stage": "refined"}
    found = answers(
        {**line, "supplier_name": "Aerospace Nordwind GmbH"},
        {**line, "supplier_name": "MP Materials Corp"},
        {**line, "supplier_name": "Nordlicht Optik", "end_use": "nordwind aerospce gmbh"},
        entities=read_entities(path),
    ).filter(pl.col("check_id") == "named-entity")
    assert found["line_id"].to_list() == ["0", "1", "2"]
    assert found["entity"].to_list() == ["Nordwind Aerospace GmbH", "MP Materials", "Nordwind Aerospace GmbH"]
    assert found["answer"].to_list() == ["yes", "cannot tell", "cannot tell"]
    assert 88 <= found["match_score"][2] < 100
    assert found["reference"].to_list()[1] == "cn-us-entities-2026-06-22"


def test_a_list_without_its_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "entities.csv"
    path.write_text("name,list,reference\nAcme,,x\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"entities\.csv:2: an entity needs its name"):
        read_entities(path)
    path.write_text("firm\nAcme\n", encoding="utf-8")
    with pytest.raises(InputError, match="lacks name, list, reference"):
        read_entities(path)
