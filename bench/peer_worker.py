"""One rule engine on one task, run by the interpreter of its own environment: standard library and that engine only.

Called as `python -I peer_worker.py NAME TASK.json`; prints version and rows per second of processor time as JSON, and fails where any row's sum of
the values of the conditions that hold is not the wanted one.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Conditions = list[tuple[dict[str, Any], float]]
Ask = Callable[[Row], float]


def as_text(condition: dict[str, Any]) -> str:
    """A condition as the expression that rule-engine and zen-engine both read."""
    parts = []
    for feature, wanted in condition.items():
        if isinstance(wanted, dict):
            parts += [f"{feature} >= {wanted['at_least']}"] if "at_least" in wanted else []
            parts += [f"{feature} < {wanted['below']}"] if "below" in wanted else []
        elif isinstance(wanted, list):
            parts.append(f"{feature} in {json.dumps(wanted)}")
        else:
            parts.append(f"{feature} == {json.dumps(wanted)}")
    return " and ".join(parts)


def rule_engine(conditions: Conditions) -> Ask:
    peer = import_module("rule_engine")

    rules = [(peer.Rule(as_text(condition)), value) for condition, value in conditions]
    return lambda row: sum(value for rule, value in rules if rule.matches(row))


def zen_engine(conditions: Conditions) -> Ask:
    zen = import_module("zen")

    rules = [(zen.compile_expression(as_text(condition)), value) for condition, value in conditions]
    return lambda row: sum(value for rule, value in rules if rule.evaluate(row))


KINDS = {
    "instrument": "string", "destination_class": "string", "stage": "string", "horizon_days": "numeric", "concentration": "numeric",
    "instability": "numeric", "lane_share": "numeric", "is_small_lane": "boolean",
}  # fmt: skip


def business_rules(conditions: Conditions) -> Ask:
    peer = import_module("business_rules")
    variables, actions = import_module("business_rules.variables"), import_module("business_rules.actions")
    number = import_module("business_rules.fields").FIELD_NUMERIC

    def start(self: Any, row: Row) -> None:
        self.row, self.total = row, 0.0

    def add(self: Any, value: float) -> None:
        self.total += value

    reads = {
        name: getattr(variables, f"{kind}_rule_variable")()(_reader(name)) for name, kind in KINDS.items()
    }
    added = {"add": actions.rule_action(params={"value": number})(add)}
    known = type("Known", (variables.BaseVariables,), {"__init__": start, **reads})
    acting = type("Acting", (actions.BaseActions,), {"__init__": start, **added})
    rules = [
        {"conditions": _tree(condition), "actions": [{"name": "add", "params": {"value": value}}]}
        for condition, value in conditions
    ]

    def ask(row: Row) -> float:
        found: Any = acting(row)
        peer.run_all(rule_list=rules, defined_variables=known(row), defined_actions=found)
        return float(found.total)

    return ask


def _reader(name: str) -> Callable[[Any], Any]:
    def read(self: Any) -> Any:
        return self.row[name]

    read.__name__ = name
    return read


def _tree(condition: Row) -> Row:
    """A condition as business-rules writes it."""
    parts: list[Row] = []
    for feature, wanted in condition.items():
        if isinstance(wanted, dict):
            names = {"at_least": "greater_than_or_equal_to", "below": "less_than"}
            parts += [{"name": feature, "operator": names[k], "value": v} for k, v in wanted.items()]
        elif isinstance(wanted, list):
            parts.append({"any": [_equal(feature, value) for value in wanted]})
        else:
            parts.append(_equal(feature, wanted))
    return {"all": parts}


def _equal(feature: str, value: Any) -> Row:
    if isinstance(value, bool):
        return {"name": feature, "operator": "is_true" if value else "is_false", "value": None}
    return {"name": feature, "operator": "equal_to", "value": value}


def main() -> None:
    name, path = sys.argv[1:]
    task = json.loads(Path(path).read_text(encoding="utf-8"))
    ask = globals()[name.replace("-", "_")](task["conditions"])
    for row, want in zip(task["rows"], task["want"], strict=True):
        got = ask(row)
        if abs(got - want) > 1e-9:
            sys.exit(f"another result than ours: {got} where {want} is wanted, for {row}")
    best = 0.0
    for _ in range(3):
        start = time.process_time()
        for row in task["rows"]:
            ask(row)
        best = max(best, len(task["rows"]) / (time.process_time() - start))
    print(json.dumps({"version": version(name), "rows_per_second": best}))


if __name__ == "__main__":
    main()
