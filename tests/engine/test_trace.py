"""Rules in plain words, and why a rule did or did not apply to a row."""

from dataclasses import replace
from datetime import date

from engine.language.describe import describe_rule
from engine.language.ruleset import load_ruleset
from engine.language.trace import Verdict, trace_factor, trace_rule
from tests.engine.rulebook import default_ruleset, with_rule

DAY = date(2026, 11, 23)
RULESET = load_ruleset(with_rule())
RULE = RULESET.rules[0]
ROW: dict[str, object] = {
    "instrument": "export_tax",
    "destination_class_low": "ordinary",
    "destination_class_best": "ordinary",
    "destination_class_high": "dispute",
    "horizon_days": 365,
}


def verdict(**changed: object) -> Verdict:
    return trace_rule(RULESET, RULE, {**ROW, **changed}, DAY)


def test_a_rule_that_applies_has_its_value_and_no_reason() -> None:
    found = verdict(destination_class_high="ordinary")
    assert (found.applies, found.value, found.reason) == (True, (0.2, 0.4, 0.6), "")


def test_an_end_on_another_category_stays_empty() -> None:
    assert verdict().value == (0.2, 0.4, None)


def test_the_first_filter_that_failed_is_named_with_want_and_got() -> None:
    found = verdict(instrument="export_ban", destination_class_best="dispute")
    assert not found.applies
    assert found.reason == "instrument: want export_tax, got export_ban"


def test_a_range_is_shown_with_its_ends() -> None:
    found = verdict(destination_class_best="favoured")
    assert found.filters_held == 1
    assert found.reason == "destination_class: want ordinary, got favoured (from ordinary to dispute)"


def test_a_row_without_the_scored_feature_applies_without_a_value() -> None:
    row = {name: value for name, value in ROW.items() if name != "horizon_days"}
    found = trace_rule(RULESET, RULE, row, DAY)
    assert found.applies
    assert found.value == (None, None, None)


def test_rules_that_do_not_stand_say_so() -> None:
    for changed, said in (
        (replace(RULE, status="draft"), "it is draft"),
        (replace(RULE, effective_from=date(2027, 1, 1)), "it begins on 2027-01-01"),
        (replace(RULE, effective_to=date(2022, 1, 1)), "it ended before 2022-01-01"),
    ):
        assert trace_rule(RULESET, changed, ROW, DAY).reason == said


def test_every_rule_of_a_factor_is_asked() -> None:
    ruleset = default_ruleset()
    asked = trace_factor(ruleset, "withheld", {**ROW, "instrument": "export_ban", "scope": "all"}, DAY)
    assert len(asked) == sum(rule.sets == "withheld" for rule in ruleset.rules)
    assert [found.rule_id for found in asked if found.applies] == ["export-ban"]


def test_plain_words_give_filter_value_history_reference_and_tests() -> None:
    said = "\n".join(describe_rule(RULESET, RULE, date(2025, 6, 1)))
    for words in (
        "instrument is export_tax",
        "destination_class is ordinary",
        "365: 35 % (10 to 60) ($refused)",
        "from 2020-12-01, current: 35 % (10 to 60), by notice: A notice",
        "from 2026-01-01: 40 % (20 to 60)",
        "Tests: 4, which reach 4 of 4 branches",
    ):
        assert words in said
    assert "365: 40 % (20 to 60)" in "\n".join(describe_rule(RULESET, RULE, DAY))


def test_every_default_rule_can_be_told() -> None:
    ruleset = default_ruleset()
    for rule in ruleset.rules:
        assert describe_rule(ruleset, rule, DAY)[0] == f"{rule.id}: {rule.title}"
