"""The files that UN Comtrade hands out, as entries with one set of column names.

The makes that are read: the table of the web page and the bulk files (`typeCode`, `freqCode`, …), also as its clients
write it (`type_code`, semicolons, a workbook); the table of the web page before 2023 (`Classification`, `Year`, …); the
JSON of the interface for programs, of the one before 2023 (`dataset`), and a bare list of records. One line is one
entry, so that a stray quotation mark cannot swallow its neighbours.
"""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ground.counted import counted
from warehouse.sources.archive import unpacked, unzipped
from warehouse.sources.figures import with_point
from warehouse.sources.parsed import refused, sniff, whole
from warehouse.sources.workbook import table_of

#: Names of a column in the makes of file, as `_plain` leaves them: type_code, Type Code and typeCode are one.
_NAMES = {
    "type": ("typecode", "type"),
    "period": ("period",),
    "reporter": ("reportercode", "rtcode"),
    "reporter_iso": ("reporteriso", "rt3iso"),
    "flow": ("flowcode", "tradeflowcode", "rgcode"),
    "partner": ("partnercode", "ptcode"),
    "partner_iso": ("partneriso", "pt3iso"),
    "partner2": ("partner2code", "2ndpartnercode", "ptcode2"),
    "classification": ("classificationcode", "classification", "pfcode"),
    "code": ("cmdcode", "commoditycode"),
    "customs": ("customscode", "customsproccode", "cstcode"),
    "supply": ("moscode",),
    "transport": ("motcode", "modeoftransportcode"),
    "unit": ("qtyunitcode", "qtcode"),
    "quantity": ("qty", "tradequantity"),
    "is_quantity_estimated": ("isqtyestimated",),
    "weight_kg": ("netwgt", "netweightkg", "netweight"),
    "is_weight_estimated": ("isnetwgtestimated",),
    "flag": ("legacyestimationflag", "flag", "estcode"),
    "value_usd": ("primaryvalue", "tradevalueus", "tradevalue"),
}
COLUMNS = tuple(_NAMES)
#: Without these, a part cannot be told from its total, or one lane from another.
_NEEDED = (
    *("period", "reporter", "flow", "partner", "partner2", "classification", "code", "customs", "transport"),
    *("weight_kg", "value_usd"),
)
_OURS = {theirs: ours for ours, names in _NAMES.items() for theirs in names}
_TEXT, _JSON, _BOOK = {".csv", ".txt", ".tsv"}, {".json"}, {".xlsx", ".xlsm", ".xls", ".ods"}
_SEPARATORS = (",", "\t", ";")
_FIGURES = ("quantity", "weight_kg", "value_usd")


