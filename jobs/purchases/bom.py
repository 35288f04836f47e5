"""A bill of materials: which minerals a part holds, through as many levels as it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jobs.errors import InputError
from jobs.purchases.cells import CellError, comma_is_decimal, numeric_part, share
from jobs.purchases.headers import Headers
from jobs.purchases.names import Names
from jobs.purchases.sheets import read_table

COLUMNS = Headers(
    {
        "parent": ("assembly", "parent part", "oberteil", "baugruppe"),
        "child": ("component", "child part", "material", "komponente", "unterteil"),
        "mass_share": ("share", "mass fraction", "weight share", "massenanteil", "mass", "weight %"),
        "stage": ("form", "processing stage"),
    },
    (("parent",), ("child",), ("mass_share",)),
)
ROUNDING = 1e-6  # shares are written with few digits
SHOWN = 5
Good = tuple[str, str]


@dataclass
class Bom:
    """The minerals of every part, by mass share.

    Attributes:
        goods: part to minerals and stages with their shares of its mass, the largest first.
        notes: what a reader should know.
    """

    goods: Mapping[str, Mapping[Good, float]]
    notes: list[str] = field(default_factory=list)


def read_bom(path: Path, names: Names) -> Bom:
    """Read parents, children and mass shares; a child is a part that is a parent itself, or a mineral.

    Raises:
        InputError: a share is none, those of a part come to more than 1, or parts contain each other in a circle.
    """
    raw = read_table(path, COLUMNS)
    places = {name: place for place, name in raw.fields.items()}
    try:
        comma = comma_is_decimal(
            numeric_part(cells[places["mass_share"]])
            for _, cells in raw.rows
            if len(cells) > places["mass_share"]
        )
    except CellError as problem:
        raise InputError(
            f"{path}: column '{raw.header[places['mass_share']]}' {problem}; write them one way."
        ) from None
    faults: list[str] = []
    children: dict[str, dict[tuple[str, str], float]] = {}
    for number, cells in raw.rows:
        text = {name: cells[place] if place < len(cells) else "" for name, place in places.items()}
        try:
            if not (text["parent"] and text["child"]):
                raise CellError("names no parent or no child")
            part = share(text["mass_share"], decimal_comma=comma) if text["mass_share"] else 0.0
            if part <= 0:
                raise CellError(f"mass_share '{text['mass_share']}' is not above 0")
            own = children.setdefault(text["parent"], {})
            key = (text["child"], text.get("stage", ""))
            own[key] = own.get(key, 0.0) + part
        except CellError as problem:
            faults.append(f"row {number}: {problem}")
    faults += [
        f"the shares of {parent} come to {sum(own.values()):.4g}, more than 1"
        for parent, own in children.items()
        if sum(own.values()) > 1 + ROUNDING
    ]
    _require(path, faults)
    found = _Opened(children, names)
    goods = {parent: found.of(parent, ()) for parent in children}
    _require(path, found.faults)
    held = {
        part: dict(sorted(own.items(), key=lambda one: (-one[1], one[0])))
        for part, own in goods.items()
        if own
    }
    unknown = (
        [f"not minerals that are followed, and passed over: {', '.join(sorted(found.passed)[:8])}"]
        if found.passed
        else []
    )
    return Bom(held, unknown)


def _require(path: Path, faults: list[str]) -> None:
    if faults:
        more = f" And {len(faults) - SHOWN} more." if len(faults) > SHOWN else ""
        raise InputError(
            f"{path}: {'; '.join(faults[:SHOWN])}.{more} Mend the bill of materials; nothing of it was taken."
        )


class _Opened:
    """Opens parts down to their minerals.

    Args:
        children: of each part, with shares.   names: of the facts.
    """

    def __init__(self, children: Mapping[str, Mapping[tuple[str, str], float]], names: Names) -> None:
        self.children, self.names = children, names
        self.faults: list[str] = []
        self.passed: set[str] = set()
        self._done: dict[str, dict[Good, float]] = {}

    def of(self, part: str, above: tuple[str, ...]) -> dict[Good, float]:
        """Return the minerals of a part; parts that contain themselves are told once."""
        if part in above:
            circle = " → ".join((*above[above.index(part) :], part))
            if not self.faults:
                self.faults.append(f"parts contain each other in a circle: {circle}")
            return {}
        if part in self._done:
            return self._done[part]
        goods: dict[Good, float] = {}
        for (child, stage), part_share in self.children[part].items():
            inner = self.of(child, (*above, part)) if child in self.children else self._mineral(child, stage)
            for good, own in inner.items():
                goods[good] = goods.get(good, 0.0) + own * part_share
        self._done[part] = goods
        return goods

    def _mineral(self, child: str, stage: str) -> dict[Good, float]:
        try:
            mineral, found, _ = self.names.good(child, stage, "")
        except CellError:
            self.passed.add(child)
            return {}
        return {(mineral, found): 1.0}
