"""One layout for every rule file: the same text in our order, indentation and quotes, with every comment.

Blocks stay blocks and brackets stay brackets, on one line unless there is a comment inside.
Nothing is taken on trust: the result is read again, and must hold the same values and the same comments.
"""

from collections import Counter

import yaml

from engine.editor.comments import comments_of
from engine.editor.writing import Writer
from engine.language.errors import RuleSyntaxError
from engine.language.yaml_subset import LOADER, Leaf, Mapping, Node, Sequence, parse


class LayoutError(ValueError):
    """A text that cannot be laid out without changing what it says; it is left as it is."""


def laid_out(text: str, file: str) -> str:
    """Return a rule text, a catalogue or a scorecard in our layout.

    Args:
        text: the file.
        file: its path below the rules folder; ``features.yml`` and ``scorecard.yml`` have their own order of keys.

    Raises:
        RuleSyntaxError: the text is not in the YAML subset.
        LayoutError: the result would say something else.
    """
    text = text.replace("\r\n", "\n")
    before = _read(text, file)
    made = _written(text, file)
    try:
        after = _read(made, file)
    except RuleSyntaxError as problem:
        raise LayoutError(str(problem)) from problem
    if plain(before) != plain(after) or _said(text) != _said(made) or _written(made, file) != made:
        raise LayoutError(f"{file} would not say the same; it is left as it is")
    return made


def plain(node: Node) -> object:
    """Return what a node says, without its places: mappings as dictionaries of text keys, lists, and values."""
    if isinstance(node, Leaf):
        return type(node.value).__name__, node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    assert isinstance(node, Mapping)  # noqa: S101 - the third kind of node
    return {str(key.value): plain(value) for key, value in node.items}


def _read(text: str, file: str) -> Node:
    node, problems = parse(text, file)
    if node is None or problems:
        raise RuleSyntaxError(problems)
    return node


def _written(text: str, file: str) -> str:
    root = yaml.compose(text, Loader=LOADER)
    assert root is not None  # noqa: S101 - an empty text was refused before
    return Writer(text, file, comments_of(text)).document(root)


def _said(text: str) -> Counter[str]:
    return Counter(comment.text for comment in comments_of(text))
