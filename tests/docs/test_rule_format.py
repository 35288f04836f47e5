"""docs/rule-format.md names every key, shape, factor, format and word that the reader of the rules knows."""

import re
from pathlib import Path

import pytest

from engine.language.catalogue import TYPES, UNITS
from engine.language.load import OPTIONAL_KEYS, RULE_KEYS
from engine.language.rules import COMBINES, SHAPES, STATUSES
from engine.language.scenarios import EXPECTED, FACTS, STATES
from engine.language.sentence import FORMATS
from ground.words import REGIMES
from tests.engine.rulebook import default_ruleset

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "rule-format.md").read_text(encoding="utf-8")
# Words in code: whatever stands in a block or between backticks.
CODE = " ".join(re.findall(r"```.*?```|`[^`\n]+`", TEXT, flags=re.DOTALL))
NAMED = set(re.findall(r"[a-z_]+", CODE))
NESTED = ("title", "url", "published", "computed", "checked", "from", "to", "unit", "values", "value", "reference", "on", "shape", "cases", "bands", "points", "name", "as_of", "given", "expect", "at_least", "below", "not_applicable", "unknown")  # fmt: skip
FEATURE = ("meaning", "type", "grain", "known", "range", "warehouse", "engine", "pass")
WORDS = {
    "keys of a rule": (*RULE_KEYS, *OPTIONAL_KEYS),
    "keys within keys": NESTED,
    "words of a life cycle": STATUSES,
    "shapes": SHAPES,
    "ways to combine": COMBINES,
    "factors": tuple(default_ruleset().scorecard.factors),
    "formats": FORMATS,
    "units": tuple(unit for unit in UNITS if unit),
    "types of features": TYPES,
    "keys of a feature": FEATURE,
    "facts of a scenario": (*FACTS, *(key for keys in FACTS.values() for key in keys)),
    "keys of a scenario": ("scenario", "curbing_country", "facts", "tolerance", *EXPECTED),
    "states and regimes": (*STATES, *REGIMES),
}


@pytest.mark.parametrize("group", WORDS)
def test_the_page_names_all(group: str) -> None:
    assert sorted(set(WORDS[group]) - NAMED) == []


def test_every_key_of_a_rule_has_its_row() -> None:
    rows = set(
        re.findall(
            r"^\| `([a-z_]+)` \|", TEXT.split("### Every key")[1].split("### Values")[0], flags=re.MULTILINE
        )
    )
    assert rows == {*RULE_KEYS, *OPTIONAL_KEYS}
