"""A small published file with the columns that the jobs read; the numbers are made up."""

import socket
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engine.scoring.steps import COLUMNS, step_frame
from ground.words import HORIZONS, REGIMES
from jobs.marts import range_columns
from jobs.output.layout import Layout
from jobs.output.publish import place_snapshot, point_to
from jobs.output.seal import Contents, contents_of
from tests.jobs.web import Web, serving
from warehouse.database import Database
from warehouse.ddl import core_ddl, macro_ddl, sql_text
from warehouse.published.mart_columns import TABLES_OF_MART

DAY = date(2026, 11, 23)
RUN_ID = "0123456789abcdef"
# mineral, stage, exporter, importer, active score
ROUTES = (
    ("gallium", "refined", "CHN", "USA", 55.0),
    ("gallium", "refined", "CHN", "DEU", 45.0),
    ("gallium", "refined", "CHN", "FRA", 15.0),
    ("gallium", "refined", "JPN", "DEU", 30.0),
    ("dysprosium", "fabricated", "JPN", "DEU", None),
)


def route_row(
    mineral: str, stage: str, exporter: str, importer: str, score: float | None, horizon: int
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "run_id": RUN_ID, "as_of": DAY, "known_at": DAY, "curbing_country": "CHN", "mineral": mineral, "stage": stage,
        "exporter": exporter, "importer": importer, "horizon_days": horizon, "trade_year": 2024, "baseline_year": 2022,
        "route_t": 12.5, "latest_t": 1.25, "route_usd": 1234567.0, "trade_basis": "dominant",
        "trade_completeness": "complete", "reconciliation": "good" if score else "insufficient", "hindsight": False,
        "is_entrepot": False, "listing": "listed" if score else "unknown", "dependence_share": 0.25, "touched_share_low": 0.1, "touched_share_best": 0.2,
        "touched_share_high": 0.3,
    }  # fmt: skip
    for step, regime in enumerate(REGIMES):
        best = None if score is None else min(100.0, score + 10 * step)
        for column in range_columns(regime):
            shift = {"low": -4, "high": 4}.get(column.removeprefix(f"{regime}_"), 0)
            row[column] = None if best is None else best + shift
            share = f"{regime}_missing_share" + (column.removeprefix(regime) or "_best")
            row[share] = None if best is None else ((best + shift) / 100) ** 2
        for place, name in enumerate(("_p10", "_p50", "_p90")):
            row[f"{regime}_missing_share{name}"] = (
                None if best is None else (best / 100) ** 2 * (0.8 + 0.2 * place)
            )
        row[f"{regime}_expected_missing_share"] = None if best is None else (best / 100) ** 2
        row[f"{regime}_gap_share"] = None if best is None else (best / 100) ** 2 + 0.05
        row[f"{regime}_best"] = best
        row[f"{regime}_band"] = None if best is None else "high" if best >= 60 else "moderate"
        row[f"{regime}_confidence"] = None if best is None else "firm"
        row[f"{regime}_priority"] = None if best is None else best / 2
        for name in ("", "_p10", "_p50", "_p90"):
            row[f"{regime}_time_to_shortage_days{name}"] = None if best is None else 66.0
    return {
        **row, "narrowed_by": None, "narrowed_by_share": None,
        "worst_regime": "full_stop", "scheduled": score, "scheduled_missing_share": 0.3,
        "next_event": "MOFCOM 46/2024: suspended becomes lapsed unverified", "next_event_date": date(2026, 11, 28),
        "unknown_reason": None if score is not None else "no pool can be formed",
    }  # fmt: skip


