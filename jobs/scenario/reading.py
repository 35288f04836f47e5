"""Reading scenario files: strict YAML, every fault with its file, line, value and mend."""

from __future__ import annotations

from collections.abc import Mapping as Map
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from engine.language.errors import Location
from engine.language.yaml_subset import Leaf, Mapping, Node, Sequence, parse
from jobs.errors import SettingsError
from jobs.resources import default_scenarios_dir
from jobs.scenario.words import Scenario, Verb
from jobs.suggest import did_you_mean

MAX_BYTES = 200_000
SUFFIX = ".yml"
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class ScenarioFile:
    """A scenario and the place of each of its words."""

    scenario: Scenario
    file: str
    root: Node

    def at(self, place: Place) -> Location:
        """Return the place of a key or value by its path, such as ``("changes", 0, "lapse", "measure_id")``."""
        return _at(self.root, place)

    def fault(self, place: Place, message: str) -> str:
        """Return a fault as it is printed."""
        return _fault(self.at(place), message)


class ScenarioError(SettingsError):
    """A scenario cannot be read, names what does not exist, or contradicts itself; every fault is listed."""

    def __init__(self, file: str, faults: Seq[str]) -> None:
        super().__init__("\n".join([*faults, f"{file}: refused; nothing was scored."]))


def shipped() -> dict[str, Path]:
    """Return the scenarios that come with Curbline, by their name."""
    return {path.stem: path for path in sorted(default_scenarios_dir().glob(f"*{SUFFIX}"))}


def find_scenario(written: str) -> Path:
    """Return the file of a path, or of the name of a scenario that comes with Curbline.

    Raises:
        SettingsError: there is neither.
    """
    path, known = Path(written), shipped()
    if path.is_file():
        return path
    if written in known:
        return known[written]
    raise SettingsError(
        f"{written}: neither a file nor one of the scenarios that come with Curbline{did_you_mean(written, known)}"
    )


def read_scenario(path: Path) -> ScenarioFile:
    """Read one file.

    Raises:
        ScenarioError: it is no strict YAML, or a key or value is wrong; every fault is listed with line and column.
        SettingsError: it cannot be read.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SettingsError(f"{path}: larger than {MAX_BYTES:,} bytes; no scenario is.")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: not UTF-8; save the file as UTF-8.") from None
    except OSError as problem:
        raise SettingsError(f"{path}: cannot be read ({problem.strerror}).") from None
    return parse_scenario(text, path.name)


def parse_scenario(text: str, file: str) -> ScenarioFile:
    """Read the text of a scenario; see `read_scenario`.

    Raises:
        ScenarioError: it is no strict YAML, or a key or value is wrong; every fault is listed with line and column.
    """
    root, problems = parse(text, file)
    if root is None or problems:
        told = [
            _fault(one.location, f"{one.message}; {one.hint}" if one.hint else one.message)
            for one in problems
        ]
        raise ScenarioError(file, told or [f"{file}: the file is empty; start with scenario: its-name"])
    if not isinstance(root, Mapping):
        raise ScenarioError(file, [_fault(root.at, "a scenario is a mapping; start with scenario: its-name")])
    if {"facts", "expect"} <= {str(key.value) for key, _ in root.items}:
        mend = "`curbline rules test` runs it; a scenario has changes:"
        raise ScenarioError(file, [_fault(root.at, f"this is a scenario test of rules; {mend}")])
    try:
        return ScenarioFile(Scenario.model_validate(plain(root)), file, root)
    except ValidationError as problem:
        faults = [_sentence(root, error) for error in problem.errors(include_url=False)]
        raise ScenarioError(file, list(dict.fromkeys(faults))) from None


def plain(node: Node) -> Any:
    """Return a node as plain values."""
    if isinstance(node, Mapping):
        return {str(key.value): plain(value) for key, value in node.items}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return node.value


def _fault(at: Location, message: str) -> str:
    return f"{at.file}:{at.line}:{at.column}: {message}"


def _at(node: Node, place: Place) -> Location:
    """Return the place of the deepest node on the path; of a key where it is a key that is at fault."""
    at = node.at
    for part in place:
        if isinstance(node, Mapping):
            found = [(key, value) for key, value in node.items if str(key.value) == part]
            if not found:
                return at
            key, node = found[0]
            at = node.at if isinstance(node, Leaf) else key.at
        elif isinstance(node, Sequence) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
            at = node.at
        else:
            return at
    return at


def _sentence(root: Node, error: Any) -> str:
    place = tuple(error["loc"])
    kind, name = error["type"], next((str(part) for part in reversed(place) if isinstance(part, str)), "")
    at = _at(root, place)
    if kind == "extra_forbidden":
        what = "change" if _model(place[:-1]) is Verb else "key"
        return _fault(at, f"unknown {what} '{name}'{did_you_mean(name, _keys(place[:-1]))}")
    if kind == "missing":
        parent = next((str(part) for part in reversed(place[:-1]) if isinstance(part, str)), "the scenario")
        return _fault(at, f"{parent} has no {name}; add {name}:")
    shown = error["input"]
    written = f"'{shown}'" if isinstance(shown, str | int | float) or hasattr(shown, "isoformat") else "this"
    message = _MENDS.get(kind, "") or error["msg"].removeprefix("Value error, ").rstrip(".")
    if kind in {"one_verb", "backwards", "disorder"}:
        return _fault(at, f"{name}: {message}" if kind != "one_verb" else message)
    return _fault(at, f"{name} {written}: {message[:1].lower()}{message[1:]}")


_MENDS: Map[str, str] = {
    "date_type": "write a date as YYYY-MM-DD",
    "date_from_datetime_parsing": "write a date as YYYY-MM-DD",
    "date_parsing": "write a date as YYYY-MM-DD",
    "string_type": "write a name",
    "string_pattern_mismatch": "write it in small letters, digits and hyphens, or a country as ISO 3166 alpha-3",
    "too_short": "is empty; write at least one",
    "tuple_type": "write a number, or [low, best, high]",
    "mapping_type": "write key: value lines",
    "model_type": "write key: value lines",
    "model_attributes_type": "write key: value lines",
}


def _model(place: Place) -> type[BaseModel] | None:
    """Return the model of the mapping at a place; None where it has none."""
    model: type[BaseModel] | None = Scenario
    for part in place:
        if isinstance(part, int) or model is None:
            continue
        field = next((f for n, f in model.model_fields.items() if part in (n, f.alias)), None)
        model = _inner(field.annotation) if field else None
    return model


def _inner(kind: Any) -> type[BaseModel] | None:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    return next((found for arg in get_args(kind) if (found := _inner(arg)) is not None), None)


def _keys(place: Place) -> list[str]:
    model = _model(place)
    return [field.alias or name for name, field in model.model_fields.items()] if model else []
