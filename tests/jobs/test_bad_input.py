"""Bad input through the command line: a sentence with the place, the right code, and the published file untouched."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest

import jobs.nightly.run
from jobs.cli import main
from jobs.output.layout import Layout
from jobs.resources import default_rules_dir
from tests.jobs.bundle import TABLES, write_bundle
from tests.jobs.test_run import Scorer

MEASURES = """\
measure_id,curbing_country,authority,notice,title,instrument,date_announced,is_framework,source_id,known_from
m-23,CHN,MOFCOM,MOFCOM 23/2023,Gallium,export_licence,2023-07-03,false,src-a,2023-07-03
"""
STATES = """\
measure_id,clause,destination,state,valid_from,valid_to,basis,source_id,known_from
"""
RULE = "withholding/bad-rule.yml"
BOMB = "a: &a [x, x, x, x]\nb: &b [*a, *a, *a, *a]\nc: &c [*b, *b, *b, *b]\nd: [*c, *c, *c, *c]\n"


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory, marts: dict[str, pl.DataFrame]) -> Iterator[Layout]:
    """An output folder in which a good run was published; scoring is faked, as in test_run."""
    root = tmp_path_factory.mktemp("bad-input")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs.nightly.run, "recalculate", Scorer(dict(marts)))
        patch.setattr(jobs.nightly.run, "require_tested", lambda _: None)
        patch.setattr("jobs.commands.work.now", lambda: datetime(2026, 11, 23, 2, 30, tzinfo=UTC))
        good = write_bundle(root / "good")
        assert main(["run", "--facts", str(good), "--out", str(root / "out")]) == 0
        yield Layout(root / "out")


@pytest.fixture
def refused(
    layout: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., str]]:
    """Run with bad input, check that it ends well, and return what was said."""
    published = layout.resolve_published().path
    before = sha256(published.read_bytes()).hexdigest()
    good = write_bundle(tmp_path / "good")

    def run(*arguments: str, code: int) -> str:
        facts = [] if "--facts" in arguments else ["--facts", str(good)]
        assert main(["run", "--out", str(layout.root), *facts, *arguments]) == code
        said = capsys.readouterr().err
        assert "Traceback" not in said
        assert "internal" not in said.lower()
        return said

    yield run
    assert layout.resolve_published().path == published
    assert sha256(published.read_bytes()).hexdigest() == before
    assert not list(layout.root.rglob(".build-*"))


TRADE = TABLES["trade"]
ROWS = {
    "an unknown country": ({"trade": TRADE + "2023,CHN,XXX,811292,17,1,1,true,src-a,2025-02-01\n"}, "XXX"),
    "no tonnes below zero": ({"trade": TRADE + "2023,CHN,USA,811292,17,1,-5,true,src-a,2025-02-01\n"}, "-5"),
    "absurd tonnes": ({"trade": TRADE + "2023,CHN,USA,811292,17,1,9e15,true,src-a,2025-02-01\n"}, "unit"),
    "not a number": ({"trade": TRADE + "2023,CHN,USA,811292,17,1,NaN,true,src-a,2025-02-01\n"}, "finite"),
    "infinity": ({"trade": TRADE + "2023,CHN,USA,811292,17,inf,1,true,src-a,2025-02-01\n"}, "finite"),
    "a code of four digits": ({"trade": TRADE + "2023,CHN,USA,8112,17,1,1,true,src-a,2025-02-01\n"}, "8112"),
    "a missing source": ({"trade": TRADE + "2023,CHN,USA,811292,17,1,1,true,src-z,2025-02-01\n"}, "src-z"),
    "a key twice": ({"trade": TRADE + TRADE.splitlines()[-1] + "\n"}, "trade.csv:4"),
    "an impossible day": (
        {"trade": TRADE + "2023,CHN,USA,811292,17,1,1,true,src-a,2025-02-30\n"},
        "2025-02-30",
    ),
    "an unknown mineral": (
        {"chains": "mineral,stage_order,stage,product,source_id,known_from\ngalium,1,refined,metal,src-a,2020-01-01\n"},
        "did you mean 'gallium'?",
    ),
    "an unknown stage": (
        {"chains": "mineral,stage_order,stage,product,source_id,known_from\ngallium,1,refind,metal,src-a,2020-01-01\n"},
        "did you mean 'refined'?",
    ),
    "a suspension without a measure": (
        {
            "measures": MEASURES,
            "measure_states": STATES + "m-24,all,*,suspended,2025-11-09,2026-11-28,text,src-b,2025-11-07\n",
        },
        "m-24",
    ),
    "a pledge without an agreement": (
        {
            "pledges": "pledge_id,agreement_id,pledging_party,beneficiary,kind,legal_strength,backing,description,performance,in_article_2025_10_27,source_id,known_from\n"
            "p-1,no-accord,CHN,USA,general_licence,best_effort,announced,x,unknown,false,src-b,2025-11-07\n"
        },
        "no-accord",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_a_bad_row_is_named_with_file_and_line(
    refused: Callable[..., str], tmp_path: Path, name: str
) -> None:
    tables, said = ROWS[name]
    bundle = write_bundle(tmp_path / "bad", **tables)
    errors = refused("--facts", str(bundle), "--strict", code=30)
    assert said in errors
    assert "bad/" in errors
    assert ".csv:" in errors


def drop_column(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(",".join(line.split(",")[1:]) for line in lines) + "\n", encoding="utf-8")


def put_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


FILES: dict[str, Callable[[Path], object]] = {
    "a missing column": lambda folder: drop_column(folder / "countries.csv"),
    "another encoding": lambda folder: (folder / "countries.csv").write_bytes("country\nCÔTE\n".encode("latin-1")),
    "an empty file": lambda folder: (folder / "countries.csv").write_bytes(b""),
    "zero bytes": lambda folder: (folder / "countries.csv").write_bytes(b"\0" * 64),
    "a half-written Parquet file": lambda folder: (
        (folder / "trade.csv").rename(folder / "trade.parquet").write_bytes(b"PAR1\x15\x04")
    ),
    "a folder in the place of a file": lambda folder: put_folder(folder / "countries.csv"),
    "no manifest": lambda folder: (folder / "bundle.toml").unlink(),
    "a broken manifest": lambda folder: (folder / "bundle.toml").write_text("name = ", encoding="utf-8"),
    "an unknown table": lambda folder: (folder / "measurs.csv").write_text("a\n", encoding="utf-8"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_an_unreadable_file_stops_the_run(refused: Callable[..., str], tmp_path: Path, name: str) -> None:
    bundle = write_bundle(tmp_path / "bad")
    FILES[name](bundle)
    assert "bad" in refused("--facts", str(bundle), "--strict", code=30)


RULES = {
    "a tag that makes an object": 'id: !!python/object/apply:os.system ["true"]\n',
    "a bomb of anchors": BOMB,
    "a key twice": "id: bad-rule\nid: bad-rule\n",
    "a tab": "id: bad-rule\nscore:\n\ton: horizon_days\n",
    "an unknown key": "id: bad-rule\ntitel: x\n",
    "a half-written file": "id: bad-rule\ntitle: 'a quote that never",
    "an empty file": "",
    "a list": "- id: bad-rule\n",
    "two documents": "id: bad-rule\n---\nid: other\n",
    "deep nesting": "a: " + "[" * 5000 + "\n",
    "a merge key": "base: {a: 1}\n<<: base\n",
    "a trap": "id: bad-rule\nversion: 1e3\nstatus: no\n",
}


@pytest.mark.parametrize("name", RULES)
def test_a_broken_rule_file_is_refused_with_its_place(
    refused: Callable[..., str], tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "rules"
    shutil.copytree(default_rules_dir(), folder)
    (folder / RULE).write_text(RULES[name], encoding="utf-8")
    assert "bad-rule.yml:" in refused("--rules", str(folder), code=40)


def test_a_rule_file_in_another_encoding(refused: Callable[..., str], tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    shutil.copytree(default_rules_dir(), folder)
    (folder / RULE).write_bytes("title: Zölle\n".encode("latin-1"))
    assert "bad-rule.yml" in refused("--rules", str(folder), code=40)


def test_a_day_before_the_first_trade_year(refused: Callable[..., str]) -> None:
    assert "2021-02-01" in refused("--as-of", "2020-06-01", code=30)


def test_a_file_in_the_place_of_the_output_folder(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    assert str(tmp_path / "file") in refused("--out", str(tmp_path / "file"), code=40)
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


def test_a_full_disk_is_said_even_where_the_clean_up_fails_too(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, *_: object) -> None:
        path.write_text("hal", encoding="utf-8")
        try:
            raise RuntimeError('IO Error: Could not write file "x": No space left on device')
        finally:
            raise ValueError("Current transaction is aborted")  # as DuckDB says of the statement after

    monkeypatch.setattr(jobs.nightly.run, "build_snapshot", full)
    assert "the disk is full" in refused("--as-of", "2026-11-22", code=50)
