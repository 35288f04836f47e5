import errno
import os
import signal
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from ground.question import Question
from jobs.errors import InputError, PublishError
from jobs.output.layout import Layout
from jobs.output.publish import PointerCase, clean_stale, place_snapshot, point_to, pointer_moves
from jobs.output.seal import Contents, damage_of, seal_path

DAY = date(2026, 11, 23)
RUN_A, RUN_B = "a" * 16, "b" * 16
STEPS = ["built", "verified", "sealed", "placed", "renamed", "linked", "pointed", "text"]

KILLED = """
import os, signal, sys
from datetime import date
from pathlib import Path
from jobs.output.layout import Layout
from jobs.output.publish import place_snapshot, point_to
from jobs.output.seal import Contents

layout, step = Layout(Path(sys.argv[1])), sys.argv[2]

def on_step(name):
    if name == step:
        os.kill(os.getpid(), signal.SIGKILL)

def build(path):
    path.write_text("new, whole")
    if step == "building":
        path.write_text("new, ha")
        os.kill(os.getpid(), signal.SIGKILL)

path = place_snapshot(layout, as_of=date(2026, 11, 24), run_id="b" * 16, build=build, verify=lambda p: Contents(), on_step=on_step)
point_to(layout, path, on_step=on_step)
"""


def accept(_: Path) -> Contents:
    """Verify nothing."""
    return Contents()


def put(layout: Layout, run_id: str = RUN_A, day: date = DAY, text: str = "old, whole") -> Path:
    return place_snapshot(layout, as_of=day, run_id=run_id, build=lambda p: put_text(p, text), verify=accept)


def put_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def put_and_point(layout: Layout, run_id: str = RUN_A, day: date = DAY, text: str = "old, whole") -> Path:
    path = put(layout, run_id, day, text)
    assert point_to(layout, path) == []
    return path


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "out")


def test_a_published_file_is_read_only_and_pointed_to_twice(layout: Layout) -> None:
    path = put_and_point(layout)
    assert path.name == f"curbline-2026-11-23-{RUN_A}.duckdb"
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert layout.pointer.readlink() == Path("snapshots") / path.name
    assert layout.pointer.read_text(encoding="utf-8") == "old, whole"
    assert layout.text_pointer.read_text(encoding="utf-8") == f"snapshots/{path.name}\n"
    assert layout.resolve_published().path == path
    assert sorted(item.name for item in layout.root.iterdir()) == [
        "curbline.duckdb",
        "curbline.txt",
        "snapshots",
    ]


@pytest.mark.parametrize("step", ["building", *STEPS])
def test_killed_anywhere_readers_find_a_whole_file(layout: Layout, step: str) -> None:
    put_and_point(layout)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(layout.root), step], check=False)
    assert killed.returncode == -signal.SIGKILL
    after = step in ("pointed", "text")
    expected = "new, whole" if after else "old, whole"
    assert layout.pointer.read_text(encoding="utf-8") == expected
    assert layout.resolve_published().path.read_text(encoding="utf-8") == expected
    assert all(item.path.read_text(encoding="utf-8").endswith("whole") for item in layout.list_snapshots())
    # A file is never found with the record of another.
    recorded = [item.path for item in layout.list_snapshots() if seal_path(item.path).exists()]
    assert [damage_of(path) for path in recorded] == [None] * len(recorded)
    # What the kill left behind goes at the next start, and the run that died is simply run again.
    clean_stale(layout)
    put_and_point(layout, RUN_B, date(2026, 11, 24), "new, whole")
    assert layout.pointer.read_text(encoding="utf-8") == "new, whole"
    assert not [path for path in layout.root.rglob("*") if path.name.startswith(".build-")]


def test_the_first_run_killed_half_way_leaves_no_pointer(layout: Layout) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(layout.root), "sealed"], check=False)
    with pytest.raises(InputError, match=r"nothing is published.*curbline run"):
        layout.resolve_published()
    assert clean_stale(layout) == [f".build-{RUN_B}.duckdb", f".build-{RUN_B}.json"]


def test_a_reader_keeps_the_file_that_it_has_open(layout: Layout) -> None:
    put_and_point(layout)
    with layout.pointer.open(encoding="utf-8") as held:
        put_and_point(layout, RUN_B, text="new, whole")
        assert held.read() == "old, whole"


def test_the_same_run_again_replaces_its_own_file(layout: Layout) -> None:
    put_and_point(layout)
    path = put_and_point(layout, text="once more, whole")
    assert path.read_text(encoding="utf-8") == "once more, whole"
    assert len(layout.list_snapshots()) == 1


def full(path: Path) -> None:
    path.write_text("hal", encoding="utf-8")
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def full_for_a_database(path: Path) -> None:
    path.write_text("hal", encoding="utf-8")
    raise RuntimeError('IO Error: Could not write file "x": No space left on device')


