"""Which lanes lists name, and that what they do not name keeps its sum."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from jobs.export.book import Selection, load_book
from jobs.nightly.listing import Floors, with_listing
from tests.engine.rulebook import default_ruleset
from tests.jobs.conftest import build_small
from warehouse.database import Database

FLOORS = Floors(usd=1e6, supply_share=0.01, world_share=0.001, rest_t=0.001)
LANE = {
    "mineral": "gallium", "stage": "refined", "horizon_days": 365, "exporter": "CHN", "importer": "DEU",
    "trade_basis": "bundle", "route_t": 10.0, "route_usd": 2e6, "dependence_share": 0.5, "active": 40.0,
}  # fmt: skip


def listing(**changed: object) -> str:
    world = {**LANE, "importer": "JPN", "route_t": 990.0}
    frame = pl.DataFrame([{**LANE, **changed}, world], infer_schema_length=None)
    return str(with_listing(frame, FLOORS, "CHN", ["HKG"])["listing"][0])


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "listed"),
        ({"route_usd": None}, "listed"),
        ({"route_usd": 999_999.0}, "small"),
        ({"dependence_share": 0.0099}, "small"),
        ({"route_t": 0.98}, "small"),
        ({"route_t": 1.0}, "listed"),
        ({"route_t": 3.5e-7, "route_usd": 12.0}, "rest"),
        ({"route_t": 3.5e-7, "route_usd": None}, "rest"),
        ({"route_t": 3.5e-7, "route_usd": 12.0, "trade_basis": "exact"}, "small"),
        ({"route_t": 3.5e-7, "route_usd": 4e6}, "small"),
        ({"importer": "CHN"}, "own"),
        ({"importer": "HKG"}, "own"),
        ({"exporter": "HKG"}, "listed"),
        ({"active": None, "importer": "HKG"}, "unknown"),
    ],
)
def test_a_lane_is_listed_from_the_floors_on(changed: dict[str, object], expected: str) -> None:
    assert listing(**changed) == expected


def test_the_floors_are_dated_parameters_of_the_scorecard() -> None:
    assert Floors.of(default_ruleset(), date(2026, 11, 27)) == FLOORS


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, marts: dict[str, pl.DataFrame]) -> Database:
    """A published file in which two lanes of China to Germany are below what statistics can mean, and one is own."""
    lane = pl.struct("mineral", "exporter", "importer")
    routes = marts["route_score"]
    twin = routes.filter(exporter="CHN", importer="DEU").with_columns(
        mineral=pl.lit("dysprosium"), route_usd=pl.lit(None, pl.Float64)
    )
    routes = pl.concat([routes, twin]).with_columns(
        listing=pl.when(exporter="CHN", importer="DEU")
        .then(pl.lit("rest"))
        .when(exporter="CHN", importer="FRA")
        .then(pl.lit("own"))
        .otherwise("listing")
    )
    assert routes.select(lane.n_unique()).item() == 6
    path = tmp_path_factory.mktemp("lanes") / "file.duckdb"
    build_small(path, {**marts, "route_score": routes})
    return Database.open(path, read_only=True)


def test_lanes_that_no_statistics_can_mean_are_one_with_their_sums(reader: Database) -> None:
    rest = reader.query(
        "SELECT * FROM mart.lane WHERE mineral = 'REST' AND horizon_days = 365 AND regime = 'active'"
    )
    assert rest.select("stage", "exporter", "importer", "lane_count").rows() == [("*", "CHN", "DEU", 2)]
    assert rest["traded_t"].item() == pytest.approx(25.0)
    assert rest["expected_missing_t"].item() == pytest.approx(25.0 * 0.45**2)
    assert rest["traded_usd"].item() == pytest.approx(1234567.0)  # the other's value is not known
    assert rest["missing_share_p90"].item() is None
    for column in ("lane_count", "traded_t", "traded_usd", "expected_missing_t", "expected_missing_usd"):
        counted = "count(*)" if column == "lane_count" else f"sum({column})"
        every = reader.query(f"SELECT {counted}::DOUBLE AS n FROM mart.route_missing").item()
        kept = reader.query(f"SELECT sum({column})::DOUBLE AS n FROM mart.lane").item()
        assert kept == pytest.approx(every, rel=1e-12)


def test_a_workbook_leaves_them_out_and_says_what_they_are_worth(reader: Database) -> None:
    book = load_book(reader, Selection(importer="DEU"))
    assert "CHN" not in book.risk["exporter"].to_list()
    assert book.left_out == (
        "2 routes that customs statistics cannot mean, 1.2 million USD together (mart.lane lists them)."
    )


def test_a_workbook_of_everybody_does_not_rank_the_curbing_country_and_entrepots(reader: Database) -> None:
    book = load_book(reader, Selection(top=10))
    assert "FRA" not in book.risk["importer"].to_list()
    assert "and those into the curbing country and entrepots" in book.left_out
    assert set(load_book(reader, Selection(importer="FRA")).risk["importer"]) == {"FRA"}
