"""A file of new facts as a person writes it: rows of one or several tables, each with its place for messages.

YAML in the strict subset of the rules. A key is a table with its rows; `source_id` and `known_from` beside the tables
hold for every row that does not state its own. A range may be written as [low, best, high], a list of names as a list.
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from engine.language.errors import Location, Problem
from engine.language.yaml_subset import Leaf, Mapping, Node, Sequence, parse
from ground.words import ENDS
from jobs.errors import InputError
from jobs.suggest import did_you_mean
from warehouse.records.tables import TABLES, columns

_EVERY_ROW = ("source_id", "known_from")
CORRECTIONS, RETRACTIONS = "corrections", "retractions"
_AMENDS = (CORRECTIONS, RETRACTIONS)
_MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class NewRow:
    """One row to add.

    Attributes:
        table: fact table.
        cells: text by column; columns that are not written are left out.
        at: where the row starts.
        places: the place of each cell.
    """

    table: str
    cells: Map[str, str]
    at: Location
    places: Map[str, Location]


@dataclass(frozen=True)
class Amendment:
    """A row to correct or to retract: what names it, and what of it is otherwise.

    Attributes:
        table: fact table.
        of: cells that name the one row.
        sets: cells that are otherwise; for a retraction, none.
        shared: cells of the file that hold for every row.
        is_retraction: nothing takes the row's place.
        at: where it starts in the file.
    """

    table: str
    of: Map[str, str]
    sets: Map[str, str]
    shared: Map[str, str]
    is_retraction: bool
    at: Location


def read_facts_file(path: Path) -> tuple[list[NewRow], list[Amendment]]:
    """Read the rows of a file, in the order in which tables are loaded: what is referred to comes first; and amendments.

    Raises:
        InputError: The file cannot be read, or not understood; every problem is listed with line and column.
    """
    text = _text(path)
    root, problems = parse(text, path.name)
    if root is not None and not problems:
        rows = _Rows(path.name)
        rows.read(root)
        problems = rows.problems
        if not problems:
            order = list(TABLES)
            return sorted(rows.found, key=lambda row: order.index(row.table)), rows.amended
    raise InputError(
        "\n".join([*(_line(problem) for problem in problems), f"{path}: refused; nothing was added."])
    )


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(
                f"{path}: larger than {_MAX_BYTES:,} bytes, the limit for rows added by hand; stack a bundle instead."
            )
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8; save the file as UTF-8.") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); name the file to add.") from None


def _line(problem: Problem) -> str:
    hint = f"; {problem.hint}" if problem.hint else ""
    return (
        f"{problem.location.file}:{problem.location.line}:{problem.location.column}: {problem.message}{hint}"
    )


class _Rows:
    """Turns the nodes into rows and gathers problems."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[NewRow] = []
        self.amended: list[Amendment] = []
        self.problems: list[Problem] = []

    def refuse(self, at: Location, message: str, hint: str = "") -> None:
        self.problems.append(Problem(at, "facts", message, hint))

    def read(self, root: Node) -> None:
        if not isinstance(root, Mapping):
            self.refuse(root.at, "a facts file is a mapping of tables", "start with a line such as measures:")
            return
        shared: dict[str, tuple[str, Location]] = {}
        for key, value in root.items:
            name = str(key.value)
            if name in _EVERY_ROW:
                if isinstance(value, Leaf):
                    shared[name] = (_written(value), value.at)
                else:
                    self.refuse(value.at, f"{name} is one value for every row", "write it on one line")
        for key, value in root.items:
            name = str(key.value)
            if name in _EVERY_ROW:
                continue
            if name not in TABLES and name not in _AMENDS:
                self.refuse(
                    key.at,
                    f"'{name}' is not a fact table{did_you_mean(name, [*TABLES, *_EVERY_ROW, *_AMENDS])}",
                )
            elif not isinstance(value, Sequence) or not value.items:
                self.refuse(value.at, f"{name} is a list of rows", "start each row with a dash")
            else:
                for item in value.items:
                    if name in _AMENDS:
                        self.amendment(name, item, shared)
                    else:
                        self.row(name, item, shared)
        if not self.found and not self.amended and not self.problems:
            self.refuse(root.at, "the file contains no row", "add a table with rows, such as measure_states:")

    def amendment(self, kind: str, node: Node, shared: Map[str, tuple[str, Location]]) -> None:
        """Read `{table: …, of: {…}, set: {…}}`; a retraction has no `set`."""
        parts = {str(key.value): value for key, value in node.items} if isinstance(node, Mapping) else {}
        wanted = {"table", "of"} | ({"set"} if kind == CORRECTIONS else set())
        table = parts.get("table")
        if set(parts) != wanted or not isinstance(table, Leaf):
            self.refuse(
                node.at,
                f"an entry of {kind} has {', '.join(sorted(wanted))}",
                "write table: measure_states, and so on",
            )
            return
        name = str(table.value)
        if name not in TABLES:
            self.refuse(table.at, f"'{name}' is not a fact table{did_you_mean(name, TABLES)}")
            return
        # What names a row, and what is otherwise, are cells like any: read as a row, so that faults are found.
        read = {}
        for part in sorted(wanted - {"table"}):
            before = len(self.found)
            self.row(name, parts[part], {})
            read[part] = self.found.pop().cells if len(self.found) > before else {}
        if not read["of"]:
            self.refuse(node.at, f"an entry of {kind} names no row", "write of: {measure_id: …, state: …}")
        common = {column: text for column, (text, _) in shared.items()}
        self.amended.append(
            Amendment(name, read["of"], read.get("set", {}), common, kind == RETRACTIONS, node.at)
        )

    def row(self, table: str, node: Node, shared: Map[str, tuple[str, Location]]) -> None:
        if not isinstance(node, Mapping):
            self.refuse(node.at, f"a row of {table} is a mapping of columns", "write column: value")
            return
        known = [column.name for column in columns(table)]
        stems = {name.removesuffix("_low") for name in known if name.endswith("_low")}
        cells: dict[str, str] = {}
        places: dict[str, Location] = {}
        for key, value in node.items:
            name = str(key.value)
            if name in stems and name not in known:
                cells |= self.ends(name, value)
                places |= dict.fromkeys((f"{name}_{end}" for end in ENDS), value.at)
            elif name not in known:
                self.refuse(
                    key.at, f"'{name}' is not a column of {table}{did_you_mean(name, [*known, *stems])}"
                )
            elif isinstance(value, Leaf):
                cells[name], places[name] = _written(value), value.at
            elif isinstance(value, Sequence) and all(isinstance(item, Leaf) for item in value.items):
                cells[name] = ";".join(_written(item) for item in value.items if isinstance(item, Leaf))
                places[name] = value.at
            else:
                self.refuse(value.at, f"{name} is one value, or a list of names", "write it on one line")
        for name, (text, at) in shared.items():
            if name in known and name not in cells and (name, table) != ("source_id", "sources"):
                cells[name], places[name] = text, at
        self.found.append(NewRow(table, cells, node.at, places))

    def ends(self, stem: str, value: Node) -> dict[str, str]:
        if isinstance(value, Sequence) and len(value.items) == len(ENDS):
            leaves = [item for item in value.items if isinstance(item, Leaf)]
            if len(leaves) == len(ENDS):
                return {f"{stem}_{end}": _written(leaf) for end, leaf in zip(ENDS, leaves, strict=True)}
        self.refuse(
            value.at, f"{stem} is a range", f"write {stem}: [low, best, high], or {stem}_low and so on"
        )
        return {}


def _written(leaf: Leaf) -> str:
    value = leaf.value
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)
