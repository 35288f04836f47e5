"""Writing a YAML tree in our layout, comments included."""

import json
import re
from typing import Any, Final

import yaml

from engine.editor.comments import Comment
from engine.language import keys
from engine.language.load import FEATURES_FILE, SCORECARD_FILE
from engine.language.yaml_subset import Leaf, Mapping, parse

Path = tuple[str, ...]
_SHARED: Final = {
    ("references", "*"): keys.REFERENCE,
    ("parameters", "*"): keys.PARAMETER,
    ("parameters", "*", "values", "*"): keys.DATED_VALUE,
}
# The order of keys by their path; * is any key or item. Elsewhere the order is the author's.
_RULE: Final[dict[Path, keys.Keys]] = {
    (): keys.RULE,
    **_SHARED,
    ("effective",): keys.EFFECTIVE,
    ("score",): keys.SCORE,
    ("score", "bands", "*"): keys.STEP,
    ("tests", "*"): keys.TEST,
}
_SCORECARD: Final[dict[Path, keys.Keys]] = {
    (): keys.SCORECARD,
    **_SHARED,
    ("bands", "*"): keys.BAND,
    ("factors", "*"): keys.FACTOR,
}
_FEATURES: Final[dict[Path, keys.Keys]] = {(): keys.CATALOGUE, ("features", "*"): keys.FEATURE}
# Always quoted: braces, colons and commas come and go in them.
_SENTENCES: Final = ("explain", "meaning", "url")
_WORDS: Final = re.compile(r"[^\W\d][\w .$%/()+-]*(?<! )\Z|\$\w+\Z")


