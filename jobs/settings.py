"""Settings of a project: `curbline.toml`, refused whole when a key is unknown or a value is wrong."""

from __future__ import annotations

import math
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError, field_validator

from ground.draws import DEFAULT_DRAWS, check_draws
from jobs.errors import SettingsError
from jobs.operating import (
    AlertSettings,
    CheckSettings,
    RetentionSettings,
    ScheduleSettings,
    Table,
    TellSettings,
)
from jobs.resources import EMBEDDED, default_facts_dir, default_rules_dir
from jobs.suggest import did_you_mean

FILE_NAME = "curbline.toml"
DEFAULT_CURBING_COUNTRY = "CHN"
ALL_COUNTRIES = "all"

#: Whom a run tells of first, unless the settings say otherwise: six large buyers.
DEFAULT_IMPORTERS = ("USA", "EU27", "JPN", "KOR", "GBR", "IND")
MOST_IMPORTERS = 30
MOST_PROCESSES = 4
MEMORY_A_PROCESS = 2e9  # bytes

ImporterCode = Annotated[str, Field(pattern=r"^[A-Z0-9]{2,4}$")]
IMPORTER_KEYS = ("declared_importers", "importers")

CountryCode = Annotated[str, Field(pattern=r"^([A-Z]{3}|all)$")]


