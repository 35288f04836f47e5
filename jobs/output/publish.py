"""Publishing: a file is built aside, sealed, renamed, and only then pointed to.

Order matters, since a run may be killed between any two lines. Whatever happens, the pointer leads either to the
old whole file or to the new whole file, and a reader that has the old one open keeps it:

1. build ``snapshots/.build-<run>.duckdb``, close it, verify it, see that no write-ahead log is left;
2. fsync, make it read-only, record its hashes, rename it to its final name, then the record, fsync the folder;
3. swap the pointer by renaming a new symbolic link over it, then the text pointer likewise;
4. the caller appends to the ledger last, so that a run that died before is simply run again.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ground.question import Question
from jobs.errors import PublishError
from jobs.output.layout import BUILD_PREFIX, Layout
from jobs.output.seal import WAL_SUFFIX, Contents, damage_of, seal_path, write_seal

OnStep = Callable[[str], None]
LINK_BUILD = ".build-pointer"
TEXT_BUILD = ".build-pointer.txt"
FULL = (errno.ENOSPC, errno.EDQUOT)
FULL_WORDS = ("no space left on device", "disk quota exceeded")  # how a database reports the same


@dataclass(frozen=True)
class PointerCase:
    """What decides whether the pointer moves to a run's file."""

    question: Question
    today: date


def no_step(_: str) -> None:
    """Do nothing at each step, where nobody watches."""


def clean_stale(layout: Layout) -> list[str]:
    """Remove what runs that were killed left behind, and return the names removed.

    Call it under the lock only: the leftovers are then nobody's.
    """
    removed: list[str] = []
    for folder in (layout.root, layout.snapshots, layout.exports):
        if not folder.is_dir():
            continue
        for path in sorted(folder.iterdir()):
            if path.name.startswith(BUILD_PREFIX):
                _remove(path)
                removed.append(path.name)
    return removed


def place_snapshot(
    layout: Layout,
    *,
    as_of: date,
    run_id: str,
    build: Callable[[Path], None],
    verify: Callable[[Path], Contents],
    on_step: OnStep = no_step,
) -> Path:
    """Build, verify, seal and rename the published file of a run.

    Args:
        layout: The output folder.
        as_of: The day that was scored.
        run_id: Identity of the run; a file of that name is replaced, since the same run gives the same content.
        build: Writes the whole file to the path it is given, and closes it.
        verify: Opens the built file read-only, raises if it is not what it should be, and returns what its tables hold.
        on_step: Told each step once it is done.

    Returns:
        The path of the published file.

    Raises:
        PublishError: The disk is full or the folder cannot be written. Nothing half-made is left.
    """
    target = layout.snapshot_path(as_of, run_id)
    built = layout.build_path(run_id)
    with _whole_or_nothing(built, layout):
        layout.snapshots.mkdir(parents=True, exist_ok=True)
        build(built)
        on_step("built")
        _refuse_wal(built)
        contents = verify(built)
        _refuse_wal(built)
        on_step("verified")
        _fsync(built)
        built.chmod(0o444)
        write_seal(built, contents, seal_path(built))
        _fsync(seal_path(built))
        on_step("sealed")
        _set_aside_wal(target)
        # In this order, a run killed between two of these lines leaves a file without a record, never with a wrong one.
        seal_path(target).unlink(missing_ok=True)
        built.replace(target)
        on_step("placed")
        seal_path(built).replace(seal_path(target))
        _fsync(layout.snapshots)
        on_step("renamed")
    return target


def pointer_moves(
    layout: Layout, case: PointerCase, *, default_country: str, pointed_known_at: date | None
) -> bool:
    """Say whether the pointer moves to this run's file.

    It moves for the default curbing country at the newest `as_of` only. Replays of an older day or of an older
    state of knowledge, runs for other countries, and runs about a day still to come publish beside it: a mistyped
    year would otherwise hold the pointer until that year. A pointer whose file is gone or damaged always moves.

    Args:
        layout: The output folder.
        case: The run.
        default_country: The curbing country that the pointer is about.
        pointed_known_at: State of knowledge of the file now pointed to, where the ledger has it.
    """
    if case.question.curbing_country != default_country:
        return False
    pointed = layout.pointed()
    if pointed is None:
        return True
    if pointed.as_of > case.today:
        forward = case.question.as_of <= case.today
    else:
        known = pointed_known_at or pointed.as_of
        forward = pointed.as_of <= case.question.as_of <= case.today and known <= case.question.known_at
    return forward or damage_of(pointed.path) is not None


