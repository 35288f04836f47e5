"""Reading keys out of YAML nodes, with a problem for every one that is unknown, missing or of the wrong kind."""

from collections.abc import Iterable
from datetime import date
from typing import Final, TypeVar

from engine.language.errors import Location, Problem, did_you_mean
from engine.language.keys import Keys
from engine.language.rules import Category, ParameterRef, Range, Value
from engine.language.yaml_subset import Leaf, Mapping, Node, Sequence
from ground.counted import counted

T = TypeVar("T")
#: What a scalar is called, by its type.
KINDS: Final[dict[type, str]] = {str: "text", int: "a whole number", bool: "true or false", date: "a date"}


class Reader:
    """Gathers problems while nodes are read; a value that is refused reads as None."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def refuse(self, at: Location, code: str, message: str, hint: str = "") -> None:
        """Note a problem."""
        self.problems.append(Problem(at, code, message, hint))

    def table(self, node: Node | None, what: str) -> Mapping | None:
        """Return the node as a mapping."""
        if isinstance(node, Mapping) or node is None:
            return node
        self.refuse(node.at, "R009", f"{what} must be a mapping of keys and values", "write key: value lines")
        return None

    def rows(self, node: Node | None, what: str) -> tuple[Node, ...]:
        """Return the node as a list."""
        if node is None:
            return ()
        if isinstance(node, Sequence):
            return node.items
        self.refuse(node.at, "R009", f"{what} must be a list", "write it as [a, b] or as - lines")
        return ()

    def fields(self, node: Mapping, what: str, keys: Keys) -> "Fields":
        """Return the keys of a mapping; unknown and missing ones are problems."""
        known = list(keys.order)
        found: dict[str, Node] = {}
        for key, value in node.items:
            name = str(key.value)
            if name in known:
                found[name] = value
            else:
                self.refuse(key.at, "R007", f"unknown key '{name}' in {what}", did_you_mean(name, known))
        for name in keys.required:
            if name not in found:
                self.refuse(node.at, "R008", f"{what} has no key '{name}'", f"add {name}:")
        return Fields(self, found)

    def leaf(self, node: Node | None, kind: type[T], what: str) -> T | None:
        """Return a scalar of one kind; true and false are not numbers."""
        if node is None:
            return None
        if isinstance(node, Leaf) and isinstance(node.value, kind) and type(node.value) is kind:
            return node.value
        shown = f"'{node.value}'" if isinstance(node, Leaf) else "a list or mapping"
        self.refuse(node.at, "R009", f"{what} must be {KINDS[kind]}, not {shown}", f"write {KINDS[kind]}")
        return None

    def number(self, node: Node | None, what: str) -> float | None:
        """Return a whole number or one with a dot."""
        if (
            isinstance(node, Leaf)
            and isinstance(node.value, int | float)
            and not isinstance(node.value, bool)
        ):
            return float(node.value)
        if node is not None:
            shown = f" '{node.value}'" if isinstance(node, Leaf) else " a list or mapping"
            self.refuse(node.at, "R009", f"{what} must be a number, not{shown}", "write a number")
        return None

    def value(self, node: Node | None, what: str) -> Value | None:
        """Return a number, [low, best, high], or $parameter."""
        if node is None:
            return None
        if isinstance(node, Sequence):
            ends = [float(end) for end in (self.number(item, what) for item in node.items) if end is not None]
            if len(ends) != 3:
                if len(node.items) != 3:
                    self.refuse(
                        node.at,
                        "R009",
                        f"{what} has {counted(len(node.items), 'end')}",
                        "write [low, best, high]",
                    )
                return None
            low, best, high = ends
            if not low <= best <= high:
                self.refuse(
                    node.at,
                    "R033",
                    f"{what} is out of order: {low:g}, {best:g}, {high:g}",
                    "write [low, best, high]",
                )
                return None
            return Range(low, best, high)
        if isinstance(node, Leaf):
            if isinstance(node.value, str) and node.value.startswith("$"):
                return ParameterRef(node.value[1:], node.at)
            if isinstance(node.value, int | float) and not isinstance(node.value, bool):
                return Range.exact(float(node.value))
        self.refuse(
            node.at, "R009", f"{what} must be a number, [low, best, high] or $parameter", "write one of these"
        )
        return None

    def category(self, node: Node | None, what: str) -> Category | None:
        """Return a word, number or truth value to compare with."""
        if isinstance(node, Leaf) and not isinstance(node.value, date):
            return node.value
        if node is not None:
            self.refuse(node.at, "R009", f"{what} must be a word, a number, true or false", "write one value")
        return None


class Fields:
    """The keys found in one mapping."""

    def __init__(self, reader: Reader, found: dict[str, Node]) -> None:
        self.reader, self.found = reader, found

    def __contains__(self, name: str) -> bool:
        """Return whether the key is there."""
        return name in self.found

    def node(self, name: str) -> Node | None:
        """Return the node of a key."""
        return self.found.get(name)

    def at(self, name: str) -> Location:
        """Return the place of a key's value."""
        return self.found[name].at if name in self.found else Location(self.reader.file)

    def text(self, name: str, default: str = "") -> str:
        """Return a text."""
        return str(self._one(name, str, default))

    def whole(self, name: str, default: int = 0) -> int:
        """Return a whole number."""
        return int(self._one(name, int, default))

    def truth(self, name: str, *, default: bool = False) -> bool:
        """Return true or false."""
        return bool(self._one(name, bool, default))

    def day(self, name: str) -> date | None:
        """Return a date."""
        return self.reader.leaf(self.node(name), date, name)

    def choice(self, name: str, known: Iterable[str], code: str = "R009", default: str = "") -> str:
        """Return one of a closed list."""
        word, words = self.text(name, default), list(known)
        if name in self.found and word and word not in words:
            self.reader.refuse(self.at(name), code, f"unknown {name} '{word}'", did_you_mean(word, words))
        return word

    def _one(self, name: str, kind: type[T], default: T) -> T:
        value: T | None = self.reader.leaf(self.node(name), kind, name)
        return default if value is None else value
