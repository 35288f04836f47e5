"""`curbline rules sensitivity`: the table, the data, and what it refuses."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.errors import ExitCode

ROOT = Path(__file__).resolve().parents[2]


def curbline(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "jobs.cli", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_the_table_and_the_data_tell_the_same() -> None:
    words = ("rules", "sensitivity", "--as-of", "2026-11-23", "--mineral", "gallium", "--top", "2")
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
