"""What a rule would change before it is merged: the portfolio scored in memory with and without a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from engine.language.errors import RuleError
from engine.language.examples import run_examples
from engine.language.load import SCENARIOS
from engine.language.rules import Rule, RuleSet
from engine.language.ruleset import load_ruleset
from engine.scoring.inputs import Inputs
from engine.scoring.portfolio import score_in_parts
from ground.counted import counted
from ground.words import REGIMES
from jobs.errors import SettingsError
from jobs.rules.rulebook import Rulebook, read_rule_file, show_problems

KEYS = ("mineral", "stage", "exporter", "importer", "horizon_days")
MOVED = 0.05  # points of score: less is not seen in a score that is printed with one digit


@dataclass(frozen=True)
class Trial:
    """The rules with the file, and the rule that it holds."""

    ruleset: RuleSet
    rule: Rule
    replaces: bool
    was_draft: bool

    def standing(self, on: date) -> str | None:
        """Return why the rule scores nothing on a day, and which day shows what it moves; None where it scores."""
        rule = self.rule
        if rule.stands_on(on):
            return None
        if on < rule.effective_from:
            return (
                f"It begins on {rule.effective_from} and scores nothing on {on}: "
                f"--as-of {rule.effective_from} shows what it moves then."
            )
        return f"It ended before {rule.effective_to} and scores nothing on {on}."


@dataclass(frozen=True)
class Moves:
    """Routes of one horizon and regime whose score or range changes, the largest change of priority first."""

    regime: str
    routes: int
    moved: pl.DataFrame

    @property
    def sentence(self) -> str:
        """How many routes move, up and down, and over the edge of a band."""
        up = self.moved.filter(pl.col("change") >= MOVED).height
        down = self.moved.filter(pl.col("change") <= -MOVED).height
        bands = self.moved.filter(pl.col("band_before") != pl.col("band_after")).height
        return (
            f"{self.regime}: {self.moved.height:,} of {counted(self.routes, 'route')} moved, {up} up, {down} down, "
            f"{self.moved.height - up - down} in their range alone; {bands} into another band."
        )


def with_file(rulebook: Rulebook, file: Path) -> Trial:
    """Return the rules with a file added, or replacing the file of the same name; a draft is tried as active.

    Raises:
        SettingsError: the file cannot be read, the rules are refused with it, or a test inside it fails.
    """
    text = read_rule_file(file)
    same = [
        path for path in rulebook.texts if Path(path).name == file.name and not path.startswith(SCENARIOS)
    ]
    path = same[0] if same else file.name
    texts = {**rulebook.texts, path: text}
    try:
        ruleset = load_ruleset(texts, rulebook.vocabulary)
    except RuleError as problem:
        shown = show_problems(problem.problems, rulebook.folder, texts)
        raise SettingsError("\n".join([*shown, f"{file}: refused; nothing was scored."])) from problem
    own = [rule for rule in ruleset.rules if rule.file == path]
    if not own:
        raise SettingsError(f"{file}: this is not a rule; rules try takes the file of one rule.")
    rule = replace(own[0], status="active")
    if own[0].status == "retired":
        raise SettingsError(f"{file}: '{rule.id}' is retired and never scores; try it as draft or active.")
    rules = tuple(rule if other.id == rule.id else other for other in ruleset.rules)
    tried = RuleSet(ruleset.features, ruleset.scorecard, rules)
    failing = run_examples(RuleSet(ruleset.features, ruleset.scorecard, (rule,))).problems
    if failing:
        shown = show_problems(failing, rulebook.folder, texts)
        raise SettingsError("\n".join([*shown, f"{file}: a test fails; nothing was scored."]))
    return Trial(tried, rule, replaces=bool(same), was_draft=own[0].status == "draft")


def score_routes(inputs: Inputs, ruleset: RuleSet) -> pl.DataFrame:
    """Return keys, score, ends of its range, band and priority of every route, in each regime."""
    values = [
        column
        for regime in REGIMES
        for column in (
            regime,
            f"{regime}_low",
            f"{regime}_high",
            f"{regime}_band",
            f"{regime}_priority",
        )
    ]
    # What else a part holds is let go before the next is scored.
    return pl.concat([part["route_score"].select(*KEYS, *values) for part in score_in_parts(inputs, ruleset)])


def compare(before: pl.DataFrame, after: pl.DataFrame, horizon: int) -> list[Moves]:
    """Return what moves between two frames of ``score_routes``, regime by regime.

    Columns of ``moved``: keys, before, after, change, low_/high_ before and after, bands, priority_change.
    """
    both = before.join(after, on=list(KEYS), suffix="_new", maintain_order="left").filter(
        pl.col("horizon_days") == horizon
    )
    return [Moves(regime, both.height, _moved(both, regime)) for regime in REGIMES]


def _moved(both: pl.DataFrame, regime: str) -> pl.DataFrame:
    columns = {
        "": ("before", "after"),
        "_low": ("low_before", "low_after"),
        "_high": ("high_before", "high_after"),
    }
    changes = [(pl.col(f"{regime}{end}_new") - pl.col(f"{regime}{end}")).abs() >= MOVED for end in columns]
    named: Mapping[str, pl.Expr] = {
        name: pl.col(f"{regime}{end}{suffix}")
        for end, names in columns.items()
        for name, suffix in zip(names, ("", "_new"), strict=True)
    }
    return (
        both.filter(pl.any_horizontal(changes))
        .select(
            *KEYS,
            **named,
            change=pl.col(f"{regime}_new") - pl.col(regime),
            band_before=f"{regime}_band",
            band_after=f"{regime}_band_new",
            priority_change=pl.col(f"{regime}_priority_new") - pl.col(f"{regime}_priority"),
        )
        .sort(
            pl.col("priority_change").abs(),
            pl.col("change").abs(),
            *KEYS,
            descending=[True, True, *(False for _ in KEYS)],
            nulls_last=True,
        )
    )


def as_text(trial: Trial, moves: list[Moves], horizon: int, top: int, on: date) -> str:
    """Return what the file would change on a day: a sentence per regime, and the top movers of those that move."""
    how = "in the place of the rule as it is" if trial.replaces else "as a new rule"
    draft = ", as if it were active" if trial.was_draft else ""
    head = f"{trial.rule.id} ({trial.rule.sets}) {how}{draft}, {horizon} days:"
    standing = trial.standing(on)
    return "\n".join([head, *([standing] if standing else []), *moves_text(moves, top)])


def moves_text(moves: Sequence[Moves], top: int) -> list[str]:
    """Return a sentence per regime, and the top movers of those that move."""
    lines: list[str] = []
    for found in moves:
        lines += ["", found.sentence]
        for row in found.moved.head(top).iter_rows(named=True):
            band = (
                ""
                if row["band_before"] == row["band_after"]
                else f", {row['band_before']} to {row['band_after']}"
            )
            lines.append(
                f"  {row['change']:+6.1f}  {row['mineral']} {row['stage']} {row['exporter']} to {row['importer']}: "
                f"{_span(row, 'before')} to {_span(row, 'after')}{band}; priority {row['priority_change']:+.1f}"
            )
    return lines


def _span(row: Mapping[str, float], when: str) -> str:
    return f"{row[when]:.1f} ({row[f'low_{when}']:.0f}–{row[f'high_{when}']:.0f})"


def as_data(trial: Trial, moves: list[Moves], horizon: int, top: int, on: date) -> dict[str, object]:
    """Return the same as data."""
    return {
        "rule_id": trial.rule.id,
        "sets": trial.rule.sets,
        "replaces": trial.replaces,
        "horizon_days": horizon,
        "standing": trial.standing(on),
        "regimes": moves_data(moves, top),
    }


def moves_data(moves: Sequence[Moves], top: int) -> dict[str, object]:
    """Return the same as data, by regime."""
    return {
        found.regime: {
            "routes": found.routes,
            "moved": found.moved.height,
            "top": found.moved.head(top).to_dicts(),
        }
        for found in moves
    }
