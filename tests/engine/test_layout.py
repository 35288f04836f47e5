"""One layout: nothing is said otherwise, no comment is lost, and laying out twice changes nothing."""

import random

import pytest

from engine.editor.comments import comments_of
from engine.editor.layout import laid_out
from engine.editor.writing import _RULE
from engine.language import keys
from engine.language.errors import RuleSyntaxError
from tests.engine.rulebook import RULE, default_texts

UNTIDY = """\
# About this rule.
title:   'A licence: slower'   # short
id: small


# The owner answers mail.
owner: "tests"
effective: {  from: 2020-12-01  }   # the law
references:
    notice: {checked: 2025-01-02, published: 2025-01-01, title: A notice}
parameters:
  # Judgement.
  refused:  # in part
   values:
   - {value: [0.1,0.35, 0.6], from: 2020-12-01,
      reference: 'notice'}
   # later
   - from: 2026-01-01   # new year
     reference: notice
     # by hand
     value: 0.5
   # end of values
   unit: share
rationale: >   # why
    Enough
      to be read.

    Twice.
applies_when:
  instrument: [export_tax,  # one
    quota]
explain: He said {withheld}
# Last words.
"""
TIDY = """\
id: small
# About this rule.
title: "A licence: slower"  # short

# The owner answers mail.
owner: tests
rationale: >  # why
  Enough
    to be read.

  Twice.
references:
  notice: {title: "A notice", published: 2025-01-01, checked: 2025-01-02}
effective: {from: 2020-12-01}  # the law
parameters:
  # Judgement.
  refused:  # in part
    unit: share
    values:
      - {from: 2020-12-01, value: [0.1, 0.35, 0.6], reference: notice}
      # later
      - from: 2026-01-01  # new year
        # by hand
        value: 0.5
        reference: notice
      # end of values
applies_when:
  instrument: [export_tax,  # one
    quota]
explain: "He said {withheld}"
# Last words.
"""


def test_an_untidy_rule_becomes_a_tidy_one() -> None:
    assert laid_out(UNTIDY, "small.yml") == TIDY


@pytest.mark.parametrize("file", sorted(default_texts()))
def test_the_default_rules_are_laid_out(file: str) -> None:
    assert laid_out(default_texts()[file], file) == default_texts()[file]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("a:\n- 1\n- 2\n", "a:\n  - 1\n  - 2\n"),
        ("a: 'no'\n", 'a: "no"\n'),
        ("a: '1e3'\n", 'a: "1e3"\n'),
        ("a: '2025-01-01'\n", 'a: "2025-01-01"\n'),
        ("a: 'it''s'\n", 'a: "it\'s"\n'),
        ('a: "plain words"\r\nb: 1.50\r\n', "a: plain words\nb: 1.50\n"),
        ("a: one\n  two\n", "a: one two\n"),
        ("a: |+\n  x\n\nb: 1\n", 'a: "x\\n\\n"\n\nb: 1\n'),
        ("a: >2\n    x\nb: 1\n", 'a: "  x\\n"\nb: 1\n'),
        ("a: |\n  # text\n  x\n", "a: |\n  # text\n  x\n"),
        ("a: 'x # y' # z\n", 'a: "x # y"  # z\n'),
        ("a: # why\n  1\n", "# why\na: 1\n"),
        ("a:\n  # why\n  1\n", "# why\na: 1\n"),
        ("---\n# c\na: 1\n", "# c\na: 1\n"),
        ("- - 1\n  - 2\n-  # c\n  b: 1\n", "- - 1\n  - 2\n# c\n- b: 1\n"),
        ("{b: 1, a: [ ]}\n", "{b: 1, a: []}\n"),
        ("a:\n  b: 1\n  # in\n# out\nc: 2\n", "a:\n  b: 1\n  # in\n# out\nc: 2\n"),
        ("a: 1\n\n\n\nb: 2\n\n", "a: 1\n\nb: 2\n"),
    ],
)
def test_layout(wrong: str, right: str) -> None:
    assert laid_out(wrong, "small.yml") == right


def test_what_cannot_be_read_is_refused() -> None:
    for text in ("a: [1", "a: &b 1", "a: 1\na: 2", ""):
        with pytest.raises(RuleSyntaxError):
            laid_out(text, "small.yml")


def untidied(text: str, draw: random.Random) -> str:
    """The same rule as a hasty author would write it; still YAML, with comments strewn in."""
    lines, is_text, made = text.split("\n"), False, list[str]()
    for place, line in enumerate(lines):
        is_text = (is_text and line.startswith("  ")) or line.endswith(": >")
        if is_text or not line.strip():
            made.append(line)
            continue
        margin = line[: len(line) - len(line.lstrip())]
        if draw.random() < 0.1:
            made.append(f"{margin}# above {place}")
        if draw.random() < 0.1:
            made.append("")
        if draw.random() < 0.2 and "{" in line and '"' not in line:
            line = line.replace("{", "{ ", 1).replace(", ", ",  ", 1)
        if draw.random() < 0.1 and line.endswith("}") and '"' not in line:
            line = line[:-1] + f"  # inside {place}\n{margin}   }}"
        if draw.random() < 0.1:
            line += f"   # behind {place}"
        made.append(line + " " * draw.randrange(3))
    return "\n".join(made)


@pytest.mark.parametrize("seed", range(5))
def test_untidied_rules_come_back_with_every_comment(seed: int) -> None:
    """`laid_out` itself reads its result again and compares; what is seen here is that it never has to give up."""
    draw = random.Random(seed)
    for file, text in default_texts().items():
        untidy = untidied(text, draw)
        tidy = laid_out(untidy, file)
        assert sorted(c.text for c in comments_of(tidy)) == sorted(c.text for c in comments_of(untidy))
        assert laid_out(tidy, file) == tidy


def test_keys_in_any_order_come_in_the_order_of_the_house() -> None:
    head, *rest = RULE.split("sets: withheld\n")
    assert laid_out("sets: withheld\n" + head + rest[0], "small.yml") == RULE


def test_the_order_knows_every_key_of_a_rule() -> None:
    assert _RULE[()] is keys.RULE
