"""Smelter declarations (CMRT, EMRT, AMRT) read as evidence of origin. They are read alone: no look-alike is ever written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from jobs.errors import InputError
from jobs.purchases.cells import CellError, clean
from jobs.purchases.headers import Headers, plain
from jobs.purchases.names import Names
from jobs.purchases.sheets import WORKBOOKS, read_table

SMELTERS = Headers(
    {
        "metal": ("metal *", "metal", "mineral", "mineral *", "metal drop down"),
        "smelter": (
            "smelter name 1",
            "smelter name",
            "smelter look up",
            "smelter look up *",
            "smelter reference list",
        ),
        "country": ("smelter country *", "smelter country", "smelter facility location country"),
    },
    (("metal",), ("country",)),
)
#: A smelter makes these; what mines are behind it is not declared by its country.
MADE_BY_SMELTERS = ("refined", "metal")
COMPANY = "company name"


@dataclass(frozen=True)
class Declaration:
    """What one supplier declares.

    Attributes:
        supplier: as it calls itself.
        countries: of its smelters, by mineral.
        name: of the file.   notes: what could not be read.
    """

    supplier: str
    countries: Mapping[str, frozenset[str]]
    name: str
    notes: Sequence[str]


def read_declaration(path: Path, names: Names) -> Declaration:
    """Read one declaration.

    Raises:
        InputError: it is no workbook, has no smelter list, or does not say whose it is.
    """
    from warehouse.errors import BundleError
    from warehouse.sources.workbook import sheets

    if path.suffix.casefold() not in WORKBOOKS:
        raise InputError(f"{path}: a declaration is a workbook; give the file as the supplier sent it.")
    raw = read_table(path, SMELTERS)
    try:
        rows = [row for sheet in sheets(path) for row in sheet.rows if sheet.name != raw.sheet]
    except BundleError as problem:  # it was read a moment ago
        raise InputError(f"{path}: {problem}") from problem
    supplier = next((found for row in rows if (found := _company(row))), "")
    if not supplier:
        raise InputError(
            f"{path}: does not say whose it is; a declaration has a row 'Company Name' with the name beside it."
        )
    countries: dict[str, set[str]] = {}
    notes = []
    for number, cells in raw.rows:
        text = {field: cells[place] if place < len(cells) else "" for place, field in raw.fields.items()}
        mineral = names.minerals.get(plain(text["metal"]))
        if mineral is None or not text["country"]:
            continue  # gold, mica and others that are not followed; rows that are not filled in
        try:
            countries.setdefault(mineral, set()).add(names.country(text["country"]))
        except CellError as problem:
            notes.append(f"{path.name}: row {number}: smelter country '{text['country']}' {problem}")
    by_mineral = {mineral: frozenset(where) for mineral, where in sorted(countries.items())}
    return Declaration(supplier, by_mineral, path.name, notes)


def _company(row: Sequence[str]) -> str:
    """Return the name beside 'Company Name'; empty in any other row."""
    cells = [clean(cell) for cell in row]
    for place, cell in enumerate(cells):
        if plain(cell) == COMPANY:
            return next((other for other in cells[place + 1 :] if other), "")
    return ""


def with_evidence(lines: pl.DataFrame, declarations: Sequence[Declaration]) -> tuple[pl.DataFrame, list[str]]:
    """Give lines without an origin the country of their supplier's smelters, where it names one alone; say what was done.

    Several countries are no origin: the line keeps none, and its note names them.
    """
    told: list[str] = []
    for one in declarations:
        told += one.notes
        own = pl.col("supplier_name").map_elements(plain, return_dtype=pl.String) == plain(one.supplier)
        if lines.filter(own).is_empty():
            told.append(f"{one.name}: '{one.supplier}' is no supplier of these lines")
        for mineral, where in one.countries.items():
            fits = (
                own
                & (pl.col("mineral") == mineral)
                & pl.col("stage").is_in(MADE_BY_SMELTERS)
                & pl.col("origin").is_null()
            )
            if lines.filter(fits).is_empty():
                continue
            shown = ", ".join(sorted(where))
            says = f"smelters in {shown} by {one.name}"
            note = pl.concat_str(pl.col("note"), pl.lit(says), separator="; ", ignore_nulls=True)
            origin = pl.lit(next(iter(where))) if len(where) == 1 else pl.col("origin")
            lines = lines.with_columns(
                origin=pl.when(fits).then(origin).otherwise("origin"),
                note=pl.when(fits).then(note).otherwise("note"),
            )
            told.append(
                f"{mineral} of {one.supplier}: {says}"
                + ("" if len(where) == 1 else "; of several countries none is taken")
            )
    return lines, told
