"""Writing the JSON Schemas of a folder of rules, for editors."""

from __future__ import annotations

import json
from pathlib import Path

from engine.editor.json_schema import schemas
from jobs.errors import PublishError
from jobs.rules.rulebook import Rulebook


def schema_texts(rulebook: Rulebook) -> dict[str, str]:
    """File name to text of each schema; the same rules and codes of facts give the same bytes."""
    made = schemas(rulebook.ruleset.features, rulebook.ruleset.scorecard, rulebook.vocabulary)
    return {f"{name}.schema.json": _text(schema) for name, schema in sorted(made.items())}


def write_schemas(rulebook: Rulebook, folder: Path) -> list[Path]:
    """Write the schemas into a folder, which is made if need be.

    Raises:
        PublishError: it cannot be written.
    """
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in schema_texts(rulebook).items():
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
