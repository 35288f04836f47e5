"""Checks of what a rule says to people: its id, its words, and its explanation."""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from engine.language.errors import Location, Problem, did_you_mean
from engine.language.rules import Feature, Rule
from engine.language.sentence import FORMATS, fitting_formats, placeholders, stray_brace

ALWAYS_NAMED = ("points", "notice", "exporter", "importer", "mineral", "stage", "horizon_days", "pledge_id")
ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")


def check_head(rule: Rule) -> Iterator[Problem]:
    """Yield problems of the id, the version, the words about the rule, and the dates of its references."""
    stem = PurePosixPath(rule.file).stem
    if not ID.match(rule.id):
        hint = "use small letters, digits and hyphens"
        yield Problem(rule.place("id"), "R009", f"'{rule.id}' is not a valid id", hint)
    elif rule.id != stem:
        hint = f"rename the file to {rule.id}.yml, or write id: {stem}"
        yield Problem(rule.place("id"), "R060", f"the id '{rule.id}' is not the name of its file", hint)
    if rule.version < 1:
        yield Problem(rule.place("version"), "R009", f"version {rule.version} is none", "count from 1")
    for key, text in (("title", rule.title), ("owner", rule.owner), ("rationale", rule.rationale)):
        if key in rule.places and not text.strip():
            yield Problem(rule.place(key), "R008", f"'{key}' says nothing", "write it for the next reader")
    for reference in rule.references.values():
        if reference.dated and reference.checked and reference.checked < reference.dated:
            found = (
                f"'{reference.key}' was checked on {reference.checked}, before its own date {reference.dated}"
            )
            yield Problem(reference.at, "R025", found, "correct one of the dates")


def check_explanation(rule: Rule, own: Mapping[str, Feature], factor: str, unit: str) -> Iterator[Problem]:
    """Yield problems of the explanation: braces, names and formats."""
    at = rule.place("explain")
    words = [*own, factor, *ALWAYS_NAMED]
    stray = stray_brace(rule.explain)
    if stray is not None:
        yield Problem(
            at, "R042", f"a brace without its partner at '{stray}'", "write {name} or {name:format}"
        )
    for name, form in placeholders(rule.explain):
        if name not in words:
            yield Problem(
                at,
                "R040",
                f"the explanation names '{name}', which is neither a feature of its grain nor '{factor}'",
                did_you_mean(name, words),
            )
        if form and form not in FORMATS:
            yield Problem(
                at, "R041", f"unknown format '{form}' in the explanation", did_you_mean(form, list(FORMATS))
            )
        elif name in words:
            yield from _format(at, name, form, own, factor, unit)
    if not rule.explain.strip():
        yield Problem(at, "R040", "the rule explains nothing", "write a sentence for the reader of a score")


def _format(
    at: Location, name: str, form: str, own: Mapping[str, Feature], factor: str, unit: str
) -> Iterator[Problem]:
    if name == factor:
        fitting = fitting_formats("number", unit)
    elif name == "points":
        fitting = ("points",)
    else:
        fitting = fitting_formats(own[name].type, own[name].unit) if name in own else ("",)
    if form not in fitting:
        shown = " or ".join("{" + name + (f":{one}" if one else "") + "}" for one in fitting)
        found = f"the format '{form}' does not suit '{name}'" if form else f"'{name}' needs a format"
        yield Problem(at, "R041", f"{found} in the explanation", f"write {shown}")