class AudienceSettings(Table):
    """Whose workbook of purchases it is: which lines it holds. Without any filter it holds all."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")] = "all"
    owners: tuple[str, ...] = ()
    minerals: tuple[str, ...] = ()
    suppliers: tuple[str, ...] = ()
    least_usd: Annotated[float, Field(ge=0)] = 0.0


class ExportSettings(Table):
    """What a run writes beside the CSV and Parquet tables: workbooks, and the report if it is asked for."""

    importers: tuple[ImporterCode, ...] = ()
    top: Annotated[int, Field(ge=0, le=10_000)] = 50
    audiences: Annotated[tuple[AudienceSettings, ...], Field(max_length=50)] = (AudienceSettings(),)
    report: bool = False


def usable_processes() -> int:
    """Return how many processes score at once unless the settings say so.

    One a processor, and one for every 2 GB of memory: each takes some 800 MB, beside 1.2 GB of the run itself.
    """
    memory_bytes = (
        os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else math.inf
    )
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(max(1, min(processors, memory_bytes / MEMORY_A_PROCESS, MOST_PROCESSES)))


class Settings(Table):
    """Everything that a project may set; each key has a default, so no file is needed.

    Paths are absolute once loaded. ``facts`` are stacked in the order given.
    """

    facts: tuple[Path, ...]
    rules: Path
    out: Path
    curbing_country: CountryCode = DEFAULT_CURBING_COUNTRY
    declared_importers: Annotated[tuple[ImporterCode, ...], Field(max_length=MOST_IMPORTERS)] = (
        DEFAULT_IMPORTERS
    )
    strict: bool = False
    strict_knowledge: bool = False
    keep_snapshots: Annotated[int, Field(ge=1, le=10_000)] | None = None
    draws: int = DEFAULT_DRAWS
    processes: Annotated[int, Field(ge=1, le=64)] = Field(default_factory=usable_processes)
    stale_after_days: Annotated[int, Field(ge=1, le=365)] = 2
    schedule: ScheduleSettings = ScheduleSettings()
    retention: RetentionSettings = RetentionSettings()
    checks: CheckSettings = CheckSettings()
    tell: TellSettings = TellSettings()
    alerts: AlertSettings = AlertSettings()
    export: ExportSettings = ExportSettings()

    @field_validator("draws")
    @classmethod
    def _draws_can_be_made(cls, value: int) -> int:
        return check_draws(value)


def load_settings(path: Path | None = None) -> Settings:
    """Read the settings of a project.

    Args:
        path: The settings file; without it ``curbline.toml`` of the working directory is read if there is one,
            else the defaults hold. Relative paths in the file start at the file's own folder.

    Raises:
        SettingsError: The file is missing, no valid TOML, or holds an unknown key or a wrong value. The message
            lists every fault with its line.
    """
    if path is None:
        path = Path.cwd() / FILE_NAME
        if not path.exists():
            return build_settings({}, base=Path.cwd(), origin=None, text="")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as problem:
        raise SettingsError(
            f"{path}: there is no such settings file. `curbline init DIR` writes one."
        ) from problem
    except UnicodeDecodeError as problem:
        raise SettingsError(
            f"{path}: not UTF-8 at byte {problem.start}. Save the file as UTF-8."
        ) from problem
    except OSError as problem:
        raise SettingsError(f"{path}: cannot be read ({problem.strerror}).") from problem
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise SettingsError(f"{path}: not valid TOML: {problem}.") from problem
    except RecursionError:
        raise SettingsError(
            f"{path}: nested too deeply to be read; the settings are plain keys and two tables."
        ) from None
    return build_settings(values, base=path.resolve().parent, origin=path, text=text)


def build_settings(values: dict[str, Any], *, base: Path, origin: Path | None, text: str) -> Settings:
    """Validate settings values and make their paths absolute.

    Args:
        values: The parsed file, or command-line values of the same shape.
        base: Where relative paths start.
        origin: The file, for error messages; None for values without a file.
        text: The file's text, in which the line of a fault is looked up.

    Raises:
        SettingsError: As for `load_settings`.
    """
    filled = dict(values)
    facts = filled.get("facts", [EMBEDDED])
    if isinstance(facts, list) and all(isinstance(item, str) for item in facts):
        filled["facts"] = tuple(_bundle_path(item, base) for item in facts)
        if not facts:
            filled["facts"] = ()
    rules = filled.get("rules", EMBEDDED)
    if isinstance(rules, str):
        filled["rules"] = default_rules_dir() if rules == EMBEDDED else _absolute(rules, base)
    out = filled.get("out", "curbline-data")
    if isinstance(out, str):
        filled["out"] = _absolute(out, base)
    try:
        settings = Settings.model_validate(filled)
    except ValidationError as problem:
        place = str(origin) if origin else "settings"
        raise SettingsError("\n".join(_sentences(problem, place, text))) from problem
    if not settings.facts:
        place = f"{origin}:{_line_of('facts', text)}" if origin else "settings"
        raise SettingsError(f"{place}: `facts` is empty; name at least one bundle, or '{EMBEDDED}'.")
    return settings


def _absolute(value: str, base: Path) -> Path:
    return (base / Path(value).expanduser()).resolve()


def _bundle_path(value: str, base: Path) -> Path:
    return default_facts_dir() if value == EMBEDDED else _absolute(value, base)


def _line_of(key: str, text: str) -> int:
    """Return the first line that sets a key or opens a table of that name; 1 if it is written another way."""
    pattern = re.compile(rf"""^\s*(\[\s*)?["']?{re.escape(key)}["']?\s*[\].=]""")
    for number, line in enumerate(text.splitlines(), start=1):
        if pattern.match(line):
            return number
    return 1


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the table around a location accepts."""
    model: type[BaseModel] = Settings
    for part in location[:-1]:
        field = model.model_fields.get(str(part))
        if (
            field is None
            or not isinstance(field.annotation, type)
            or not issubclass(field.annotation, BaseModel)
        ):
            return []
        model = field.annotation
    return list(model.model_fields)


def _sentences(problem: ValidationError, place: str, text: str) -> list[str]:
    """Turn every fault into `file:line: sentence`."""
    sentences: list[str] = []
    for error in problem.errors():
        location = error["loc"]
        key = next((str(part) for part in reversed(location) if isinstance(part, str)), "")
        dotted = ".".join(str(part) for part in location)
        where = f"{place}:{_line_of(key, text)}" if text else place
        if error["type"] == "extra_forbidden":
            sentences.append(f"{where}: unknown key '{dotted}'{did_you_mean(key, _known_keys(location))}")
        elif key == "curbing_country" and error["type"] == "string_pattern_mismatch":
            sentences.append(
                f"{where}: curbing_country is {error['input']!r}; write an ISO 3166 alpha-3 code such as CHN, or 'all'."
            )
        elif key in IMPORTER_KEYS and error["type"] == "string_pattern_mismatch":
            sentences.append(
                f"{where}: {key} is {error['input']!r}; write an ISO 3166 alpha-3 code such as DEU, or a bloc such as EU27."
            )
        else:
            message = error["msg"].removeprefix("Value error, ").rstrip(".")
            sentences.append(f"{where}: {dotted} is {error['input']!r}: {message[:1].lower()}{message[1:]}.")
    return sentences
