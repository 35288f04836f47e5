"""The settings of whoever operates the nights: which jobs start when, and how long they may take."""

from __future__ import annotations

import re
from datetime import datetime, time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from jobs.cron import DEFAULT_CRON, Starts

JobName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
#: The name of the job that every schedule has.
RECALCULATION = "recalculation"


def _zone_that_exists(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, KeyError) as problem:  # a missing zone is a KeyError
        raise ValueError("there is no such time zone; write one as in Europe/Berlin, or UTC") from problem
    return value


Zone = Annotated[str, AfterValidator(_zone_that_exists)]


class Table(BaseModel):
    """Base of the settings tables: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Started(Table):
    """What every job has: when it starts, how long it may take, how often it is tried.

    ``retries`` are further tries after a failure that may pass; the first waits ``retry_after_minutes``, and each
    one after it twice as long as the one before.
    """

    cron: str
    zone: Zone = "UTC"
    timeout_minutes: Annotated[float, Field(gt=0, le=1440)] = 180
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    retry_after_minutes: Annotated[float, Field(ge=0, le=720)] = 5

    @field_validator("cron")
    @classmethod
    def _cron_is_plain(cls, value: str) -> str:
        Starts.of(value)
        return value

    @property
    def starts(self) -> Starts:
        """When the job starts."""
        return Starts.of(self.cron, self.zone)


class JobSettings(Started):
    """A further job: a command of `curbline`, word by word, as in ``["export", "--format", "csv"]``."""

    command: Annotated[tuple[str, ...], Field(min_length=1)]


class ScheduleSettings(Started):
    """When the nightly run starts, and the jobs beside it.

    ``catch_up`` is ``newest`` (of several missed nights the last one) or ``each`` (all of them, oldest first).
    """

    cron: str = DEFAULT_CRON
    catch_up: Literal["newest", "each"] = "newest"
    catch_up_days: Annotated[int, Field(ge=1, le=366)] = 35
    grace_minutes: Annotated[float, Field(ge=0, le=1440)] = 30
    jobs: dict[JobName, JobSettings] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_are_free(self) -> ScheduleSettings:
        if RECALCULATION in self.jobs:
            raise ValueError(
                f"the job '{RECALCULATION}' is the table [schedule] itself; name the other job differently"
            )
        return self


class RetentionSettings(Table):
    """What is kept of the past; ages are days since publishing."""

    days: Annotated[int, Field(ge=1, le=36_500)] = 90
    month_ends: bool = True
    export_days: Annotated[int, Field(ge=0, le=36_500)] = 30


Share = Annotated[float, Field(ge=0, le=10)]


class CheckSettings(Table):
    """How far a night may move from the last one before a person has to accept it, as shares.

    Rows that come or go, by table; the rise of the share of routes without a score; what the routes are worth; routes
    that change their band.
    """

    row_change_share: Share = 0.2
    unknown_rise_share: Share = 0.05
    value_change_share: Share = 0.3
    band_move_share: Share = 0.1


class TellSettings(Table):
    """Commands that are started when a run has ended, word by word; no shell reads them."""

    on_success: tuple[str, ...] = ()
    on_failure: tuple[str, ...] = ()


class AlertSettings(Table):
    """What is worth waking somebody for, and how it is told.

    Suspensions that end within so many days; routes (mineral, stage, exporter and importer) and importers whose bands
    are watched; a rise of the money expected to be missing (USD over the main horizon, of all importers and of those
    watched); the share of routes that move in a night. Nothing is sent in the quiet hours, such as 22:00-06:00.
    """

    failure: bool = True
    no_success_hours: Annotated[float, Field(gt=0, le=8784)] | None = 36
    suspension_days: tuple[Annotated[int, Field(ge=1, le=365)], ...] = (30, 7, 1)
    routes: tuple[str, ...] = ()
    importers: tuple[Annotated[str, Field(pattern=r"^[A-Z0-9]{2,4}$")], ...] = ()
    missing_usd_up: Annotated[float, Field(gt=0)] | None = None
    moved_share: Annotated[float, Field(ge=0, le=1)] | None = None
    quiet: str | None = None
    zone: Zone = "UTC"
    command: tuple[str, ...] = ()

    @field_validator("routes")
    @classmethod
    def _routes_are_four_words(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for route in value:
            if not re.fullmatch(r"[a-z0-9_]+ [a-z]+ [A-Z]{3} [A-Z0-9]{2,4}", route):
                raise ValueError(
                    f"'{route}' is no route; write mineral, stage, exporter and importer, as in "
                    "gallium refined CHN USA"
                )
        return value

    @field_validator("quiet")
    @classmethod
    def _hours_are_two(cls, value: str | None) -> str | None:
        if value is not None:
            _quiet_hours(value)
        return value

    def is_quiet(self, moment: datetime) -> bool:
        """Return whether a moment (with its zone) falls into the quiet hours, by the clocks of `zone`."""
        if self.quiet is None:
            return False
        start, end = _quiet_hours(self.quiet)
        local = moment.astimezone(ZoneInfo(self.zone)).time()
        return start <= local < end if start < end else local >= start or local < end


def _quiet_hours(written: str) -> tuple[time, time]:
    try:
        start, end = (time.fromisoformat(part.strip()) for part in written.split("-"))
    except ValueError as problem:
        raise ValueError("write two times with a hyphen between them, as in 22:00-06:00") from problem
    if start == end:
        raise ValueError("the quiet hours begin when they end; write two times, as in 22:00-06:00")
    return start, end
