from pathlib import Path

import pytest

from jobs.errors import SettingsError
from jobs.resources import EMBEDDED, default_facts_dir
from jobs.settings import load_settings


def write(folder: Path, text: str) -> Path:
    path = folder / "curbline.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(write(folder, text))
    return str(caught.value).replace(f"{folder}/", "")


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    assert settings.facts == (default_facts_dir(),)
    assert settings.out == tmp_path / "curbline-data"
    assert settings.curbing_country == "CHN"


def test_the_file_of_the_working_folder_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 'curbing_country = "COD"\n')
    monkeypatch.chdir(tmp_path)
    assert load_settings().curbing_country == "COD"


def test_paths_start_at_the_file(tmp_path: Path) -> None:
    settings = load_settings(
        write(tmp_path, f'facts = ["{EMBEDDED}", "mine"]\nrules = "my-rules"\nout = "../tables"\n')
    )
    assert settings.facts == (default_facts_dir(), tmp_path / "mine")
    assert settings.rules == tmp_path / "my-rules"
    assert settings.out == tmp_path.parent / "tables"


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, ""))
    with pytest.raises(ValueError, match="frozen"):
        settings.strict = True  # type: ignore[misc]  # that is the point


def test_an_unknown_key_is_refused_with_its_line_and_a_suggestion(tmp_path: Path) -> None:
    said = refusal(tmp_path, '# mine\n\nruels = "rules"\n')
    assert said == "curbline.toml:3: unknown key 'ruels'; did you mean 'rules'?"


def test_an_unknown_key_of_a_table_is_refused_with_its_line(tmp_path: Path) -> None:
    said = refusal(tmp_path, '[schedule]\ncorn = "0 2 * * *"\n')
    assert said.startswith("curbline.toml:2: unknown key 'schedule.corn'; did you mean 'cron'?")


def test_every_fault_is_listed(tmp_path: Path) -> None:
    said = refusal(tmp_path, 'keep_snapshots = 0\ncurbing_country = "China"\nstrict = "maybe"\n').splitlines()
    assert len(said) == 3
    assert said[0].startswith("curbline.toml:2: curbing_country is 'China'; write an ISO 3166")
    assert any(line.startswith("curbline.toml:1: keep_snapshots is 0:") for line in said)
    assert any(line.startswith("curbline.toml:3: strict is 'maybe':") for line in said)


def test_a_numbered_weekday_is_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, '[schedule]\ncron = "0 2 * * 1-5"\n')
    assert said.startswith("curbline.toml:2: schedule.cron")
    assert "mon-fri" in said


def test_broken_toml_names_line_and_column(tmp_path: Path) -> None:
    said = refusal(tmp_path, 'facts = ["embedded"\nrules = 1\n')
    assert "not valid TOML" in said
    assert "line 2" in said


def test_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "curbline.toml"
    path.write_bytes("# Seltene Erden für Europa\n".encode("latin-1"))
    with pytest.raises(SettingsError, match="not UTF-8 at byte 17"):
        load_settings(path)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no such settings file.*curbline init"):
        load_settings(tmp_path / "none.toml")


@pytest.mark.parametrize("text", ["facts = []", 'facts = "mine"', "facts = [1]"])
def test_facts_must_be_a_list_of_folders(tmp_path: Path, text: str) -> None:
    assert "facts" in refusal(tmp_path, text)


@pytest.mark.parametrize(
    ("draws", "words"),
    [
        (300, "draws is 300: 300 is not a power of two; write one for the draws, such as 256."),
        (8192, "draws is 8192: 8192 draws do not fit into memory; 4096 are the most."),
        (0, "draws is 0: 0 is not a power of two; write one for the draws, such as 2."),
    ],
)
def test_draws_are_a_power_of_two_that_fits(tmp_path: Path, draws: int, words: str) -> None:
    assert words in refusal(tmp_path, f"draws = {draws}\n")


def test_a_name_among_the_declared_importers_is_refused_with_its_mend(tmp_path: Path) -> None:
    said = refusal(tmp_path, 'declared_importers = ["GERMANY"]\n')
    assert said == (
        "curbline.toml:1: declared_importers is 'GERMANY'; write an ISO 3166 alpha-3 code such as DEU, "
        "or a bloc such as EU27."
    )
