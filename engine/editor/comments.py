"""Comments of a YAML text and their places; the parser drops them."""

import re
from dataclasses import dataclass

import yaml

from engine.language.yaml_subset import LOADER

_COMMENT = re.compile(r"(?:^|(?<=[\s,\[\]{}]))#.*$", re.MULTILINE)


@dataclass(frozen=True)
class Comment:
    """A comment: where it starts (0-based), its words, and whether it has its line to itself."""

    line: int
    column: int
    text: str
    is_alone: bool


def comments_of(text: str) -> list[Comment]:
    """Return every comment of a text that can be read, in order. A # inside a scalar does not start one."""
    hidden = list(text)
    for token in yaml.scan(text, Loader=LOADER):
        if isinstance(token, yaml.ScalarToken):
            start, end = token.start_mark.index, token.end_mark.index
            if token.style in ("|", ">"):  # a comment may follow the sign, but not come below it
                start = text.index("\n", start) if "\n" in text[start:end] else end
            for place in range(start, end):
                hidden[place] = "\n" if text[place] == "\n" else "x"
    found = []
    for number, line in enumerate("".join(hidden).split("\n")):
        match = _COMMENT.search(line)
        if match:
            found.append(Comment(number, match.start(), match[0].rstrip(), not line[: match.start()].strip()))
    return found
