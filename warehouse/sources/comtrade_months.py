"""UN Comtrade by month: what each side reports of each lane, kept beside the years and never added to them.

Read lazily and filtered to the codes of the map, so that twelve months of a million rows each fit a small machine.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from warehouse.bundle.files import RejectedRow
from warehouse.records.fields import MAX_FLOW_T, MAX_USD, NUMBER
from warehouse.records.tables import schema
from warehouse.sources.comtrade import edition_day
from warehouse.sources.comtrade import source_id as id_of
from warehouse.sources.comtrade_files import COLUMNS, column_names, separator_of, tables_of
from warehouse.sources.comtrade_judge import AREAS, REVISIONS, TOTALS, CodeMap
from warehouse.sources.figures import UNKNOWN_WORDS
from warehouse.sources.parsed import (
    WHOLE,
    Importer,
    ParsedFile,
    PublicSource,
    Reading,
    check_bounds,
    first_fault,
    refused,
    sniff,
)

SOURCE = PublicSource(
    name="comtrade-months",
    publisher="United Nations Statistics Division",
    title="UN Comtrade by month, trade as reported by countries",
    url="https://comtradeplus.un.org/",
    licence="UN Comtrade terms of use: own use is free; passing figures on needs the UN's consent",
    cadence="all year round; a month is there two to six months later, by country",
    allowed_age_days=200,
    min_rows=100,
    max_rows=20_000_000,
    quirks=(
        "a month is a period of six digits; years in the same file are left out",
        "both sides of a lane are kept, and say who reports",
        "the world as a partner is kept for exports, as the total",
    ),
)
_LINE, _WHY, _COLUMN, _VALUE, _OUT = "__line", "__why", "__column", "__value", "__outside"
_WORLD: Final = "WLD"
_OTHER_GOODS: Final = "code outside the map in its revision"
_KEY: Final = ["month", "exporter", "importer", "code", "hs_revision", "reported_by"]


def parse(path: Path, reading: Reading) -> ParsedFile:
    """Read a file of monthly trade: a table, or an archive of tables.

    Returns:
        Rows of `trade_months` (US dollars, tonnes net), sorted.

    Raises:
        BundleError: The file is not a complete table of UN Comtrade, names no day, or falls outside the bounds.
    """
    known, known_map = edition_day(path, reading.release), CodeMap(reading)
    source = id_of(path, known).replace("comtrade-", "comtrade-months-", 1)
    kept, rejected, outside = [], [], Counter[str]()
    with tables_of(path) as tables:
        for place, table in tables:
            rows, faults, left = _read(place, table, known_map, known)
            kept.append(rows)
            rejected += faults
            outside.update(left)
    frame = pl.concat(kept) if kept else pl.DataFrame(schema=schema("trade_months"))
    again = frame.filter(~pl.struct(_KEY).is_first_distinct())
    rejected += [
        RejectedRow(file, line, "cmdCode", code, "repeats month, flow, reporter, partner and code of an earlier row; remove one")
        for file, line, code in again.select("__file", _LINE, "code").iter_rows()
    ]  # fmt: skip
    frame = frame.filter(pl.struct(_KEY).is_first_distinct())
    rows_in = frame.height + len(rejected)
    least = 0 if reading.any_size else SOURCE.min_rows
    check_bounds(path.name, rows_in, len(rejected), least=least, most=SOURCE.max_rows)
    rows = frame.with_columns(pl.lit(source).alias("source_id"), pl.lit(known).alias("known_from"))
    return ParsedFile(
        source_id=source,
        published=known,
        tables={"trade_months": rows.select(schema("trade_months").names()).sort(_KEY)},
        rejected=sorted(rejected, key=lambda row: (row.file, row.line)),
        rows_in=rows_in,
        stored=frame.height,
        outside=dict(sorted(outside.items())),
        left_empty={"no tonnes: nobody weighed them": empty} if (empty := frame["quantity_t"].null_count()) else {},
    )  # fmt: skip


def _read(
    place: str, path: Path, known_map: CodeMap, known: date
) -> tuple[pl.DataFrame, list[RejectedRow], Counter[str]]:
    """Return rows of one table that are stored, rows at fault, and how many are outside, by reason."""
    if path.suffix.lower() == ".json":
        raise refused(place, "is JSON; give the months as a table (CSV)")
    sniff(path, place)
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        separator = separator_of(next(file))
    try:
        scan = pl.scan_csv(
            path, infer_schema=False, separator=separator, encoding="utf8-lossy", truncate_ragged_lines=True,
            row_index_name=_LINE, row_index_offset=2,
        )  # fmt: skip
        names = [name for name in scan.collect_schema().names() if name != _LINE]
        found = dict(column_names(place, names))
        cells = [
            (pl.col(names[found[ours]]).fill_null("") if ours in found else pl.lit(""))
            .str.strip_chars()
            .alias(ours)
            for ours in COLUMNS
        ]
        codes = (
            "period",
            "reporter",
            "flow",
            "partner",
            "partner2",
            "code",
            "customs",
            "supply",
            "transport",
            "unit",
            "flag",
        )
        bare = [pl.col(name).str.replace(WHOLE, "${1}") for name in codes]
        # Most rows are of other goods: they are told by their code as written, before anything is done with them.
        code = pl.col(names[found["code"]]).str.strip_chars()
        mapped = scan.filter(code.is_in(_written(known_map)))
        table = mapped.select(pl.col(_LINE).cast(pl.Int64), *cells).with_columns(bare)
        some, total = pl.collect_all(
            [table.with_columns(_outside(known_map).alias(_OUT)), scan.select(pl.len())], engine="streaming"
        )
    except (pl.exceptions.PolarsError, OSError, StopIteration) as error:
        said = (str(error).splitlines() or ["unknown fault"])[0][:160]
        raise refused(place, f"cannot be read to its end ({said}); download it again") from None
    counts = some.filter(pl.col(_OUT).is_not_null()).group_by(_OUT).len()
    left = Counter(dict(counts.iter_rows()))
    left[_OTHER_GOODS] += int(total.item()) - some.height
    left = +left
    judged = _judged(some.filter(pl.col(_OUT).is_null()), known_map, known).with_columns(
        pl.lit(place).alias("__file")
    )
    bad = judged.filter(pl.col(_WHY).is_not_null())
    faults = [
        RejectedRow(place, line, column, value or "", why)
        for line, column, value, why in bad.select(_LINE, _COLUMN, _VALUE, _WHY).iter_rows()
    ]
    own = [name for name in schema("trade_months").names() if name not in {"source_id", "known_from"}]
    return judged.filter(pl.col(_WHY).is_null()).select("__file", _LINE, *own), faults, left


def _written(known_map: CodeMap) -> list[str]:
    """Return every way in which a code of the map may be written: without its leading zero, as a decimal."""
    codes = {hs6 for _, hs6 in known_map.codes}
    plain = {*codes, *(code.lstrip("0") for code in codes)}
    return sorted({*plain, *(f"{code}.0" for code in plain)})


def _outside(known_map: CodeMap) -> pl.Expr:
    """Say why a row is not asked for; null where it is."""
    code = pl.col("code").str.zfill(6)
    mapped = pl.concat_str(pl.col("classification").str.to_uppercase(), code, separator=" ")
    codes = sorted(
        f"{name} {hs6}"
        for name, revision in REVISIONS.items()
        for has, hs6 in known_map.codes
        if has == revision
    )
    flow = pl.col("flow").str.to_uppercase()
    part = pl.any_horizontal(~pl.col(name).is_in(sorted(totals)) for name, totals in TOTALS.items())
    partner = pl.col("partner").str.strip_chars_start("0")
    reasons = [
        (pl.col("type").str.to_uppercase() == "S", "services"),
        (pl.col("period").str.len_chars() == 4, "a whole year; the source comtrade reads years"),
        (~mapped.is_in(codes), _OTHER_GOODS),
        (~flow.is_in(["M", "X", "1", "2"]), "part of a flow: re-imports, re-exports, processing"),
        (part, "part of a total: by second partner, transport or customs procedure"),
        (partner.str.contains(f"^({AREAS.pattern})$"), "partner is an area, not a country"),
        ((partner == "") & flow.is_in(["M", "1"]), "imports from the world: the sum of all"),
    ]  # fmt: skip
    found = pl.lit(None, dtype=pl.String)
    for test, said in reversed(reasons):
        found = pl.when(test).then(pl.lit(said)).otherwise(found)
    return found


def _judged(wanted: pl.DataFrame, known_map: CodeMap, known: date) -> pl.DataFrame:
    """Add typed columns, and for each row the first fault that it has."""

    def figure(name: str) -> pl.Expr:
        text = pl.col(name)
        shaped = text.str.contains(f"^({NUMBER.pattern})$") & ~text.str.starts_with("-")
        return pl.when(shaped).then(text.cast(pl.Float64, strict=False))

    def blank(name: str) -> pl.Expr:
        return pl.col(name).str.to_lowercase().is_in(sorted(UNKNOWN_WORDS))

    def yes(name: str) -> pl.Expr:
        return pl.col(name).str.to_lowercase().is_in(["true", "1"])

    def country(side: str) -> pl.Expr:
        number = pl.col(side).str.strip_chars_start("0")
        by_number = number.replace_strict(known_map.numbers, default=None, return_dtype=pl.String)
        return pl.coalesce(
            by_number,
            pl.col(f"{side}_iso").replace_strict(known_map.iso, default=None, return_dtype=pl.String),
        )

    is_import = pl.col("flow").str.to_uppercase().is_in(["M", "1"])
    partner = (
        pl.when(pl.col("partner").str.strip_chars_start("0") == "")
        .then(pl.lit(_WORLD))
        .otherwise(country("partner"))
    )
    weight, quantity = figure("weight_kg"), figure("quantity")
    told = pl.col("is_weight_estimated") == ""
    guessed = yes("is_weight_estimated") | (told & pl.col("flag").is_in(["4", "6"]))
    counted = ~yes("is_quantity_estimated") & ~pl.col("flag").is_in(["2", "6"]) & (pl.col("unit") == "8")
    typed = wanted.with_columns(
        (pl.col("period") + "01").str.to_date("%Y%m%d", strict=False).alias("month"),
        country("reporter").alias("__reporter"),
        partner.alias("__partner"),
        pl.col("code").str.zfill(6),
        pl.col("classification").str.to_uppercase().replace_strict(REVISIONS).alias("hs_revision"),
        pl.when(is_import).then(pl.lit("importer")).otherwise(pl.lit("exporter")).alias("reported_by"),
        figure("value_usd").alias("__usd"),
        pl.when((weight > 0) & ~guessed).then(weight / 1000).when((quantity > 0) & counted).then(quantity / 1000)
        .alias("quantity_t"),
    ).with_columns(
        pl.when(is_import).then("__partner").otherwise("__reporter").alias("exporter"),
        pl.when(is_import).then("__reporter").otherwise("__partner").alias("importer"),
    )  # fmt: skip
    faults = [
        ("period", "period", pl.col("month").is_null() | (pl.col("month") > known), "is not a month that this edition can contain"),
        ("reporterCode", "reporter", pl.col("__reporter").is_null(), "is not a country in countries.baci_code; add its number there"),
        ("partnerCode", "partner", pl.col("__partner").is_null(), "is not a country in countries.baci_code; add its number there"),
        ("primaryValue", "value_usd", blank("value_usd"), "is blank; leave the row out, or fill it"),
        ("primaryValue", "value_usd", pl.col("__usd").is_null(), "is not a number; write digits with a point and no separators"),
        ("primaryValue", "value_usd", pl.col("__usd") > MAX_USD, "is more than can be; the column is in US dollars"),
        ("netWgt", "weight_kg", weight.is_null() & ~blank("weight_kg"), "is not a number; write digits with a point and no separators"),
        ("netWgt", "weight_kg", pl.col("quantity_t") > MAX_FLOW_T, "is more than can be; the column is in kilograms"),
    ]  # fmt: skip
    sure = [(column, ours, test.fill_null(value=False), said) for column, ours, test, said in faults]
    why, where, value = first_fault(sure)
    judged = typed.with_columns(why.alias(_WHY), where.alias(_COLUMN), value.alias(_VALUE))
    return judged.drop("value_usd").rename({"__usd": "value_usd"}).sort(_LINE)


IMPORTER = Importer(SOURCE, parse)
