"""What every importer takes, gives back and refuses with."""

from __future__ import annotations

import calendar
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from ground.counted import counted
from warehouse.bundle.files import RejectedRow
from warehouse.errors import BundleError, FileProblem

_RELEASES = range(2000, 2200)
#: A whole number as a spreadsheet or a data frame may write it: 8.0 is 8.
WHOLE = r"^([0-9]+)\.0*$"
_WHOLE = re.compile(WHOLE)


@dataclass(frozen=True, slots=True)
class PublicSource:
    """One public data set.

    Attributes:
        name: word that the command line knows it by.
        publisher: who publishes it.
        title: what it is called.
        url: where a user downloads it.
        licence: terms of its figures.
        cadence: how often an edition comes out.
        allowed_age_days: age of an edition from which on it is stale.
        min_rows: fewest rows within the map that a whole file has.
        max_rows: most rows that it can have.
        quirks: oddities of its files that the importer handles.
    """

    name: str
    publisher: str
    title: str
    url: str
    licence: str
    cadence: str
    allowed_age_days: int
    min_rows: int
    max_rows: int
    quirks: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """How the source names of every edition start: the name without a year."""
        return re.sub(r"-\d{4}$", "", self.name)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file is read against.

    Attributes:
        tables: fact tables already at hand, every cell as text: the map from codes and names to ours.
        release: edition that the user named; empty where the file states its own.
        any_size: take a file whose row count is outside the bounds of its source.
        mapping: text of the mapping file, for the source `csv`.
    """

    tables: Mapping[str, pl.DataFrame]
    release: str = ""
    any_size: bool = False
    mapping: str = ""


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What a file held: `rows_in` is the number of stored and of rejected entries together, exactly.

    An entry is a row of the file, or one figure of it where a row holds several.

    Attributes:
        source_id: name of the source row that stored rows refer to.
        published: day from which the world could know the edition.
        tables: rows by fact table, with the columns of their records.
        rejected: entries that were left out, each named once, with place, value and reason.
        rows_in: entries of the file that the map asks for.
        stored: entries that are in `tables`; more than rows there where several entries make one row.
        outside: entries that the map does not ask for, by reason; `rows_in` does not count them.
        set_aside: entries of wanted goods that the map cannot read, by reason with the mend; `rows_in` does not count
            them, and the user is warned.
        left_empty: figures of stored entries that are unknown here though the file has something, by reason.
    """

    source_id: str
    published: date
    tables: Mapping[str, pl.DataFrame]
    rejected: list[RejectedRow]
    rows_in: int
    stored: int
    outside: Mapping[str, int] = field(default_factory=dict)
    left_empty: Mapping[str, int] = field(default_factory=dict)
    set_aside: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Hold the books: an entry is stored or rejected, never both, never neither."""
        if self.stored + len(self.rejected) != self.rows_in:
            raise RuntimeError(
                f"{self.stored} stored and {len(self.rejected)} rejected entries are not {self.rows_in}"
            )


@dataclass(frozen=True, slots=True)
class Importer:
    """A public data set and how its file becomes rows of ours.

    Attributes:
        source: what it is and where.
        parse: reads one file; raises BundleError where the file as a whole cannot be used.
    """

    source: PublicSource
    parse: Callable[[Path, Reading], ParsedFile]


def refused(place: str, message: str, line: int = 0) -> BundleError:
    """Return the error for a file that cannot be used as a whole; the message ends with the mend."""
    return BundleError([FileProblem(place, line, message)])


def whole(written: str) -> str:
    """Return a code, year or flag without the decimals that a spreadsheet or a data frame gives it: 8.0 is 8."""
    found = _WHOLE.match(written) if "." in written else None
    return found[1] if found else written


def month_end(place: str, written: str) -> date:
    """Return the last day of a month written as YYYYMM, from which the world could know an edition.

    Raises:
        BundleError: It is not a month.
    """
    if re.fullmatch(r"[0-9]{4}(0[1-9]|1[0-2])", written) and int(written[:4]) in _RELEASES:
        year, month = int(written[:4]), int(written[4:])
        return date(year, month, calendar.monthrange(year, month)[1])
    raise refused(place, f"edition '{written}' is not a month; write --release YYYYMM, such as 202601")


def sniff(path: Path, place: str) -> None:
    """Refuse what is not a table at all: nothing, a web page, UTF-16, zero bytes, a file cut off in its last row.

    Raises:
        BundleError: One of these.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(65_536)
        file.seek(max(0, size - 1))
        last = file.read(1)
    if not head.strip():
        raise refused(place, "is empty; download it again")
    refuse_workbook(path, place, "save its sheet as CSV in UTF-8 and give that")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise refused(place, "is UTF-16; save it as CSV in UTF-8")
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        raise refused(place, "is a web page (it starts with '<'), no CSV; download the file itself", 1)
    if b"\x00" in head:
        line = head[: head.index(b"\x00")].count(b"\n") + 1
        raise refused(place, "contains zero bytes, as half-written files do; download it again", line)
    if last not in {b"\n", b"\r"}:
        raise refused(
            place,
            "ends within a row, with no line end; it may be cut off: download it again, or add the line end if it is whole",
        )


def is_workbook(path: Path) -> bool:
    """Say whether a file is a workbook, by its content, by whatever name it goes."""
    with path.open("rb") as file:
        start = file.read(8)
    if not start.startswith(b"PK\x03\x04"):
        return start.startswith(b"\xd0\xcf\x11\xe0")
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.startswith("xl/") or name == "content.xml" for name in archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return path.suffix.lower() in {".xlsx", ".xlsm", ".ods"}


def refuse_workbook(path: Path, place: str, mend: str) -> None:
    """Refuse a workbook, and any other archive where a plain file is asked for.

    Raises:
        BundleError: One of these; `mend` says what to give instead of a workbook.
    """
    if is_workbook(path):
        raise refused(place, f"is a workbook; {mend}")
    with path.open("rb") as file:
        if file.read(4) == b"PK\x03\x04":
            raise refused(place, "is a ZIP archive; unpack it and give the file in it")


def first_fault(faults: Sequence[tuple[str, str, pl.Expr, str]]) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Return expressions of the first fault of each row: why, in which column, and the value there; null where there is none.

    Args:
        faults: name of the column for the user, our column with the value, what tells the fault (never null), the reason.
    """
    empty = pl.lit(None, dtype=pl.String)
    why, where, value = empty, empty, empty
    for column, ours, test, said in reversed(faults):
        why = pl.when(test).then(pl.lit(said)).otherwise(why)
        where = pl.when(test).then(pl.lit(column)).otherwise(where)
        value = pl.when(test).then(pl.col(ours)).otherwise(value)
    return why, where, value


def check_bounds(place: str, rows: int, rejected: int, *, least: int, most: int) -> None:
    """Refuse a file that holds far fewer or more rows than its editions do, or that is mostly unusable.

    Raises:
        BundleError: One of these.
    """
    if rows < least or rows > most:
        raise refused(
            place,
            f"holds {counted(rows, 'row')} for the map, outside {least:,} to {most:,}; it is not the whole file or not this "
            "source: download it again, or give --any-size if its size is meant",
        )
    if rejected * 2 > rows:
        raise refused(
            place,
            f"{rejected:,} of {counted(rows, 'row')} cannot be used; its columns may be shifted: download it again",
        )
