"""Laying out rule files; a file with a problem is left as it is."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.editor.layout import LayoutError, laid_out
from engine.language.load import FEATURES_FILE, SCORECARD_FILE
from engine.language.ruleset import check_ruleset
from jobs.errors import PublishError, SettingsError
from jobs.rules.rulebook import SUFFIX, read_rule_file, read_rule_files, show_problems
from jobs.rules.vocabulary import vocabulary_or_why


@dataclass
class LayoutReport:
    """Files whose layout differs, with their new text, those in order, and lines about those that are refused."""

    changed: dict[Path, str] = field(default_factory=dict)
    in_order: int = 0
    refused: int = 0
    lines: list[str] = field(default_factory=list)


def lay_out(folder: Path, paths: Sequence[Path], facts: Sequence[Path] = ()) -> LayoutReport:
    """Lay out files of a folder of rules, or files that would come to it, without writing anything.

    Args:
        folder: the rules, whose catalogue and scorecard the files are checked with.
        paths: files, or folders of files; empty for all of `folder`.
        facts: bundles whose codes the rules may name.

    Raises:
        SettingsError: a path is missing, or no rule file that can be read.
    """
    texts = read_rule_files(folder)
    files = _named(folder, paths, texts)
    vocabulary, _ = vocabulary_or_why(facts)
    problems = [problem for problem in check_ruleset(texts, vocabulary) if not problem.is_warning]
    broken = {problem.location.file for problem in problems}
    report = LayoutReport()
    for name, path in files.items():
        own = {name, FEATURES_FILE, SCORECARD_FILE} & broken  # without a catalogue no rule can be checked
        if own:
            found = [problem for problem in problems if problem.location.file in own]
            report.lines += show_problems(found, folder, texts)
            report.lines.append(f"{path}: has problems and is left as it is.")
            report.refused += 1
            continue
        try:
            made = laid_out(texts[name], name)
        except LayoutError as problem:
            report.lines.append(f"{path}: {problem}. Please report it, with the file.")
            report.refused += 1
            continue
        if made.encode("utf-8") == path.read_bytes():
            report.in_order += 1
        else:
            report.changed[path] = made
    report.lines = list(dict.fromkeys(report.lines))
    return report


def write(report: LayoutReport) -> None:
    """Write the new texts.

    Raises:
        PublishError: a file cannot be written.
    """
    for path, text in report.changed.items():
        path = path.resolve()  # a link stays a link
        beside = path.with_name(path.name + ".new")
        try:
            beside.write_text(text, encoding="utf-8", newline="\n")
            shutil.copymode(path, beside)
            beside.replace(path)
        except OSError as problem:
            beside.unlink(missing_ok=True)
            raise PublishError(
                f"{path}: cannot be written ({problem.strerror}); make it writable, or use --check to see what would change."
            ) from problem


def _named(folder: Path, paths: Sequence[Path], texts: dict[str, str]) -> dict[str, Path]:
    """Files by their name below the folder; the texts of files from elsewhere are added to `texts`."""
    if not paths:
        return {name: folder / name for name in texts}
    found: dict[str, Path] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(path.rglob(f"*{SUFFIX}"))
        elif path.suffix == SUFFIX and path.is_file():
            inside = [path]
        else:
            raise SettingsError(
                f"{path}: neither a rule file (*{SUFFIX}) nor a folder; name one that exists."
            )
        for file in inside:
            whole, root = file.resolve(), folder.resolve()
            if whole.is_relative_to(root):
                name = whole.relative_to(root).as_posix()
            else:
                name = next((known for known in texts if Path(known).name == file.name), file.name)
                texts[name] = read_rule_file(file)
            found[name] = file
    return found
