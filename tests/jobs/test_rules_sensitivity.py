"""`curbline rules sensitivity`: the table, the data, and what it refuses."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from jobs.errors import ExitCode
from tests.engine.rulebook import RULES
from tests.warehouse.conftest import small_facts, write_bundle

ROOT = Path(__file__).resolve().parents[2]


def curbline(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "jobs.cli", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )


def few_rules(folder: Path) -> Path:
    """The scorecard with one rule of licences: some ranges instead of a hundred."""
    for name in ("features.yml", "scorecard.yml", "withholding/dual-use-licence.yml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(RULES / name, folder / name)
    return folder


def test_the_table_and_the_data_tell_the_same(tmp_path: Path) -> None:
    facts = write_bundle(tmp_path / "facts", small_facts())
    rules = few_rules(tmp_path / "rules")
    words = ["rules", "sensitivity", "--as-of", "2026-11-23", "--mineral", "gallium", "--top", "2"]
    words += ["--facts", str(facts), "--rules", str(rules)]
    table, data = curbline(*words), curbline(*words, "--json")
    assert (table.returncode, data.returncode) == (ExitCode.OK, ExitCode.OK)
    told = json.loads(data.stdout)
    assert len(told["values"]) == 2
    first = told["values"][0]
    assert first["effects"]["low"]["largest_move"]["mineral"] == "gallium"
    assert first["value"] in table.stdout
    assert first["rule_id"] in table.stdout
    assert f"{first['effects']['low']['mean_priority_change']:.2f}" in table.stdout
    assert "one at a time; active regime, 365 days" in table.stdout


def test_what_is_unknown_is_named() -> None:
    mineral = curbline("rules", "sensitivity", "--as-of", "2026-11-23", "--mineral", "galium")
    assert mineral.returncode == ExitCode.SETTINGS
    assert "did you mean 'gallium'?" in mineral.stderr
    horizon = curbline("rules", "sensitivity", "--horizon", "100")
    assert horizon.returncode == ExitCode.SETTINGS
    assert "90, 365, 1825" in horizon.stderr
