"""One file over HTTP: patient, resumable, bounded, and never half there.

urllib3 speaks HTTP; what is decided here is when to try again, when to go on with a part, and when to give up.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from pathlib import PurePosixPath
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import (
    HTTPError,
    InvalidHeader,
    LocationValueError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ProxySchemeUnknown,
    ReadTimeoutError,
    SSLError,
)

from jobs.errors import InputError, SettingsError
from jobs.facts.fetch_part import Answer, Part
from jobs.resources import package_version

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: Answers after which the same question may be answered better a little later.
_PASSING = frozenset({429, 500, 502, 503, 504})
_CHUNK = 1 << 16
_TOLD_BYTES = 100 << 20
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often is waited, and how much is taken; seconds and bytes."""

    connect_s: float = 10
    read_s: float = 60
    total_s: float = 3600
    tries: int = 6
    first_wait_s: float = 1
    longest_wait_s: float = 120
    redirects: int = 5
    max_bytes: int = 8 << 30


class RefusedError(InputError):
    """The server answered, and it was no file.

    Attributes:
        status: HTTP status.
        said: the message of a JSON answer; empty where there is none.
    """

    def __init__(self, message: str, status: int, said: str) -> None:
        super().__init__(message)
        self.status, self.said = status, said


class _AgainError(Exception):
    """This try failed in a way that another may not; `wait_s` is what the server asked for."""

    def __init__(self, what: str, wait_s: float | None = None) -> None:
        super().__init__(what)
        self.what, self.wait_s = what, wait_s


def place_of(url: str) -> str:
    """Return host and path of a URL for messages: no user, no query, which may hold secrets."""
    split = urlsplit(url)
    return f"{split.netloc.rpartition('@')[2]}{split.path}"


def transfer(
    url: str, part: Part, headers: Mapping[str, str], patience: Patience, say: Callable[[str], None]
) -> Answer:
    """Bring a file into `part`, going on where an earlier try or an earlier process stopped.

    Args:
        url: http or https.
        part: where the bytes go.
        headers: further request headers; they do not follow a redirect to another host.
        patience: limits.
        say: told how far it is and why is waited.

    Raises:
        InputError: After the last try, or at once where another try would not help.
        RefusedError: The server refuses.
    """
    ends = time.monotonic() + patience.total_s
    place = place_of(url)
    with _pool(url) as pool:
        for count in range(1, patience.tries + 1):
            try:
                return _attempt(pool, url, part, headers, patience, ends, say)
            except _AgainError as fault:
                wait_s = _wait(place, fault, count, patience, ends)
                say(f"{place}: {fault.what}; trying again in {wait_s:.0f} s.")
                time.sleep(wait_s)
    raise AssertionError  # the last try raised


#: A part is gone on with where the server marks its versions.
_LATER = "run it again later; it resumes where it stopped if the server allows, or give the file with --file."


def _wait(place: str, fault: _AgainError, count: int, patience: Patience, ends: float) -> float:
    """Return how long to wait before the next try, if there is to be one."""
    if count == patience.tries:
        raise InputError(f"{place}: {fault.what}, at the last of {count} tries; {_LATER}")
    own = patience.first_wait_s * 2.0 ** (count - 1)
    wait_s = own if fault.wait_s is None else fault.wait_s
    if wait_s > patience.longest_wait_s:
        raise InputError(f"{place}: {fault.what} and asks to wait {wait_s:,.0f} s; {_LATER}")
    if time.monotonic() + wait_s > ends:
        raise InputError(f"{place}: {fault.what}, and {patience.total_s:g} s have passed; {_LATER}")
    return wait_s