@pytest.fixture(scope="session")
def marts() -> dict[str, pl.DataFrame]:
    rows = [
        route_row(mineral, stage, exporter, importer, score, horizon)
        for mineral, stage, exporter, importer, score in ROUTES
        for horizon in HORIZONS
    ]
    route_score = pl.DataFrame(rows, infer_schema_length=None)
    importer_score = (
        route_score.filter(pl.col("exporter") == "CHN")
        .drop("exporter", "route_t", "latest_t", "route_usd", "trade_basis", "trade_completeness", "is_entrepot", "listing", "dependence_share")
        .with_columns(import_t=pl.lit(20.0), production_t=pl.lit(1.0), pool_t=pl.lit(21.0))
    )  # fmt: skip
    wide = (
        route_score.unpivot(
            on=list(REGIMES),
            index=["mineral", "stage", "exporter", "importer", "horizon_days"],
            variable_name="regime",
            value_name="score",
        )
        .drop_nulls("score")
        .with_columns(
            *(pl.lit(0.0).alias(step) for step in COLUMNS if step not in ("s0", "s1")),
            s0=pl.lit(90.0),
            s1=pl.col("score") - 90.0,
            t001=pl.lit(90.0),
            t002=pl.col("score") - 90.0,
        )
        .select(
            "mineral", "stage", "exporter", "importer", "horizon_days", "regime", *COLUMNS, "t001", "t002"
        )
    )
    importer_wide = wide.filter(pl.col("exporter") == "CHN").drop("exporter")
    terms = pl.DataFrame(
        {
            "mineral": ["gallium", "gallium"], "term": ["t001", "t002"], "step": ["S0", "S1"],
            "step_name": ["full stop", "law"], "rule_id": [None, "dual-use-licence"],
            "measure_id": [None, "mofcom-23-2023"], "clause": [None, "all"], "term_stage": [None, "refined"],
            "pledge_id": [None, None], "sort_order": [1, 2], "source_ids": [None, ["src-a", "src-b"]],
            "explain": ["every shipment of CHN ceases", "a licence, not a full stop"],
            "notice": [None, "MOFCOM 23/2023"], "flow_exporter": [None, "CHN"],
        },
        schema_overrides={"pledge_id": pl.String},
    )  # fmt: skip
    hit = {
        "measure_id": "mofcom-23-2023", "clause": "all", "scope": "all", "is_extraterritorial": False,
        "item_id": "i1", "flow_stage": "refined", "flow_exporter": "CHN", "flow_importer": "USA", "state": "in_force",
        "coverage_share_best": 1.0, "withheld_share_low": 0.1, "withheld_share_best": 0.35, "withheld_share_high": 0.6,
        "rule_id": "dual-use-licence", "source_id": "src-a",
    }  # fmt: skip
    measures = pl.DataFrame(
        [
            {"mineral": "gallium", **hit, "horizon_days": h, "regime": r}
            for h in HORIZONS
            for r in ("active", "snapback")
        ]
    )
    coverage = pl.DataFrame(
        {
            "measure_id": ["mofcom-23-2023", "mofcom-61-2025"], "clause": ["all", "all"], "item_id": ["i1", "i9"],
            "mineral": ["gallium", "holmium"], "stage": ["refined", "refined"], "form": ["metal", "oxide"],
            "hs6": [["811292"], None], "has_trade": [True, False], "route_count": [3, 0], "route_usd": [3e6, None],
            "reason": [None, "no trade code names it"],
        }
    )  # fmt: skip
    reconciliation = pl.DataFrame(
        {
            "mineral": ["dysprosium", "gallium"], "stage": ["fabricated", "refined"], "trade_year": [2024, 2022],
            "production_t": [None, 600.0], "unexplained_t": [10.0, 5.0], "unexplained_share": [0.9, 0.01],
            "grade": ["insufficient", "good"], "producer_count": [0, 5], "exporter_count": [2, 9],
            "unlisted_t_best": [None, 1.0], "what_would_mend": ["magnet production of Japan", None],
        }
    )  # fmt: skip
    calendar = pl.DataFrame(
        {
            "event_date": [date(2026, 11, 28)], "measure_id": ["mofcom-46-2024"], "clause": ["art. 2"],
            "event": ["suspension ends"], "state_after": ["lapsed_unverified"], "notice": ["MOFCOM 46/2024"],
            "source_id": ["src-b"], "kind": ["measure"], "subject_id": ["mofcom-46-2024"], "country": ["CHN"],
            "is_unverified": [False], "minerals": [["gallium"]],
        }
    )  # fmt: skip
    portfolios = [
        (importer, mineral, horizon, regime)
        for importer, mineral in (("JPN", "*"), ("*", "*"), ("*", "gallium"))
        for horizon in HORIZONS
        for regime in REGIMES
    ]
    keys = ["importer", "mineral", "horizon_days", "regime"]
    exposure = pl.DataFrame(portfolios, schema=keys, orient="row").with_columns(
        stage=pl.lit("*"),
        traded_usd=pl.lit(1000.0),
        expected_missing_usd=pl.lit(160.0),
        missing_usd_p10=pl.lit(90.0),
        missing_usd_p90=pl.lit(250.0),
    )
    doubt = pl.DataFrame(
        [
            (
                *portfolio,
                1,
                "alternatives",
                "how much refined gallium others can add",
                "capacity/gallium/refined",
                0.5,
                0.6,
                160.0,
                100.0,
                20.0,
                12.5,
            )
            for portfolio in portfolios
            if portfolio[3] == "active"
        ],
        schema=[
            *keys,
            "fact_rank",
            "kind",
            "fact",
            "fact_id",
            "explained_share",
            "total_share",
            "width_usd",
            "remaining_width_usd",
            "width_points",
            "remaining_width_points",
        ],
        orient="row",
    )
    frames = {
        "exposure": exposure, "doubt": doubt, "route_score": route_score, "importer_score": importer_score, "contribution_wide": wide,
        "importer_contribution_wide": importer_wide, "contribution_term": terms, "flow_measure": measures,
        "measure_coverage": coverage, "reconciliation": reconciliation, "calendar": calendar,
        "waterfall_step": step_frame(),
    }  # fmt: skip
    return {name: whole(name, frame) for name, frame in frames.items()}


