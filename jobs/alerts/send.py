"""Whom alerts go to: services that apprise knows, by addresses of the environment, and a command of the settings."""

from __future__ import annotations

import logging
import os
import subprocess
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby

from jobs.alerts.found import Alert
from jobs.errors import SettingsError
from jobs.operating import AlertSettings

#: Addresses hold passwords and tokens, and those come from the environment alone.
URLS_VARIABLE = "CURBLINE_ALERT_URLS"
COMMAND = "command"
LONGEST_S = 60.0
SHOWN = 20


@dataclass(frozen=True)
class Channel:
    """One way to tell somebody: its name, which holds no address, and what sends a title and a text.

    `send` returns what went wrong, and None where nothing did.
    """

    name: str
    send: Callable[[str, str], str | None]


def channels_of(settings: AlertSettings, environment: Mapping[str, str]) -> list[Channel]:
    """Return the ways to tell somebody that settings and environment declare.

    Raises:
        SettingsError: there is none; an address is of no known service; apprise is not installed.
    """
    addresses = environment.get(URLS_VARIABLE, "").split()
    found = [_service(f"service {number}", url) for number, url in enumerate(addresses, start=1)]
    if settings.command:
        found.append(Channel(COMMAND, lambda title, text: _start(settings.command, title, text)))
    if not found:
        raise SettingsError(
            f"alerts go nowhere: set {URLS_VARIABLE} in the environment (addresses as apprise reads them, such as "
            "mailto://…, divided by blanks), or `command` below [alerts] in the settings."
        )
    return found


def message(alerts: Sequence[Alert]) -> tuple[str, str]:
    """Return title and text of what is told at once: reasons, and below each, or several, the command to look closer."""
    kinds = list(dict.fromkeys(alert.kind for alert in alerts))
    title = f"Curbline: {', '.join(kinds)}"
    lines: list[str] = []
    for command, some in groupby(alerts[:SHOWN], key=lambda alert: alert.command):
        lines += [f"- {alert.reason}" for alert in some]
        lines.append(f"  Look closer: {command}")
    if len(alerts) > SHOWN:
        lines.append(f"… and {len(alerts) - SHOWN} more.")
    return title, "\n".join(lines)


def _service(name: str, url: str) -> Channel:
    try:
        import apprise  # an extra: who sends no alerts need not install it
    except ImportError as problem:
        raise SettingsError(
            f"{URLS_VARIABLE} is set, and apprise is not installed. Install it with `pip install 'curbline[alerts]'`, or "
            "use `command` below [alerts] instead."
        ) from problem
    with _silent():
        service = apprise.Apprise()
        known = service.add(url)
    if not known:
        raise SettingsError(
            f"{URLS_VARIABLE}: address {name.removeprefix('service ')} is of no service that apprise knows, or lacks a "
            "part. (It is not shown, since it may hold a password.)"
        )

    def send(title: str, text: str) -> str | None:
        try:
            with _silent():
                sent = service.notify(title=title, body=text)
        except (OSError, ValueError, TypeError, RuntimeError) as problem:
            return f"failed with {type(problem).__name__}"
        return None if sent else "did not take the message"

    return Channel(name, send)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep the logs of the libraries out, which name addresses, and what their plugins say of old modules of Python."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        logging.disable(before)


def _start(command: Sequence[str], title: str, text: str) -> str | None:
    told = {name: value for name, value in os.environ.items() if name != URLS_VARIABLE}
    told |= {"CURBLINE_ALERT_TITLE": title, "CURBLINE_ALERT_TEXT": text}
    try:
        # What it prints goes to standard error: standard output is ours, and may be JSON.
        ended = subprocess.run(
            command, check=False, env=told, input=text.encode(), stdout=2, timeout=LONGEST_S
        )
    except subprocess.TimeoutExpired:
        return f"took longer than {LONGEST_S:g} seconds and was stopped"
    except (OSError, ValueError) as problem:
        return f"{command[0]} could not be started ({getattr(problem, 'strerror', None) or type(problem).__name__})"
    return f"{command[0]} ended with exit code {ended.returncode}" if ended.returncode else None
