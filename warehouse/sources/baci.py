"""CEPII BACI: bilateral trade in every six-digit code, reconciled from both sides.

Read lazily and filtered to the codes of the map, so that a year of eleven million rows fits a small machine.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from warehouse.bundle.files import RejectedRow
from warehouse.records.fields import HS_REVISIONS, MAX_FLOW_T, MAX_USD, NUMBER
from warehouse.records.tables import schema
from warehouse.sources.archive import unpacked
from warehouse.sources.comtrade_judge import same_goods
from warehouse.sources.figures import UNKNOWN_WORDS
from warehouse.sources.parsed import (
    WHOLE,
    Importer,
    ParsedFile,
    PublicSource,
    Reading,
    check_bounds,
    first_fault,
    month_end,
    refused,
    sniff,
)

SOURCE = PublicSource(
    name="baci",
    publisher="CEPII",
    title="BACI, international trade by product",
    url="https://www.cepii.fr/CEPII/en/bdd_modele/bdd_modele_item.asp?id=37",
    licence="Etalab Open Licence 2.0; cite CEPII (Gaulier and Zignago 2010)",
    cadence="yearly, in January; year Y first appears in the edition of January Y+2",
    allowed_age_days=500,
    min_rows=5_000,
    max_rows=20_000_000,
    quirks=(
        "values are in thousand dollars",
        "an unknown quantity is NA or blank",
        "490 is Taiwan, 842 the United States, 699 India, 757 Switzerland, 251 France, 579 Norway",
        "codes may have lost their leading zero",
        "the archive also contains country and product tables",
    ),
)
_COLUMNS = ("t", "i", "j", "k", "v", "q")
_FIGURES = frozenset({"v", "q"})
_REVISION = re.compile(f"hs({'|'.join(HS_REVISIONS)})", re.IGNORECASE)
_RELEASE = re.compile(r"_V(\d{6})", re.IGNORECASE)
_MEMBER_YEAR = re.compile(r"_Y(\d{4})_", re.IGNORECASE)
_FIRST_YEAR = 1988
_LINE, _WHY, _COLUMN = "__line", "__why", "__column"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is taken from a file.

    Attributes:
        codes: six-digit codes by revision of the Harmonized System.
        countries: alpha-3 code by BACI number.
        release: edition as YYYYMM; empty where the file's name states it.
        min_rows: fewest rows within the map.
    """

    codes: Mapping[str, frozenset[str]]
    countries: Mapping[str, str]
    release: str = ""
    min_rows: int = SOURCE.min_rows


def revision_of(path: Path) -> str:
    """Return the revision that a file's name states: 92, 96, 02, 07, 12, 17 or 22.

    Raises:
        BundleError: It states none.
    """
    found = _REVISION.search(path.name)
    if found is None:
        raise refused(
            path.name, "does not say its HS revision; rename it to include one, such as HS92 or HS17"
        )
    return found[1]


def release_day(path: Path, release: str) -> date:
    """Return the last day of the edition's month, from which the world could know its figures.

    Raises:
        BundleError: Neither the name nor `release` states an edition, or it is not a month.
    """
    found = _RELEASE.search(path.name)
    written = release or (found[1] if found else "")
    if not written:
        raise refused(
            path.name, "does not say its edition; give --release YYYYMM, such as 202601 for January 2026"
        )
    return month_end(path.name, written)


def source_id(path: Path, release: str) -> str:
    """Return the name of this file's source row, such as baci-202601-hs92-import."""
    return f"baci-{release_day(path, release):%Y%m}-hs{revision_of(path)}-import"


def parse(path: Path, wanted: Wanted) -> ParsedFile:
    """Read a BACI file: the archive of yearly CSV, one CSV, or a Parquet extract with the same columns.

    Returns:
        Rows of `trade` (US dollars, gross tonnes), sorted; `rows_in` counts the rows whose code the map holds or
        whose code cannot be read.

    Raises:
        BundleError: The file is not a complete BACI file, names no edition or revision, or falls outside the bounds.
    """
    revision, known = revision_of(path), release_day(path, wanted.release)
    codes = wanted.codes.get(revision, frozenset())
    if not codes:
        have = ", ".join(sorted(wanted.codes))
        raise refused(
            path.name, f"is written in HS{revision}, for which the map has no code; it has HS {have}"
        )
    parts: list[pl.DataFrame] = []
    total = 0
    with _tables(path) as tables:
        for place, table, is_text in tables:
            frame, height = _read(place, table, codes, is_text=is_text)
            stated = _MEMBER_YEAR.search(place)
            year = pl.lit(stated[1] if stated else None, dtype=pl.String).alias("__stated")
            parts.append(frame.with_columns(pl.lit(place).alias("__file"), year))
            total += height
    frame = pl.concat(parts)
    judged = _judged(frame, wanted.countries, known)
    bad = judged.filter(pl.col(_WHY).is_not_null()).sort("__file", _LINE)
    rejected = [
        RejectedRow(file, line, column, "" if value is None else value, why)
        for file, line, column, value, why in bad.select(
            "__file", _LINE, _COLUMN, "__value", _WHY
        ).iter_rows()
    ]
    check_bounds(path.name, frame.height, len(rejected), least=wanted.min_rows, most=SOURCE.max_rows)
    rows = _stored(judged, revision, source_id(path, wanted.release), known)
    return ParsedFile(
        source_id=source_id(path, wanted.release),
        published=known,
        tables={"trade": rows},
        rejected=rejected,
        rows_in=frame.height,
        stored=rows.height,
        outside={"code outside the map": total - frame.height},
    )


