"""Many past days in one go: each scored as a night would score it, sharing what did not change since the day before."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

import polars as pl

from engine.language.rules import RuleSet
from engine.scoring.assemble import RuledMeasures, rule_measures
from engine.scoring.blocks import BLOC_AS_IMPORTER
from engine.scoring.inputs import Inputs
from ground.counted import counted
from ground.question import Question
from jobs.diff.compared import MEMBERS
from jobs.diff.reasons import dated_between
from jobs.errors import ExitCode, HindsightError, SettingsError
from jobs.facts.plan import reached, taught
from jobs.nightly.phases import Phases
from jobs.nightly.recalculate import RunRequest, recalculate
from jobs.nightly.vintage import Delivered
from jobs.output.history import read_vintage, run_of, vintage_path, write_vintage
from jobs.output.identity import code_version, run_identity
from jobs.output.layout import Layout
from jobs.output.lock import exclusive
from jobs.output.rebuild import open_or_rebuild
from jobs.reach import require_reach
from jobs.rules.rulebook import CURBS, Rulebook, load_rulebook, require_tested
from jobs.rules.vocabulary import vocabulary_or_why
from jobs.settings import ALL_COUNTRIES, Settings
from jobs.suggest import did_you_mean
from warehouse.asof.state import Warehouse

#: Steps between the days of a series, as polars writes them.
EVERY = {"day": "d", "week": "w", "month": "mo"}
WRITTEN, KEPT, REFUSED, EMPTY = "written", "kept", "refused", "empty"
#: More days than this are a slip of the year.
MOST_DAYS = 2_000


@dataclass(frozen=True)
class Vintage:
    """One day of a series: what became of it, and how many minerals had to be scored."""

    as_of: date
    outcome: str
    scored: int = 0
    minerals: int = 0
    has_hindsight: bool = False

    @property
    def sentence(self) -> str:
        """What became of it, in one line."""
        later = "; some figures were published later (hindsight)" if self.has_hindsight else ""
        if self.outcome == KEPT:
            return f"{self.as_of}  kept, scored before with the same facts, rules and code{later}"
        if self.outcome == EMPTY:
            return f"{self.as_of}  left out: no route of these minerals was known yet"
        if self.outcome == REFUSED:
            return (
                f"{self.as_of}  refused: figures published later would have to be used (--strict-knowledge)"
            )
        return f"{self.as_of}  written, {self.scored} of {counted(self.minerals, 'mineral')} scored{later}"


@dataclass
class SeriesOutcome:
    """What a backfill did."""

    vintages: list[Vintage] = field(default_factory=list)

    @property
    def code(self) -> ExitCode:
        """10 where some days were refused, 30 where all were."""
        refused = [one for one in self.vintages if one.outcome == REFUSED]
        if not refused:
            return ExitCode.OK
        return ExitCode.INPUT if len(refused) == len(self.vintages) else ExitCode.WARNINGS


def days_of(first: date, last: date, every: str, today: date) -> list[date]:
    """Return the days of a series, from the first on; a month's last day stands for days that it does not have.

    Raises:
        SettingsError: the range is empty, reaches past today, or has too many days; or the step is unknown.
    """
    if every not in EVERY:
        raise SettingsError(f"--every '{every}' is not a step{did_you_mean(every, list(EVERY))}")
    for option, day in (("--from", first), ("--to", last)):
        if day > today:
            raise SettingsError(
                f"{option} {day} is after today, {today}: nobody knows yet what will be known then. Choose {today} or "
                "earlier; `curbline run --as-of` scores a day to come."
            )
    if first > last:
        raise SettingsError(f"--from {first} is after --to {last}; swap them.")
    step = EVERY[every]
    start = pl.Series([first])
    days: list[date] = []
    while len(days) <= MOST_DAYS:
        day = start.dt.offset_by(f"{len(days)}{step}").item()
        if day > last:
            return days
        days.append(day)
    raise SettingsError(
        f"--from {first} --to {last} --every {every} has more than {MOST_DAYS:,} days; choose a shorter range or a longer step."
    )


def backfill(
    settings: Settings, days: Sequence[date], now: datetime, phases: Phases, minerals: Sequence[str] = ()
) -> Generator[Vintage, None, None]:
    """Score each day as known on itself, and keep it in `mart.score_history`.

    A day that was scored before with the same facts, rules and code is kept: a series that was stopped goes on where it
    was. A mineral is scored again only where something that its scores depend on differs from the day before.

    Args:
        settings: facts, rules, output folder, curbing country; `strict_knowledge` refuses days with hindsight.
        days: in order.
        now: when it began, told to whoever finds the lock taken.
        phases: times each phase.
        minerals: score these alone; without any, all.

    Yields:
        What became of each day.

    Raises:
        BusyError: another run holds the output folder.
        InputError, DataError: facts are missing, or do not reach back to the first day.
        SettingsError, RuleError: options or rules are wrong, no mineral is called so, or a day's history holds other
            minerals, which a series of some would drop.
    """
    if settings.curbing_country == ALL_COUNTRIES:
        raise SettingsError(
            "routes are scored for one curbing country at a time; name one with --curbing-country."
        )
    layout = Layout(settings.out)
    layout.refuse_links_out()
    with exclusive(layout.lock, since=now):
        with phases.phase("rules"):
            rulebook = rules_on(settings, days[-1])
            require_tested(rulebook)
        with open_or_rebuild(layout.state) as state:
            with phases.phase("facts"):
                facts = state.load_bundles(settings.facts, strict=settings.strict)
            require_reach(state, settings, {"--from": days[0]})
            _require_minerals(state, minerals)
            series = _Series(settings, state, layout, phases, frozenset(minerals))
            code = code_version()
            for day in days:
                question = Question(day, day, settings.curbing_country)
                ids = [
                    run_identity(
                        question,
                        importers=tuple(dict.fromkeys(settings.declared_importers)),
                        facts_hash=facts.facts_hash,
                        rules_hash=rulebook.rules_hash,
                        code=code,
                        draws=settings.draws,
                        minerals=only,
                    )
                    for only in dict.fromkeys(((), tuple(minerals)))
                ]
                yield series.day(question, ids)


def _require_minerals(state: Warehouse, minerals: Sequence[str]) -> None:
    known = state.query("SELECT DISTINCT mineral FROM core.minerals ORDER BY 1")["mineral"].to_list()
    for mineral in minerals:
        if mineral not in known:
            raise SettingsError(f"--mineral {mineral}: no mineral is called so{did_you_mean(mineral, known)}")


def rules_on(settings: Settings, day: date) -> Rulebook:
    """Return the rules with the members that blocs were known to have on a day."""
    return load_rulebook(settings.rules, method=CURBS, facts=settings.facts, known_at=day)


@dataclass(frozen=True)
class _Known:
    """What the scores of a day rest on, and the scores."""

    inputs: Inputs
    ruled: RuledMeasures
    scores: pl.DataFrame


class _Series:
    def __init__(
        self,
        settings: Settings,
        state: Warehouse,
        layout: Layout,
        phases: Phases,
        minerals: frozenset[str] = frozenset(),
    ) -> None:
        self._settings, self._state, self._layout, self._phases = settings, state, layout, phases
        self._minerals = minerals
        self._before: _Known | None = None
        self._rules: Rulebook | None = None

    def day(self, question: Question, run_ids: Sequence[str]) -> Vintage:
        """Score one day, unless its scores are there already.

        Args:
            question: about it.
            run_ids: identity of the run of all minerals, and last of the one that is asked for.
        """
        path = vintage_path(self._layout, question)
        if run_of(path) in run_ids:
            self._before = None  # its inputs are not at hand; the next day is scored whole
            late = bool(read_vintage(path)["hindsight"].any())
            refused = late and self._settings.strict_knowledge  # by a series that was not strict
            return Vintage(question.as_of, REFUSED if refused else KEPT, has_hindsight=late)
        self._refuse_to_drop(path, question.as_of)
        ruleset = self._ruleset(question.known_at)
        delivered = Delivered()
        known: list[tuple[Inputs, RuledMeasures, set[str]]] = []

        def choose(inputs: Inputs) -> list[str]:
            every = self._asked(inputs)
            with self._phases.phase("what changed"):
                ruled = rule_measures(inputs, ruleset)
                same = (
                    set() if self._before is None else unchanged(self._before.inputs, inputs, ruled, ruleset)
                )
            known.append((inputs, ruled, every & same))
            return sorted(every - same)

        request = RunRequest(
            question,
            self._settings.draws,
            strict_knowledge=self._settings.strict_knowledge,
            processes=self._settings.processes,
        )
        try:
            recalculate(request, self._state, ruleset, self._phases.phase, delivered.take, choose)
        except HindsightError:
            self._before = None
            return Vintage(question.as_of, REFUSED, has_hindsight=True)
        inputs, ruled, same = known[0]
        every = len(self._asked(inputs))
        if not every:
            return Vintage(question.as_of, EMPTY)
        scores = self._whole(question, delivered, same)
        with self._phases.phase("store"):
            write_vintage(self._layout, question, run_ids[-1], scores)
        self._before = _Known(inputs, ruled, scores)
        return Vintage(question.as_of, WRITTEN, every - len(same), every, bool(scores["hindsight"].any()))

    def _ruleset(self, day: date) -> RuleSet:
        """Return the rules of a day: those of the day before, while blocs have the same members."""
        vocabulary, _ = vocabulary_or_why(self._settings.facts, day)
        if self._rules is None or self._rules.vocabulary != vocabulary:
            self._rules = rules_on(self._settings, day)
        return self._rules.ruleset

    def _asked(self, inputs: Inputs) -> set[str]:
        """Return the minerals with routes on the day that are to be scored."""
        traded = set(inputs["flows"]["mineral"])
        return traded & self._minerals if self._minerals else traded

    def _refuse_to_drop(self, path: Path, day: date) -> None:
        """Refuse to write some minerals over a day that holds others; what cannot be read holds none."""
        if not self._minerals or run_of(path) is None:
            return
        others = sorted(set(read_vintage(path)["mineral"]) - self._minerals)
        if others:
            raise SettingsError(
                f"the history of {day} holds {counted(len(others), 'mineral')} that --mineral leaves out ({', '.join(others[:3])}…), "
                "and would lose them. Name another --out, or backfill all minerals."
            )

    def _whole(self, question: Question, delivered: Delivered, same: set[str]) -> pl.DataFrame:
        """Return the scores of the day: those that were computed, and those of the day before that cannot differ."""
        asked = {"as_of": question.as_of, "known_at": question.known_at, "bloc": BLOC_AS_IMPORTER}
        members = self._state.query(MEMBERS, asked)["country"].to_list()
        parts = [] if delivered.is_empty else [delivered.history(members)]
        if self._before is not None and same:
            parts.append(self._before.scores.filter(pl.col("mineral").is_in(list(same))))
        return pl.concat(parts, how="vertical_relaxed")


def unchanged(before: Inputs, inputs: Inputs, ruled: RuledMeasures, ruleset: RuleSet) -> set[str]:
    """Return the minerals whose scores are those of an earlier day, since nothing that they rest on differs.

    Neither may a fact, a state of the law or a dated rule differ, nor may a measure be in force that withholds: its
    stocks are drawn down from day to day. Events to come move only what history does not keep.
    """
    if next(dated_between(ruleset, before.as_of, inputs.as_of), None) is not None:
        return set()
    now = replace(inputs, frames={**inputs.frames, "timeline": before["timeline"]}, _parts={})
    moved = {*reached(before, now), *taught(before, inputs, ruleset)}
    biting = {
        str(mineral)
        for (mineral, *_), rows in ruled.measures.items()
        if rows.select(((pl.col("state") == "in_force") & (pl.col("withheld_best") > 0)).any()).item()
    }
    return set(before["flows"]["mineral"]) - moved - biting
