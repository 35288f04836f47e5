"""YAML, less everything that surprises: no tags, anchors, merge keys, duplicate keys, or words that turn into values.

Every node keeps its place. Scalars are text; a plain (unquoted) one may also be an integer, a decimal with a dot, a
date, ``true`` or ``false``. What YAML 1.1 would turn silently into something else (``no``, ``on``, ``1e3``, ``010``)
is refused with a mend.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import yaml

from engine.language.errors import Location, Problem, RuleSyntaxError

MAX_CHARACTERS: Final = 1_000_000
MAX_SCALAR: Final = 20_000
MAX_DEPTH: Final = 24
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)\Z")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_LOOKS_NUMERIC = re.compile(
    r"[-+]?\.?[0-9][0-9_,.:+-]*%?\Z|[-+]?\.?[0-9][0-9_]*\.?[0-9_]*[eE][-+]?[0-9]+\Z|0[xob][0-9a-fA-F]+\Z|[-+]?\.(inf|nan)\Z",
    re.IGNORECASE,
)
_TRAPS: Final = {"yes", "no", "on", "off", "y", "n", "~", "null", "true", "false"}
# Marks that turn text round, characters without width, control characters, and the line breaks that only YAML 1.1
# knows: with these a line is not what it shows.
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff]"
)
# The parser in C reads ten times as fast; both give the same nodes.
LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Leaf:
    """A scalar and its place."""

    value: str | int | float | bool | date
    at: Location
    is_quoted: bool


@dataclass(frozen=True)
class Sequence:
    """A list and its place."""

    items: "tuple[Node, ...]"
    at: Location


@dataclass(frozen=True)
class Mapping:
    """A mapping and its place; keys are leaves, in the order written."""

    items: "tuple[tuple[Leaf, Node], ...]"
    at: Location


Node = Leaf | Sequence | Mapping


class _Reader:
    """Turns PyYAML's nodes into ours and gathers problems."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.has_escapes = "\\" in text
        self.problems: list[Problem] = []

    def place(self, mark: Any) -> Location:
        if mark is None:
            return Location(self.file)
        return Location(self.file, mark.line + 1, mark.column + 1)

    def refuse(self, at: Location, code: str, message: str, hint: str = "") -> None:
        self.problems.append(Problem(at, code, message, hint))

    def events(self, text: str) -> None:
        """Look at every event before anything is built of them: what the subset lacks, and depth."""
        depth = 0
        for event in yaml.parse(text, Loader=LOADER):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            elif isinstance(event, yaml.DocumentStartEvent) and (event.version or event.tags):
                found = "a line that starts with % is not allowed"
                self.refuse(self.place(event.start_mark), "R002", found, "remove it")
            if not isinstance(event, yaml.NodeEvent):
                continue
            if isinstance(event, yaml.AliasEvent) or event.anchor:
                found = "anchors and aliases (& and *) are not allowed"
                hint = "repeat the lines, or quote the text"
                self.refuse(self.place(event.start_mark), "R002", found, hint)
            tag = getattr(event, "tag", None)
            if tag:
                found, hint = f"tags such as {tag} are not allowed", "remove it, or quote the text"
                self.refuse(self.place(event.start_mark), "R002", found, hint)
            if depth > MAX_DEPTH + 1:
                found = f"the text is nested more than {MAX_DEPTH} levels deep"
                self.refuse(self.place(event.start_mark), "R003", found, "check the brackets")
                return

    def node(self, node: yaml.Node, depth: int = 0) -> Node:
        at = self.place(node.start_mark)
        if depth > MAX_DEPTH:
            self.refuse(at, "R003", f"the text is nested more than {MAX_DEPTH} levels deep", "flatten it")
            return Leaf("", at, is_quoted=True)
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, at)
        if isinstance(node, yaml.SequenceNode):
            return Sequence(tuple(self.node(item, depth + 1) for item in node.value), at)
        return self.mapping(node, at, depth)

    def mapping(self, node: yaml.Node, at: Location, depth: int) -> Mapping:
        items: list[tuple[Leaf, Node]] = []
        seen: dict[str, Location] = {}
        for key_node, value_node in node.value:
            key_at = self.place(key_node.start_mark)
            if not isinstance(key_node, yaml.ScalarNode):
                self.refuse(
                    key_at, "R003", "a key must be a plain word or number", "write the key on one line"
                )
                continue
            if key_node.value == "<<":
                self.refuse(
                    key_at, "R002", "merge keys (<<) are not allowed", "repeat the lines that you need"
                )
                continue
            self.unseen(key_node.value, key_at)
            key = self.key(key_node, key_at)
            if str(key.value) in seen:
                self.refuse(
                    key_at,
                    "R004",
                    f"the key '{key.value}' occurs twice",
                    f"it first occurs in line {seen[str(key.value)].line}",
                )
                continue
            seen[str(key.value)] = key_at
            items.append((key, self.node(value_node, depth + 1)))
        return Mapping(tuple(items), at)

    def unseen(self, text: str, at: Location) -> None:
        """Refuse invisible characters written as escapes, which ``_early_problems`` cannot see."""
        found = _UNSEEN.search(text) if self.has_escapes else None
        if found:
            self.refuse(
                at, "R001", f"an invisible character U+{ord(found[0]):04X} occurs in this text", "remove it"
            )

    @staticmethod
    def key(node: yaml.ScalarNode, at: Location) -> Leaf:
        """Return a key: text as written, or a plain number. Words such as `true` stay text."""
        text = node.value
        if not node.style and _INTEGER.match(text) and len(text) < 16:
            return Leaf(int(text), at, is_quoted=False)
        if not node.style and _DECIMAL.match(text):
            return Leaf(float(text), at, is_quoted=False)
        return Leaf(text, at, is_quoted=bool(node.style))

    def scalar(self, node: yaml.ScalarNode, at: Location) -> Leaf:
        text = node.value
        if len(text) > MAX_SCALAR:
            self.refuse(
                at, "R003", f"a text of {len(text)} characters is too long", f"keep it under {MAX_SCALAR}"
            )
            return Leaf("", at, is_quoted=True)
        self.unseen(text, at)
        if node.style:  # the C parser says "" for plain, the other None
            return Leaf(text, at, is_quoted=True)
        return Leaf(self.plain(text, at), at, is_quoted=False)

    def plain(self, text: str, at: Location) -> str | int | float | bool | date:
        if text in ("true", "false"):
            return text == "true"
        if text == "" or text.lower() in _TRAPS:
            shown = text or "an empty value"
            self.refuse(
                at,
                "R005",
                f"'{shown}' is read differently by different programs",
                "write true or false, or quote the word",
            )
            return text
        if _INTEGER.match(text):
            return int(text) if len(text) < 16 else text
        if _DECIMAL.match(text):
            return float(text)
        if _DATE.match(text):
            try:
                return date.fromisoformat(text)
            except ValueError:
                self.refuse(at, "R006", f"'{text}' is not a date", "write year-month-day")
                return text
        if _LOOKS_NUMERIC.match(text):
            self.refuse(
                at,
                "R005",
                f"'{text}' looks like a number and is read differently by different programs",
                "write 1000 for 1e3, 0.5 for .5, or quote a code",
            )
        return text


