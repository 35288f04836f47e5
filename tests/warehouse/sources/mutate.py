"""Damaging a public file in every way that files arrive damaged, and seeing that an importer says so.

`torture` is for every importer's test: it writes seeded variants of one good file and holds three promises: no error
but a BundleError whose sentence starts with the file's name, books that add up, and no entry lost in silence.
"""

from __future__ import annotations

import csv
import io
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from warehouse.errors import BundleError
from warehouse.sources.parsed import ParsedFile

Rows = list[list[str]]
SEEDS = 208
REFUSED, WHOLE, PARTLY = "refused with a sentence", "read, every entry used", "read, entries rejected"
FOOTNOTES = (
    "1Includes Hong Kong",
    "e Estimated.",
    "World total (rounded)",
    "See footnote 3",
    "Less than ½ unit.",
    "— Zero.",
    "",
)
NUMBERS = (
    "1.234,5",
    '"1.234,5',
    "1,234.5",
    "1 234",
    "1'234",
    "12,34,567",
    "-5",
    "1e999",
    "nan",
    "12x",
    "½",
    "—",
)


def rows_of(content: bytes) -> int:
    """Rows that must be accounted for: lines with something on them, without the header."""
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").removesuffix(b"\n").split(b"\n")
    return sum(1 for line in lines[1:] if line.strip())


