"""A file that has come in part, and what the server said of it; both outlive the process."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said of a file that is now there as a whole.

    Attributes:
        is_unchanged: the copy already at hand is still the newest (304); nothing was taken.
        etag: version mark; empty where there is none.
        modified: Last-Modified; empty where there is none.
        encoding: how the bytes of the part are packed: empty or gzip.
        name: the server's name of the file; empty where it gives none.
        is_length_known: whether a body cut short would have been noticed.
    """

    is_unchanged: bool = False
    etag: str = ""
    modified: str = ""
    encoding: str = ""
    name: str = ""
    is_length_known: bool = True


class Part:
    """The bytes so far, and the version that they are of; both survive the process."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / ".part"
        self._note = folder / ".part.json"

    def answer(self) -> Answer:
        """Return what the server said when the part was begun."""
        with suppress(OSError, ValueError, TypeError):
            return Answer(**json.loads(self._note.read_text(encoding="utf-8")))
        return Answer()

    def size_bytes(self) -> int:
        """Return how many bytes are there that may be gone on with."""
        return self.path.stat().st_size if self.path.is_file() and self.validator() else 0

    def validator(self) -> str:
        """Return the mark by which a server can tell that the file is still the same; weak marks cannot."""
        said = self.answer()
        return said.etag if said.etag and not said.etag.startswith("W/") else said.modified

    def begin(self, answer: Answer) -> None:
        """Throw away what is there and note the version that comes now."""
        self.discard()
        self._note.write_text(json.dumps(asdict(answer)), encoding="utf-8")

    def discard(self) -> None:
        """Remove the part and its note."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