def whole(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Add the published columns that no test of the jobs looks at."""
    missing = [column for column in TABLES_OF_MART[name].own if column.name not in frame.columns]
    given = {"mineral": "gallium"}
    return frame.with_columns(pl.lit(given.get(c.name), dtype=c.dtype).alias(c.name) for c in missing)


FACTS = """
INSERT INTO core.sources BY NAME SELECT * FROM (VALUES
  ('src-a', 'MOFCOM', '=HYPERLINK("x") notice 23', 'https://example.org/a', DATE '2023-07-03', 'public', 'A', DATE '2023-07-03'),
  ('src-b', 'Press', 'A pause', 'https://example.org/b', DATE '2025-11-07', 'quoted', 'C', DATE '2025-11-07'))
  AS t(source_id, publisher, title, url, published, licence, grade, known_from);
INSERT INTO core.minerals BY NAME SELECT * FROM (VALUES
  ('gallium', 'gallium', 'Ga', false, 'contained metal', 'src-a', DATE '2020-01-01'),
  ('dysprosium', 'dysprosium', 'Dy', false, 'contained metal', 'src-a', DATE '2020-01-01'))
  AS t(mineral, name, symbol, is_group, content_basis, source_id, known_from);
INSERT INTO core.chains BY NAME SELECT mineral, stage, stage_order, 'src-a' AS source_id, DATE '2020-01-01' AS known_from
  FROM (VALUES ('gallium', 'refined', 1), ('dysprosium', 'refined', 1), ('dysprosium', 'fabricated', 2)) AS t(mineral, stage, stage_order);
INSERT INTO core.countries BY NAME SELECT country, name, iso2, false AS is_entrepot, 'src-a' AS source_id, DATE '2020-01-01' AS known_from
  FROM (VALUES ('CHN', 'China', 'CN'), ('DEU', 'Germany', 'DE'), ('FRA', 'France', 'FR'), ('JPN', 'Japan', 'JP'), ('USA', 'United States', 'US'))
  AS t(country, name, iso2);
INSERT INTO core.blocs BY NAME SELECT 'EU27' AS bloc, country, DATE '1993-11-01' AS valid_from, 'src-a' AS source_id, DATE '2020-01-01' AS known_from
  FROM (VALUES ('DEU'), ('FRA')) AS t(country);
INSERT INTO core.measures BY NAME SELECT * FROM (VALUES
  ('mofcom-23-2023', 'CHN', 'MOFCOM', 'MOFCOM 23/2023', 'Gallium and germanium', 'export_licence', DATE '2023-07-03', false, 'src-a', DATE '2023-07-03'))
  AS t(measure_id, curbing_country, authority, notice, title, instrument, date_announced, is_framework, source_id, known_from);
"""

RULES = """
CREATE TABLE meta.rule AS SELECT 'dual-use-licence' AS rule_id,
  '{notice} needs a licence for {mineral}: {withheld:percent} of what {exporter} sends to {importer}.' AS sentence;
"""


def build_small(path: Path, marts: dict[str, pl.DataFrame]) -> None:
    with Database.open(path) as database:
        database.execute("CREATE SCHEMA core; CREATE SCHEMA mart; CREATE SCHEMA meta;")
        database.execute(core_ddl())
        database.execute(macro_ddl())
        database.execute(FACTS)
        for name, frame in marts.items():
            with database.frame("incoming", frame.cast({pl.Null: pl.String})):
                database.execute(f'CREATE TABLE mart."{name}" AS SELECT * FROM incoming')
        database.execute(RULES)
        database.execute(
            f"CREATE TABLE meta.run AS SELECT '{RUN_ID}' AS run_id, DATE '{DAY}' AS as_of, DATE '{DAY}' AS known_at, "
            "'CHN' AS curbing_country, ['JPN', 'USA'] AS declared_importers, '0.1.0+abc' AS code_version, 'f' AS facts_hash, 'r' AS rules_hash, ['tiny 1'] AS bundles"
        )
        database.execute(sql_text("published/views"))
        database.execute("CHECKPOINT")


def contents(path: Path) -> Contents:
    with Database.open(path, read_only=True) as built:
        return contents_of(built)


@pytest.fixture(scope="session")
def small_root(tmp_path_factory: pytest.TempPathFactory, marts: dict[str, pl.DataFrame]) -> Path:
    """An output folder with a small published file."""
    layout = Layout(tmp_path_factory.mktemp("published"))
    path = place_snapshot(
        layout, as_of=DAY, run_id=RUN_ID, build=lambda p: build_small(p, marts), verify=contents
    )
    point_to(layout, path)
    return layout.root


@pytest.fixture
def only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of the environment, and no address but 127.0.0.1."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    look_up = socket.getaddrinfo

    def local(host: str, *rest: object, **more: object) -> object:
        assert host in {"127.0.0.1", "nowhere.invalid"}, f"a test asks for {host}"
        if host == "nowhere.invalid":
            raise socket.gaierror(-2, "Name or service not known")
        return look_up(host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", local)


@pytest.fixture
def web(only_this_machine: None) -> Iterator[Web]:
    with serving() as server:
        yield server
