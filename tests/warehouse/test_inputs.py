from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ground.question import Question
from tests.warehouse.conftest import Rows
from warehouse.asof.inputs import Inputs
from warehouse.asof.state import Warehouse
from warehouse.ddl import sql_text
from warehouse.errors import InputError

TODAY = date(2026, 11, 23)
Write = Callable[[Any], Path]


@pytest.fixture
def inputs(warehouse: Warehouse) -> Inputs:
    return Inputs(warehouse, Question(TODAY, TODAY, "CHN"))


def lane(frame: pl.DataFrame, mineral: str, exporter: str, importer: str) -> dict[str, object]:
    return frame.filter(
        (pl.col("mineral") == mineral) & (pl.col("exporter") == exporter) & (pl.col("importer") == importer)
    ).row(0, named=True)


def test_baseline_is_the_year_before_the_first_curb(inputs: Inputs) -> None:
    found = {(r["mineral"], r["stage"]): r["baseline_year"] for r in inputs.baselines.iter_rows(named=True)}
    assert found["gallium", "refined"] == 2022
    assert found["dysprosium", "refined"] == 2023  # no curb on it here: the latest year


def test_baseline_before_any_curb_is_the_latest_known_year(warehouse: Warehouse) -> None:
    early = Inputs(warehouse, Question(date(2023, 6, 1), date(2023, 6, 1), "CHN"))
    assert early.baselines.get_column("baseline_year").unique().to_list() == [2021]


def test_another_curbing_country_has_another_baseline(warehouse: Warehouse) -> None:
    found = Inputs(warehouse, Question(TODAY, TODAY, "MYS")).baselines
    assert set(found.get_column("baseline_year")) == {2023}


def test_tonnes_are_quantity_times_share_times_content(inputs: Inputs) -> None:
    gallium = lane(inputs.flows, "gallium", "CHN", "USA")
    assert gallium["route_t_low"] == pytest.approx(10)
    assert gallium["route_t_best"] == pytest.approx(20)
    assert gallium["route_t_high"] == pytest.approx(30)
    assert gallium["route_usd"] == pytest.approx(200_000)
    oxide = lane(inputs.flows, "dysprosium", "CHN", "JPN")
    assert oxide["stage"] == "refined"
    assert oxide["route_t_best"] == pytest.approx(1_000 * 0.02 * 0.87)


def test_a_lane_with_a_meaning_of_its_own_has_only_that(inputs: Inputs) -> None:
    found = inputs.flows.filter((pl.col("exporter") == "MMR") & (pl.col("mineral") == "dysprosium"))
    assert found.select("stage", "route_t_best").rows() == [("mined", 200.0)]


def test_general_shares_shrink_into_the_room_that_is_left(inputs: Inputs) -> None:
    # Germany to the US is 98 % hafnium, so the general 5 % of gallium becomes the remaining 2 %.
    assert lane(inputs.flows, "gallium", "DEU", "USA")["route_t_best"] == pytest.approx(10 * 0.02)


def test_value_only_becomes_a_wide_flagged_range(inputs: Inputs) -> None:
    japan = lane(inputs.flows, "gallium", "CHN", "JPN")
    assert japan["trade_completeness"] == "value_only"
    low, best, high = (float(str(japan[f"route_t_{end}"])) for end in ("low", "best", "high"))
    # By the value per tonne of the code in the newest year with tonnes, between half and double of it.
    unit = 13_000_000 / 310
    assert best == pytest.approx(500_000 * 0.2 / unit)
    assert low < best / 2 + 1e-9
    assert high > best * 2 - 1e-9


@pytest.mark.parametrize("factor", [1, 4])
def test_how_far_a_unit_value_stands_in_is_a_dated_fact(facts: Rows, write: Write, factor: int) -> None:
    later = {"spread": "unit_value_for_weight", "factor": factor, "known_from": "2026-01-01"}
    facts["spreads"].append({**facts["spreads"][0], **later})
    with Warehouse.open_memory() as other:
        other.load_bundles([write(facts)], strict=True)
        before, after = (
            lane(Inputs(other, Question(TODAY, day, "CHN")).flows, "gallium", "CHN", "JPN")
            for day in (date(2025, 12, 31), TODAY)
        )
    assert after["route_t_best"] == before["route_t_best"]
    assert float(str(after["route_t_low"])) == pytest.approx(float(str(before["route_t_low"])) * 2 / factor)
    assert float(str(after["route_t_high"])) == pytest.approx(float(str(before["route_t_high"])) * factor / 2)


