"""Adding facts by hand: validated with what they stand on, appended whole, never rewriting."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from jobs.cli import main
from jobs.facts.add import commit, staged
from jobs.resources import default_facts_dir, facts_template
from warehouse.bundle.reading import read_bundles

NOW = datetime(2026, 11, 24, tzinfo=UTC)
STATE = """\
source_id: mofcom-57-2025
known_from: 2026-11-24
measure_states:
  - {measure_id: cn-57-2025, clause: all, destination: "*", state: in_force, valid_from: 2026-11-24}
"""


def write(folder: Path, text: str, name: str = "notice.yml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def add(file: Path, bundle: Path) -> dict[str, int]:
    with staged(file, bundle, (default_facts_dir(), bundle)) as found:
        commit(found, bundle, since=NOW)
        return found.added


def refusal(file: Path, bundle: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert main(["facts", "add", str(file), "--to", str(bundle)]) == 30
    return capsys.readouterr().err.splitlines()


def test_the_template_can_be_added_as_it_is(tmp_path: Path) -> None:
    bundle = tmp_path / "own"
    added = add(write(tmp_path, facts_template()), bundle)
    assert added == {
        "sources": 1,
        "measures": 1,
        "measure_states": 2,
        "measure_items": 1,
        "measure_destinations": 1,
    }
    facts = read_bundles([default_facts_dir(), bundle], strict=True)
    item = facts.tables["measure_items"].filter(item_id="cn-00-2026-silicon-refined-metal").row(0, named=True)
    assert (item["coverage_share_low"], item["coverage_share_best"], item["hs6"]) == (0.9, 1.0, "280469")
    assert item["known_from"] == date(2026, 11, 24)
    assert item["source_id"] == "mofcom-00-2026"


def test_rows_go_below_what_stands_there_and_nothing_is_rewritten(tmp_path: Path) -> None:
    bundle = tmp_path / "own"
    add(write(tmp_path, facts_template()), bundle)
    before = {path.name: path.read_bytes() for path in bundle.glob("*.csv")}
    assert add(write(tmp_path, STATE), bundle) == {"measure_states": 1}
    after = {path.name: path.read_bytes() for path in bundle.glob("*.csv")}
    assert after.keys() == before.keys()
    assert all(after[name].startswith(before[name]) for name in before)
    assert after["measure_states.csv"].count(b"\n") == before["measure_states.csv"].count(b"\n") + 1


def test_the_same_rows_are_not_added_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = tmp_path / "own"
    file = write(tmp_path, STATE)
    assert main(["facts", "add", str(file), "--to", str(bundle), "--json"]) == 0
    assert main(["facts", "add", str(file), "--to", str(bundle), "--json"]) == 0
    first, second = capsys.readouterr().out.split("}\n{")
    assert json.loads(first + "}")["added"] == {"measure_states": 1}
    assert json.loads("{" + second)["already"] == 1
    assert (bundle / "measure_states.csv").read_text().count("cn-57-2025") == 1


def test_after_a_crash_between_tables_adding_again_completes_the_file(tmp_path: Path) -> None:
    whole, half = tmp_path / "whole", tmp_path / "half"
    file = write(tmp_path, facts_template())
    add(file, whole)
    half.mkdir()
    for name in ("bundle.toml", "sources.csv", "measures.csv"):
        (half / name).write_bytes((whole / name).read_bytes())
    assert add(file, half) == {"measure_states": 2, "measure_items": 1, "measure_destinations": 1}
    for path in whole.glob("*.csv"):
        assert (half / path.name).read_bytes() == path.read_bytes()


def test_a_bundle_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    from jobs.errors import InputError

    bundle = tmp_path / "own"
    add(write(tmp_path, STATE), bundle)
    second = write(tmp_path, STATE.replace("2026-11-24}", "2026-11-25}"), "second.yml")
    with staged(second, bundle, (default_facts_dir(), bundle)) as found:
        states = bundle / "measure_states.csv"
        states.write_text(states.read_text() + "another hand's row\n")
        with pytest.raises(InputError, match="changed while rows were being added"):
            commit(found, bundle, since=NOW)
    assert states.read_text().endswith("another hand's row\n")


@pytest.mark.parametrize(
    ("edit", "place", "message"),
    [
        (("in_force", "inforce"), "4:68", "did you mean 'in_force'"),
        (("cn-57-2025", "cn-57-2026"), "4:18", "is in no row of measures; did you mean"),
        (("measure_states:", "measure_state:"), "3:1", "not a fact table; did you mean 'measure_states'"),
        (("clause:", "clauses:"), "4:30", "not a column of measure_states; did you mean 'clause'"),
        (("source_id: mofcom-57-2025", "source_id: mofcom-77"), "1:12", "is in no row of sources"),
        (("known_from: 2026-11-24", "known_from: [2026-11-24]"), "2:13", "one value for every row"),
        (("valid_from: 2026-11-24", "valid_from: 2026-13-24"), "4:90", "is not a date"),
        (('"*"', "*"), "4:57", ""),
    ],
)
def test_a_fault_is_told_at_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], edit: tuple[str, str], place: str, message: str
) -> None:
    said = refusal(write(tmp_path, STATE.replace(*edit)), tmp_path / "own", capsys)
    assert said[0].startswith(f"notice.yml:{place}: ")
    assert message in said[0]
    assert said[-1].endswith("refused; nothing was added.")
    assert not (tmp_path / "own").exists()


def test_a_row_that_names_a_refused_one_is_not_blamed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = facts_template().replace("export_licence", "export_license")
    said = refusal(write(tmp_path, text), tmp_path / "own", capsys)
    assert len(said) == 2
    assert "measures instrument 'export_license'" in said[0]


def test_shares_above_the_whole_name_the_rows_that_they_would_push_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = (
        "{hs6: '810600', hs_revision: '92', mineral: other, stage: refined, form: scrap, exporter: '*', importer: '*', "
        "share: [0.5, 0.5, 0.5], share_of: weight, trade_basis: exact}"
    )
    text = f"source_id: wco-hs\nknown_from: 1992-01-01\nhs_codes:\n  - {row}\n"
    said = refusal(write(tmp_path, text), tmp_path / "own", capsys)
    assert any(
        "with the new rows this row" in line and "more than the whole" in line for line in said
    ) or any("more than the whole" in line and line.startswith("notice.yml:4") for line in said)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"- a\n- b\n", "a mapping of tables"),
        (b"measures: 3\n", "is a list of rows"),
        (b"measures:\n  - 3\n", "is a mapping of columns"),
        (b"source_id: a\n", "contains no row"),
        (b"\xff\xfem\x00", "not UTF-8"),
        (b"a: &x 1\nb: *x\n", "anchors and aliases"),
    ],
)
def test_a_file_that_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, message: str
) -> None:
    path = tmp_path / "notice.yml"
    path.write_bytes(content)
    assert message in "\n".join(refusal(path, tmp_path / "own", capsys))


def test_no_file_and_no_bundle(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["facts", "add", "none.yml", "--to", "own"]) == 30
    assert "cannot be read" in capsys.readouterr().err
    assert main(["facts", "add", str(write(tmp_path, STATE))]) == 40
    assert "name your own bundle with --to" in capsys.readouterr().err


def test_schema_lists_tables_and_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["facts", "schema"]) == 0
    assert "measure_states" in capsys.readouterr().out
    assert main(["facts", "schema", "measure_states"]) == 0
    said = capsys.readouterr().out
    assert "No two rows may share: measure_id, clause, destination, state, valid_from, known_from" in said
    assert "proposed, announced, in_force" in said
    assert main(["facts", "schema", "measures", "--json"]) == 0
    assert "export_licence" in json.dumps(json.loads(capsys.readouterr().out))
    assert main(["facts", "schema", "mesures"]) == 40
    assert "did you mean 'measures'" in capsys.readouterr().err


@pytest.mark.slow
def test_a_plan_says_what_moves_and_adds_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, facts_template())
    arguments = [
        "facts",
        "add",
        str(file),
        "--to",
        str(tmp_path / "own"),
        "--plan",
        "--as-of",
        "2026-12-05",
        "--json",
    ]
    assert main(arguments) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["minerals"] == ["silicon"]
    active = plan["regimes"]["active"]
    assert active["moved"] > 500
    assert {row["mineral"] for row in active["top"]} == {"silicon"}
    # A full stop takes the same whatever the law, but meets stocks that a measure in force has drained for some days.
    assert all(abs(row["change"]) < 1 for row in plan["regimes"]["full_stop"]["top"])
    assert not (tmp_path / "own").exists()
