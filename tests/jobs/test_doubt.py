"""`curbline doubt`, and the importers that a run declares."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.cli import main
from jobs.errors import SettingsError
from jobs.nightly.recalculate import RunRequest
from jobs.settings import DEFAULT_IMPORTERS, MOST_IMPORTERS, load_settings
from tests.jobs.test_run import Scorer, scorer, start  # noqa: F401  # fixtures


def doubt(root: Path, *arguments: str) -> int:
    return main(["doubt", *arguments, "--out", str(root)])


def test_the_facts_worth_finding_out_are_told(small_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doubt(small_root, "japan") == 0
    said = capsys.readouterr().out
    assert "JPN, all minerals, 365 days, active" in said
    assert "Expect 160 USD of 1,000 to be missing; eight chances in ten of 90 to 250." in said
    assert (
        "how much refined gallium others can add. Known, it would narrow the range from 160 to 100 USD"
        in said
    )
    assert "20.0 → 12.5" in said
    assert "Ranges are good to about a twentieth" in said


@pytest.mark.parametrize(
    ("arguments", "importer", "mineral"),
    [((), "*", "*"), (("--mineral", "Ga"), "*", "gallium"), (("JPN", "--horizon", "90"), "JPN", "*")],
)
def test_a_portfolio_is_an_importer_a_mineral_or_everything(
    arguments: tuple[str, ...],
    importer: str,
    mineral: str,
    small_root: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert doubt(small_root, *arguments, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["portfolio"]["importer"], found["portfolio"]["mineral"]) == (importer, mineral)
    assert found["facts"][0]["remaining_width_usd"] == 100.0
    assert found["run"]["as_of"] == "2026-11-23"


def test_a_portfolio_in_which_no_fact_stands_out_says_so(
    small_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doubt(small_root, "JPN", "--regime", "full-stop") == 0
    assert "No single fact can be told to narrow that range." in capsys.readouterr().out


def test_an_importer_without_trade_has_no_doubts(
    small_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doubt(small_root, "USA") == 0
    assert "Nothing is traded, so nothing can be missing." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("DEU",), "the run tells no doubts of DEU, only of JPN, USA. Add it to declared_importers"),
        (("JPN", "--mineral", "gallium"), "Leave one of the two out"),
        (("Japn",), "unknown importer 'Japn'; did you mean 'Japan'?"),
        (("--mineral", "galium"), "unknown mineral 'galium'; did you mean 'gallium'?"),
        (("--regime", "actve"), "unknown regime 'actve'; did you mean 'active'?"),
        (("--horizon", "30"), "no doubts at a horizon of 30 days; there are 90, 365, 1825."),
    ],
)
def test_what_no_run_tells_of_is_refused_with_the_mend(
    arguments: tuple[str, ...], sentence: str, small_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doubt(small_root, *arguments) == 40
    assert sentence in " ".join(capsys.readouterr().err.split())


# -- the setting -----------------------------------------------------------------------------------------------


def settings(folder: Path, text: str) -> Path:
    path = folder / "curbline.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_declared_importers_are_a_setting_with_six_by_default(tmp_path: Path) -> None:
    assert load_settings(settings(tmp_path, "")).declared_importers == DEFAULT_IMPORTERS
    assert load_settings(settings(tmp_path, 'declared_importers = ["DEU"]\n')).declared_importers == ("DEU",)


@pytest.mark.parametrize("value", ['["Germany"]', '"DEU"', str(["DEU"] * (MOST_IMPORTERS + 1))])
def test_what_cannot_be_a_list_of_codes_is_refused_with_its_line(tmp_path: Path, value: str) -> None:
    with pytest.raises(SettingsError, match=r"curbline.toml:1: declared_importers"):
        load_settings(settings(tmp_path, f"declared_importers = {value}\n"))


def test_a_run_declares_its_importers_and_they_are_part_of_its_identity(
    start: Callable[..., int],  # noqa: F811
    scorer: Scorer,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[RunRequest] = []
    given = type(scorer).__call__

    def noted(self: Scorer, request: RunRequest, *rest: object) -> list[str]:
        asked.append(request)
        return given(self, request, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(type(scorer), "__call__", noted)
    ids = []
    for importers in ((), ("--importer", "JPN"), ("--importer", "jpn")):
        assert start(*importers, "--json") in (0, 10)
        summary = json.loads(capsys.readouterr().out)
        ids.append(summary["run_id"])
        assert [row["importer"] for row in summary["exposure"]] == ["JPN"]
    assert [request.importers for request in asked] == [DEFAULT_IMPORTERS, ("JPN",), ("JPN",)]
    assert ids[0] != ids[1] == ids[2]


def test_a_code_that_the_facts_do_not_have_is_refused(
    start: Callable[..., int],  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert start("--importer", "JPM") == 40
    said = " ".join(capsys.readouterr().err.split())
    assert (
        "declared_importers: 'JPM' is neither a country nor a bloc of these facts; did you mean 'JPN'?"
        in said
    )
