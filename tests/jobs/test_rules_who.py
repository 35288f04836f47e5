"""`curbline rules show`, `who` and `schema`, on the facts and rules that come along."""

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from jobs.cli import main
from jobs.errors import SettingsError
from jobs.resources import default_facts_dir, default_rules_dir
from jobs.rules.rulebook import load_rulebook
from jobs.rules.who import Lane, as_data, as_text, who
from tests.jobs.conftest import DAY, route_row
from warehouse.asof.state import Warehouse
from warehouse.database import Database

RULESET = load_rulebook(default_rules_dir()).ruleset


@pytest.fixture(scope="module")
def published() -> Iterator[Database]:
    """The embedded facts with two published routes."""
    rows = [
        route_row("gallium", "refined", "CHN", "USA", 55.0, 365),
        route_row("dysprosium", "fabricated", "JPN", "DEU", 30.0, 365),
    ]
    with Warehouse.open_memory() as state:
        state.load_bundles([default_facts_dir()])
        state.execute("CREATE SCHEMA IF NOT EXISTS mart")
        with state.database.frame("route_rows", pl.DataFrame(rows)):
            state.execute("CREATE OR REPLACE TABLE mart.route_score AS SELECT * FROM route_rows")
        yield state.database


def test_measures_pledges_and_the_route_itself_are_looked_at(published: Database) -> None:
    lane = Lane("gallium", "refined", "CHN", "USA", 365)
    day, looks = who(published, RULESET, lane)
    assert day == DAY
    assert {look.factor for look in looks} >= {
        "withheld",
        "reroute",
        "mitigation",
        "access",
        "stock_days",
        "flag",
    }
    licence = next(look for look in looks if any("MOFCOM 23/2023" in name for name in look.subjects))
    by_rule = {verdict.rule_id: verdict for verdict in licence.verdicts}
    assert by_rule["dual-use-licence"].applies
    assert by_rule["export-ban"].reason == "instrument: want export_ban, got export_licence"
    text = as_text(RULESET, lane, day, looks)
    assert "dual-use-licence: applies" in text
    assert len(json.dumps(as_data(lane, day, looks), default=str)) > 1000


def test_a_foreign_route_is_asked_about_reach(published: Database) -> None:
    looks = who(published, RULESET, Lane("dysprosium", "fabricated", "JPN", "DEU", 365))[1]
    factors = {look.factor for look in looks}
    assert "extraterritorial" in factors
    assert "withheld" not in factors


@pytest.mark.parametrize(
    ("lane", "said"),
    [
        (Lane("galium", "refined", "CHN", "USA", 365), "did you mean 'gallium'?"),
        (Lane("gallium", "fabricated", "JPN", "USA", 365), "ships no gallium"),
        (Lane("gallium", "refined", "CHN", "USA", 30), "90, 365, 1825"),
    ],
)
def test_a_route_that_is_not_there_is_said(published: Database, lane: Lane, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        who(published, RULESET, lane)
    assert said in str(refused.value)


def test_show_says_a_rule_and_mends_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "show", "company-ban", "--as-of", "2026-11-23"]) == 0
    assert "instrument is company_ban" in capsys.readouterr().out
    assert main(["rules", "show", "company-bn"]) == 40
    assert "did you mean 'company-ban'?" in capsys.readouterr().err


def test_schema_is_printed_or_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "schema"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert main(["rules", "schema", "--out", str(tmp_path / "schemas")]) == 0
    written = {path.name: json.loads(path.read_text("utf-8")) for path in (tmp_path / "schemas").iterdir()}
    assert written == printed
    assert set(printed) == {"features.schema.json", "rule.schema.json", "scorecard.schema.json"}