def test_without_a_spread_nothing_stands_in(facts: Rows, write: Write) -> None:
    facts["spreads"] = []
    facts["prices"] = []
    with Warehouse.open_memory() as other:
        other.load_bundles([write(facts)], strict=True)
        flows = Inputs(other, Question(TODAY, TODAY, "CHN")).flows
    assert flows.filter(mineral="gallium", exporter="CHN", importer="JPN").is_empty()


def test_small_flows_missing_is_said(inputs: Inputs) -> None:
    assert lane(inputs.flows, "gallium", "CHN", "DEU")["trade_completeness"] == "small_flows_missing"
    assert lane(inputs.flows, "gallium", "CHN", "USA")["trade_completeness"] == "complete"


def test_rows_that_cannot_become_tonnes_are_counted(inputs: Inputs) -> None:
    assert inputs.gaps.get_column("reason").to_list() == ["production of DEU is withheld: unknown, not zero"]


def test_a_code_that_nobody_explains_is_counted(facts: Rows, write: Write) -> None:
    facts["trade"].append({**facts["trade"][0], "hs6": "999999"})
    with Warehouse.open_memory() as other:
        other.load_bundles([write(facts)], strict=True)
        gaps = Inputs(other, Question(TODAY, TODAY, "CHN")).gaps
    assert gaps.filter(pl.col("hs6") == "999999").select("year", "row_count", "value_usd").rows() == [
        (2021, 1, 1_000_000.0)
    ]


def test_value_only_without_any_price_is_counted(facts: Rows, write: Write) -> None:
    facts["trade"] = [row | {"quantity_t": ""} for row in facts["trade"]]
    with Warehouse.open_memory() as other:
        other.load_bundles([write(facts)], strict=True)
        inputs = Inputs(other, Question(TODAY, TODAY, "CHN"))
        # Gallium has a price, which then gives tonnes; dysprosium has none.
        assert lane(inputs.flows, "gallium", "CHN", "USA")["route_t_best"] == pytest.approx(200_000 / 250_000)
        assert (
            inputs.gaps.filter(pl.col("mineral") == "dysprosium").select("reason", "row_count").rows()
            == [("only the value is known, and there is neither a price nor a unit value", 1)] * 2
        )


def test_production_takes_the_best_grade_and_widens_by_the_rest(inputs: Inputs) -> None:
    row = inputs.production.filter((pl.col("mineral") == "gallium") & (pl.col("country") == "CHN")).row(
        0, named=True
    )
    assert (row["production_t_low"], row["production_t_best"], row["production_t_high"]) == (400, 610, 900)


def test_production_without_totals_and_withheld_figures(inputs: Inputs) -> None:
    gallium = inputs.production.filter(pl.col("mineral") == "gallium")
    assert gallium.select("country", "is_unlisted_total").rows() == [("CHN", False), ("OTH", True)]


def test_elements_come_from_the_most_specific_split(inputs: Inputs) -> None:
    mined = inputs.production.filter(pl.col("mineral") == "dysprosium")
    found = {r["country"]: r for r in mined.iter_rows(named=True)}
    assert found["MMR"]["production_t_low"] == pytest.approx(30_000 * 0.03)
    assert found["MMR"]["production_t_best"] == pytest.approx(40_000 * 0.04)
    assert found["MMR"]["production_t_high"] == pytest.approx(50_000 * 0.05)
    assert found["CHN"]["production_t_best"] == pytest.approx(240_000 * 0.005)
    assert found["CHN"]["qualifier"] == "derived"


