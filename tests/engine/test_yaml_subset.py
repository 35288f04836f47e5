"""Strict YAML: what is refused, and that nothing makes it hang or trace back."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.language.yaml_subset import Leaf, Mapping, parse
from tests.engine.rulebook import RULE


def _value(text: str) -> object:
    node, problems = parse(f"key: {text}\n", "f.yml")
    assert not problems
    assert isinstance(node, Mapping)
    leaf = node.items[0][1]
    assert isinstance(leaf, Leaf)
    return leaf.value


def test_scalars_are_what_they_look_like() -> None:
    assert _value("12") == 12
    assert _value("-0.5") == -0.5
    assert _value("2025-06-01") == date(2025, 6, 1)
    assert _value("true") is True
    assert _value('"no"') == "no"
    assert _value('"0123"') == "0123"
    assert _value("plain words") == "plain words"


@pytest.mark.parametrize(
    "text", ["no", "NO", "on", "Yes", "~", "null", "1e3", "0123", "1_000", ".5", ".inf", "0x1f", ""]
)
def test_traps_are_refused(text: str) -> None:
    assert parse(f"key: {text}\n", "f.yml")[1][0].code == "R005"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: &x 1\nb: *x\n", "R002"),
        ("a: !!python/object:os.system x\n", "R002"),
        ("a: {<<: b}\n", "R002"),
        ("a: 1\na: 2\n", "R004"),
        ("\ufeffa: 1\n", "R001"),
        ("a\x00: 1\n", "R001"),
        ("a: 1\n\tb: 2\n", "R001"),
        ("a: \u202eb\n", "R001"),
        ("", "R001"),
        ("[" * 60 + "]" * 60, "R003"),
        ("[" * 3000, "R001"),
        ("%YAML 1.1\n---\na: 1\n", "R002"),
        ("a: b\u2028c: d\n", "R001"),
        ("a: " + "x" * 30_000, "R003"),
        ("x" * 2_000_000, "R003"),
    ],
)
def test_refused_texts(text: str, code: str) -> None:
    node, problems = parse(text, "f.yml")
    assert problems[0].code == code
    assert str(problems[0]).startswith("f.yml:")
    del node


def test_a_billion_laughs_is_one_problem_and_no_memory() -> None:
    lines = ["a: &a [x]"] + [
        f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]" for i in range(20)
    ]
    assert {p.code for p in parse("\n".join(lines), "f.yml")[1]} == {"R002"}


def test_windows_line_ends_are_read() -> None:
    node, problems = parse("a: 1\r\nb: 2\r\n", "f.yml")
    assert not problems
    assert isinstance(node, Mapping)
    assert [key.value for key, _ in node.items] == ["a", "b"]


@settings(max_examples=300)
@given(st.data())
def test_mutated_rules_give_problems_with_a_place_and_never_a_traceback(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(RULE)))
    cut = data.draw(st.integers(0, 20))
    text = RULE[:at] + data.draw(st.text(max_size=8)) + RULE[at + cut :]
    _, problems = parse(text, "f.yml")
    assert all(problem.location.line >= 1 and problem.message for problem in problems)
