"""Run identity: the same inputs, rules and code give the same `run_id`, and the same bytes."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from ground.question import Question
from jobs.resources import package_version

CODE_PACKAGES = ("ground", "engine", "warehouse", "jobs")
CODE_SUFFIXES = (".py", ".sql")


def digest_texts(texts: Mapping[str, str]) -> str:
    """Return the SHA-256 of named texts, independent of the order in which they were read."""
    total = hashlib.sha256()
    for name in sorted(texts):
        for part in (name, texts[name]):
            data = part.encode("utf-8")
            total.update(len(data).to_bytes(8, "big"))
            total.update(data)
    return total.hexdigest()


def code_version() -> str:
    """Return the package version and a hash of the installed sources of ground, engine, warehouse and jobs."""
    texts: dict[str, str] = {}
    for package in CODE_PACKAGES:
        root = Path(str(files(package)))
        for path in root.rglob("*"):
            if path.suffix in CODE_SUFFIXES:
                texts[f"{package}/{path.relative_to(root).as_posix()}"] = path.read_text(encoding="utf-8")
    return f"{package_version()}+{digest_texts(texts)[:12]}"


def run_identity(
    question: Question,
    *,
    importers: Sequence[str],
    facts_hash: str,
    rules_hash: str,
    code: str,
    draws: int,
    purchases: str = "",
    minerals: Sequence[str] = (),
) -> str:
    """Return the `run_id`: the first 16 hex digits of a SHA-256 over everything that decides the result.

    Without purchases it is the same as before there were any; minerals are named where only some are scored.
    """
    days = (question.as_of.isoformat(), question.known_at.isoformat())
    parts: tuple[str, ...] = (
        *days,
        question.curbing_country,
        " ".join(importers),
        facts_hash,
        rules_hash,
        code,
        str(draws),
    )
    parts += (purchases,) if purchases else ()
    parts += (f"only {' '.join(sorted(minerals))}",) if minerals else ()
    return hashlib.sha256("\n".join(parts).encode("utf-8")).hexdigest()[:16]


def new_attempt_id() -> str:
    """Return a fresh id for one attempt at a run; it appears in logs and `meta.run` only."""
    return secrets.token_hex(8)
