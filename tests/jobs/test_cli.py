import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from jobs.cli import main
from jobs.explain import text
from jobs.output.layout import Layout
from jobs.output.publish import place_snapshot, point_to
from jobs.output.seal import Contents
from tests.jobs.bundle import TABLES, write_bundle
from tests.jobs.conftest import DAY, RUN_ID, build_small


def test_help_lists_commands_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    for word in (
        "run",
        "schedule",
        "explain",
        "sql",
        "export",
        "status",
        "init",
        "rules",
        "facts",
        "75 busy",
    ):
        assert word in said


@pytest.mark.parametrize(
    "command",
    [
        "run",
        "schedule",
        "explain",
        "sql",
        "export",
        "status",
        "init",
        "rules check",
        "rules test",
        "facts check",
    ],
)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.split(), "--help"]) == 0
    assert "Usage: curbline" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("curbline ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rnu"], "Did you mean 'run'?"),
        (["explain", "gallium"], "Missing argument 'stage'"),
        (["sql"], "Missing argument 'query'"),
        (["sql", "SELECT 1", "--limit", "x"], "Invalid value for '--limit'"),
        (["sql", "SELECT 1", "--format", "jsn"], "unknown format 'jsn'; did you mean 'json'?"),
        (["schedule", "--cron", "0 2 * * 1-5"], "day of week '1-5' is refused"),
    ],
)
def test_usage_errors_are_sentences_and_40(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 40
    errors = capsys.readouterr().err
    assert said in errors
    assert "Traceback" not in errors


def test_the_module_runs_as_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "jobs.cli", "rnu"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 40
    assert done.stdout == ""


def test_a_closed_pipe_is_no_error(small_root: Path) -> None:
    query = "SELECT range FROM range(100000)"
    command = f'"{sys.executable}" -m jobs.cli sql "{query}" --format csv --limit 100000 --out "{small_root}" | head -1'
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("range\n", "")


@pytest.mark.parametrize(
    "command",
    [
        "status --out ROOT",
        "status --out ROOT --json",
        "explain gallium refined CHN USA --out ROOT",
        "verify --out ROOT",
        "facts sources",
        "rules show quota",
        "rules schema",
        "rules check",
        "--help",
        "rules check --help",
        "--version",
    ],
)
def test_nothing_is_said_where_nobody_reads_and_141_is_returned(command: str, small_root: Path) -> None:
    arguments = command.replace("ROOT", str(small_root)).split()
    done = subprocess.Popen(
        [sys.executable, "-m", "jobs.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert done.stdout is not None
    done.stdout.close()  # before the program writes: it needs longer than this to start
    done.stdout = None
    _, errors = done.communicate(timeout=60)
    assert (done.returncode, errors) == (141, "")


def test_errors_that_nobody_reads_end_quietly_too() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "jobs.cli", "rnu"],
        stdout=subprocess.PIPE,
        stderr=write,
        text=True,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stdout) == (141, "")


def explain(root: Path, *arguments: str) -> int:
    return main(["explain", *arguments, "--out", str(root)])


def test_explain_says_why(small_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = time.perf_counter()
    assert explain(small_root, "gallium", "refined", "CHN", "USA") == 0
    assert time.perf_counter() - start < 1
    said = " ".join(capsys.readouterr().out.split())
    for part in (
        "gallium / refined / CHN → USA, 365 days", "as of 2026-11-23", "active 55.0 moderate 24.2 % – 36.3 % 51.0–59.0 firm", "Expect 30.3 % of 365 days of gallium",
        "snapback 65.0 high", "full stop 75.0", "S0 full stop +90.0 90.0 every shipment of CHN ceases", "S1 law, refined -35.0 55.0",
        "MOFCOM 23/2023 needs a licence for gallium: 35 % of what CHN sends to USA.", "35 % (10 %–60 %)", "src-a A MOFCOM",
        "Next known event: 2026-11-28, MOFCOM 46/2024", "Normal trade 12.5 t in 2022",
    ):  # fmt: skip
        assert part in said, part


def test_explain_takes_names_in_any_case(small_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        explain(small_root, "Ga", "Refined", "china", "united states", "--json", "--regime", "snapback") == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert found["question"] == {
        "mineral": "gallium", "stage": "refined", "exporter": "CHN", "importer": "USA", "horizon_days": 365, "regime": "snapback",
    }  # fmt: skip
    assert sum(term["points"] for term in found["waterfall"]) == pytest.approx(
        found["scores"]["snapback"]["score"]["best"]
    )


def test_explain_the_total_of_an_importer(small_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(small_root, "gallium", "refined", "all", "DEU", "--horizon", "90") == 0
    said = capsys.readouterr().out
    assert "gallium / refined / all → DEU, 90 days" in said
    assert "Imports 20 t in 2022" in said


@pytest.fixture
def with_bloc(tmp_path: Path, marts: dict[str, pl.DataFrame]) -> Path:
    """The small file, with the EU27 as an importer and a measure on one of its members."""
    bloc = {
        name: pl.concat([frame, frame.filter(importer="DEU").with_columns(importer=pl.lit("EU27"))])
        for name, frame in marts.items()
        if name in {"importer_score", "importer_contribution_wide"}
    }
    hits = marts["flow_measure"].with_columns(flow_importer=pl.lit("DEU"))
    layout = Layout(tmp_path)
    path = place_snapshot(
        layout, as_of=DAY, run_id=RUN_ID, build=lambda p: build_small(p, {**marts, **bloc, "flow_measure": hits}),
        verify=lambda _: Contents("", {}),
    )  # fmt: skip
    point_to(layout, path)
    return layout.root


@pytest.mark.parametrize("written", ["EU27", "EU", "eu"])
def test_explain_a_bloc_names_the_measures_on_its_members(
    with_bloc: Path, capsys: pytest.CaptureFixture[str], written: str
) -> None:
    assert explain(with_bloc, "gallium", "refined", "all", written) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "gallium / refined / all → EU27, 365 days" in said
    assert "S1 law, refined -45.0 45.0" in said
    assert "MOFCOM 23/2023 all in force refined CHN → DEU" in said
    assert "No measure withholds" not in said


def test_sql_has_the_sentences_that_explain_prints(
    small_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for exporter, view in (("CHN", "contribution_sentence"), ("all", "importer_contribution_sentence")):
        assert explain(small_root, "gallium", "refined", exporter, "DEU", "--json") == 0
        printed = [(t["step"], t["sentence"]) for t in json.loads(capsys.readouterr().out)["waterfall"]]
        where = "mineral = 'gallium' AND stage = 'refined' AND importer = 'DEU' AND horizon_days = 365"
        lane = " AND exporter = 'CHN'" if exporter == "CHN" else ""
        query = f"SELECT step, sentence FROM mart.{view} WHERE {where}{lane} AND regime = 'active' ORDER BY sort_order"
        assert main(["sql", query, "--format", "json", "--out", str(small_root)]) == 0
        rows = json.loads(capsys.readouterr().out)
        assert [(row["step"], row["sentence"]) for row in rows] == printed
        assert all(sentence for _, sentence in printed)


def test_explain_leaves_out_what_comes_to_nothing() -> None:
    term = {"step": "S1", "step_name": "law", "measure_id": None, "term_stage": None, "sentence": "Small."}
    for points, is_told in (((0.001, -0.001), False), ((0.02, 0.02), True)):
        terms = [{**term, "points": value} for value in points]
        found = {"question": {"regime": "active"}, "waterfall": terms, "row": {}}
        shown = Console(width=200, file=StringIO())
        for part in text._waterfall(found):
            shown.print(part)
        assert ("smaller terms" in shown.file.getvalue()) is is_told  # type: ignore[attr-defined]


def test_explain_an_unknown_score(small_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(small_root, "dysprosium", "fabricated", "JPN", "DEU") == 0
    said = capsys.readouterr().out
    assert "Unknown: no pool can be formed" in said
    assert "Read the score as unverified." in said


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["galium", "refined", "CHN", "USA"], 40, "unknown mineral 'galium'; did you mean 'gallium'?"),
        (
            ["gallium", "refned", "CHN", "USA"],
            40,
            "no routes of gallium at stage 'refned'; did you mean 'refined'?",
        ),
        (["gallium", "refined", "CHM", "USA"], 40, "unknown exporter 'CHM'; did you mean 'CHN'?"),
        (
            ["gallium", "refined", "CHN", "EU"],
            40,
            "importer 'EU' is a bloc, and a route joins two countries. Name a member, or ask for what EU27 buys",
        ),
        (["gallium", "refined", "EU27", "DEU"], 40, "exporter 'EU27' is a bloc"),
        (["gallium", "refined", "all", "EU28"], 40, "unknown importer 'EU28'; did you mean 'EU27'?"),
        (["gallium", "refined", "CHN", "USA", "--horizon", "30"], 40, "known: 90, 365, 1825"),
        (["gallium", "refined", "CHN", "USA", "--regime", "snapbak"], 40, "did you mean 'snapback'?"),
        (["gallium", "refined", "FRA", "DEU"], 30, "no such trade is known. DEU buys from: CHN, JPN."),
        (["gallium", "refined", "FRA", "JPN"], 30, "no trade into JPN is known at this stage"),
    ],
)
def test_explain_helps_with_names(
    small_root: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    assert explain(small_root, *arguments) == code
    assert said in capsys.readouterr().err


def test_sql_reads_standard_input(small_root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "jobs.cli", "sql", "-", "--format", "csv", "--out", str(small_root)],
        input="SELECT count(*) AS n FROM mart.route_score;", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "n\n15\n")


def test_sql_says_when_rows_are_cut(small_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["sql", "SELECT notice FROM mart.calendar, range(5)", "--limit", "2", "--out", str(small_root)])
        == 0
    )
    shown = capsys.readouterr()
    assert "first 2 rows" in shown.err
    assert "MOFCOM 46/2024" in shown.out


def test_a_run_is_chosen_by_the_start_of_its_id(small_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(
            [
                "sql",
                "SELECT run_id FROM meta.run",
                "--format",
                "csv",
                "--run",
                "0123",
                "--out",
                str(small_root),
            ]
        )
        == 0
    )
    assert capsys.readouterr().out == f"run_id\n{RUN_ID}\n"
    assert main(["sql", "SELECT 1", "--run", "9", "--out", str(small_root)]) == 40
    assert f"no published run '9'; known: {RUN_ID}" in capsys.readouterr().err


def test_nothing_published_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["sql", "SELECT 1"], ["explain", "gallium", "refined", "CHN", "USA"], ["export"]):
        assert main([*arguments, "--out", str(tmp_path / "none")]) == 30
        assert "nothing is published in this folder yet. Run `curbline run" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("day", "code", "said"),
    [(24, 0, "Fresh: as of 2026-11-23, 1 day old."), (26, 30, "Stale: as of 2026-11-23, 3 days old")],
)
def test_status(
    small_root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    day: int,
    code: int,
    said: str,
) -> None:
    monkeypatch.setattr("jobs.commands.read.now", lambda: datetime(2026, 11, day, tzinfo=UTC))
    assert main(["status", "--out", str(small_root)]) == code
    assert said in capsys.readouterr().out
    assert main(["status", "--json", "--out", str(small_root)]) == code
    assert json.loads(capsys.readouterr().out)["run_id"] == RUN_ID


