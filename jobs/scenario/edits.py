"""From a scenario to the fact tables and rules that it supposes; what was loaded stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from engine.language.rules import Range, RuleSet
from ground.question import Question
from jobs.scenario import promises, quantities
from jobs.scenario.law import Law
from jobs.scenario.reading import Place, ScenarioError, ScenarioFile
from jobs.suggest import did_you_mean
from warehouse.asof.state import Warehouse

#: Whom the rows of a scenario are from.
SOURCE = "scenario"
SCORECARD = "scorecard"


@dataclass
class Supposed:
    """Facts and rules under a scenario, while they are put together.

    Attributes:
        tables: rows of fact tables by name, as loaded until a change replaces them.
        changed: names of tables that a change replaced.
        minerals: those that a change of the law names; None where any may be reached.
        sentences: what is supposed, in words.
    """

    file: ScenarioFile
    question: Question
    facts: Mapping[str, pl.DataFrame]
    state: Warehouse
    ruleset: RuleSet
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    minerals: set[str] | None = field(default_factory=set)
    sentences: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    rules_changed: bool = False
    _taken: dict[tuple[str, ...], int] = field(default_factory=dict)

    def table(self, name: str) -> pl.DataFrame:
        """Return the rows of a table under the changes so far."""
        return self.tables.get(name, self.facts[name])

    def append(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows; columns that they leave out are unknown, and they are known on the day of knowledge."""
        old = self.table(name)
        more = pl.DataFrame(
            [{column: self._cell(row, column) for column in old.columns} for row in rows],
            schema=old.schema,
            orient="row",
        )
        self.tables[name] = pl.concat([old, more])

    def _cell(self, row: Mapping[str, Any], column: str) -> Any:
        given = {"source_id": SOURCE, "known_from": self.question.known_at}
        return row.get(column, given.get(column))

    def refuse(self, place: Place, message: str) -> None:
        """Note a fault."""
        self.faults.append(self.file.fault(place, message))

    def known(self, place: Place, what: str, name: str, names: Iterable[str]) -> bool:
        """Return whether a name is one of those that there are; refuse any other with the nearest."""
        names = set(names)
        if name in names:
            return True
        self.refuse(place, f"unknown {what} '{name}'{did_you_mean(name, names)}")
        return False

    def take(self, place: Place, what: tuple[str, ...]) -> bool:
        """Return whether nothing else in the file changes the same thing; a second change contradicts the first."""
        first = self._taken.setdefault(what, self.file.at(place).line)
        if first == self.file.at(place).line:
            return True
        self.refuse(
            place, f"{' '.join(what)} is changed twice, the first time in line {first}; leave one of them"
        )
        return False

    def reach(self, minerals: Iterable[str]) -> None:
        """Note minerals that a change names; `*` stands for all."""
        found = set(minerals)
        self.minerals = None if self.minerals is None or "*" in found else self.minerals | found


def suppose(
    file: ScenarioFile,
    question: Question,
    facts: Mapping[str, pl.DataFrame],
    state: Warehouse,
    ruleset: RuleSet,
) -> Supposed:
    """Put the facts and rules of a scenario together.

    Args:
        file: the scenario.
        question: the day, the state of knowledge, and whose curbs.
        facts: all fact tables as loaded.
        state: the warehouse that holds them.
        ruleset: the rules as they are.

    Raises:
        ScenarioError: it names what does not exist, or contradicts itself; every fault is listed.
    """
    found = Supposed(file, question, facts, state, ruleset)
    law = Law(found)
    verbs: Mapping[str, Callable[[Place, Any], None]] = {
        "lapse": law.lapse, "extend": law.extend, "end": law.end, "suspend": law.suspend, "repeal": law.repeal,
        "copy": law.copy,
        "honour": lambda place, body: promises.honour(found, place, body),
        "void": lambda place, body: promises.void(found, place, body),
        "add": lambda place, body: quantities.add(found, place, body),
        "set": lambda place, body: quantities.set_rows(found, place, body),
        "shut": lambda place, body: quantities.shut(found, place, body),
        "parameter": lambda place, body: _parameter(found, place, body),
    }  # fmt: skip
    for number, verb in enumerate(file.scenario.changes):
        verbs[verb.name](("changes", number, verb.name), verb.body)
    if found.faults:
        raise ScenarioError(file.file, found.faults)
    found.sentences[:0] = law.sentences
    return found


def _parameter(found: Supposed, place: Place, body: Any) -> None:
    rules = {rule.id: rule for rule in found.ruleset.rules}
    if not found.known((*place, "rule"), "rule", body.rule, [*rules, SCORECARD]):
        return
    owner = found.ruleset.scorecard if body.rule == SCORECARD else rules[body.rule]
    if not found.known((*place, "name"), f"parameter of {body.rule}", body.name, owner.parameters):
        return
    old = owner.parameters[body.name]
    value = Range(*map(float, body.value))
    if old.unit == "share" and not 0 <= value.low <= value.high <= 1:
        found.refuse((*place, "value"), f"value of {body.name} is a share; write numbers between 0 and 1")
        return
    if not found.take(place, (body.rule, body.name)):
        return
    now = old.on(found.question.as_of)
    values = tuple(replace(one, value=value, reference=SOURCE) for one in old.values)
    parameters = {**owner.parameters, body.name: replace(old, values=values)}
    if body.rule == SCORECARD:
        card = replace(found.ruleset.scorecard, parameters=parameters)
        found.ruleset = replace(found.ruleset, scorecard=card)
    else:
        changed = tuple(
            replace(rule, parameters=parameters) if rule.id == body.rule else rule
            for rule in found.ruleset.rules
        )
        found.ruleset = replace(found.ruleset, rules=changed)
    found.rules_changed = True
    found.sentences.append(
        f"{body.rule}: {body.name} is {_span(value)} instead of {_span(now) if now else 'unknown'}."
    )


def _span(value: Range) -> str:
    if value.low == value.high:
        return f"{value.best:g}"
    return f"{value.best:g} ({value.low:g} to {value.high:g})"
