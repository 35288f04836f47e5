"""The fact table of outcomes: what it refuses, what it keeps, and what the embedded rows say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import warehouse as package
from ground.question import Question
from tests.warehouse.conftest import Rows
from warehouse.asof.inputs import Inputs
from warehouse.asof.state import Warehouse
from warehouse.bundle.reading import read_bundles

Write = Callable[[Any], Path]
FACTS = Path(package.__file__).parent / "facts"
HELD_OUT = {"tungsten", "tellurium", "bismuth", "molybdenum", "indium", "yttrium", "scandium"}


def outcome(facts: Rows, **more: object) -> dict[str, Any]:
    measure = facts["measures"][0]
    return {
        "outcome_id": "seen",
        "measure_id": measure["measure_id"],
        "kind": "export_fall",
        "mineral": "gallium",
        "stage": "refined",
        "exporter": "CHN",
        "importer": "WLD",
        "window_from": "2023-11-01",
        "window_to": "2023-12-01",
        "baseline_from": "2022-11-01",
        "baseline_to": "2022-12-01",
        "observed_ratio_low": 0.2,
        "observed_ratio_best": 0.3,
        "observed_ratio_high": 0.4,
        "is_held_out": "false",
        "source_id": "press",
        "known_from": "2023-12-20",
        **more,
    }


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"window_from": "2020-11-01", "window_to": "2020-12-01", "baseline_from": "2019-11-01"}
         | {"baseline_to": "2019-12-01"}, "an outcome comes after its curb"),
        ({"window_to": "2023-11-01"}, "is not after window_from"),
        ({"baseline_to": "2022-11-01"}, "is not after baseline_from"),
        ({"baseline_to": "2023-11-02"}, "give a period before the window"),
        ({"baseline_to": ""}, "the baseline has one end"),
        ({"baseline_from": "", "baseline_to": ""}, "a ratio needs the period that it is compared with"),
        ({"observed_ratio_low": 0.35}, "do not rise"),
        ({"observed_ratio_high": ""}, "lacks observed_ratio_high"),
        ({"observed_ratio_low": -0.1}, "is below 0"),
        ({"known_from": "2023-11-29"}, "is before the window ends"),
        ({"exporter": "JPN"}, "is a measure of CHN"),
        ({"kind": "price_rise"}, "is not one of export_fall, supply_fall"),
        ({"is_held_out": ""}, "needs a value"),
        ({"importer": "XYZ"}, "is in no row of countries or blocs"),
        ({"measure_id": "none"}, "is in no row of measures"),
    ],
)  # fmt: skip
def test_what_cannot_be_an_outcome_is_set_aside(
    facts: Rows, write: Write, changed: dict[str, object], reason: str
) -> None:
    facts["outcomes"] = [outcome(facts, **changed)]
    report = read_bundles([write(facts)]).report
    assert report.row_counts["outcomes"] == 0
    assert reason in report.rejected[0].reason


def test_contradictions_unknown_ratios_and_a_full_stop_are_kept(facts: Rows, write: Write) -> None:
    nothing = dict.fromkeys(("baseline_from", "baseline_to"), "")
    unknown = dict.fromkeys(("observed_ratio_low", "observed_ratio_best", "observed_ratio_high"), "")
    zero = dict.fromkeys(unknown, 0)
    facts["outcomes"] = [
        outcome(facts),
        outcome(facts, outcome_id="contradicts") | dict.fromkeys(unknown, 0.9),
        outcome(facts, outcome_id="unknown", observed_figure=46, unit="t") | nothing | unknown,
        outcome(facts, outcome_id="nothing moved") | nothing | zero | {"outcome_id": "nothing-moved"},
    ]
    assert read_bundles([write(facts)], strict=True).report.row_counts["outcomes"] == 4


def test_a_later_edition_counts_once_it_is_known(facts: Rows, write: Write) -> None:
    corrected = {"known_from": "2024-06-01", "observed_ratio_low": 0.25}
    facts["outcomes"] = [outcome(facts), outcome(facts, **corrected)]
    with Warehouse.open_memory() as warehouse:
        warehouse.load_bundles([write(facts)], strict=True)

        def seen(day: date) -> list[float]:
            return Inputs(warehouse, Question(day, day, "CHN")).outcomes["observed_ratio_low"].to_list()

        assert seen(date(2023, 12, 19)) == []
        assert seen(date(2023, 12, 20)) == [0.2]
        assert seen(date(2024, 6, 1)) == [0.25]


def test_the_days_and_the_grade_come_with_an_outcome(facts: Rows, write: Write) -> None:
    facts["outcomes"] = [outcome(facts)]
    with Warehouse.open_memory() as warehouse:
        warehouse.load_bundles([write(facts)], strict=True)
        row = Inputs(warehouse, Question(date(2026, 1, 1), date(2026, 1, 1), "CHN")).outcomes.row(
            0, named=True
        )
    announced = date.fromisoformat(facts["measures"][0]["date_announced"])
    assert (row["grade"], row["date_announced"], row["curb_known_from"]) == ("C", announced, announced)
    assert row["in_force_from"] >= announced


def test_embedded_outcomes_of_minerals_kept_for_a_test_are_held_out() -> None:
    rows = pl.read_csv(FACTS / "outcomes.csv")
    assert rows.height >= 31
    wrong = rows.filter(pl.col("mineral").is_in(HELD_OUT) & ~pl.col("is_held_out"))
    assert wrong["outcome_id"].to_list() == []
