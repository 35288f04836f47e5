"""Which row of the law speaks is decided once, in the warehouse; the engine takes what it is told."""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engine.scoring.inputs import Inputs
from engine.scoring.portfolio import Marts, score_portfolio
from ground.question import Question
from jobs.gather import gather
from tests.engine.rulebook import default_ruleset
from tests.warehouse.conftest import small_facts, write_bundle
from warehouse.asof.inputs import Inputs as WarehouseInputs
from warehouse.asof.state import Warehouse

TODAY = date(2026, 11, 23)


def state(measure: str, name: str, start: str, destination: str = "*", clause: str = "all") -> dict[str, Any]:
    return {
        "measure_id": measure,
        "clause": clause,
        "destination": destination,
        "state": name,
        "valid_from": start,
        "source_id": "official",
        "known_from": "2023-07-03",
    }


def inputs_with(folder: Path, *states: dict[str, Any]) -> Inputs:
    """The engine's frames of the tiny bundle, whose licence and ban have these states and no others."""
    facts = small_facts()
    others = [row for row in facts["measure_states"] if row["measure_id"] not in {"23-2023", "46-2024"}]
    facts["measure_states"] = [*others, *states]
    with Warehouse.open_memory() as warehouse:
        warehouse.load_bundles([write_bundle(folder, facts)], strict=True)
        return gather(WarehouseInputs(warehouse, Question(TODAY, TODAY, "CHN")))


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    """The ban's item is of art. 2, and its end is stated of all; the licence has ended for Germany alone."""
    return inputs_with(
        tmp_path / "facts",
        state("46-2024", "in_force", "2024-12-03"),
        state("46-2024", "ended", "2027-01-22"),
        state("23-2023", "in_force", "2023-08-01"),
        state("23-2023", "ended", "2026-12-01", "DEU"),
        state("23-2023", "suspended", "2027-01-10"),
    )


def changes(inputs: Inputs, measure: str) -> list[tuple[object, ...]]:
    rows = inputs["timeline"].filter(measure_id=measure)
    return rows.select("clause", "importer", "valid_from", "state").rows()


def routes(marts: Marts, importer: str) -> dict[str, Any]:
    found = marts["route_score"].filter(
        mineral="gallium", exporter="CHN", importer=importer, horizon_days=365
    )
    return found.row(0, named=True)


def test_a_change_for_all_clauses_reaches_the_item_of_one(inputs: Inputs) -> None:
    assert changes(inputs, "46-2024") == [("art. 2", "USA", date(2027, 1, 22), "ended")]


def test_a_change_for_everybody_leaves_what_is_stated_for_one(inputs: Inputs) -> None:
    assert changes(inputs, "23-2023") == [
        ("all", "DEU", date(2026, 12, 1), "ended"),
        ("all", "JPN", date(2027, 1, 10), "suspended"),
        ("all", "USA", date(2027, 1, 10), "suspended"),
    ]


def test_a_bloc_goes_before_everybody_and_a_clause_before_all(tmp_path: Path) -> None:
    inputs = inputs_with(
        tmp_path / "facts",
        state("46-2024", "in_force", "2024-12-03", clause="art. 2"),
        state("46-2024", "ended", "2027-01-22"),
        state("23-2023", "in_force", "2023-08-01"),
        state("23-2023", "suspended", "2026-12-01", "EU27"),
        state("23-2023", "ended", "2027-01-10"),
    )
    assert changes(inputs, "46-2024") == []
    assert [row[1:] for row in changes(inputs, "23-2023")] == [
        ("DEU", date(2026, 12, 1), "suspended"),
        ("JPN", date(2027, 1, 10), "ended"),
        ("USA", date(2027, 1, 10), "ended"),
    ]


def test_the_scores_and_the_next_event_follow(inputs: Inputs) -> None:
    marts = score_portfolio(inputs, default_ruleset())
    usa, germany = routes(marts, "USA"), routes(marts, "DEU")
    assert germany["next_event"] == "MOFCOM 23/2023: in force becomes ended"
    assert germany["next_event_date"] == date(2026, 12, 1)
    assert usa["next_event_date"] == date(2027, 1, 10)
    # Nothing is withheld once Germany's licence has ended (8 days on), nor once the USA's ban has (60 days on).
    assert germany["scheduled_missing_share"] == pytest.approx(
        germany["active_expected_missing_share"] * 8 / 365
    )
    # From the eighth day on Germany no longer competes for what others can spare, so a little less is missing.
    assert usa["scheduled_missing_share"] == pytest.approx(
        usa["active_expected_missing_share"] * 60 / 365, rel=0.02
    )
    assert usa["scheduled_missing_share"] < usa["active_expected_missing_share"] * 60 / 365


def test_what_does_not_change_is_not_carried(inputs: Inputs) -> None:
    pairs = inputs["measures"].select("measure_id", "clause", "importer").unique()
    timeline = inputs["timeline"]
    assert timeline.join(pairs, on=pairs.columns, how="anti").height == 0
    assert not timeline.filter(pl.col("importer") == "*").height