def parse(text: str, file: str) -> tuple[Node | None, list[Problem]]:
    """Read one text.

    Returns:
        The root node, or None where it cannot be read, and the problems found (codes R001 to R006).
    """
    early = _early_problems(text, file)
    if early:
        return None, early
    reader = _Reader(text, file)
    try:
        reader.events(text)
        if reader.problems:
            return None, reader.problems
        root = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        mark = reader.place(error.problem_mark or error.context_mark)
        lines = text.splitlines()
        if mark.line > len(lines) > 0:  # where the last line has no end, the parser reports one beyond it
            mark = Location(file, len(lines), len(lines[-1]) + 1)
        words = " ".join(part for part in (error.context, error.problem) if part)
        return None, [
            Problem(
                mark, "R001", f"the text is not valid YAML: {words}", "check the indentation and the quotes"
            )
        ]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return None, [
            Problem(
                Location(file),
                "R001",
                f"the text is not valid YAML: {str(error).splitlines()[0] if str(error) else 'nested too deep'}",
                "check the indentation and the quotes",
            )
        ]
    if root is None:
        return None, [
            Problem(Location(file), "R001", "the file is empty", "write a rule, or remove the file")
        ]
    node = reader.node(root)
    return node, reader.problems


def _early_problems(text: str, file: str) -> list[Problem]:
    """Refuse what must not reach the parser: size, marks of other encodings, tabs, unseen characters."""
    if len(text) > MAX_CHARACTERS:
        return [
            Problem(
                Location(file),
                "R003",
                f"the file has {len(text)} characters",
                f"keep it under {MAX_CHARACTERS}",
            )
        ]
    if "\x00" in text:
        return [
            Problem(
                Location(file), "R001", "the file contains zero bytes, as UTF-16 does", "save it as UTF-8"
            )
        ]
    problems = []
    for number, line in enumerate(text.split("\n"), start=1):
        unseen = _UNSEEN.search(line)
        if unseen:
            problems.append(
                Problem(
                    Location(file, number, unseen.start() + 1),
                    "R001",
                    f"an invisible character U+{ord(unseen[0]):04X} is here",
                    "remove it",
                )
            )
        indent = line[: len(line) - len(line.lstrip())]
        if "\t" in indent:
            problems.append(
                Problem(
                    Location(file, number, indent.index("\t") + 1),
                    "R001",
                    "a tab indents this line",
                    "use spaces",
                )
            )
        if "\r" in line.rstrip("\r"):
            problems.append(
                Problem(
                    Location(file, number, line.index("\r") + 1),
                    "R001",
                    "a bare carriage return is here",
                    "save the file with Unix or Windows line ends",
                )
            )
        if len(problems) > 20:
            break
    return problems


def require(text: str, file: str) -> Node:
    """Return the root node of a text.

    Raises:
        RuleSyntaxError: with every problem found.
    """
    node, problems = parse(text, file)
    if problems or node is None:
        raise RuleSyntaxError(problems)
    return node
