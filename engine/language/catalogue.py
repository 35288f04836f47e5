"""features.yml: the columns that rules may read."""

from engine.language import keys
from engine.language.errors import Problem
from engine.language.reader import Reader
from engine.language.rules import Feature
from engine.language.yaml_subset import Leaf, Node

TYPES = ("category", "number", "bool", "date", "text")
SOURCES = ("warehouse", "engine")
UNITS = ("share", "days", "t", "usd", "years", "multiple", "points", "")


def read_features(node: Node, file: str) -> tuple[dict[str, Feature], list[Problem]]:
    """Return features by name, and what is wrong with the file."""
    reader = Reader(file)
    features: dict[str, Feature] = {}
    root = reader.table(node, "features.yml")
    top = reader.fields(root, "features.yml", keys.CATALOGUE) if root else None
    table = reader.table(top.node("features"), "features") if top else None
    for key, value in table.items if table else ():
        name = str(key.value)
        body = reader.table(value, f"feature '{name}'")
        if body is None:
            continue
        fields = reader.fields(body, f"feature '{name}'", keys.FEATURE)
        values = tuple(
            v
            for v in (reader.category(n, "a category") for n in reader.rows(fields.node("values"), "values"))
            if v is not None
        )
        kind = fields.choice("type", TYPES)
        if kind == "category" and not values:
            reader.refuse(
                body.at, "R008", f"feature '{name}' is a category without values", "list its values"
            )
        twice = sorted({str(value) for value in values if values.count(value) > 1})
        if twice:
            found = f"'{twice[0]}' occurs twice among the values of '{name}'"
            reader.refuse(body.at, "R036", found, "list each value once")
        order = fields.whole("pass", 1)
        if order not in (1, 2):
            found = f"feature '{name}' has pass {order}"
            reader.refuse(fields.at("pass"), "R009", found, "write pass: 1 or 2")
        features[name] = Feature(
            name,
            fields.text("meaning"),
            kind,
            tuple(str(n.value) for n in reader.rows(fields.node("grain"), "grain") if isinstance(n, Leaf)),
            fields.truth("known"),
            fields.truth("range"),
            order,
            fields.choice("unit", UNITS),
            fields.choice("from", SOURCES),
            values,
        )
    return features, reader.problems
