import os
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from jobs.cli import main
from jobs.errors import PublishError
from jobs.operating import RetentionSettings
from jobs.output.layout import Layout
from jobs.output.publish import place_snapshot, point_to
from jobs.output.rebuild import open_or_rebuild
from jobs.output.retention import drop_old, require_room, room_of
from jobs.output.seal import seal_path
from tests.jobs.conftest import build_small, contents
from warehouse.database import Database

TODAY = date(2026, 11, 28)


def put(layout: Layout, as_of: date, *, published: date | None = None, number: int = 0) -> str:
    """A published file and its exports, of 100 and 50 bytes."""
    run_id = f"{as_of.toordinal():010x}{number:06x}"
    path = layout.snapshot_path(as_of, run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 100)
    (layout.exports / run_id).mkdir(parents=True)
    (layout.exports / run_id / "a.csv").write_bytes(b"x" * 50)
    moment = datetime.combine(published or as_of, datetime.min.time(), UTC).timestamp()
    os.utime(path, (moment, moment))
    return run_id


def kept(layout: Layout) -> list[str]:
    return sorted(str(one.as_of) for one in layout.list_snapshots())


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "out")


def test_ninety_days_and_month_ends_stay_and_exports_go_earlier(layout: Layout) -> None:
    for age in range(240):
        put(layout, TODAY - timedelta(days=age))
    dropped = drop_old(layout, RetentionSettings(), today=TODAY)
    ends = ["2026-04-30", "2026-05-31", "2026-06-30", "2026-07-31"]
    nights = [(TODAY - timedelta(days=age)).isoformat() for age in range(90, -1, -1)]
    assert kept(layout) == [*ends, *nights]
    assert len(list(layout.exports.iterdir())) == 31
    assert (len(dropped.snapshots), len(dropped.exports)) == (240 - 95, 95 - 31)
    assert dropped.bytes == (240 - 95) * 150 + (95 - 31) * 50


def test_a_replay_of_a_past_month_is_no_month_end(layout: Layout) -> None:
    put(layout, date(2025, 6, 30), published=date(2026, 1, 5))
    put(layout, date(2025, 5, 30), published=date(2025, 5, 30))
    drop_old(layout, RetentionSettings(), today=TODAY)
    assert kept(layout) == ["2025-05-30"]


def test_the_pointed_night_stays_and_a_limit_counts(layout: Layout) -> None:
    days = [TODAY - timedelta(days=age) for age in range(6)]
    for day in days:
        put(layout, day)
    point_to(layout, layout.list_snapshots()[-1].path)
    settings = RetentionSettings(month_ends=False)
    said = drop_old(layout, settings, most=2, today=TODAY, dry=True)
    assert len(kept(layout)) == 6
    assert drop_old(layout, settings, most=2, today=TODAY) == said
    assert kept(layout) == [str(days[5]), str(days[1]), str(days[0])]
    assert len(list(layout.exports.iterdir())) == 3


def test_a_run_without_room_is_refused_before_it_starts(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(layout, TODAY)
    free = 224
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    with pytest.raises(PublishError, match="a night needs about"):
        require_room(layout)
    free = 450
    require_room(layout)
    room = room_of(layout)
    assert (room.night_bytes, room.nights_left, room.used_bytes) == (150, 3, 150)


def test_before_the_first_night_nothing_is_forecast(layout: Layout) -> None:
    room = room_of(layout)
    assert (room.night_bytes, room.nights_left) == (None, None)
    require_room(layout)


@pytest.fixture
def two_nights(layout: Layout, marts: dict[str, pl.DataFrame]) -> Callable[[int], Path]:
    paths = [
        place_snapshot(
            layout,
            as_of=day,
            run_id=f"{number:016x}",
            build=lambda path: build_small(path, marts),
            verify=contents,
        )
        for number, day in enumerate((TODAY - timedelta(days=1), TODAY))
    ]
    point_to(layout, paths[1])
    return lambda number: paths[number]


def test_all_files_are_verified_and_an_earlier_night_is_restored(
    layout: Layout, two_nights: Callable[[int], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    out = ("--out", str(layout.root))
    assert main(["verify", "--all", *out]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 files, 0 damaged, 0 without a recorded hash."
    assert main(["restore", "0" * 16, *out]) == 0
    assert layout.resolve_published().path == two_nights(0)
    assert "exports are not kept any more" in capsys.readouterr().out
    # A byte in the middle of the newer file is flipped.
    newer = two_nights(1)
    newer.chmod(0o644)
    content = bytearray(newer.read_bytes())
    content[len(content) // 2] ^= 1
    newer.write_bytes(content)
    assert main(["verify", "--all", *out]) == 30
    said = capsys.readouterr().out
    assert f"{newer.name} is not what was published: its SHA-256 differs." in said
    assert "2 files, 1 damaged, 0 without a recorded hash." in said
    assert f"for the same day ({TODAY})" in said
    assert main(["restore", "0" * 15 + "1", *out]) == 30
    assert layout.resolve_published().path == two_nights(0)
    seal_path(two_nights(0)).unlink()
    assert main(["verify", *out]) == 10
    two_nights(0).unlink()
    assert main(["verify", "--all", *out]) == 30
    assert "is gone" in capsys.readouterr().out


def test_mistakes_are_sentences(layout: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    out = ("--out", str(layout.root))
    assert main(["verify", "--all", *out]) == 30
    assert main(["verify", "ab", "--all", *out]) == 40
    assert main(["restore", "ab", *out]) == 40
    assert main(["prune", *out]) == 30
    said = capsys.readouterr().err
    for sentence in (
        "nothing is published here yet",
        "--all is every run",
        "no published run 'ab'",
        "no such folder",
    ):
        assert sentence in said


def test_pruning_says_what_would_go(layout: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    put(layout, date(2020, 1, 1))
    put(layout, date(2020, 1, 2))
    out = ("--out", str(layout.root))
    assert main(["prune", "--dry-run", *out]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "1 published file and 1 further folder of exports would be removed, 0 MB."
    )
    assert main(["prune", *out]) == 0
    assert kept(layout) == ["2020-01-02"]


def test_a_state_of_an_earlier_schema_is_copied_before_it_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "state.duckdb"
    with open_or_rebuild(path) as state:
        assert state.notes == []
    with Database.open(path) as state:
        state.execute("UPDATE meta.schema_version SET version = 1")
        state.execute(
            "INSERT INTO meta.ledger BY NAME SELECT 'a' AS run_id, 'b' AS attempt_id, DATE '2026-11-01' AS as_of, "
            "DATE '2026-11-01' AS known_at, 'CHN' AS curbing_country, '' AS facts_hash, '' AS rules_hash, "
            "'0' AS code_version, 'published' AS status, TIMESTAMP '2026-11-01 02:30:00' AS started_at"
        )
    with open_or_rebuild(path) as state:
        assert "is kept as state.duckdb.schema-1; its ledger goes on" in state.notes[0]
        assert state.query("SELECT run_id FROM meta.ledger").item() == "a"
    with Database.open(tmp_path / "state.duckdb.schema-1", read_only=True) as before:
        assert before.query("SELECT max(version) AS v FROM meta.schema_version").item() == 1
    with open_or_rebuild(path) as state:
        assert state.notes == []
