"""Archives made to harm: refused with a sentence within seconds, with nothing written outside and no disk filled."""

import gzip
import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.warehouse.sources.comtrade_rows import READING
from warehouse.errors import BundleError
from warehouse.sources import archive, comtrade
from warehouse.sources.parsed import Reading
from warehouse.sources.workbook import sheets

ROOM = 4 << 20
ZEROS = b"0" * (1 << 20)
Make = Callable[[Path], None]


@pytest.fixture(autouse=True)
def small_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_LEAST_ROOM_BYTES", ROOM)


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as made:
        for name, content in members:
            made.writestr(name, content)
    return sink.getvalue()


def altered(content: bytes, mark: bytes, offset: int, by: bytes) -> bytes:
    at = content.index(mark) + offset
    return content[:at] + by + content[at + len(by) :]


BOMB = zipped(("a.csv", ZEROS * 64))
SMALL = zipped(("a.csv", b"period,cmdCode\n" * 100))
HOSTILE: dict[str, tuple[str, bytes]] = {
    "a bomb": ("a.zip", BOMB),
    "a bomb of many members": ("a.zip", zipped(*((f"{n}.csv", ZEROS) for n in range(40)))),
    "a size that is understated": ("a.zip", altered(BOMB, b"PK\x01\x02", 24, b"\x10\0\0\0")),
    "a bomb in gzip": ("a.gz", gzip.compress(ZEROS * 64)),
    "a bomb in gzip in parts": ("a.gz", gzip.compress(ZEROS) * 64),
    "a bomb as a workbook": ("a.xlsx", zipped(("xl/workbook.xml", ZEROS * 64))),
    "a bomb beside a workbook": ("a.xlsx", zipped(("xl/workbook.xml", b"<a/>"), ("xl/media/a.png", ZEROS * 64))),
    "an archive in an archive": ("a.zip", zipped(("a.zip", BOMB))),
    "a path upwards": ("a.zip", zipped(("../../escaped.csv", b"x\n"))),
    "an absolute path": ("a.zip", zipped(("/curbline-escaped.csv", b"x\n"))),
    "a path of Windows": ("a.zip", zipped(("..\\..\\escaped.csv", b"x\n"))),
    "a name of dots": ("a.zip", zipped(("..", b"x\n"))),
    "two members of one name": ("a.zip", zipped(("a.csv", b"x\n"), ("b/a.csv", b"y\n"))),
    "cut off": ("a.zip", SMALL[: len(SMALL) // 2]),
    "cut off in gzip": ("a.gz", gzip.compress(b"x" * 9999)[:20]),
    "a wrong checksum": ("a.zip", altered(SMALL, b"PK\x01\x02", 16, b"\1\2\3\4")),
    "an unknown method": ("a.zip", altered(SMALL, b"PK\x01\x02", 10, b"\x63\0")),
    "locked": ("a.zip", altered(SMALL, b"PK\x01\x02", 8, b"\1\0")),
    "empty": ("a.zip", zipped()),
    "no archive": ("a.zip", b"PK\x03\x04" + b"garbage" * 100),
    "no gzip": ("a.gz", b"\x1f\x8b" + b"garbage" * 100),
    "entities that grow": (
        "a.xlsx",
        zipped(("xl/workbook.xml", b'<!DOCTYPE a [<!ENTITY b "' + b"c" * 999 + b'">]><a>' + b"&b;" * 999 + b"</a>")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_is_refused(tmp_path: Path, kind: str) -> None:
    name, content = HOSTILE[kind]
    folder = tmp_path / "in" / "in"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(content)
    began = time.perf_counter()
    with pytest.raises(BundleError, match=name.replace(".", r"\.")) as refusal:
        comtrade.parse(folder / name, Reading(READING.tables, "202611", any_size=True))
    assert time.perf_counter() - began < 10
    assert "Traceback" not in str(refusal.value)
    assert "bomb" not in kind or "unpacks to more than " in str(refusal.value)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [folder / name]
    assert not Path("/curbline-escaped.csv").exists()


def test_what_packs_well_is_still_read(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(("a.csv", ZEROS * 3)))
    found = archive.unpacked(path, tmp_path, lambda name: name.endswith(".csv"), "no table")
    assert found[0][1].stat().st_size == 3 << 20


def test_a_workbook_is_counted_before_a_library_unpacks_it(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(zipped(("xl/workbook.xml", ZEROS * 64)))
    with pytest.raises(BundleError, match="unpacks to more than"):
        next(sheets(path))
