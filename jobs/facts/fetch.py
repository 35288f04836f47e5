"""Fetching a public file into a cache, with a checksum beside it; only where the user asks for it by its address."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

from jobs.errors import InputError, SettingsError
from jobs.facts.fetch_http import Patience, place_of, too_large, transfer
from jobs.facts.fetch_part import Answer, Part
from jobs.output.lock import exclusive

_SIDECAR = ".fetched.json"
_SECRET = re.compile(r"key|token|sig|auth|pass|secret|cred", re.IGNORECASE)
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file in the cache.

    Attributes:
        path: where it is.
        url: where it came from, without secrets.
        sha256: checksum of its content.
        size_bytes: its length.
        fetched_at: when its content was taken from the server.
        from_cache: nothing was taken this time.
        is_length_known: whether a body cut short would have been noticed while it was taken.
    """

    path: Path
    url: str
    sha256: str
    size_bytes: int
    fetched_at: datetime
    from_cache: bool
    is_length_known: bool


@dataclass(frozen=True, slots=True)
class _Note:
    """The sidecar: what is known of the cached file."""

    url: str
    name: str
    sha256: str
    size_bytes: int
    fetched_at: str
    etag: str
    modified: str
    is_length_known: bool


def default_cache() -> Path:
    """Return the user's cache folder for Curbline, as the XDG base directory rules say."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (named if named.is_absolute() else Path.home() / ".cache") / "curbline"


def public_url(url: str) -> str:
    """Return a URL that may be written down: parameters whose name sounds like a secret have no value."""
    split = urlsplit(url)
    pairs = parse_qsl(split.query, keep_blank_values=True)
    if not any(_SECRET.search(name) for name, _ in pairs):
        return urlunsplit(split._replace(fragment=""))
    shown = "&".join(f"{quote(k)}={'' if _SECRET.search(k) else quote(v)}" for k, v in pairs)
    return urlunsplit(split._replace(query=shown, fragment=""))


def fetch(
    url: str,
    cache: Path,
    at: datetime,
    *,
    sha256: str = "",
    offline: bool = False,
    headers: Mapping[str, str] | None = None,
    reuse_since: datetime | None = None,
    patience: Patience = _PATIENCE,
    say: Callable[[str], None] = lambda _: None,
) -> Fetched:
    """Return a file from its address, or the cached copy where the server says that it is still the newest.

    Args:
        url: http or https, without user and password.
        cache: folder of all cached files; each address has a folder of its own in it.
        at: now.
        sha256: checksum that the content must have; empty where none is known.
        offline: take the cached copy, without the network.
        headers: further request headers, such as a key; they are never written down.
        reuse_since: take a cached copy at least this young without asking.
        patience: limits of time and size.
        say: told how far it is and why is waited.

    Raises:
        SettingsError: The address or the checksum is wrong, or the cache cannot be written.
        BusyError: Another process fetches the same file.
        InputError: The file cannot be had, or is not what was expected.
    """
    _check(url, sha256)
    folder = cache / hashlib.sha256(url.encode()).hexdigest()[:16]
    try:
        with exclusive(folder / ".lock", since=at, option="--cache"):
            return _fetch(
                url,
                folder,
                at,
                sha256=sha256,
                offline=offline,
                headers=headers or {},
                reuse_since=reuse_since,
                patience=patience,
                say=say,
            )
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written ({error.strerror}); free some space, or name another folder with --cache."
        ) from None


def _check(url: str, sha256: str) -> None:
    try:
        split = urlsplit(url)
        named = bool(split.hostname) and split.port != 0
    except ValueError:
        split, named = urlsplit(""), False
    if split.scheme not in {"http", "https"} or not named or re.search(r"[\s\x00-\x1f]", url):
        raise SettingsError("--url: is not an address; write https://host/path.")
    if split.username is not None:
        raise SettingsError(
            f"--url: {place_of(url)}: contains a user or password, which would be recorded with the data; download the file "
            "yourself and give it with --file."
        )
    check_written(sha256)


def check_written(sha256: str) -> None:
    """Check that a checksum is one, if it is given.

    Raises:
        SettingsError: It is not one.
    """
    if sha256 and not _DIGEST.fullmatch(sha256.lower()):
        raise SettingsError(
            f"--sha256 '{sha256}' is not a checksum; write the 64 hexadecimal digits of sha256sum."
        )


def compare(place: str, found: str, given: str) -> None:
    """Compare a file's checksum with the one that the user gave, if any.

    Raises:
        InputError: They differ.
    """
    if given and found != given.lower():
        raise InputError(
            f"{place}: has the checksum {found}, not {given.lower()} as --sha256 says; the publisher changed the file, "
            "or it is another one: compare both with the publisher before you use it."
        )


def _fetch(
    url: str,
    folder: Path,
    at: datetime,
    *,
    sha256: str,
    offline: bool,
    headers: Mapping[str, str],
    reuse_since: datetime | None,
    patience: Patience,
    say: Callable[[str], None],
) -> Fetched:
    place, note = place_of(url), _cached(folder)
    young = note is not None and reuse_since is not None and _when(note) >= reuse_since
    if note is None and offline:
        raise InputError(
            f"{place}: is not in the cache, or its copy there is damaged; run it once without --offline."
        )
    if note is not None and (offline or young):
        return _found(folder, note, place, sha256, from_cache=True)
    asked = dict(headers)
    if note is not None:
        asked |= {"If-None-Match": note.etag} if note.etag else {}
        asked |= {"If-Modified-Since": note.modified} if note.modified else {}
    part = Part(folder)
    answer = transfer(url, part, asked, patience, say)
    if answer.is_unchanged:
        if note is None:
            raise InputError(f"{place}: answers 304 although nothing was cached; run it again.")
        return _found(folder, note, place, sha256, from_cache=True)
    body = _unpacked(part, answer, place, patience)
    _refuse_page(body, place, part)
    digest, size_bytes = checksum(body)
    try:
        compare(place, digest, sha256)
    except InputError:
        part.discard()
        raise
    name = _file_name(url, answer.name)
    if note is not None and note.name != name:
        (folder / note.name).unlink(missing_ok=True)
    body.replace(folder / name)
    part.discard()
    fresh = _Note(
        url=public_url(url),
        name=name,
        sha256=digest,
        size_bytes=size_bytes,
        fetched_at=at.isoformat(),
        etag=answer.etag,
        modified=answer.modified,
        is_length_known=answer.is_length_known,
    )
    written = folder / f"{_SIDECAR}.new"
    written.write_text(json.dumps(asdict(fresh), indent=1) + "\n", encoding="utf-8")
    written.replace(folder / _SIDECAR)
    return _found(folder, fresh, place, "", from_cache=False)


def _cached(folder: Path) -> _Note | None:
    """Return the note of a cached file that is as it was when it came; None where there is none."""
    try:
        note = _Note(**json.loads((folder / _SIDECAR).read_text(encoding="utf-8")))
        _when(note)
        return note if checksum(folder / note.name) == (note.sha256, note.size_bytes) else None
    except (OSError, ValueError, TypeError):
        return None


def _when(note: _Note) -> datetime:
    return datetime.fromisoformat(note.fetched_at)


def _found(folder: Path, note: _Note, place: str, sha256: str, *, from_cache: bool) -> Fetched:
    compare(place, note.sha256, sha256)
    return Fetched(
        path=folder / note.name,
        url=note.url,
        sha256=note.sha256,
        size_bytes=note.size_bytes,
        fetched_at=_when(note),
        from_cache=from_cache,
        is_length_known=note.is_length_known,
    )


def checksum(path: Path) -> tuple[str, int]:
    """Return the SHA-256 of a file, and its length in bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size


