"""What the draws say of a chain under each law that is asked about: by horizon, regime, and days to come."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from engine.scoring.assemble import StageMeasures
from engine.scoring.chain_score import Law
from engine.scoring.drawn_curbs import NumbersOf
from engine.scoring.evidence import Evidence
from engine.scoring.joint import DrawnMissing, JointChain, Posed
from engine.scoring.ranges import Array
from engine.scoring.response import Supply
from engine.scoring.supply import LONG_HORIZON
from ground.words import REGIMES


@dataclass(frozen=True)
class AtHorizon:
    """All stages at one horizon.

    Attributes:
        measures: per stage, items that withhold the curbing country's own flows, and those that reach foreign goods.
        laws: by regime.   to_come: from each day on which a state of the law is known to change.
        supply: per stage, what others could add.
    """

    horizon_days: int
    measures: Sequence[tuple[StageMeasures, StageMeasures]]
    laws: Mapping[str, Law]
    to_come: Sequence[tuple[date, Law]]
    supply: Sequence[Supply]


@dataclass(frozen=True)
class DrawnStage:
    """One stage in one regime in every draw: routes (routes, D), importers (n + 1, D), alternatives (n + 1, D)."""

    route: Array
    importer: Array
    alternatives: Array


@dataclass(frozen=True)
class DrawnLaws:
    """One stage by regime, under each state of the law to come, and before trade is looked at (None: the same)."""

    regimes: Mapping[str, DrawnStage]
    to_come: Sequence[DrawnStage]
    prior: DrawnStage | None


def draw_laws(
    joint: JointChain, at_horizons: Sequence[AtHorizon], evidence: Evidence
) -> Iterator[list[DrawnLaws]]:
    """Yield by horizon and stage what the draws say of each regime, of each law to come, and before trade was seen.

    All are solved at once, since they share the pools. A full stop without new plant is the same at every horizon.

    Args:
        joint: the chain.
        at_horizons: the laws.
        evidence: what trade says of severities.
    """
    posed = [Posed(at_horizons[0].laws["full_stop"])]

    def ask(law: Law, plant: Sequence[Supply] | None, numbers: NumbersOf | None) -> int:
        posed.append(Posed(law, numbers, plant))
        return len(posed) - 1

    places: list[tuple[dict[str, int], list[int], int | None]] = []
    for at in at_horizons:
        plant = at.supply if at.horizon_days >= LONG_HORIZON else None
        regimes = {
            regime: 0
            if regime == "full_stop" and plant is None
            else ask(at.laws[regime], plant, None if regime == "full_stop" else evidence.of)
            for regime in REGIMES
        }
        to_come = [ask(law, plant, evidence.of) for _, law in at.to_come]
        ruled = {str(rule) for stage in at.laws["active"] for rule in stage.curbs.rule_ids.flat}
        taught = bool(ruled & evidence.rules)
        places.append((regimes, to_come, ask(at.laws["active"], plant, None) if taught else None))
    found = joint.missing(posed)

    def stage(missing: DrawnMissing, s: int, at: AtHorizon) -> DrawnStage:
        others = joint.alternatives(s, at.supply[s], missing.lost_t[s])
        return DrawnStage(missing.route[s], missing.importer[s], others)

    for at, (regimes, to_come, prior) in zip(at_horizons, places, strict=True):
        yield [
            DrawnLaws(
                {regime: stage(found[place], s, at) for regime, place in regimes.items()},
                [stage(found[place], s, at) for place in to_come],
                None if prior is None else stage(found[prior], s, at),
            )
            for s in range(len(at.supply))
        ]
