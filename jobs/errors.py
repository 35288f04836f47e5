"""The errors of the jobs floor.

Each is a sentence with the place, the value and the mend; the command line prints it without a traceback::

    JobError                  50  (base: the message is all that is shown)
    ├── SettingsError         40  settings, options or rules are wrong
    ├── InputError            30  input is missing or stale
    ├── CheckError            20  checks failed, nothing was published
    ├── PublishError          50  the disk is full, a folder cannot be written
    └── BusyError             75  another run holds the lock

Errors of the floors below (facts, rules, database) are mapped to the same codes in ``jobs.outcome``.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process returns; operators alert on these."""

    OK = 0
    WARNINGS = 10
    CHECKS_FAILED = 20
    INPUT = 30
    SETTINGS = 40
    INTERNAL = 50
    BUSY = 75


class JobError(Exception):
    """Base of every error that the jobs floor raises on purpose."""

    code = ExitCode.INTERNAL


class SettingsError(JobError):
    """Settings, command-line options or rules are wrong."""

    code = ExitCode.SETTINGS


class InputError(JobError):
    """Input is missing, unreadable or stale."""

    code = ExitCode.INPUT


class HindsightError(InputError):
    """Figures first known after the day would have to be used, and that was ruled out."""


class CheckError(JobError):
    """A check failed, so nothing was published and the last published file stays."""

    code = ExitCode.CHECKS_FAILED


class PublishError(JobError):
    """The output folder could not be written."""

    code = ExitCode.INTERNAL


class BusyError(JobError):
    """Another run holds the lock."""

    code = ExitCode.BUSY
