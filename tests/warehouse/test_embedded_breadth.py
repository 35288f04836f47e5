"""How far the embedded bundle reaches: minerals with chains, the codes that notices name, and what a code holds."""

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
#: Too wide for any share: machines, parts, mixtures, wastes and reagents at large.
CATCH_ALLS = {
    *("284290", "291990", "293149", "382499", "382569"),
    *("841780", "847989", "847990", "848690", "903289"),
}
#: World output in tonnes that nobody would dispute by more than the range.
OUTPUT_T = [
    ("lead", "mined", 4.2e6, 5e6),
    ("silver", "mined", 23_000, 28_000),
    ("cadmium", "refined", 20_000, 26_000),
    ("selenium", "refined", 3_000, 5_000),
    ("feldspar", "mined", 25e6, 36e6),
    ("magnesium_compounds", "mined", 19e6, 24e6),
    ("helium", "mined", 28_000, 34_000),
    ("platinum", "mined", 160, 200),
    ("palladium", "mined", 190, 240),
    ("phosphorus", "refined", 0.9e6, 1.4e6),
    ("uranium", "mined", 45_000, 60_000),
    ("metallurgical_coal", "mined", 0.9e9, 1.2e9),
]
#: Share of the curbing country in exports, by tonnes: who would deny or expect it.
FROM_CHINA = [
    ("magnesium_compounds", "mined", 0.8, 0.97),
    ("arsenic", "metal", 0.6, 0.95),
    ("helium", "mined", 0.0, 0.06),
    ("lead", "mined", 0.0, 0.05),
    ("platinum", "refined", 0.0, 0.1),
    ("phosphorus", "refined", 0.0, 0.1),
]


@pytest.fixture(scope="module")
def embedded() -> Iterator[Warehouse]:
    with Warehouse.open_memory() as found:
        found.load_bundles([FACTS], strict=True)
        yield found


@pytest.fixture(scope="module")
def inputs(embedded: Warehouse) -> Inputs:
    return Inputs(embedded, Question(TODAY, TODAY, "CHN"))


def test_minerals_with_chains_and_with_trade(inputs: Inputs) -> None:
    assert inputs.chains.get_column("mineral").n_unique() >= 55
    assert inputs.flows.get_column("mineral").n_unique() >= 50


def test_every_code_of_a_notice_is_mapped_or_a_known_catch_all(embedded: Warehouse) -> None:
    named = embedded.query("SELECT DISTINCT unnest(hs6) AS hs6 FROM core.measure_items")
    meant = embedded.query(
        "SELECT hs6, bool_and(mineral = 'other') AS is_catch_all FROM core.hs_codes GROUP BY hs6"
    )
    found = named.drop_nulls().join(meant, on="hs6", how="left")
    assert found.filter(pl.col("is_catch_all").is_null()).get_column("hs6").to_list() == []
    assert set(found.filter("is_catch_all").get_column("hs6")) == CATCH_ALLS


def test_hafnium_and_rhenium_left_811292_in_2022(embedded: Warehouse) -> None:
    found = embedded.query(
        "SELECT DISTINCT hs6, mineral FROM core.hs_codes WHERE hs6 LIKE '8112%' AND hs_revision = '22' ORDER BY ALL"
    )
    by_code = {code: set(found.filter(hs6=code)["mineral"]) for code in found["hs6"].unique()}
    assert by_code["811231"] == {"hafnium"}
    assert by_code["811241"] == {"rhenium"}
    assert by_code["811292"] == {"gallium", "germanium", "indium", "niobium", "vanadium", "other"}


def test_what_a_code_holds_adds_up_to_one(embedded: Warehouse) -> None:
    found = embedded.query(
        """
        SELECT hs6, exporter, importer, share_of, sum(share_best) AS total
        FROM core.hs_codes
        GROUP BY hs6, hs_revision, exporter, importer, year_from, year_to, share_of, known_from
        HAVING bool_or(mineral = 'other')
        """
    )
    assert {"261690", "270112", "280429", "285390", "380110", "711041"} <= set(found.get_column("hs6"))
    assert found.filter((pl.col("total") - 1).abs() > 0.001).rows() == []


def test_a_code_without_trade_switches_off_none_that_has_it(embedded: Warehouse, inputs: Inputs) -> None:
    traded = {
        "92": ["tungsten metal", "cobalt refined", "bismuth refined", "molybdenum mined", "cobalt mined"],
        "17": [
            "antimony refined",
            "gallium refined",
            "germanium refined",
            "indium refined",
            "nickel refined",
        ],
    }
    found = {
        f"{m} {s}": r for m, s, r in inputs.baselines.select("mineral", "stage", "hs_revision").iter_rows()
    }
    assert {name: found[name] for names in traded.values() for name in names} == {
        name: revision for revision, names in traded.items() for name in names
    }
    unknown = embedded.query(
        "SELECT DISTINCT conversion_id FROM core.hs_codes ANTI JOIN core.conversions USING (conversion_id) "
        "WHERE conversion_id IS NOT NULL"
    )
    assert unknown.is_empty()


@pytest.mark.parametrize(("mineral", "stage", "low", "high"), OUTPUT_T)
def test_world_output(inputs: Inputs, mineral: str, stage: str, low: float, high: float) -> None:
    found = inputs.production.filter((pl.col("mineral") == mineral) & (pl.col("stage") == stage))
    assert low < found.get_column("production_t_best").sum() < high


@pytest.mark.parametrize(("mineral", "stage", "low", "high"), FROM_CHINA)
def test_share_of_the_curbing_country(
    inputs: Inputs, mineral: str, stage: str, low: float, high: float
) -> None:
    found = inputs.flows.filter((pl.col("mineral") == mineral) & (pl.col("stage") == stage))
    tonnes, of_china = pl.col("route_t_best"), pl.col("exporter") == "CHN"
    share = found.select(tonnes.filter(of_china).sum() / tonnes.sum()).item()
    assert low <= share <= high


def test_exports_do_not_turn_the_worlds_output_over(inputs: Inputs) -> None:
    # Metal that is refined, lent and shipped through London, Zurich and Hong Kong several times a year.
    hubs = {"platinum", "palladium", "rhodium"}
    own = [
        "lead",
        "silver",
        "arsenic",
        "cadmium",
        "boron",
        "feldspar",
        "magnesium_compounds",
        "helium",
        "phosphorus",
    ]
    minerals = [*own, "metallurgical_coal", "uranium", "selenium"]
    key = ["mineral", "stage"]
    sent = inputs.flows.group_by(key).agg(pl.col("route_t_best").sum())
    made = inputs.production.group_by(key).agg(pl.col("production_t_best").sum())
    ratio = sent.join(made, on=key).with_columns(r=pl.col("route_t_best") / pl.col("production_t_best"))
    assert ratio.filter(pl.col("mineral").is_in(minerals) & (pl.col("r") > 1.3)).rows() == []
    assert ratio.filter(pl.col("mineral").is_in(list(hubs)) & (pl.col("r") > 1.5)).rows() == []
