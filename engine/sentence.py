"""Explanation templates: ``{name}`` and ``{name:format}``, with a closed list of formats."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

PLACEHOLDER: Final = re.compile(r"\{([^{}:]*)(?::([^{}]*))?\}")
FORMATS: Final = ("percent", "points", "days", "tonnes", "usd", "date")


def placeholders(template: str) -> list[tuple[str, str]]:
    """Names and formats in a template, in order."""
    return [(match[1], match[2] or "") for match in PLACEHOLDER.finditer(template)]


def fill(template: str, values: Mapping[str, object]) -> str:
    """The sentence; a name without a value reads as ``unknown``."""
    return PLACEHOLDER.sub(lambda match: show(values.get(match[1]), match[2] or ""), template)


def show(value: object, form: str) -> str:
    """One value in a format."""
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
