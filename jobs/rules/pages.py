"""A page per rule in plain words, made from the rule itself. Equal rules give equal bytes: no page knows today."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from engine.language.branches import branches, reached
from engine.language.describe import COMBINED, condition_words, range_words, score_words
from engine.language.rules import Rule, RuleSet
from engine.language.ruleset import scenarios_of
from engine.language.scenarios import Scenario
from ground.counted import counted
from ground.markdown import wrapped
from jobs.errors import PublishError
from jobs.rules.rulebook import Rulebook

INDEX = "README.md"
MADE = "<!-- Made by `make dictionary` from the rule files; do not edit by hand. -->"


def rule_pages(rulebook: Rulebook) -> dict[str, str]:
    """Pages by file name: the index, and one per rule."""
    ruleset = rulebook.ruleset
    scenarios = scenarios_of(rulebook.texts, ruleset)
    found = {f"{rule.id}.md": _page(ruleset, rule, scenarios) for rule in ruleset.rules}
    return {INDEX: _index(ruleset), **found}


def write_pages(rulebook: Rulebook, folder: Path) -> int:
    """Write the pages, remove those of rules that are gone, and count those that are there.

    Raises:
        PublishError: the folder cannot be written.
    """
    pages = rule_pages(rulebook)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.md"):
            if old.name not in pages and MADE in old.read_text(encoding="utf-8"):
                old.unlink()
        for name, text in pages.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as problem:
        raise PublishError(
            f"{folder}: the pages cannot be written ({problem.strerror}); name another folder."
        ) from problem
    return len(pages)


def _index(ruleset: RuleSet) -> str:
    lines = [MADE, "# The rules", ""]
    lines.append(
        "What each factor is for and how rules combine is described in the [rule format](../rule-format.md)."
    )
    for factor in ruleset.scorecard.factors.values():
        own = [rule for rule in ruleset.rules if rule.sets == factor.name]
        if own:
            lines += ["", f"## {factor.name}", "", f"In {factor.unit}; {COMBINED[factor.combine]}.", ""]
            lines += ["| rule | what it says | version | from |", "|---|---|---|---|"]
            own.sort(key=lambda rule: (rule.priority, rule.id) if factor.combine == "first" else (0, rule.id))
            lines += [
                f"| [{rule.id}]({rule.id}.md) | {_cell(rule.title)} | {rule.version}, {rule.status} | {rule.effective_from} |"
                for rule in own
            ]
    return wrapped("\n".join(lines) + "\n")


def _page(ruleset: RuleSet, rule: Rule, scenarios: list[Scenario]) -> str:
    on = _last_change(rule)
    factor = ruleset.scorecard.factors[rule.sets]
    until = f" until {rule.effective_to}, the day after the last" if rule.effective_to else ""
    asked = f" Priority {rule.priority}." if factor.combine == "first" else ""
    lines = [
        MADE,
        f"# {rule.id}",
        "",
        f"**{rule.title}.** Version {rule.version}, {rule.status}, owner {rule.owner}; from {rule.effective_from}{until}.",
        f"Sets [{rule.sets}](README.md#{rule.sets}), in {factor.unit}; {COMBINED[factor.combine]}.{asked}",
        "",
        " ".join(rule.rationale.split()),
        "",
        "## Selects",
        "",
    ]
    lines += [
        f"- {condition_words(rule, condition, ruleset.features[condition.feature], on)}"
        for condition in rule.conditions
    ] or ["Every row."]
    lines += ["", f"## Gives, from {on} on", "", "```", *score_words(ruleset, rule, factor.unit, on), "```"]
    if rule.parameters:
        lines += ["", "## Parameters", "", "| parameter | from | value | reference |", "|---|---|---|---|"]
        lines += [
            f"| {parameter.name} | {value.start} | {range_words(value.value, parameter.unit)} | {value.reference} |"
            for parameter in rule.parameters.values()
            for value in parameter.values
        ]
    lines += ["", "## Says", "", f"> {rule.explain}", "", "## References", ""]
    for reference in rule.references.values():
        link = f" <{reference.url}>" if reference.url else ""
        lines.append(
            f"- **{reference.key}**: {reference.title}, {reference.dated}, checked {reference.checked}{link}"
        )
    hit = {reached(rule, example, ruleset.features) for example in rule.examples}
    known = branches(rule)
    lines += [
        "",
        "## Tests",
        "",
        f"{len(hit & set(known))} of {counted(len(known), 'branch', 'branches')} {'is' if len(known) == 1 else 'are'} reached.",
        "",
    ]
    lines += ["| test | on | given | expected |", "|---|---|---|---|"]
    for example in rule.examples:
        given = ", ".join(f"{name} {_given(value)}" for name, value in example.given.items())
        expected = "not applicable" if example.expect is None else range_words(example.expect, factor.unit)
        lines.append(f"| {_cell(example.name)} | {example.on} | {_cell(given)} | {expected} |")
    for scenario in scenarios:
        if any(rule.id in want.rules or rule.id in want.flags for want in scenario.expectations):
            lines += ["", f"Scenario `{scenario.name}`: {scenario.title}."]
    return wrapped("\n".join(lines) + "\n")


def _last_change(rule: Rule) -> date:
    """Return the day from which the rule gives what it gives last."""
    starts = [value.start for parameter in rule.parameters.values() for value in parameter.values]
    return max([rule.effective_from, *starts])


def _given(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_given(end) for end in value)}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
