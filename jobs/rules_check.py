"""Checks that need more than the rule files: the day, and the rules as they were."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from engine import Problem, load_ruleset
from engine.check_age import check_age
from engine.check_versions import Earlier, check_rules_since, check_versions
from jobs.errors import SettingsError
from jobs.rulebook import load_rulebook
from warehouse.database import Database


def age_problems(texts: Mapping[str, str], on: date, longest_days: int) -> list[Problem]:
    """Warnings for references that nobody has looked at for too long."""
    return check_age(load_ruleset(texts), on, longest_days)


def problems_since(texts: Mapping[str, str], against: Path) -> list[Problem]:
    """Problems of rules that follow on those of a folder, or of a published file.

    A published file keeps ids, versions and factors of its rules, but not their values: there a change without a
    new version cannot be seen.

    Raises:
        SettingsError: there is nothing of the kind, or the earlier rules are refused.
    """
    ruleset = load_ruleset(texts)
    if against.is_dir():
        return check_versions(ruleset, load_rulebook(against).ruleset)
    if not against.is_file():
        raise SettingsError(
            f"{against}: there is no such folder or file; name a folder of rules or a published file after --against."
        )
    with Database.open(against, read_only=True) as reader:
        rows = reader.query("SELECT rule_id, version, sets FROM meta.rule ORDER BY rule_id").rows()
    return check_rules_since(ruleset, {name: Earlier(version, sets, "") for name, version, sets in rows})
