"""The lines of a company's purchases out of its file: what is taken, with which notes, and what is not and why."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any, TypeVar

import polars as pl

from jobs.purchases.bom import Bom
from jobs.purchases.cells import CellError, comma_is_decimal, money, number, numeric_part
from jobs.purchases.headers import carried
from jobs.purchases.names import Names
from jobs.purchases.sheets import Raw

#: Columns of a checked line; the file that is kept has these, in this order.
LINE: Mapping[str, pl.DataType] = {
    "line_id": pl.String(), "supplier_id": pl.String(), "supplier_name": pl.String(),
    "supplier_country": pl.String(), "part": pl.String(), "mineral": pl.String(), "stage": pl.String(),
    "hs6": pl.String(), "cn8": pl.String(), "origin": pl.String(), "destination": pl.String(),
    "incoterm": pl.String(), "quantity_t": pl.Float64(), "annual_spend": pl.Float64(), "currency": pl.String(),
    "usd_per_unit": pl.Float64(), "rate_date": pl.Date(), "rate_source": pl.String(), "spend_usd": pl.Float64(),
    "stock_days": pl.Float64(), "owner": pl.String(), "end_use": pl.String(), "year": pl.Int64(),
    "note": pl.String(), "contains": pl.String(), "row_in_file": pl.Int64(),
}  # fmt: skip
REJECTED = {"row_in_file": pl.Int64, "reason": pl.String, "cells": pl.String}
#: What a line is recognised by from one file to the next, where it has no id of its own.
IDENTITY = ("supplier_id", "supplier_name", "part", "mineral", "stage", "origin", "destination")
_TOTAL = re.compile(
    r"^(sub ?-?total|grand total|total|sum|summe|gesamt|zwischensumme|somme)\b", re.IGNORECASE
)
_COUNTED = frozenset(
    ("pc", "pcs", "pce", "ea", "each", "piece", "pieces", "st", "stk", "stück", "unit", "units", "set")
)
_UNIT_WORDS = {"to": "tonne", "mt": "tonne", "t": "tonne", "tonnes": "tonne", "tons": "", "ton": "", "kgs": "kg", "lbs": "lb", "kilos": "kg"}  # fmt: skip
MOST_DAYS = 3650
_T = TypeVar("_T")


@dataclass(frozen=True)
class Rate:
    """What a unit of a currency is worth."""

    usd_per_unit: float
    rate_date: date | None
    source: str


USD = {"USD": Rate(1.0, None, "is the base currency")}


@dataclass(frozen=True)
class Checked:
    """A file that was checked.

    Attributes:
        lines: with the columns of LINE.   rejected: with the columns of REJECTED.
        raw: the table as it was read.   notes: what a reader should know.
    """

    lines: pl.DataFrame
    rejected: pl.DataFrame
    raw: Raw
    notes: list[str] = field(default_factory=list)


def check(
    raw: Raw,
    names: Names,
    rates: Mapping[str, Rate] = USD,
    destination: str | None = None,
    bom: Bom | None = None,
) -> Checked:
    """Check every row of a table.

    Args:
        raw: the table.
        names: of the facts.
        rates: by currency; what has none is refused.
        destination: country of the company's own site, where a line names none.
        bom: what parts hold, for lines that name neither a mineral nor a code.
    """
    notes = list(raw.notes)
    places = {name: place for place, name in raw.fields.items()}
    commas = {
        name: _decimals(raw, places, name, notes) for name in ("quantity", "annual_spend", "stock_days")
    }
    read = _Reading(raw, places, names, rates, destination, commas, bom or Bom({}))
    lines, rejected = [], []
    seen: dict[tuple[str, ...], int] = {}
    ids: dict[str, int] = {}
    for row_number, cells in raw.rows:
        try:
            same = seen.setdefault(tuple(cells), row_number)
            if same != row_number:
                raise CellError(f"says the same as row {same}")
            row = read.line(cells)
            if row["line_id"] and row["line_id"] in ids:
                raise CellError(f"has the id '{row['line_id']}' of row {ids[row['line_id']]}")
            row["line_id"] = row["line_id"] or _own_id(row, ids)
            ids[row["line_id"]] = row_number
            lines.append({**row, "row_in_file": row_number})
        except CellError as problem:
            rejected.append((row_number, f"{problem}.", " | ".join(cells).strip(" |")[:500]))
    frame = pl.DataFrame(lines, schema=dict(LINE), orient="row")
    notes += _duplicates(frame)
    return Checked(frame, pl.DataFrame(rejected, schema=REJECTED, orient="row"), raw, notes)


def _decimals(raw: Raw, places: Mapping[str, int], name: str, notes: list[str]) -> bool | CellError | None:
    """Return how a column writes decimals; an error for those of its cells that could be read either way."""
    if name not in places:
        return None
    at = places[name]
    cells = [numeric_part(cells[at]) for _, cells in raw.rows if at < len(cells)]
    try:
        comma = comma_is_decimal(cells)
    except CellError as problem:
        notes.append(
            f"column '{raw.header[at]}' {problem}; cells such as 1,234 are refused, since they could be either"
        )
        return problem
    if comma:
        notes.append(f"column '{raw.header[at]}': a comma is read as the decimal sign")
    return comma


def _own_id(row: Mapping[str, Any], ids: Mapping[str, int]) -> str:
    text = "\n".join(str(row[name] or "") for name in IDENTITY)
    stem = hashlib.sha256(text.encode("utf-8")).hexdigest()[:10]
    tried = stem
    times = 1
    while tried in ids:
        times += 1
        tried = f"{stem}-{times}"
    return tried


def _duplicates(lines: pl.DataFrame) -> list[str]:
    twice = lines.filter(pl.col("part").is_not_null() & pl.struct("part", "supplier_name").is_duplicated())
    if twice.is_empty():
        return []
    shown = ", ".join(twice["part"].unique().sort().head(5).to_list())
    return [f"parts on several lines of one supplier, all of them kept: {shown}"]


@dataclass(frozen=True)
class _Reading:
    """One table's rows, read with what its columns are."""

    raw: Raw
    places: Mapping[str, int]
    names: Names
    rates: Mapping[str, Rate]
    destination: str | None
    commas: Mapping[str, bool | CellError | None]
    bom: Bom

    def line(self, cells: list[str]) -> dict[str, Any]:
        """Return a line, still without an id of its own where it has none.

        Raises:
            CellError: it cannot be taken.
        """
        texts = {name: self._cell(cells, name) for name in self.places}

        def text(name: str) -> str:
            return texts.get(name, "")

        if any(_TOTAL.match(cell) for cell in cells if cell):
            raise CellError("is a total of other rows")
        notes: list[str] = []
        code, cn8 = _code(text("hs6"), "hs6", (6, 8, 10)), _code(text("cn8"), "cn8", (8, 10))
        code = code[:6] or cn8[:6]
        goods = {} if text("mineral") or code else self.bom.goods.get(text("part"), {})
        if not (text("mineral") or code or goods):
            raise CellError("names neither a mineral nor a code")
        if goods:
            (mineral, stage), assumed = next(iter(goods)), None
        else:
            mineral, stage, assumed = self.names.good(text("mineral"), text("stage"), code)
        notes += [assumed] if assumed else []
        row: dict[str, Any] = {
            name: text(name) or None for name in ("supplier_id", "supplier_name", "part", "owner", "end_use")
        }
        row |= {
            "line_id": text("line_id"),
            "mineral": mineral,
            "stage": stage,
            "hs6": code or None,
            "cn8": cn8[:8] or None,
        }
        for name in ("supplier_country", "origin", "destination"):
            row[name] = self._country(name, text(name))
        row["destination"] = row["destination"] or self.destination
        row["incoterm"] = text("incoterm").upper()[:3] or None
        row["quantity_t"] = self._tonnes(text("quantity"), text("unit"), notes)
        row |= self._spend(text("annual_spend"), text("currency"))
        row["stock_days"] = self._days(text("stock_days"))
        row["year"] = _year(text("year"))
        row["contains"] = "; ".join(f"{one} {form} {part:.6g}" for (one, form), part in goods.items()) or None
        row["note"] = "; ".join(notes) or None
        return row

    def _cell(self, cells: list[str], name: str) -> str:
        place = self.places[name]
        return cells[place] if place < len(cells) else ""

    def _header(self, name: str) -> str:
        return carried(self.raw.header[self.places[name]]) if name in self.places else ""

    def _comma(self, name: str, cell: str) -> bool | None:
        comma = self.commas[name]
        if isinstance(comma, CellError):
            bare = numeric_part(cell)
            if bare.count(",") + bare.count(".") == 1 and re.search(r"[,.]\d{3}$", bare):
                raise CellError(f"{name} '{cell}' could be thousands or decimals in a column that {comma}")
            return comma_is_decimal([bare])
        return comma

    def _country(self, name: str, text: str) -> str | None:
        return _said(name, text, lambda: self.names.country(text)) if text else None

    def _tonnes(self, text: str, unit: str, notes: list[str]) -> float | None:
        if not text:
            notes.append("quantity not given")
            return None
        found = re.match(r"^([^A-Za-zµ]*?)\s*([A-Za-z].*)?$", text)
        amount, own = (found[1], found[2] or "") if found else (text, "")
        header = self._header("quantity") or (
            "kg" if self.raw.header[self.places["quantity"]].casefold() == "kg" else ""
        )
        units = {one.strip(". ").casefold() for one in (own, unit) if one}
        if len(units) > 1:
            raise CellError(
                f"quantity '{text}' is in {own}, and the unit is {unit}; give the line one of them"
            )
        name = next(iter(units), header.casefold())
        if not name:
            raise CellError(f"quantity '{text}' has no unit; add a column unit, such as kg or t")
        value = _said(
            "quantity", text, lambda: number(amount.strip(), decimal_comma=self._comma("quantity", amount))
        )
        if value < 0:
            raise CellError(f"quantity '{text}' is less than nothing")
        if name in _COUNTED:
            notes.append(f"quantity in {name} is no mass, so tonnes are unknown")
            return None
        return value * _tonnes_per(name, text)

    def _spend(self, text: str, currency: str) -> dict[str, Any]:
        empty = dict.fromkeys(
            ("annual_spend", "currency", "usd_per_unit", "rate_date", "rate_source", "spend_usd")
        )
        if not text:
            return empty
        own = _said(
            "annual_spend", text, lambda: money(text, decimal_comma=self._comma("annual_spend", text))
        )
        header = self.raw.header[self.places["annual_spend"]]
        of_header = self._header("annual_spend").upper() or ("USD" if header.casefold() == "usd" else "")
        given = _said("currency", currency, lambda: _currency(currency)) if currency else None
        named = {one for one in (own.currency, given) if one} or ({of_header} if of_header else set())
        if len(named) > 1:
            raise CellError(
                f"annual_spend '{text}' is in {own.currency} and the currency is {given}; give the line one of them"
            )
        if not named:
            raise CellError(f"annual_spend '{text}' has no currency; add a column currency, such as USD")
        (code,) = named
        rate = self.rates.get(code)
        if rate is None:
            raise CellError(
                f"annual_spend is in {code}, of which no rate is known; give --currencies FILE with currency, usd_per_unit, rate_date, source"
            )
        if own.amount is None or own.amount < 0:
            raise CellError(f"annual_spend '{text}' is less than nothing")
        return {
            "annual_spend": own.amount, "currency": code, "usd_per_unit": rate.usd_per_unit, "rate_date": rate.rate_date,
            "rate_source": rate.source, "spend_usd": own.amount * rate.usd_per_unit,
        }  # fmt: skip

    def _days(self, text: str) -> float | None:
        if not text:
            return None
        found = re.match(r"^(.*?)\s*(d|days?|tage?|weeks?|wochen?|months?|monate?)?\.?$", text, re.IGNORECASE)
        amount, word = (found[1], (found[2] or "d").casefold()) if found else (text, "d")
        value = _said(
            "stock_days", text, lambda: number(amount, decimal_comma=self._comma("stock_days", amount))
        )
        days = value * (7 if word.startswith("w") else 365 / 12 if word.startswith("m") else 1)
        if not 0 <= days <= MOST_DAYS:
            raise CellError(f"stock_days '{text}' lies outside 0 to {MOST_DAYS} days")
        return days