@dataclass
class Outcomes:
    """What became of the damaged files, and where a promise was broken."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def table(self) -> str:
        """The counts by damage and outcome, as Markdown."""
        heads = (REFUSED, WHOLE, PARTLY)
        kinds = sorted({kind for kind, _ in self.counts})
        lines = [f"| damage | files | {' | '.join(heads)} |", "|---|---:|---:|---:|---:|"]
        for kind in (*kinds, "all"):
            row = [
                sum(n for (k, o), n in self.counts.items() if kind in {k, "all"} and o == h) for h in heads
            ]
            lines.append(f"| {kind} | {sum(row)} | {' | '.join(map(str, row))} |")
        return "\n".join(lines)


def torture(
    parse: Callable[[Path], ParsedFile],
    path: Path,
    text: str,
    *,
    encoding: str = "utf-8",
    seeds: int = SEEDS,
    entries: Callable[[bytes], int] = rows_of,
) -> Outcomes:
    """Write `seeds` damaged variants of `text` to `path`, one after another, and read each.

    Args:
        parse: reads a file, in the way that the command line does.
        path: name that the file must bear.
        text: a good file, with a header and no line breaks within cells.
        encoding: encoding in which the publisher ships it.
        seeds: how many variants.
        entries: fewest entries of a variant that was read; rows by default.
    """
    found = Outcomes()
    for seed in range(seeds):
        kind, content = mutated(text, seed, encoding)
        path.write_bytes(content)
        try:
            parsed = parse(path)
        except BundleError as error:
            found.counts[kind, REFUSED] += 1
            if not str(error).startswith(path.name):
                found.broken.append(f"seed {seed}, {kind}: the message names no file: {error}")
            continue
        except Exception as error:  # noqa: BLE001  (whatever it is, it is the finding)
            found.broken.append(f"seed {seed}, {kind}: {type(error).__name__}: {error}")
            continue
        found.counts[kind, PARTLY if parsed.rejected else WHOLE] += 1
        if parsed.stored + len(parsed.rejected) != parsed.rows_in:
            found.broken.append(f"seed {seed}, {kind}: the books do not add up")
        read, least = parsed.rows_in + sum(parsed.outside.values()), entries(content)
        if read < least:
            found.broken.append(f"seed {seed}, {kind}: {least} entries in the file, {read} accounted for")
    return found


def mutated(text: str, seed: int, encoding: str = "utf-8") -> tuple[str, bytes]:
    """The name of the damage and the damaged file of one seed."""
    draw = random.Random(seed)
    kind = list(_DAMAGE)[seed % len(_DAMAGE)]
    return kind, _DAMAGE[kind](text, draw, encoding)


def _table(text: str) -> Rows:
    return list(csv.reader(io.StringIO(text, newline="")))


def _written(rows: Rows, encoding: str) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode(encoding, "replace")


def _cell(rows: Rows, draw: random.Random, wanted: Callable[[str], bool]) -> tuple[int, int]:
    """Place of a cell that `wanted` holds for; of any cell where there is none."""
    places = [(r, c) for r, row in enumerate(rows[1:], 1) for c in range(len(row))]
    return draw.choice([(r, c) for r, c in places if wanted(rows[r][c])] or places)


def _is_number(cell: str) -> bool:
    return bool(cell) and cell.replace(",", "").replace(".", "").isdigit()


def _cut(text: str, draw: random.Random, encoding: str) -> bytes:
    whole = text.encode(encoding)
    return whole[: draw.randrange(len(whole))]


def _shifted(text: str, draw: random.Random, encoding: str) -> bytes:
    lines = text.splitlines()
    for _ in range(draw.choice((1, 1, len(lines) // 2))):
        at = draw.randrange(1, len(lines))
        lines[at] = "," + lines[at] if draw.random() < 0.5 else lines[at].partition(",")[2]
    return ("\n".join(lines) + "\n").encode(encoding)


def _reencoded(text: str, draw: random.Random, encoding: str) -> bytes:
    others = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252", "cp850", "cp037")
    return text.encode(draw.choice([name for name in others if name != encoding]), "replace")


def _doubled(text: str, draw: random.Random, encoding: str) -> bytes:
    lines = text.splitlines()
    again = lines if draw.random() < 0.3 else lines[draw.randrange(1, len(lines)) :]
    return ("\n".join([*lines, *again]) + "\n").encode(encoding)


def _renamed(text: str, draw: random.Random, encoding: str) -> bytes:
    rows = _table(text)
    at = draw.randrange(len(rows[0]))
    rows[0][at] = draw.choice(
        ("year", "", rows[0][0], rows[0][-1], rows[0][at].swapcase(), f"{rows[0][at]}_2")
    )
    return _written(rows, encoding)


def _dropped(text: str, draw: random.Random, encoding: str) -> bytes:
    rows = _table(text)
    at = draw.randrange(len(rows[0]))
    return _written([row[:at] + row[at + 1 :] for row in rows], encoding)


def _numbers(text: str, draw: random.Random, encoding: str) -> bytes:
    rows = _table(text)
    for _ in range(draw.choice((1, 1, len(rows)))):
        row, column = _cell(rows, draw, _is_number)
        rows[row][column] = draw.choice(NUMBERS)
    return _written(rows, encoding)


def _pointed(text: str, draw: random.Random, encoding: str) -> bytes:
    """Thousands and decimals the other way round, unquoted and all over, as a spreadsheet of another country saves them."""
    rows = _table(text)
    swap = str.maketrans(",.", ".,")
    changed = [rows[0]] + [
        [cell.translate(swap) if _is_number(cell) else cell for cell in row] for row in rows[1:]
    ]
    if draw.random() < 0.5:
        return _written(changed, encoding)
    return ("\n".join(";".join(row) for row in changed) + "\n").encode(encoding, "replace")


def _footnotes(text: str, draw: random.Random, encoding: str) -> bytes:
    rows = _table(text)
    for _ in range(draw.choice((1, 1, len(rows)))):
        row, column = _cell(rows, draw, lambda cell: bool(cell) and not _is_number(cell))
        rows[row][column] = draw.choice(FOOTNOTES)
    if draw.random() < 0.5:
        rows.append([draw.choice(FOOTNOTES), *[""] * (len(rows[0]) - 1)])
    return _written(rows, encoding)


def _bytes(text: str, draw: random.Random, encoding: str) -> bytes:
    broken = bytearray(text.encode(encoding))
    for _ in range(draw.randint(1, 6)):
        broken[draw.randrange(len(broken))] = draw.randrange(256)
    return bytes(broken)


def _line_ends(text: str, draw: random.Random, encoding: str) -> bytes:
    return text.encode(encoding).replace(b"\n", draw.choice((b"\r\n", b"\n\n", b"\r", b",\n")))


def _page(text: str, draw: random.Random, encoding: str) -> bytes:
    page = draw.choice(
        ("<!DOCTYPE html><html><body>404</body></html>\n", '{"error": "not found"}\n', "", "\n\n")
    )
    return page.encode(encoding)


def _reordered(text: str, draw: random.Random, encoding: str) -> bytes:
    """Columns in another order, which a reader by name does not mind."""
    rows = _table(text)
    order = list(range(len(rows[0])))
    draw.shuffle(order)
    return _written([[row[at] for at in order] for row in rows], encoding)


_DAMAGE: dict[str, Callable[[str, random.Random, str], bytes]] = {
    "cut off": _cut,
    "cells shifted": _shifted,
    "re-encoded": _reencoded,
    "rows doubled": _doubled,
    "column renamed": _renamed,
    "column missing": _dropped,
    "numbers misspelt": _numbers,
    "points for commas": _pointed,
    "footnotes in cells": _footnotes,
    "bytes changed": _bytes,
    "other line ends": _line_ends,
    "another page": _page,
    "columns reordered": _reordered,
}
