"""Changes of pledges: kept to the letter, or worth nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from jobs.scenario.reading import Place
from jobs.scenario.words import Honour, Void

if TYPE_CHECKING:
    from jobs.scenario.edits import Supposed

OPEN = ("contested", "unclear")


def honour(found: Supposed, place: Place, body: Honour) -> None:
    """Make pledges binding and in force, and let them cover what their text leaves open."""
    for number, name in enumerate(body.pledge_id):
        if not _pledge(found, (*place, "pledge_id", number), name):
            continue
        own = pl.col("pledge_id") == name
        agreement = f"{name}-alone"  # the other pledges of its agreement stay as they are
        found.append(
            "agreement_states",
            [{"agreement_id": agreement, "state": "in_force", "valid_from": found.question.as_of}],
        )
        is_third = pl.col("backing") == "third_country"
        found.tables["pledges"] = found.table("pledges").with_columns(
            agreement_id=pl.when(own).then(pl.lit(agreement)).otherwise("agreement_id"),
            legal_strength=pl.when(own).then(pl.lit("binding")).otherwise("legal_strength"),
            backing=pl.when(own & ~is_third).then(pl.lit("enacted")).otherwise("backing"),
            valid_to=pl.when(own).then(None).otherwise("valid_to"),
        )
        items = found.table("pledge_items")
        stages = pl.lit(value=True) if body.stage is None else pl.col("stage").is_in(body.stage)
        is_open = own & stages.fill_null(value=False) & pl.col("coverage").is_in(OPEN)
        found.tables["pledge_items"] = items.with_columns(
            coverage=pl.when(is_open).then(pl.lit("covered")).otherwise("coverage")
        )
        opened = sorted({str(stage or "every stage") for stage in items.filter(is_open)["stage"]})
        more = f", and covers {', '.join(opened)} too" if opened else ""
        found.sentences.append(f"The pledge {name} is binding and in force{more}.")
        found.minerals = None


def void(found: Supposed, place: Place, body: Void) -> None:
    """Take pledges out."""
    for number, name in enumerate(body.pledge_id):
        if _pledge(found, (*place, "pledge_id", number), name):
            for table in ("pledge_items", "pledges"):
                found.tables[table] = found.table(table).filter(pl.col("pledge_id") != name)
            found.sentences.append(f"The pledge {name} is void.")
            found.minerals = None


def _pledge(found: Supposed, place: Place, name: str) -> bool:
    known = found.facts["pledges"].filter(pl.col("known_from") <= found.question.known_at)
    return found.known(place, "pledge", name, known["pledge_id"]) and found.take(place, ("pledge", name))
