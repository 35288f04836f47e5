"""The two nights of `curbline diff`: found among the published files, or replayed from facts and rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import polars as pl

from ground.question import Question
from jobs.diff.changes import Changes, changes_between, ends_of
from jobs.diff.night import Night, PublishedNight, published_night
from jobs.diff.replayed import ReplayedNight
from jobs.diff.split import CHANGE
from jobs.diff.swaps import Timer, no_timer
from jobs.errors import InputError, SettingsError
from jobs.output.identity import code_version
from jobs.output.layout import Layout, Snapshot
from jobs.output.seal import damage_of
from jobs.reach import require_reach
from jobs.rules.rulebook import CURBS, load_rulebook
from jobs.rules.vocabulary import vocabulary_or_why
from jobs.settings import ALL_COUNTRIES, Settings
from jobs.suggest import did_you_mean
from warehouse.asof.known import rows_known
from warehouse.asof.state import Warehouse
from warehouse.database import Database


def find_night(layout: Layout, asked: str) -> Snapshot:
    """Return the published file of a run id (or its start), or of an as_of date.

    Of several runs about one day the one behind the pointer is meant, else the one published last.

    Raises:
        SettingsError: no run has that id or day, or several runs have ids that start so.
    """
    found = layout.list_snapshots()
    day = _day(asked)
    own = [one for one in found if (one.as_of == day if day else one.run_id.startswith(asked.lower()))]
    if not own:
        days = sorted({one.as_of.isoformat() for one in found})
        if day:
            there = f"; published: {', '.join(days)}" if days else ""
            raise SettingsError(
                f"{layout.snapshots}: no published run of {day}{there}. Publish it with `curbline run --as-of {day}`, or "
                "compare without published files: add --replay."
            )
        near = did_you_mean(asked, [one.run_id for one in found])
        end = "" if near.endswith("?") else "."
        raise SettingsError(
            f"{layout.snapshots}: no published run '{asked}'{near}{end} "
            "Name a run by its id or by its day, such as 2026-11-10."
        )
    pointed = layout.pointed()
    if day:
        return next((one for one in own if pointed and one.run_id == pointed.run_id), own[0])
    if len(own) > 1:
        raise SettingsError(
            f"{layout.snapshots}: {len(own)} runs start with '{asked}'; write more of the id."
        )
    return own[0]


def _day(asked: str) -> date | None:
    try:
        day = date.fromisoformat(asked)
    except ValueError:
        return None
    return day if day.isoformat() == asked else None  # eight digits are the start of an id


def diff_published(
    settings: Settings,
    asked: tuple[str, str],
    minerals: Sequence[str],
    timer: Timer = no_timer,
    *,
    ranges: bool = False,
) -> tuple[dict[str, Any], dict[str, Any], Changes]:
    """Compare two published runs.

    Returns:
        What the runs are, and what moved; read from the later file if it was published with this very comparison.

    Raises:
        SettingsError: a run is not found, or the two cannot be compared.
        InputError: a file does not hold its inputs, or is damaged.
    """
    layout = Layout(settings.out)
    nights = [_opened(find_night(layout, one)) for one in asked]
    before, after = nights
    if before.run_id == after.run_id:
        raise SettingsError(f"both are run {before.run_id}: nothing can have moved. Name two different runs.")
    _require_minerals(minerals, after)
    known = _as_published(before, after)
    if known is None or ranges:
        vocabulary, _ = vocabulary_or_why(settings.facts, after.question.known_at)
        ends = ends_of(before, after, code_version(), vocabulary, minerals)
        known = changes_between(ends, timer, ranges=ranges)
    elif minerals:
        known = Changes(known.moves.filter(pl.col("mineral").is_in(list(minerals))), known.reasons)
    return told_of(before), told_of(after), known


def _require_minerals(minerals: Sequence[str], night: PublishedNight) -> None:
    with Database.open(night.snapshot.path, read_only=True) as reader:
        known = reader.query("SELECT DISTINCT mineral FROM mart.route_score ORDER BY 1")["mineral"].to_list()
    for mineral in minerals:
        if mineral not in known:
            raise SettingsError(
                f"--mineral {mineral}: no route of it on {night.question.as_of}{did_you_mean(mineral, known)}"
            )


def _opened(snapshot: Snapshot) -> PublishedNight:
    damage = damage_of(snapshot.path)
    if damage is not None:
        raise InputError(
            f"{snapshot.path.name} {damage}. `curbline verify` says which tables; publish that day again with "
            f"`curbline run --as-of {snapshot.as_of}`."
        )
    night = published_night(snapshot)
    if night.question.curbing_country == ALL_COUNTRIES:
        raise SettingsError(
            f"{snapshot.path.name} is a run for all curbing countries, which scores no routes; compare runs of one country."
        )
    return night


def _as_published(before: PublishedNight, after: PublishedNight) -> Changes | None:
    with Database.open(after.snapshot.path, read_only=True) as reader:
        since = reader.query("SELECT since_run_id FROM meta.run").item()
        if since != before.run_id:
            return None
        return Changes(
            reader.query(f"SELECT {', '.join(CHANGE)} FROM mart.score_change"),
            reader.query("SELECT * FROM mart.score_change_reason"),
        )


def diff_replayed(
    settings: Settings,
    days: tuple[date, date],
    minerals: Sequence[str],
    timer: Timer = no_timer,
    *,
    ranges: bool = False,
) -> tuple[dict[str, Any], dict[str, Any], Changes]:
    """Compare two days, each as known on itself, under the facts and rules of the settings; nothing is published.

    Raises:
        SettingsError: both are the same day, a mineral has no route, or a country is unknown.
        InputError: no trade was known on one of them.
    """
    if days[0] == days[1]:
        raise SettingsError(f"both days are {days[0]}: nothing can have moved. Name two different days.")
    if settings.curbing_country == ALL_COUNTRIES:
        raise SettingsError(
            "routes are scored for one curbing country at a time; name one with --curbing-country."
        )
    rulebook = load_rulebook(settings.rules, method=CURBS, facts=settings.facts, known_at=max(days))
    with Warehouse.open_memory() as state:
        state.load_bundles(settings.facts, strict=settings.strict)
        require_reach(state, settings, {"A": days[0], "B": days[1]})
        rows = [rows_known(state, day) for day in days]
    code = code_version()
    before, after = (
        ReplayedNight(
            Question(day, day, settings.curbing_country),
            known,
            rulebook.texts,
            rulebook.ruleset,
            code,
            settings.draws,
            tuple(minerals),
        )
        for day, known in zip(days, rows, strict=True)
    )
    ends = ends_of(before, after, code, rulebook.vocabulary, minerals)
    return told_of(before), told_of(after), changes_between(ends, timer, ranges=ranges)


def told_of(night: Night) -> dict[str, Any]:
    """Return what a reader is told of a night."""
    return {"run_id": night.run_id, **asdict(night.question)}
