"""`facts history`: the life of a row, found by its key, with place and source."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.cli import main
from jobs.errors import SettingsError
from jobs.facts.history import history
from tests.jobs.bundle import write_bundle

STATES = """\
measure_id,clause,destination,state,valid_from,valid_to,note,source_id,known_from
cn-1,all,*,in_force,2025-04-04,,,src-a,2025-04-04
cn-1,all,*,suspended,2025-11-10,2026-11-11,a pause,src-b,2025-11-07
"""
MEASURES = """\
measure_id,curbing_country,authority,notice,title,instrument,date_announced,is_framework,source_id,known_from
cn-1,CHN,MOFCOM,MOFCOM 1/2025,A licence,export_licence,2025-04-04,false,src-a,2025-04-04
"""
PRODUCTION = """\
mineral,stage,country,year,production_t_low,production_t_best,production_t_high,qualifier,source_id,known_from
gallium,refined,CHN,2024,600,600,600,estimated,src-b,2025-03-01
gallium,refined,CHN,2024,700,760,800,reported,src-a,2026-02-01
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "facts", measures=MEASURES, measure_states=STATES, production=PRODUCTION)


def test_rows_of_a_key_come_in_the_order_in_which_they_were_known(folder: Path) -> None:
    found = history([folder], ["cn-1"])
    assert [(event.known_from, event.table, event.says.get("state")) for event in found] == [
        ("2025-04-04", "measure_states", "in_force"),
        ("2025-04-04", "measures", None),
        ("2025-11-07", "measure_states", "suspended"),
    ]
    assert (found[2].grade, found[2].title, found[2].place) == ("C", "A pause", "facts/measure_states.csv:3")
    assert found[2].says["valid_to"] == "2026-11-11"


def test_several_words_name_a_figure_and_its_claims(folder: Path) -> None:
    found = history([folder], ["gallium", "refined", "CHN"])
    assert [(event.says["production_t_best"], event.source_id) for event in found] == [
        ("600", "src-b"),
        ("760", "src-a"),
    ]


def test_bundles_are_stacked(folder: Path, tmp_path: Path) -> None:
    more = STATES.splitlines()[0] + "\ncn-1,all,*,in_force,2026-11-11,,,src-a,2026-11-12\n"
    own = write_bundle(tmp_path / "own", measure_states=more)
    assert [event.known_from for event in history([folder, own], ["cn-1"])][-1] == "2026-11-12"


def test_an_unknown_key_names_the_nearest(folder: Path) -> None:
    with pytest.raises(SettingsError, match=r"no row has cn-2; did you mean 'cn-1'"):
        history([folder], ["cn-2"])