def test_measures_open_destinations_and_classes(inputs: Inputs) -> None:
    licence = inputs.measures.filter(pl.col("measure_id") == "23-2023")
    assert licence.get_column("importer").to_list() == ["DEU", "JPN", "USA"]
    classes = dict(licence.select("importer", "destination_class_best").iter_rows())
    assert classes == {"DEU": "ordinary", "JPN": "ordinary", "USA": "dispute"}
    germany = licence.filter(pl.col("importer") == "DEU").row(0, named=True)
    assert (germany["destination_class_low"], germany["destination_class_high"]) == ("favoured", "dispute")
    assert germany["start_date"] == date(2023, 8, 1)
    assert germany["holds_general_licence"] is True
    assert germany["is_enforced"] is True
    assert licence.filter(pl.col("importer") == "JPN").get_column("holds_general_licence").item() is False


@pytest.mark.parametrize(
    ("states", "start"),
    [
        ([("in_force", "2026-11-11", "2026-11-11")], date(2026, 11, 11)),
        # A term that is renewed without a gap is one spell.
        (
            [("in_force", "2026-11-11", "2026-11-11"), ("in_force", "2026-11-18", "2026-11-18")],
            date(2026, 11, 11),
        ),
        # Not in force: the first start that was stated, though a pause overtook it.
        ([], date(2025, 11, 8)),
    ],
    ids=["after the pause", "renewed", "paused"],
)
def test_a_measure_binds_since_its_pause_ended(
    facts: Rows, write: Write, states: list[tuple[str, str, str]], start: date
) -> None:
    row = {"measure_id": "57-2025", "clause": "all", "destination": "*", "source_id": "official"}
    facts["measure_states"] += [
        {**row, "state": state, "valid_from": begins, "known_from": known} for state, begins, known in states
    ]
    with Warehouse.open_memory() as warehouse:
        warehouse.load_bundles([write(facts)], strict=True)
        found = Inputs(warehouse, Question(TODAY, TODAY, "CHN"))
        law = found._law(TODAY).filter(measure_id="57-2025")
        lanes = pl.DataFrame({"mineral": ["holmium"], "stage": ["refined"], "importer": ["JPN"]})
        text = sql_text("asof/queries/measures")
        measures = warehouse.query(
            text, {"as_of": TODAY, "known_at": TODAY, "curbing_country": "CHN"}, lane=lanes, law=law
        )
    own = measures.filter(measure_id="57-2025")
    assert own["start_date"].to_list() == [start]


def test_a_ban_on_one_country_reaches_only_it(inputs: Inputs) -> None:
    ban = inputs.measures.filter(pl.col("measure_id") == "46-2024")
    assert ban.select("importer", "scope", "state").rows() == [("USA", "country", "suspended")]


def test_excluded_destinations_are_left_out(warehouse: Warehouse) -> None:
    with Warehouse.open_memory() as other:
        for table in (
            "sources",
            "countries",
            "measures",
            "measure_states",
            "measure_items",
            "measure_destinations",
            "trade",
            "hs_codes",
            "minerals",
            "chains",
            "blocs",
            "conversions",
            "spreads",
            "word_roles",
        ):
            with other.database.frame("incoming", warehouse.query(f"SELECT * FROM core.{table}")):
                other.execute(f"INSERT INTO core.{table} SELECT * FROM incoming")
        other.execute(
            "INSERT INTO core.measure_destinations BY NAME SELECT '23-2023' AS measure_id, 'all' AS clause, "
            "'EU27' AS destination, 'all' AS scope, true AS is_excluded, 'official' AS source_id, "
            "DATE '2023-07-03' AS known_from"
        )
        found = Inputs(other, Question(TODAY, TODAY, "CHN")).measures.filter(
            pl.col("measure_id") == "23-2023"
        )
        assert found.get_column("importer").to_list() == ["JPN", "USA"]


def test_blocs_open_by_date(warehouse: Warehouse) -> None:
    assert Inputs(warehouse, Question(date(2026, 5, 31), TODAY, "CHN")).blocs.get_column(
        "country"
    ).to_list() == [
        "DEU",
        "FRA",
    ]
    assert Inputs(warehouse, Question(date(2026, 6, 1), TODAY, "CHN")).blocs.get_column(
        "country"
    ).to_list() == ["DEU"]


