"""Writing the JSON Schemas of a folder of rules, for editors."""

from __future__ import annotations

import json
from pathlib import Path

from engine.editor.json_schema import schemas
from engine.language.rules import RuleSet
from jobs.errors import PublishError


def schema_texts(ruleset: RuleSet) -> dict[str, str]:
    """File name to text of each schema; the same rules give the same bytes."""
    made = schemas(ruleset.features, ruleset.scorecard)
    return {f"{name}.schema.json": _text(schema) for name, schema in sorted(made.items())}


def write_schemas(ruleset: RuleSet, folder: Path) -> list[Path]:
    """Write the schemas into a folder, which is made if need be.

    Raises:
        PublishError: it cannot be written.
    """
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in schema_texts(ruleset).items():
            path = folder / name
            path.write_text(text, encoding="utf-8")
            written.append(path)
    except OSError as problem:
        raise PublishError(
            f"{folder}: the schemas cannot be written ({problem.strerror}); name another folder with --out."
        ) from problem
    return written


def _text(schema: object) -> str:
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
