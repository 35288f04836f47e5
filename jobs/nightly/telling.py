"""How a night went, told to machines: health.json, a log of JSON lines, a Prometheus textfile, hooks, a ping.

Nothing here changes how a night ends: what cannot be told is a line on standard error.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from types import TracebackType
from typing import Any, Self

import urllib3
from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from jobs.errors import ExitCode
from jobs.nightly.phases import Phases
from jobs.operating import TellSettings
from jobs.outcome import code_of, sentence_of
from jobs.output.layout import BUILD_PREFIX, Layout
from jobs.output.retention import room_of

log = logging.getLogger("curbline.telling")
#: Where to ask for a night to be heard of: an address is a secret, and secrets come from the environment.
PING_VARIABLE = "CURBLINE_PING_URL"
LOG_BYTES = 10_000_000
LONGEST_S = 60.0
PING_S = 10.0
MESSAGE_CHARACTERS = 2000
GOOD = (ExitCode.OK, ExitCode.WARNINGS)


@dataclass
class Telling:
    """Tells of one night, as a context manager around it.

    Attributes:
        layout: the output folder.
        settings: the hooks.
        phases: the timed phases, which also know the run.
        as_of: the day that is scored.
        clock: gives the time in UTC, for stamps only.
        code: how it ended; set it where it ended well.
        pointer_moved: whether it was published as the newest night; a replay leaves health as it is.
        found: more figures of the night, such as routes by band.
    """

    layout: Layout
    settings: TellSettings
    phases: Phases
    as_of: date
    clock: Callable[[], datetime]
    code: int = ExitCode.OK
    pointer_moved: bool = True
    found: Mapping[str, int] = field(default_factory=dict)
    _began: float = field(default_factory=time.perf_counter)

    def __enter__(self) -> Self:
        self._try("the log", lambda: self._log("started"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        message = None
        if problem is not None:
            self.code = code_of(problem)
            message = sentence_of(problem, self.layout.root)[:MESSAGE_CHARACTERS]
        ended: dict[str, Any] = {
            "exit_code": int(self.code),
            "message": message,
            "seconds": round(time.perf_counter() - self._began, 3),
        }
        self._try("the log", lambda: self._log_end(ended))
        # A second start says nothing of the first, which is still at work; a replay nothing of the nights.
        if self.code == ExitCode.BUSY or (self.code in GOOD and not self.pointer_moved):
            return
        health = self._health(ended)
        self._try("health.json", lambda: self._write_health(health))
        self._try("the metrics", lambda: self._write_metrics(health))
        self._try("the hook", lambda: self._hook(health))
        self._try("the ping", self._ping)

    @staticmethod
    def _try(what: str, tell: Callable[[], None]) -> None:
        try:
            tell()
        except (OSError, ValueError, subprocess.SubprocessError, urllib3.exceptions.HTTPError) as problem:
            # Its kind alone: the text of such an error can hold the address of the ping.
            log.warning("%s could not be told of this night (%s)", what, type(problem).__name__)

    def _log(self, event: str, **more: Any) -> None:
        path = self.layout.log
        if not path.parent.is_dir():
            return
        if path.is_file() and path.stat().st_size > LOG_BYTES:
            path.replace(path.with_name(path.name + ".1"))
        line = {"time": self.clock().isoformat(), "event": event, "run_id": self.phases.run_id or None}
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**line, "as_of": str(self.as_of), **more}, ensure_ascii=False) + "\n")

    def _log_end(self, ended: Mapping[str, Any]) -> None:
        for phase in self.phases.done:
            self._log(
                "phase", phase=phase.name, seconds=round(phase.seconds, 3), peak_mb=round(phase.peak_mb)
            )
        self._log("ended", **ended)

    def _health(self, ended: Mapping[str, Any]) -> dict[str, Any]:
        before: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            read = json.loads(self.layout.health.read_text(encoding="utf-8"))
            before = read if isinstance(read, dict) else {}
        now = self.clock().isoformat()
        good = self.code in GOOD
        pointed = self.layout.pointed()
        return {
            "healthy": good,
            "ended_at": now,
            "run_id": self.phases.run_id or None,
            "as_of": str(self.as_of),
            **ended,
            "last_success_at": now if good else before.get("last_success_at"),
            "failures_since": 0 if good else int(before.get("failures_since") or 0) + 1,
            "published": pointed.path.name if pointed else None,
            "published_as_of": str(pointed.as_of) if pointed else None,
            "phases": {phase.name: round(phase.seconds, 3) for phase in self.phases.done},
        }

    def _write_health(self, health: Mapping[str, Any]) -> None:
        if not self.layout.root.is_dir():
            return
        built = self.layout.root / (BUILD_PREFIX + self.layout.health.name)
        built.write_text(json.dumps(health, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        built.replace(self.layout.health)

    def _write_metrics(self, health: Mapping[str, Any]) -> None:
        if not self.layout.root.is_dir():
            return
        registry = CollectorRegistry()

        def gauge(name: str, told: str, value: float | None) -> None:
            if value is not None:  # what is not known is left out: a zero would be a figure
                Gauge(f"curbline_{name}", told, registry=registry).set(value)

        room = room_of(self.layout)
        gauge("last_run_exit_code", "Exit code of the last run.", health["exit_code"])
        gauge("last_run_timestamp_seconds", "When the last run ended.", _seconds(health["ended_at"]))
        gauge("last_run_duration_seconds", "How long the last run took.", health["seconds"])
        succeeded = _seconds(health["last_success_at"])
        gauge("last_success_timestamp_seconds", "When a run last published.", succeeded)
        as_of = health["published_as_of"]
        gauge("published_as_of_timestamp_seconds", "Midnight (UTC) of the day published.", _seconds(as_of))
        gauge("failures_since_success", "Runs that failed since the last good one.", health["failures_since"])
        gauge("disk_free_bytes", "Free space of the output folder.", room.free_bytes)
        gauge("nights_left", "How many further nights fit.", room.nights_left)
        phases = Gauge("curbline_phase_seconds", "Duration of each phase.", ["phase"], registry=registry)
        for name, seconds in health["phases"].items():
            phases.labels(name).set(seconds)
        bands = Gauge("curbline_routes", "Routes of the last run by band.", ["band"], registry=registry)
        for band, count in self.found.items():
            bands.labels(band).set(count)
        write_to_textfile(str(self.layout.metrics), registry)

    def _hook(self, health: Mapping[str, Any]) -> None:
        command = self.settings.on_success if self.code in GOOD else self.settings.on_failure
        if not command:
            return
        told = {f"CURBLINE_{name.upper()}": "" if health[name] is None else str(health[name])
                for name in ("exit_code", "message", "run_id", "as_of", "published")}  # fmt: skip
        told["CURBLINE_HEALTH"] = str(self.layout.health)
        ended = subprocess.run(command, check=False, env={**os.environ, **told}, timeout=LONGEST_S)
        if ended.returncode:
            log.warning("the hook %s ended with exit code %d", command[0], ended.returncode)

    def _ping(self) -> None:
        address = os.environ.get(PING_VARIABLE, "").strip()
        if not address:
            return
        if urllib3.util.parse_url(address).scheme not in {"http", "https"}:
            log.warning("%s is no address of http or https; nobody was pinged", PING_VARIABLE)
            return
        failed = "" if self.code in GOOD else "/fail"
        with urllib3.PoolManager(retries=False, timeout=PING_S) as pool:
            answer = pool.request("GET", address.rstrip("/") + failed, redirect=False)
        if answer.status >= 300:
            log.warning("the ping was answered with status %d", answer.status)


def _seconds(moment: str | None) -> float | None:
    if moment is None:
        return None
    parsed = datetime.fromisoformat(moment)
    return (
        parsed.timestamp() if parsed.tzinfo else datetime.fromisoformat(f"{moment}T00:00+00:00").timestamp()
    )
