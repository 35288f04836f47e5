"""A move of scores split into causes: differences between states that follow one another, so that they sum exactly."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import polars as pl

from ground.words import REGIMES
from jobs.diff.compared import KEYS, VALUES, columns_of

#: In the order in which they are swapped: the code of today, rules, figures, the day, and last what states did. So a
#: notice that comes known and begins on the later day is law, and a term that runs out by itself is not.
CAUSES = ("code", "rules", "facts", "calendar", "law")
#: Points of score; less is not seen in a score that is printed with one digit.
MOVED = 0.05
LAST_DIGIT = 1e-13
_AFTER = "_after"
ROW = [*KEYS, "regime"]
_NUMBERS = ("score", "share", "t", "usd")
#: Of a whole move, all its causes together: see `jobs.diff.ranges`. Unknown unless they were asked for.
RANGES = tuple(f"missing_{unit}_change_{end}" for unit in ("t", "usd") for end in ("p10", "p90"))
CHANGE = {
    "mineral": pl.String,
    "stage": pl.String,
    "exporter": pl.String,
    "importer": pl.String,
    "horizon_days": pl.Int64,
    "regime": pl.String,
    "cause": pl.String,
    "score_before": pl.Float64,
    "score_after": pl.Float64,
    "band_before": pl.String,
    "band_after": pl.String,
    "points": pl.Float64,
    "missing_share_change": pl.Float64,
    "missing_t_change": pl.Float64,
    "missing_usd_change": pl.Float64,
    **dict.fromkeys(RANGES, pl.Float64),
}


@dataclass(frozen=True)
class State:
    """The scores once an input has been swapped.

    Attributes:
        cause: the input.
        minerals: those whose scores may differ from the state before.
        scores: compared scores of these minerals; None where they are those of the night after.
    """

    cause: str
    minerals: Collection[str]
    scores: pl.DataFrame | None


def split(before: pl.DataFrame, after: pl.DataFrame, states: Sequence[State]) -> pl.DataFrame:
    """Split each move of a score or band into causes.

    Args:
        before: compared scores of the earlier night, as published.
        after: those of the later one.
        states: in the order of swapping. What is left between the last of them and `after` is added to the code: it
            is what the code of today does not say of the later night.

    Returns:
        Rows of `CHANGE`: one for each route, importer total (exporter `*`), horizon and regime that moved by `MOVED`
        points or into another band, and each cause of it. Points, shares, tonnes and money of its causes sum to the
        move. Where a score appears or goes the cause that brought it has empty figures, since unknown is no number.
    """
    parts = []
    both = before.join(after, on=list(KEYS), how="full", coalesce=True, suffix=_AFTER)
    for regime in REGIMES:
        moved = _moved(both, regime)
        if moved.height:
            parts.append(_causes(moved, states, regime))
    if not parts:
        return pl.DataFrame(schema=CHANGE)
    return pl.concat(parts).sort(*ROW, pl.col("cause").replace_strict(_ORDER, return_dtype=pl.Int64))


_ORDER = {cause: place for place, cause in enumerate(CAUSES)}


def _of(frame: pl.DataFrame, regime: str, suffix: str) -> pl.DataFrame:
    """Return keys and the values of one regime, each with a suffix."""
    named = columns_of(regime)
    types = {value: pl.Float64 if value in _NUMBERS else pl.String for value in VALUES}
    return frame.select(
        *KEYS, *(pl.col(named[value]).cast(types[value]).alias(f"{value}{suffix}") for value in VALUES)
    )


def _moved(both: pl.DataFrame, regime: str) -> pl.DataFrame:
    """Return what moved in one regime, out of both nights side by side."""
    named = columns_of(regime)
    types = {value: pl.Float64 if value in _NUMBERS else pl.String for value in VALUES}
    score, band = named["score"], named["band"]
    move = (pl.col(f"{score}{_AFTER}") - pl.col(score)).abs()
    return both.filter((move >= MOVED) | pl.col(band).ne_missing(pl.col(f"{band}{_AFTER}"))).select(
        *KEYS,
        *(
            pl.col(f"{named[value]}{there}").cast(types[value]).alias(f"{value}{suffix}")
            for there, suffix in (("", "_before"), (_AFTER, _AFTER))
            for value in VALUES
        ),
    )


def _causes(moved: pl.DataFrame, states: Sequence[State], regime: str) -> pl.DataFrame:
    """Return a row per cause of each move; states follow one another from `_before` to `_after`."""
    walked = moved.with_columns(pl.col(f"{value}_before").alias(f"{value}_0") for value in _NUMBERS)
    for place, state in enumerate(states, start=1):
        reached = pl.col("mineral").is_in(list(state.minerals))
        if state.scores is None:
            walked = walked.with_columns(pl.col(f"{value}{_AFTER}").alias(f"{value}_new") for value in VALUES)
        else:
            swapped = _of(state.scores, regime, "_new")
            walked = walked.join(swapped, on=list(KEYS), how="left", maintain_order="left")
        walked = walked.with_columns(
            # Between two known scores a state without one is passed over: the next takes the whole move.
            pl.when(reached)
            .then(
                pl.when(pl.col(f"{value}_after").is_null())
                .then(f"{value}_new")
                .otherwise(pl.coalesce(f"{value}_new", f"{value}_{place - 1}"))
            )
            .otherwise(f"{value}_{place - 1}")
            .alias(f"{value}_{place}")
            for value in _NUMBERS
        )
        walked = walked.drop(f"{value}_new" for value in VALUES)
    rows = [
        _rows(walked, regime, state.cause, f"_{place - 1}", f"_{place}")
        for place, state in enumerate(states, start=1)
    ]
    last = f"_{len(states)}"
    left = _rows(walked, regime, "code", last, "_after")
    keys = [*ROW, "cause", "score_before", "score_after", "band_before", "band_after"]
    told = pl.concat([*rows, left]).group_by(keys, maintain_order=True)
    # An empty figure says that a score came or went; beside others it must not count as zero.
    figures = ("points", "missing_share_change", "missing_t_change", "missing_usd_change")
    summed = told.agg(
        pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum()).alias(name) for name in figures
    )
    summed = summed.with_columns(pl.lit(None).alias(name) for name in RANGES)
    return summed.select(pl.col(name).cast(kind) for name, kind in CHANGE.items())


def _rows(walked: pl.DataFrame, regime: str, cause: str, old: str, new: str) -> pl.DataFrame:
    """Return the rows of one cause: those that it moves, brings or takes away."""
    pairs = [(pl.col(f"{value}{old}"), pl.col(f"{value}{new}")) for value in _NUMBERS]
    # What is left of the last digit is no cause.
    apart = [(after - before).abs() > LAST_DIGIT * (1.0 + before.abs()) for before, after in pairs]
    known = [before.is_null() != after.is_null() for before, after in pairs]
    return walked.filter(pl.any_horizontal(*(one.fill_null(value=False) for one in apart), *known)).select(
        *KEYS,
        "score_before",
        "score_after",
        "band_before",
        "band_after",
        regime=pl.lit(regime),
        cause=pl.lit(cause),
        points=pl.col(f"score{new}") - pl.col(f"score{old}"),
        missing_share_change=pl.col(f"share{new}") - pl.col(f"share{old}"),
        missing_t_change=pl.col(f"t{new}") - pl.col(f"t{old}"),
        missing_usd_change=pl.col(f"usd{new}") - pl.col(f"usd{old}"),
    )
