"""What an event comes to, whichever way it goes: two scenarios beside the facts of its day.

Every measure of a country that changes on one day goes the same way, since one decision settles them: either all bind
from that day, or none does. Solving this takes seconds a mineral, so that no night does it for everybody.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from engine.scoring.portfolio_doubt import EVERY
from ground.question import Question
from ground.words import MAIN_HORIZON
from jobs.errors import SettingsError
from jobs.ports import Reader
from jobs.rules.rulebook import CURBS, load_rulebook
from jobs.scenario.reading import ScenarioFile, parse_scenario
from jobs.scenario.world import Comparison, World
from jobs.settings import Settings
from warehouse.asof.state import Warehouse
from warehouse.bundle.reading import Facts, read_bundles

if TYPE_CHECKING:
    from engine.language.rules import RuleSet

LAPSED, BINDING = "lapsed_unverified", "in_force"
YEAR = timedelta(days=365)
Group = tuple[date, str]


@dataclass(frozen=True)
class RunFacts:
    """Which facts a run was of, and which of its measures are a suspension of others and withhold nothing themselves."""

    facts_hash: str
    pauses: tuple[str, ...]

    @classmethod
    def of(cls, reader: Reader) -> RunFacts:
        """Read them from a published file."""
        pauses = "SELECT DISTINCT measure_id FROM core.measures WHERE instrument = 'suspension' ORDER BY 1"
        return cls(
            reader.query("SELECT facts_hash FROM meta.run").item(),
            tuple(reader.query(pauses)["measure_id"].to_list()),
        )


def either(settings: Settings, found: Mapping[str, Any], run: RunFacts) -> list[dict[str, Any]]:
    """Load the settings' facts and rules in memory and score both ways; see `ways`.

    Raises:
        SettingsError: the facts are not those of the run.
    """
    ruleset = load_rulebook(settings.rules, method=CURBS, facts=settings.facts).ruleset
    facts = read_bundles(settings.facts)
    if facts.report.facts_hash != run.facts_hash:
        raise SettingsError(
            f"--either-way: run {found['run_id']} was of other facts than those of the settings; name its bundles with "
            "--facts, or run again."
        )
    with Warehouse.open_memory() as state:
        state.load_facts(facts)
        asked = Comparison(MAIN_HORIZON, draws=settings.draws)
        minerals = [found["mineral"]] if found["mineral"] else []
        return ways(found, state, facts, ruleset, asked, minerals, run.pauses)


def ways(
    found: Mapping[str, Any],
    state: Warehouse,
    facts: Facts,
    ruleset: RuleSet,
    asked: Comparison,
    minerals: Sequence[str] = (),
    pauses: Collection[str] = (),
) -> list[dict[str, Any]]:
    """Score both ways of every day on which measures begin, lapse or end.

    Args:
        found: events, as `jobs.calendar.events.events` collects them.
        state: a warehouse that holds `facts`.
        facts: those of the run.
        ruleset: checked rules.
        asked: horizon, regime and draws.
        minerals: look at these alone; without any, at all that the measures reach.
        pauses: measures that are a suspension of others, which withhold nothing themselves.

    Returns:
        One row a day and country: event_date, country, notices, minerals, horizon_days, and USD that everybody is
        expected to miss: base_missing_usd, with missing_usd_if_binding and missing_usd_if_not (the same where that is
        what the facts say anyway); None where nothing of it is known.
    """
    worlds: dict[Question, World] = {}
    rows = []
    for (day, country), group in _groups(found["events"], pauses).items():
        question = Question(max(day, found["as_of"]), found["known_at"], country)
        if question not in worlds:
            worlds[question] = World(state, facts, ruleset, question, asked)
        world = worlds[question]
        known = set(world.base["flows"]["mineral"])
        wanted = [mineral for mineral in minerals if mineral in known]
        if minerals and not wanted:
            continue
        row: dict[str, Any] = {
            "event_date": day,
            "country": country,
            "notices": sorted({str(event["notice"]) for event in group}),
            "minerals": [],
            "horizon_days": asked.horizon_days,
            "base_missing_usd": None,
            "missing_usd_if_binding": None,
            "missing_usd_if_not": None,
        }
        same = []
        for way, file in (("if_binding", _binding(group)), ("if_not", _not(group, day))):
            if file is None:
                same.append(way)
            else:
                played = world.play(file, wanted)
                total = played.differences.buyers.filter(importer=EVERY, mineral=EVERY)
                if total.height:
                    row["minerals"] = sorted({*row["minerals"], *played.minerals})
                    row["base_missing_usd"] = total["base_missing_usd"].item()
                    row[f"missing_usd_{way}"] = total["missing_usd"].item()
                else:
                    same.append(way)
        if row["minerals"]:
            rows.append({**row, **{f"missing_usd_{way}": row["base_missing_usd"] for way in same}})
    return rows


def _groups(
    events: Sequence[Mapping[str, Any]], pauses: Collection[str]
) -> dict[Group, list[Mapping[str, Any]]]:
    groups: dict[Group, list[Mapping[str, Any]]] = {}
    for event in events:
        of_law = event["kind"] == "measure" and event["measure_id"] not in pauses and event["lane_count"]
        # What begins and has passed is the law already.
        open_still = event["is_unverified"] or event["days_left"] > 0
        if of_law and open_still and event["state_after"] in (LAPSED, BINDING):
            groups.setdefault((event["event_date"], event["country"]), []).append(event)
    return groups


def _binding(group: Sequence[Mapping[str, Any]]) -> ScenarioFile | None:
    lapsed = [event for event in group if event["state_after"] == LAPSED]
    return _scenario("binding", [f"lapse: {_law(event)}" for event in lapsed])


def _not(group: Sequence[Mapping[str, Any]], day: date) -> ScenarioFile | None:
    changes = []
    for event in group:
        if event["state_before"] == "suspended":
            changes.append(f"extend: {_law(event, f', valid_to: {day + YEAR}')}")
        else:
            changes.append(f"repeal: {_law(event, f', valid_from: {day}')}")
    return _scenario("not-binding", changes)


def _law(event: Mapping[str, Any], more: str = "") -> str:
    return f'{{measure_id: "{event["measure_id"]}", clause: "{event["clause"]}"{more}}}'


def _scenario(name: str, changes: Sequence[str]) -> ScenarioFile | None:
    if not changes:
        return None
    lines = "".join(f"  - {change}\n" for change in dict.fromkeys(changes))
    return parse_scenario(f"scenario: {name}\ntitle: {name}\nchanges:\n{lines}", f"{name}.yml")