def point_to(layout: Layout, snapshot: Path, *, on_step: OnStep = no_step) -> list[str]:
    """Swap the pointer to a published file, atomically.

    Returns:
        Warnings, such as a file system without symbolic links, where only the text pointer moves.

    Raises:
        PublishError: A file that is not a pointer is in its place, or the folder cannot be written.
    """
    warnings: list[str] = []
    relative = snapshot.relative_to(layout.root).as_posix()
    link, text = layout.root / LINK_BUILD, layout.root / TEXT_BUILD
    if layout.pointer.exists() and not layout.pointer.is_symlink():
        raise PublishError(
            f"{layout.pointer}: a file of that name is in the place of the pointer. Move it away and run again; "
            f"the new tables wait in {relative}."
        )
    with _whole_or_nothing(link, layout), _whole_or_nothing(text, layout):
        try:
            link.symlink_to(relative)
        except (NotImplementedError, PermissionError) as problem:
            warnings.append(
                f"{layout.pointer}: no symbolic link could be made ({problem}); {layout.text_pointer.name} names the file."
            )
        else:
            on_step("linked")
            link.replace(layout.pointer)
            _fsync(layout.root)
            on_step("pointed")
        text.write_text(relative + "\n", encoding="utf-8")
        _fsync(text)
        text.replace(layout.text_pointer)
        _fsync(layout.root)
        on_step("text")
    return warnings


@contextmanager
def _whole_or_nothing(built: Path, layout: Layout) -> Iterator[None]:
    """Remove the half-made file on any failure, and say in a sentence when the folder is at fault."""
    try:
        yield
    except BaseException as problem:
        wal, temporary = (built.with_name(built.name + end) for end in (WAL_SUFFIX, ".tmp"))
        for path in (built, seal_path(built), wal, temporary):
            _remove(path)
        sentence = folder_sentence(problem, layout.root)
        if sentence is None:
            raise
        raise PublishError(sentence) from problem


def folder_sentence(problem: BaseException, root: Path) -> str | None:
    """Return what to tell a person about a full or unwritable folder; None where that is not the cause."""
    if isinstance(problem, PublishError):
        return None
    if any(_says_full(error) for error in _chain(problem)):
        return (
            f"{root}: the disk is full. Nothing half-finished was left, and what was published before is unchanged; "
            "free some space, or keep fewer nights ([retention]), and run again."
        )
    if isinstance(problem, OSError) and problem.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{problem.filename or root}: cannot be written ({problem.strerror}). What was published before is unchanged."
    return None


def _says_full(problem: BaseException) -> bool:
    full = isinstance(problem, OSError) and problem.errno in FULL
    return full or any(word in str(problem).lower() for word in FULL_WORDS)


def _chain(problem: BaseException) -> Iterator[BaseException]:
    """Yield an error and those before it: cleaning up after a full disk may fail too, and would hide the cause."""
    error: BaseException | None = problem
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _remove(path: Path) -> None:
    """Remove a file or folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _refuse_wal(built: Path) -> None:
    """A write-ahead log beside a finished file means it was not closed; published, it could not be opened."""
    wal = built.with_name(built.name + WAL_SUFFIX)
    if wal.exists():
        raise PublishError(
            f"{wal}: the built file still has a write-ahead log. Nothing was published; this is a fault in Curbline."
        )


def _set_aside_wal(target: Path) -> None:
    """A log beside the published file comes from someone who wrote to it by force; with it the new file would not open."""
    wal = target.with_name(target.name + WAL_SUFFIX)
    if wal.exists():
        wal.replace(wal.with_name(wal.name + ".set-aside"))


def _fsync(path: Path) -> None:
    """Flush a file or folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