def _pool(url: str) -> urllib3.PoolManager:
    split = urlsplit(url)
    proxy = getproxies().get(split.scheme)
    if proxy is None or proxy_bypass(split.netloc):
        return urllib3.PoolManager()
    user = urllib3.util.parse_url(proxy).auth
    signed = urllib3.make_headers(proxy_basic_auth=unquote(user)) if user else None
    try:
        return urllib3.ProxyManager(proxy, proxy_headers=signed)
    except ProxySchemeUnknown:
        raise SettingsError(
            f"{split.scheme.upper()}_PROXY: the proxy does not use http; write http://host:port."
        ) from None


def _attempt(
    pool: urllib3.PoolManager,
    url: str,
    part: Part,
    headers: Mapping[str, str],
    patience: Patience,
    ends: float,
    say: Callable[[str], None],
) -> Answer:
    start = part.size_bytes()
    ask = {"User-Agent": f"curbline/{package_version()}", "Accept-Encoding": "identity", **headers}
    if start:
        ask = {name: value for name, value in ask.items() if not name.startswith("If-")}
        ask |= {"Range": f"bytes={start}-", "If-Range": part.validator()}
    try:
        response = _follow(pool, url, ask, patience, ends)
        try:
            answer = _judge(response, place_of(url), part, start)
            if not answer.is_unchanged:
                _take(response, place_of(url), part, patience, ends, say)
            return answer
        finally:
            response.close()
    except HTTPError as fault:
        raise _AgainError(_said(fault, place_of(url), patience)) from None


def _said(fault: HTTPError, place: str, patience: Patience) -> str:
    """Return what went wrong on the wire, or raise where trying again is vain."""
    if isinstance(fault, SSLError):
        raise InputError(
            f"{place}: no safe connection ({str(fault)[:160]}); check the address and the machine's clock and "
            "certificates, or download the file and give it with --file."
        ) from None
    if isinstance(fault, LocationValueError):
        raise InputError(
            f"{place}: is not an address, or leads on to none; look up the file's current address at its publisher."
        ) from None
    if isinstance(fault, ProxyError):
        return "the proxy of the environment (HTTPS_PROXY, HTTP_PROXY) cannot be used"
    if isinstance(fault, NameResolutionError):
        return "the name of the host is not known"
    if isinstance(fault, ReadTimeoutError):
        return f"sent nothing for {patience.read_s:g} s"
    if isinstance(fault, NewConnectionError | urllib3.exceptions.ConnectTimeoutError):
        return "cannot be reached"
    return "breaks off before the end"


def _follow(
    pool: urllib3.PoolManager, url: str, ask: dict[str, str], patience: Patience, ends: float
) -> urllib3.BaseHTTPResponse:
    place = place_of(url)
    for _ in range(patience.redirects + 1):
        left = max(0.001, ends - time.monotonic())
        limits = urllib3.Timeout(connect=min(patience.connect_s, left), read=min(patience.read_s, left))
        response = pool.request(
            "GET", url, headers=ask, redirect=False, retries=False, preload_content=False, timeout=limits
        )
        if response.status not in _REDIRECTS:
            return response
        response.close()
        try:
            target = urljoin(url, response.headers.get("Location", ""))
            old, new = urlsplit(url), urlsplit(target)
        except ValueError as error:
            raise LocationValueError from error
        if new.scheme not in {"http", "https"} or (old.scheme == "https" and new.scheme == "http"):
            raise InputError(
                f"{place}: leads on from {old.scheme} to '{new.scheme}', which is not followed; look up the file's "
                "current address at its publisher."
            )
        if (old.scheme, old.netloc) != (new.scheme, new.netloc):
            known = {"User-Agent", "Accept-Encoding", "Range"}
            ask = {name: value for name, value in ask.items() if name in known or name.startswith("If-")}
        url = target
    raise InputError(
        f"{place}: leads on to other addresses more than {patience.redirects} times; look up the file's current "
        "address at its publisher."
    )


