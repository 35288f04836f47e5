"""Rules against what they were: in another folder, in a published file, or at a git revision."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engine.language.checks.versions import Earlier, check_rules_since, check_versions
from engine.language.errors import Problem, RuleSyntaxError
from engine.language.rules import RuleSet
from engine.language.ruleset import read_ruleset
from jobs.errors import SettingsError
from jobs.rules.git import rule_files_at
from jobs.rules.rulebook import read_rule_files


def problems_since(ruleset: RuleSet, against: str, folder: Path) -> list[Problem]:
    """Return problems of rules that follow those of another folder, a published file, or a git revision.

    A published file keeps its rules, but not its scorecard.

    Raises:
        SettingsError: there is nothing of the kind, or the earlier rules cannot be read.
    """
    path = Path(against)
    if path.is_file():
        return check_rules_since(ruleset, published_rules(path))
    then = read_rule_files(path) if path.is_dir() else rule_files_at(against, folder)
    try:
        return check_versions(ruleset, read_ruleset(then))
    except RuleSyntaxError as problem:
        raise SettingsError(
            f"The rules of {against} cannot be read, so nothing can be compared with them:\n{problem}"
        ) from problem


def published_rules(path: Path) -> dict[str, Earlier]:
    """Return the rules of a published file by id.

    Raises:
        SettingsError: it was published before rules kept their fingerprints.
    """
    from warehouse.database import Database  # a check without --against opens no database

    with Database.open(path, read_only=True) as reader:
        rows = reader.query("SELECT * FROM meta.rule ORDER BY rule_id").to_dicts()
    if rows and "fingerprint" not in rows[0]:
        raise SettingsError(
            f"{path}: this file keeps no fingerprints of its rules, so a changed value could not be seen. Publish again, or "
            "name a folder of rules or a git revision after --against."
        )
    return {
        row["rule_id"]: Earlier(row["version"], row["sets"], row["status"], read(row["fingerprint"]))
        for row in rows
    }


def written(fingerprint: Mapping[str, str]) -> str:
    """Return a rule's fingerprint as `meta.rule` keeps it."""
    return " ".join(f"{part}:{digest}" for part, digest in sorted(fingerprint.items()))


def read(fingerprint: str) -> dict[str, str]:
    """Return a rule's fingerprint out of `meta.rule`."""
    return dict(part.split(":", 1) for part in fingerprint.split())
