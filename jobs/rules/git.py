"""Rule files as they were at a git revision."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from pathlib import Path, PurePosixPath

from jobs.errors import SettingsError
from jobs.rules.rulebook import SCORECARD_FILE, SUFFIX


def rule_files_at(revision: str, folder: Path) -> dict[str, str]:
    """Return the text of every rule file of a folder at a revision, by its path relative to the folder.

    Raises:
        SettingsError: git is not there, the folder is in no repository, or the revision does not exist or has no rules there.
    """
    if revision.startswith("-"):
        raise SettingsError(f"'{revision}' is not a revision; name a branch, tag or commit after --against.")
    try:
        # In a folder of the repository, git archives that folder, with paths relative to it.
        done = subprocess.run(
            [shutil.which("git") or "git", "archive", "--format=tar", revision],
            cwd=folder,
            capture_output=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise SettingsError(
            f"{revision}: no folder or file of that name, and git cannot be asked for it ({problem}). Name a folder of rules or "
            "a published file after --against, or install git."
        ) from problem
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        said = lines[0].removeprefix("fatal: ") if lines else f"exit code {done.returncode}"
        raise SettingsError(
            f"{revision}: no folder or file of that name, and git has no such revision of {folder} ({said}). Name a folder of "
            "rules, a published file, or a branch, tag or commit after --against."
        )
    texts: dict[str, str] = {}
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() and member.name.endswith(SUFFIX) else None
            if file is not None:
                texts[member.name] = file.read().decode("utf-8-sig", "replace")
    if not texts:
        raise SettingsError(f"{revision}: {folder} had no rule files (*{SUFFIX}) then.")
    # As in a folder: what has a scorecard of its own is another rule set.
    apart = {PurePosixPath(name).parent for name in texts if PurePosixPath(name).name == SCORECARD_FILE}
    apart.discard(PurePosixPath())
    return {name: text for name, text in texts.items() if not apart & set(PurePosixPath(name).parents)}