def test_status_of_an_empty_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--out", str(tmp_path)]) == 30
    assert "Nothing is published here yet" in capsys.readouterr().out


def test_export_of_tables_and_of_a_workbook(
    small_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["export", "--format", "csv", "--to", str(tmp_path / "tables"), "--out", str(small_root)]) == 0
    )
    assert (tmp_path / "tables" / "route_score.csv").is_file()
    assert not (tmp_path / "tables" / "route_score.parquet").exists()
    assert (
        main(["export", "--importer", "deu", "--to", str(tmp_path / "book"), "--out", str(small_root)]) == 0
    )
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "book" / "routes-DEU-365d.xlsx")
    assert sorted(path.name for path in (tmp_path / "book").iterdir()) == [
        "manifest.json",
        "routes-DEU-365d.xlsx",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "xls"], "did you mean 'xlsx'?"),
        (["--format", "xlsx"], "name --importer DEU, or --top 50"),
        (["--format", "csv", "--top", "5"], "add --format xlsx"),
    ],
)
def test_export_options_that_do_not_fit(
    small_root: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["export", *arguments, "--out", str(small_root)]) == 40
    assert said in capsys.readouterr().err


def test_init_begins_a_project_that_validates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "mine"
    assert main(["init", str(project)]) == 0
    assert sorted(path.name for path in project.iterdir()) == ["curbline.toml", "facts", "rules"]
    monkeypatch.chdir(project)
    capsys.readouterr()
    assert main(["rules", "test"]) == 0
    assert "tests of the rules passed" in capsys.readouterr().out
    assert main(["facts", "check", "facts", "--alone"]) == 0
    assert "own-facts 0.1.0: 0 rows accepted" in capsys.readouterr().out
    assert main(["init", str(project)]) == 40
    assert "nothing is overwritten" in capsys.readouterr().err


