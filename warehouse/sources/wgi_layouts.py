"""The layouts in which the World Bank's governance indicators go round, as entries with one set of names.

Long: one row per economy, year and indicator. Wide: a column per indicator and figure (`pve`, `pvs`). DataBank: a row per
economy and series (`PV.EST`), a column per year.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from warehouse.sources.parsed import refused, whole
from warehouse.sources.table import Line
from warehouse.suggest import did_you_mean

INDICATORS = {
    "PV": "political_stability",
    "VA": "voice_accountability",
    "GE": "government_effectiveness",
    "RQ": "regulatory_quality",
    "RL": "rule_of_law",
    "CC": "control_of_corruption",
}
TITLES = {
    "political stability and absence of violence/terrorism": "PV",
    "political stability no violence": "PV",
    "political stability": "PV",
    "voice and accountability": "VA",
    "government effectiveness": "GE",
    "regulatory quality": "RQ",
    "rule of law": "RL",
    "control of corruption": "CC",
}
#: Names of a column in the layouts, in lower case; the first that a file has is taken.
_NAMES = {
    "economy": ("iso3", "code", "economy (code)", "country code"),
    "year": ("year",),
    "indicator": ("indicator", "governance dimension"),
    "estimate": ("estimate", "governance estimate (approx. -2.5 to +2.5)"),
    "error": ("stderr", "stddev", "standard error"),
    "series": ("series code",),
}
_ERROR = _NAMES["error"][0]
_LONG, _DATABANK = ("economy", "year", "indicator", "estimate"), ("economy", "series")
_YEAR = re.compile(r"(\d{4})( \[YR\1\])?")
_SERIES = re.compile(r"(?:GOV_WGI_)?([A-Z]{2})\.(EST|STD\.ERR)")
_OTHER_SERIES = "another series than an estimate or its standard error"


@dataclass(frozen=True, slots=True)
class Entry:
    """One estimate.

    Attributes:
        line: its line in the file.
        cells: `economy`, `year`, `indicator`, `estimate` and `error`, as written; an error that the file lacks is empty.
        columns: the file's own name of the column of each.
    """

    line: int
    cells: Mapping[str, str]
    columns: Mapping[str, str]


def entries(place: str, lines: Sequence[Line], outside: Counter[str]) -> Iterator[Entry]:
    """Return every estimate of a file.

    Args:
        place: the file, for messages.
        lines: its rows.
        outside: counts what is not an estimate.

    Raises:
        BundleError: The columns are those of no known layout.
    """
    if not lines:
        return iter(())
    header = list(lines[0].cells)
    lower = {name.lower(): name for name in reversed(header)}
    found = {
        ours: lower[next(name for name in names if name in lower)]
        for ours, names in _NAMES.items()
        if any(name in lower for name in names)
    }
    wide = {
        code: (lower[f"{code.lower()}e"], lower.get(f"{code.lower()}s", ""))
        for code in INDICATORS
        if f"{code.lower()}e" in lower
    }
    years = {name: match[1] for name in header if (match := _YEAR.fullmatch(name))}
    if all(name in found for name in _LONG):
        near = did_you_mean(_ERROR, lower)
        if "error" not in found and near:
            raise refused(place, f"column '{_ERROR}' is missing{near}", 1)
        return _long(lines, found)
    if "economy" in found and "year" in found and wide:
        return _wide(lines, found, wide)
    if all(name in found for name in _DATABANK) and years:
        return _databank(lines, found, years, outside)
    missing = ", ".join(f"{name} ({' or '.join(_NAMES[name])})" for name in _LONG if name not in found)
    raise refused(
        place,
        f"is in no layout of the World Bank's: column missing for {missing}; it has {', '.join(header)[:160]}. Download "
        "the file as its publisher ships it",
        1,
    )


def indicator(written: str) -> str:
    """Return our name of an indicator written as a code or a title; empty where it is not one."""
    return INDICATORS.get(TITLES.get(written.lower(), written.upper()), "")


def _long(lines: Iterable[Line], found: Mapping[str, str]) -> Iterator[Entry]:
    for line in lines:
        cells = {ours: line.cells[theirs] for ours, theirs in found.items()}
        yield Entry(line.line, {"error": "", **cells, "year": whole(cells["year"])}, found)


def _wide(
    lines: Iterable[Line], found: Mapping[str, str], wide: Mapping[str, tuple[str, str]]
) -> Iterator[Entry]:
    for line in lines:
        for code, (estimate, error) in wide.items():
            cells = {
                "economy": line.cells[found["economy"]],
                "year": whole(line.cells[found["year"]]),
                "indicator": code,
                "estimate": line.cells[estimate],
                "error": line.cells[error] if error else "",
            }
            yield Entry(line.line, cells, {**found, "indicator": "", "estimate": estimate, "error": error})


def _databank(
    lines: Sequence[Line], found: Mapping[str, str], years: Mapping[str, str], outside: Counter[str]
) -> Iterator[Entry]:
    errors: dict[tuple[str, str, str], str] = {}
    estimates: list[tuple[Line, str]] = []
    for line in lines:
        economy, series = line.cells[found["economy"]], line.cells[found["series"]]
        match = _SERIES.fullmatch(series)
        if not any(line.cells.values()):
            continue
        if match is None:
            outside[_OTHER_SERIES] += 1
        elif match[2] == "EST":
            estimates.append((line, match[1]))
        else:
            errors.update(((economy, match[1], column), line.cells[column]) for column in years)
    for line, code in estimates:
        economy = line.cells[found["economy"]]
        for column, year in years.items():
            cells = {
                "economy": economy,
                "year": year,
                "indicator": code,
                "estimate": line.cells[column],
                "error": errors.get((economy, code, column), ""),
            }
            own = {"year": column, "indicator": found["series"], "estimate": column, "error": column}
            yield Entry(line.line, cells, {**found, **own})
