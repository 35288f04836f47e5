"""The keys of rule files, written once: reading, layout, JSON Schemas and the documentation go by them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Keys:
    """The keys of one mapping in the order in which they are laid out, and those of them that may be left out."""

    order: tuple[str, ...]
    optional: frozenset[str] = frozenset()

    @property
    def required(self) -> tuple[str, ...]:
        """Those that must be there."""
        return tuple(key for key in self.order if key not in self.optional)


def _keys(*words: str) -> Keys:
    """Return keys in their order; one that may be left out ends with a question mark."""
    order = tuple(word.removesuffix("?") for word in words)
    return Keys(order, frozenset(key for key, word in zip(order, words, strict=True) if word != key))


# A rule.
RULE: Final = _keys(
    *("id", "title", "status", "version", "owner", "rationale", "references", "effective", "parameters?"),
    *("sets", "priority?", "applies_when?", "score", "if_unknown?", "spread?", "explain", "tests"),
)
REFERENCE: Final = _keys("title", "published?", "computed?", "url?", "checked")
PARAMETER: Final = _keys("unit", "values")
DATED_VALUE: Final = _keys("from", "value", "reference")
EFFECTIVE: Final = _keys("from", "to?")
STRETCH: Final = _keys("at_least?", "below?")
#: The key under which each shape has its points.
POINTS: Final[Mapping[str, str]] = {"lookup": "cases", "bands": "bands", "linear": "points"}
SHAPES: Final = tuple(POINTS)
SCORE: Final = _keys("value?", "on?", "shape?", *(f"{key}?" for key in POINTS.values()))
STEP: Final = _keys("from", "value")
TEST: Final = _keys("name", "as_of", "given", "expect")

# The scorecard: that of another method has no keys of curb scores.
CURB_KEYS: Final = ("horizons", "bands", "spread", "regimes")
CURB_SCORECARD: Final = _keys("version", *CURB_KEYS, "factors", "references", "parameters")
METHOD_SCORECARD: Final = _keys("version", "method", "factors", "references", "parameters")
SCORECARD: Final = _keys(
    "version", "method?", *(f"{key}?" for key in CURB_KEYS), "factors", "references", "parameters"
)
BAND: Final = _keys("name", "from")
FACTOR: Final = _keys("grain", "pass", "combine", "unit", "of?", "by?")

# The catalogue of features.
CATALOGUE: Final = _keys("version", "features")
FEATURE: Final = _keys("meaning", "type", "unit?", "values?", "grain", "from", "pass", "known", "range")

# A scenario; the keys of its facts are in engine.language.scenarios, with their defaults.
SCENARIO: Final = _keys("scenario", "title", "as_of", "curbing_country?", "facts", "expect")
ASKED: Final = ("score", "missing_share", "band", "rules", "flags")
EXPECTATION: Final = _keys("route", "horizon_days", "regime", *(f"{key}?" for key in ASKED), "tolerance?")