def separator_of(header: str) -> str:
    """Return what separates the cells of a header."""
    return max(_SEPARATORS, key=header.count)


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a file.

    Attributes:
        place: file, and member of an archive.
        line: line of a table, or number of a record.
        cells: as written, without padding and with whole numbers bare (8 for 8.0), by the names of COLUMNS; columns that the file lacks are empty.
        fault: why the line cannot be read; empty where it can.
    """

    place: str
    line: int
    cells: dict[str, str]
    fault: str = ""


def entries(path: Path) -> Iterator[Entry]:
    """Read every line of a file, one by one.

    Raises:
        BundleError: The file as a whole cannot be used.
    """
    if not path.is_file():
        raise refused(path.name, "no such file; name the file that you downloaded")
    with tables_of(path) as tables:
        for place, table in tables:
            yield from _json(place, table) if table.suffix.lower() in _JSON else _text(place, table)


@contextmanager
def tables_of(path: Path) -> Iterator[list[tuple[str, Path]]]:
    """Give the tables of a file: place for messages, and path to read."""
    kind = path.suffix.lower()
    if kind in _TEXT | _JSON:
        yield [(path.name, path)]
    elif kind in _BOOK:
        with tempfile.TemporaryDirectory(prefix="curbline-comtrade-") as folder:
            yield [_as_text(path, Path(folder))]
    elif kind in {".gz", ".zip"}:
        with tempfile.TemporaryDirectory(prefix="curbline-comtrade-") as folder:
            if kind == ".gz":
                yield _gunzipped(path, Path(folder))
            else:
                yield unpacked(path, Path(folder), _is_table, "contains neither a table nor JSON")
    else:
        raise refused(
            path.name,
            "is none of .csv, .txt, .gz, .zip, .xlsx and .json; give the file as UN Comtrade ships it",
        )


def _as_text(path: Path, folder: Path) -> tuple[str, Path]:
    """Write the sheet with the codes as a table; line numbers count from its header."""
    header, rows, name = table_of(
        path, lambda row: {"period", "code"} <= {_OURS.get(_plain(cell)) for cell in row}, "a column cmdCode"
    )
    target = folder / "table.csv"
    with target.open("w", encoding="utf-8", newline="") as sink:
        csv.writer(sink, lineterminator="\n").writerows([header, *(cells for _, cells in rows)])
    return f"{path.name}/{name}", target


def _is_table(name: str) -> bool:
    return Path(name).suffix.lower() in _TEXT | _JSON


def _gunzipped(path: Path, folder: Path) -> list[tuple[str, Path]]:
    target = folder / "table.txt"
    unzipped(path, target)
    return [(path.name, target)]


def _text(place: str, path: Path) -> Iterator[Entry]:
    sniff(path, place)
    # Names of goods and countries may be in another encoding; codes and figures, which are what is read, are ASCII.
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        header = next(file)
        separator = separator_of(header)
        names = next(csv.reader([header], delimiter=separator), [])
        while names and not names[-1].strip():
            names.pop()
        columns, width = column_names(place, names), 0
        for line, written in enumerate(file, start=2):
            if not written.strip():
                continue
            try:
                cells = next(csv.reader([written], delimiter=separator, strict=True), [])
            except csv.Error as error:
                yield Entry(place, line, {}, f"is not a row ({error}); a quotation mark may be open")
                continue
            # The web page ends every row with a comma that its header lacks; the first row tells.
            width = width or len(names) + (len(cells) == len(names) + 1 and not cells[-1].strip())
            if len(cells) != width:
                said = f"has {counted(len(cells), 'cell')} and not {width}; quote cells that contain a comma"
                yield Entry(place, line, {}, said)
                continue
            named = dict.fromkeys(COLUMNS, "")
            named.update((name, whole(cells[index].strip())) for name, index in columns)
            if separator == ";":
                named.update((name, with_point(named[name])) for name in _FIGURES)
            yield Entry(place, line, named)


def column_names(place: str, names: Sequence[str]) -> list[tuple[str, int]]:
    """Return the names of ours that a header has, each with its place.

    Raises:
        BundleError: It has one twice, or lacks one without which parts and totals cannot be told apart.
    """
    found: dict[str, int] = {}
    for index, name in enumerate(names):
        ours = _OURS.get(_plain(name))
        if ours is None:
            continue
        if ours in found:
            raise refused(place, f"has column '{name.strip()}' twice; download it again", 1)
        found[ours] = index
    missing = [_NAMES[name][0] for name in _NEEDED if name not in found]
    if not {"is_weight_estimated", "flag"} & set(found):
        missing.append("isnetwgtestimated")
    if missing:
        raise refused(
            place,
            f"lacks column {', '.join(missing)}; give the table as UN Comtrade ships it, with all columns. It has "
            f"{', '.join(names)[:160]}",
            1,
        )
    return sorted(found.items())


def _json(place: str, path: Path) -> Iterator[Entry]:
    try:
        # Figures stay as written.
        content = json.loads(path.read_bytes(), parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise refused(place, f"is not complete JSON ({error}); fetch it again") from None
    # A bare list is what clients write of the records; `dataset` is how the interface answered before 2023.
    content = {"data": content} if isinstance(content, list) else content
    data = content.get("data", content.get("dataset")) if isinstance(content, dict) else None
    if not isinstance(data, list):
        raise refused(place, "contains no list 'data', as an answer of UN Comtrade does; fetch it again")
    if content.get("error"):
        raise refused(
            place, f"is an error of UN Comtrade ({str(content['error'])[:160]}); ask for less, or later"
        )
    if str(content.get("count", len(data))) != str(len(data)):
        raise refused(
            place,
            f"says that it has {content['count']} records and has {len(data)}; fetch it again",
        )
    for number, record in enumerate(data, start=1):
        if not isinstance(record, dict):
            yield Entry(place, number, {}, "is not a record; fetch the file again")
            continue
        found = {_OURS.get(_plain(name), ""): value for name, value in record.items()}
        missing = [_NAMES[name][0] for name in _NEEDED if name not in found]
        if missing:
            yield Entry(place, number, {}, f"lacks {', '.join(missing)}; fetch the file again")
            continue
        filled = {
            name: whole(str(value).strip()) for name, value in found.items() if name and value is not None
        }
        yield Entry(place, number, dict.fromkeys(COLUMNS, "") | filled)
