"""What a word does in the scores is a dated fact: changing the row changes what the engine is given."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import get_args

import polars as pl
import pytest
from pydantic import ValidationError

from engine.scoring.inputs import Inputs as EngineInputs
from ground.question import Question
from jobs.gather import gather
from jobs.resources import default_facts_dir
from tests.warehouse.conftest import Rows, small_facts, write_bundle
from warehouse.asof.inputs import Inputs
from warehouse.asof.state import Warehouse
from warehouse.errors import InputError
from warehouse.records.fields import Instrument, Scope, WordRole
from warehouse.records.roles import VOCABULARIES, WordRoleRow

BEFORE, TODAY = date(2025, 12, 31), date(2026, 11, 23)


def scored(folder: Path, facts: Rows, day: date = TODAY) -> EngineInputs:
    with Warehouse.open_memory() as warehouse:
        warehouse.load_bundles([write_bundle(folder / "facts", facts)], strict=True)
        return gather(Inputs(warehouse, Question(day, day, "CHN")))


def with_role(facts: Rows, role: str, word: str, applies: str, start: str = "2026-01-01") -> Rows:
    """The facts with a judgement of 2026 on one word."""
    row = {"role": role, "word": word, "applies": applies, "valid_from": start, "known_from": start}
    return {**facts, "word_roles": [*facts["word_roles"], {**row, "source_id": "official"}]}


def held_by_japan(facts: Rows) -> Rows:
    stocks = [{**row, "usable_by_civil_buyers": "true"} for row in facts["stocks"]]
    return {**facts, "stocks": stocks}


def test_a_metric_counts_as_cover_until_the_facts_say_otherwise(tmp_path: Path) -> None:
    facts = with_role(held_by_japan(small_facts()), "counts_as_cover", "cover_days", "false")
    days = [
        scored(tmp_path / str(day), facts, day)["stocks"]["stock_known_days_best"].to_list()
        for day in (BEFORE, TODAY)
    ]
    assert days == [[60.0], []]


@pytest.mark.parametrize(("applies", "listed"), [("true", True), ("false", False)])
def test_a_scope_names_buyers_where_the_facts_say_so(tmp_path: Path, applies: str, listed: bool) -> None:
    facts = with_role(small_facts(), "names_buyers", "country", applies)
    ban = scored(tmp_path, facts)["measures"].filter(scope="country")
    assert ban.select("importer", "is_named_buyers").rows() == [("USA", listed)]


@pytest.mark.parametrize(("applies", "stages"), [("true", {"mined", "refined"}), ("false", set())])
def test_an_item_without_a_stage_reaches_all_or_none(tmp_path: Path, applies: str, stages: set[str]) -> None:
    facts = small_facts()
    item = {**facts["measure_items"][0], "item_id": "dy", "mineral": "dysprosium", "stage": ""}
    facts["measure_items"].append(item)
    facts = with_role(facts, "reaches_every_stage", "export_licence", applies)
    found = scored(tmp_path, facts)["measures"].filter(item_id="dy")
    assert set(found["stage"]) == stages


@pytest.mark.parametrize(("applies", "year"), [("true", 2022), ("false", 2023)])
def test_an_instrument_ends_normal_trade_where_the_facts_say_so(
    tmp_path: Path, applies: str, year: int
) -> None:
    facts = with_role(small_facts(), "ends_normal_trade", "export_licence", applies)
    flows = scored(tmp_path, facts)["flows"].filter(mineral="gallium")
    assert flows["baseline_year"].unique().to_list() == [year]


@pytest.mark.parametrize("role", get_args(WordRole))
def test_a_word_that_is_used_and_not_decided_is_refused(tmp_path: Path, role: str) -> None:
    facts = held_by_japan(small_facts())
    facts["measure_items"].append({**facts["measure_items"][0], "item_id": "every-stage", "stage": ""})
    scored(tmp_path / "decided", facts)
    facts["word_roles"] = [row for row in facts["word_roles"] if row["role"] != role]
    with pytest.raises(InputError, match=f"no row of the role {role} for .*Add one that says"):
        scored(tmp_path / "undecided", facts)


def test_a_word_outside_the_vocabulary_is_refused() -> None:
    row = {"role": "names_buyers", "word": "entity", "applies": "true", "valid_from": "2026-01-01"}
    with pytest.raises(ValidationError, match="use one of all, country, military_end_users, entities"):
        WordRoleRow.model_validate({**row, "source_id": "s", "known_from": "2026-01-01"})


def test_the_default_facts_decide_on_every_word_and_say_why() -> None:
    rows = pl.read_csv(default_facts_dir() / "word_roles.csv")
    assert rows.filter(pl.col("note").is_null()).is_empty()
    for role, words in VOCABULARIES.items():
        assert set(rows.filter(role=role)["word"]) == set(words)
    assert set(VOCABULARIES.values()) == {get_args(Instrument), get_args(Scope)}
