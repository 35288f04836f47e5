"""Planted defects: each is found with its code, at its line, with a mend."""

import re
from pathlib import Path

import pytest

from engine.language.checks.scorecard import ENGINE_PARAMETERS
from engine.language.errors import RuleCheckError, RuleSyntaxError, format_problem
from engine.language.ruleset import check_ruleset, load_ruleset
from engine.scoring.evidence import MOVEMENTS
from tests.engine.rulebook import RULE, default_texts, with_rule

DEFECTS = [
    # what is replaced, by what, code, line, words of the message or hint
    ("horizon_days\n  shape", "horizn_days\n  shape", "R010", 20, "did you mean 'horizon_days'?"),
    ("instrument: export_tax, destination_class: ordinary}\nscore", "instrument: export_tx, destination_class: ordinary}\nscore", "R011", 18, "did you mean 'export_tax'?"),
    ("applies_when: {instrument: export_tax", "applies_when: {lane_share: {below: 0.1}, instrument: export_tax", "R012", 18, "may be unknown"),
    ("on: horizon_days", "on: stock_known_days", "R013", 20, "grain"),
    ("sets: withheld", "sets: witheld", "R014", 17, "did you mean 'withheld'?"),
    ("{90: 0.5,", "{90: 1.5,", "R015", 22, "leaves 0..1"),
    ("reference: notice}\n      - {from: 2026", "reference: notise}\n      - {from: 2026", "R021", 15, "did you mean 'notice'?"),
    ("- {from: 2020-12-01, value: [0.1", "- {from: 2021-12-01, value: [0.1", "R022", 15, "no value when the rule starts"),
    ("365: $refused, 1825: $refused", "365: 0.3, 1825: 0.3", "R023", 13, "not used"),
    ("365: $refused", "365: $refusd", "R024", 22, "did you mean 'refused'?"),
    ("- {from: 2026-01-01, value", "- {from: 2019-01-01, value", "R025", 16, "not in order"),
    (", 1825: $refused", "", "R031", 20, "'1825'"),
    ("[0.1, 0.35, 0.6], reference: notice}\n      - {from: 2026", "[0.35, 0.1, 0.6], reference: notice}\n      - {from: 2026", "R033", 15, "out of order"),
    ("{mineral}.", "{minerals}.", "R040", 23, "did you mean 'mineral'?"),
    ("{withheld:percent}", "{withheld:percents}", "R041", 23, "did you mean 'percent'?"),
    ("  - {name: a quarter", "  # - {name: a quarter", "R050", 26, "lookup:90"),
    ("owner: tests", "ownr: tests", "R007", 5, "did you mean 'owner'?"),
    ("title: A licence slows shipments\n", "", "R008", 1, "no key 'title'"),
    ("version: 1", "version: one", "R009", 4, "whole number"),
    ("version: 1", "version: !!int 1", "R002", 4, "tags"),
    ("owner: tests", "owner: &a tests", "R002", 5, "anchors"),
    ("owner: tests", "owner: tests\nowner: others", "R004", 6, "occurs twice"),
    ("owner: tests", "owner: no", "R005", 5, "differently"),
    ("{90: 0.5,", "{90: 5e-1,", "R005", 22, "looks like a number"),
    ("effective: {from: 2020-12-01}", "effective: {from: 2020-13-01}", "R006", 10, "not a date"),
    ("status: active", "status: activ", "R009", 3, "did you mean 'active'?"),
    ("effective: {from: 2020-12-01}", "effective: {from: 2020-12-01, to: 2020-01-01}", "R025", 10, "before it begins"),
    ("owner: tests", "owner: tests\x85priority: 1", "R001", 5, "U+0085"),
    ("owner: tests", "owner: te\u200bsts", "R001", 5, "U+200B"),
    ("owner: tests", "owner: 12:30", "R005", 5, "looks like a number"),
    ("owner: tests", "owner: 2025-1-1", "R005", 5, "looks like a number"),
    ("{90: 0.5,", "{90: 50%,", "R005", 22, "looks like a number"),
    ("version: 1", "version: 0", "R009", 4, "count from 1"),
    ("id: small", "id: Small One", "R009", 1, "not a valid id"),
    ("id: small", "id: other", "R060", 1, "other.yml"),
    ("  Enough to be read.", "  ", "R008", 6, "says nothing"),
    ("checked: 2025-01-02", "checked: 2024-01-02", "R025", 9, "before its own date"),
    ("unit: share", "unit: days", "R015", 22, "'withheld' in share"),
    ("unit: share", "unit: shares", "R015", 13, "did you mean 'share'?"),
    ("cases: {90", "points: {0: 0}\n  cases: {90", "R007", 22, "keep cases: alone"),
    ("{mineral}.", "{mineral.", "R042", 23, "partner"),
    ("{mineral}.", "mineral}.", "R042", 23, "partner"),
    ("{withheld:percent}", "{horizon_days:percent}", "R041", 23, "write {horizon_days}"),
    ("{withheld:percent}", "{withheld}", "R041", 23, "write {withheld:percent}"),
    ("given: {instrument: export_ban, destination_class: ordinary, horizon_days: 90}", "given: {}", "R052", 28, "shows nothing"),
    ("name: a year", "name: a quarter", "R052", 26, "two tests"),
    ("horizon_days: 90}, expect: 0.5", "horizon_days: [90, 90, 90]}, expect: 0.5", "R009", 25, "no range"),
    ("horizon_days: 90}, expect: 0.5", "horizon_days: unknown}, expect: 0.5", "R011", 25, "never unknown"),
    ("applies_when: {instrument: export_tax", "applies_when: {instrument: {at_least: 1}", "R009", 18, "list its values"),
    ("{90: 0.5, 365: $refused, 1825: $refused}", "{}", "R008", 20, "no points"),
    ("owner: tests", "\towner: tests", "R001", 5, "tab"),
    ("applies_when: {instrument: export_tax", "applies_when: {horizon_days: [90, 365], instrument: export_tax", "R035", 22, "'1825' is never reached"),
    ("instrument: export_tax, destination_class: ordinary}\nscore", "instrument: [export_tax, quota, export_tax], destination_class: ordinary}\nscore", "R036", 18, "'export_tax' occurs twice"),
    ("score:", "spread: unifrom\nscore:", "R037", None, "unknown spread 'unifrom'; did you mean 'uniform'"),
    ("rationale: >", "rationale: [", "R001", None, "not valid YAML"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code", "line", "words"), DEFECTS)
def test_planted_defects(old: str, new: str, code: str, line: int | None, words: str) -> None:
    assert old in RULE
    text = RULE.replace(old, new, 1)
    problems = [p for p in check_ruleset(with_rule(text)) if p.code == code]
    assert problems, [str(p) for p in check_ruleset(with_rule(text))]
    found = problems[0]
    assert found.location.file == "small.yml"
    if line is not None:
        assert found.location.line == line, str(found)
    assert words in f"{found.message}; {found.hint}"
    assert found.hint, "every problem says how to mend it"


def test_the_small_rule_and_the_default_rules_are_clean() -> None:
    assert check_ruleset(with_rule()) == []
    assert check_ruleset(default_texts()) == []


def test_all_problems_come_in_one_pass_sorted_by_place() -> None:
    broken = RULE.replace("owner: tests", "ownr: tests").replace("sets: withheld", "sets: witheld")
    broken = broken.replace("version: 1", "version: one")
    problems = check_ruleset(with_rule(broken))
    assert {p.code for p in problems} >= {"R007", "R008", "R009", "R014"}
    assert problems == sorted(problems)


def test_a_shape_that_turns_back_or_does_not_rise() -> None:
    linear = RULE.replace(
        "  on: horizon_days\n  shape: lookup\n  cases: {90: 0.5, 365: $refused, 1825: $refused}",
        "  on: quota_share\n  shape: linear\n  points: {0: 0.1, 0.5: $refused, 1: 0}",
    )
    codes = {p.code for p in check_ruleset(with_rule(linear))}
    assert {"R032", "R034"} <= codes
    assert "R030" in {p.code for p in check_ruleset(with_rule(linear.replace("0.5: $ref", "-1: $ref")))}


def test_a_value_that_leaves_its_unit_on_a_later_day() -> None:
    text = RULE.replace("unit: share", "unit: multiple").replace("[0.2, 0.4, 0.6]", "[0.2, 0.4, 1.6]")
    found = [p for p in check_ruleset(with_rule(text)) if p.code == "R015"]
    assert any("0.2..1.6" in p.message for p in found)


def test_two_hundred_sound_rules_have_no_problem() -> None:
    text = default_texts()["withholding/dual-use-licence.yml"]
    many = {k: default_texts()[k] for k in ("features.yml", "scorecard.yml")}
    for i in range(200):
        many[f"r/x{i}.yml"] = text.replace("id: dual-use-licence", f"id: x{i}")
    assert check_ruleset(many) == []


def test_two_rules_with_one_id_and_two_that_may_meet() -> None:
    texts = {**with_rule(), "again.yml": RULE}
    assert "R060" in {p.code for p in check_ruleset(texts)}
    first = default_texts()["stocks/stock-cover.yml"]
    twice = {**default_texts(), "stocks/other.yml": first.replace("id: stock-cover", "id: other-cover")}
    assert "R051" in {p.code for p in check_ruleset(twice)}


FIRST = """\
sets: reroute
applies_when: {horizon_days: 90}
score: {value: 0.1}
explain: "{reroute:percent} finds a way round."
tests:
  - {name: yes indeed, as_of: 2026-06-01, given: {horizon_days: 90}, expect: 0.1}
  - {name: later, as_of: 2026-06-01, given: {horizon_days: 365}, expect: not_applicable}
"""


@pytest.mark.parametrize(
    ("effective", "one", "other", "meet"),
    [
        ("{from: 2020-12-01}", "horizon_days: 90", "horizon_days: 90", True),
        ("{from: 2020-12-01}", "horizon_days: 90", "horizon_days: [365, 1825]", False),
        ("{from: 2020-12-01, to: 2025-06-01}", "horizon_days: 90", "horizon_days: 90", False),
        ("{from: 2020-12-01, to: 2025-06-02}", "horizon_days: 90", "horizon_days: 90", True),
        ("{from: 2020-12-01}", "day_number: {below: 0.5}", "day_number: {at_least: 0.5}", False),
        ("{from: 2020-12-01}", "day_number: {below: 0.5}", "day_number: {at_least: 0.4, below: 0.6}", True),
        ("{from: 2020-12-01}", "day_number: {below: $edge}", "day_number: {at_least: 0.5}", True),
        ("{from: 2020-12-01, to: 2026-01-01}", "day_number: {below: $edge}", "day_number: {at_least: 0.5}", False),
        ("{from: 2020-12-01}", "day_number: [0.1, 0.2]", "day_number: {at_least: 0.2, below: 0.3}", True),
        ("{from: 2020-12-01}", "day_number: [0.1, 0.3]", "day_number: {at_least: 0.2, below: 0.3}", False),
        ("{from: 2020-12-01}", "day_number: {below: 0.5}", "horizon_days: 90", True),
    ],
)  # fmt: skip
def test_rules_meet_where_their_days_and_filters_do(
    effective: str, one: str, other: str, *, meet: bool
) -> None:
    """$edge is 0.5 until 2026 and 0.6 from then on; the other rule begins in June 2025."""
    texts = with_rule(written("small", effective, one))
    catalogue = texts["features.yml"].rstrip() + NUMBER
    texts |= {
        "features.yml": catalogue,
        "other.yml": written("other", "{from: 2025-06-01}", other),
    }
    found = [p for p in check_ruleset(texts) if p.code == "R051"]
    assert [p.location.file for p in found] == (["small.yml"] if meet else [])


NUMBER = """
  day_number: {meaning: "A number that is always known.", type: number, unit: share, grain: [measure_destination], from: warehouse, pass: 1, known: true, range: false}
"""


def written(rule_id: str, effective: str, condition: str) -> str:
    """A rule of `reroute`, where the first rule decides; only its days and its filter matter here."""
    head = RULE[: RULE.index("sets: withheld")].replace("id: small", f"id: {rule_id}")
    head = head.replace("refused:", "edge:").replace("{from: 2020-12-01}", effective)
    head = head.replace("[0.1, 0.35, 0.6]", "0.5").replace("[0.2, 0.4, 0.6]", "0.6")
    return head + FIRST.replace("horizon_days: 90}\nscore", condition + "}\nscore")


@pytest.mark.parametrize(
    ("given", "missed"),
    [
        (["0", "0.5", "1"], []),
        (["0", "1"], ["linear:0 to 1"]),
        (["0.5", "2"], ["linear:up to 0"]),
        (["-1", "[0, 0.3, 1]"], ["linear:from 1"]),
    ],
)
def test_every_stretch_of_a_line_and_both_flat_ends_are_branches(given: list[str], missed: list[str]) -> None:
    head = RULE[: RULE.index("parameters:")]
    body = """\
sets: withheld
score: {on: quota_share, shape: linear, points: {0: 1, 1: 0}}
if_unknown: [0, 0.5, 1]
explain: "{withheld:percent} is withheld."
tests:
  - {name: nobody knows, as_of: 2025-06-01, given: {quota_share: unknown}, expect: [0, 0.5, 1]}
"""
    for place, value in enumerate(given):
        body += f"  - {{name: test {place}, as_of: 2025-06-01, given: {{quota_share: {value}}}, expect: 0}}\n"
    found = [p.message for p in check_ruleset(with_rule(head + body))]
    assert found == [f"no test reaches the branch '{name}'" for name in missed]


def test_a_category_without_a_value_is_found_beside_if_unknown_too() -> None:
    text = RULE.replace(", 1825: $refused", "").replace("explain:", "if_unknown: 0.5\nexplain:")
    assert "R031" in {p.code for p in check_ruleset(with_rule(text))}


def test_errors_are_raised_by_kind_with_every_problem() -> None:
    with pytest.raises(RuleSyntaxError):
        load_ruleset(with_rule("a: [1, 2"))
    with pytest.raises(RuleCheckError) as caught:
        load_ruleset(with_rule(RULE.replace("sets: withheld", "sets: witheld")))
    assert "small.yml:17:7: R014: unknown factor 'witheld'; did you mean 'withheld'?" in str(caught.value)


def test_a_problem_shows_its_line_and_a_caret() -> None:
    text = RULE.replace("sets: withheld", "sets: witheld")
    (problem,) = [p for p in check_ruleset(with_rule(text)) if p.code == "R014"]
    shown = format_problem(problem, text).splitlines()
    assert shown[1] == "    sets: witheld"
    assert shown[2].index("^") - 4 == problem.location.column - 1


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "words"),
    [
        ("scorecard.yml", "small_lane_share", "smal_lane_share", "R023", "did you mean 'small_lane_share'?"),
        ("features.yml", "      - quota\n", "      - quota\n      - quota\n", "R036", "'quota' occurs twice"),
        ("features.yml", "    pass: 1", "    pass: 3", "R009", "write pass: 1 or 2"),
        ("scorecard.yml", "horizons: [90,", "horizons: [30, 90,", "R011", "unknown horizon '30'; facts say what can be added"),
        ("scorecard.yml", "horizons: [90,", "horizons: [365,", "R030", "365 comes before 365"),
        ("scorecard.yml", "horizons: [90, 365,", "horizons: [90,", "R008", "no horizon of 365 days; list 365"),
        ("scorecard.yml", "horizons: [90, 365, 1825]", "horizons: []", "R008", "no horizon of 365 days; list 365"),
        ("features.yml", "values: [90, 365, 1825]", "values: [90, 365]", "R011", "1825 days is not a value of the feature"),
        ("scorecard.yml", "  ramp_share:", "  ramp_shares:", "R008", "no parameter 'ramp_share', which the engine reads"),
        ("scorecard.yml", "unit: years", "unit: days", "R015", "write unit: years"),
        ("scorecard.yml", "{name: minimal, from: 0}", "{name: minimal, from: 10}", "R030", "lower scores have no band"),
        ("scorecard.yml", "from: 80}", "from: 100}", "R030", "which no score exceeds"),
        ("scorecard.yml", "name: critical", "name: critcal", "R011", "did you mean 'critical'?"),
        ("scorecard.yml", "  - {name: moderate, from: 40}\n", "", "R008", "list minimal, low, moderate, high, critical"),
        ("scorecard.yml", "  full_stop: {}", "  full_stop: {}\n  half_stop: {}", "R011", "unknown regime 'half_stop'"),
        ("scorecard.yml", "  full_stop: {}", "  full_stop: {in_force: 1}", "R007", "write full_stop: {}"),
        ("scorecard.yml", "    in_force: $in_force_weight\n", "", "R008", "'active' has no weight for the state 'in_force'"),
        ("scorecard.yml", "    in_force: $in_force_weight", "    in_forse: $in_force_weight", "R011", "did you mean 'in_force'?"),
        ("scorecard.yml", "in_force: $in_force_weight", "in_force: $in_forse_weight", "R024", "did you mean 'in_force_weight'?"),
        ("scorecard.yml", "  flag: {", "  blame: {grain: route, pass: 2, combine: first, unit: share}\n  flag: {", "R014", "no score reads the factor 'blame'"),
        ("scorecard.yml", "  access: {", "  acess: {", "R008", "no factor 'access'"),
        ("scorecard.yml", "substitution: {grain: route, pass: 2", "substitution: {grain: route, pass: 3", "R013", "write grain: route, pass: 2, unit: share"),
        ("scorecard.yml", "pass: 1, combine: strongest", "pass: 1, combine: sum", "R015", "the sum of several rules need not be"),
        ("scorecard.yml", "version: 1", "version: 1\nscale: {kind: square_root, maximum: 10}", "R007", "unknown key 'scale'"),
    ],
)  # fmt: skip
def test_planted_defects_of_catalogue_and_scorecard(
    file: str, old: str, new: str, code: str, words: str
) -> None:
    texts = with_rule()
    assert old in texts[file]
    found = check_ruleset({**texts, file: texts[file].replace(old, new, 1)})
    assert any(p.code == code and words in f"{p.message}; {p.hint}" for p in found), [str(p) for p in found]


