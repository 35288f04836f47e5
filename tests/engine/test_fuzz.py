"""Mutated rule files: no traceback, no hang, no silent acceptance. `bench/fuzz_rules.py` tries a hundred thousand."""

from collections import Counter

import pytest

from engine.editor.layout import laid_out
from engine.language import yaml_subset
from engine.language.errors import Location
from tests.engine.fuzzing import CHANGED, LONGEST_S, REFUSED, SAME, SILENT, rule_files, try_one
from tests.engine.reading import as_loaded, as_written
from tests.engine.rulebook import default_ruleset, default_texts

SEEDS = range(2000)
GROUPS = 8


@pytest.mark.parametrize("group", range(GROUPS))
def test_a_mutated_rule_is_refused_with_its_place_or_means_what_it_says(group: int) -> None:
    found = Counter[str]()
    for seed in SEEDS[group::GROUPS]:
        outcome = try_one(seed)
        assert outcome.kind in (SAME, CHANGED, REFUSED), (seed, outcome)
        assert outcome.seconds < LONGEST_S, (seed, outcome.mutation)
        found[outcome.kind] += 1
        if outcome.kind in (SAME, CHANGED):
            text = outcome.data.decode("utf-8-sig")
            tidy = laid_out(text, outcome.file)
            assert as_written(tidy) == as_written(text), seed
    assert min(found.values()) > 5, found


@pytest.mark.parametrize("file", rule_files())
def test_both_readings_agree_on_the_default_rules(file: str) -> None:
    (rule,) = [rule for rule in default_ruleset().rules if rule.file == file]
    assert as_loaded(rule) == as_written(default_texts()[file])


@pytest.mark.parametrize("code", ["R004", "R005"])
def test_the_fuzzer_would_see_what_is_accepted_in_silence(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    refuse = yaml_subset._Reader.refuse

    def lax(reader: yaml_subset._Reader, at: Location, found: str, message: str, hint: str = "") -> None:
        if found != code:
            refuse(reader, at, found, message, hint)

    monkeypatch.setattr(yaml_subset._Reader, "refuse", lax)
    assert SILENT in {try_one(seed).kind for seed in range(1000)}
