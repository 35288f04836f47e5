"""`curbline minimal`: the law of the day is what is published, sets are those that trying all finds, bad words are refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import combinations
from pathlib import Path

import pytest

from engine.language.rules import RuleSet
from engine.scoring.draws import Numbers
from engine.scoring.expect import Expectations
from engine.scoring.inputs import Inputs
from engine.scoring.portfolio import parts_of, score_part
from engine.scoring.stop_questions import Buyer, buyers_in
from ground.question import Question
from jobs.cli import main
from jobs.errors import SettingsError
from jobs.gather import gather
from jobs.minimal.asked import Asked, Minimal
from jobs.minimal.show import sentence, state_of
from jobs.resources import default_rules_dir
from jobs.rules.rulebook import load_rulebook
from tests.warehouse.conftest import small_facts, write_bundle
from warehouse.asof.inputs import Inputs as WarehouseInputs
from warehouse.asof.state import Warehouse

DAY, HORIZON, DRAWS = date(2026, 11, 28), 365, 16
ASKED = Asked(("USA", "DEU", "JPN"), "exporters", 2, "high", HORIZON, DRAWS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("minimal") / "facts", small_facts())


@pytest.fixture(scope="module")
def base(folder: Path) -> Iterator[Inputs]:
    with Warehouse.open_memory() as state:
        state.load_bundles([folder], strict=True)
        yield gather(WarehouseInputs(state, Question(DAY, DAY, "CHN")))


@pytest.fixture(scope="module")
def ruleset() -> RuleSet:
    whole = load_rulebook(default_rules_dir()).ruleset
    return replace(whole, scorecard=replace(whole.scorecard, horizons=(HORIZON,)))


@pytest.fixture(scope="module")
def buyers(base: Inputs, ruleset: RuleSet) -> list[Buyer]:
    totals = Expectations(Numbers(DRAWS), base, ruleset)
    parts = parts_of(base, ruleset, DRAWS)
    return [buyer for part in parts for buyer in buyers_in(part, totals, ["USA", "DEU", "JPN", "EU27"])]


def test_without_a_stop_and_with_china_silent_it_is_what_a_night_publishes(
    base: Inputs, ruleset: RuleSet, buyers: list[Buyer]
) -> None:
    totals = Expectations(Numbers(DRAWS), base, ruleset)
    rows = {
        (row["mineral"], row["stage"], row["importer"]): row
        for part in parts_of(base, ruleset, DRAWS)
        for row in score_part(part, totals)["importer_score"].iter_rows(named=True)
    }
    assert {buyer.importer for buyer in buyers} == {"USA", "DEU", "JPN", "EU27"}
    moved = 0
    for buyer in buyers:
        row = rows[buyer.mineral, buyer.stage, buyer.importer]
        assert buyer.loss([]).expected == pytest.approx(row["active_expected_missing_share"], abs=1e-9)
        china = [stop for stop in buyer.stops("exporters") if stop.exporter == "CHN"]
        full = buyer.loss(china).expected
        assert full == pytest.approx(row["full_stop_expected_missing_share"], abs=1e-9)
        moved += full > row["active_expected_missing_share"] + 0.01
    assert moved


@pytest.mark.parametrize("by", ["exporters", "routes", "measures"])
def test_the_sets_are_those_that_trying_every_set_finds(
    by: str, base: Inputs, ruleset: RuleSet, buyers: list[Buyer]
) -> None:
    question = Minimal(base, ruleset, replace(ASKED, by=by, importers=("USA", "DEU", "JPN", "EU27")))
    assert question.threshold == pytest.approx(0.36)  # method section 1: the lower edge of high
    found = {(one.mineral, one.stage, one.importer): one for one in question.answers()}
    outcomes = set()
    for buyer in buyers:
        stops = buyer.stops(by)
        wanted: list[set[int]] = []
        if buyer.loss([]).expected < question.threshold:
            for size in (1, 2):
                for places in combinations(range(len(stops)), size):
                    loss = buyer.loss([stops[place] for place in places])
                    if loss.expected >= question.threshold and not any(one <= set(places) for one in wanted):
                        wanted.append(set(places))
        one = found[buyer.mineral, buyer.stage, buyer.importer]
        assert sorted([sorted(map(stops.index, found_set.stops)) for found_set in one.sets]) == sorted(
            map(sorted, wanted)
        )
        outcomes.add(state_of(one, question.threshold))
        assert bool(sentence(one, question.asked, question.threshold)) == (not one.sets)
    assert "found" in outcomes or by == "measures"


def test_where_no_set_exists_the_reason_is_told(base: Inputs, ruleset: RuleSet) -> None:
    question = Minimal(base, ruleset, replace(ASKED, importers=("CHN",)))
    none = [one for one in question.answers() if state_of(one, question.threshold) == "none"]
    assert none
    told = sentence(none[0], question.asked, question.threshold)
    assert told.startswith("None")
    assert none[0].everything.expected_missing_share < 0.36


def answer(tmp_path: Path, folder: Path, *words: str, capsys: pytest.CaptureFixture[str]) -> str:
    settings = tmp_path / "curbline.toml"
    settings.write_text(f'facts = ["{folder}"]\n', encoding="utf-8")
    code = main(["minimal", *words, "--settings", str(settings), "--as-of", str(DAY), "--draws", "16"])
    assert code == 0
    return capsys.readouterr().out


def test_the_command_prints_text_and_data(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = answer(tmp_path, folder, "usa", capsys=capsys)
    assert "The fewest exporters whose stop takes what is missing to 36 % or more (band high)" in text
    data = json.loads(answer(tmp_path, folder, "usa", "--json", capsys=capsys))
    assert data["threshold_share"] == pytest.approx(0.36)
    assert data["answers"]
    for one in data["answers"]:
        assert one["importer"] == "USA"
        assert (one["why"] is None) == (one["outcome"] == "found")
        for found in one["sets"]:
            assert found["size"] == len(found["stops"]) <= 2
            assert found["expected_missing_share"] >= 0.36


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"by": "flow"}, "--by flow; known: exporters, measures, routes"),
        ({"band": "hih"}, "--band hih; did you mean 'high'?"),
        ({"band": "minimal"}, "--band minimal; known: critical, high, low, moderate"),
        ({"largest": 4}, "--largest 4 is not a size of set; write 1 to 3."),
        ({"importers": ("USB",)}, "USB: no importer of that name; did you mean 'USA'?"),
        ({"horizon_days": 1825}, "--horizon 1825: over so long others build new plants in answer"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_mend(
    changed: dict[str, object], message: str, base: Inputs, ruleset: RuleSet
) -> None:
    with pytest.raises(SettingsError, match=message.replace("?", r"\?").replace("(", r"\(")):
        Minimal(base, ruleset, replace(ASKED, **changed))  # type: ignore[arg-type]
