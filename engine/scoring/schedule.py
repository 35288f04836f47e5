"""The states of the law that are already known to come within a horizon."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

import polars as pl

from engine.scoring.assemble import StageMeasures
from engine.scoring.inputs import Inputs

CHANGE = ("measure_id", "clause", "importer", "state")
Pairs = Sequence[tuple[StageMeasures, StageMeasures]]


def states_to_come(
    inputs: Inputs, measures: Pairs, countries: Sequence[str], horizon: int
) -> Iterator[tuple[date, Pairs]]:
    """Yield each day on which a state changes, with the measures of all stages from that day on.

    Args:
        inputs: the day's frames; the timeline is resolved by clause and importer.
        measures: per stage, the items that withhold own flows and those that reach foreign ones, as of today.
        countries: of the chain, in the order of its matrices.
        horizon: in days.
    """
    until = inputs.as_of + timedelta(days=horizon)
    ids = {item.measure_id for pair in measures for part in pair for item in part.curbs.items}
    events = (
        inputs["timeline"]
        .filter(pl.col("measure_id").is_in(sorted(ids)))
        .filter((pl.col("valid_from") > inputs.as_of) & (pl.col("valid_from") < until))
        .sort("valid_from", "measure_id", "clause", "importer")
    )
    for when in events["valid_from"].unique(maintain_order=True):
        rows = events.filter(pl.col("valid_from") == when)
        measures = [(_after(own, rows, countries), _after(far, rows, countries)) for own, far in measures]
        yield when, measures


def _after(part: StageMeasures, events: pl.DataFrame, countries: Sequence[str]) -> StageMeasures:
    state = part.state.copy()
    place = {country: i for i, country in enumerate(countries)}
    rows: dict[tuple[str, str], list[int]] = {}
    for m, item in enumerate(part.curbs.items):
        rows.setdefault((item.measure_id, item.clause), []).append(m)
    for *clause, importer, after in events.select(CHANGE).iter_rows():
        for m in rows.get(tuple(clause), ()):
            # One scope of a clause may pass an importer by.
            if importer in place and state[m, place[importer]]:
                state[m, place[importer]] = after
    return replace(part, state=state)
