"""Unpacking the tables of a ZIP archive that a publisher ships."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from warehouse.sources.parsed import refused


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
        BundleError: The archive is damaged, holds a table twice, or holds none.
    """
    found: dict[str, Path] = {}
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
                    shutil.copyfileobj(source, sink, 1 << 20)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise refused(path.name, f"is not a complete archive ({error}); download it again") from None
    if not found:
        raise refused(path.name, f"{lacking}; download it again")
    return [(f"{path.name}/{name}", found[name]) for name in sorted(found)]


def _is_foreign(member: str) -> bool:
    """Say whether an operating system added the member, as macOS does with `__MACOSX/._name` and `.DS_Store`."""
    parts = PurePosixPath(member).parts
    return "__MACOSX" in parts or (bool(parts) and parts[-1].startswith("."))