def test_rules_check_finds_the_default_rules_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "check"]) in (0, 10)
    assert " 0 problems" in capsys.readouterr().out


def test_rules_check_lists_every_problem_with_a_caret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "mine"
    assert main(["init", str(project)]) == 0
    targets = sorted((project / "rules" / "withholding").glob("*.yml"))[:2]
    for target in targets:
        target.write_text(
            target.read_text(encoding="utf-8").replace("status: active", "status: activ"), encoding="utf-8"
        )
    capsys.readouterr()
    assert main(["rules", "check", "--rules", str(project / "rules")]) == 40
    said = capsys.readouterr().out
    for target in targets:
        assert f"rules/withholding/{target.name}:" in said
    assert "^" in said
    assert "did you mean 'active'?" in said


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("x.yml", "id: é".encode("latin-1"), "rules/x.yml:1: not UTF-8"),
        ("x.yaml", b"id: x", "rules/x.yaml: rule files end in .yml"),
        ("x.yml", b"#" * 1_000_001, "larger than 1,000,000 bytes"),
    ],
)
def test_files_that_are_no_rules_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, data: bytes, said: str
) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / name).write_bytes(data)
    assert main(["rules", "check", "--rules", str(rules)]) == 40
    assert said in capsys.readouterr().err


def test_facts_check_lists_rows_and_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = TABLES["trade"] + "2024,CHN,XXX,811292,17,1000,1,true,src-a,2026-02-01\n"
    bundle = write_bundle(tmp_path / "tiny", trade=bad)
    assert main(["facts", "check", str(bundle), "--alone"]) == 10
    said = capsys.readouterr().out
    assert "tiny/trade.csv:4: importer 'XXX'" in said
    assert "tiny 1: 14 rows accepted in 5 tables, 1 fault." in said
    assert main(["facts", "check", str(bundle), "--alone", "--strict"]) == 30
    assert main(["facts", "check", str(tmp_path / "none")]) == 30
    assert main(["facts", "check", str(bundle), "--alone", "--json"]) == 10
