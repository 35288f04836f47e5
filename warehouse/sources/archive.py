"""Unpacking the tables of a ZIP archive that a publisher ships."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from warehouse.sources.parsed import refused

#: Tables of trade shrink to a tenth, answers in JSON to a fortieth; what shrinks to less than this is made to fill disks.
_MOST_TIMES = 200
_LEAST_ROOM_BYTES = 100 << 20
_CHUNK = 1 << 20
_BROKEN = (
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


class _Source(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes; none at the end."""


class Room:
    """How many bytes may still come out of an archive: 200 times its own, and 100 MiB at least.

    What an archive states of its members is not believed; the bytes are counted as they come.

    Args:
        path: the archive.
    """

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._most = self._left = max(_LEAST_ROOM_BYTES, _MOST_TIMES * path.stat().st_size)

    def copy(self, source: _Source, sink: IO[bytes] | None) -> None:
        """Unpack one member into a file, or only count it where there is none.

        Raises:
            BundleError: More comes out than there is room for.
        """
        while chunk := source.read(_CHUNK):
            self._left -= len(chunk)
            if self._left < 0:
                raise refused(
                    self._name,
                    f"unpacks to more than {self._most:,} bytes, which no table does that is packed so small; it is not "
                    "this source: download it again, or unpack it yourself and give the file in it",
                )
            if sink is not None:
                sink.write(chunk)


def unpacked(
    path: Path, folder: Path, is_wanted: Callable[[str], bool], lacking: str
) -> list[tuple[str, Path]]:
    """Unpack the wanted members of an archive.

    Args:
        path: the archive.
        folder: where to put the members.
        is_wanted: tells by its file name whether a member is a table.
        lacking: what to say where no member is.

    Returns:
        Place for messages and path of each member, sorted by name.

    Raises:
        BundleError: The archive is damaged, holds a table twice or none, or is made to fill a disk.
    """
    found: dict[str, Path] = {}
    room = Room(path)
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                name = PurePosixPath(member.filename).name
                if _is_foreign(member.filename) or not is_wanted(name):
                    continue
                if name in found:
                    raise refused(path.name, f"contains {name} twice; download it again")
                found[name] = folder / name
                with archive.open(member) as source, found[name].open("wb") as sink:
                    room.copy(source, sink)
    except _BROKEN as error:
        raise refused(path.name, f"is not a complete archive ({error}); download it again") from None
    if not found:
        raise refused(path.name, f"{lacking}; download it again")
    return [(f"{path.name}/{name}", found[name]) for name in sorted(found)]


def unzipped(path: Path, target: Path) -> None:
    """Unpack a file that gzip packed.

    Raises:
        BundleError: It is damaged, or made to fill a disk.
    """
    room = Room(path)
    try:
        with gzip.open(path) as source, target.open("wb") as sink:
            room.copy(source, sink)
    except _BROKEN as error:
        raise refused(path.name, f"is not a complete archive ({error}); download it again") from None


def require_room(path: Path) -> None:
    """Unpack a ZIP archive into nothing, before a library unpacks it into memory; other files pass.

    Raises:
        BundleError: It is damaged, or made to fill the memory.
    """
    if not zipfile.is_zipfile(path):
        return
    room = Room(path)
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                with archive.open(member) as source:
                    room.copy(source, None)
    except _BROKEN as error:
        raise refused(path.name, f"is not a complete archive ({error}); download it again") from None


def _is_foreign(member: str) -> bool:
    """Say whether an operating system added the member, as macOS does with `__MACOSX/._name` and `.DS_Store`."""
    parts = PurePosixPath(member).parts
    return "__MACOSX" in parts or (bool(parts) and parts[-1].startswith("."))
