"""What a rule text says, read without the engine: PyYAML's own values, no key twice. And what the engine made of it."""

import re
from typing import Any

import yaml

from engine.language.rules import Parameter, ParameterRef, Range, Rule, Value


class _Strict(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """PyYAML as it comes, but a key is its text, and stands once."""


def _mapping(loader: Any, node: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        if key.value in found:
            raise ValueError(f"{key.value} stands twice")
        found[key.value] = loader.construct_object(value, deep=True)
    return found


_Strict.add_constructor("tag:yaml.org,2002:map", _mapping)


def as_written(text: str) -> dict[str, Any]:
    """The text's meaning, in the form of ``as_loaded``.

    Raises:
        Exception: PyYAML does not read it, or not as a rule.
    """
    raw = yaml.load(text, Loader=_Strict)  # noqa: S506 - a safe loader
    score = raw["score"]
    points: list[Any] = []
    if "cases" in score or "points" in score:
        points = [[_key(key), _ends(value)] for key, value in (score.get("cases") or score["points"]).items()]
    elif "bands" in score:
        points = [[float(band["from"]), _ends(band["value"])] for band in score["bands"]]
    return {
        **{key: raw[key] for key in ("id", "title", "version", "owner", "rationale", "sets", "explain", "status")},
        "priority": raw.get("priority", 100),
        "references": {
            key: [value["title"], value.get("url", ""), value.get("published") or value.get("computed"), value["checked"]]
            for key, value in raw["references"].items()
        },
        "effective": [raw["effective"]["from"], raw["effective"].get("to")],
        "parameters": {
            key: [value["unit"], [[v["from"], _ends(v["value"]), v["reference"]] for v in value["values"]]]
            for key, value in raw.get("parameters", {}).items()
        },
        "applies_when": {key: _filter(value) for key, value in raw.get("applies_when", {}).items()},
        "score": [score.get("on", ""), score.get("shape", ""), points, _ends(score["value"]) if "value" in score else None],
        "if_unknown": _ends(raw["if_unknown"]) if "if_unknown" in raw else None,
        "tests": [[t["name"], t["as_of"], t["given"], _expected(t["expect"])] for t in raw["tests"]],
    }  # fmt: skip


def as_loaded(rule: Rule) -> dict[str, Any]:
    """What the engine read."""
    score = rule.score
    return {
        **{key: getattr(rule, key) for key in ("id", "title", "version", "owner", "rationale", "sets", "explain", "status", "priority")},
        "references": {key: [r.title, r.url, r.dated, r.checked] for key, r in rule.references.items()},
        "effective": [rule.effective_from, rule.effective_to],
        "parameters": {key: _parameter(p) for key, p in rule.parameters.items()},
        "applies_when": {
            c.feature: {"at_least": _value(c.at_least), "below": _value(c.below)} if c.is_stretch else list(c.values)
            for c in rule.conditions
        },
        "score": [score.on, score.shape, [[key, _value(value)] for key, value in score.points], _value(score.value)],
        "if_unknown": _value(rule.if_unknown),
        "tests": [
            [e.name, e.on, {k: list(v) if isinstance(v, tuple) else v for k, v in e.given.items()}, _value(e.expect)]
            for e in rule.examples
        ],
    }  # fmt: skip


def _key(key: str) -> str | float:
    return float(key) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", key) else key


def _ends(value: Any) -> Any:
    if isinstance(value, str):
        return value
    return [float(v) for v in value] if isinstance(value, list) else [float(value)] * 3


def _expected(value: Any) -> Any:
    return None if value == "not_applicable" else _ends(value)


def _filter(value: Any) -> Any:
    if isinstance(value, dict):
        return {"at_least": None, "below": None} | {key: _ends(edge) for key, edge in value.items()}
    return value if isinstance(value, list) else [value]


def _value(value: Value | None) -> Any:
    if isinstance(value, Range):
        return [value.low, value.best, value.high]
    return f"${value.name}" if isinstance(value, ParameterRef) else None


def _parameter(parameter: Parameter) -> list[Any]:
    return [parameter.unit, [[v.start, _value(v.value), v.reference] for v in parameter.values]]
