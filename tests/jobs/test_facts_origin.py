"""`curbline facts import --url` and `curbline facts sources`, as they are typed."""

from __future__ import annotations

import csv
import hashlib
import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs.cli import main
from tests.jobs.web import Web
from warehouse.bundle.reading import read_bundles
from warehouse.sources.registry import IMPORTERS

FACTS = Path(__file__).parents[2] / "warehouse" / "facts"
AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NAME = "BACI_HS92_Y2024_V202601.csv"
BODY = b"t,i,j,k,v,q\n2024,104,156,284690,817835.388,44365.512\n"
SUM = hashlib.sha256(BODY).hexdigest()


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.commands.facts.now", lambda: AT)


@pytest.fixture
def typed(tmp_path: Path) -> list[str]:
    return ["facts", "import", "baci", "--any-size", "--cache", str(tmp_path / "cache"), "--out"]


def test_a_bundle_notes_where_its_file_came_from(
    web: Web, tmp_path: Path, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    web.scripts[f"/{NAME}"] = lambda visit, _: visit.reply(200, BODY, ETag='"1"')
    url = web.url(f"/{NAME}")
    out = tmp_path / "bundle"
    assert main([*typed, str(out), "--url", f"{url}?token=hush", "--sha256", SUM]) == 0
    assert f"{NAME}: fetched on 2026-11-24, sha256 {SUM}." in capsys.readouterr().out
    row = next(csv.DictReader((out / "sources.csv").read_text(encoding="utf-8").splitlines()))
    assert row["url"] == f"{url}?token="
    assert row["note"] == f"imported from {NAME}, fetched on 2026-11-24, sha256 {SUM}"
    assert (row["published"], row["known_from"]) == ("2026-01-31", "2026-01-31"), "the edition's day"
    manifest = tomllib.loads((out / "bundle.toml").read_text(encoding="utf-8"))
    assert manifest["description"] == f"{url}?token= fetched on 2026-11-24, sha256 {SUM}"
    assert read_bundles([FACTS, out], strict=True).report.bundles[-1].name == "baci-202601-hs92-import"


def test_offline_and_unchanged(
    web: Web, tmp_path: Path, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    web.scripts[f"/{NAME}"] = lambda visit, _: visit.reply(
        *((304,) if visit.headers["If-None-Match"] else (200, BODY)), ETag='"1"'
    )
    url = web.url(f"/{NAME}")
    assert main([*typed, str(tmp_path / "no"), "--url", url, "--offline"]) == 30
    assert "run it once without --offline" in capsys.readouterr().err
    for number, more in enumerate(([], [], ["--offline"])):
        assert main([*typed, str(tmp_path / str(number)), "--url", url, *more]) == 0
    assert "taken from the cache; it was fetched on 2026-11-24" in capsys.readouterr().out
    assert len(web.asked) == 2
    same = [(tmp_path / str(number) / "sources.csv").read_text(encoding="utf-8") for number in range(3)]
    assert len(set(same)) == 1


def test_faults_have_their_code(
    web: Web, tmp_path: Path, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*typed, str(tmp_path / "a"), "--url", web.url("/none.csv")]) == 30
    assert "answers 404 (Not Found); the file is not there" in capsys.readouterr().err
    web.scripts[f"/{NAME}"] = lambda visit, _: visit.reply(200, BODY)
    assert main([*typed, str(tmp_path / "b"), "--url", web.url(f"/{NAME}"), "--sha256", "0" * 64]) == 30
    assert "compare both with the publisher" in capsys.readouterr().err
    assert main([*typed, str(tmp_path / "c"), "--url", "ftp://host/f.csv"]) == 40
    assert not [path for path in tmp_path.iterdir() if path.name in "abc"]
    full = tmp_path / "full"
    full.mkdir()
    (full / "x").write_text("", encoding="utf-8")
    asked = len(web.asked)
    assert main([*typed, str(full), "--url", web.url(f"/{NAME}")]) == 40
    assert len(web.asked) == asked, "nothing is fetched for a bundle that cannot be written"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "no file is named"),
        (["--file", "f", "--url", "http://h/f"], "--file and --url are given"),
        (["--year", "2024"], "goes with comtrade, not with baci"),
        (["--file", "f", "--offline"], "--offline: goes with --url or --year, not with --file"),
        (["--file", "f", "--reporter", "JPN"], "--reporter: goes with --year"),
        (["--file", "f", "--base-url", "http://h"], "--base-url: goes with --year"),
        (["--file", "f", "--sha256", "12"], "is not a checksum"),
        (["--file", "f", "--as-of", "soon"], "--as-of 'soon' is not a date"),
    ],
)
def test_options_that_do_not_go_together(
    tmp_path: Path, options: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["facts", "import", "baci", "--out", str(tmp_path / "out"), *options]) == 40
    assert says in capsys.readouterr().err


def test_a_file_of_ones_own_has_a_checksum_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / NAME
    path.write_bytes(BODY)
    typed = ["facts", "import", "baci", "--any-size", "--file", str(path), "--out"]
    assert main([*typed, str(tmp_path / "a"), "--sha256", SUM]) == 0
    assert main([*typed, str(tmp_path / "b"), "--sha256", "0" * 64]) == 30
    assert "has the checksum" in capsys.readouterr().err
    gone = ["facts", "import", "baci", "--file", "gone", "--sha256", SUM, "--out", str(tmp_path / "c")]
    assert main(gone) == 30


def test_an_old_edition_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / NAME
    path.write_bytes(BODY)
    typed = ["facts", "import", "baci", "--any-size", "--file", str(path), "--out"]
    assert main([*typed, str(tmp_path / "a"), "--as-of", "2027-06-15"]) == 0
    assert main([*typed, str(tmp_path / "b"), "--as-of", "2027-06-16"]) == 10
    said = capsys.readouterr().out
    assert f"{NAME}: the edition of 2026-01-31 is 501 days old, more than the 500 of baci" in said
    assert main([*typed, str(tmp_path / "c"), "--as-of", "2027-06-16", "--json"]) == 10
    assert "501 days" in json.loads(capsys.readouterr().out)["stale"]


def test_every_source_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["facts", "sources"]) == 0
    said = capsys.readouterr().out
    assert main(["facts", "sources", "--json"]) == 0
    listed = {source["name"]: source for source in json.loads(capsys.readouterr().out)}
    assert set(listed) == set(IMPORTERS) >= {"baci", "comtrade"}
    for source in listed.values():
        told = {source["title"], source["publisher"], source["url"], source["licence"], *source["quirks"]}
        assert all(word in said for word in told)
    assert listed["baci"]["allowed_age_days"] == 500
