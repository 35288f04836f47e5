"""The embedded bundle itself: whole, linked, and saying what the issue expects of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

import warehouse as package
from ground.question import Question
from warehouse.asof.inputs import Inputs
from warehouse.asof.state import Warehouse

FACTS = Path(package.__file__).parent / "facts"
TODAY = date(2026, 11, 23)
#: Suspended until 2026-11-10, and nobody has said what follows.
LAPSED = [
    "MOFCOM 55/2025",
    "MOFCOM 56/2025",
    "MOFCOM 57/2025",
    "MOFCOM 58/2025",
    "MOFCOM 61/2025",
    "MOFCOM 62/2025",
]


@pytest.fixture(scope="module")
def embedded() -> Iterator[Warehouse]:
    with Warehouse.open_memory() as found:
        report = found.load_bundles([FACTS], strict=True)
        # Customs figures by month are the user's own: the United Nations' terms let nobody pass them on.
        assert {name for name, count in report.row_counts.items() if not count} == {"trade_months"}
        yield found


@pytest.fixture(scope="module")
def inputs(embedded: Warehouse) -> Inputs:
    return Inputs(embedded, Question(TODAY, TODAY, "CHN"))


def test_counts_of_the_issue(embedded: Warehouse) -> None:
    counts = {
        n: embedded.query(f"SELECT count(*) FROM core.{n}").item()
        for n in ("measures", "agreements", "pledges")
    }
    assert counts["measures"] >= 67
    assert counts["agreements"] >= 68
    assert counts["pledges"] >= 99
    assert embedded.query("SELECT count(*) FROM core.statements").item() >= 43


@pytest.mark.parametrize(
    ("as_of", "known_at", "expected"),
    [
        (date(2025, 10, 30), date(2025, 10, 30), "announced"),
        (date(2025, 11, 20), date(2025, 11, 1), "in_force"),
        (date(2025, 11, 20), date(2025, 11, 7), "suspended"),
        (date(2026, 6, 1), date(2026, 6, 1), "suspended"),
        (date(2026, 11, 10), date(2026, 11, 10), "suspended"),
        (date(2026, 11, 11), date(2026, 11, 11), "lapsed_unverified"),
    ],
)
def test_57_of_2025(embedded: Warehouse, as_of: date, known_at: date, expected: str) -> None:
    found = embedded.query(
        "SELECT DISTINCT state FROM measures_at($as_of, $known_at) WHERE measure_id = 'cn-57-2025'",
        {"as_of": as_of, "known_at": known_at},
    )
    assert found.to_series().to_list() == [expected]


def test_what_is_unverified_today(embedded: Warehouse) -> None:
    found = embedded.query(
        "SELECT DISTINCT notice FROM measures_at($d, $d) JOIN core.measures USING (measure_id) "
        "WHERE state = 'lapsed_unverified'",
        {"d": TODAY},
    )
    notices = " ".join(found.to_series().drop_nulls().to_list())
    assert [notice for notice in LAPSED if notice not in notices] == []


@pytest.mark.parametrize(
    ("mineral", "stage", "year"),
    [
        ("gallium", "refined", 2022),
        ("germanium", "refined", 2022),
        ("natural_graphite", "mined", 2022),
        ("antimony", "refined", 2023),
        ("dysprosium", "refined", 2024),
        ("dysprosium", "fabricated", 2024),
    ],
)
def test_baseline_years(inputs: Inputs, mineral: str, stage: str, year: int) -> None:
    row = inputs.baselines.filter((pl.col("mineral") == mineral) & (pl.col("stage") == stage))
    assert row.get_column("baseline_year").to_list() == [year]


def test_flows_are_ranges_of_real_tonnes(inputs: Inputs) -> None:
    flows = inputs.flows
    assert flows.filter(
        (pl.col("route_t_low") > pl.col("route_t_best") + 1e-9)
        | (pl.col("route_t_best") > pl.col("route_t_high") + 1e-9)
    ).is_empty()
    assert flows.select("mineral", "stage", "exporter", "importer").is_duplicated().sum() == 0
    assert flows.select(pl.all().is_null().any()).row(0) == (False,) * flows.width


def test_production_ranges_rise_and_have_one_row_each(inputs: Inputs) -> None:
    found = inputs.production
    assert found.filter(
        ~(pl.col("production_t_low") <= pl.col("production_t_best"))
        | ~(pl.col("production_t_best") <= pl.col("production_t_high"))
    ).is_empty()
    assert found.select("mineral", "stage", "country").is_duplicated().sum() == 0
    assert "WLD" not in found.get_column("country")


def test_the_article_can_be_asked(embedded: Warehouse) -> None:
    said = embedded.query(
        "SELECT count(*) FROM core.statements WHERE in_article_2025_10_27 UNION ALL "
        "SELECT count(*) FROM core.pledges WHERE in_article_2025_10_27"
    )
    assert min(said.to_series().to_list()) > 0


@pytest.mark.parametrize("day", [date(2021, 2, 1), date(2023, 8, 1), date(2025, 6, 1)])
def test_replays_have_all_frames(embedded: Warehouse, day: date) -> None:
    then = Inputs(embedded, Question(day, day, "CHN"))
    for name in ("flows", "production", "measures", "reserves", "pledges", "access", "gaps"):
        assert getattr(then, name).width > 0, name
    assert then.flows.height > 10_000
    assert then.baselines.get_column("trade_year").max() == day.year - 2


RARE_EARTHS = [
    *("lanthanum", "cerium", "praseodymium", "neodymium", "samarium", "europium", "gadolinium", "terbium"),
    *("dysprosium", "holmium", "erbium", "thulium", "ytterbium", "lutetium", "yttrium", "scandium"),
]
GOODS_OF_811292 = ["gallium", "germanium", "indium", "hafnium", "rhenium", "niobium", "vanadium"]


def test_what_a_bundle_holds_adds_up_to_the_whole(embedded: Warehouse) -> None:
    found = embedded.query(
        "SELECT hs6, exporter, importer, year_from, share_of, sum(share_best) AS total FROM core.hs_codes "
        "GROUP BY hs6, hs_revision, exporter, importer, year_from, year_to, share_of "
        "HAVING bool_or(mineral = 'other')"
    )
    assert {"280530", "284690", "811292", "850511"} <= set(found.get_column("hs6"))
    assert found.filter((pl.col("total") - 1).abs() > 0.001).rows() == []


@pytest.mark.parametrize("mineral", RARE_EARTHS)
def test_every_rare_earth_is_traded_at_every_stage(inputs: Inputs, mineral: str) -> None:
    stages = set(inputs.chains.filter(pl.col("mineral") == mineral).get_column("stage"))
    traded = inputs.flows.filter((pl.col("mineral") == mineral) & (pl.col("route_t_best") > 0))
    made = inputs.production.filter((pl.col("mineral") == mineral) & (pl.col("production_t_best") > 0))
    assert {"mined", "refined"} <= stages
    assert set(traded.get_column("stage")) == stages
    assert set(made.get_column("stage")) == stages
    # What leaves a stage is less than what is made there: re-exports do not turn the world's output over.
    sent = traded.group_by("stage").agg(pl.col("route_t_best").sum())
    output = made.group_by("stage").agg(pl.col("production_t_best").sum())
    assert (
        sent.join(output, on="stage").filter(pl.col("route_t_best") > pl.col("production_t_best")).is_empty()
    )


@pytest.mark.parametrize("mineral", GOODS_OF_811292)
def test_the_goods_of_811292_have_routes(embedded: Warehouse, inputs: Inputs, mineral: str) -> None:
    codes = embedded.query(
        "SELECT DISTINCT stage FROM core.hs_codes WHERE hs6 = '811292' AND mineral = $mineral",
        {"mineral": mineral},
    )
    stage = codes.get_column("stage").to_list()
    assert len(stage) == 1
    found = inputs.flows.filter((pl.col("mineral") == mineral) & (pl.col("stage") == stage[0]))
    assert found.height > 100
    assert set(found.get_column("trade_basis")) == {"bundle"}


@pytest.mark.parametrize(
    ("mineral", "low", "high"),
    [
        ("yttrium", 7_000, 12_500),
        ("scandium", 30, 80),
        ("lutetium", 30, 120),
        ("hafnium", 60, 90),
        ("rhenium", 60, 110),
    ],
)
def test_world_output_is_of_the_known_size(inputs: Inputs, mineral: str, low: float, high: float) -> None:
    found = inputs.production.filter((pl.col("mineral") == mineral) & (pl.col("stage") == "refined"))
    assert low < found.get_column("production_t_best").sum() < high


@pytest.mark.parametrize(
    ("measure", "minerals"),
    [
        (
            "cn-18-2025",
            ["samarium", "gadolinium", "terbium", "dysprosium", "lutetium", "scandium", "yttrium"],
        ),
        ("cn-57-2025", ["holmium", "erbium", "thulium", "europium", "ytterbium"]),
    ],
)
def test_the_rare_earth_notices_reach_the_oxide(inputs: Inputs, measure: str, minerals: list[str]) -> None:
    found = inputs.measures.filter((pl.col("measure_id") == measure) & (pl.col("stage") == "refined"))
    assert set(found.get_column("mineral")) == set(minerals)
    dated = inputs.baselines.filter(pl.col("mineral").is_in(minerals) & (pl.col("stage") == "refined"))
    assert set(dated.get_column("baseline_year")) == {2024}


def test_forms_of_a_notice_do_not_add_up_to_more_than_the_stage(embedded: Warehouse) -> None:
    # An unknown share counts as all of the stage, so two forms with none would withhold it twice.
    found = embedded.query(
        "SELECT measure_id, clause, mineral, stage, sum(coalesce(coverage_share_best, 1)) AS total "
        "FROM core.measure_items SEMI JOIN core.chains USING (mineral, stage) "
        "GROUP BY ALL HAVING count(DISTINCT form) > 1 AND total > 1.001"
    )
    assert found.rows() == []
