"""A scenario gives what the same rows would give as facts, moves nothing else, and leaves the facts as they are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import openpyxl
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from engine.language.rules import RuleSet
from ground.question import Question
from jobs.cli import main
from jobs.resources import default_facts_dir, default_rules_dir
from jobs.rules.rulebook import load_rulebook
from jobs.scenario.compare import Kept, Lanes, differences
from jobs.scenario.reading import ScenarioError, read_scenario, shipped
from jobs.scenario.world import Comparison, Outcome, World
from tests.warehouse.conftest import Rows, small_facts, write_bundle
from warehouse.asof.state import Warehouse
from warehouse.bundle.hashing import facts_hash
from warehouse.bundle.reading import Facts, read_bundles

DAY = date(2026, 11, 28)
ASKED = Comparison(365, draws=64)


@dataclass
class Play:
    """Tiny facts, and scenarios written by their changes."""

    state: Warehouse
    facts: Facts
    ruleset: RuleSet
    folder: Path

    def world(self, asked: Comparison = ASKED, day: date = DAY) -> World:
        return World(self.state, self.facts, self.ruleset, Question(day, day, "CHN"), asked)

    def file(self, changes: str) -> Path:
        path = self.folder / "case.yml"
        # Ids of the tiny bundle look like numbers, so that they are quoted.
        quoted = re.sub(r"(?<![\w-])(\d+-\d{4})(?![\w-])", r'"\1"', changes.strip())
        lines = "".join(f"  - {line}\n" for line in quoted.splitlines())
        path.write_text(f"scenario: case\ntitle: A case\nchanges:\n{lines}", encoding="utf-8")
        return path

    def __call__(self, changes: str, asked: Comparison = ASKED, day: date = DAY) -> Outcome:
        return self.world(asked, day).play(read_scenario(self.file(changes)))


def load(folder: Path, rows: Rows) -> tuple[Warehouse, Facts]:
    facts = read_bundles([write_bundle(folder, rows)], strict=True)
    state = Warehouse.open_memory()
    state.load_facts(facts)
    return state, facts


@pytest.fixture(scope="module")
def ruleset() -> RuleSet:
    return load_rulebook(default_rules_dir()).ruleset


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory, ruleset: RuleSet) -> Iterator[Play]:
    folder = tmp_path_factory.mktemp("scenario")
    state, facts = load(folder / "facts", small_facts())
    with state:
        yield Play(state, facts, ruleset, folder)


def change(found: Outcome, importer: str, mineral: str = "*") -> float:
    row = found.differences.buyers.filter(importer=importer, mineral=mineral, stage="*")
    return float(row["change_missing_usd"].item())


def lane(found: Outcome, exporter: str, importer: str) -> dict[str, float]:
    return found.differences.lanes.filter(exporter=exporter, importer=importer, stage="refined").row(
        0, named=True
    )


def test_a_suspension_that_lapses_gives_what_the_row_would_give_as_a_fact(
    tmp_path: Path, play: Play, ruleset: RuleSet
) -> None:
    found = play("lapse: {measure_id: 46-2024}")
    rows = small_facts()
    state = {"measure_id": "46-2024", "clause": "art. 2", "destination": "*", "state": "in_force"}
    rows["measure_states"].append(
        {**state, "valid_from": "2026-11-28", "source_id": "official", "known_from": "2026-11-28"}
    )
    warehouse, facts = load(tmp_path / "with", rows)
    with warehouse:
        other = World(warehouse, facts, ruleset, Question(DAY, DAY, "CHN"), ASKED)
        unmoved = tmp_path / "unmoved.yml"
        unmoved.write_text("scenario: unmoved\ntitle: Nothing that binds\nchanges:\n  - suspend: {measure_id: easing, valid_from: 2027-01-01}\n", encoding="utf-8")  # fmt: skip
        there = other.play(read_scenario(unmoved)).differences.lanes
    keys = ["mineral", "stage", "exporter", "importer"]
    expected = there.select(*keys, expected_missing_share="base_expected_missing_share", score="base_score")
    assert found.minerals == ["gallium"]
    assert lane(found, "CHN", "USA")["score"] > lane(found, "CHN", "USA")["base_score"] + 0.5
    assert_frame_equal(
        found.differences.lanes.select(*keys, "expected_missing_share", "score"), expected, abs_tol=1e-12
    )


def test_stored_facts_have_the_same_hash_before_and_after(play: Play) -> None:
    folder = play.folder / "facts"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert play.state.stored_hash() == play.facts.report.facts_hash
    play(
        "lapse: {measure_id: 46-2024}\nset: {table: stocks, where: {stock_id: jp}, to: {stock_days: 0}}\nvoid: {pledge_id: pause}"
    )
    assert play.state.stored_hash() == play.facts.report.facts_hash == facts_hash(play.facts.tables)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_same_draws_leave_no_noise(play: Play) -> None:
    # What does not depend on the change has a difference of exactly nothing, in every draw.
    found = play(
        "set: {table: stocks, where: {stock_id: jp}, to: {usable_by_civil_buyers: true, stock_days: [200, 300, 365]}}"
    )
    japan = found.differences.lanes.filter(importer="JPN")
    others = found.differences.lanes.filter(pl.col("importer") != "JPN")
    assert found.minerals == ["gallium"]
    moved = others.select("change_share", "change_share_p10", "change_share_p90").to_numpy()
    less = japan.select("change_share", "change_share_p90").to_numpy()
    assert moved.size
    assert not moved.any()
    assert less.max() <= 0 > less.min()
    assert change(found, "USA") == 0.0


def test_changes_of_a_buyer_are_those_of_its_lanes(play: Play) -> None:
    found = play("lapse: {measure_id: 46-2024}")
    own = found.differences.lanes.filter(importer="USA", mineral="gallium")
    expected = (own["change_share"] * own["route_usd"]).sum()
    assert change(found, "USA", "gallium") == pytest.approx(expected, rel=1e-6)
    row = found.differences.buyers.filter(importer="USA", mineral="gallium", stage="*").row(0, named=True)
    assert row["change_p10_usd"] <= row["change_missing_usd"] <= row["change_p90_usd"] + 1e-9
    assert row["missing_usd"] - row["base_missing_usd"] == pytest.approx(row["change_missing_usd"])


@pytest.mark.parametrize(
    ("changes", "least", "most"),
    [
        ("lapse: {measure_id: 46-2024}", 1e-6, None),
        ("extend: {measure_id: 46-2024, valid_to: 2027-11-28}", None, -1e-6),
        ("repeal: {measure_id: 23-2023}", None, -1e-6),
        ("suspend: {measure_id: 23-2023, valid_from: 2026-11-28}", None, -1e-6),
        ("parameter: {rule: dual-use-licence, name: refused_at_twelve_months, value: [0, 0, 0]}", None, 0.0),
        ("add: {capacity: [{capacity_id: new, mineral: gallium, stage: refined, country: JPN, add_365_t: [900, 1000, 1100]}]}", None, -1e-6),
        ("copy: {measure_id: 46-2024, new_id: twin, notice: a twin, mineral: gallium, stage: refined, valid_from: 2026-11-28}", 1e-6, None),
    ],
    ids=["lapse", "extend", "repeal", "suspend", "parameter", "plant", "copy"],
)  # fmt: skip
def test_each_change_moves_the_money_the_way_it_should(
    play: Play, changes: str, least: float | None, most: float | None
) -> None:
    found = play(changes)
    assert "gallium" in found.minerals
    moved = change(found, "USA")
    assert least is None or moved >= least
    assert most is None or moved <= most


def test_a_day_within_the_suspension_can_be_named(play: Play) -> None:
    day = date(2026, 11, 23)
    found = play("end: {measure_id: 46-2024, valid_from: 2026-11-20}", day=day)
    assert lane(found, "CHN", "USA")["base_score"] < lane(found, "CHN", "USA")["score"]
    assert found.sentences == [
        "Binds again from 2026-11-20, before its suspension ends: MOFCOM 46/2024 (art. 2)."
    ]


def test_a_plant_that_is_shut_adds_nothing(tmp_path: Path, ruleset: RuleSet) -> None:
    rows = small_facts()
    plant = {
        "capacity_id": "jp-plant",
        "mineral": "gallium",
        "stage": "refined",
        "country": "JPN",
        "source_id": "official",
        "known_from": "2025-01-01",
    }
    rows["capacity"] = [{**plant, **{f"add_{days}_t_{end}": "5" for days in (90, 365, 1825) for end in ("low", "best", "high")}}]  # fmt: skip
    state, facts = load(tmp_path / "facts", rows)
    with state:
        shut = Play(state, facts, ruleset, tmp_path)("shut: {capacity_id: jp-plant}")
    assert change(shut, "USA") > 0


REFUSED = {
    "lapse: {measure_id: 46-2025}": "case.yml:4:25: unknown measure of CHN '46-2025'; did you mean '46-2024'?",
    "lapse: {measure_id: 46-2024, clause: art. 3}": "unknown clause of 46-2024 'art. 3'; did you mean 'art. 2'?",
    "lapse: {measure_id: 23-2023}": "23-2023 is in force on 2026-11-28, not suspended or lapsed unverified",
    "lapse: {measure_id: mys-ban}": "mys-ban is a measure of MYS and this asks about curbs of CHN; write curbing_country: MYS",
    "extend: {measure_id: 46-2024, valid_to: 2026-11-01}": "runs to 2026-11-28 already; name a later valid_to",
    "extend: {measure_id: 46-2024}": "extend has no valid_to; add valid_to:",
    "suspend: {measure_id: 23-2023, valid_from: 2026-12-01, valid_to: 2026-11-30}": "it ends on 2026-11-30 before it has begun on 2026-12-01",
    "lapse: {measure_id: 46-2024, valid_from: soon}": "valid_from 'soon': write a date as YYYY-MM-DD",
    "laps: {measure_id: 46-2024}": "unknown change 'laps'; did you mean 'lapse'?",
    "lapse: {measure: 46-2024}": "unknown key 'measure'; did you mean 'measure_id'?",
    "lapse: {measure_id: 46-2024}\nextend: {measure_id: 46-2024, valid_to: 2027-11-28}": "46-2024 art. 2 * is changed twice, the first time in line 4; leave one of them",
    "void: {pledge_id: no-bans}": "unknown pledge 'no-bans'; did you mean 'no-ban'?",
    "honour: {pledge_id: no-ban}\nvoid: {pledge_id: no-ban}": "pledge no-ban is changed twice",
    "parameter: {rule: dual-use-license, name: x, value: 1}": "unknown rule 'dual-use-license'; did you mean 'dual-use-licence'?",
    "parameter: {rule: dual-use-licence, name: refused_at_twelve_months, value: [0.1, 0.3, 1.5]}": "is a share; write numbers between 0 and 1",
    "parameter: {rule: dual-use-licence, name: refused_at_twelve_months, value: [0.5, 0.3, 0.4]}": "the range is out of order; write [low, best, high]",
    "set: {table: reserve, where: {country: MYS}, to: {reserves_t: 1}}": "unknown table of a scenario 'reserve'; did you mean 'reserves'?",
    "set: {table: reserves, where: {country: MYX}, to: {reserves_t: 1}}": "no row of reserves has country 'MYX'; did you mean 'MYS'?",
    "set: {table: reserves, where: {country: MYS}, to: {reserves_t: -1}}": "reserves reserves_t '-1'",
    "set: {table: trade, where: {year: 2024}, to: {quantity_t: 1}}": "unknown table of a scenario 'trade'",
    "copy: {measure_id: 46-2024, new_id: twin, notice: a twin, mineral: galium, stage: refined, valid_from: 2026-11-28}": "unknown mineral 'galium'; did you mean 'gallium'?",
    "copy: {measure_id: 46-2024, new_id: 23-2023, notice: a twin, mineral: gallium, stage: refined, valid_from: 2026-11-28}": "there is a measure '23-2023' already",
    "copy: {measure_id: 46-2024, new_id: twin, notice: a twin, mineral: gallium, stage: refined, valid_from: 2026-11-28, valid_to: 2026-01-01}": "it ends on 2026-01-01 before it has begun on 2026-11-28",
    "add: {measure_states: [{measure_id: 46-2024, clause: all, destination: '*', state: in_farce, valid_from: 2026-11-28}]}": "did you mean 'in_force'?",
    "add: {measure_states: [{measure_id: 99-2099, clause: all, destination: '*', state: in_force, valid_from: 2026-11-28}]}": "unknown measure_id '99-2099'",
    "add: {measures: 3}": "measures is a list of rows; start each with a dash",
    "shut: {capacity_id: nowhere}": "unknown plant 'nowhere'",
    "lapse: {measure_id: []}": "write at least one",
    "lapse: yes": "write true or false, or quote the word",
}  # fmt: skip


@pytest.mark.parametrize(("changes", "told"), REFUSED.items(), ids=range(len(REFUSED)))
def test_what_is_wrong_is_refused_with_place_value_and_mend(play: Play, changes: str, told: str) -> None:
    with pytest.raises(ScenarioError) as problem:
        play(changes)
    text = str(problem.value)
    assert told in text
    first, *_, last = text.splitlines()
    assert first.startswith("case.yml:")
    assert last.endswith("refused; nothing was scored.")


def test_every_fault_is_told_at_once(play: Play) -> None:
    with pytest.raises(ScenarioError) as problem:
        play("lapse: {measure_id: 46-2025}\nvoid: {pledge_id: none}")
    assert [line.split(":")[1] for line in str(problem.value).splitlines()[:-1]] == ["4", "5"]


def test_a_scenario_test_of_rules_is_told_apart() -> None:
    with pytest.raises(
        ScenarioError, match="this is a scenario test of rules; `curbline rules test` runs it"
    ):
        read_scenario(default_rules_dir() / "scenarios" / "suspended-ban.yml")


def test_a_country_that_is_not_one_is_refused(play: Play) -> None:
    path = play.file("lapse: {measure_id: 46-2024}")
    path.write_text(path.read_text() + "curbing_country: China\nas_of: soon\n", encoding="utf-8")
    with pytest.raises(ScenarioError) as problem:
        read_scenario(path)
    assert "case.yml:5:18: curbing_country 'China': " in str(problem.value)
    assert "case.yml:6:8: as_of 'soon': write a date as YYYY-MM-DD" in str(problem.value)


# -- the command ------------------------------------------------------------------------------------------------


def test_the_command_shows_writes_and_lists(
    play: Play, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts, target = str(play.folder / "facts"), tmp_path / "tables"
    file = play.file("lapse: {measure_id: 46-2024}")
    common = ["--facts", facts, "--as-of", "2026-11-28", "--draws", "64", "--importer", "USA"]
    assert main(["scenario", str(file), *common, "--to", str(target)]) == 0
    shown = capsys.readouterr().out
    assert "Binds again from 2026-11-28: MOFCOM 46/2024 (art. 2)." in shown
    assert "gallium / refined" in shown
    lanes = pl.read_parquet(target / "scenario_lane.parquet")
    assert lanes["scenario"].unique().to_list() == ["case"]
    assert pl.read_csv(target / "scenario_lane.csv").height == lanes.height > 0
    assert {"change_missing_t", "change_missing_usd_p10", "base_band", "band"} <= set(lanes.columns)
    book = openpyxl.load_workbook(target / "scenarios.xlsx", data_only=True)
    assert book.sheetnames == ["Scenarios", "Importers", "Lanes"]
    assert [cell.value for cell in book["Scenarios"][2]] == [
        "case", "A case", "Binds again from 2026-11-28: MOFCOM 46/2024 (art. 2).",
    ]  # fmt: skip
    sheet = [[cell.value for cell in row] for row in book["Importers"].iter_rows()]
    written = pl.read_parquet(target / "scenario_importer.parquet")
    assert (sheet[0], len(sheet) - 1) == (written.columns, written.height)
    place = written.columns.index("change_missing_usd")
    assert sheet[1][place] == pytest.approx(written["change_missing_usd"][0])
    assert book["Lanes"].max_row - 1 == lanes.filter(listing="listed").height
    again = (target / "scenarios.xlsx").read_bytes()
    assert main(["scenario", str(file), *common, "--to", str(target)]) == 0
    assert (target / "scenarios.xlsx").read_bytes() == again
    capsys.readouterr()
    assert main(["scenario", str(file), *common, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["facts_hash"] == play.facts.report.facts_hash
    (one,) = data["scenarios"]
    assert one["supposed"] == ["Binds again from 2026-11-28: MOFCOM 46/2024 (art. 2)."]
    assert {row["importer"] for row in one["importers"]} == {"USA", "*"}
    assert main(["scenario"]) == 0
    assert "licence-on-magnesium" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["lisence-on-magnesium"], "did you mean 'licence-on-magnesium'?"),
        (
            ["licence-on-magnesium", "licence-on-magnesium"],
            "two of the files are named 'licence-on-magnesium'",
        ),
        (["licence-on-magnesium", "--horizon", "30"], "--horizon 30 is not one of the scorecard's"),
        (["licence-on-magnesium", "--regime", "activ"], "unknown regime 'activ'; did you mean 'active'?"),
        (
            ["licence-on-magnesium", "--mineral", "magnesum"],
            "no route of it on 2026-11-28; did you mean 'magnesium'?",
        ),
    ],
)
def test_wrong_options_are_refused(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scenario", *arguments]) == 40
    assert told in " ".join(capsys.readouterr().err.split())


# -- those that come with Curbline -------------------------------------------------------------------------------

#: A mineral on which each is tried, and whether more goes missing; `-` where less does, `0` where nothing need move.
SHIPPED = {
    "notices-of-announcement-70-in-force": ("holmium", "+"),
    "pause-of-us-ban-not-renewed": ("gallium", "+"),
    "both-pauses-over": ("gallium", "+"),
    "re-export-rule-enforced": ("holmium", "+"),
    "malaysia-pledge-honoured": ("samarium", "-"),
    "malaysia-pledge-void": ("samarium", "+"),
    "congo-cobalt-quota-tightened": ("cobalt", "+"),
    "licence-on-magnesium": ("magnesium", "+"),
}  # fmt: skip


@pytest.fixture(scope="module")
def worlds() -> dict[tuple[Question, Comparison], World]:
    """Worlds that are warm already."""
    return {}


@pytest.fixture(scope="module")
def embedded() -> Iterator[tuple[Warehouse, Facts]]:
    facts = read_bundles([default_facts_dir()], strict=True)
    with Warehouse.open_memory() as state:
        state.load_facts(facts)
        yield state, facts


def test_all_that_come_with_it_are_tried() -> None:
    assert set(shipped()) == set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_each_that_comes_with_it_runs_and_leaves_the_facts(
    name: str,
    embedded: tuple[Warehouse, Facts],
    worlds: dict[tuple[Question, Comparison], World],
    ruleset: RuleSet,
) -> None:
    state, facts = embedded
    file = read_scenario(shipped()[name])
    said, (mineral, way) = file.scenario, SHIPPED[name]
    assert said.scenario == name
    assert said.as_of is not None
    question = Question(said.as_of, said.as_of, said.curbing_country or "CHN")
    asked = Comparison(said.horizon_days or 365, draws=32)
    if (question, asked) not in worlds:
        worlds[question, asked] = World(state, facts, ruleset, question, asked)
    found = worlds[question, asked].play(file, [mineral])
    assert found.minerals == [mineral]
    moved = {"+": 1.0, "-": -1.0}[way] * change(found, "*", mineral)
    assert moved > 0
    assert state.stored_hash() == facts.report.facts_hash


def test_money_of_lanes_without_a_value_is_unknown_not_nothing() -> None:
    units = pl.DataFrame(
        {
            "exporter": ["CHN", "CHN", "CHN"],
            "importer": ["JPN", "JPN", "USA"],
            "route_usd": [None, 100.0, None],
            "route_t": [1.0, 2.0, 4.0],
        }
    )
    base, after = Kept(365, "active"), Kept(365, "active")
    base.stages["gallium", "refined"] = Lanes(units, np.zeros((3, 2), dtype=np.float32))
    after.stages["gallium", "refined"] = Lanes(units, np.full((3, 2), 0.5, dtype=np.float32))
    found = differences(base, after, {"JPN": ("JPN",), "USA": ("USA",)}).buyers.filter(stage="refined")
    assert found.select("importer", "change_missing_t", "change_missing_usd", "lanes_without_usd").rows() == [
        ("JPN", 1.5, 50.0, 1),
        ("USA", 2.0, None, 1),
    ]
