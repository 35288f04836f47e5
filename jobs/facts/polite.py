"""Asking a server politely: robots.txt, version tags, a pause between two questions, a bound on time and size."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

import urllib3
from urllib3.exceptions import HTTPError

from jobs.errors import InputError
from jobs.resources import package_version

AGENT: Final = "curbline"
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Manners:
    """Bounds of one question; seconds and bytes."""

    connect_s: float = 5
    read_s: float = 8
    total_s: float = 12
    pause_s: float = 1
    max_bytes: int = 4 << 20


@dataclass(frozen=True, slots=True)
class Said:
    """An answer.

    Attributes:
        status: HTTP status; 304 where nothing changed.
        content: the body.
        etag, modified: version tags; empty where the server sends none.
        wait_s: how long the server asks to wait; 0 where it does not.
    """

    status: int
    content: bytes
    etag: str = ""
    modified: str = ""
    wait_s: float = 0


@dataclass
class Caller:
    """Asks many servers, each one question at a time with a pause between, and heeds their robots.txt."""

    manners: Manners = field(default_factory=Manners)
    _robots: dict[str, RobotFileParser] = field(default_factory=dict)
    _last: dict[str, float] = field(default_factory=dict)
    _guards: dict[str, threading.Lock] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Open the pool of connections."""
        timeout = urllib3.Timeout(connect=self.manners.connect_s, read=self.manners.read_s)
        retries = urllib3.Retry(
            total=None, connect=0, read=0, status=0, other=0, redirect=3, respect_retry_after_header=False
        )
        self._pool = urllib3.PoolManager(
            timeout=timeout, retries=retries, headers={"User-Agent": f"{AGENT}/{package_version()}"}
        )

    def ask(self, url: str, headers: Mapping[str, str] | None = None) -> Said:
        """Return the answer of an address.

        Raises:
            InputError: It may not be asked, cannot be reached, is too large or too slow.
        """
        host = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
        with self._guard:
            guard = self._guards.setdefault(host, threading.Lock())
        with guard:
            if not self._may(host, url):
                raise InputError(
                    f"{url}: robots.txt asks programs not to read it; remove the feed, or ask its publisher."
                )
            return self._answer(host, url, headers or {})

    def _may(self, host: str, url: str) -> bool:
        rules = self._robots.get(host)
        if rules is None:
            rules = RobotFileParser()
            said = self._answer(host, f"{host}/robots.txt", {})
            if said.status in {401, 403}:
                rules.parse(["User-agent: *", "Disallow: /"])
            else:
                rules.parse(
                    said.content.decode("utf-8", errors="replace").splitlines() if said.status == 200 else []
                )
            self._robots[host] = rules
        return rules.can_fetch(AGENT, url)

    def _answer(self, host: str, url: str, headers: Mapping[str, str]) -> Said:
        time.sleep(max(0.0, self._last.get(host, -1e9) + self.manners.pause_s - time.monotonic()))
        ends = time.monotonic() + self.manners.total_s
        try:
            response = self._pool.request(
                "GET", url, headers={**self._pool.headers, **headers}, preload_content=False
            )
            try:
                body = bytearray()
                for chunk in response.stream(_CHUNK, decode_content=True):
                    body += chunk
                    if len(body) > self.manners.max_bytes:
                        raise InputError(
                            f"{url}: is larger than {self.manners.max_bytes:,} bytes; it is no feed."
                        )
                    if time.monotonic() > ends:
                        raise InputError(
                            f"{url}: takes longer than {self.manners.total_s:g} s; it is asked again later."
                        )
            finally:
                response.close()
        except (HTTPError, OSError) as error:
            raise InputError(
                f"{url}: cannot be read ({type(error).__name__}); it is asked again later."
            ) from None
        finally:
            self._last[host] = time.monotonic()
        wait = response.headers.get("Retry-After", "0")
        return Said(
            response.status,
            bytes(body),
            response.headers.get("ETag", ""),
            response.headers.get("Last-Modified", ""),
            float(wait) if wait.isdigit() else 0.0,
        )
