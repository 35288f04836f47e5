"""The fewest stops as a person reads them, and the same as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from engine.scoring.stops import Stop
from ground.counted import counted
from ground.question import Question
from jobs.explain.text import share
from jobs.minimal.asked import Answer, Asked, NamedSet
from jobs.tables import as_table

ALREADY, FOUND, LARGER, NONE = "already", "found", "larger", "none"


def state_of(one: Answer, threshold: float) -> str:
    """Return whether sets were found, are larger than asked for, do not exist, or are not needed."""
    if one.sets:
        return FOUND
    if one.larger is not None:
        return LARGER
    return NONE if one.now.expected_missing_share < threshold else ALREADY


def named(stop: Stop) -> str:
    """Return what ceases, in a few words."""
    if stop.kind == "measure":
        return stop.measure_id
    if stop.kind == "route":
        return f"{stop.stage} {stop.exporter} → {stop.importer}"
    return stop.exporter


def _set(one: NamedSet) -> str:
    return " and ".join(named(stop) for stop in one.stops)


def sentence(one: Answer, asked: Asked, threshold: float) -> str:
    """Return why there is no set to list, or how many there are."""
    what = {"exporters": "exporters", "routes": "flows", "measures": "measures"}[asked.by]
    state = state_of(one, threshold)
    if state == ALREADY:
        return f"{share(one.now.expected_missing_share)} is missing under the law of the day: nothing more has to stop."
    if state == NONE:
        every = one.everything
        if not one.candidates:
            return f"None: no {what} that could stop reach it."
        if every.gap_share < threshold:
            return (
                f"None, whatever the size: with all {counted(one.candidates, what[:-1])} stopped {share(every.gap_share)} is missing, "
                "and the rest is made at home or does not come this way."
            )
        return (
            f"None, whatever the size: with all {counted(one.candidates, what[:-1])} stopped {share(every.gap_share)} is missing before "
            f"and {share(every.expected_missing_share)} after what others, other materials and stocks make good."
        )
    if state == LARGER and one.larger is not None:
        return f"None of up to {asked.largest}. A set of {len(one.larger.stops)} does: {_set(one.larger)} ({share(one.larger.expected_missing_share)})."
    return ""


def as_text(answers: Sequence[Answer], asked: Asked, threshold: float, question: Question, top: int) -> Group:
    """Lay out the sets importer by importer, mineral by mineral.

    Args:
        answers: in any order.
        asked: what was looked for.
        threshold: share missing from which on a set counts.
        question: of the day.
        top: sets shown of each.
    """
    known = "" if question.known_at == question.as_of else f", as known on {question.known_at}"
    parts: list[RenderableType] = [
        Text(
            f"The fewest {asked.by} whose stop takes what is missing to {share(threshold)} or more (band {asked.band}), over "
            f"{asked.horizon_days} days",
            style="bold",
        ),
        Text(f"As of {question.as_of}{known}, on top of the curbs of {question.curbing_country} in force."),
        Text(),
    ]
    for importer in asked.importers:
        own = [one for one in answers if one.importer == importer]
        if not own:
            parts += [Text(importer, style="bold"), Text("buys and makes none of it."), Text()]
        for one in own:
            parts += [Text(f"{importer}, {one.mineral} / {one.stage}", style="bold")]
            told = sentence(one, asked, threshold)
            if told:
                parts += [Text(told), Text()]
                continue
            rows = [
                (f"N−{len(found.stops)}", _set(found), share(one.now.expected_missing_share), share(found.gap_share), share(found.expected_missing_share))
                for found in one.sets[:top]
            ]  # fmt: skip
            parts.append(as_table(("", "stops", "missing now", "before responses", "then"), rows))
            if len(one.sets) > top:
                parts.append(Text(f"and {counted(len(one.sets) - top, 'more set')}; --top shows more."))
            parts.append(Text())
    return Group(*parts[:-1])


def as_data(answers: Sequence[Answer], asked: Asked, threshold: float, question: Question) -> dict[str, Any]:
    """Return the same as data, every set included."""
    return {
        "as_of": question.as_of,
        "known_at": question.known_at,
        "curbing_country": question.curbing_country,
        "horizon_days": asked.horizon_days,
        "by": asked.by,
        "band": asked.band,
        "threshold_share": threshold,
        "largest": asked.largest,
        "answers": [
            {
                "importer": one.importer,
                "mineral": one.mineral,
                "stage": one.stage,
                "outcome": state_of(one, threshold),
                "why": sentence(one, asked, threshold) or None,
                "candidates": one.candidates,
                "solved": one.solved,
                "expected_missing_share": one.now.expected_missing_share,
                "with_everything_stopped": _shares(one.everything),
                "sets": [_data(found) for found in one.sets],
                "larger_set": None if one.larger is None else _data(one.larger),
            }
            for one in answers
        ],
    }


def _shares(one: NamedSet) -> dict[str, float]:
    return {"gap_share": one.gap_share, "expected_missing_share": one.expected_missing_share}


def _data(one: NamedSet) -> dict[str, Any]:
    stops = [
        {
            name: value
            for name in ("exporter", "importer", "stage", "measure_id")
            if (value := getattr(stop, name))
        }
        for stop in one.stops
    ]
    return {"size": len(stops), "stops": stops, **_shares(one)}
