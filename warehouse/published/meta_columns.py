"""Columns of schema meta: runs, checks, rules and rejected rows."""

from __future__ import annotations

from warehouse.published.columns import (
    FLAG,
    RUN,
    TIME,
    MartColumn,
    MartTable,
    day,
    flag,
    number,
    text,
    texts,
    whole,
)

META: dict[str, MartTable] = {
    "run": MartTable(
        "The run that made this file.",
        ("attempt_id",),
        (
            *RUN,
            text("attempt_id", "This attempt; a run repeated has the same run_id and another attempt_id."),
            text("facts_hash", "Hash of the facts."),
            text("rules_hash", "Hash of the rules."),
            text("code_version", "Version of the code."),
            MartColumn("started_at", TIME, "Start of the attempt (UTC)."),
            MartColumn("finished_at", TIME, "End of the computation (UTC).", optional=True),
            text("status", "How it ended.", optional=True),
            texts(
                "declared_importers",
                "Importers and blocs that the summary leads with and mart.doubt tells of.",
                optional=True,
            ),
            texts("bundles", "Bundles of facts, in order of stacking.", optional=True),
            MartColumn(
                "strict_knowledge",
                FLAG,
                "True where figures known by hindsight were refused.",
                optional=True,
            ),
            whole("draws", "Joint draws that means, quantiles and chances rest on.", optional=True),
            text(
                "since_run_id",
                "Run of the night that mart.score_change compares with; empty where there is none. What these tables "
                "hold depends on it too; nothing else in the file does.",
                optional=True,
            ),
            day("since_as_of", "Day of that night.", optional=True),
        ),
    ),
    "step": MartTable(
        "Phases of the run.",
        ("step",),
        (
            text("step", "Name of the phase."),
            number("seconds", "Duration (s)."),
            whole("row_count", "Rows that it made.", optional=True),
            number("peak_memory_mb", "Peak memory so far (MB).", optional=True),
        ),
    ),
    "check": MartTable(
        "Checks made before publishing.",
        ("check_name",),
        (
            text("check_name", "Name of the check."),
            flag("passed", "True where it passed."),
            text("detail", "What was found.", optional=True),
        ),
    ),
    "rule": MartTable(
        "Rules of the run.",
        ("rule_id",),
        (
            text("rule_id", "Identity of the rule."),
            whole("version", "Version; goes up whenever a score could change."),
            text("status", "draft, active or retired; only active rules score."),
            text(
                "fingerprint",
                "Digest of each part of the rule that could change a score, as part:digest; words and tests are left out.",
            ),
            text("title", "Title."),
            text("sets", "Factor that the rule sets."),
            text("sentence", "Sentence that explains it, with its places."),
            text("file", "File of the rule."),
            text("rationale", "Why the rule is justified.", optional=True),
        ),
    ),
    "rule_file": MartTable(
        "The rule files of the run, whole: what `curbline diff` scores an earlier night with.",
        ("file",),
        (
            text("file", "Path below the folder of rules."),
            text("text", "The file, character by character."),
        ),
    ),
    "rejected_row": MartTable(
        "Rows of the bundles that were left out.",
        ("file", "line", "column", "value", "reason"),
        (
            text("file", "Bundle folder and file."),
            whole("line", "Line in the file."),
            text("column", "Column at fault; empty where the row as a whole is."),
            text("value", "What was there."),
            text("reason", "Why the row was left out, and how to fix it."),
        ),
    ),
}