def test_pledges_open_parties_and_expire(inputs: Inputs) -> None:
    pause = inputs.pledges.filter(pl.col("pledge_id") == "pause")
    assert pause.select("exporter", "importer", "backing").rows() == [
        ("CHN", "DEU", "expired_announced"),
        ("CHN", "USA", "expired_announced"),
    ]


def test_access_holds_bans_and_pledges_of_third_countries(inputs: Inputs) -> None:
    found = inputs.access.select(
        "access_of", "row_id", "exporter", "importer", "mineral", "instrument", "coverage"
    )
    assert found.rows() == [
        ("ban", "mys-ban", "MYS", "*", "rare_earths", "processing_stage_ban", None),
        ("pledge", "no-ban", "MYS", "USA", "rare_earths", None, "contested"),
    ]


def test_plain_tables_are_cut_to_the_day(warehouse: Warehouse) -> None:
    assert Inputs(warehouse, Question(TODAY, TODAY, "CHN")).stocks.get_column("is_hindsight").to_list() == [
        False
    ]
    assert Inputs(warehouse, Question(date(2024, 6, 1), date(2024, 6, 1), "CHN")).stocks.get_column(
        "is_hindsight"
    ).to_list() == [True]
    assert Inputs(warehouse, Question(date(2023, 6, 1), TODAY, "CHN")).stocks.is_empty()


def test_a_day_before_any_known_trade_is_an_error(warehouse: Warehouse) -> None:
    with pytest.raises(InputError, match="no trade known by 2019-01-01"):
        _ = Inputs(warehouse, Question(date(2019, 1, 1), date(2019, 1, 1), "CHN")).flows


def test_frames_are_the_same_every_time(warehouse: Warehouse) -> None:
    first, second = (Inputs(warehouse, Question(TODAY, TODAY, "CHN")) for _ in range(2))
    for name in ("flows", "production", "measures", "pledges", "access", "reserves"):
        assert getattr(first, name).equals(getattr(second, name)), name


def test_an_importer_never_hits_itself(inputs: Inputs) -> None:
    assert "CHN" not in inputs.measures.get_column("importer").to_list()


def test_unknown_plain_table(inputs: Inputs) -> None:
    with pytest.raises(InputError, match="choose one of stocks"):
        inputs.table("trade")


def test_numbers_are_added_up_in_the_order_of_their_rows() -> None:
    with Warehouse.open_memory() as state:
        assert state.query("SELECT current_setting('threads')::BIGINT AS n").item() == 1


def test_a_year_that_came_in_another_revision_stands_in_where_the_code_means_the_same(
    facts: Rows, write: Write
) -> None:
    span = {"hs6": "284690", "revision_from": "92", "revision_to": "22", "source_id": "official"}
    newer = {"hs_revision": "22", "value_usd": "5000000", "quantity_t": "1500", "is_complete": "true"}
    late = {**newer, "year": "2024", "exporter": "CHN", "importer": "JPN", "hs6": "284690"}
    # A year that the map's own revision has is never added to.
    again = {**late, "year": "2023", "importer": "DEU", "quantity_t": "7000"}
    known = {"source_id": "official", "known_from": "2026-01-31"}
    facts["trade"] += [late | known, again | known, late | known | {"hs6": "811292"}]

    def latest() -> dict[tuple[str, str], Any]:
        with Warehouse.open_memory() as found:
            found.load_bundles([write(facts)], strict=True)
            frame = Inputs(found, Question(TODAY, TODAY, "CHN")).flows
            wanted = frame.filter(pl.col("latest_t") > 0)
            return {
                (r["mineral"], r["importer"]): (r["trade_year"], r["latest_t"])
                for r in wanted.iter_rows(named=True)
            }

    without = latest()
    assert without["dysprosium", "JPN"] == (2023, pytest.approx(1_000 * 0.02 * 0.87))
    facts["hs_spans"] = [span | {"known_from": "2022-01-01"}]
    spanned = latest()
    assert spanned["dysprosium", "JPN"] == (2024, pytest.approx(1_500 * 0.02 * 0.87))
    # 811292 means other goods in HS 2022, so its row of 2024 counts in neither.
    assert {key: value for key, value in spanned.items() if key[0] == "gallium"} == {
        key: value for key, value in without.items() if key[0] == "gallium"
    }
