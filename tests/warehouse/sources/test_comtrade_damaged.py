"""Two times two hundred damaged files of UN Comtrade: refused with a sentence, or read with books that add up."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.warehouse.sources.comtrade_rows import READING, answer, months, record, table
from tests.warehouse.sources.mutate import SEEDS, torture
from warehouse.errors import BundleError
from warehouse.sources import comtrade

NAME = "TradeData_11_24_2026_10_30_9.csv"
CODES = ("284690", "081110")


def _plain() -> str:
    """Sixty rows, with what a real file holds beside them: parts of totals, the world, exports and re-exports."""
    pairs = [(a, b) for a in ("842", "392", "490") for b in ("842", "392", "490", "156", "104") if a != b]
    rows = [
        record(a, "M", b, cmdCode=code, netWgt=str(1000 + 7 * number), primaryValue=str(5000.25 + number))
        for number, (a, b) in enumerate(pairs)
        for code in CODES
    ]
    rows += [record(a, "M", "0") for a in ("842", "392")]
    rows += [record("156", "X", b) for b in ("842", "104")] + [record("842", "RM", "156")]
    rows += [record("842", "M", "156", motCode="2100"), record("842", "M", "156", cmdCode="2846")]
    return table(*rows)


@pytest.mark.parametrize("make", ["page", "months"])
def test_damaged_files_lose_nothing_in_silence(tmp_path: Path, make: str) -> None:
    text = _plain() if make == "page" else table(*months("842", "M", "156"), *months("842", "M", "104"))
    found = torture(lambda path: comtrade.parse(path, READING), tmp_path / NAME, text)
    assert not found.broken
    assert sum(found.counts.values()) == SEEDS


@pytest.mark.parametrize("seed", range(64))
def test_damaged_answers_lose_nothing_in_silence(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    rows = [record("842", "M", partner, cmdCode=code) for partner in ("156", "104", "490") for code in CODES]
    content = answer(*rows)
    kind = seed % 4
    if kind == 0:
        content = content[: draw.randrange(len(content))]
    elif kind == 1:
        broken = bytearray(content)
        for _ in range(draw.randint(1, 6)):
            broken[draw.randrange(len(broken))] = draw.randrange(256)
        content = bytes(broken)
    elif kind == 2:
        content = answer(*rows, *draw.sample(rows, draw.randint(1, 3)))
    else:
        name = draw.choice(list(rows[0])).encode()
        content = content.replace(b'"%b"' % name, b'"x"', draw.choice((1, -1)))
    path = tmp_path / "answer[2026-11-24].json"
    path.write_bytes(content)
    parsed, said = None, path.name
    try:
        parsed = comtrade.parse(path, READING)
    except BundleError as error:
        said = str(error)
    assert said.startswith(path.name)
    if parsed is not None:
        assert parsed.rows_in == parsed.stored + len(parsed.rejected)
        assert parsed.rows_in + sum(parsed.outside.values()) == len(json.loads(content)["data"])
