"""One nightly recalculation: facts, rules, scores, checks, publishing, exports, ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import polars as pl

from ground.question import Question
from jobs.calendar.events import Wanted, events
from jobs.calendar.ics import ics
from jobs.errors import ExitCode
from jobs.export.book import Selection, load_book
from jobs.export.tables import NIGHTLY_SKIP, TableFormat, export_tables, whole_folder, write_manifest
from jobs.export.xlsx import write_book
from jobs.nightly.against import hold_against, require_like_last
from jobs.nightly.checks import CheckResult, MartChecks, check_frame, require_passed
from jobs.nightly.meta import RunStamp, meta_frames
from jobs.nightly.phases import Phases
from jobs.nightly.recalculate import RunRequest, recalculate
from jobs.nightly.since import Since
from jobs.output import ledger
from jobs.output.history import write_vintage
from jobs.output.identity import code_version, new_attempt_id, run_identity
from jobs.output.layout import LATEST, Layout
from jobs.output.lock import exclusive
from jobs.output.publish import PointerCase, clean_stale, place_snapshot, point_to, pointer_moves
from jobs.output.rebuild import open_or_rebuild
from jobs.output.retention import Dropped, drop_old, require_room
from jobs.output.seal import Contents, contents_of
from jobs.purchases.deliver import deliver as deliver_risk
from jobs.purchases.store import Portfolio, load
from jobs.reach import require_reach
from jobs.rules.rulebook import CURBS, Rulebook, load_rulebook, require_tested
from jobs.settings import ALL_COUNTRIES, DEFAULT_CURBING_COUNTRY, Settings
from warehouse.asof.state import Warehouse
from warehouse.bundle.reading import LoadReport
from warehouse.database import Database
from warehouse.published.datapackage import write_data_package
from warehouse.published.snapshot import Append, build_snapshot

#: What a buyer subscribes to: a year ahead.
ICS_FILE, ICS_DAYS = "calendar.ics", 365


@dataclass(frozen=True)
class RunDates:
    """The logical dates of a run, and the clock of the log: nothing below reads a clock of its own."""

    as_of: date
    known_at: date
    started_at: datetime
    clock: Callable[[], datetime]


@dataclass
class RunOutcome:
    """What a run did, for the summary."""

    stamp: RunStamp
    layout: Layout
    facts: LoadReport
    rulebook: Rulebook
    checks: list[CheckResult]
    snapshot: Path
    exports: Path
    pointer_moved: bool
    dropped: Dropped
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def code(self) -> ExitCode:
        """10 where something should be looked at, else 0."""
        return ExitCode.WARNINGS if self.warnings else ExitCode.OK


def run(settings: Settings, dates: RunDates, phases: Phases, *, accept: bool = False) -> RunOutcome:
    """Recalculate, check, publish and export.

    Args:
        settings: Facts, rules, output folder, curbing country.
        dates: The day to score and the state of knowledge.
        phases: Times each phase and shows it on a terminal.
        accept: Publish what moved further from the last night than the settings allow.

    Raises:
        BusyError: Another run holds the output folder.
        InputError, DataError: Facts are missing, unreadable, or do not reach back to the day asked for.
        SettingsError, RuleError: Options or rules are wrong, or an inline test of a rule fails.
        CheckError: A check failed, or too much moved since the last night; nothing was published.
        PublishError: The output folder is full, has no room for a further night, or cannot be written.
    """
    layout = Layout(settings.out)
    layout.refuse_links_out()
    with exclusive(layout.lock, since=dates.started_at):
        removed = clean_stale(layout)
        require_room(layout)
        with phases.phase("rules"):
            rulebook = load_rulebook(
                settings.rules, method=CURBS, facts=settings.facts, known_at=dates.known_at
            )
            require_tested(rulebook)
        with open_or_rebuild(layout.state) as state:
            with phases.phase("facts"):
                facts = state.load_bundles(settings.facts, strict=settings.strict)
            require_reach(state, settings, {"--as-of": dates.as_of, "--known-at": dates.known_at})
            purchases = load(layout.portfolio) if settings.curbing_country != ALL_COUNTRIES else None
            stamp = _stamp(settings, dates, facts, rulebook, purchases)
            phases.run_id = stamp.run_id
            try:
                outcome = _score_and_publish(
                    settings, dates, phases, layout, state, facts, rulebook, stamp, purchases, accept=accept
                )
            except BaseException as problem:
                # The log of a failure must never hide the failure itself.
                with suppress(Exception):
                    ledger.append(state, _entry(stamp, dates, ledger.FAILED, message=str(problem)[:2000]))
                raise
        outcome.notes[:0] = state.notes
        outcome.notes[:0] = [f"removed {name}, left behind by a run that was killed" for name in removed]
        return outcome


def _score_and_publish(
    settings: Settings,
    dates: RunDates,
    phases: Phases,
    layout: Layout,
    state: Warehouse,
    facts: LoadReport,
    rulebook: Rulebook,
    stamp: RunStamp,
    purchases: Portfolio | None,
    *,
    accept: bool,
) -> RunOutcome:
    request = RunRequest(
        stamp.question,
        settings.draws,
        stamp.importers,
        strict_knowledge=settings.strict_knowledge,
        processes=settings.processes,
        purchases=purchases,
    )
    checks = MartChecks(stamp.question.curbing_country, rulebook.ruleset.scorecard.horizons)
    warnings: list[str] = []
    since = Since(layout, stamp, rulebook, state)
    last = since.before

    def fill(append: Append) -> Mapping[str, pl.DataFrame]:
        """Check the tables and write them as they are scored; publish nothing if a check fails."""

        def deliver(marts: Mapping[str, pl.DataFrame]) -> None:
            since.take(marts)
            stamped = {name: _stamped(frame, stamp) for name, frame in marts.items()}
            with phases.phase("checks"):
                checks.add(stamped)
            with phases.phase("store"):
                append(stamped)

        warnings.extend(recalculate(request, state, rulebook.ruleset, phases.phase, deliver))
        with phases.phase("changes"):
            deliver(since.marts(phases.phase))
        require_passed(checks.results())
        compared = hold_against(last, since, checks.rows, settings.checks)
        warnings.extend(require_like_last(compared, last.run_id if last else "", accepted=accept))
        results = [*checks.results(), *compared]
        meta = meta_frames(stamp, phases.done, check_frame(results), rulebook, facts, since=since.told())
        publishing.enter_context(phases.phase("publish"))  # what follows is not scoring any more
        return meta

    with ExitStack() as publishing:
        snapshot = place_snapshot(
            layout,
            as_of=stamp.question.as_of,
            run_id=stamp.run_id,
            build=lambda path: build_snapshot(path, state, fill),
            verify=lambda path: _verify(path, checks),
        )
        warnings += _load_warnings(facts)
        case = PointerCase(stamp.question, dates.started_at.date())
        pointed = layout.pointed()
        known = ledger.known_at_of(state, pointed.run_id) if pointed else None
        moved = pointer_moves(layout, case, default_country=DEFAULT_CURBING_COUNTRY, pointed_known_at=known)
        if moved:
            warnings.extend(point_to(layout, snapshot))
    with phases.phase("exports"):
        exports = _export(settings, layout, snapshot, stamp, facts)
        if _is_history(stamp.question, dates.started_at.date()):
            write_vintage(layout, stamp.question, stamp.run_id, since.history())
    if purchases is not None and moved:
        with phases.phase("workbooks"), Database.open(snapshot, read_only=True) as reader:
            warnings += deliver_risk(reader, layout, settings.export.audiences, facts.bundles)[1]
    if settings.export.report and moved:
        with phases.phase("report"):
            # Imported here: a night without a report needs neither templates nor pictures.
            from jobs.report.build import report_of_night

            warnings += report_of_night(snapshot, layout.report / LATEST)
    ledger.append(state, _entry(stamp, dates, ledger.PUBLISHED, file=snapshot.name))
    today = dates.started_at.date()
    dropped = drop_old(layout, settings.retention, most=settings.keep_snapshots, today=today, spare=snapshot)
    return RunOutcome(
        stamp,
        layout,
        facts,
        rulebook,
        checks.results(),
        snapshot,
        exports,
        moved,
        dropped,
        warnings,
        since.notes,
    )


def _verify(path: Path, checks: MartChecks) -> Contents:
    with Database.open(path, read_only=True) as built:
        checks.verify_built(built, path)
        built.keep_small()
        return contents_of(built)


def _is_history(question: Question, today: date) -> bool:
    """Return whether a run scores one country as known on the day itself, which nobody can yet of a day to come."""
    return question.known_at == question.as_of <= today and question.curbing_country != ALL_COUNTRIES


def _export(settings: Settings, layout: Layout, snapshot: Path, stamp: RunStamp, facts: LoadReport) -> Path:
    """Write the mart tables as CSV and Parquet, their description, and the workbooks of the settings."""
    target = layout.exports / stamp.run_id
    selections: list[Selection] = []
    if stamp.question.curbing_country != ALL_COUNTRIES:  # which scores no routes
        selections += [Selection(importer=importer) for importer in settings.export.importers]
        selections += [Selection(top=settings.export.top)] if settings.export.top else []
    with (
        whole_folder(target) as folder,
        Database.open(snapshot, read_only=True) as reader,
        Database.open(snapshot, read_only=True) as beside,
        ThreadPoolExecutor(max_workers=1) as pool,
    ):
        reader.keep_small()
        # DuckDB writes Parquet by itself, while the text and the workbooks are made here.
        parquet = pool.submit(export_tables, beside, folder, (TableFormat.PARQUET,), skip=NIGHTLY_SKIP)
        export_tables(reader, folder, (TableFormat.CSV,), skip=NIGHTLY_SKIP)
        for selection in selections:
            book = load_book(reader, selection)
            write_book(book, folder / book.selection.file_name)
        (folder / ICS_FILE).write_text(
            ics(events(reader, Wanted(days=ICS_DAYS))), encoding="utf-8", newline=""
        )
        parquet.result()
        write_data_package(reader, folder, facts.bundles)
        write_manifest(folder)
    return target


def _stamp(
    settings: Settings,
    dates: RunDates,
    facts: LoadReport,
    rulebook: Rulebook,
    purchases: Portfolio | None,
) -> RunStamp:
    code = code_version()
    question = Question(dates.as_of, dates.known_at, settings.curbing_country)
    importers = tuple(dict.fromkeys(settings.declared_importers))
    run_id = run_identity(
        question,
        importers=importers,
        facts_hash=facts.facts_hash,
        rules_hash=rulebook.rules_hash,
        code=code,
        draws=settings.draws,
        purchases=purchases.digest if purchases else "",
    )
    return RunStamp(
        run_id=run_id,
        attempt_id=new_attempt_id(),
        question=question,
        importers=importers,
        facts_hash=facts.facts_hash,
        rules_hash=rulebook.rules_hash,
        code_version=code,
        strict_knowledge=settings.strict_knowledge,
        draws=settings.draws,
        started_at=dates.started_at,
    )


def _stamped(frame: pl.DataFrame, stamp: RunStamp) -> pl.DataFrame:
    """Set the run's identity on tables that carry it."""
    if "run_id" not in frame.columns:
        return frame
    return frame.with_columns(pl.lit(stamp.run_id).alias("run_id"))


def _load_warnings(facts: LoadReport) -> list[str]:
    by_file = facts.rejected_by_file
    if not by_file:
        return []
    files = ", ".join(f"{name} {count}" for name, count in by_file.items())
    return [
        f"{sum(by_file.values())} rows of the facts were set aside ({files}); `SELECT * FROM meta.rejected_row` says why."
    ]


def _entry(
    stamp: RunStamp, dates: RunDates, status: str, file: str | None = None, message: str | None = None
) -> ledger.Entry:
    return ledger.Entry(
        run_id=stamp.run_id,
        attempt_id=stamp.attempt_id,
        question=stamp.question,
        facts_hash=stamp.facts_hash,
        rules_hash=stamp.rules_hash,
        code_version=stamp.code_version,
        status=status,
        started_at=stamp.started_at,
        finished_at=dates.clock(),
        file=file,
        message=message,
    )
