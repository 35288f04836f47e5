"""docs/rules says what the rules say, and changes with them alone."""

from pathlib import Path

import pytest

from jobs.rules.pages import INDEX, rule_pages, write_pages
from jobs.rules.rulebook import load_rulebook
from tests.engine.rulebook import RULES, default_ruleset

PAGES = RULES.parent / "docs" / "rules"


def test_the_pages_are_those_of_the_rules() -> None:
    made = rule_pages(load_rulebook(RULES))
    written = {path.name: path.read_text(encoding="utf-8") for path in PAGES.glob("*")}
    assert sorted(written) == sorted(made), "run `make dictionary`"
    for name, text in made.items():
        assert written[name] == text, f"docs/rules/{name} is out of step; run `make dictionary`"


def test_a_page_holds_values_history_references_and_tests() -> None:
    text = rule_pages(load_rulebook(RULES))["dual-use-licence.md"]
    for part in (
        "- destination_class is ordinary",
        "365: 35 % (10 to 60) ($refused_at_twelve_months)",
        "| refused_at_twelve_months | 2020-12-01 | 35 % (10 to 60) | graphite-months |",
        "**graphite-months**: Curbline, from UN Comtrade",
        "| a ban is another rule's | 2025-06-01 |",
        "Scenario `pledge-softens`",
    ):
        assert part in text


def test_every_rule_is_in_the_index_and_pages_of_rules_that_are_gone_go(tmp_path: Path) -> None:
    rulebook = load_rulebook(RULES)
    assert write_pages(rulebook, tmp_path) == len(default_ruleset().rules) + 1
    index = (tmp_path / INDEX).read_text(encoding="utf-8")
    assert all(f"[{rule.id}]({rule.id}.md)" in index for rule in default_ruleset().rules)
    (tmp_path / "gone.md").write_text(index, encoding="utf-8")
    (tmp_path / "mine.md").write_text("my own page", encoding="utf-8")
    write_pages(rulebook, tmp_path)
    assert not (tmp_path / "gone.md").exists()
    assert (tmp_path / "mine.md").exists()


def test_no_page_knows_today(monkeypatch: pytest.MonkeyPatch) -> None:
    first = rule_pages(load_rulebook(RULES))
    monkeypatch.setattr("jobs.commands.options.now", lambda: pytest.fail("the clock was read"))
    assert rule_pages(load_rulebook(RULES)) == first
