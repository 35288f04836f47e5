"""Defects planted into the real rule files: each is caught with its code, at its line."""

import pytest

from engine.language.examples import run_examples
from engine.language.ruleset import check_ruleset, load_ruleset
from tests.engine.rulebook import default_texts

LICENCE = "withholding/dual-use-licence.yml"
QUOTA = "withholding/quota.yml"
ROUND = "withholding/reroute-before-enforcement.yml"
PLEDGE = "mitigation/pledge-enacted.yml"
STOCK = "stocks/stock-cover.yml"
SHIFTED = "flags/trade-already-shifted.yml"
HUB = "flags/entrepot.yml"
YEAR = "substitution/substitution-one-year.yml"
NEAR = "alternatives/alternatives-near.yml"
MILITARY = "withholding/military-end-user-ban.yml"
# File, what stands there, what is written instead, the code, and a piece of the line that it is found at; without
# one it is the first line that differs.
DEFECTS = [
    (LICENCE, "applies_when:\n  instrument", "applies_when:\n\tinstrument", "R001", ""),
    (LICENCE, "parameters:\n", "parameters\n", "R001", "  delayed_at_three_months:"),
    (QUOTA, "given: {instrument: quota, quota_share: 0.6}", "given: {instrument: quota, quota_share: 0.6", "R001", "    expect: [0.4, 0.4, 0.4]"),
    (QUOTA, "unknown}\n", "unknown}\u200e\n", "R001", ""),
    (PLEDGE, '"Pledge {pledge_id}', '"Pledge\\u202e {pledge_id}', "R001", ""),
    (ROUND, "value: $gone_round", "value: *gone_round", "R002", ""),
    (YEAR, "effective: {from: 2020-12-01}", "effective: !date {from: 2020-12-01}", "R002", ""),
    (HUB, "applies_when: {is_entrepot: true}", "applies_when: {<<: {is_entrepot: true}}", "R002", ""),
    (HUB, "value: 1\n", "value: " + "[" * 30 + "1" + "]" * 30 + "\n", "R003", ""),
    (STOCK, "sets: stock_days", "sets: stock_days\nsets: substitution", "R004", "sets: substitution"),
    (LICENCE, "is_small_lane: false\nscore", "instrument: export_ban\nscore", "R004", "  instrument: export_ban"),
    (HUB, "{is_entrepot: true}\nscore", "{is_entrepot: yes}\nscore", "R005", ""),
    (QUOTA, "value: [0, 0.1, 0.3]", "value: [0, .1, 0.3]", "R005", ""),
    (STOCK, "{0: 0, 1825: 1825}", "{0: 0, 1825: 1_825}", "R005", ""),
    (MILITARY, "expect: [0.1, 0.1, 0.1]", "expect: 10%", "R005", ""),
    (YEAR, "as_of: 2025-06-01", "as_of: 2025-06-31", "R006", ""),
    (PLEDGE, "rationale: >", "rational: >", "R007", ""),
    (SHIFTED, "if_unknown: 0", "if_unkown: 0", "R007", ""),
    (QUOTA, "  shape: linear\n", "  shape: linear\n  cases: {0: 1}\n", "R007", ""),
    (LICENCE, "version: 2\n", "", "R008", "id: dual-use-licence"),
    (NEAR, "applies_when: {horizon_days: [90, 365]}", "applies_when: {horizon_days: []}", "R008", ""),
    (ROUND, "- {from: 2020-12-01, value", "- {value", "R008", ""),
    (LICENCE, "status: active", "status: actve", "R009", ""),
    (PLEDGE, "value: [0.7, 0.85, 1], reference", "value: [0.7, 0.85], reference", "R009", ""),
    (HUB, "effective: {from: 2020-12-01}", "effective: {from: December 2020}", "R009", ""),
    (STOCK, "shape: linear", "shape: lookup", "R008", "  on: stock_known_days"),
    (QUOTA, "on: quota_share", "on: quota_shares", "R010", ""),
    (PLEDGE, "  backing: enacted\n", "  backng: enacted\n", "R010", ""),
    (MILITARY, "listed_share: 0.1}", "listed_share: 0.1, listed: true}", "R010", ""),
    (LICENCE, "  destination_class: ordinary", "  destination_class: ordinery", "R011", ""),
    (PLEDGE, "given: {backing: announced", "given: {backing: anounced", "R011", ""),
    (LICENCE, "365: $refused_at", "360: $refused_at", "R011", ""),
    (QUOTA, "applies_when: {instrument: quota}", "applies_when: {instrument: quota, quota_share: {below: 1}}", "R012", ""),
    (LICENCE, "on: horizon_days", "on: switch_share", "R013", ""),
    (STOCK, "sets: stock_days", "sets: stock_day", "R014", ""),
    (PLEDGE, "value: [0.7, 0.85, 1], reference", "value: [0.7, 0.85, 85], reference", "R015", ""),
    (LICENCE, "  delayed_at_three_months:\n    unit: share", "  delayed_at_three_months:\n    unit: days", "R015", "cases: {90"),
    (ROUND, "reference: detour-tonnes", "reference: detour-tons", "R021", ""),
    (ROUND, "- {from: 2020-12-01, value", "- {from: 2022-12-01, value", "R022", ""),
    (LICENCE, "90: $delayed_at_three_months", "90: [0.5, 0.75, 1.0]", "R023", "    unit: share"),
    (PLEDGE, "value: $credit", "value: $credits", "R024", ""),
    (ROUND, "effective: {from: 2020-12-01}", "effective: {from: 2020-12-01, to: 2020-11-01}", "R025", ""),
    (SHIFTED, "{from: 0, value: 1}", "{from: 0.5, value: 1}", "R030", "    - {from: 0.5, value: 0}"),
    (LICENCE, ", 1825: $refused_at_twelve_months}", "}", "R031", "  on: horizon_days"),
    (QUOTA, "points: {0: 1, 1: 0}", "points: {0: 1, 0.5: 0.2, 1: 0.4}", "R032", "  on: quota_share"),
    (QUOTA, "value: [0, 0.1, 0.3]", "value: [0.3, 0.1, 0]", "R033", ""),
    (MILITARY, "if_unknown: $where_unknown\n", "", "R034", "  on: listed_share"),
    (HUB, "explain:", "if_unknown: 0.5\nexplain:", "R034", ""),
    (LICENCE, "is_small_lane: false\nscore", "is_small_lane: false\n  horizon_days: [90, 365]\nscore", "R035", "cases: {90"),
    (PLEDGE, "kind: [licence_liberalisation, no_export_ban_or_quota]", "kind: [licence_liberalisation, licence_liberalisation]", "R036", ""),
    (YEAR, "{mineral}", "{minerals}", "R040", "explain:"),
    (YEAR, "{substitution:percent}", "{substitution:per_cent}", "R041", "explain:"),
    (STOCK, "{stock_days:days}", "{stock_days:percent}", "R041", "explain:"),
    (NEAR, "{mineral}", "{mineral", "R042", "explain:"),
    (STOCK, "    given: {stock_known_days: 0}", "    given: {stock_known_days: 2}", "R050", "  - name: known"),
    (LICENCE, "  - name: 1825 days", "  - name: 365 days", "R052", ""),
    (MILITARY, "given: {instrument: entity_ban, listed_share: 0.1}", "given: {listed_share: 0.1}", "R052", "  - name: listed firms are"),
    (PLEDGE, "id: pledge-enacted", "id: pledge-asserted", "R060", ""),
    (LICENCE, "expect: [0.1, 0.35, 0.6]", "expect: [0.1, 0.35, 0.7]", "R080", "  - name: 365 days"),
    (QUOTA, "points: {0: 1, 1: 0}", "points: {0: 1, 1: 0.1}", "R080", "  - name: a quota of 60 %"),
]  # fmt: skip


def line_of(text: str, before: str, piece: str) -> int:
    if piece:
        return text[: text.index(piece)].count("\n") + 1
    pairs = zip(text.split("\n"), before.split("\n"), strict=False)
    return next(number for number, (now, then) in enumerate(pairs, start=1) if now != then)


@pytest.mark.parametrize(("file", "old", "new", "code", "piece"), DEFECTS)
def test_a_planted_defect_is_caught_at_its_line(file: str, old: str, new: str, code: str, piece: str) -> None:
    texts = dict(default_texts())
    before = texts[file]
    assert old in before
    texts[file] = before.replace(old, new, 1)
    problems = check_ruleset(texts) or run_examples(load_ruleset(texts)).problems
    found = [(p.code, p.location.line) for p in problems if p.location.file == file]
    assert (code, line_of(texts[file], before, piece)) in found, [str(p) for p in problems]


def test_there_are_forty_and_more_over_most_codes() -> None:
    assert len(DEFECTS) >= 40
    assert len({code for _, _, _, code, _ in DEFECTS}) >= 34