class Writer:
    """Writes one text; comments are taken from the front as the tree is walked."""

    def __init__(self, text: str, file: str, comments: list[Comment]) -> None:
        """Keep the text, for what is left as written, and the comments in order."""
        self.text = text
        self.lines = text.split("\n")
        self.comments = comments
        self.order = {FEATURES_FILE: _FEATURES, SCORECARD_FILE: _SCORECARD}.get(file, _RULE)

    def document(self, root: yaml.Node) -> str:
        """Return the whole text."""
        if _is_block(root):
            lines = self._block(root, 0, (), len(self.lines))
        else:
            lines = [*self._leads(root.start_mark, 0), self._flow(root, ()) + self._tail(root.end_mark.line)]
        lines += [line for comment in self._taken(len(self.lines), 0) for line in self._comment(comment, 0)]
        return "\n".join(lines).strip("\n") + "\n"

    def _block(self, node: Any, indent: int, path: Path, until: int) -> list[str]:
        """Return lines of a block mapping or list; `until` is the line on which what follows it begins."""
        parts: list[tuple[str, list[str]]] = []
        items = node.value if isinstance(node, yaml.MappingNode) else [(None, item) for item in node.value]
        starts = [(key or value).start_mark.line for key, value in items]
        for place, (key, value) in enumerate(items):
            follows = starts[place + 1] if place + 1 < len(items) else until
            if key is None:
                parts.append(("", self._item(value, indent, (*path, "*"), follows)))
            else:
                parts.append((key.value, self._entry(key, value, indent, path, follows)))
        if isinstance(node, yaml.MappingNode):
            parts = self._sorted(parts, path)
        lines = [line for _, part in parts for line in part]
        while self.comments and self._ends(self.comments[0], node.start_mark.column, until):
            lines += self._comment(self.comments.pop(0), indent)
        return lines

    @staticmethod
    def _ends(comment: Comment, column: int, until: int) -> bool:
        """Return whether a comment below the last line of a block belongs to it by its margin."""
        return comment.is_alone and comment.line < until and comment.column >= column

    def _sorted(self, parts: list[tuple[str, Any]], path: Path) -> list[tuple[str, Any]]:
        order = next((own.order for known, own in self.order.items() if _fits(known, path)), ())
        if any(key not in order for key, _ in parts):
            return parts
        return sorted(parts, key=lambda part: order.index(part[0]))

    def _item(self, node: yaml.Node, indent: int, path: Path, until: int) -> list[str]:
        leads = self._leads(node.start_mark, indent)
        if not _is_block(node):
            return [*leads, *self._leaf("-", node, indent, path)]
        inner = self._block(node, indent + 2, path, until)
        while inner and (not inner[0] or inner[0].lstrip().startswith("#")):
            leads.append(inner.pop(0)[2:])
        return [*leads, " " * indent + "- " + inner[0].lstrip(), *inner[1:]]

    def _entry(
        self, key: yaml.ScalarNode, value: yaml.Node, indent: int, path: Path, until: int
    ) -> list[str]:
        path = (*path, key.value)
        leads = self._leads(key.start_mark, indent)
        name = self._scalar(key, (), is_key=True) + ":"
        if not _is_block(value):
            return [*leads, *self._leaf(name, value, indent, path)]
        head = " " * indent + name + self._tail(key.start_mark.line)
        return [*leads, head, *self._block(value, indent + 2, path, until)]

    def _leaf(self, head: str, node: yaml.Node, indent: int, path: Path) -> list[str]:
        """Return a scalar or brackets behind a key or a dash."""
        margin = " " * indent
        leads = [
            line
            for comment in self._taken(node.start_mark.line, node.start_mark.column)
            for line in self._comment(comment, indent)
        ]
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
            return [*leads, *self._text(margin + head, node, indent)]
        if self.comments and _before(self.comments[0], node.end_mark):
            # A comment inside brackets belongs where it is: these lines stay as they were written.
            self._taken(node.end_mark.line, node.end_mark.column)
            first, *rest = self.text[node.start_mark.index : node.end_mark.index].split("\n")
            lines = [f"{margin}{head} {first.rstrip()}", *(line.rstrip() for line in rest)]
            return [*leads, *lines[:-1], lines[-1] + self._tail(node.end_mark.line)]
        return [*leads, f"{margin}{head} {self._flow(node, path)}{self._tail(node.end_mark.line)}"]

    def _text(self, head: str, node: yaml.ScalarNode, indent: int) -> list[str]:
        """Return a text below its key, line by line as it was written."""
        start = node.start_mark
        header, *raw = self.text[start.index : node.end_mark.index].split("\n")
        sign = header.split("#")[0].strip()
        if not re.fullmatch(r"[|>]-?", sign):
            return [f"{head} {json.dumps(node.value, ensure_ascii=False)}{self._tail(start.line)}"]
        while raw and not raw[-1].strip():
            raw.pop()
        margin = min((len(line) - len(line.lstrip(" ")) for line in raw if line.strip()), default=0)
        body = [" " * (indent + 2) + line[margin:] if line.strip() else "" for line in raw]
        return [f"{head} {sign}{self._tail(start.line)}", *body]

    def _flow(self, node: Any, path: Path) -> str:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if isinstance(node, yaml.SequenceNode):
            return f"[{', '.join(self._flow(item, (*path, '*')) for item in node.value)}]"
        parts: list[tuple[str, Any]] = [
            (key.value, f"{self._scalar(key, (), is_key=True)}: {self._flow(value, (*path, key.value))}")
            for key, value in node.value
        ]
        return f"{{{', '.join(text for _, text in self._sorted(parts, path))}}}"

    @staticmethod
    def _scalar(node: yaml.ScalarNode, path: Path, *, is_key: bool = False) -> str:
        text: str = node.value
        is_sentence = path[-1:] != () and (
            path[-1] in _SENTENCES or (path[-1] == "title" and path[0] == "references")
        )
        if not node.style and (is_key or not is_sentence or not _is_text(text)):
            return text
        return text if not is_sentence and _is_plain_text(text) else json.dumps(text, ensure_ascii=False)

    def _leads(self, mark: Any, indent: int) -> list[str]:
        """Return the comments above a place, and a blank line where there was one before them or the place."""
        lines = [
            line for comment in self._taken(mark.line, mark.column) for line in self._comment(comment, indent)
        ]
        above = mark.line - 1
        is_first = not self.lines[mark.line][: mark.column].strip()
        return [*lines, ""] if is_first and above >= 0 and not self.lines[above].strip() else lines

    def _comment(self, comment: Comment, indent: int) -> list[str]:
        above = comment.line - 1
        has_gap = comment.is_alone and above >= 0 and not self.lines[above].strip()
        return [*([""] if has_gap else []), " " * indent + comment.text]

    def _tail(self, line: int) -> str:
        """Return the comment that ends a line, if there is one."""
        if self.comments and self.comments[0].line == line and not self.comments[0].is_alone:
            return "  " + self.comments.pop(0).text
        return ""

    def _taken(self, line: int, column: int) -> list[Comment]:
        taken = []
        while self.comments and (self.comments[0].line, self.comments[0].column) < (line, column):
            taken.append(self.comments.pop(0))
        return taken


def _before(comment: Comment, mark: Any) -> bool:
    return (comment.line, comment.column) < (mark.line, mark.column)


def _is_block(node: Any) -> bool:
    return isinstance(node, yaml.CollectionNode) and not node.flow_style


def _fits(known: Path, path: Path) -> bool:
    return len(known) == len(path) and all(k in ("*", p) for k, p in zip(known, path, strict=True))


def _is_text(text: str) -> bool:
    """Return whether a plain scalar is read as text, and not as a number, a date or a truth value."""
    node, problems = parse(text, "")
    return not problems and isinstance(node, Leaf) and isinstance(node.value, str)


def _is_plain_text(text: str) -> bool:
    """Return whether the words mean the same without quotes, in brackets too."""
    if not _WORDS.match(text):
        return False
    node, problems = parse(f"[{text}]", "")
    if problems or node is None or isinstance(node, Leaf | Mapping):
        return False
    return [getattr(item, "value", None) for item in node.items] == [text]
