"""Declared feeds and pages: where each is, how it is read, and the items that an answer of it has."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from jobs.errors import InputError, SettingsError
from jobs.facts.draft import seen
from warehouse.records.fields import Grade

_ATOM = "{http://www.w3.org/2005/Atom}"
_MAX_ITEMS = 500


class Feed(BaseModel):
    """One feed: an RSS or Atom feed, a JSON answer, or a page.

    A page without a selector is compared as a whole; with one, its links are the items.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    url: str = Field(pattern=r"^https?://")
    kind: Literal["feed", "json", "page"]
    publisher: str
    grade: Grade
    country: str = Field(default="", pattern=r"^([A-Z]{3})?$")
    every_hours: float = Field(default=12, gt=0)
    selector: str = ""
    items: str = ""
    title: str = "title"
    link: str = "html_url"
    published: str = "publication_date"
    follow: bool = True

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind == "json" and not self.items:
            raise ValueError("a JSON answer needs items: the name of its list")
        if self.kind != "page" and self.selector:
            raise ValueError("selector belongs to a page")
        return self


class _Feeds(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    feed: list[Feed] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a feed announces.

    Attributes:
        key: names it among the feed's items.
        title, link, text: as the feed has them.
        published: day in ISO as the feed writes it; empty where it says none.
    """

    key: str
    title: str
    link: str
    text: str
    published: str = ""


def read_feeds(path: Path) -> list[Feed]:
    """Read the declared feeds of a TOML file.

    Raises:
        SettingsError: It cannot be read, or a feed of it is wrong; every fault is named.
    """
    try:
        found = _Feeds.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig"))).feed
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read ({error}); name the file of feeds.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: is not TOML: {error}.") from None
    except ValidationError as error:
        said = [
            f"{'.'.join(map(str, f['loc']))}: {f['msg'].removeprefix('Value error, ')}"
            for f in error.errors(include_url=False)
        ]
        raise SettingsError(f"{path}: {'; '.join(said)}. docs/watching.md explains each key.") from None
    twice = {feed.name for feed in found if sum(other.name == feed.name for other in found) > 1}
    if twice:
        raise SettingsError(
            f"{path}: two feeds are named {', '.join(sorted(twice))}; give each a name of its own."
        )
    return found


def items_of(feed: Feed, content: bytes) -> list[Item]:
    """Return the items of an answer, newest first as the feed has them.

    Raises:
        InputError: The answer is not what the feed is declared to be.
    """
    try:
        found = list({"feed": _xml, "json": _json, "page": _page}[feed.kind](feed, content))
    except (ET.ParseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(
            f"{feed.name}: {feed.url}: is no {feed.kind} ({str(error)[:120]}); mend its declaration."
        ) from None
    return found[:_MAX_ITEMS]


def digest_of(text: str) -> str:
    """Return a short name of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _xml(feed: Feed, content: bytes) -> Iterator[Item]:
    if b"<!ENTITY" in content[:100_000]:
        raise ValueError("declares entities")
    root = ET.fromstring(content)  # noqa: S314  (no entities, and bounded in size)
    for entry in [*root.iter("item"), *root.iter(f"{_ATOM}entry")]:
        link = entry.findtext("link") or ""
        for alternate in entry.iter(f"{_ATOM}link"):
            if alternate.get("rel", "alternate") == "alternate":
                link = alternate.get("href", "")
        title = entry.findtext("title") or entry.findtext(f"{_ATOM}title") or ""
        text = next(
            (
                entry.findtext(n) or ""
                for n in ("description", f"{_ATOM}summary", f"{_ATOM}content")
                if entry.findtext(n)
            ),
            "",
        )
        day = (
            entry.findtext("pubDate")
            or entry.findtext(f"{_ATOM}updated")
            or entry.findtext(f"{_ATOM}published")
            or ""
        )
        key = entry.findtext("guid") or entry.findtext(f"{_ATOM}id") or link or title
        if key.strip():
            yield Item(
                key.strip(),
                _line(title),
                urljoin(feed.url, link.strip()),
                seen(f"<p>{text}</p>"),
                day.strip(),
            )


def _json(feed: Feed, content: bytes) -> Iterator[Item]:
    answer: Any = json.loads(content)
    for name in feed.items.split("."):
        answer = answer[name]
    if not isinstance(answer, list):
        raise TypeError(f"'{feed.items}' is no list")
    for record in answer:
        if not isinstance(record, Mapping):
            raise TypeError("an item is no record")
        title, link = str(record.get(feed.title) or ""), str(record.get(feed.link) or "")
        if title or link:
            text = " ".join(str(value) for value in record.values() if isinstance(value, str))
            yield Item(
                link or title,
                _line(title),
                urljoin(feed.url, link),
                text,
                str(record.get(feed.published) or ""),
            )


def _page(feed: Feed, content: bytes) -> Iterator[Item]:
    from selectolax.lexbor import LexborHTMLParser

    html = content.decode("utf-8", errors="replace")
    if not feed.selector:
        text = seen(html)
        if not text:
            raise ValueError("the page shows no text")
        yield Item(digest_of(text), f"{feed.publisher}: the page changed", feed.url, text)
        return
    nodes = LexborHTMLParser(html).css(feed.selector)
    if not nodes:
        raise ValueError(f"nothing on the page fits the selector '{feed.selector}'")
    for node in nodes:
        for anchor in [node] if node.tag == "a" else node.css("a"):
            link = urljoin(feed.url, (anchor.attributes.get("href") or "").strip())
            title = _line(anchor.text())
            if title and re.match("https?://", link):
                yield Item(link, title, link, title)


def _line(text: str) -> str:
    return " ".join(text.split())
