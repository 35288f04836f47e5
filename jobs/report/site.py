"""Pages of the report: the templates, and the folder that they are written into."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ground.counted import counted
from ground.words import BANDS
from jobs.explain.text import LABELS
from jobs.export.bands import BAND_COLOURS, BAND_MEANING, SHAPES
from jobs.export.csv import csv_text
from jobs.marts import UNKNOWN_BAND
from jobs.report import words


@dataclass(frozen=True)
class Page:
    """One page: where it lies below the report's folder, its template, and what the template prints."""

    path: str
    template: str
    title: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def root(self) -> str:
        """Return the way from the page to the report's folder."""
        return "../" * self.path.count("/")


class Links:
    """Which pages the report has: a link is made only to a page that is there."""

    def __init__(self) -> None:
        self._paths: dict[tuple[str, ...], str] = {}
        self._taken: set[str] = set()

    def add(self, kind: str, *codes: str) -> str:
        """Return where the page of these codes lies, and remember it."""
        path = f"{kind}/{words.slug(*codes)}.html"
        if path.casefold() in self._taken:  # names that differ in case alone are one file on some systems
            path = f"{kind}/{words.slug(*codes)}-{len(self._taken)}.html"
        self._taken.add(path.casefold())
        self._paths[(kind, *codes)] = path
        return path

    def path(self, kind: str, *codes: str) -> str | None:
        """Return where a page lies; None where there is none."""
        return self._paths.get((kind, *codes))


def outside(url: str | None) -> str | None:
    """Return an address that a link may lead to; None for any but http and https."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.netloc else None


@cache
def environment() -> Environment:
    """Return the templates: everything that they print is escaped, and a name that is missing is an error."""
    made = Environment(
        loader=PackageLoader("jobs.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=words.shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("money", "money_range", "percent", "score", "tonnes", "change", "plain_name"):
        made.filters[name] = getattr(words, name)
    made.filters |= {"outside": outside, "anchor": words.slug, "regime": lambda name: LABELS.get(name, name)}
    bands = {
        "order": (*reversed(BANDS), UNKNOWN_BAND),
        "colours": BAND_COLOURS,
        "meaning": {
            **BAND_MEANING,
            UNKNOWN_BAND: "no score can be formed; the page says why. Unknown is not zero",
        },
        "shapes": SHAPES,
    }
    made.globals |= {"counted": counted, "bands": bands, "unknown_band": UNKNOWN_BAND}
    return made


def write_pages(folder: Path, pages: Iterator[Page], common: Mapping[str, Any]) -> int:
    """Write pages as they come, and the style that they share; return how many there are."""
    made = environment()
    (folder / "style.css").write_text(made.get_template("style.css.j2").render(), encoding="utf-8")
    count = 0
    for page in pages:
        values = {**common, **page.values, "root": page.root, "title": page.title, "path": page.path}
        text = made.get_template(page.template).render(values)
        target = folder / page.path
        os.makedirs(target.parent, exist_ok=True)  # noqa: PTH103  (a thousand times; pathlib asks the disk twice)
        target.write_text(text, encoding="utf-8", newline="\n")
        count += 1
    return count


def write_data(folder: Path, name: str, frame: pl.DataFrame) -> str:
    """Write the figures of a picture as CSV beside the pages; return its path below the report's folder."""
    path = f"data/{name}.csv"
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(csv_text(frame), encoding="utf-8", newline="")
    return path


def drawn(svg: str | None) -> Markup | None:
    """Let a picture that this program drew into a page as it is; its texts were escaped when it was drawn."""
    return None if svg is None else Markup(svg)  # noqa: S704