def test_an_unknown_horizon_is_found_at_its_place() -> None:
    texts = with_rule()
    wrong = texts["scorecard.yml"].replace("horizons: [90, 365, 1825]", "horizons: [90, 365, 1826]")
    (problem,) = check_ruleset({**texts, "scorecard.yml": wrong})
    line = texts["scorecard.yml"].split("\n").index("horizons: [90, 365, 1825]") + 1
    assert str(problem.location) == f"scorecard.yml:{line}:21"


def test_every_parameter_that_the_program_reads_is_known_to_the_checks() -> None:
    root = Path(__file__).parents[2]
    asked = {
        name
        for file in [*(root / "engine").rglob("*.py"), *(root / "jobs").rglob("*.py")]
        for name in re.findall(r'\.parameter\(\s*f?"([a-z_{}]+)"', file.read_text(encoding="utf-8"))
    }
    asked = asked - {"reconciliation_{grade}_from"} | {
        f"reconciliation_{grade}_from" for grade in ("fair", "weak", "insufficient")
    }
    assert asked | {name for _, name in MOVEMENTS} == set(ENGINE_PARAMETERS)


def test_a_missing_catalogue_is_said() -> None:
    assert "R008" in {p.code for p in check_ruleset({"small.yml": RULE})}


SPREAD = RULE.replace("\nexplain:", "\nspread: lognormal\nexplain:", 1)


def said_of_spread(text: str) -> str:
    found = [problem for problem in check_ruleset(with_rule(text)) if problem.code == "R037"]
    return "\n".join(f"{problem.message}; {problem.hint}" for problem in found)


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        ("[0, 0.2, 0.5]", "a lognormal range begins above 0; [0, 0.2, 0.5] does not; raise the low end"),
        ("0.2", "the spread 'lognormal' has no range to draw from"),
        ("[0.1, 0.2, 0.5]", ""),
    ],
)
def test_a_spread_must_suit_the_ranges_of_its_rule(refused: str, words: str) -> None:
    text = re.sub(
        r"value: [^,]*?, reference|value: \[[^]]*\], reference", f"value: {refused}, reference", SPREAD
    )
    text = re.sub(r"expect: (\[[^]]*\])", f"expect: {refused}", text)
    assert words in said_of_spread(text) if words else said_of_spread(text) == ""


def test_a_scorecard_draws_by_a_spread_that_suits_every_range() -> None:
    texts = default_texts()
    texts["scorecard.yml"] = texts["scorecard.yml"].replace("spread: pert", "spread: lognormal")
    (problem,) = check_ruleset(texts)
    assert problem.code == "R037"
    assert "unknown spread 'lognormal'" in str(problem)
