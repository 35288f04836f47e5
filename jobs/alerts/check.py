"""Each alert once: what was told is remembered beside the published file, and what could not be told waits."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime

from pydantic import BaseModel, Field, ValidationError

from jobs.alerts.found import SUSPENSION, Alert, Seen, find
from jobs.alerts.send import Channel, channels_of, message
from jobs.errors import InputError, JobError, PublishError
from jobs.operating import AlertSettings
from jobs.output.layout import BUILD_PREFIX, Layout
from jobs.output.lock import exclusive
from jobs.settings import Settings
from warehouse.errors import DataError

log = logging.getLogger("curbline.alerts")


class Waiting(BaseModel):
    """An alert that some channels have not taken yet."""

    key: str
    kind: str
    reason: str
    command: str
    lasting: bool
    due: list[str]

    def alert(self) -> Alert:
        """Return the alert alone."""
        return Alert(self.key, self.kind, self.reason, self.command, self.lasting)


class Memory(BaseModel):
    """The file `alerts.json`: lasting alerts that hold and were taken up (and when), what was seen, what waits."""

    told: dict[str, str] = Field(default_factory=dict)
    seen: Seen = Field(default_factory=Seen)
    waiting: list[Waiting] = Field(default_factory=list)


@dataclass
class Checked:
    """What a check did.

    Attributes:
        new: alerts that were found for the first time.
        is_quiet: whether these are quiet hours.
        sent: how many alerts every channel has taken by now.
        waiting: how many wait for quiet hours to end, or for a channel to take them.
        faults: what went wrong, by channel.
        notes: what could not be looked at.
    """

    new: list[Alert]
    is_quiet: bool
    sent: int = 0
    waiting: int = 0
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check(layout: Layout, settings: AlertSettings, channels: Sequence[Channel], now: datetime) -> Checked:
    """Look for what is worth waking for, and tell of each once: all that is new in one message a channel.

    In quiet hours alerts wait, and lasting ones that have ended by then are dropped. What a channel does not take is
    sent to it again by the next check.

    Raises:
        BusyError: another check is under way.
        InputError: there is no such output folder.
        PublishError: what was told cannot be remembered; nothing is sent, since it would be sent again each time.
    """
    layout.refuse_links_out()
    if not layout.root.is_dir():
        raise InputError(f"{layout.root}: there is no such folder; name the one of a run with --out.")
    with exclusive(layout.alerts_lock, since=now):
        memory, notes = _read(layout)
        found = find(layout, settings, memory.seen, now)
        new = [one for one in found.alerts if not (one.lasting and one.key in memory.told)]
        holding = {one.key for one in found.alerts if one.lasting}
        holds = {key: when for key, when in memory.told.items()
                 if key in holding or (not found.is_read and key.startswith(SUSPENSION))}  # fmt: skip
        told = holds | {one.key: now.isoformat() for one in new if one.lasting}
        names = [channel.name for channel in channels]
        waiting = [one for one in memory.waiting if not one.lasting or one.key in told]
        for one in waiting:
            one.due = [name for name in one.due if name in names]
        waiting += [Waiting(**asdict(one), due=names) for one in new]
        memory = Memory(told=told, seen=found.seen, waiting=[one for one in waiting if one.due])
        _write(layout, memory)
        done = Checked(new, settings.is_quiet(now), notes=[*notes, *found.notes])
        if not done.is_quiet:
            _send(layout, memory, channels, done)
        done.waiting = len(memory.waiting)
    return done


def _send(layout: Layout, memory: Memory, channels: Sequence[Channel], done: Checked) -> None:
    before = len(memory.waiting)
    for channel in channels:
        batch = [one for one in memory.waiting if channel.name in one.due]
        if not batch:
            continue
        fault = channel.send(*message([one.alert() for one in batch]))
        if fault is not None:
            done.faults.append(f"{channel.name}: {fault}")
            continue
        for one in batch:
            one.due.remove(channel.name)
        memory.waiting = [one for one in memory.waiting if one.due]
        _write(layout, memory)
    done.sent = before - len(memory.waiting)


def _read(layout: Layout) -> tuple[Memory, list[str]]:
    try:
        return Memory.model_validate_json(layout.alerts.read_bytes()), []
    except FileNotFoundError:
        return Memory(), []
    except (OSError, ValidationError):
        note = f"{layout.alerts.name} cannot be read and starts anew: what lasts is told once more."
        return Memory(), [note]


def _write(layout: Layout, memory: Memory) -> None:
    built = layout.root / (BUILD_PREFIX + layout.alerts.name)
    try:
        built.write_text(memory.model_dump_json(indent=1) + "\n", encoding="utf-8")
        built.replace(layout.alerts)
    except OSError as problem:
        raise PublishError(
            f"{layout.alerts}: cannot be written ({problem.strerror}). Nothing further was sent, since it would be sent "
            "again by each check. Free some space, or change the permissions of the folder."
        ) from problem


@contextmanager
def alerting(settings: Settings, layout: Layout, clock: Callable[[], datetime]) -> Iterator[None]:
    """Check after a night, whichever way it ends, where the settings have a table [alerts]; it changes no exit code."""
    try:
        yield
    finally:
        if "alerts" in settings.model_fields_set:
            _after_night(settings, layout, clock())


def _after_night(settings: Settings, layout: Layout, now: datetime) -> None:
    try:
        done = check(layout, settings.alerts, channels_of(settings.alerts, os.environ), now)
    except (JobError, DataError, OSError) as problem:
        log.warning("alerts were not checked: %s", problem)
        return
    for line in [*done.notes, *done.faults]:
        log.warning("alerts: %s", line)