def _wanted(reading: Reading) -> Wanted:
    """Return codes and countries of the map."""
    countries = reading.tables["countries"].drop_nulls("baci_code")
    by_revision: dict[str, set[str]] = {}
    for revision, hs6 in reading.tables["hs_codes"].select("hs_revision", "hs6").unique().iter_rows():
        by_revision.setdefault(revision, set()).add(hs6)
    for revision, hs6 in same_goods(reading.tables):
        by_revision.setdefault(revision, set()).add(hs6)
    return Wanted(
        {revision: frozenset(found) for revision, found in by_revision.items()},
        dict(countries.select("baci_code", "country").iter_rows()),
        reading.release,
        0 if reading.any_size else SOURCE.min_rows,
    )


@contextmanager
def _tables(path: Path) -> Iterator[list[tuple[str, Path, bool]]]:
    """Give the tables of a file: place for messages, path to read, and whether it is CSV."""
    if not path.is_file():
        raise refused(path.name, "no such file; name the file that you downloaded")
    if path.suffix.lower() == ".parquet":
        yield [(path.name, path, False)]
    elif path.suffix.lower() == ".csv":
        yield [(path.name, path, True)]
    elif path.suffix.lower() == ".zip":
        with tempfile.TemporaryDirectory(prefix="curbline-baci-") as folder:
            lacking = "contains no yearly table such as BACI_HS92_Y2024_V202601.csv"
            tables = unpacked(path, Path(folder), _is_year, lacking)
            yield [(place, table, True) for place, table in tables]
    else:
        raise refused(path.name, "is neither .zip, .csv nor .parquet; give the file as CEPII ships it")


def _is_year(name: str) -> bool:
    return bool(_MEMBER_YEAR.search(name)) and name.lower().endswith(".csv")


def _read(place: str, path: Path, codes: frozenset[str], *, is_text: bool) -> tuple[pl.DataFrame, int]:
    """Return rows within the map, all cells as text, with their line; and how many rows the table has."""
    if is_text:
        sniff(path, place)
    try:
        if is_text:
            scan = pl.scan_csv(path, infer_schema=False, row_index_name=_LINE, row_index_offset=2)
        else:
            scan = pl.scan_parquet(path, row_index_name=_LINE, row_index_offset=1)
        names = [name for name in scan.collect_schema().names() if name != _LINE]
    except (pl.exceptions.PolarsError, OSError, pl.exceptions.PanicException) as error:
        raise refused(place, f"cannot be read ({_first(error)}); download it again") from None
    stripped = {name.strip().strip('"'): name for name in names}
    missing = [name for name in _COLUMNS if name not in stripped]
    if missing:
        raise refused(
            place,
            f"lacks column {', '.join(missing)}; a BACI table has t,i,j,k,v,q and this has {','.join(names)[:120]}",
            1 if is_text else 0,
        )
    texts = {name: pl.col(stripped[name]).cast(pl.String).str.strip_chars() for name in _COLUMNS}
    # Codes that went through a data frame may end in .0.
    cells = [
        (text if name in _FIGURES else text.str.replace(WHOLE, "$1")).alias(name)
        for name, text in texts.items()
    ]
    code = (
        pl.when(pl.col("k").str.contains(r"^\d{5}$")).then(pl.lit("0") + pl.col("k")).otherwise(pl.col("k"))
    )
    readable = pl.col("k").str.contains(r"^\d{6}$").fill_null(value=False)
    keep = ~readable | pl.col("k").is_in(sorted(codes))
    table = scan.select(pl.col(_LINE).cast(pl.Int64), *cells).with_columns(code.alias("k"))
    try:
        frame, count = pl.collect_all([table.filter(keep), table.select(pl.len())], engine="streaming")
    except (pl.exceptions.PolarsError, OSError, pl.exceptions.PanicException) as error:
        raise refused(
            place,
            f"cannot be read to its end ({_first(error)}); numbers must have no thousands separators and text must be "
            "UTF-8: download it again",
        ) from None
    return frame, int(count.item())


