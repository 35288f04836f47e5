"""Changes of the law: states of measures, and measures after the model of others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from ground.words import ENDS
from jobs.scenario.reading import Place
from jobs.scenario.words import Copy, End, Extend, Lapse, OfLaw, Repeal, Suspend

if TYPE_CHECKING:
    from jobs.scenario.edits import Supposed

PAUSED = ("suspended", "lapsed_unverified")
BINDING = ("in_force", "announced", "lapsed_unverified")
EVERY = "*"


class Law:
    """Turns changes of the law into rows of `measure_states`, known on the day of knowledge, so that they win."""

    def __init__(self, found: Supposed) -> None:
        self.found, question = found, found.question
        self.told: dict[str, list[str]] = {}
        self.states = found.state.query(
            "SELECT * FROM measure_state_at($as_of, $known_at)",
            {"as_of": question.as_of, "known_at": question.known_at},
        )
        own = found.facts["measures"].filter(
            pl.col("known_from") <= question.known_at, pl.col("curbing_country") == question.curbing_country
        )
        self.measures = {row["measure_id"]: row for row in own.iter_rows(named=True)}

    @property
    def sentences(self) -> list[str]:
        """Return what becomes of which measures."""
        return [f"{told[0].upper()}{told[1:]}: {', '.join(named)}." for told, named in self.told.items()]

    def lapse(self, place: Place, body: Lapse) -> None:
        """Let a measure bind again from the day after its suspension."""
        for row in self._rows(place, body, PAUSED):
            end = row["valid_from"] if row["state"] == "lapsed_unverified" else row["valid_to"]
            start = body.valid_from or end
            if start is None:
                self.found.refuse(place, f"the suspension of {row['measure_id']} has no last day; say valid_from, the day on which the measure binds again")  # fmt: skip
            elif row["state"] == "suspended" and start < row["valid_from"]:
                self._backwards((*place, "valid_from"), row, start)
            else:
                self._state(place, row, "in_force", start, None, f"binds again from {start}")

    def end(self, place: Place, body: End) -> None:
        """Let a measure bind from a day within its suspension."""
        for row in self._rows(place, body, ("suspended",)):
            if body.valid_from < row["valid_from"]:
                self._backwards((*place, "valid_from"), row, body.valid_from)
            elif row["valid_to"] is not None and body.valid_from >= row["valid_to"]:
                self.found.refuse((*place, "valid_from"), f"the suspension of {row['measure_id']} ends before {row['valid_to']} by itself; name an earlier day, or let it lapse")  # fmt: skip
            else:
                self._state(place, row, "in_force", body.valid_from, None, f"binds again from {body.valid_from}, before its suspension ends")  # fmt: skip

    def extend(self, place: Place, body: Extend) -> None:
        """Let a suspension go on from its last day, or from the day on which it lapsed."""
        for row in self._rows(place, body, PAUSED):
            lapsed = row["state"] == "lapsed_unverified"
            end = row["valid_from"] if lapsed else row["valid_to"]
            if end is None:
                self.found.refuse(
                    place,
                    f"the suspension of {row['measure_id']} has no last day; there is nothing to extend",
                )
            elif body.valid_to <= end:
                self.found.refuse((*place, "valid_to"), f"the suspension of {row['measure_id']} runs to {end} already; name a later valid_to")  # fmt: skip
            else:
                self._state(place, row, "suspended", end, body.valid_to, f"stays suspended up to the day before {body.valid_to}")  # fmt: skip

    def suspend(self, place: Place, body: Suspend) -> None:
        """Suspend a measure that binds."""
        for row in self._rows(place, body, BINDING):
            until = f" up to the day before {body.valid_to}" if body.valid_to else ""
            self._state(
                place,
                row,
                "suspended",
                body.valid_from,
                body.valid_to,
                f"is suspended from {body.valid_from}{until}",
            )

    def repeal(self, place: Place, body: Repeal) -> None:
        """End a measure."""
        start = body.valid_from or self.found.question.as_of
        for row in self._rows(place, body, (*BINDING, "suspended", "proposed", "unknown")):
            self._state(place, row, "ended", start, None, f"is repealed from {start}")

    def copy(self, place: Place, body: Copy) -> None:
        """Add a measure on another mineral."""
        found = self.found
        if not self._measure((*place, "measure_id"), body.measure_id):
            return
        minerals = found.facts["chains"].filter(mineral=body.mineral)["stage"].to_list()
        if not found.known((*place, "mineral"), "mineral", body.mineral, found.facts["chains"]["mineral"]):
            return
        if body.new_id in set(found.table("measures")["measure_id"]):
            found.refuse(
                (*place, "new_id"), f"there is a measure '{body.new_id}' already; name another new_id"
            )
            return
        stages_known = [
            found.known((*place, "stage"), f"stage of {body.mineral}", one, minerals) for one in body.stage
        ]
        if not all(stages_known):
            return
        model = self.measures[body.measure_id]
        about = {
            "measure_id": body.new_id,
            "notice": body.notice,
            "title": f"{model['title']}, for {body.mineral}",
        }
        announced = min(body.valid_from, found.question.known_at)
        kept = {name: model[name] for name in ("curbing_country", "authority", "instrument", "is_framework")}
        found.append("measures", [{**kept, **about, "date_announced": announced}])
        span = dict(
            zip((f"coverage_share_{end}" for end in ENDS), map(float, body.coverage_share), strict=True)
        )
        if body.quota_share is not None:
            span |= dict(
                zip((f"quota_share_{end}" for end in ENDS), map(float, body.quota_share), strict=True)
            )
        row = {
            "measure_id": body.new_id,
            "clause": "all",
            "mineral": body.mineral,
            "is_extraterritorial": False,
        }
        items = [{**row, **span, "item_id": f"{body.new_id}-{stage}", "stage": stage} for stage in body.stage]
        found.append("measure_items", items)
        whom = found.facts["measure_destinations"].filter(measure_id=body.measure_id)
        found.append("measure_destinations", [{**one, "measure_id": body.new_id, "clause": "all", "source_id": "scenario", "known_from": found.question.known_at} for one in whom.iter_rows(named=True)])  # fmt: skip
        state = {"measure_id": body.new_id, "clause": "all", "destination": EVERY, "state": "in_force"}
        found.append("measure_states", [{**state, "valid_from": body.valid_from, "valid_to": body.valid_to}])
        found.reach([body.mineral])
        found.sentences.append(f"{body.notice} on {body.mineral} ({', '.join(body.stage)}), after the model of {model['notice'] or model['title']}, binds from {body.valid_from}.")  # fmt: skip

    def _measure(self, place: Place, name: str) -> bool:
        country = self.found.question.curbing_country
        others = self.found.facts["measures"].filter(measure_id=name)["curbing_country"].to_list()
        if others and name not in self.measures:
            self.found.refuse(place, f"{name} is a measure of {others[0]} and this asks about curbs of {country}; write curbing_country: {others[0]}")  # fmt: skip
            return False
        return self.found.known(place, f"measure of {country}", name, self.measures)

    def _rows(self, place: Place, body: OfLaw, wanted: Sequence[str]) -> list[dict[str, Any]]:
        """Return the state of every clause and destination that a change means; refuse any other than wanted."""
        rows: list[dict[str, Any]] = []
        for number, name in enumerate(body.measure_id):
            at = (*place, "measure_id", number)
            if not self._measure(at, name):
                continue
            if self.measures[name]["instrument"] == "suspension":
                self._pause_itself(at, name)
                continue
            own = self.states.filter(measure_id=name)
            if body.clause and not self.found.known(
                (*place, "clause"), f"clause of {name}", body.clause, own["clause"]
            ):
                continue
            own = own.filter(clause=body.clause) if body.clause else own
            if body.destination and not self.found.known(
                (*place, "destination"),
                f"destination of the states of {name}",
                body.destination,
                own["destination"],
            ):
                continue
            own = own.filter(destination=body.destination) if body.destination else own
            fitting = own.filter(pl.col("state").is_in(wanted))
            if fitting.is_empty():
                states = ", ".join(sorted(set(own["state"]))).replace("_", " ") or "not yet announced"
                self.found.refuse(at, f"{name} is {states} on {self.found.question.as_of}, not {' or '.join(wanted).replace('_', ' ')}")  # fmt: skip
            rows += fitting.iter_rows(named=True)
        return rows

    def _pause_itself(self, at: Place, name: str) -> None:
        notice = self.measures[name]["notice"]
        states = self.found.facts["measure_states"]
        paused = (
            states.filter(pl.col("basis").str.contains(notice, literal=True))["measure_id"].unique().sort()
        )
        named = f"; name the measures that it pauses: {', '.join(paused)}" if paused.len() else ""
        self.found.refuse(at, f"{name} is the pause itself, and withholds nothing{named}")

    def _backwards(self, place: Place, row: dict[str, Any], start: date) -> None:
        self.found.refuse(place, f"{start} is before the suspension of {row['measure_id']} began on {row['valid_from']}; name a later day")  # fmt: skip

    def _state(
        self, place: Place, row: dict[str, Any], state: str, start: date, end: date | None, told: str
    ) -> None:
        found, name = self.found, row["measure_id"]
        if not found.take(place, (name, row["clause"], row["destination"])):
            return
        key = {part: row[part] for part in ("measure_id", "clause", "destination")}
        found.append(
            "measure_states",
            [{**key, "state": state, "valid_from": start, "valid_to": end, "basis": "scenario"}],
        )
        found.reach(found.facts["measure_items"].filter(measure_id=name)["mineral"])
        notice = self.measures[name]["notice"] or self.measures[name]["title"]
        clause = "" if row["clause"] == "all" or row["clause"] in notice else f" ({row['clause']})"
        named = self.told.setdefault(told, [])
        if f"{notice}{clause}" not in named:
            named.append(f"{notice}{clause}")
