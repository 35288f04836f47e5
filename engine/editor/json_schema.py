"""JSON Schemas (draft 2020-12) for editors: completion, hover text and red lines while a rule is written.

They are made of the same key lists, enumerations, catalogue and scorecard that the checks use. A schema cannot say
everything: what crosses lines (dates, parameters, branches) is left to ``check_ruleset``.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from engine.editor.json_schema_words import HOVER
from engine.language import keys
from engine.language.catalogue import SOURCES, TYPES, UNITS
from engine.language.keys import Keys
from engine.language.load import NOT_APPLICABLE, UNKNOWN
from engine.language.rules import (
    COMBINES,
    DEFAULT_SPREADS,
    DRAWN_FACTORS,
    MADE_OF_COMBINES,
    SPREADS,
    STATES,
    STATUSES,
    Category,
    Factor,
    Feature,
    Scorecard,
)
from engine.language.vocabulary import COUNTRY, KIND_OF, Vocabulary
from ground.words import HORIZONS, MAIN_HORIZON, REGIMES

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
RULE_SCHEMA, FEATURES_SCHEMA, SCORECARD_SCHEMA = "rule", "features", "scorecard"
Schema = dict[str, Any]

TEXT: Final[Schema] = {"type": "string", "minLength": 1}
DATE: Final[Schema] = {
    "type": "string",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    "description": HOVER["date"],
}
THREE_ENDS: Final[Schema] = {
    "type": "array",
    "items": {"type": "number"},
    "minItems": 3,
    "maxItems": 3,
    "description": HOVER["three ends"],
}
PARAMETER_REF: Final[Schema] = {
    "type": "string",
    "pattern": "^\\$[A-Za-z_][A-Za-z0-9_]*$",
    "description": HOVER["$parameter"],
}
NUMBER_VALUE: Final[Schema] = {"anyOf": [{"type": "number"}, THREE_ENDS]}
VALUE: Final[Schema] = {
    "anyOf": [{"type": "number"}, THREE_ENDS, PARAMETER_REF],
    "description": HOVER["value"],
}


def schemas(
    features: Mapping[str, Feature], scorecard: Scorecard, vocabulary: Vocabulary | None = None
) -> dict[str, Schema]:
    """Return the three schemas by name: ``rule``, ``features`` and ``scorecard``.

    Args:
        features: the loaded catalogue; its names, categories and grains become the enumerations of rules.
        scorecard: the loaded scorecard; its factors say which features a rule may read.
        vocabulary: the codes of the facts; without them, a code may be any text.
    """
    return {
        FEATURES_SCHEMA: _features(sorted({factor.grain for factor in scorecard.factors.values()})),
        RULE_SCHEMA: _rule(features, scorecard, _codes(vocabulary)),
        SCORECARD_SCHEMA: _scorecard(scorecard, features),
    }


def _object(known: Keys, properties: Mapping[str, Schema], what: str = "") -> Schema:
    """Return a mapping with these keys and no other; every key has its hover text."""
    if set(known.order) != set(properties):
        differ = ", ".join(sorted(set(known.order) ^ set(properties)))
        raise AssertionError(f"the schema and the reader of rules differ in {differ}")
    told = {
        name: schema
        if "description" in schema or name not in HOVER
        else {**schema, "description": HOVER[name]}
        for name, schema in ((name, properties[name]) for name in known.order)
    }
    made: Schema = {
        "type": "object",
        "properties": told,
        "required": list(known.required),
        "additionalProperties": False,
    }
    return {**made, "description": what} if what else made


def _document(name: str, title: str, body: Schema) -> Schema:
    return {"$schema": DRAFT, "$id": f"urn:curbline:schema:{name}", "title": title, **body}


def _map_of(schema: Schema, names: Schema | None = None) -> Schema:
    made: Schema = {"type": "object", "additionalProperties": schema}
    return {**made, "propertyNames": names} if names else made


def _list_of(schema: Schema, at_least: int = 1) -> Schema:
    return {"type": "array", "items": schema, "minItems": at_least}


def _references() -> Schema:
    told: dict[str, Schema] = {
        "title": TEXT,
        "url": {"type": "string"},
        "published": DATE,
        "computed": DATE,
        "checked": DATE,
    }
    one = _object(keys.REFERENCE, told, HOVER["reference entry"])
    return _map_of({**one, "anyOf": [{"required": ["published"]}, {"required": ["computed"]}]})


def _parameters() -> Schema:
    entry = _object(keys.DATED_VALUE, {"from": DATE, "value": NUMBER_VALUE, "reference": TEXT})
    return _map_of(
        _object(
            keys.PARAMETER,
            {"unit": {"enum": [unit for unit in UNITS if unit]}, "values": _list_of(entry)},
        )
    )


def _features(grains: list[str]) -> Schema:
    told: dict[str, Schema] = {
        "meaning": TEXT,
        "type": {"enum": list(TYPES)},
        "grain": _list_of({"enum": grains}),
        "from": {"enum": list(SOURCES), "description": HOVER["from of a feature"]},
        "pass": {"enum": [1, 2]},
        "known": {"type": "boolean"},
        "range": {"type": "boolean"},
        "unit": {"enum": list(UNITS)},
        "values": _list_of({"type": ["string", "number", "boolean"]}),
    }
    one = _object(keys.FEATURE, told)
    one |= {"if": {"properties": {"type": {"const": "category"}}}, "then": {"required": ["values"]}}
    body = _object(keys.CATALOGUE, {"version": {"type": "integer", "minimum": 1}, "features": _map_of(one)})
    return _document(FEATURES_SCHEMA, "Curbline feature catalogue (features.yml)", body)


def _scorecard(scorecard: Scorecard, features: Mapping[str, Feature]) -> Schema:
    grains = sorted({grain for feature in features.values() for grain in feature.grain})
    weights = {"anyOf": [*NUMBER_VALUE["anyOf"], _named("$", scorecard.parameters)]}
    factor: dict[str, Schema] = {
        "grain": {"enum": grains},
        "pass": {"enum": [1, 2]},
        "combine": {"enum": list(COMBINES)},
        "unit": {"enum": [unit for unit in UNITS if unit]},
        "of": _list_of({"enum": list(scorecard.factors)}),
        "by": _list_of({"enum": list(features)}),
    }
    one = _object(keys.FACTOR, factor)
    one |= {
        "if": {"required": ["of"]},
        "then": {"properties": {"combine": {"enum": list(MADE_OF_COMBINES)}}},
        "else": {"properties": {"combine": {"not": {"const": "product"}}, "by": False}},
    }
    band: dict[str, Schema] = {
        "name": TEXT,
        "from": {"type": "number", "minimum": 0, "description": HOVER["from of a band"]},
    }
    told: dict[str, Schema] = {
        "version": {"type": "integer", "minimum": 1},
        "method": TEXT,
        "horizons": {
            **_list_of({"enum": list(HORIZONS)}),
            "uniqueItems": True,
            "contains": {"const": MAIN_HORIZON},
        },
        "bands": _list_of(_object(keys.BAND, band)),
        "regimes": {**_map_of(_map_of(weights, {"enum": list(STATES)})), "required": list(REGIMES)},
        "spread": {"enum": list(DEFAULT_SPREADS), "description": HOVER["spread of the scorecard"]},
        "factors": _map_of(one),
        "references": _references(),
        "parameters": _parameters(),
    }
    body = _object(keys.SCORECARD, told)
    body |= {
        "if": {"required": ["method"]},
        "then": {"properties": dict.fromkeys(keys.CURB_KEYS, False)},
        "else": {"required": list(keys.CURB_KEYS)},
    }
    return _document(SCORECARD_SCHEMA, "Curbline scorecard (scorecard.yml)", body)


def _named(prefix: str, names: Iterable[str]) -> Schema:
    return {"enum": [prefix + name for name in names]}


def _codes(vocabulary: Vocabulary | None) -> dict[str, Schema]:
    """Return the codes that a filter and a test may name, by kind; none without facts."""
    if vocabulary is None:
        return {}
    known = {
        _definition(kind, takes_bloc=takes_bloc): vocabulary.codes(kind, takes_bloc=takes_bloc)
        for kind in sorted(set(KIND_OF.values()))
        for takes_bloc in (False, True)
    }
    # enumDescriptions is not in the standard, which ignores it; editors show the name next to the code.
    return {
        name: {"enum": list(codes), "enumDescriptions": list(codes.values())} for name, codes in known.items()
    }


def _definition(kind: str, *, takes_bloc: bool) -> str:
    return f"{kind}_or_bloc" if kind == COUNTRY and takes_bloc else kind


def _rule(features: Mapping[str, Feature], scorecard: Scorecard, codes: Mapping[str, Schema]) -> Schema:
    span = _object(keys.EFFECTIVE, {"from": DATE, "to": {**DATE, "description": HOVER["to"]}})
    told: dict[str, Schema] = {
        "id": {"type": "string", "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"},
        "title": TEXT,
        "status": {"enum": list(STATUSES)},
        "version": {"type": "integer", "minimum": 1},
        "owner": TEXT,
        "rationale": TEXT,
        "references": _references(),
        "effective": span,
        "parameters": _parameters(),
        "sets": {"enum": [f.name for f in scorecard.factors.values() if not f.parts]},
        "priority": {"type": "integer"},
        "applies_when": {
            "type": "object",
            "properties": {
                name: _filter(feature, codes) for name, feature in features.items() if feature.is_known
            },
            "additionalProperties": False,
        },
        "score": _score(features),
        "if_unknown": {"anyOf": [*VALUE["anyOf"], {"const": UNKNOWN}]},
        "spread": {"enum": list(SPREADS)},
        "explain": TEXT,
        "tests": {"type": "array", "items": _example(features, codes)},
    }
    body = _object(keys.RULE, told) | ({"$defs": dict(codes)} if codes else {})
    body["allOf"] = [_of_factor(factor, features) for factor in scorecard.factors.values()]
    return _document(RULE_SCHEMA, "Curbline rule", body)


def _said(feature: Feature) -> str:
    """Return the hover text of a feature: its meaning, unit, and whether it may be unknown."""
    unit = f" In {feature.unit}." if feature.unit else ""
    return f"{feature.meaning}{unit}{'' if feature.is_known else ' May be unknown.'}"


def _category(values: Iterable[Category]) -> Schema:
    return {"enum": list(values)}


def _one(feature: Feature, codes: Mapping[str, Schema], *, takes_bloc: bool) -> Schema:
    if feature.type == "category":
        return _category(feature.values)
    kind = KIND_OF.get(feature.name)
    if kind is not None and codes:
        return {"$ref": f"#/$defs/{_definition(kind, takes_bloc=takes_bloc)}"}
    return {"number": {"type": "number"}, "bool": {"type": "boolean"}, "date": DATE}.get(feature.type, TEXT)


def _filter(feature: Feature, codes: Mapping[str, Schema]) -> Schema:
    one = _one(feature, codes, takes_bloc=True)
    if feature.type == "number":
        edge = {"anyOf": [{"type": "number"}, PARAMETER_REF]}
        stretch = _object(keys.STRETCH, {"at_least": edge, "below": edge})
        return {**stretch, "minProperties": 1, "description": _said(feature)}
    return {"anyOf": [one, {**_list_of(one), "uniqueItems": True}], "description": _said(feature)}


def _score(features: Mapping[str, Feature]) -> Schema:
    named = [
        {"const": name, "description": _said(feature)}
        for name, feature in features.items()
        if feature.type in ("category", "bool", "number")
    ]
    band = _object(
        keys.STEP, {"from": {"type": "number", "description": HOVER["from of a band"]}, "value": VALUE}
    )
    told: dict[str, Schema] = {
        "value": VALUE,
        "on": {"anyOf": named},
        "shape": {"enum": list(keys.SHAPES)},
        "cases": {**_map_of(VALUE), "minProperties": 1},
        "bands": _list_of(band),
        "points": {**_map_of(VALUE, {"pattern": "^-?[0-9]+(\\.[0-9]+)?$"}), "minProperties": 1},
    }
    made = _object(keys.SCORE, told)
    made["oneOf"] = [{"required": ["value"], "maxProperties": 1}] + [
        {"required": ["on", "shape", points], "maxProperties": 3, "properties": {"shape": {"const": shape}}}
        for shape, points in keys.POINTS.items()
    ]
    made["allOf"] = [
        _of_feature(feature)
        for feature in features.values()
        if feature.type in ("category", "bool", "number")
    ]
    return made


def _of_feature(feature: Feature) -> Schema:
    """Return what a score on this feature may be: a lookup of its categories, or bands and points of a number."""
    then: Schema = {"shape": {"enum": ["bands", "linear"]}}
    if feature.type != "number":
        words = feature.values if feature.type == "category" else ("true", "false")
        then = {
            "shape": {"const": "lookup"},
            "cases": {"propertyNames": {"enum": [str(word) for word in words]}},
        }
    return {
        "if": {"required": ["on"], "properties": {"on": {"const": feature.name}}},
        "then": {"properties": then},
    }


def _example(features: Mapping[str, Feature], codes: Mapping[str, Schema]) -> Schema:
    given = {}
    for name, feature in features.items():
        value = _one(feature, codes, takes_bloc=False)
        one: list[Schema] = [value]
        if not feature.is_known:
            one.append({"const": "unknown"})
        if feature.is_range:
            one.append({"type": "array", "items": value, "minItems": 3, "maxItems": 3})
        given[name] = {"anyOf": one, "description": _said(feature)}
    told: dict[str, Schema] = {
        "name": TEXT,
        "as_of": DATE,
        "given": _object(Keys(tuple(given), frozenset(given)), given, HOVER["given"]),
        "expect": {"anyOf": [*NUMBER_VALUE["anyOf"], {"const": NOT_APPLICABLE}, {"const": UNKNOWN}]},
    }
    return _object(keys.TEST, told)


def _of_factor(factor: Factor, features: Mapping[str, Feature]) -> Schema:
    """Return which features a rule of this factor may read: those of its grain, of its pass or an earlier one."""
    own = [f for f in features.values() if factor.grain in f.grain and f.order <= factor.order]
    names = [feature.name for feature in own]
    return {
        "if": {"required": ["sets"], "properties": {"sets": {"const": factor.name}}},
        "then": {
            "properties": {
                "applies_when": {"propertyNames": {"enum": [f.name for f in own if f.is_known]}},
                **({} if factor.name in DRAWN_FACTORS else {"spread": False}),
                "score": {"properties": {"on": {"enum": names}}},
                "tests": {"items": {"properties": {"given": {"propertyNames": {"enum": names}}}}},
            }
        },
    }
