"""China's customs by month: the query tables of its statistics site, one row per month, eight-digit code and partner.

No file was at hand: columns follow the headings of the site in Chinese and English as users quote them. A file with other
columns is refused, and the message lists those that it has.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path

import polars as pl

from warehouse.bundle.files import RejectedRow
from warehouse.records.fields import MAX_FLOW_T, MAX_USD
from warehouse.records.tables import schema
from warehouse.sources.comtrade_judge import same_goods
from warehouse.sources.figures import is_unknown, number, ungrouped
from warehouse.sources.parsed import (
    Importer,
    ParsedFile,
    PublicSource,
    Reading,
    check_bounds,
    is_workbook,
    month_end,
    refused,
    whole,
)
from warehouse.sources.table import Line, read_table
from warehouse.sources.workbook import table_of

SOURCE = PublicSource(
    name="gacc",
    publisher="General Administration of Customs of China",
    title="China customs statistics by month",
    url="http://stats.customs.gov.cn/",
    licence="terms not found; own use",
    cadence="monthly, totals about the 7th and the 18th, partners about the 20th",
    allowed_age_days=120,
    min_rows=1,
    max_rows=2_000_000,
    quirks=(
        "a table does not say whether it is of exports or imports; its file name must: export or import, 出口 or 进口",
        "CSV in GB18030, thousands parted by commas, workbooks with merged heads and merged cells",
        "one lane may be split by trade mode and province; its rows are summed",
        "partners have numbers of their own: 502 is the United States, 116 Japan, 304 Germany, 133 Korea",
    ),
)
#: Names of a column, without blanks and in lower case.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "month": ("数据年月", "dateofdata", "month", "period"),
    "code": ("商品编码", "commoditycode", "hscode"),
    "partner": ("贸易伙伴编码", "tradingpartnercode", "partnercode"),
    "partner_name": ("贸易伙伴名称", "tradingpartner", "partner"),
    "quantity": ("第一数量", "firstquantity", "1stquantity", "quantity"),
    "unit": ("第一计量单位", "firstunit", "1stunit", "unit"),
    "quantity2": ("第二数量", "secondquantity", "2ndquantity"),
    "unit2": ("第二计量单位", "secondunit", "2ndunit"),
    "value": ("美元", "usdollar", "valueus$", "value(us$)"),
}
_NEEDED = ("month", "code", "quantity", "unit", "value")
#: Cells that a workbook merges over the rows below.
_MERGED = ("month", "code", "partner", "partner_name")
_TONNES = {"千克": 0.001, "公斤": 0.001, "kg": 0.001, "kilogram": 0.001, "kilograms": 0.001, "克": 1e-6, "gram": 1e-6, "吨": 1.0, "ton": 1.0, "tonne": 1.0}  # fmt: skip
_NEWEST_REVISION = 2022
_MONTH = re.compile(r"(20\d{2})[-/年]?(0[1-9]|1[0-2])月?")
_EXPORT, _IMPORT = re.compile("export|出口", re.IGNORECASE), re.compile("import|进口", re.IGNORECASE)


def parse(path: Path, reading: Reading) -> ParsedFile:
    """Read a table of China's customs, CSV or workbook.

    Returns:
        Rows of `trade_months` (US dollars, tonnes), sorted; `rows_in` counts rows of the file.

    Raises:
        BundleError: The file is no such table, or says neither its edition nor its direction.
    """
    if not path.is_file():
        raise refused(path.name, "no such file; name the file that you downloaded")
    if not reading.release:
        raise refused(path.name, "does not say its edition; give --release YYYYMM, the month of the download")
    known, is_export = month_end(path.name, reading.release), _is_export(path.name)
    pairs = set(reading.tables["hs_codes"].select("hs_revision", "hs6").unique().iter_rows()) | same_goods(
        reading.tables
    )
    sums: dict[tuple[date, str, str, str], list[tuple[float, float | None]]] = {}
    rejected: list[RejectedRow] = []
    outside: Counter[str] = Counter()
    stored = 0
    for line in _lines(path):
        month, code = _MONTH.fullmatch(line.cells["month"]), whole(line.cells["code"])
        revision = "22" if month and int(month[1]) >= _NEWEST_REVISION else "17"
        if month and re.fullmatch(r"\d{8}", code) and (revision, code[:6]) not in pairs:
            outside["code outside the map"] += 1
            continue
        fault, found = _row(line.cells, month, code, known)
        if fault:
            rejected.append(RejectedRow(path.name, line.line, *fault))
        else:
            key, figures = found
            sums.setdefault((*key, revision), []).append(figures)
            stored += 1
    check_bounds(path.name, stored + len(rejected), len(rejected), least=0, most=SOURCE.max_rows)
    source = (
        f"gacc-{reading.release}-{re.sub(r'[^a-z0-9]+', '-', path.stem.lower()).strip('-') or 'table'}-import"
    )
    rows = []
    for (month_day, code, partner, revision), parts in sorted(sums.items()):
        tonnes = [t for _, t in parts]
        exporter, importer = ("CHN", partner) if is_export else (partner, "CHN")
        rows.append({
            "month": month_day, "exporter": exporter, "importer": importer, "code": code, "hs_revision": revision,
            "reported_by": "exporter" if is_export else "importer", "value_usd": sum(usd for usd, _ in parts),
            # A sum with an unknown part is unknown.
            "quantity_t": None if None in tonnes else sum(t for t in tonnes if t is not None),
            "source_id": source, "known_from": known,
        })  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema("trade_months"))
    return ParsedFile(
        source, known, {"trade_months": frame}, rejected, stored + len(rejected), stored, dict(outside)
    )


def _is_export(name: str) -> bool:
    exports, imports = bool(_EXPORT.search(name)), bool(_IMPORT.search(name))
    if exports == imports:
        raise refused(
            name,
            "does not say whether it is of exports or imports; name the file so, such as export_202601.csv",
        )
    return exports


def _lines(path: Path) -> Iterator[Line]:
    """Return the rows by our names; merged cells of a workbook are filled from above."""
    is_book = is_workbook(path)
    if is_book:
        header, rows, _ = table_of(
            path,
            lambda row: set(_NEEDED) <= set(_named(row)),
            "columns for month, code, quantity, unit and value",
        )
        lines = [Line(line, dict(zip(header, cells, strict=True))) for line, cells in rows]
    else:
        lines = read_table(path, (), encodings=("utf-8-sig", "gb18030")).lines
        header = list(lines[0].cells) if lines else []
    at = _named(header)
    missing = [_NAMES[name][1] for name in _NEEDED if name not in at]
    if not {"partner", "partner_name"} & set(at):
        missing.append("tradingpartner")
    if missing:
        raise refused(path.name, f"lacks column {', '.join(missing)}; it has {', '.join(header)[:160]}", 1)
    above: dict[str, str] = {}
    for line in lines:
        cells = {ours: line.cells[theirs] for ours, theirs in at.items()}
        if is_book:
            cells |= {name: above.get(name, "") for name in _MERGED if name in cells and not cells[name]}
            above = cells
        yield Line(line.line, dict.fromkeys(_NAMES, "") | cells)


def _named(header: Sequence[str]) -> dict[str, str]:
    theirs = {re.sub(r"\s", "", name).lower(): name for name in reversed(header)}
    return {
        ours: theirs[next(name for name in names if name in theirs)]
        for ours, names in _NAMES.items()
        if any(name in theirs for name in names)
    }


def _row(
    cells: Mapping[str, str], month: re.Match[str] | None, code: str, known: date
) -> tuple[tuple[str, str, str] | None, tuple[tuple[date, str, str], tuple[float, float | None]]]:
    nothing = (date.min, "", ""), (0.0, None)
    if not month or (day := date(int(month[1]), int(month[2]), 1)) > known:
        return (
            "month",
            cells["month"],
            "is not a month that this edition can contain; write 202601",
        ), nothing
    if not re.fullmatch(r"\d{8}", code):
        return ("code", cells["code"], "is not a code of eight digits; format the column as text"), nothing
    partner = _partners().get(whole(cells["partner"])) or _partners().get(cells["partner_name"].lower())
    if partner is None:
        return (
            "partner",
            cells["partner"] or cells["partner_name"],
            "is not in gacc_partners.csv; add it there",
        ), nothing
    usd = number(ungrouped(cells["value"]))
    if usd is None or not 0 <= usd <= MAX_USD:
        return ("value", cells["value"], "is not a value in US dollars; write digits"), nothing
    for quantity, unit in (("quantity", "unit"), ("quantity2", "unit2")):
        factor = _TONNES.get(cells[unit].strip().lower())
        if factor is None or is_unknown(cells[quantity]):
            continue
        amount = number(ungrouped(cells[quantity]))
        if amount is None or not 0 <= amount * factor <= MAX_FLOW_T:
            return (quantity, cells[quantity], "is not a quantity; write digits"), nothing
        return None, ((day, code, partner), (usd, amount * factor))
    return None, ((day, code, partner), (usd, None))


@cache
def _partners() -> dict[str, str]:
    with Path(__file__).with_name("gacc_partners.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {key.lower(): row["country"] for row in rows for key in (row["code"], row["name"], row["chinese"])}


IMPORTER = Importer(SOURCE, parse)
