"""Reading scenario tests: a small world of facts, and the scores that it must have.

They are in `scenarios/` below the rules, in the same YAML subset, and are never read as rules.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import Final

from engine.language import keys
from engine.language.checks.codes import check_code
from engine.language.errors import Location, Problem, did_you_mean
from engine.language.load import FEATURES_FILE, SCENARIOS, SCORECARD_FILE
from engine.language.reader import Fields, Reader
from engine.language.rules import WEIGHED_STATES, Feature, ParameterRef, Range, Rule, Scorecard
from engine.language.vocabulary import Vocabulary
from engine.language.yaml_subset import Leaf, Node, parse
from ground.counted import counted
from ground.words import REGIMES

UNKNOWN: Final = "unknown"
REQUIRED: Final = object()
Cell = str | int | bool | Range | tuple[str, ...] | None

# Every key of a fact, with what it is when left out; REQUIRED ones cannot be. A Range default makes a range feature.
FACTS: Final[Mapping[str, Mapping[str, object]]] = {
    "chains": {"mineral": REQUIRED, "stages": REQUIRED},
    "production": {"mineral": REQUIRED, "stage": REQUIRED, "country": REQUIRED, "production_t": REQUIRED, "is_unlisted_total": False},
    "flows": {"mineral": REQUIRED, "stage": REQUIRED, "exporter": REQUIRED, "importer": REQUIRED, "route_t": REQUIRED},
    "measures": {
        "measure_id": REQUIRED, "instrument": REQUIRED, "mineral": REQUIRED, "stage": REQUIRED, "importers": REQUIRED,
        "state": REQUIRED, "scope": "all", "is_named_buyers": False, "clause": "all", "form": "", "coverage_share": Range.exact(1.0),
        "quota_share": None, "listed_share": None, "destination_class": "ordinary", "is_extraterritorial": False,
        "is_enforced": False, "holds_general_licence": False,
    },
    "pledges": {"pledge_id": REQUIRED, "backing": REQUIRED, "kind": REQUIRED, "mineral": REQUIRED, "stage": REQUIRED, "importer": REQUIRED, "coverage": "covered"},
    "capacity": {"mineral": REQUIRED, "stage": REQUIRED, "country": REQUIRED, "horizon_days": REQUIRED, "add_t": REQUIRED},
    "stocks": {"mineral": REQUIRED, "importer": REQUIRED, "stock_known_days": REQUIRED},
    "substitution": {"mineral": REQUIRED, "horizon_days": REQUIRED, "switch_share": REQUIRED},
}  # fmt: skip
RANGES: Final = ("production_t", "route_t", "coverage_share", "quota_share", "listed_share", "add_t", "stock_known_days", "switch_share")  # fmt: skip
ROUTE: Final = ("mineral", "stage", "exporter", "importer")
LISTS: Final = ("stages", "importers")
FACT_KEYS: Final = keys.Keys(tuple(FACTS), frozenset(FACTS) - {"chains", "flows"})


@dataclass(frozen=True)
class Expectation:
    """What one route must come to; None where a field is not asked.

    Attributes:
        score, missing_share: three ends; one number asks for best alone.
        rules: ids that must have a part in the score's points.   flags: ids of flag rules that must be raised.
        tolerance: of scores, in points; of shares a hundredth of it.
    """

    route: tuple[str, str, str, str]
    horizon_days: int
    regime: str
    score: float | Range | None
    missing_share: float | Range | None
    band: str | None
    rules: tuple[str, ...]
    flags: tuple[str, ...]
    tolerance: float
    at: Location

    @property
    def name(self) -> str:
        """The route, horizon and regime in one line."""
        mineral, stage, exporter, importer = self.route
        return f"{mineral} {stage} {exporter} to {importer}, {self.horizon_days} days, {self.regime}"


@dataclass(frozen=True)
class Scenario:
    """One file: a world on one day, and what it must come to."""

    name: str
    title: str
    as_of: date
    curbing_country: str
    facts: Mapping[str, Sequence[Mapping[str, Cell]]]
    expectations: tuple[Expectation, ...]
    file: str

    @property
    def minerals(self) -> set[str]:
        """The minerals of its chains."""
        return {str(row["mineral"]) for row in self.facts["chains"]}


def read_scenarios(
    files: Mapping[str, str],
    features: Mapping[str, Feature],
    scorecard: Scorecard,
    rules: Sequence[Rule],
    vocabulary: Vocabulary | None = None,
) -> tuple[list[Scenario], list[Problem]]:
    """Return every scenario among the files; what cannot be read is left out and listed in the problems."""
    found, problems = [], []
    # A rule that cannot be read has problems of its own; its id is the name of its file.
    no_rules = {FEATURES_FILE, SCORECARD_FILE, *(rule.file for rule in rules)}
    unread = {PurePosixPath(f).stem for f in files if f not in no_rules and not f.startswith(SCENARIOS)}
    ids = {rule.id for rule in rules} | unread
    for file in sorted(name for name in files if name.startswith(SCENARIOS)):
        node, faults = parse(files[file], file)
        reader = Reader(file)
        if node is not None and not faults:
            scenario = _ScenarioReader(reader, features, scorecard, ids, vocabulary).read(node)
            faults = reader.problems
            if scenario is not None and not faults:
                found.append(scenario)
        problems += faults
    return found, problems


class _ScenarioReader:
    """Reads one file; words are checked against the catalogue, the scorecard and the rules."""

    def __init__(
        self,
        reader: Reader,
        features: Mapping[str, Feature],
        scorecard: Scorecard,
        rules: set[str],
        vocabulary: Vocabulary | None,
    ) -> None:
        self.reader, self.features, self.scorecard, self.rules = reader, features, scorecard, rules
        self.vocabulary = vocabulary

    def read(self, node: Node) -> Scenario | None:
        root = self.reader.table(node, "a scenario")
        if root is None:
            return None
        top = self.reader.fields(root, "the scenario", keys.SCENARIO)
        name, stem = top.text("scenario"), self.reader.file.removeprefix(SCENARIOS).removesuffix(".yml")
        if name != stem:
            self.reader.refuse(
                top.at("scenario"),
                "R060",
                f"the scenario '{name}' is in {stem}.yml",
                "give both one name",
            )
        facts = self._facts(top.node("facts"))
        rows = self.reader.rows(top.node("expect"), "expect")
        if not rows and "expect" in top:
            self.reader.refuse(
                top.at("expect"), "R008", "the scenario expects nothing", "list routes with a score"
            )
        wanted = [self._expectation(row) for row in rows]
        day = top.day("as_of")
        if day is None:
            return None
        known = tuple(one for one in wanted if one is not None)
        curbing = top.node("curbing_country")
        country = "CHN" if curbing is None else self._word(curbing, "curbing_country")
        return Scenario(name, top.text("title"), day, country, facts, known, self.reader.file)

    def _facts(self, node: Node | None) -> dict[str, list[dict[str, Cell]]]:
        table = self.reader.table(node, "facts")
        if table is None:
            return {name: [] for name in FACTS}
        fields = self.reader.fields(table, "facts", FACT_KEYS)
        return {name: [row for item in self.reader.rows(fields.node(name), name) if (row := self._fact(name, item)) is not None] for name in FACTS}  # fmt: skip

    def _fact(self, name: str, node: Node) -> dict[str, Cell] | None:
        what = f"a row of {name}"
        table = self.reader.table(node, what)
        if table is None:
            return None
        columns = FACTS[name]
        optional = frozenset(key for key, default in columns.items() if default is not REQUIRED)
        fields = self.reader.fields(table, what, keys.Keys(tuple(columns), optional))
        # In the facts, word_roles decides which scopes list buyers; a scenario has no such facts and no silent default.
        if "scope" in fields and "is_named_buyers" not in fields:
            self.reader.refuse(
                fields.at("scope"),
                "R008",
                f"{what} has a scope and does not say whether it lists buyers",
                "add is_named_buyers: true, or false",
            )
        return {key: self._cell(fields, key, default) for key, default in columns.items()}

    def _cell(self, fields: Fields, key: str, default: object) -> Cell:
        node = fields.node(key)
        if node is None:
            return None if default is REQUIRED else default  # type: ignore[return-value]
        if key in RANGES:
            return self._range(node, key)
        if key in LISTS:
            return tuple(self._word(item, key.removesuffix("s")) for item in self.reader.rows(node, key))
        if key == "horizon_days":
            return fields.whole(key)
        if isinstance(default, bool):
            return fields.truth(key)
        return self._word(node, key)

    def _range(self, node: Node, what: str) -> Range | None:
        if isinstance(node, Leaf) and node.value == UNKNOWN:
            return None
        value = self.reader.value(node, what)
        if isinstance(value, ParameterRef):
            self.reader.refuse(node.at, "R009", f"{what} is a parameter", "write the number")
            return None
        return value

    def _word(self, node: Node, key: str) -> str:
        word = self.reader.leaf(node, str, key) or ""
        feature = self.features.get(key)
        known = (
            WEIGHED_STATES
            if key == "state"
            else feature.values
            if feature and feature.type == "category"
            else ()
        )
        if word and known and word not in known:
            hint = did_you_mean(word, [str(value) for value in known])
            self.reader.refuse(node.at, "R011", f"unknown {key} '{word}'", hint)
        elif word:
            self.reader.problems += check_code(key, word, node.at, self.vocabulary, takes_bloc=False)
        return word

    def _expectation(self, node: Node) -> Expectation | None:
        body = self.reader.table(node, "an expectation")
        if body is None:
            return None
        fields = self.reader.fields(body, "an expectation", keys.EXPECTATION)
        parts = self.reader.rows(fields.node("route"), "route")
        words = [self._word(item, key) for item, key in zip(parts, ROUTE, strict=False)]
        if len(parts) != len(ROUTE):
            if "route" in fields:
                self.reader.refuse(
                    fields.at("route"),
                    "R009",
                    f"the route has {counted(len(parts), 'part')}",
                    "write [mineral, stage, exporter, importer]",
                )
            return None
        if not set(keys.ASKED) & set(fields.found):
            self.reader.refuse(
                body.at, "R008", "the expectation asks for nothing", f"add one of {', '.join(keys.ASKED)}"
            )
        horizon = fields.whole("horizon_days")
        if "horizon_days" in fields and horizon not in self.scorecard.horizons:
            self.reader.refuse(
                fields.at("horizon_days"),
                "R011",
                f"unknown horizon_days '{horizon}'",
                did_you_mean(str(horizon), [str(h) for h in self.scorecard.horizons]),
            )
        mineral, stage, exporter, importer = words
        return Expectation(
            (mineral, stage, exporter, importer),
            horizon,
            fields.choice("regime", REGIMES, "R011"),
            self._ends(fields, "score"),
            self._ends(fields, "missing_share"),
            fields.choice("band", [band.name for band in self.scorecard.bands], "R011") or None,
            self._ids(fields, "rules"),
            self._ids(fields, "flags"),
            self.reader.number(fields.node("tolerance"), "tolerance") or 0.05,
            body.at,
        )  # fmt: skip

    def _ends(self, fields: Fields, name: str) -> float | Range | None:
        node = fields.node(name)
        if node is None:
            return None
        return self.reader.number(node, name) if isinstance(node, Leaf) else self._range(node, name)

    def _ids(self, fields: Fields, name: str) -> tuple[str, ...]:
        found = []
        for item in self.reader.rows(fields.node(name), name):
            word = self.reader.leaf(item, str, name) or ""
            if word and word not in self.rules:
                self.reader.refuse(
                    item.at, "R010", f"unknown rule '{word}'", did_you_mean(word, sorted(self.rules))
                )
            found.append(word)
        return tuple(found)
