"""Watching declared feeds: what is new goes, drafted, into an inbox for a person; nothing enters the ledger by itself."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import polars as pl

from jobs.errors import InputError
from jobs.facts.draft import Origin, draft, names_of, seen
from jobs.facts.feeds import Feed, Item, digest_of, items_of
from jobs.facts.polite import Caller
from jobs.facts.statements import Statement, statements

STATE = "watch.json"
_AT_ONCE = 16
_REMEMBERED = 1_000  # items of a feed
_FOLLOWED = 5  # new items of a feed whose own page is read in one look
_LONGEST_PAUSE_H = 24 * 7
#: A statement of one of these kinds makes an item worth a look.
_TELLING = frozenset({"mineral", "notice", "control_code"})


@dataclass(frozen=True)
class Look:
    """What is remembered of a feed.

    Attributes:
        last_looked: when it was last asked and answered.
        last_changed: when it last had something new.
        last_failed: when it last did not answer as declared; empty where it never failed.
        failures: failures since the last answer.
        not_before: it is not asked before then.
        fault: what went wrong last.
        etag, modified: version tags of the last answer.
        known: keys of items that were seen.
    """

    last_looked: str = ""
    last_changed: str = ""
    last_failed: str = ""
    failures: int = 0
    not_before: str = ""
    fault: str = ""
    etag: str = ""
    modified: str = ""
    known: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """What one look at a feed came to.

    Attributes:
        feed: its name.
        outcome: new, nothing new, first look, not due or failed.
        said: a fault in words; empty where there is none.
        drafts: files written to the inbox.
        others: new items that name nothing of ours.
    """

    feed: str
    outcome: str
    said: str = ""
    drafts: tuple[str, ...] = ()
    others: int = 0


@dataclass
class _Answer:
    look: Look
    outcome: str
    items: list[Item] = field(default_factory=list)


def read_looks(inbox: Path) -> dict[str, Look]:
    """Return what is remembered of each feed, by name; nothing where the inbox is new.

    Raises:
        InputError: The file of it is damaged.
    """
    path = inbox / STATE
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {
            name: Look(**{**look, "known": tuple(look["known"])}) for name, look in found["feeds"].items()
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: is damaged ({error}); move it away, and the next look begins anew."
        ) from None


def watch(
    feeds: Sequence[Feed],
    inbox: Path,
    tables: Mapping[str, pl.DataFrame],
    at: datetime,
    *,
    caller: Caller | None = None,
    is_forced: bool = False,
) -> list[Found]:
    """Ask every feed that is due, and write a draft for each new item that names a mineral, a notice or a control code.

    The first look at a feed remembers what it has and drafts nothing.

    Args:
        feeds: declared feeds.
        inbox: folder of drafts, and of what is remembered.
        tables: `minerals`, `countries` and `hs_codes`.
        at: now.
        caller: asks; a polite one by default.
        is_forced: ask also where it is not due.

    Raises:
        InputError: What is remembered is damaged, or the inbox cannot be written.
    """
    asks = caller or Caller()
    looks = read_looks(inbox)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(
            pool.map(lambda feed: _look(feed, looks.get(feed.name), at, asks, is_forced=is_forced), feeds)
        )
    found = []
    names = names_of(tables)
    try:
        inbox.mkdir(parents=True, exist_ok=True)
        for feed, answer in zip(feeds, answers, strict=True):
            drafts, others = [], 0
            for item in answer.items:
                told = statements(f"{item.title}.\n\n{item.text}", names)
                if any(statement.kind in _TELLING for statement in told):
                    drafts.append(_write(inbox, feed, item, told, tables, at))
                else:
                    others += 1
            looks[feed.name] = answer.look
            fault = answer.look.fault if answer.outcome == "failed" else ""
            found.append(Found(feed.name, answer.outcome, fault, tuple(drafts), others))
        _remember(inbox, looks)
    except OSError as error:
        raise InputError(
            f"{inbox}: cannot be written ({error.strerror}); check disk and permissions."
        ) from None
    return found


def _look(feed: Feed, before: Look | None, at: datetime, caller: Caller, *, is_forced: bool) -> _Answer:
    look = before or Look()
    if not is_forced and look.not_before and at < datetime.fromisoformat(look.not_before):
        return _Answer(look, "not due")
    now = at.isoformat(timespec="seconds")
    tags = {"If-None-Match": look.etag, "If-Modified-Since": look.modified}
    due = (at + timedelta(hours=feed.every_hours)).isoformat(timespec="seconds")
    try:
        said = caller.ask(feed.url, {name: tag for name, tag in tags.items() if tag})
        if said.status == 304:
            return _Answer(
                replace(look, last_looked=now, failures=0, not_before=due, fault=""), "nothing new"
            )
        if said.status != 200:
            raise _RefusedError(f"{feed.url}: answers {said.status}", said.wait_s)
        items = items_of(feed, said.content)
        new = [item for item in items if item.key not in look.known]
        read = new if before and before.last_looked else []
        if feed.follow and (feed.kind != "page" or feed.selector):
            read = [
                _followed(item, feed, caller) if place < _FOLLOWED else item
                for place, item in enumerate(read)
            ]
    except InputError as error:
        pause_h = min(feed.every_hours * 2 ** min(look.failures, 10), _LONGEST_PAUSE_H)
        asked = at + timedelta(seconds=error.wait_s) if isinstance(error, _RefusedError) else at
        later = max(at + timedelta(hours=pause_h), asked).isoformat(timespec="seconds")
        failed = replace(
            look, last_failed=now, failures=look.failures + 1, not_before=later, fault=str(error)
        )
        return _Answer(failed, "failed")
    known = tuple(dict.fromkeys([*(item.key for item in items), *look.known]))[:_REMEMBERED]
    changed = now if new else look.last_changed
    fresh = Look(now, changed, look.last_failed, 0, due, "", said.etag, said.modified, known)
    outcome = "first look" if not look.last_looked else "new" if new else "nothing new"
    return _Answer(fresh, outcome, read)


class _RefusedError(InputError):
    """The server answered, and it was no feed; `wait_s` is how long it asks to wait."""

    def __init__(self, message: str, wait_s: float) -> None:
        super().__init__(f"{message}; it is asked again later.")
        self.wait_s = wait_s


def _followed(item: Item, feed: Feed, caller: Caller) -> Item:
    """Return an item with the text of its own page; as it is where that cannot be read."""
    if not item.link or item.link == feed.url:
        return item
    try:
        said = caller.ask(item.link)
    except InputError:
        return item
    if said.status != 200 or said.content.startswith(b"%PDF"):
        return item
    text = seen(said.content.decode("utf-8", errors="replace"))
    return replace(item, text=text) if len(text) > len(item.text) else item


def _write(
    inbox: Path,
    feed: Feed,
    item: Item,
    told: Sequence[Statement],
    tables: Mapping[str, pl.DataFrame],
    at: datetime,
) -> str:
    """Write the draft of an item and its text, and return the name of the draft."""
    day = _day(item.published, at.date())
    stem = f"{day}-{feed.name}-{digest_of(item.key)[:8]}"
    origin = Origin(
        f"{feed.name}-{day}-{digest_of(item.key)[:8]}",
        feed.publisher,
        item.title or feed.name,
        item.link,
        feed.grade,
        day,
    )
    path = inbox / f"{stem}.yml"
    _put(path.with_suffix(".txt"), f"{item.title}\n{item.link}\n\n{item.text}\n")
    _put(path, draft(told, origin, tables))
    return path.name


def _day(written: str, today: date) -> date:
    """Return the day that a feed states; the day of the look where it states none, or one to come."""
    found = today
    if match := re.match(r"\d{4}-\d{2}-\d{2}", written):
        try:
            found = date.fromisoformat(match[0])
        except ValueError:
            return today
    elif written:
        try:
            found = parsedate_to_datetime(written).astimezone(UTC).date()
        except (ValueError, TypeError):
            return today
    return min(found, today)


def _remember(inbox: Path, looks: Mapping[str, Look]) -> None:
    state = {"feeds": {name: asdict(look) for name, look in sorted(looks.items())}}
    _put(inbox / STATE, json.dumps(state, ensure_ascii=False, indent=1) + "\n")


def _put(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)  # noqa: PTH105  (the name says that it replaces)
