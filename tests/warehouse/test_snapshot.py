from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.warehouse.helpers import given, run_frame
from warehouse.asof.state import Warehouse
from warehouse.errors import MartError, SnapshotError
from warehouse.published.dictionary import data_dictionary
from warehouse.published.mart_columns import TABLES_OF_MART
from warehouse.published.meta_columns import META
from warehouse.published.snapshot import build_snapshot
from warehouse.published.view_columns import VIEWS
from warehouse.records.tables import TABLES

WIDE = pl.DataFrame(
    {
        "mineral": ["gallium", "gallium"],
        "stage": ["refined", "refined"],
        "exporter": ["CHN", "CHN"],
        "importer": ["USA", "DEU"],
        "horizon_days": [365, 365],
        "regime": ["active", "active"],
        **{f"s{n}": [float(n), 0.0] for n in range(7)},
        **{
            f"{factor}_rule_id": ["some-rule", None]
            for factor in ("alternatives", "substitution", "stock_days")
        },
        "t001": [12.5, None],
        "t002": [-2.5, 1.0],
    }
)
TERMS = pl.DataFrame(
    {
        "mineral": ["gallium", "gallium"],
        "term": ["t001", "t002"],
        "step": ["S1", "S2"],
        "step_name": ["the law", "pledges"],
        "rule_id": ["dual-use-licence", "announced-pledge"],
        "measure_id": ["23-2023", None],
        "clause": ["all", None],
        "term_stage": ["refined", "refined"],
        "flow_exporter": ["CHN", "CHN"],
        "pledge_id": [None, "pause"],
        "sort_order": [1, 2],
        "source_ids": [["official"], ["official", "press"]],
        "explain": [
            "{exporter}'s {mineral} to {importer} at {horizon_days} days: {points}.",
            "It's a pledge.",
        ],
        "notice": ["MOFCOM 23/2023", None],
    },
    schema_overrides={"clause": pl.String, "measure_id": pl.String, "pledge_id": pl.String},
)
STEPS = pl.DataFrame(
    {
        "step": ["S1", "S2"],
        "step_name": ["the law", "pledges"],
        "sentence": ["Law: {points}.", "Pledges: {points}."],
        "response": [None, None],
        "is_extraterritorial": [False, False],
        "sort_order": [1, 2],
    },
    schema_overrides={"response": pl.String},
)
MARTS = {"contribution_wide": WIDE, "contribution_term": TERMS, "waterfall_step": STEPS}


