"""Where the facts and rules that come with Curbline lie, in a wheel and in a checkout."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

from jobs.errors import InputError

EMBEDDED = "embedded"  # the word that stands for them in settings and options


def _package_dir(package: str) -> Path:
    """Return the folder of an installed package (wheels of Curbline are always unpacked)."""
    return Path(str(files(package)))


def default_facts_dir() -> Path:
    """Return the embedded facts bundle.

    Raises:
        InputError: The installation is incomplete.
    """
    found = _package_dir("warehouse") / "facts"
    if not (found / "bundle.toml").is_file():
        raise InputError(
            f"{found}: the embedded facts bundle is missing. Install Curbline again, or name one with --facts."
        )
    return found


def default_rules_dir() -> Path:
    """Return the default rules: below this package in a wheel, at the top level in a checkout.

    Raises:
        InputError: The installation is incomplete.
    """
    package = _package_dir("jobs")
    candidates = (package / "data" / "rules", package.parent / "rules")
    for candidate in candidates:
        if (candidate / "scorecard.yml").is_file():
            return candidate
    raise InputError(
        f"{candidates[0]}: the default rules are missing. Install Curbline again, or name a folder with --rules."
    )


def default_scenarios_dir() -> Path:
    """Return the folder of the scenarios that come with Curbline."""
    return _package_dir("jobs") / "data" / "scenarios"


def default_demo_dir() -> Path:
    """Return the folder of the fictional company that comes with Curbline."""
    return _package_dir("jobs") / "data" / "demo"


def default_entities_file() -> Path:
    """Return the named entities that come with Curbline."""
    return _package_dir("jobs") / "data" / "entities.csv"


#: Files to start from, by the word that `curbline facts template` knows them by.
TEMPLATES = {"notice": "notice.yml", "mapping": "mapping.toml", "feeds": "feeds.toml"}


def facts_template(name: str = "notice") -> str:
    """Return a file to start from: one of TEMPLATES."""
    return (_package_dir("jobs") / "data" / TEMPLATES[name]).read_text(encoding="utf-8")


def feeds_file() -> Path:
    """Return the feeds that are declared with Curbline."""
    return _package_dir("jobs") / "data" / "feeds.toml"


def package_version() -> str:
    """Return the version of the installed distribution, `0+unknown` where it runs without one."""
    try:
        return version("curbline")
    except PackageNotFoundError:
        return "0+unknown"
