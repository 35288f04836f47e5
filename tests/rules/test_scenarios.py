"""Every expectation of every scenario is a case of its own; a wrong file is refused with its place."""

from functools import cache

import pytest

from engine.language.ruleset import check_ruleset, read_ruleset, scenarios_of
from engine.language.scenarios import Scenario
from engine.trials.scenarios import ScenarioResult, run_scenarios
from tests.engine.rulebook import default_ruleset, default_texts

SCENARIOS = scenarios_of(default_texts(), default_ruleset())
CASES = [(one.name, want.name) for one in SCENARIOS for want in one.expectations]
FILE = "scenarios/suspended-ban.yml"


@cache
def results() -> dict[tuple[str, str], ScenarioResult]:
    return {(one.scenario, one.name): one for one in run_scenarios(default_ruleset(), SCENARIOS)}


@pytest.mark.parametrize("case", CASES, ids=[": ".join(case) for case in CASES])
def test_scenario(case: tuple[str, str]) -> None:
    result = results()[case]
    assert result.passed, str(result.problem)


def read(text: str) -> list[Scenario]:
    texts = {**default_texts(), FILE: text}
    assert check_ruleset(texts) == []
    return [one for one in scenarios_of(texts, default_ruleset()) if one.file == FILE]


def test_each_field_that_differs_is_told_with_its_place() -> None:
    text = default_texts()[FILE]
    wrong = text.replace(
        "missing_share: [0, 0, 0], score: 0, band: minimal", "missing_share: [0, 0.2, 0], score: 3, band: low"
    )
    wrong = wrong.replace("[0, 0.2, 0]", "[0, 0.2, 0.3]").replace("rules: [export-ban]", "rules: [quota]")
    first, second, _ = run_scenarios(default_ruleset(), read(wrong))
    assert first.problem is not None
    assert second.problem is not None
    told = str(first.problem)
    assert told.startswith(
        f"{FILE}:20:5: R090: scenario 'suspended-ban', germanium refined CHN to USA, 365 days, active: "
    )
    for part in (
        "score best: want 3, got 0",
        "missing_share best: want 0.2, got 0",
        "missing_share high: want 0.3, got 0",
        "band: want low, got minimal",
    ):
        assert part in told
    assert "missing_share low" not in told
    assert "rules: want quota, got export-ban" in str(second.problem)


def test_a_route_that_the_world_lacks_is_told() -> None:
    text = default_texts()[FILE].replace(
        "route: [germanium, refined, CHN, USA]", "route: [germanium, refined, CHN, JPN]"
    )
    assert all("no such route" in str(one.problem) for one in run_scenarios(default_ruleset(), read(text)))


@pytest.mark.parametrize(
    ("written", "instead", "code", "said"),
    [
        ("importers:", "importer:", "R007", "did you mean 'importers'?"),
        ("instrument: export_ban", "instrument: export_bann", "R011", "did you mean 'export_ban'?"),
        ("state: suspended", "state: suspendet", "R011", "did you mean 'suspended'?"),
        ("rules: [export-ban]", "rules: [export-bans]", "R010", "did you mean 'export-ban'?"),
        ("regime: snapback", "regime: snapbak", "R011", "did you mean 'snapback'?"),
        ("horizon_days: 365, regime: full_stop", "horizon_days: 300, regime: full_stop", "R011", "unknown horizon_days"),
        ("route_t: 100", "route_t: [3, 2, 1]", "R033", "out of order"),
        ("scenario: suspended-ban", "scenario: suspended", "R060", "is in suspended-ban.yml"),
        ("  measures:", "  measurs:", "R007", "did you mean 'measures'?"),
        (", missing_share: 1}", "}", "R008", "asks for nothing"),
        ("state: suspended", "scope: entities, state: suspended", "R008", "add is_named_buyers: true, or false"),
        ("[germanium, refined, CHN, USA], horizon_days: 365, regime: full_stop", "[germanium, refined, CHN], horizon_days: 365, regime: full_stop", "R009", "3 parts"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_refused(written: str, instead: str, code: str, said: str) -> None:
    text = default_texts()[FILE]
    assert written in text
    problems = check_ruleset({**default_texts(), FILE: text.replace(written, instead)})
    assert any(said in str(problem) and problem.code == code for problem in problems)
    assert all(problem.location.file == FILE for problem in problems)


def test_scenarios_are_no_rules() -> None:
    assert {rule.file.split("/")[0] for rule in default_ruleset().rules} & {"scenarios"} == set()
    assert len(SCENARIOS) >= 9


def test_the_rule_says_what_a_pledge_relieves_and_nothing_else_does() -> None:
    file = "mitigation/pledge-announced.yml"
    text = default_texts()[file].replace("instrument: [export_licence, ", "instrument: [")
    assert text != default_texts()[file]
    ruleset = read_ruleset({**default_texts(), file: text})
    softened = [one for one in SCENARIOS if one.name == "pledge-softens"]
    active, snapback = run_scenarios(ruleset, softened)
    assert "rules: want pledge-announced, got dual-use-licence" in str(active.problem)
    assert snapback.passed
