"""IEA Critical Minerals Data Explorer: mining and refining by country, as the explorer's JSON gives it."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from warehouse.bundle.files import RejectedRow
from warehouse.records.tables import schema
from warehouse.sources.parsed import (
    Importer,
    ParsedFile,
    PublicSource,
    Reading,
    check_bounds,
    refuse_workbook,
    refused,
)

SOURCE = PublicSource(
    name="iea",
    publisher="International Energy Agency",
    title="Critical Minerals Data Explorer",
    url="https://www.iea.org/data-and-statistics/data-tools/critical-minerals-data-explorer",
    licence="CC BY 4.0",
    cadence="yearly, in May; the base year is the year before",
    allowed_age_days=500,
    min_rows=30,
    max_rows=2_000,
    quirks=(
        "figures are thousand tonnes",
        "2024 is a model's base year; 2030 and later are projections and no facts",
        "footnotes are listed among the countries, without figures",
        "'Rest of world' is every country that is not named",
        "rare earths are the four magnet elements by weight of element, not oxide of the whole group",
        "graphite refining counts natural and synthetic anode material together",
        "refined copper has scrap in it",
    ),
)
_MINERALS = {
    "Copper": "copper",
    "Cobalt": "cobalt",
    "Lithium": "lithium",
    "Nickel": "nickel",
    "Graphite": "natural_graphite",
}
_STAGES = {"mining": "mined", "refining": "refined"}
_OTHER_BASIS = {
    ("Graphite", "refining"): "graphite refining: natural and synthetic together",
    ("Rare Earth Elements", "mining"): "rare earths: four elements by weight of element",
    ("Rare Earth Elements", "refining"): "rare earths: four elements by weight of element",
}
_REST, _WORLD = "Rest of world", "total"
_NAMES = {
    "Democratic Republic of Congo": "COD",
    "United States": "USA",
    "Russia": "RUS",
    "Korea": "KOR",
    "Chinese Taipei": "TWN",
    "Türkiye": "TUR",
    "Viet Nam": "VNM",
    "Czech Republic": "CZE",
    _REST: "OTH",
    _WORLD: "WLD",
}
#: The longest name of a country has 44 letters; footnotes are sentences.
_FOOTNOTE = re.compile(r"^(Notes?\b|[“\"*]|.{60,})")
_MAX_BYTES = 50_000_000
_KT = 1000.0


def parse(path: Path, reading: Reading) -> ParsedFile:
    """Read supply by country of the base year.

    Returns:
        Rows of `production` in tonnes of content; an entry is one figure of one country and year.

    Raises:
        BundleError: The file is not a complete file of this source, or its edition was not named.
    """
    if not re.fullmatch(r"20\d{2}", reading.release):
        raise refused(
            path.name, "does not say its edition; give --release YYYY, the year in which the IEA published it"
        )
    published, base = date(int(reading.release), 5, 31), int(reading.release) - 1
    supply = _supply(path)
    names = {name: code for code, name in reading.tables["countries"].select("country", "name").iter_rows()}
    names |= _NAMES
    source, vintage = f"iea-{reading.release}-import", f"IEA-{reading.release}"
    rows: list[tuple[Any, ...]] = []
    rejected: list[RejectedRow] = []
    outside: Counter[str] = Counter()
    for mineral, process, name, year, value in _figures(supply, outside):
        place = f"supply.{mineral}.{process}.{name}.{year}"
        if reason := _not_asked(mineral, process, name, year, base):
            outside[reason] += 1
        elif mineral not in _MINERALS or process not in _STAGES:
            word = mineral if mineral not in _MINERALS else process
            rejected.append(
                RejectedRow(path.name, 0, place, word, "is not a mineral or process known here; add it")
            )
        elif name not in names:
            rejected.append(
                RejectedRow(path.name, 0, place, name, "is not a country in countries; add its name")
            )
        elif not _is_amount(value):
            reason = "is not an amount in thousand tonnes; write a number from 0 on"
            rejected.append(RejectedRow(path.name, 0, place, str(value)[:200], reason))
        else:
            world = name == _WORLD
            tonnes = float(value) * _KT
            said = "world_estimate" if world else "estimated"
            key = (_MINERALS[mineral], _STAGES[process], names[name], base)
            rows.append(
                (*key, tonnes, tonnes, tonnes, said, vintage, None, "model base year", source, published)
            )
    rows_in = len(rows) + len(rejected)
    least = 0 if reading.any_size else SOURCE.min_rows
    check_bounds(path.name, rows_in, len(rejected), least=least, most=SOURCE.max_rows)
    frame = pl.DataFrame(rows, schema=schema("production"), orient="row").sort("mineral", "stage", "country")
    return ParsedFile(source, published, {"production": frame}, rejected, rows_in, len(rows), outside)


def _supply(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise refused(path.name, "no such file; name the file that you downloaded")
    refuse_workbook(path, path.name, "give the explorer's data as JSON")
    if path.stat().st_size > _MAX_BYTES:
        raise refused(path.name, f"is larger than {_MAX_BYTES:,} bytes; it is not this source")
    try:
        content = json.loads(
            path.read_bytes().decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_constant
        )
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise refused(path.name, f"is not complete JSON ({str(error)[:160]}); download it again") from None
    supply = content.get("supply") if isinstance(content, dict) else None
    if not isinstance(supply, dict) or not supply:
        raise refused(path.name, "contains no 'supply' by mineral; download the explorer's data as JSON")
    return supply


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"'{twice}' occurs twice")
    return found


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is not a number")


def _figures(supply: dict[str, Any], outside: Counter[str]) -> Iterator[tuple[str, str, str, str, Any]]:
    """Yield every figure: mineral, process, country (or the total), year, value. Anything else is counted outside."""
    for mineral, processes in supply.items():
        for process, found in _items(processes, outside):
            for part, values in _items(found, outside):
                if part == _WORLD:
                    for year, value in _items(values, outside):
                        yield mineral, process, _WORLD, year, value
                elif part == "countries":
                    for name, years in _items(values, outside):
                        for year, value in _items(years, outside):
                            yield mineral, process, name, year, value
                else:
                    outside["shares and other figures"] += _leaves(values)


def _items(node: Any, outside: Counter[str]) -> list[tuple[str, Any]]:
    """Members of a mapping; anything else holds no figures, as a footnote does."""
    if isinstance(node, dict):
        return list(node.items())
    outside["footnotes and empty entries"] += 1
    return []


def _leaves(node: Any) -> int:
    return sum(_leaves(value) for value in node.values()) if isinstance(node, dict) else 1


def _not_asked(mineral: str, process: str, name: str, year: str, base: int) -> str:
    """Return why a figure is outside the map; empty where it is asked for."""
    if _FOOTNOTE.match(name):
        return "footnotes and empty entries"
    if (mineral, process) in _OTHER_BASIS:
        return _OTHER_BASIS[mineral, process]
    return f"another year than {base}: a projection" if year != str(base) else ""


def _is_amount(value: Any) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
    )


IMPORTER = Importer(SOURCE, parse)