def _judge(response: urllib3.BaseHTTPResponse, place: str, part: Part, start: int) -> Answer:
    """Say whether the body is the file or its rest, and make the part ready for it."""
    status, heads = response.status, response.headers
    if status == 304:
        return Answer(is_unchanged=True)
    if status in _PASSING:
        raise _AgainError(f"answers {status} ({_reason(response)})", _retry_after(heads.get("Retry-After")))
    if status == 416 and start:
        part.discard()
        raise _AgainError("has no such rest of the file any more", 0)
    if status == 206 and start:
        found = _CONTENT_RANGE.fullmatch(heads.get("Content-Range", ""))
        if found is None or int(found[1]) != start:
            part.discard()
            raise _AgainError("sends another rest of the file than was asked for", 0)
        return part.answer()
    if status != 200:
        raise _refusal(response, place)
    encoding = heads.get("Content-Encoding", "").strip().lower().replace("identity", "")
    if encoding not in {"", "gzip", "x-gzip"}:
        raise InputError(
            f"{place}: is compressed as '{encoding}', which was not asked for and is not read; download the file "
            "and give it with --file."
        )
    answer = Answer(
        etag=heads.get("ETag", ""),
        modified=heads.get("Last-Modified", ""),
        encoding="gzip" if encoding else "",
        name=_name(heads.get("Content-Disposition", "")),
        is_length_known="Content-Length" in heads or "chunked" in heads.get("Transfer-Encoding", "").lower(),
    )
    part.begin(answer)
    return answer


def _take(
    response: urllib3.BaseHTTPResponse,
    place: str,
    part: Part,
    patience: Patience,
    ends: float,
    say: Callable[[str], None],
) -> None:
    """Append the body to the part. `read1` returns what has come, so that a trickle is noticed too."""
    with part.path.open("ab") as sink:
        told = sink.tell() // _TOLD_BYTES
        while chunk := response.read1(_CHUNK, decode_content=False):
            sink.write(chunk)
            if sink.tell() // _TOLD_BYTES > told:
                told = sink.tell() // _TOLD_BYTES
                say(f"{place}: {sink.tell():,} bytes so far.")
            if sink.tell() > patience.max_bytes:
                part.discard()
                raise InputError(too_large(place, patience.max_bytes))
            if time.monotonic() > ends:
                raise InputError(f"{place}: is not there after {patience.total_s:g} s; {_LATER}")


def too_large(place: str, max_bytes: int) -> str:
    """Return the sentence for a file beyond the limit."""
    return (
        f"{place}: is larger than {max_bytes:,} bytes, so it is not the file; check the address, or download it and "
        "give it with --file."
    )


def _reason(response: urllib3.BaseHTTPResponse) -> str:
    return response.reason or "no reason given"


def _retry_after(written: str | None) -> float | None:
    if written is None:
        return None
    try:
        return float(urllib3.Retry().parse_retry_after(written))
    except InvalidHeader:
        return None


def _name(disposition: str) -> str:
    message = Message()
    message["Content-Disposition"] = disposition
    return PurePosixPath(message.get_filename("").replace("\\", "/")).name


def _refusal(response: urllib3.BaseHTTPResponse, place: str) -> RefusedError:
    """Return the error for an answer that is not a file; what a JSON answer says is passed on."""
    said = ""
    with suppress(ValueError, HTTPError):
        body = json.loads(response.read(_CHUNK, decode_content=True))
        said = str(body.get("message") or body.get("error") or "")[:200] if isinstance(body, dict) else ""
    mends = {
        401: "it wants a login: download the file in a browser and give it with --file.",
        403: "it may require a login or reject programs: download the file in a browser and give it with --file.",
        404: "the file is not there: look up its current address at its publisher.",
        410: "the file is not there any more: look up its current address at its publisher.",
    }
    mend = mends.get(response.status, "check the address, or download the file and give it with --file.")
    detail = f"{_reason(response)}: {said}" if said else _reason(response)
    return RefusedError(f"{place}: answers {response.status} ({detail}); {mend}", response.status, said)
