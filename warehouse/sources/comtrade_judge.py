"""One entry of UN Comtrade: what it is about, and what it says, or why it is left out."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import polars as pl

from warehouse.records.fields import HS_REVISIONS, MAX_FLOW_T, MAX_USD
from warehouse.sources.comtrade_files import Entry
from warehouse.sources.figures import is_unknown, number
from warehouse.sources.parsed import Reading

#: Revision by the name that UN Comtrade gives it: H0 is HS 1992.
REVISIONS = {f"H{place}": revision for place, revision in enumerate(HS_REVISIONS)}
_NO_HS = re.compile(r"S[1-4]|ST|SS|B[45E]|BEC|EB\w*")
_FLOWS = {"M": "M", "1": "M", "X": "X", "2": "X"}
_OTHER_FLOWS = frozenset({"3", "4", "RM", "RX", "FM", "DX", "MIP", "MOP", "XIP", "XOP"})
_WORLD = frozenset({"0", "W00"})
#: Partners that are not countries: areas not elsewhere specified, bunkers, free zones, special categories.
AREAS = re.compile("129|221|290|471|472|473|492|527|536|568|577|636|637|697|837|838|839|849|879|899")
#: Reporters that are groups, whose members report by themselves: the European Union in its sizes, ASEAN.
_GROUPS = frozenset({"97", "918", "975"})
TOTALS = {
    "partner2": frozenset({"", "0"}),
    "customs": frozenset({"", "C00"}),
    "supply": frozenset({"", "0"}),
    "transport": frozenset({"", "0"}),
}
_TAIWAN_ISO = "S19"
_KILOGRAMS = "8"
_FIRST_YEAR = 1988
_NO_WEIGHT = "no tonnes: the weight is 0 or blank"
_ESTIMATED = "no tonnes: the weight is an estimate of the UN's"


class Report(NamedTuple):
    """Whose report of which year an entry belongs to."""

    revision: str
    year: int
    reporter: str
    flow: str


class Lane(NamedTuple):
    """What an entry is about, apart from its month."""

    report: Report
    code: str
    partner: str


class Figure(NamedTuple):
    """One entry that may be stored; month 0 is a whole year."""

    lane: Lane
    month: int
    value_usd: float
    quantity_t: float | None
    empty: str
    place: str
    line: int


class RejectedError(Exception):
    """This entry cannot be used; the reason ends with the mend."""

    def __init__(self, column: str, value: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.value, self.reason = column, value, reason


class OutsideError(Exception):
    """This entry is not asked for; the message says why."""


class OtherRevisionError(Exception):
    """This entry is of a code that the map has, but in another revision; the message says so."""

    def __init__(self, lane: Lane) -> None:
        revision = lane.report.revision
        name = next(name for name, known in REVISIONS.items() if known == revision)
        century = 19 if revision > "88" else 20
        super().__init__(
            f"code in the map, but not in HS {century}{revision} ({name}), where it may mean other goods; "
            "add it to hs_codes in that revision"
        )
        self.lane = lane


class CodeMap:
    """Codes and countries of ours."""

    def __init__(self, reading: Reading) -> None:
        countries = reading.tables["countries"]
        self.iso = {code: code for code in countries.get_column("country")} | {_TAIWAN_ISO: "TWN"}
        self.numbers: dict[str, str] = dict(
            countries.drop_nulls("baci_code").select("baci_code", "country").iter_rows()
        )
        pairs = reading.tables["hs_codes"].select("hs_revision", "hs6").unique()
        self.codes: frozenset[tuple[str, str]] = frozenset(pairs.iter_rows()) | same_goods(reading.tables)
        self.any_revision: frozenset[str] = frozenset(pairs.get_column("hs6"))

    def country(self, column: str, number: str, iso: str) -> str:
        """Return our code of a reporter or partner; number and letters must not name two countries."""
        by_number, by_iso = self.numbers.get(_bare(number)), self.iso.get(iso)
        if by_number and by_iso and by_number != by_iso:
            raise RejectedError(
                column, f"{number} {iso}", "number and letters name two countries; correct one of them"
            )
        found = by_number or by_iso
        if found is None:
            raise RejectedError(
                column, number or iso, "is not a country in countries.baci_code; add its number there"
            )
        return found


def same_goods(tables: Mapping[str, pl.DataFrame]) -> frozenset[tuple[str, str]]:
    """Return revision and code of every good that the map has in another revision in which the code means the same."""
    if "hs_spans" not in tables:
        return frozenset()
    mapped: dict[str, set[str]] = {}
    for revision, hs6 in tables["hs_codes"].select("hs_revision", "hs6").unique().iter_rows():
        mapped.setdefault(hs6, set()).add(revision)
    found = set()
    for hs6, first, last in tables["hs_spans"].select("hs6", "revision_from", "revision_to").iter_rows():
        span = HS_REVISIONS[HS_REVISIONS.index(first) : HS_REVISIONS.index(last) + 1]
        if mapped.get(hs6, set()) & set(span):
            found |= {(revision, hs6) for revision in span}
    return frozenset(found)


def about(
    cells: Mapping[str, str], known_map: CodeMap, known: date, months: defaultdict[Report, set[int]]
) -> tuple[Lane, int]:
    """Say what an entry is about, and its month (0 is a whole year).

    Args:
        cells: the entry.
        known_map: codes and countries of ours.
        known: day of the edition.
        months: filled with what the country reports, be the goods asked for or not.

    Raises:
        OutsideError: It is not asked for.
        OtherRevisionError: The map has its code in another revision only.
        RejectedError: It cannot be read.
    """
    if cells["type"].upper() == "S":
        raise OutsideError("services")
    revision = _revision(cells["classification"].upper())
    year, month = _period(cells["period"], known)
    flow = _flow(cells["flow"].upper())
    if _bare(cells["reporter"]) in _GROUPS:
        raise OutsideError("a group of countries reports, whose members report themselves")
    reporter = known_map.country("reporterCode", cells["reporter"], cells["reporter_iso"])
    report = Report(revision, year, reporter, flow)
    months[report].add(month)
    code = _code(cells["code"])
    if code not in known_map.any_revision:
        raise OutsideError("code outside the map")
    if any(cells[name] not in totals for name, totals in TOTALS.items()):
        raise OutsideError("part of a total: by second partner, transport or customs procedure")
    lane = Lane(report, code, _partner(cells, known_map))
    if (revision, code) not in known_map.codes:
        raise OtherRevisionError(lane)
    return lane, month


def figure_of(entry: Entry, lane: Lane, month: int) -> Figure:
    """Return what an entry says of its lane.

    Raises:
        RejectedError: A figure cannot be read, or the value is blank.
    """
    value_usd = _number("primaryValue", entry.cells["value_usd"], MAX_USD, "US dollars")
    quantity_t, empty = _tonnes(entry.cells)
    if value_usd is None:
        raise RejectedError("primaryValue", "", "is blank; leave the row out, or fill it")
    return Figure(lane, month, value_usd, quantity_t, empty, entry.place, entry.line)


def _bare(number: str) -> str:
    """Return a number without the zeros that some tables put before it."""
    return number.lstrip("0") or number[:1]


def _revision(written: str) -> str:
    if written in REVISIONS:
        return REVISIONS[written]
    if _NO_HS.fullmatch(written):
        raise OutsideError("goods classified by another system than the Harmonized System")
    raise RejectedError(
        "classificationCode", written, "is not a revision of the Harmonized System; write H0 to H6"
    )


def _period(written: str, known: date) -> tuple[int, int]:
    year, month = int(written[:4] or 0) if written.isascii() and written.isdigit() else 0, 0
    if len(written) == 6 and year:
        month = int(written[4:])
    elif len(written) != 4:
        year = 0
    if not _FIRST_YEAR <= year <= known.year or not 0 <= month <= 12 or (len(written) == 6 and not month):
        raise RejectedError("period", written, "is not a year or month that this edition can contain")
    return year, month


def _flow(written: str) -> str:
    if written in _OTHER_FLOWS:
        raise OutsideError("part of a flow: re-imports, re-exports, processing")
    if written not in _FLOWS:
        raise RejectedError("flowCode", written, "is not a flow; write M for imports or X for exports")
    return _FLOWS[written]


def _code(written: str) -> str:
    if written.upper() in {"TOTAL", "AG2", "AG4", "AG6"} or re.fullmatch(r"[0-9]{1,4}", written):
        raise OutsideError("sum of a chapter or heading")
    if re.fullmatch(r"[0-9]{7,12}", written):
        raise OutsideError("national code below six digits")
    if not re.fullmatch(r"[0-9]{5,6}", written):
        raise RejectedError("cmdCode", written, "is not a six-digit code; correct the code")
    return written.zfill(6)


def _partner(cells: Mapping[str, str], known_map: CodeMap) -> str:
    number, iso = cells["partner"], cells["partner_iso"]
    if _bare(number) in _WORLD or (not number and iso in _WORLD):
        raise OutsideError("partner is the world: the sum of all")
    if AREAS.fullmatch(_bare(number)) or _bare(number) in _GROUPS:
        raise OutsideError("partner is an area, not a country")
    if iso == "DELETE":
        raise OutsideError("marked as deleted")
    return known_map.country("partnerCode", number, iso)


def _number(column: str, written: str, most: float, unit: str) -> float | None:
    if is_unknown(written):
        return None
    found = number(written)
    if found is None or written.startswith("-"):
        raise RejectedError(column, written, "is not a number; write digits with a point and no separators")
    if found > most:
        raise RejectedError(column, written, f"is more than can be; the column is in {unit}")
    return found


def _tonnes(cells: Mapping[str, str]) -> tuple[float | None, str]:
    """Return tonnes that somebody weighed, else why there are none.

    The UN fills missing weights from the mean value of a kilogram. That is what a value without tonnes becomes here
    too, but then with a range and said to be so.
    """
    most = MAX_FLOW_T * 1000
    weight_kg = _number("netWgt", cells["weight_kg"], most, "kilograms")
    quantity = _number("qty", cells["quantity"], math.inf, "its unit")
    said = cells["is_weight_estimated"].lower()
    is_estimated = said in {"true", "1"} or (not said and cells["flag"] in {"4", "6"})
    if weight_kg and not is_estimated:
        return weight_kg / 1000, ""
    counted = cells["is_quantity_estimated"].lower() not in {"true", "1"} and cells["flag"] not in {"2", "6"}
    if quantity and counted and cells["unit"] == _KILOGRAMS and quantity <= most:
        return quantity / 1000, ""
    return None, _ESTIMATED if weight_kg else _NO_WEIGHT
