"""Where everything is below the output folder (`--out`, by default ``curbline-data``)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from jobs.errors import InputError, SettingsError

SNAPSHOT_NAME = re.compile(r"^curbline-(?P<as_of>\d{4}-\d{2}-\d{2})-(?P<run_id>[0-9a-f]{16})\.duckdb$")
BUILD_PREFIX = ".build-"
#: The folder of the newest report.
LATEST = "latest"


@dataclass(frozen=True)
class Snapshot:
    """One published file, as far as its name tells."""

    path: Path
    as_of: date
    run_id: str


def snapshot_named(path: Path) -> Snapshot | None:
    """Return what the name of a published file says; None for any other name, and for a day that does not exist."""
    match = SNAPSHOT_NAME.match(path.name)
    if match is None:
        return None
    try:
        return Snapshot(path, date.fromisoformat(match["as_of"]), match["run_id"])
    except ValueError:
        return None


@dataclass(frozen=True)
class Layout:
    """The files below one output folder.

    ``state.duckdb`` (facts and run ledger, for jobs only), ``snapshots/`` (immutable published files),
    ``history/`` (scores by day, Parquet), ``curbline.duckdb`` (the pointer that analysts open), ``curbline.txt`` (the
    same pointer as text, for file systems without symbolic links) and ``exports/<run_id>/``.
    """

    root: Path

    @property
    def state(self) -> Path:
        """Facts and run ledger; only jobs open it, briefly, under the lock."""
        return self.root / "state.duckdb"

    @property
    def snapshots(self) -> Path:
        """Folder of the published files."""
        return self.root / "snapshots"

    @property
    def exports(self) -> Path:
        """Folder of the exported tables, one folder per run."""
        return self.root / "exports"

    @property
    def history(self) -> Path:
        """Folder of the scores by day, which outlive the published files."""
        return self.root / "history"

    @property
    def portfolio(self) -> Path:
        """Folder of the company's own lines, as they were checked and added."""
        return self.root / "portfolio"

    @property
    def risk(self) -> Path:
        """Folder of the workbooks on the company's own lines, and of the actions that people keep beside them."""
        return self.root / "risk"

    @property
    def report(self) -> Path:
        """Folder of the pages that people look at: `latest`, the newest ones."""
        return self.root / "report"

    @property
    def pointer(self) -> Path:
        """The symbolic link that analysts open."""
        return self.root / "curbline.duckdb"

    @property
    def text_pointer(self) -> Path:
        """The pointer as one line of text: the path of the snapshot, relative to the output folder."""
        return self.root / "curbline.txt"

    @property
    def lock(self) -> Path:
        """The file that a run locks."""
        return self.root / ".lock"

    @property
    def health(self) -> Path:
        """How the last run ended, as JSON."""
        return self.root / "health.json"

    @property
    def metrics(self) -> Path:
        """The same as figures, in the text format of Prometheus."""
        return self.root / "curbline.prom"

    @property
    def log(self) -> Path:
        """What runs did and how long each phase took, a line of JSON each."""
        return self.root / "log.jsonl"

    @property
    def alerts(self) -> Path:
        """Which alerts were told, what was seen, and what waits, as JSON."""
        return self.root / "alerts.json"

    @property
    def alerts_lock(self) -> Path:
        """The file that a check for alerts locks, so that nothing is told twice."""
        return self.root / ".alerts.lock"

    @property
    def started(self) -> Path:
        """What the scheduler has started and how it ended, a line of JSON each."""
        return self.root / "schedule.jsonl"

    @property
    def schedule_lock(self) -> Path:
        """The file that a scheduler locks, and the commands that it starts with it."""
        return self.root / ".schedule.lock"

    def refuse_links_out(self) -> None:
        """Refuse symbolic links inside the folder that lead out of it: what they lead to is not ours to change.

        The output folder itself may be one, and so may the folders above it.

        Raises:
            SettingsError: There is such a link.
        """
        home = self.root.resolve()
        wal = self.state.with_name(self.state.name + ".wal")
        ours = [self.lock, self.state, wal, self.text_pointer, self.snapshots, self.exports, self.history]
        ours += [self.portfolio, self.risk, self.report, self.started, self.schedule_lock]
        ours += [self.health, self.metrics, self.log, self.alerts, self.alerts_lock]
        if self.exports.is_dir():
            ours += sorted(self.exports.iterdir())
        for path in ours:
            if path.is_symlink() and not path.resolve().is_relative_to(home):
                raise SettingsError(
                    f"{path} is a symbolic link that leads out of the output folder, to {path.readlink()}. "
                    "Remove the link, or name the folder meant with --out."
                )

    def snapshot_path(self, as_of: date, run_id: str) -> Path:
        """Return the path of the run's published file."""
        return self.snapshots / f"curbline-{as_of.isoformat()}-{run_id}.duckdb"

    def build_path(self, run_id: str) -> Path:
        """Return where the run builds its file before it is published."""
        return self.snapshots / f"{BUILD_PREFIX}{run_id}.duckdb"

    def list_snapshots(self) -> list[Snapshot]:
        """Return the published files, the most recently published first."""
        if not self.snapshots.is_dir():
            return []
        found: list[tuple[int, str, Snapshot]] = []
        for path in self.snapshots.iterdir():
            snapshot = snapshot_named(path)
            if snapshot is not None and path.is_file() and not path.is_symlink():
                found.append((path.stat().st_mtime_ns, path.name, snapshot))
        return [snapshot for _, _, snapshot in sorted(found, key=lambda item: item[:2], reverse=True)]

    def pointed(self) -> Snapshot | None:
        """Return the snapshot behind the pointer, whether or not the file still exists; None without one.

        The symbolic link decides; the text pointer is read only where there is no link, since a run that was
        killed between the two leaves the older text behind.
        """
        target = self._pointer_text()
        return snapshot_named(self.snapshots / Path(target).name) if target else None

    def _pointer_text(self) -> str:
        """Return what the pointer says; empty without one."""
        if self.pointer.is_symlink():
            return str(self.pointer.readlink())
        if self.text_pointer.is_file():
            # Whatever is not UTF-8 names no snapshot either; it must not end in a fault.
            return self.text_pointer.read_text(encoding="utf-8", errors="replace").strip()
        return ""

    def resolve_published(self) -> Snapshot:
        """Return the snapshot behind the pointer.

        Raises:
            InputError: Nothing was published here yet, or the file behind the pointer is gone.
        """
        pointed = self.pointed()
        if pointed is None and (target := self._pointer_text()):
            raise InputError(
                f"{self.pointer} leads to {target[:200]!r}, which is not the name of a published file. "
                "Run `curbline run` to publish again and reset the pointer."
            )
        if pointed is None:
            raise InputError(
                f"{self.pointer}: nothing is published in this folder yet. Run `curbline run --out {self.root}`, "
                "or name the folder of an earlier run with --out."
            )
        if pointed.path.is_symlink():
            raise InputError(
                f"{pointed.path} is a symbolic link, not the file that was published. Run `curbline run` to publish it "
                "again."
            )
        if not pointed.path.is_file():
            others = ", ".join(item.path.name for item in self.list_snapshots()[:3])
            beside = f" Still there: {others}." if others else ""
            raise InputError(
                f"{self.pointer} leads to {pointed.path.name}, which is gone.{beside} "
                "Run `curbline run` to publish it again."
            )
        return pointed
