"""Rules against what they were: versions, ids, and references that have grown old."""

from datetime import date

import pytest

from engine.language.checks.age import check_age
from engine.language.checks.versions import Earlier, check_rules_since, check_versions
from engine.language.errors import RuleSyntaxError
from engine.language.rules import RuleSet
from engine.language.ruleset import load_ruleset, read_ruleset
from tests.engine.rulebook import RULE, default_ruleset, with_rule

THEN = load_ruleset(with_rule())


def changed(old: str, new: str, file: str = "small.yml") -> RuleSet:
    texts = with_rule()
    assert old in texts[file]
    return load_ruleset({**texts, file: texts[file].replace(old, new)})


def codes(now: RuleSet) -> list[str]:
    return [problem.code for problem in check_versions(now, THEN)]


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("value: [0.2, 0.4, 0.6]", "value: [0.2, 0.5, 0.6]", "parameters"),
        ("- {from: 2026-01-01, value", "- {from: 2026-02-01, value", "parameters"),
        ("instrument: export_tax, destination_class: ordinary}\nscore", "instrument: [export_tax, quota], destination_class: ordinary}\nscore", "applies_when"),
        ("{90: 0.5, 365", "{90: [0.5, 0.5, 0.6], 365", "score"),
        ("sets: withheld", "sets: withheld\npriority: 5", "priority"),
        ("effective: {from: 2020-12-01}", "effective: {from: 2020-12-01, to: 2027-01-01}", "effective"),
        ("status: active", "status: draft", "status"),
    ],
)  # fmt: skip
def test_a_change_that_moves_scores_needs_a_new_version(old: str, new: str, word: str) -> None:
    text = RULE.replace(old, new)
    if word == "parameters" and "0.5, 0.6]" in new:
        text = text.replace("expect: [0.2, 0.4, 0.6]", "expect: [0.2, 0.5, 0.6]")
    (problem,) = check_versions(load_ruleset(with_rule(text)), THEN)
    assert problem.code == "R070"
    assert problem.message.startswith(f"{word} of 'small' changed")
    assert (problem.location.file, problem.location.line) == ("small.yml", 4)
    assert check_versions(load_ruleset(with_rule(text.replace("version: 1", "version: 2"))), THEN) == []


def test_words_tests_and_order_need_no_new_version() -> None:
    assert codes(changed("A licence slows shipments", "A licence delays shipments")) == []
    assert (
        codes(changed("{90: 0.5, 365: $refused, 1825: $refused}", "{1825: $refused, 90: 0.5, 365: $refused}"))
        == []
    )
    assert codes(changed("name: a quarter", "name: three months")) == []


def test_an_earlier_scorecard_with_keys_that_are_gone_is_still_compared() -> None:
    texts = with_rule(RULE.replace("{90: 0.5,", "{90: 0.4,").replace("expect: 0.5", "expect: 0.4"))
    old = texts["scorecard.yml"].replace(
        "version: 1\n", "version: 1\nscale: {kind: square_root, maximum: 100}\n", 1
    )
    then = read_ruleset({**texts, "scorecard.yml": old})
    assert [problem.code for problem in check_versions(THEN, then)] == ["R070"]
    with pytest.raises(RuleSyntaxError, match="unknown key 'ownr'"):
        read_ruleset(with_rule(RULE.replace("owner:", "ownr:")))


def test_a_version_never_goes_back() -> None:
    earlier = {"small": Earlier(3, "withheld", "active", {})}
    (problem,) = check_rules_since(THEN, earlier)
    assert (problem.code, problem.hint) == ("R070", "write version: 4")


def test_a_retired_id_does_not_come_back() -> None:
    retired = changed("status: active", "status: retired")
    (problem,) = check_versions(THEN, retired)
    assert (problem.code, problem.location.line) == ("R062", 3)
    assert check_versions(retired, retired) == []


def test_an_id_keeps_its_factor() -> None:
    earlier = {"small": Earlier(1, "reroute", "active", {})}
    (problem,) = check_rules_since(THEN, earlier)
    assert (problem.code, problem.location.line) == ("R062", 17)


def test_a_rule_that_is_gone_is_warned_of() -> None:
    texts = with_rule()
    del texts["small.yml"]
    (problem,) = check_versions(load_ruleset(texts), THEN)
    assert (problem.code, problem.is_warning) == ("R063", True)


def test_the_scorecard_has_a_version_too() -> None:
    now = changed("small_lane_share:\n    unit: share\n    values:\n      - {from: 2020-12-01, value: 0.02", "small_lane_share:\n    unit: share\n    values:\n      - {from: 2020-12-01, value: 0.03", "scorecard.yml")  # fmt: skip
    (problem,) = check_versions(now, THEN)
    assert (problem.code, problem.location.file) == ("R070", "scorecard.yml")
    assert problem.message.startswith("parameters of the scorecard changed")


def test_the_default_rules_follow_on_themselves() -> None:
    assert check_versions(default_ruleset(), default_ruleset()) == []


def test_old_references_are_warned_of() -> None:
    own = [p for p in check_age(THEN, date(2026, 1, 3), 365) if p.location.file == "small.yml"]
    assert [(p.code, p.is_warning, p.location.line) for p in own] == [("R061", True, 9)]
    assert "366 days ago, on 2025-01-02" in own[0].message
    assert not [p for p in check_age(THEN, date(2026, 1, 2), 365) if p.location.file == "small.yml"]


def test_a_reference_checked_tomorrow_is_warned_of() -> None:
    (problem,) = [p for p in check_age(THEN, date(2025, 1, 1), 365) if p.location.file == "small.yml"]
    assert "after 2025-01-01" in problem.message
