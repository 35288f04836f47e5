"""Checks of codes of minerals, stages, countries and blocs against those that the facts know (R016)."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from engine.language.errors import Location, Problem
from engine.language.rules import Condition, Rule
from engine.language.vocabulary import COUNTRY, EVERY, KIND_OF, Vocabulary

CODE: Final = "R016"
_ISO: Final = re.compile(r"[A-Z]{3}\Z")


def check_codes(rule: Rule, vocabulary: Vocabulary | None) -> Iterator[Problem]:
    """Yield problems of the codes in the filters and tests of a rule.

    Without a vocabulary none can be looked up; what can be no country is refused all the same, since it may be a bloc,
    whose members would be unknown.
    """
    for condition in rule.conditions:
        for value in condition.values:
            if isinstance(value, str):
                yield from check_code(condition.feature, value, condition.at, vocabulary, takes_bloc=True)
    for example in rule.examples:
        for name, given in example.given.items():
            if isinstance(given, str):
                where = f" in test '{example.name}'"
                at = example.place(name)
                yield from check_code(name, given, at, vocabulary, takes_bloc=False, where=where)


def check_code(
    name: str, code: str, at: Location, vocabulary: Vocabulary | None, *, takes_bloc: bool, where: str = ""
) -> Iterator[Problem]:
    """Yield the problem of a code under the name of a feature or of a key of a scenario, if it has one."""
    kind = KIND_OF.get(name)
    if kind is None:
        return
    if vocabulary is not None:
        fault = vocabulary.fault(kind, code, takes_bloc=takes_bloc)
        if fault is not None:
            yield Problem(at, CODE, fault[0] + where, fault[1])
    elif kind == COUNTRY and code != EVERY and not _ISO.match(code):
        found = f"'{code}' is not an ISO 3166 alpha-3 code, and without facts no bloc is known{where}"
        yield Problem(at, CODE, found, "write the code of a country, or check the rules with facts")


def with_members(rule: Rule, vocabulary: Vocabulary) -> Rule:
    """Return the rule with the members of each bloc that a filter names."""
    return replace(rule, conditions=tuple(_opened(condition, vocabulary) for condition in rule.conditions))


def _opened(condition: Condition, vocabulary: Vocabulary) -> Condition:
    if KIND_OF.get(condition.feature) != COUNTRY:
        return condition
    named = {value: vocabulary.blocs.get(value) for value in condition.values if isinstance(value, str)}
    return replace(condition, blocs={bloc: members for bloc, members in named.items() if members is not None})