@pytest.fixture(scope="module")
def published(warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("snapshots") / ".build-r1.duckdb"
    build_snapshot(path, warehouse, given(MARTS))
    return path


def bare(path: Path, sql: str) -> str:
    """Run SQL in another process: a plain DuckDB client that knows nothing of this project."""
    code = (
        "import duckdb, sys; print(duckdb.connect(sys.argv[1], read_only=True).sql(sys.argv[2]).fetchall())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), sql], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_bare_client_reads_the_macros(published: Path) -> None:
    sql = (
        "SELECT state, destination, scope FROM measures_at(DATE '2026-11-23', DATE '2026-11-23') "
        "WHERE measure_id = '46-2024'"
    )
    assert bare(published, sql) == "[('suspended', 'USA', 'country')]"
    for macro in ("pledges_at", "reserves_at", "production_at", "trade_at"):
        assert (
            bare(published, f"SELECT count(*) > 0 FROM {macro}(DATE '2026-11-23', DATE '2026-11-23')")
            == "[(True,)]"
        )


def test_no_log_is_left_and_the_file_is_of_the_stable_format(published: Path) -> None:
    assert [p.name for p in published.parent.iterdir()] == [published.name]
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{published}' AS file (READ_ONLY)")
        tags = connection.sql("SELECT tags FROM duckdb_databases() WHERE database_name = 'file'").fetchall()
    assert "v1.5" in str(tags)


def test_attached_under_another_name(published: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{published}' AS anything (READ_ONLY)")
        # Views know their own file; macros are bound where they are called, hence USE.
        assert len(connection.sql("FROM anything.mart.contribution").fetchall()) == 3
        connection.execute("USE anything")
        assert connection.sql("FROM anything.measures_at(DATE '2026-11-23', DATE '2026-11-23')").fetchall()


def test_everything_is_commented(published: Path) -> None:
    with duckdb.connect(str(published), read_only=True) as connection:
        for sql in (
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE comment IS NULL",
            "SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal AND comment IS NULL",
            "SELECT schema_name, table_name, column_name FROM duckdb_columns() WHERE NOT internal AND comment IS NULL",
            "SELECT function_name FROM duckdb_functions() WHERE NOT internal AND comment IS NULL",
        ):
            assert connection.sql(sql).fetchall() == []


def test_public_names(published: Path) -> None:
    with duckdb.connect(str(published), read_only=True) as connection:
        found = connection.sql("SELECT table_schema, table_name FROM information_schema.tables").fetchall()
    assert set(found) == {
        *(("core", name) for name in TABLES),
        *(("mart", name) for name in (*TABLES_OF_MART, *VIEWS)),
        *(("meta", name) for name in (*META, "source")),
    }


def test_long_views_and_sentences(published: Path) -> None:
    with duckdb.connect(str(published), read_only=True) as connection:
        rows = connection.sql(
            "SELECT importer, step, rule_id, measure_id, points, source_ids FROM mart.contribution ORDER BY ALL"
        ).fetchall()
        assert rows == [
            ("DEU", "S2", "announced-pledge", None, 1.0, ["official", "press"]),
            ("USA", "S1", "dual-use-licence", "23-2023", 12.5, ["official"]),
            ("USA", "S2", "announced-pledge", None, -2.5, ["official", "press"]),
        ]
        sentence = connection.sql(
            "SELECT sentence FROM mart.contribution_sentence WHERE term = 't001'"
        ).fetchall()
        assert sentence == [("CHN's gallium to USA at 365 days: +12.5.",)]
        assert connection.sql("FROM mart.importer_contribution").fetchall() == []


def test_a_list_cannot_be_missed_as_text(published: Path) -> None:
    with duckdb.connect(str(published), read_only=True) as connection:
        asked = "SELECT agreement_id FROM core.agreements WHERE {}"
        assert connection.sql(asked.format("list_contains(parties, 'MYS')")).fetchall()
        with pytest.raises(duckdb.Error):
            connection.sql(asked.format("parties = 'MYS'")).fetchall()
        promised = "SELECT beneficiary FROM pledges_at(DATE '2026-11-23', DATE '2026-11-23')"
        assert (["USA", "EU27"],) in connection.sql(promised).fetchall()


def test_tables_come_in_parts_each_with_its_own_terms(warehouse: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "parts.duckdb"
    tin = WIDE.with_columns(mineral=pl.lit("tin"), t003=pl.lit(4.0)).drop("t002")
    build_snapshot(path, warehouse, given({"contribution_wide": WIDE}, {"contribution_wide": tin}))
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.sql("SELECT mineral, importer, t001, t002, t003 FROM mart.contribution_wide")
        assert rows.fetchall() == [
            ("gallium", "USA", 12.5, -2.5, None),
            ("gallium", "DEU", None, 1.0, None),
            ("tin", "USA", 12.5, None, 4.0),
            ("tin", "DEU", None, None, 4.0),
        ]
    assert [found.name for found in tmp_path.iterdir()] == ["parts.duckdb"], "no part is left behind"


def test_facts_are_cut_to_what_was_known(warehouse: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "then.duckdb"
    build_snapshot(path, warehouse, given(meta={"run": run_frame(date(2023, 8, 1))}))
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.sql("SELECT measure_id FROM core.measures").fetchall() == [("23-2023",)]
        assert connection.sql("SELECT max(year) FROM core.trade").fetchall() == [(2021,)]
        # Hindsight needs the first vintage of what nobody knew by then, and nothing later.
        assert connection.sql(
            "SELECT known_from FROM core.production WHERE mineral = 'gallium' ORDER BY 1"
        ).fetchall() == [(date(2020, 1, 31),)] * 3 + [(date(2023, 1, 31),)]
        rare = "SELECT count(*) FROM core.production WHERE mineral = 'rare_earths'"
        assert connection.sql(rare).fetchall() == [(2,)]


@pytest.mark.parametrize(
    ("marts", "said"),
    [
        ({"route_scores": pl.DataFrame()}, "did you mean 'route_score'?"),
        ({"calendar": pl.DataFrame({"event_date": [date(2026, 1, 1)]})}, "column 'measure_id' is missing"),
        (
            {"contribution_wide": WIDE.rename({"regime": "regim"})},
            "unknown column 'regim'; did you mean 'regime'?",
        ),
        ({"contribution_wide": WIDE.with_columns(s0=pl.lit("x"))}, "column 's0' is String, not Float64"),
        ({"contribution_wide": WIDE.with_columns(horizon_days=pl.lit(1.5))}, "is Float64, not Int64"),
    ],
)
def test_frames_that_do_not_match(
    warehouse: Warehouse, tmp_path: Path, marts: dict[str, pl.DataFrame], said: str
) -> None:
    with pytest.raises(MartError, match=said.replace("?", r"\?")):
        build_snapshot(tmp_path / "x.duckdb", warehouse, given(marts))
    assert list(tmp_path.iterdir()) == []


def test_a_run_row_is_needed(warehouse: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(MartError, match=r"meta\.run must be given"):
        build_snapshot(tmp_path / "x.duckdb", warehouse, given(meta={}))


def test_a_folder_that_cannot_be_written(warehouse: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="cannot be created"):
        build_snapshot(tmp_path / "none" / "x.duckdb", warehouse, given())
    assert warehouse.query("SELECT count(*) FROM core.trade").item() == 18


def test_a_failure_half_way_leaves_nothing(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.published.snapshot.sql_text", lambda name: "SELECT * FROM not_there")
    with pytest.raises(SnapshotError, match="could not be written"):
        build_snapshot(tmp_path / "x.duckdb", warehouse, given(MARTS))
    assert list(tmp_path.iterdir()) == []
    assert warehouse.query("SELECT count(*) FROM core.trade").item() == 18


def test_the_dictionary_names_every_column() -> None:
    text = data_dictionary()
    for name, table in TABLES_OF_MART.items():
        assert f"### mart.{name}\n" in text
        for column in table.own:
            assert f"| `{column.name}` |" in text