def test_the_command_prints_notes_places_and_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["facts", "history", "cn-1", "--facts", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "C src-b: A pause  [facts/measure_states.csv:3]" in printed
    assert "            a pause" in printed
    assert "3 rows, oldest knowledge first" in printed
    assert main(["facts", "history", "cn-1", "--own", "--json", "--facts", str(folder)]) == 0
    assert {event["is_own"] for event in json.loads(capsys.readouterr().out)} == {True}
    assert main(["facts", "history", "nothing", "--facts", str(folder)]) == 40


HEAD = "source_id: src-b\nknown_from: 2026-11-20\n"


def added(tmp_path: Path, folder: Path, text: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    path = tmp_path / "rows.yml"
    path.write_text(HEAD + text, encoding="utf-8")
    code = main(["facts", "add", str(path), "--to", str(tmp_path / "own"), "--facts", str(folder)])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_a_correction_is_a_later_edition_of_the_row_that_it_names(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "corrections:\n  - {table: measure_states, of: {measure_id: cn-1, state: suspended}, set: {valid_to: 2027-11-11}}\n"
    assert added(tmp_path, folder, text, capsys)[0] == 0
    found = history([folder, tmp_path / "own"], ["cn-1"])
    last = found[-1]
    assert (last.known_from, last.says["state"], last.says["valid_from"], last.says["valid_to"], last.source_id) == (
        "2026-11-20", "suspended", "2025-11-10", "2027-11-11", "src-b")  # fmt: skip
    assert [event.says["valid_to"] for event in found if event.says.get("state") == "suspended"] == [
        "2026-11-11",
        "2027-11-11",
    ]


def test_a_retracted_state_is_unknown_from_then_on(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "retractions:\n  - {table: measure_states, of: {measure_id: cn-1, state: suspended}}\n"
    assert added(tmp_path, folder, text, capsys)[0] == 0
    assert history([tmp_path / "own"], ["cn-1"])[-1].says["state"] == "unknown"


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("corrections:\n  - {table: measures, of: {measure_id: cn-1}, set: {title: x}}", "have no editions"),
        ("corrections:\n  - {table: measure_states, of: {measure_id: cn-1}, set: {note: x}}", "2 rows have measure_id cn-1"),
        ("corrections:\n  - {table: measure_states, of: {measure_id: cn-9}, set: {note: x}}", "no row has measure_id cn-9"),
        ("corrections:\n  - {table: measure_state, of: {measure_id: cn-1}, set: {note: x}}", "did you mean 'measure_states'"),
        ("corrections:\n  - {table: measure_states, of: {measure: cn-1}, set: {note: x}}", "is not a column"),
        ("corrections:\n  - {table: measure_states, of: {measure_id: cn-1}}", "has of, set, table"),
        ("retractions:\n  - {table: production, of: {mineral: gallium, source_id: src-b}}", "can be retracted"),
        ("corrections:\n  - {table: production, of: {source_id: src-a}, set: {production_t: [1, 2, 3]}}", "a claim beside the other"),
        ("corrections:\n  - {table: measure_states, of: {measure_id: cn-1, state: suspended}, set: {known_from: 2025-11-07}}",
         "must be known later"),
    ],
)  # fmt: skip
def test_what_cannot_be_corrected_says_what_to_do_instead(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str], entry: str, says: str
) -> None:
    code, said = added(tmp_path, folder, entry + "\n", capsys)
    assert (code, says in said, "nothing was added" in said) == (30, True, True), said


def test_added_rows_keep_the_order_and_the_layout_of_the_bundle(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "bundle.toml").write_text('name = "own"\nversion = "1"\nlicence = "x"\n', encoding="utf-8")
    # Columns in an order of a person's own, rows not sorted, one quoted without need.
    mine = 'note,state,measure_id,clause,destination,valid_to,valid_from,basis,source_id,known_from\n"z",ended,cn-1,b,*,,2026-01-02,,src-a,2026-01-02\n'
    (own / "measure_states.csv").write_text(
        mine + "a,ended,cn-1,a,*,,2026-01-01,,src-a,2026-01-01\n", encoding="utf-8"
    )
    before = (own / "measure_states.csv").read_text(encoding="utf-8")
    text = 'measure_states:\n  - {measure_id: cn-1, clause: all, destination: "*", state: ended, valid_from: 2026-11-20}\n'
    code, said = added(tmp_path, folder, text, capsys)
    assert code == 0, said
    after = (own / "measure_states.csv").read_text(encoding="utf-8")
    assert after == before + ",ended,cn-1,all,*,,2026-11-20,,src-b,2026-11-20\n"


def test_a_figure_of_another_source_is_a_claim_and_said_to_be_one(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = "{mineral: gallium, stage: refined, country: CHN, year: 2024, production_t: [500, 500, 500], qualifier: reported}"
    third = "sources:\n  - {source_id: third, publisher: P, title: T, published: 2026-11-20, licence: x, grade: C}\n"
    text = f"{third}production:\n  - {{source_id: third, {row[1:]}\n"
    code, said = added(tmp_path, folder, text, capsys)
    assert code == 0, said
    assert "production: 1 added, beside 2 rows of other sources about the same." in said