@pytest.mark.parametrize("build", [full, full_for_a_database])
def test_a_full_disk_is_a_sentence_and_leaves_nothing(layout: Layout, build: object) -> None:
    put_and_point(layout)
    assert callable(build)
    with pytest.raises(PublishError, match=r"disk is full.*is unchanged.*free some space"):
        place_snapshot(layout, as_of=DAY, run_id=RUN_B, build=build, verify=accept)
    assert sorted(path.name for path in layout.snapshots.iterdir()) == [
        f"curbline-2026-11-23-{RUN_A}.duckdb",
        f"curbline-2026-11-23-{RUN_A}.json",
    ]
    assert layout.pointer.read_text(encoding="utf-8") == "old, whole"


def test_a_failed_check_publishes_nothing(layout: Layout) -> None:
    put_and_point(layout)

    def refuse(_: Path) -> Contents:
        raise ValueError("counts differ")

    with pytest.raises(ValueError, match="counts differ"):
        place_snapshot(layout, as_of=DAY, run_id=RUN_B, build=lambda p: put_text(p, "x"), verify=refuse)
    assert len(list(layout.snapshots.iterdir())) == 2, "the file that was there, and its record"


def test_a_write_ahead_log_is_refused(layout: Layout) -> None:
    def build(path: Path) -> None:
        put_text(path, "x")
        put_text(path.with_name(path.name + ".wal"), "log")

    with pytest.raises(PublishError, match="write-ahead log"):
        place_snapshot(layout, as_of=DAY, run_id=RUN_B, build=build, verify=accept)
    assert list(layout.snapshots.iterdir()) == []


def test_a_log_beside_the_published_file_is_set_aside(layout: Layout) -> None:
    path = put_and_point(layout)
    put_text(path.with_name(path.name + ".wal"), "written by force")
    put_and_point(layout)
    assert sorted(item.name for item in layout.snapshots.iterdir()) == [
        path.name,
        f"{path.name}.wal.set-aside",
        seal_path(path).name,
    ]


def test_a_file_in_the_place_of_the_pointer_is_not_overwritten(layout: Layout) -> None:
    path = put(layout)
    put_text(layout.pointer, "somebody's own database")
    with pytest.raises(PublishError, match="Move it away"):
        point_to(layout, path)
    assert layout.pointer.read_text(encoding="utf-8") == "somebody's own database"


def test_without_symbolic_links_the_text_pointer_leads(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: str) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    path = put(layout)
    assert "curbline.txt names the file" in point_to(layout, path)[0]
    assert layout.resolve_published().path == path


def test_a_deleted_snapshot_is_named_and_published_again(layout: Layout) -> None:
    path = put_and_point(layout)
    path.unlink()
    with pytest.raises(InputError, match=f"{path.name}, which is gone.*publish it again"):
        layout.resolve_published()
    assert moves(layout, DAY)
    put_and_point(layout)
    assert layout.resolve_published().path == path


def moves(
    layout: Layout,
    as_of: date,
    known_at: date | None = None,
    *,
    country: str = "CHN",
    today: date = DAY,
    pointed_known_at: date | None = None,
) -> bool:
    case = PointerCase(Question(as_of, known_at or as_of, country), today)
    return pointer_moves(layout, case, default_country="CHN", pointed_known_at=pointed_known_at)


def test_the_pointer_moves_forward_only(layout: Layout) -> None:
    assert moves(layout, date(2025, 6, 1)), "nothing is published yet"
    put_and_point(layout, RUN_A, date(2026, 11, 22))
    assert moves(layout, DAY)
    assert moves(layout, date(2026, 11, 22)), "the same day again, with other facts or rules"
    assert not moves(layout, date(2025, 6, 1)), "a replay"
    assert not moves(layout, DAY, country="COD")
    assert not moves(layout, DAY, country="all")
    assert not moves(layout, DAY, date(2025, 6, 1)), "what would have been said with less knowledge"
    assert not moves(layout, date(2026, 11, 22), date(2026, 11, 22), pointed_known_at=DAY)


def test_a_day_to_come_does_not_hold_the_pointer(layout: Layout) -> None:
    put_and_point(layout, RUN_A, date(2026, 11, 22))
    assert not moves(layout, date(2062, 11, 23))
    put_and_point(layout, RUN_B, date(2062, 11, 23))
    assert moves(layout, DAY)


def test_clean_stale_spares_everything_else(layout: Layout) -> None:
    path = put_and_point(layout)
    put_text(layout.build_path(RUN_B), "half")
    (layout.exports / f".build-{RUN_B}").mkdir(parents=True)
    put_text(layout.snapshots / "my-notes.txt", "mine")
    assert sorted(clean_stale(layout)) == [f".build-{RUN_B}", f".build-{RUN_B}.duckdb"]
    assert sorted(item.name for item in layout.snapshots.iterdir()) == [
        path.name,
        seal_path(path).name,
        "my-notes.txt",
    ]
