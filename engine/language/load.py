"""From rule texts to models: every key read, every problem kept."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from engine.language import keys
from engine.language.catalogue import read_features
from engine.language.errors import Location, Problem
from engine.language.reader import Fields, Reader
from engine.language.rules import (
    COMBINES,
    DEFAULT_SPREADS,
    SPREADS,
    STATUSES,
    Band,
    Category,
    Condition,
    DatedValue,
    Example,
    Factor,
    Feature,
    Parameter,
    ParameterRef,
    Range,
    Reference,
    Rule,
    Score,
    Scorecard,
    Value,
)
from engine.language.yaml_subset import Leaf, Node, Sequence, parse
from engine.language.yaml_subset import Mapping as Table
from ground.counted import counted
from ground.words import HORIZONS, MAIN_HORIZON

FEATURES_FILE: Final = "features.yml"
SCORECARD_FILE: Final = "scorecard.yml"
SCENARIOS: Final = "scenarios/"  # tests of the rules together, not rules
NOT_APPLICABLE: Final = "not_applicable"
UNKNOWN: Final = "unknown"
Point = tuple[Category, Value, Location]


def read_texts(
    files: Mapping[str, str],
) -> tuple[dict[str, Feature], Scorecard | None, list[Rule], list[Problem]]:
    """Read all texts; what cannot be read is left out and listed in the problems."""
    problems: list[Problem] = []
    nodes: dict[str, Node] = {}
    rules = []
    for file in sorted(name for name in files if not name.startswith(SCENARIOS)):
        if file in (FEATURES_FILE, SCORECARD_FILE):
            node, found = parse(files[file], file)
            if node is not None and not found:
                nodes[file] = node
        else:
            rule, found = read_rule(files[file], file)
            rules += [rule] if rule is not None else []
        problems += found
    for needed in (FEATURES_FILE, SCORECARD_FILE):
        if needed not in files:
            problems.append(Problem(Location(needed), "R008", f"the rules have no {needed}", "add the file"))
    features: dict[str, Feature] = {}
    if FEATURES_FILE in nodes:
        features, found = read_features(nodes[FEATURES_FILE], FEATURES_FILE)
        problems += found
    scorecard = None
    if SCORECARD_FILE in nodes:
        reader = Reader(SCORECARD_FILE)
        scorecard = _scorecard(reader, nodes[SCORECARD_FILE])
        problems += reader.problems
    return features, scorecard, rules, problems


def read_rule(text: str, file: str) -> tuple[Rule | None, list[Problem]]:
    """Return one rule, None where it cannot be read, and what is wrong with it so far."""
    node, problems = parse(text, file)
    if node is None or problems:
        return None, problems
    reader = Reader(file)
    return _rule(reader, node), reader.problems


def _scorecard(reader: Reader, node: Node) -> Scorecard | None:
    root = reader.table(node, "the scorecard")
    if root is None:
        return None
    is_method = any(key.value == "method" for key, _ in root.items)
    wanted = keys.METHOD_SCORECARD if is_method else keys.CURB_SCORECARD
    top = reader.fields(root, "the scorecard", wanted)
    bands = []
    for row in reader.rows(top.node("bands"), "bands"):
        body = reader.table(row, "a band")
        if body:
            fields = reader.fields(body, "a band", keys.BAND)
            bands.append(Band(fields.text("name"), float(reader.number(fields.node("from"), "from") or 0.0)))
    for lower, upper in pairwise(bands):
        if lower.start >= upper.start:
            reader.refuse(
                top.at("bands"),
                "R030",
                f"the band '{upper.name}' does not start above '{lower.name}'",
                "list bands from low to high",
            )
    regimes: dict[str, dict[str, Value]] = {}
    for key, states in _entries(reader, top.node("regimes"), "regimes"):
        weights = {
            state: reader.value(value, f"the weight of '{state}'")
            for state, value in _entries(reader, states, key)
        }
        regimes[key] = {state: value for state, value in weights.items() if value is not None}
    factors = {}
    for key, factor in _entries(reader, top.node("factors"), "factors"):
        body = reader.table(factor, f"factor '{key}'")
        if body:
            fields = reader.fields(body, f"factor '{key}'", keys.FACTOR)
            factors[key] = Factor(
                key,
                fields.text("grain"),
                fields.whole("pass"),
                fields.choice("combine", COMBINES),
                fields.text("unit"),
                _names(reader, fields.node("of"), "of"),
                _names(reader, fields.node("by"), "by"),
            )
    return Scorecard(
        top.whole("version"),
        top.text("method"),
        _horizons(reader, top.node("horizons")),
        tuple(bands),
        regimes,
        top.choice("spread", DEFAULT_SPREADS, "R037"),
        factors,
        _references(reader, top.node("references")),
        _parameters(reader, top.node("parameters")),
        SCORECARD_FILE,
        {key: value.at for key, value in top.found.items()},
    )


def _horizons(reader: Reader, node: Node | None) -> tuple[int, ...]:
    """Read the days ahead, from short to long; only those for which facts hold values can be scored."""
    found: list[int] = []
    shown = ", ".join(str(days) for days in HORIZONS)
    for item in reader.rows(node, "horizons"):
        days = reader.leaf(item, int, "a horizon")
        if days is not None and days not in HORIZONS:
            hint = f"facts say what can be added and replaced in {shown} days; list some of these"
            reader.refuse(item.at, "R011", f"unknown horizon '{days}'", hint)
        elif days is not None and found and days <= found[-1]:
            said = f"the horizons do not rise: {found[-1]} comes before {days}"
            reader.refuse(item.at, "R030", said, "list them from short to long, each once")
        elif days is not None:
            found.append(days)
    if node is not None and MAIN_HORIZON not in found:
        hint = f"list {MAIN_HORIZON}; summaries, exports and explanations ask for it"
        reader.refuse(node.at, "R008", f"the scorecard has no horizon of {MAIN_HORIZON} days", hint)
    return tuple(found)


def _names(reader: Reader, node: Node | None, what: str) -> tuple[str, ...]:
    found = (reader.leaf(item, str, f"a name under '{what}'") for item in reader.rows(node, what))
    return tuple(name for name in found if name is not None)


def _entries(reader: Reader, node: Node | None, what: str) -> list[tuple[str, Node]]:
    table = reader.table(node, what)
    return [(str(key.value), value) for key, value in table.items] if table else []


def _references(reader: Reader, node: Node | None) -> dict[str, Reference]:
    found = {}
    for key, value in _entries(reader, node, "references"):
        body = reader.table(value, f"reference '{key}'")
        if body is None:
            continue
        fields = reader.fields(body, f"reference '{key}'", keys.REFERENCE)
        dated = fields.day("published") or fields.day("computed")
        if dated is None and not {"published", "computed"} & set(fields.found):
            reader.refuse(body.at, "R008", f"reference '{key}' has no date", "add published: or computed:")
        found[key] = Reference(
            key, fields.text("title"), fields.text("url"), dated, fields.day("checked"), body.at
        )
    return found


def _parameters(reader: Reader, node: Node | None) -> dict[str, Parameter]:
    found = {}
    for key, value in _entries(reader, node, "parameters"):
        body = reader.table(value, f"parameter '{key}'")
        if body is None:
            continue
        fields = reader.fields(body, f"parameter '{key}'", keys.PARAMETER)
        values = []
        for row in reader.rows(fields.node("values"), f"values of '{key}'"):
            entry = reader.table(row, f"a value of '{key}'")
            if entry is None:
                continue
            cells = reader.fields(entry, f"a value of '{key}'", keys.DATED_VALUE)
            start, number = cells.day("from"), reader.value(cells.node("value"), f"the value of '{key}'")
            if start is not None and isinstance(number, Range):
                values.append(DatedValue(start, number, cells.text("reference"), entry.at))
            elif isinstance(number, ParameterRef):
                reader.refuse(
                    entry.at, "R009", f"a value of '{key}' refers to another parameter", "write the number"
                )
        for earlier, later in pairwise(values):
            if earlier.start >= later.start:
                reader.refuse(
                    later.at,
                    "R025",
                    f"the values of '{key}' are not in order of their dates",
                    "sort them by from:",
                )
        found[key] = Parameter(key, fields.text("unit"), tuple(values), body.at)
    return found


def _rule(reader: Reader, node: Node) -> Rule | None:
    root = reader.table(node, "a rule file")
    if root is None:
        return None
    top = reader.fields(root, "the rule", keys.RULE)
    span = reader.table(top.node("effective"), "effective")
    dates = reader.fields(span, "effective", keys.EFFECTIVE) if span else None
    start, end = (dates.day("from"), dates.day("to")) if dates else (None, None)
    if start and end and start >= end:
        reader.refuse(
            top.at("effective"),
            "R025",
            f"the rule ends on {end}, before it begins",
            "to: is the day after the last",
        )
    score = _score(reader, top)
    if start is None or score is None:
        return None
    stays_unknown = _is_word(top.node("if_unknown"), UNKNOWN)
    return Rule(
        id=top.text("id"),
        title=top.text("title"),
        status=top.choice("status", STATUSES, default="active"),
        version=top.whole("version", 1),
        owner=top.text("owner"),
        rationale=top.text("rationale"),
        references=_references(reader, top.node("references")),
        effective_from=start,
        effective_to=end,
        parameters=_parameters(reader, top.node("parameters")),
        sets=top.text("sets"),
        priority=top.whole("priority", 100),
        conditions=_conditions(reader, top.node("applies_when")),
        score=score,
        if_unknown=None if stays_unknown else reader.value(top.node("if_unknown"), "if_unknown"),
        explain=top.text("explain"),
        examples=_examples(reader, top.node("tests")),
        file=reader.file,
        places={key: value.at for key, value in top.found.items()},
        stays_unknown=stays_unknown,
        spread=top.choice("spread", SPREADS, "R037"),
    )


def _is_word(node: Node | None, word: str) -> bool:
    return isinstance(node, Leaf) and node.value == word


def _conditions(reader: Reader, node: Node | None) -> tuple[Condition, ...]:
    found = []
    table = reader.table(node, "applies_when")
    for key, value in table.items if table else ():
        name = str(key.value)
        if isinstance(value, Table):
            fields = reader.fields(value, f"the filter on '{name}'", keys.STRETCH)
            found.append(
                Condition(
                    name,
                    key.at,
                    at_least=reader.value(fields.node("at_least"), "at_least"),
                    below=reader.value(fields.node("below"), "below"),
                )
            )
            continue
        nodes = value.items if isinstance(value, Sequence) else (value,)
        values = tuple(
            v for v in (reader.category(n, f"a value of '{name}'") for n in nodes) if v is not None
        )
        found.append(Condition(name, key.at, values=values))
    return tuple(found)


def _score(reader: Reader, top: Fields) -> Score | None:
    table = reader.table(top.node("score"), "score")
    if table is None:
        return None
    fields = reader.fields(table, "score", keys.SCORE)
    if "value" in fields:
        for other in keys.SCORE.order:
            if other in fields and other != "value":
                reader.refuse(
                    fields.at(other),
                    "R007",
                    f"a constant score has no '{other}'",
                    "keep value: alone, or remove it",
                )
        value = reader.value(fields.node("value"), "value")
        return None if value is None else Score(fields.at("value"), value=value)
    on, shape = fields.text("on"), fields.choice("shape", keys.SHAPES)
    if not on or not shape:
        reader.refuse(
            table.at, "R008", "the score names no feature or no shape", "add on: and shape:, or value:"
        )
        return None
    key = keys.POINTS.get(shape, "cases")
    if key not in fields:
        reader.refuse(table.at, "R008", f"a {shape} score needs '{key}'", f"add {key}:")
        return None
    for other in {*keys.POINTS.values()} - {key}:
        if other in fields:
            reader.refuse(fields.at(other), "R007", f"a {shape} score has no '{other}'", f"keep {key}: alone")
    read = _band_points if shape == "bands" else _keyed_points
    points = read(reader, fields.node(key), key)
    return Score(
        fields.at("on"),
        on,
        shape,
        tuple((x, y) for x, y, _ in points),
        places=tuple(at for _, _, at in points),
    )


def _band_points(reader: Reader, node: Node | None, key: str) -> list[Point]:
    points: list[Point] = []
    for row in reader.rows(node, key):
        body = reader.table(row, "a band")
        if body:
            cells = reader.fields(body, "a band", keys.STEP)
            edge = reader.number(cells.node("from"), "from")
            value = reader.value(cells.node("value"), "value")
            if edge is not None and value is not None:
                points.append((edge, value, body.at))
    return points


def _keyed_points(reader: Reader, node: Node | None, key: str) -> list[Point]:
    points: list[Point] = []
    table = reader.table(node, key)
    for leaf, cell in table.items if table else ():
        value = reader.value(cell, f"the value of '{leaf.value}'")
        if value is not None and isinstance(leaf.value, str | int | float):
            points.append((leaf.value, value, leaf.at))
    return points


def _examples(reader: Reader, node: Node | None) -> tuple[Example, ...]:
    found = []
    for row in reader.rows(node, "tests"):
        body = reader.table(row, "a test")
        if body is None:
            continue
        fields = reader.fields(body, "a test", keys.TEST)
        entries = _entries(reader, fields.node("given"), "given")
        given = {key: _given(reader, value, key) for key, value in entries}
        places = {key: value.at for key, value in entries}
        expect_node = fields.node("expect")
        is_unknown = _is_word(expect_node, UNKNOWN)
        is_absent = is_unknown or _is_word(expect_node, NOT_APPLICABLE)
        expect = None if is_absent else reader.value(expect_node, "expect")
        day = fields.day("as_of")
        if day is not None and (is_absent or isinstance(expect, Range)):
            want = expect if isinstance(expect, Range) else None
            found.append(Example(fields.text("name"), day, given, want, body.at, is_unknown, places))
    return tuple(found)


def _given(reader: Reader, node: Node, key: str) -> object:
    """Read a value given to a test: one value, three ends, or ``unknown``."""
    if isinstance(node, Sequence):
        ends = [reader.category(item, f"an end of '{key}'") for item in node.items]
        if len(ends) != 3:
            reader.refuse(
                node.at, "R009", f"'{key}' has {counted(len(ends), 'end')}", "write [low, best, high]"
            )
        return tuple(ends)
    if isinstance(node, Leaf):
        return node.value
    reader.refuse(node.at, "R009", f"'{key}' must be a value, three ends or unknown", "write one of these")
    return None
