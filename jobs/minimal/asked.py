"""The fewest stops of importers, found on the facts of a day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from engine.language.rules import RuleSet
from engine.scoring.draws import Numbers
from engine.scoring.evidence import evidence_since
from engine.scoring.expect import Expectations
from engine.scoring.fewest import Found, greedy_set, smallest_sets
from engine.scoring.inputs import Inputs
from engine.scoring.portfolio import parts_of
from engine.scoring.stop_questions import BY, Buyer, buyers_in
from engine.scoring.stops import Stop
from engine.scoring.supply import LONG_HORIZON
from ground.draws import DEFAULT_DRAWS
from jobs.errors import SettingsError
from jobs.gather import only_minerals
from jobs.suggest import did_you_mean

#: Larger sets are found as well, but those that tried show only what a buyer could not act on.
LARGEST_SET = 3


@dataclass(frozen=True)
class Asked:
    """What is looked for.

    Attributes:
        importers: countries, or the bloc that is an importer by itself.
        by: what may cease, see `engine.scoring.stop_questions.BY`.
        largest: stops in a set at most.
        band: from whose lower edge on a loss counts.
    """

    importers: Sequence[str]
    by: str
    largest: int
    band: str
    horizon_days: int
    draws: int = DEFAULT_DRAWS


@dataclass(frozen=True)
class NamedSet:
    """A set of stops, and what is then missing: before any response, and expected after them."""

    stops: Sequence[Stop]
    gap_share: float
    expected_missing_share: float


@dataclass(frozen=True)
class Answer:
    """The sets of one importer at one stage.

    Attributes:
        candidates: stops that were looked at.   solved: sets that had to be solved for it.
        now: what is missing under the law of the day alone.   everything: when all of them cease.
        sets: the smallest sets, empty where the law of the day is over the threshold already, and where there are none.
        larger: where there are none of the size asked for, a larger set that does.
    """

    mineral: str
    stage: str
    importer: str
    candidates: int
    solved: int
    now: NamedSet
    everything: NamedSet
    sets: Sequence[NamedSet]
    larger: NamedSet | None


@dataclass
class Minimal:
    """One question on the facts of a day.

    Raises:
        SettingsError: a word is not one of those that can be asked with, or an importer trades nothing.
    """

    base: Inputs
    ruleset: RuleSet
    asked: Asked

    def __post_init__(self) -> None:
        """Refuse what cannot be asked."""
        asked, bands = self.asked, [band.name for band in self.ruleset.scorecard.bands]
        if asked.by not in BY:
            raise SettingsError(f"--by {asked.by}{did_you_mean(asked.by, BY)}")
        if asked.band not in bands[1:]:
            raise SettingsError(f"--band {asked.band}{did_you_mean(asked.band, bands[1:])}")
        if not 1 <= asked.largest <= LARGEST_SET:
            raise SettingsError(f"--largest {asked.largest} is not a size of set; write 1 to {LARGEST_SET}.")
        if asked.horizon_days >= LONG_HORIZON:
            raise SettingsError(
                f"--horizon {asked.horizon_days}: over so long others build new plants in answer, and what several stops take is "
                "then no sum of what each takes. Ask about 90 or 365 days, or write a scenario."
            )
        known = sorted({*self.base["flows"]["importer"], *self.base["blocs"]["bloc"]})
        for importer in asked.importers:
            if importer not in known:
                raise SettingsError(f"{importer}: no importer of that name{did_you_mean(importer, known)}")

    @property
    def threshold(self) -> float:
        """The share missing from which on a set counts: the lower edge of the band (method section 1)."""
        start = next(band.start for band in self.ruleset.scorecard.bands if band.name == self.asked.band)
        return (start / 100.0) ** 2

    @cached_property
    def _ruleset(self) -> RuleSet:
        scorecard = replace(self.ruleset.scorecard, horizons=(self.asked.horizon_days,))
        return replace(self.ruleset, scorecard=scorecard)

    def answers(self, minerals: Sequence[str] = ()) -> Iterator[Answer]:
        """Yield an answer for every mineral, stage and importer.

        Args:
            minerals: look at these alone; without any, at all.

        Raises:
            SettingsError: a mineral has no route on the day.
        """
        inputs = only_minerals(self.base, minerals)
        numbers = Numbers(self.asked.draws)
        evidence = evidence_since(self.base, self._ruleset, numbers)
        totals = Expectations(numbers, inputs, self._ruleset, evidence=evidence)
        for part in parts_of(inputs, self._ruleset, self.asked.draws):
            for buyer in buyers_in(part, totals, self.asked.importers):
                yield self._answer(buyer)

    def _answer(self, buyer: Buyer) -> Answer:
        before = buyer.chain.solved
        stops = buyer.stops(self.asked.by)
        problem = buyer.problem(stops, self.threshold)

        def named(places: Sequence[int], found: Found | None = None) -> NamedSet:
            loss = problem.solve(tuple(places)) if found is None else found.loss
            gap = float(loss.before.mean())
            return NamedSet([stops[place] for place in places], gap, loss.expected)

        now, everything = named(()), named(range(len(stops)))
        sets: list[NamedSet] = []
        larger = None
        if not problem.reached(now.expected_missing_share) and problem.reached(
            everything.expected_missing_share
        ):
            sets = [named(one.places, one) for one in smallest_sets(problem, self.asked.largest)]
            if not sets:
                found = greedy_set(problem)
                larger = None if found is None else named(found.places, found)
        return Answer(
            buyer.mineral,
            buyer.stage,
            buyer.importer,
            len(stops),
            buyer.chain.solved - before,
            now,
            everything,
            sets,
            larger,
        )
