"""What is damaged, replaced or altered in the output folder: said, mended where it can be, never followed out of it."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs.cli import main
from jobs.output.layout import Layout
from jobs.output.ledger import tail
from jobs.output.seal import read_seal, seal_path
from tests.jobs.bundle import write_bundle
from tests.jobs.test_run import Scorer, layout, scorer, start
from warehouse.database import Database

__all__ = ["layout", "scorer", "start"]

Start = Callable[..., int]
Said = pytest.CaptureFixture[str]
BLOCK = 262_144
NOW = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)


def overwrite(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(content)


def flip(path: Path, at: int, count: int = 4096) -> None:
    content = bytearray(path.read_bytes())
    content[at : at + count] = bytes(byte ^ 0xFF for byte in content[at : at + count])
    overwrite(path, bytes(content))


def entries(layout: Layout) -> list[str]:
    with Database.open(layout.state, read_only=True) as state:
        return tail(state, 10)["status"].to_list()


def out(layout: Layout) -> tuple[str, str]:
    return ("--out", str(layout.root))


# state.duckdb


GARBAGE: dict[str, Callable[[bytes], bytes]] = {
    "garbage": lambda _: b"half a database " * 5000,
    "garbage that speaks of locks": lambda _: b"Could not set lock on file " * 5000,
    "empty": lambda _: b"",
    "cut off": lambda whole: whole[:50_000],
    "cut in half": lambda whole: whole[: len(whole) // 2],
}


@pytest.mark.parametrize("name", GARBAGE)
def test_a_damaged_state_is_set_aside_and_made_anew(
    start: Start, layout: Layout, capsys: Said, name: str
) -> None:
    assert start() == 0
    overwrite(layout.state, GARBAGE[name](layout.state.read_bytes()))
    assert start() == 0
    said = capsys.readouterr().out.replace("\n", " ")
    assert "state.duckdb was damaged: it is set aside as state.duckdb.set-aside and rebuilt" in said
    assert entries(layout) == ["published"]
    assert (layout.root / "state.duckdb.set-aside").is_file()
    assert start() == 0
    assert ".set-aside" not in capsys.readouterr().out


def test_the_ledger_of_a_damaged_state_is_kept_where_it_can_be_read(
    start: Start, layout: Layout, capsys: Said
) -> None:
    assert start() == 0
    assert start() == 0
    with Database.open(layout.state) as state:  # a table of the schema meta is lost, the ledger is whole
        state.execute("ALTER TABLE meta.facts DROP COLUMN bundles")
    assert start() == 0
    assert "its ledger of 2 rows was kept" in capsys.readouterr().out.replace("\n", " ")
    assert entries(layout) == ["published"] * 3


def test_a_flipped_block_of_the_state_is_found(start: Start, layout: Layout, capsys: Said) -> None:
    assert start() == 0
    size = layout.state.stat().st_size
    for at in range(3 * 4096 + 1000, size, BLOCK):
        flip(layout.state, at)
    assert start() == 0
    assert "rebuilt from the facts" in capsys.readouterr().out.replace("\n", " ")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE core.trade SET quantity_t = 99 WHERE year = 2024",
        "DELETE FROM core.trade",
        "ALTER TABLE core.trade DROP COLUMN quantity_t",
        "DROP TABLE core.countries",
    ],
)
def test_facts_altered_by_hand_are_not_scored(
    start: Start, layout: Layout, capsys: Said, statement: str
) -> None:
    assert start() == 0
    first = layout.resolve_published().run_id
    with Database.open(layout.state) as state:
        state.execute(statement)
    assert start() == 0
    if not statement.startswith(("ALTER", "DROP")):
        said = capsys.readouterr().out.replace("\n", " ")
        assert "the facts in state.duckdb were altered since they were loaded" in said
    assert layout.resolve_published().run_id == first
    with Database.open(layout.state, read_only=True) as state:
        stored = state.query("SELECT quantity_t FROM core.trade ORDER BY year")["quantity_t"].to_list()
        assert stored == [1.5, 1.5], "what the bundle says"
        assert state.query("SELECT count(*) AS n FROM core.countries").item() == 6
    assert entries(layout) == ["published"] * 2


def test_a_state_that_is_held_or_cannot_be_opened_stays(start: Start, layout: Layout, capsys: Said) -> None:
    assert start() == 0
    held = "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", held, str(layout.state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert start() == 75
        other.communicate(b"")
    assert "is held by another process" in capsys.readouterr().err
    layout.state.unlink()
    layout.state.mkdir()
    assert start() == 30
    assert not list(layout.root.glob("*.set-aside*"))


# the published file


def test_a_whole_file_is_verified(start: Start, layout: Layout, capsys: Said) -> None:
    assert start() == 0
    capsys.readouterr()
    assert main(["verify", *out(layout)]) == 0
    assert "is whole" in capsys.readouterr().out
    assert main(["verify", layout.resolve_published().run_id[:6], *out(layout)]) == 0
    assert main(["verify", "f00", *out(layout)]) == 40


@pytest.mark.parametrize("how", ["cut off", "flipped", "flipped where nothing is stored", "a log"])
def test_a_damaged_file_is_said_found_and_published_anew(
    start: Start, layout: Layout, capsys: Said, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.commands.read.now", lambda: NOW)
    assert start() == 0
    assert main(["status", *out(layout)]) == 0
    path = layout.resolve_published().path
    whole = path.read_bytes()
    if how == "cut off":
        overwrite(path, whole[:300_000])
    elif how == "flipped":
        for at in range(3 * 4096 + 1000, len(whole), BLOCK):
            flip(path, at)
    elif how == "flipped where nothing is stored":
        flip(path, 9000, 1)
    else:
        path.with_name(path.name + ".wal").write_bytes(b"by force")
    capsys.readouterr()
    assert main(["status", *out(layout)]) == 30
    assert f"The pointer leads to {path.name}, which" in capsys.readouterr().out
    assert main(["verify", *out(layout)]) == 30
    assert path.name in capsys.readouterr().out
    target = layout.root.parent / "elsewhere"
    assert main(["export", *out(layout), "--to", str(target)]) == 30
    assert "`curbline verify` says which tables" in capsys.readouterr().err
    assert not target.exists()
    # An older day would not move a pointer that leads to a whole file.
    assert start("--as-of", "2026-11-20", "--known-at", "2026-11-20") == 0
    assert layout.resolve_published().as_of.isoformat() == "2026-11-20"
    assert start() == 0
    assert main(["status", *out(layout)]) == 0
    assert main(["verify", *out(layout)]) == 0


def test_changed_rows_are_named_by_table(start: Start, layout: Layout, capsys: Said) -> None:
    assert start() == 0
    path = layout.resolve_published().path
    path.chmod(0o644)
    with Database.open(path) as forced:
        forced.execute("UPDATE mart.route_score SET active = 1 WHERE importer = 'USA'")
        forced.execute("DELETE FROM core.countries WHERE country = 'JPN'")
        forced.execute("CREATE TABLE mart.mine AS SELECT 1 AS n")
        forced.execute("DROP TABLE meta.step")
    assert main(["verify", *out(layout)]) == 30
    said = capsys.readouterr().out
    for line in (
        "mart.route_score: rows were changed",
        "core.countries: 5 rows instead of 6",
        "mart.mine: was not published",
        "meta.step: is no longer there",
    ):
        assert line in said
    assert "mart.calendar" not in said


def test_a_file_without_a_record_is_read_through(start: Start, layout: Layout, capsys: Said) -> None:
    assert start() == 0
    path = layout.resolve_published().path
    seal_path(path).write_text("[", encoding="utf-8")
    assert read_seal(path) is None
    assert main(["verify", *out(layout)]) == 10
    assert "no hash of it was recorded" in capsys.readouterr().out
    overwrite(path, path.read_bytes()[:-BLOCK])
    assert main(["verify", *out(layout)]) == 30
    assert main(["status", *out(layout)]) == 30


def test_explain_and_sql_say_that_the_file_is_damaged(start: Start, layout: Layout, capsys: Said) -> None:
    assert start() == 0
    path = layout.resolve_published().path
    for at in range(3 * 4096 + 1000, path.stat().st_size, BLOCK):
        flip(path, at)
    for command in (["sql", "FROM mart.route_score"], ["explain", "gallium", "refined", "CHN", "USA"]):
        assert main([*command, *out(layout)]) == 30
        said = capsys.readouterr().err
        assert f"{path.name} is damaged" in said
        assert "held by another" not in said
    assert main(["sql", "SELECT corrupt", *out(layout)]) == 30


def test_a_record_goes_with_its_snapshot(start: Start, layout: Layout, tmp_path: Path) -> None:
    settings = tmp_path / "curbline.toml"
    settings.write_text("keep_snapshots = 1\n", encoding="utf-8")
    for day in (20, 21, 22):
        assert start("--as-of", f"2026-11-{day}", "--settings", str(settings)) == 0
    names = sorted(path.stem for path in layout.snapshots.iterdir())
    assert len(names) == 2
    assert len(set(names)) == 1


# the pointer


@pytest.mark.parametrize("day", ["2026-02-30", "2026-13-01", "0000-01-01"])
def test_names_with_a_day_that_does_not_exist(start: Start, layout: Layout, capsys: Said, day: str) -> None:
    assert start() == 0
    name = f"curbline-{day}-{'a' * 16}.duckdb"
    (layout.snapshots / name).write_bytes(b"")
    layout.pointer.unlink()
    layout.pointer.symlink_to(f"snapshots/{name}")
    assert main(["sql", "SELECT 1", *out(layout)]) == 30
    assert f"{name}', which is not the name of a published file" in capsys.readouterr().err
    assert main(["status", *out(layout)]) == 30
    assert start() == 0
    assert main(["sql", "SELECT 1", *out(layout)]) == 0


def test_a_text_pointer_that_is_not_utf8(start: Start, layout: Layout, capsys: Said) -> None:
    assert start() == 0
    layout.pointer.unlink()
    layout.text_pointer.write_bytes(b"\xff\xfe\x00")
    assert main(["sql", "SELECT 1", *out(layout)]) == 30
    assert "not the name of a published file" in capsys.readouterr().err
    assert start() == 0
    assert main(["sql", "SELECT 1", *out(layout)]) == 0


# links out of the folder, and folders that are not ours


@pytest.mark.parametrize(
    "name", ["snapshots", "exports", "state.duckdb", "state.duckdb.wal", ".lock", "curbline.txt"]
)
def test_links_out_of_the_output_folder_are_refused(
    start: Start, layout: Layout, tmp_path: Path, capsys: Said, name: str
) -> None:
    layout.root.mkdir()
    outside = tmp_path / "outside"
    if name in ("snapshots", "exports"):
        outside.mkdir()
        (outside / "curbline-2026-01-01-aaaaaaaaaaaaaaaa.duckdb").write_text("mine", encoding="utf-8")
    else:
        outside.write_text("mine", encoding="utf-8")
    (layout.root / name).symlink_to(outside)
    assert start() == 40
    assert f"{layout.root / name} is a symbolic link that leads out of" in capsys.readouterr().err
    assert main(["status", *out(layout)]) == 40
    assert main(["sql", "SELECT 1", *out(layout)]) == 40
    left = [outside] if outside.is_file() else list(outside.iterdir())
    assert [path.read_text(encoding="utf-8") for path in left] == ["mine"]


def test_links_in_the_place_of_exports_and_snapshots(
    start: Start, layout: Layout, tmp_path: Path, capsys: Said
) -> None:
    assert start() == 0
    snapshot = layout.resolve_published()
    outside = tmp_path / "outside"
    outside.mkdir()
    folder = layout.exports / snapshot.run_id
    folder.rename(tmp_path / "moved")
    folder.symlink_to(outside)
    assert start() == 40
    assert main(["export", *out(layout)]) == 40
    assert not list(outside.iterdir())
    folder.unlink()
    snapshot.path.rename(outside / "snapshot.duckdb")
    snapshot.path.symlink_to(outside / "snapshot.duckdb")
    capsys.readouterr()
    assert main(["sql", "SELECT 1", *out(layout)]) == 30
    assert "is a symbolic link, not the file" in capsys.readouterr().err
    before = (outside / "snapshot.duckdb").read_bytes()
    assert start() == 0
    assert (outside / "snapshot.duckdb").read_bytes() == before
    assert not snapshot.path.is_symlink()


def test_an_output_folder_that_is_a_link_itself_is_fine(start: Start, tmp_path: Path, scorer: Scorer) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    assert start("--out", str(tmp_path / "link")) == 0


def test_export_refuses_a_folder_that_is_not_its_own(small_root: Path, tmp_path: Path, capsys: Said) -> None:
    target = tmp_path / "mine"
    target.mkdir()
    arguments = ["export", "--out", str(small_root), "--format", "csv", "--to", str(target)]
    assert main(arguments) == 0, "an empty folder"
    assert main(arguments) == 0, "its own"
    (target / "manifest.json").write_text('{"name": "my app"}', encoding="utf-8")
    before = {path.name: path.read_bytes() for path in target.iterdir()}
    assert main(arguments) == 40
    assert f"{target} has files in it and is not an earlier export" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in target.iterdir()} == before
    assert main([*arguments[:-1], str(target / "manifest.json")]) == 40


def test_export_writes_through_no_link(small_root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / ".build-mine").symlink_to(outside)
    arguments = ["export", "--out", str(small_root), "--format", "csv", "--to", str(tmp_path / "mine")]
    assert main(arguments) == 0
    assert not list(outside.iterdir())
    manifest = tmp_path / "mine" / "manifest.json"
    manifest.rename(outside / "manifest.json")
    before = (outside / "manifest.json").read_text(encoding="utf-8")
    manifest.symlink_to(outside / "manifest.json")
    assert main([*arguments, "--format", "parquet"]) == 0
    assert (outside / "manifest.json").read_text(encoding="utf-8") == before
    assert not manifest.is_symlink()


# facts and terminals


def test_facts_without_a_chain_that_can_be_scored(tmp_path: Path, capsys: Said) -> None:
    bundle = write_bundle(
        tmp_path / "bundle",
        hs_codes="hs6,hs_revision,mineral,stage,form,exporter,importer,share_low,share_best,share_high,share_of,"
        "trade_basis,conversion_id,source_id,known_from\n"
        "811292,17,gallium,refined,metal,*,*,1,1,1,weight,exact,ga,src-a,2020-01-01\n",
        conversions="conversion_id,mineral,stage,form,content_share_low,content_share_best,content_share_high,"
        "source_id,known_from\nga,gallium,refined,metal,1,1,1,src-a,2020-01-01\n",
    )
    common = ["run", "--facts", str(bundle), "--out", str(tmp_path / "out"), "--as-of", "2026-11-23"]
    for country, said in (
        ("CHN", "no chain can be scored"),
        ("all", "no country's measures reach any trade"),
    ):
        assert main([*common, "--curbing-country", country]) == 30
        errors = capsys.readouterr().err
        assert f"{said} on 2026-11-23" in errors
        assert "fault" not in errors


def test_deeply_nested_settings(tmp_path: Path, capsys: Said) -> None:
    settings = tmp_path / "curbline.toml"
    settings.write_text("facts = " + "[" * 100_000, encoding="utf-8")
    assert main(["run", "--settings", str(settings)]) == 40
    assert f"{settings}: nested too deeply" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_utf8_fails_nothing(
    start: Start, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    for arguments in ((), ("--json",)):
        screen = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr(sys, "stdout", screen)
        assert start(*arguments) == 0
        screen.seek(0)
        said = screen.read()
        if arguments:
            assert json.loads(said)["as_of"] == "2026-11-23"
        else:
            assert "CHN \\u2192 USA" in said


class PanicError(BaseException):
    """As polars raises them: no Exception."""


def test_a_panic_of_a_library_is_a_sentence(
    start: Start, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    def panic(*_: object) -> None:
        raise PanicError("out of range")

    monkeypatch.setattr("jobs.nightly.run.recalculate", panic)
    assert start() == 50
    assert "a fault in Curbline: PanicError: out of range" in capsys.readouterr().err
