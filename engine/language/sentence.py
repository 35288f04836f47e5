"""Explanation templates: ``{name}`` and ``{name:format}``, with a closed list of formats."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

PLACEHOLDER: Final = re.compile(r"\{([^{}:]*)(?::([^{}]*))?\}")
FORMATS: Final = ("percent", "points", "days", "tonnes", "usd", "date")


def placeholders(template: str) -> list[tuple[str, str]]:
    """Return names and formats in a template, in order."""
    return [(match[1], match[2] or "") for match in PLACEHOLDER.finditer(template)]


def stray_brace(template: str) -> str | None:
    """Return the rest of a template from the first brace that belongs to no placeholder."""
    left = PLACEHOLDER.sub(lambda match: " " * len(match[0]), template)
    found = re.search(r"[{}]", left)
    return template[found.start() : found.start() + 20] if found else None


def fitting_formats(type_: str, unit: str) -> tuple[str, ...]:
    """Return formats that suit a feature or factor; an empty one prints it as it is."""
    if type_ == "date":
        return ("", "date")
    if type_ != "number":
        return ("",)
    by_unit = {
        "share": ("percent",),
        "days": ("days",),
        "t": ("tonnes",),
        "usd": ("usd",),
        "points": ("points",),
    }
    return by_unit.get(unit, ("",))


def fill(template: str, values: Mapping[str, object]) -> str:
    """Return the sentence; a name without a value reads as ``unknown``."""
    return PLACEHOLDER.sub(lambda match: show(values.get(match[1]), match[2] or ""), template)


def show(value: object, form: str) -> str:
    """Return one value in a format."""
    if value is None:
        return "unknown"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value).replace("_", " ")
    match form:
        case "percent":
            return f"{100 * value:.0f} %"
        case "points":
            return f"{value:+.1f} points"
        case "days":
            return f"{value:.0f} days"
        case "tonnes":
            return f"{value:,.0f} t" if abs(value) >= 10 else f"{value:.2g} t"
        case "usd":
            return f"{value:,.0f} USD"
        case _:
            return f"{value:g}"
