"""docs/rule-format.md names every key, shape, factor, format and word that the reader of the rules knows."""

import re
from pathlib import Path

import pytest

from engine.language import keys
from engine.language.catalogue import SOURCES, TYPES, UNITS
from engine.language.load import NOT_APPLICABLE, UNKNOWN
from engine.language.rules import COMBINES, STATUSES, WEIGHED_STATES
from engine.language.scenarios import FACTS
from engine.language.sentence import FORMATS
from ground.words import REGIMES
from tests.engine.rulebook import default_ruleset

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "rule-format.md").read_text(encoding="utf-8")
# Words in code: whatever stands in a block or between backticks.
CODE = " ".join(re.findall(r"```.*?```|`[^`\n]+`", TEXT, flags=re.DOTALL))
NAMED = set(re.findall(r"[a-z_]+", CODE))
ALL_KEYS = {name: value for name, value in vars(keys).items() if isinstance(value, keys.Keys)}
WORDS = {
    **{f"keys of {name}": value.order for name, value in ALL_KEYS.items()},
    "words in place of a value": (NOT_APPLICABLE, UNKNOWN),
    "words of a life cycle": STATUSES,
    "shapes": keys.SHAPES,
    "ways to combine": COMBINES,
    "factors": tuple(default_ruleset().scorecard.factors),
    "formats": FORMATS,
    "units": tuple(unit for unit in UNITS if unit),
    "types of features": TYPES,
    "sources of features": SOURCES,
    "facts of a scenario": (*FACTS, *(key for keys in FACTS.values() for key in keys)),
    "states and regimes": (*WEIGHED_STATES, *REGIMES),
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
    assert rows == set(keys.RULE.order)