def _said(name: str, text: str, read: Callable[[], _T]) -> _T:
    try:
        return read()
    except CellError as problem:
        raise CellError(
            f"{name} '{text}' {problem}" if not str(problem).startswith(name) else str(problem)
        ) from None


def _currency(text: str) -> str:
    code = text.strip().upper()
    if not re.fullmatch(r"[A-Z]{3}", code):
        found = money(f"0 {text}", decimal_comma=None).currency
        if found is None:
            raise CellError("is no currency; write its code of three letters")
        return found
    return code


def _code(text: str, name: str, lengths: tuple[int, ...]) -> str:
    """Return a customs code as digits; a workbook that took it for a number has lost its leading zero."""
    digits = re.sub(r"[\s.]", "", text)
    if not digits:
        return ""
    if not digits.isdigit():
        raise CellError(f"{name} '{text}' is no customs code")
    if len(digits) + 1 in lengths and digits[0] in "123456789" and len(digits) % 2:
        digits = f"0{digits}"
    if len(digits) not in lengths:
        raise CellError(f"{name} '{text}' has {len(digits)} digits, not {' or '.join(map(str, lengths))}")
    return digits


def _year(text: str) -> int | None:
    found = re.search(r"(19|20)\d{2}", text)
    if text and not found:
        raise CellError(f"year '{text}' is no year")
    return int(found[0]) if found else None


@cache
def _units() -> Any:
    import pint

    return pint.UnitRegistry(cache_folder=None)


@cache
def _factor(name: str) -> float | str:
    """Return tonnes in a unit, or why there are none."""
    import pint

    word = _UNIT_WORDS.get(name, name)
    if not word:
        return "could be metric, short or long tons; write t, short_ton or long_ton"
    try:
        unit = _units().parse_units(word)
        return float(_units().Quantity(1.0, unit).to("tonne").magnitude)
    except pint.DimensionalityError:
        return "is no mass"
    except Exception:  # noqa: BLE001  (pint's parser raises whatever Python's does on such text)
        return "is no unit that is known; write kg, t, g or lb"


def _tonnes_per(name: str, text: str) -> float:
    factor = _factor(name)
    if isinstance(factor, str):
        raise CellError(f"quantity '{text}' in '{name}' {factor}")
    return factor