def _first(error: BaseException) -> str:
    return (str(error).splitlines() or ["unknown fault"])[0][:160]


def _judged(frame: pl.DataFrame, countries: Mapping[str, str], known: date) -> pl.DataFrame:
    """Add typed columns, and for each row the first fault that it has."""
    quantity = (
        pl.when(pl.col("q").str.strip_chars().str.to_lowercase().is_in(sorted(UNKNOWN_WORDS)))
        .then(None)
        .otherwise(pl.col("q"))
    )

    def figure(column: str) -> pl.Expr:
        shaped = pl.col(column).str.contains(f"^({NUMBER.pattern})$") & ~pl.col(column).str.starts_with("-")
        return pl.when(shaped).then(pl.col(column).cast(pl.Float64, strict=False))

    typed = frame.with_columns(quantity.alias("q")).with_columns(
        pl.when(pl.col("t").str.contains(r"^\d{4}$"))
        .then(pl.col("t").cast(pl.Int64, strict=False))
        .alias("year"),
        pl.col("i").replace_strict(countries, default=None, return_dtype=pl.String).alias("exporter"),
        pl.col("j").replace_strict(countries, default=None, return_dtype=pl.String).alias("importer"),
        (figure("v") * 1000).alias("value_usd"),
        figure("q").alias("quantity_t"),
    )
    key = ("t", "i", "j", "k")
    faults: list[tuple[str, pl.Expr, str]] = [
        ("k", ~pl.col("k").str.contains(r"^\d{6}$"), "is not a six-digit code; correct the code"),
        (
            "t",
            ~pl.col("year").is_between(_FIRST_YEAR, known.year),
            "is not a year that this edition can contain",
        ),
        (
            "t",
            pl.col("t") != pl.col("__stated").fill_null(pl.col("t")),
            "is not the year in the table's name",
        ),
        ("i", pl.col("exporter").is_null(), "is not a country in countries.baci_code; add its number there"),
        ("j", pl.col("importer").is_null(), "is not a country in countries.baci_code; add its number there"),
        ("v", pl.col("value_usd").is_null(), "is not a number; write digits with a point and no separators"),
        ("v", pl.col("value_usd") > MAX_USD, "is more than can be; the column is in thousand dollars"),
        (
            "q",
            pl.col("q").is_not_null() & pl.col("quantity_t").is_null(),
            "is not a number; write digits with a point, or leave it blank",
        ),
        ("q", pl.col("quantity_t") > MAX_FLOW_T, "is more than can be; the column is in tonnes"),
    ]
    # A blank cell makes a test unknown, and an unknown test is a fault, except for a quantity.
    sure = [(column, column, test.fill_null(value=column != "q"), said) for column, test, said in faults]
    why, where, value = first_fault(sure)
    judged = typed.with_columns(why.alias(_WHY), where.alias(_COLUMN), value.alias("__value"))
    judged = judged.sort("__file", _LINE)
    again = ~pl.struct(*key, pl.col(_WHY).is_null()).is_first_distinct() & pl.col(_WHY).is_null()
    return judged.with_columns(again.alias("__again")).with_columns(
        pl.when("__again")
        .then(pl.lit("repeats year, exporter, importer and code of an earlier row; remove one"))
        .otherwise(pl.col(_WHY))
        .alias(_WHY),
        pl.when("__again").then(pl.lit("k")).otherwise(pl.col(_COLUMN)).alias(_COLUMN),
        pl.when("__again")
        .then(pl.concat_str(*key, separator=" "))
        .otherwise(pl.col("__value"))
        .alias("__value"),
    )


def _stored(judged: pl.DataFrame, revision: str, source: str, known: date) -> pl.DataFrame:
    # A year is known from the January two years on, and a revised figure not before the edition that holds it.
    first = pl.max_horizontal(pl.date(pl.col("year") + 2, 1, 31), pl.lit(known))
    names = schema("trade").names()
    return (
        judged.filter(pl.col(_WHY).is_null())
        .with_columns(
            pl.col("k").alias("hs6"),
            pl.lit(revision).alias("hs_revision"),
            pl.lit(value=True).alias("is_complete"),
            pl.lit(source).alias("source_id"),
            first.alias("known_from"),
        )
        .select(names)
        .sort("year", "hs6", "exporter", "importer")
    )


IMPORTER = Importer(SOURCE, lambda path, reading: parse(path, _wanted(reading)))
