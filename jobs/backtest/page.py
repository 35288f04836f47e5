"""A back-test as a page and as data. Equal facts and rules give equal bytes: no page knows today."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

import numpy as np

from engine.scoring.ranges import Array
from engine.trials.calibration import INTERVALS, crps, interval, is_covered
from engine.trials.predictors import Estimated, Rules, RulesAndMovement
from jobs.backtest.replay import Backtest, Judged, Replayed

MADE = "<!-- Made by `curbline backtest`; do not edit by hand. -->"
MAIN_INTERVAL = 0.8
WIDTH = 119
SHOWN = (Rules.name, Estimated.name)


def page(found: Backtest) -> str:
    """Return the back-test in Markdown, which a terminal shows as it is."""
    return "\n".join(line for paragraph in _lines(found) for line in _wrapped(paragraph)) + "\n"


def _wrapped(paragraph: str) -> list[str]:
    """Return the lines of a paragraph or list item; a row of a table stays one line."""
    if len(paragraph) <= WIDTH or paragraph.startswith(("|", "#", "<!--")):
        return [paragraph]
    indent = "  " if paragraph.startswith("- ") else ""
    return wrap(paragraph, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _lines(found: Backtest) -> Iterator[str]:
    episodes = {one.event.episode for one in found.replayed}
    yield MADE
    yield "# Back-test: what was said, and what happened"
    yield ""
    yield (
        f"{len(found.replayed)} outcomes of {len(episodes)} episodes (a curb on a mineral) are compared, "
        f"{len(found.set_aside)} are set aside with their reason, {found.held_out} are held out for an independent "
        "test. Each is replayed with the facts as they were known on the day before its effect or, where a curb took effect "
        "on the day of its announcement, on that day. A fall in exports is compared with the withheld share of the "
        "flow, a fall in an importer's supply with its gap. Adding a row to `outcomes.csv` needs no code."
    )
    yield ""
    yield from _cautions()
    yield ""
    yield "## Over all outcomes"
    yield ""
    yield from _table(
        (
            "forecast",
            "outcomes",
            *(f"in {_share(share)}" for share in INTERVALS),
            "CRPS",
            "CRPS of the rules on the same",
            "log score",
            "bias",
            "rank correlation",
        ),
        [_overall(name, judged) for name, judged in found.overall.items()],
    )
    yield ""
    yield (
        "*In 80 %* is the share of outcomes inside the central interval that promises 80 %. CRPS is in shares of the "
        "flow; 0 is best. The log score counts tenths of the flow; knowing nothing scores 0, and lower is better. A bias "
        "above 0 means that too much was expected to be missing."
    )
    yield ""
    yield "## Where the outcomes fell in the forecasts"
    yield ""
    yield (
        "Share of outcomes by tenth of the forecast, from below all draws to above them; a calibrated forecast has "
        "0.10 in each."
    )
    yield ""
    yield from _table(
        ("forecast", *(f"{low}0-{low + 1}0 %" for low in range(10))),
        [
            [name, *(f"{part:.2f}" for part in found.overall[name].scores.pit)]
            for name in SHOWN
            if name in found.overall
        ],
    )
    yield ""
    yield "## Outcome by outcome"
    yield ""
    yield from _table(
        (
            "outcome",
            "known on",
            "missing",
            *(f"{name}: p10, p50, p90" for name in SHOWN),
            "CRPS",
            "law's reach",
        ),
        [_outcome(one) for one in found.replayed],
    )
    yield ""
    for name in SHOWN:
        yield from _misses(found, name)
    yield "## Set aside"
    yield ""
    yield from _table(
        ("outcome", "why", "note"),
        [[outcome.name, why, outcome.row["note"] or ""] for outcome, why in found.set_aside],
    )
    yield ""
    yield "## What the outcomes propose"
    yield ""
    yield (
        "Withheld shares by rule and horizon, from all outcomes that are not held out. Nothing reads these proposals: to "
        "adopt one, write it into the rule with this reference. A proposal from a single episode says little."
    )
    yield ""
    yield from _table(
        ("rule", "days", "today, on its heaviest lane", "proposed", "outcomes", "episodes", "reference"),
        [
            [
                one.proposal.rule_id,
                one.proposal.horizon_days,
                _range(one.today),
                _range((one.proposal.low, one.proposal.best, one.proposal.high)),
                one.proposal.outcomes,
                one.proposal.episodes,
                one.proposal.reference,
            ]
            for one in found.proposals
        ],
    )


def _cautions() -> Iterator[str]:
    yield "Read it with four cautions:"
    yield ""
    yield (
        f"- The {Rules.name} were written after most of these outcomes, and some of their severities are based on them. "
        f"*{Estimated.name}* learns nothing from the episode that it is compared with, beyond a weak prior. The form of "
        "its model has seen them: it was changed once after a first result (the 80 % interval covered 57 %), so that the "
        "movement of goods that the law does not reach counts. Only outcomes that are held out can test that."
    )
    yield (
        "- Outcomes of one episode are not independent: windows overlap, and one customs office decided them. The "
        "episodes count, not the rows."
    )
    yield (
        "- The rules say what the law withholds. What was observed also includes the ordinary movement of trade, and goods "
        f"that customs held up although no notice names them. *{RulesAndMovement.name}* adds the former, as a year moves "
        "flows that no curb touches (`movement_…` in the scorecard); a month may move them more. Replays use the rules' "
        "values of their day: one adopted later changes no row here."
    )
    yield (
        "- The press reports what fell. Curbs after which nothing was reported are missing here, which makes curbs look "
        "stronger than they are."
    )


def _overall(name: str, judged: Judged) -> list[object]:
    own = judged.scores
    return [
        name,
        own.events,
        *(_share(own.coverage[share]) for share in INTERVALS),
        f"{own.crps:.3f}",
        f"{judged.rules_crps:.3f}",
        f"{own.log_score:.2f}",
        f"{own.bias:+.2f}",
        "none" if own.rank_correlation is None else f"{own.rank_correlation:.2f}",
    ]


def _outcome(one: Replayed) -> list[object]:
    drawn = [one.forecasts.get(name) for name in SHOWN]
    return [
        one.outcome.name,
        one.replay.known_at,
        _share(one.event.seen),
        *("nothing to go by" if draws is None else _quantiles(draws) for draws in drawn),
        ", ".join("none" if draws is None else f"{crps(draws, one.event.seen):.2f}" for draws in drawn),
        _share(one.event.answer.reach),
    ]


def _misses(found: Backtest, name: str) -> Iterator[str]:
    missed = [one for one in found.replayed if name in one.forecasts and _is_missed(one, name)]
    yield f"## Misses of the {_share(MAIN_INTERVAL)} interval: {name}"
    yield ""
    yield from _table(
        ("outcome", "missing", "interval", "reason", "note of the fact"),
        [
            [
                one.outcome.name,
                _share(one.event.seen),
                _ends(one.forecasts[name]),
                _reason(one),
                one.outcome.row["note"] or "",
            ]
            for one in missed
        ],
    )
    yield ""


def _reason(one: Replayed) -> str:
    """Return what the reach of the law and the ends of its rule say of a miss."""
    own = one.event.answer
    low, _, high = own.severity
    if own.reach <= 0.0:
        return "no rule counts this curb on the flow"
    if round(one.event.seen, 2) > round(own.reach_high, 2):  # as shown, in whole percent
        return "more than the law reaches: goods that it does not name, or movement of the trade itself"
    if one.event.seen > own.reach * high:
        return "more than the rule's high end"
    if one.event.seen < own.reach * low:
        return "less than the rule's low end"
    return "between the rule's ends: the interval is narrower than a single rule, since lanes are averaged"


def _is_missed(one: Replayed, name: str) -> bool:
    return not is_covered(one.forecasts[name], one.event.seen, MAIN_INTERVAL)


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    if not rows:
        yield "None."
        return
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(str(cell).replace('|', '/') for cell in row)} |"


def _share(value: float) -> str:
    return f"{100.0 * value:.0f} %"


def _quantiles(draws: Array) -> str:
    return ", ".join(_share(float(value)) for value in np.quantile(draws, [0.1, 0.5, 0.9]))


def _ends(draws: Array) -> str:
    low, high = interval(draws, MAIN_INTERVAL)
    return f"{_share(low)} to {_share(high)}"


def _range(ends: tuple[float, float, float]) -> str:
    return ", ".join(f"{end:.2f}" for end in ends)


def as_data(found: Backtest) -> dict[str, object]:
    """Return the same as data."""
    return {
        "held_out": found.held_out,
        "overall": [
            {
                "forecast": name,
                "outcomes": judged.scores.events,
                "coverage": {f"{share:.0%}": judged.scores.coverage[share] for share in INTERVALS},
                "crps": judged.scores.crps,
                "rules_crps_on_the_same": judged.rules_crps,
                "log_score": judged.scores.log_score,
                "bias": judged.scores.bias,
                "rank_correlation": judged.scores.rank_correlation,
                "pit_histogram": judged.scores.pit.tolist(),
            }
            for name, judged in found.overall.items()
        ],
        "outcomes": [_outcome_data(one) for one in found.replayed],
        "set_aside": [{"outcome_id": outcome.name, "why": why} for outcome, why in found.set_aside],
        "proposals": [
            {
                "rule_id": one.proposal.rule_id,
                "horizon_days": one.proposal.horizon_days,
                "today": one.today,
                "proposed": [one.proposal.low, one.proposal.best, one.proposal.high],
                "outcomes": one.proposal.outcomes,
                "episodes": one.proposal.episodes,
                "reference": one.proposal.reference,
            }
            for one in found.proposals
        ],
    }


def _outcome_data(one: Replayed) -> dict[str, object]:
    return {
        "outcome_id": one.outcome.name,
        "episode": one.event.episode,
        "kind": one.outcome.row["kind"],
        "as_of": one.replay.as_of,
        "known_at": one.replay.known_at,
        "missing_share": one.event.seen,
        "reach": one.event.answer.reach,
        "rule_id": one.event.answer.rule_id or None,
        "horizon_days": one.event.answer.horizon_days,
        "source_id": one.outcome.row["source_id"],
        "grade": one.outcome.row["grade"],
        "forecasts": {
            name: {
                "mean": float(np.mean(draws)),
                **{
                    label: float(np.quantile(draws, share))
                    for label, share in (("p10", 0.1), ("p50", 0.5), ("p90", 0.9))
                },
                "crps": crps(draws, one.event.seen),
                "in_80": not _is_missed(one, name),
            }
            for name, draws in one.forecasts.items()
        },
    }
