"""When somebody last looked, when something last changed, and when it was last confirmed: by feed and by measure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from jobs.facts.feeds import Feed
from jobs.facts.watch import read_looks

_NUMBER = re.compile(r"\b\d{1,4}/20\d{2}\b")


@dataclass(frozen=True, slots=True)
class Looked:
    """When a feed or a measure was looked at.

    Attributes:
        name: of the feed, or the measure's id.
        last_looked: newest look that was answered, in ISO; empty where nobody looked. A measure's is that of the feeds of
            its country.
        where: the feed of that look.
        last_changed: newest look at which the feed had something new; of a measure, the day of its newest row.
        last_confirmed: of a feed, the newest look; of a measure, the day of the newest item of the inbox that names its
            notice, or else of its newest row.
        fault: what went wrong at the newest try; empty where it was answered.
    """

    name: str
    last_looked: str
    where: str
    last_changed: str
    last_confirmed: str
    fault: str = ""


def looked_at_feeds(feeds: Sequence[Feed], inbox: Path) -> list[Looked]:
    """Return every declared feed, looked at or not, by name."""
    looks = read_looks(inbox)
    found = []
    for feed in sorted(feeds, key=lambda one: one.name):
        look = looks.get(feed.name)
        if look is None:
            found.append(Looked(feed.name, "", feed.url, "", ""))
        else:
            found.append(
                Looked(feed.name, look.last_looked, feed.url, look.last_changed, look.last_looked, look.fault)
            )
    return found


def looked_at_measures(
    feeds: Sequence[Feed], inbox: Path, tables: Mapping[str, pl.DataFrame]
) -> list[Looked]:
    """Return every measure of a country whose feeds are declared, by id.

    Args:
        feeds: declared feeds.
        inbox: folder of drafts, and of what is remembered.
        tables: `measures` and `measure_states`.
    """
    looks = read_looks(inbox)
    newest: dict[str, tuple[str, str]] = {}
    for feed in feeds:
        look = looks.get(feed.name)
        if feed.country:
            asked = (look.last_looked if look else "", feed.name)
            newest[feed.country] = max(newest.get(feed.country, ("", "")), asked)
    named = _named(inbox)
    states = tables["measure_states"].group_by("measure_id").agg(pl.col("known_from").cast(pl.String).max())
    changed: dict[str, str] = dict(states.iter_rows())
    found = []
    for row in tables["measures"].sort("measure_id").iter_rows(named=True):
        if row["curbing_country"] not in newest:
            continue
        when, where = newest[row["curbing_country"]]
        last = changed.get(row["measure_id"], str(row["known_from"]))
        number = _NUMBER.search(row["notice"] or "")
        confirmed = max(last, named.get(number[0], "")) if number else last
        found.append(Looked(row["measure_id"], when, where if when else "", last, confirmed))
    return found


def _named(inbox: Path) -> dict[str, str]:
    """Return the newest day on which an item of the inbox named a notice, by its number."""
    found: dict[str, str] = {}
    for path in sorted(inbox.glob("*.yml")) if inbox.is_dir() else []:
        day = path.name[:10]
        for number in re.findall(r"^# notice: (\S+) \|", path.read_text(encoding="utf-8"), re.MULTILINE):
            found[number] = max(found.get(number, ""), day)
    return found
