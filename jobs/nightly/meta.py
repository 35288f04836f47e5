"""The rows of schema `meta` in a published file: run, step, check, rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import polars as pl

from engine.language.checks.versions import fingerprint
from ground.question import Question
from jobs.nightly.phases import PhaseTime
from jobs.rules.check import written
from jobs.rules.rulebook import Rulebook
from warehouse.bundle.reading import LoadReport


@dataclass(frozen=True)
class RunStamp:
    """Identity of a run and of this attempt at it."""

    run_id: str
    attempt_id: str
    question: Question
    importers: tuple[str, ...]
    facts_hash: str
    rules_hash: str
    code_version: str
    strict_knowledge: bool
    draws: int
    started_at: datetime


def meta_frames(
    stamp: RunStamp,
    phases: Sequence[PhaseTime],
    checks: pl.DataFrame,
    rulebook: Rulebook,
    facts: LoadReport,
    *,
    since: Mapping[str, Any] | None = None,
) -> dict[str, pl.DataFrame]:
    """Return the frames of `meta.run`, `meta.step`, `meta.check`, `meta.rule` and `meta.rule_file`.

    `since` has the run_id and as_of of the night that changes are told since. Times appear here only: the tables of
    schema `mart` hold none, so that the same run gives the same bytes.
    """
    run = pl.DataFrame(
        {
            "run_id": [stamp.run_id],
            **{name: [value] for name, value in asdict(stamp.question).items()},
            "attempt_id": [stamp.attempt_id],
            "facts_hash": [stamp.facts_hash],
            "rules_hash": [stamp.rules_hash],
            "code_version": [stamp.code_version],
            "started_at": [stamp.started_at.replace(tzinfo=None)],
            "declared_importers": pl.Series([list(stamp.importers)], dtype=pl.List(pl.String)),
            "bundles": [[f"{bundle.name} {bundle.version}" for bundle in facts.bundles]],
            "strict_knowledge": [stamp.strict_knowledge],
            "draws": [stamp.draws],
            "since_run_id": pl.Series([since["run_id"] if since else None], dtype=pl.String),
            "since_as_of": pl.Series([since["as_of"] if since else None], dtype=pl.Date),
        }
    )
    step = pl.DataFrame(
        [(phase.name, phase.seconds, phase.peak_mb) for phase in phases],
        schema={"step": pl.String, "seconds": pl.Float64, "peak_memory_mb": pl.Float64},
        orient="row",
    )
    rule = pl.DataFrame(
        [
            (
                rule.id,
                rule.version,
                rule.status,
                written(fingerprint(rule)),
                rule.title,
                rule.sets,
                rule.explain,
                rule.file,
                rule.rationale,
            )
            for rule in rulebook.ruleset.rules
        ],
        schema={
            "rule_id": pl.String,
            "version": pl.Int64,
            "status": pl.String,
            "fingerprint": pl.String,
            "title": pl.String,
            "sets": pl.String,
            "sentence": pl.String,
            "file": pl.String,
            "rationale": pl.String,
        },
        orient="row",
    )
    texts = pl.DataFrame(
        sorted(rulebook.texts.items()), schema={"file": pl.String, "text": pl.String}, orient="row"
    )
    return {
        "run": run,
        "step": step,
        "check": checks,
        "rule": rule.sort("rule_id"),
        "rule_file": texts,
    }