def _unpacked(part: Part, answer: Answer, place: str, patience: Patience) -> Path:
    """Return the file itself, where it came packed for the journey."""
    if not answer.encoding:
        part.path.touch()
        return part.path
    target = part.path.with_name(".unpacked")
    size_bytes = 0
    try:
        with gzip.open(part.path) as source, target.open("wb") as sink:
            while chunk := source.read(1 << 20):
                size_bytes += sink.write(chunk)
                if size_bytes > patience.max_bytes:
                    raise InputError(too_large(place, patience.max_bytes))
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        part.discard()
        target.unlink(missing_ok=True)
        raise InputError(
            f"{place}: its gzip compression is broken ({error}); run it again, or download the file and give it with --file."
        ) from None
    except InputError:
        part.discard()
        target.unlink(missing_ok=True)
        raise
    return target


def _refuse_page(body: Path, place: str, part: Part) -> None:
    with body.open("rb") as file:
        head = file.read(2048).lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if head.startswith((b"<!doctype html", b"<html")):
        body.unlink()
        part.discard()
        raise InputError(
            f"{place}: is a web page, not the file (it may ask for a login or consent); open it in a browser, find the "
            "address of the file itself, or download it and give it with --file."
        )


def _file_name(url: str, given: str) -> str:
    """Return a safe file name: the server's, else the last part of the address."""
    name = given or unquote(urlsplit(url).path.rpartition("/")[2])
    return re.sub(r"[^\w.()\[\] -]", "_", name, flags=re.ASCII).lstrip(". ")[:200] or "file"
