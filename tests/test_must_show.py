"""What the score must show on the embedded facts: the cases that made the project worth building."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from engine.scoring.assemble import build_chains
from engine.scoring.draws import Numbers
from engine.scoring.expect import Expectations
from engine.scoring.inputs import Inputs as EngineInputs
from engine.scoring.portfolio import score_in_parts, score_portfolio
from engine.scoring.supply import rule_access, stage_supply
from engine.scoring.world import Chain, drawn_stages
from ground.question import Question
from jobs.gather import gather
from tests.engine.rulebook import default_ruleset
from warehouse.asof.inputs import Inputs
from warehouse.asof.state import Warehouse

pytestmark = pytest.mark.slow

FACTS = Path(__file__).parents[1] / "warehouse" / "facts"
SHOWN = ("gallium", "germanium", "cobalt", "dysprosium", "terbium")
RARE_EARTHS = ("dysprosium", "terbium", "neodymium", "praseodymium")
TODAY = date(2026, 11, 23)
BAN_DAY = date(2025, 6, 1)
Marts = Mapping[str, pl.DataFrame]


@cache
def warehouse() -> Warehouse:
    state = Warehouse.open_memory()
    state.load_bundles([FACTS], strict=True)
    return state


@cache
def gathered(day: date, country: str) -> EngineInputs:
    return gather(Inputs(warehouse(), Question(day, day, country)))


def inputs_on(day: date, country: str = "CHN", minerals: tuple[str, ...] = SHOWN) -> EngineInputs:
    full = gathered(day, country)
    frames = {**full.frames, "flows": full["flows"].filter(pl.col("mineral").is_in(minerals))}
    return EngineInputs(full.question, frames)


@cache
def scored(day: date, country: str = "CHN", minerals: tuple[str, ...] = SHOWN) -> Marts:
    return score_portfolio(inputs_on(day, country, minerals), default_ruleset(), lambda _: nullcontext())


def route(
    marts: Marts, mineral: str, stage: str, exporter: str, importer: str, horizon: int = 365
) -> dict[str, Any]:
    found = marts["route_score"].filter(
        mineral=mineral, stage=stage, exporter=exporter, importer=importer, horizon_days=horizon
    )
    row: dict[str, Any] = found.row(0, named=True)
    return row


def test_gallium_to_america_is_high_under_the_ban_lower_under_the_licence_and_snaps_back() -> None:
    ban = route(scored(BAN_DAY, minerals=("gallium",)), "gallium", "refined", "CHN", "USA")
    licence = route(scored(TODAY), "gallium", "refined", "CHN", "USA")
    assert ban["active_band"] in ("high", "critical")
    assert ban["active"] > licence["active"] + 20
    assert licence["snapback"] > licence["active"] + 15
    assert licence["active"] < licence["scheduled"] < licence["snapback"]
    assert str(licence["next_event_date"]) == "2026-11-28"
    assert "46/2024" in str(licence["next_event"])


def test_japanese_magnets_to_europe_name_the_chinese_oxide_and_metal_measures() -> None:
    marts = scored(TODAY)
    own = route(marts, "dysprosium", "fabricated", "JPN", "DEU")
    assert own["touched_share_best"] > 0.5
    terms = marts["contribution_term"].filter(mineral="dysprosium", step="S1", measure_id="cn-18-2025")
    wide = marts["contribution_wide"].filter(
        mineral="dysprosium",
        stage="fabricated",
        exporter="JPN",
        importer="DEU",
        horizon_days=365,
        regime="active",
    )
    points = {stage: wide[term].item() for term, stage in terms.select("term", "term_stage").iter_rows()}
    assert points["refined"] > 10
    assert points["metal"] > 5
    assert sum(wide[f"s{step}"].item() for step in range(8)) == pytest.approx(own["active"], abs=1e-9)


def test_germanium_has_scores_for_real_importers() -> None:
    scores = scored(TODAY)["route_score"].filter(mineral="germanium", exporter="CHN", horizon_days=365)
    for importer in ("USA", "DEU", "JPN", "BEL"):
        row = scores.filter(importer=importer).row(0, named=True)
        assert row["active_high"] > 50
        assert row["snapback"] > 20
        assert row["full_stop_band"] == "high"
    # Five lists of firms count as one; what is left is the licence, whose delays have used up the stock.
    japan = scores.filter(importer="JPN").row(0, named=True)
    assert japan["active"] > 10
    assert japan["active_expected_missing_share"] > 0.1
    assert scores["active"].null_count() == 0


def test_cobalt_is_free_of_chinese_curbs_and_high_at_a_full_stop_and_under_the_congolese_quota() -> None:
    chinese = scored(TODAY)["route_score"].filter(
        mineral="cobalt", exporter="CHN", stage="refined", horizon_days=365
    )
    largest = chinese.sort("route_t", descending=True).row(0, named=True)
    assert largest["active"] == 0
    assert largest["full_stop_band"] in ("high", "critical")
    congo = scored(TODAY, "COD", ("cobalt",))["route_score"].filter(
        mineral="cobalt", exporter="COD", stage="mined", horizon_days=365
    )
    assert congo.filter(importer="CHN")["active_band"].item() == "high"


def american_totals(change: Callable[[EngineInputs], Mapping[str, pl.DataFrame]]) -> pl.DataFrame:
    """US importer totals of the magnet rare earths over five years, after a change of the facts.

    Beside the scores: points of the alternatives step, and the ore that the US could draw on (low, best, high, t).
    """
    base = inputs_on(TODAY, minerals=RARE_EARTHS)
    changed = EngineInputs(base.question, {**base.frames, **change(base)})
    # Whether a change of the facts lifts or lowers a score is the same in any number of draws: each draw obeys it.
    rules = replace(default_ruleset(), scorecard=replace(default_ruleset().scorecard, horizons=(1825,)))
    parts = list(score_in_parts(changed, rules, totals=Expectations(Numbers(16), changed, rules)))
    marts = {name: pl.concat([part[name] for part in parts], how="diagonal_relaxed") for name in parts[0]}
    keys = {"importer": "USA", "horizon_days": 1825}
    steps = marts["importer_contribution_wide"].filter(regime="full_stop", **keys)
    ends = [f"full_stop{end}" for end in ("_low", "", "_high")]
    scores = marts["importer_score"].filter(**keys).select("mineral", "stage", *ends)
    access = rule_access(changed, default_ruleset())
    ore = []
    for frames in build_chains(changed):
        supply = stage_supply(changed, default_ruleset(), access, frames.chain, "mined", 1825)
        open_to_us = supply.feed_access_share[:, :, frames.chain.countries.index("USA")]
        assert supply.feed_t is not None
        ore.append((frames.chain.mineral, *(supply.feed_t * open_to_us).sum(axis=1).tolist()))
    feed = pl.DataFrame(ore, schema=["mineral", "ore_low", "ore_best", "ore_high"], orient="row")
    return (
        scores.join(steps.select("mineral", "stage", "s4"), on=["mineral", "stage"])
        .join(feed, on="mineral")
        .sort("mineral", "stage")
    )


def with_malaysian_reserves(
    tonnes_low: float, tonnes_high: float
) -> Callable[[EngineInputs], Mapping[str, pl.DataFrame]]:
    """Malaysia's group figure replaced, in proportion, for every element."""

    def change(inputs: EngineInputs) -> Mapping[str, pl.DataFrame]:
        reserves = inputs["reserves"]
        own = (pl.col("country") == "MYS") & pl.col("mineral").is_in(RARE_EARTHS)
        scale = pl.col("reserves_t_best") / 710_000.0
        return {
            "reserves": reserves.with_columns(
                reserves_t_low=pl.when(own).then(scale * tonnes_low).otherwise("reserves_t_low"),
                reserves_t_best=pl.when(own).then(scale * tonnes_low).otherwise("reserves_t_best"),
                reserves_t_high=pl.when(own).then(scale * tonnes_high).otherwise("reserves_t_high"),
            )
        }

    return change


def without_malaysian_pledge(inputs: EngineInputs) -> Mapping[str, pl.DataFrame]:
    access = inputs["access"]
    assert access.filter(fact_id="mys-no-ban-quota").height > 0
    return {"access": access.filter(pl.col("fact_id") != "mys-no-ban-quota")}


def test_the_malaysian_pledge_and_claim_reach_the_ore_and_nothing_else() -> None:
    """What moves is the ore behind the alternatives step (S4); the law steps never.

    The ore moves little: Malaysia mines some hundred tonnes, and no reserve figure makes a mine. The scores move only
    where ore, not plant, is the narrow place; on these facts it is plant.
    """
    base = american_totals(lambda _: {})
    no_pledge = american_totals(without_malaysian_pledge)
    usgs = american_totals(with_malaysian_reserves(710_000.0, 710_000.0))
    claim = american_totals(with_malaysian_reserves(16_100_000.0, 16_100_000.0))
    for column in ("full_stop_low", "full_stop", "full_stop_high"):
        assert (no_pledge[column] >= base[column] - 1e-9).all()
        assert (usgs[column] >= claim[column] - 1e-9).all()
    for column in ("ore_best", "ore_high"):
        assert (no_pledge[column] <= base[column]).all()
        assert (usgs[column] <= claim[column]).all()
    assert (no_pledge["ore_high"] < base["ore_high"]).any()
    print(
        "\nUS totals of magnet rare earths, 1825 days, full stop: low, best, high; points of S4; ore open to the US, t"
    )
    for name, frame in {"as known": base, "no pledge": no_pledge, "0.71 Mt": usgs, "16.1 Mt": claim}.items():
        for row in frame.filter(stage="refined").iter_rows(named=True):
            print(
                f"{name:10} {row['mineral']:13} {row['full_stop_low']:6.2f} {row['full_stop']:6.2f} "
                f"{row['full_stop_high']:6.2f}  S4 {row['s4']:+8.3f}  ore {row['ore_low']:8.1f} {row['ore_best']:8.1f} "
                f"{row['ore_high']:8.1f}"
            )


def test_a_bloc_is_told_by_trade_what_its_members_are() -> None:
    """Graphite of several members says something of the licence, as the rules of 27 November 2026 draw it."""
    # Lanes of all minerals teach what a rule withholds, also where one is scored.
    whole = gathered(date(2026, 11, 28), "CHN")
    inputs = whole.only(["natural_graphite"])
    marts = score_portfolio(inputs, default_ruleset(), lambda _: nullcontext())
    told = marts["importer_score"].filter((pl.col("horizon_days") == 365) & (pl.col("stage") == "mined"))
    by_importer = dict(told.select("importer", "evidence").iter_rows())
    members = set(whole["blocs"].filter(pl.col("bloc") == "EU27")["country"])
    assert by_importer["EU27"] == "weak"
    assert {"weak", "none"} == {word for importer, word in by_importer.items() if importer in members}


def test_money_missing_tells_the_doubt_how_much_of_its_code_a_mineral_is() -> None:
    """Lutetium is a judged share of 284690: nearly all of it is missing in Japan, but nobody knows of how much."""
    inputs = gathered(TODAY, "CHN").only(["lutetium"])
    totals = Expectations(Numbers(), inputs, default_ruleset(), ["JPN"])
    (marts,) = score_in_parts(inputs, default_ruleset(), totals=totals)
    lane = marts["route_score"].row(
        by_predicate=(pl.col("exporter") == "CHN")
        & (pl.col("importer") == "JPN")
        & (pl.col("stage") == "refined")
        & (pl.col("horizon_days") == 365),
        named=True,
    )
    low, high = (lane[f"active_missing_trade_share_{end}"] for end in ("p10", "p90"))
    assert low < 0.8 * lane["active_missing_share_p10"]
    assert high > 1.2 * lane["active_missing_share_p90"]
    total = totals.exposure().row(
        by_predicate=(pl.col("importer") == "JPN")
        & (pl.col("stage") == "refined")
        & (pl.col("horizon_days") == 365)
        & (pl.col("regime") == "active"),
        named=True,
    )
    lanes = marts["route_score"].filter(importer="JPN", stage="refined", horizon_days=365)
    at_best = (lanes["active_expected_missing_share"] * lanes["route_usd"]).sum()
    assert total["expected_missing_usd"] == pytest.approx(at_best, rel=1e-6)
    # One lane is most of it.
    assert total["missing_usd_p10"] == pytest.approx(low * lane["route_usd"], rel=0.1)
    assert total["missing_usd_p90"] == pytest.approx(high * lane["route_usd"], rel=0.1)


def test_the_metals_of_one_code_never_weigh_more_than_was_shipped() -> None:
    """All rare-earth metals that Japan ships to China under 280530, in each draw."""
    inputs = gathered(TODAY, "CHN")
    lane = (pl.col("exporter") == "JPN") & (pl.col("importer") == "CHN") & (pl.col("stage") == "metal")
    parts = inputs["bundled_trade"].filter(lane)
    (bundle,) = parts["bundle"].unique()
    goods = inputs["bundle_goods"].filter((pl.col("bundle") == bundle) & (pl.col("mineral") == "neodymium"))
    (shipped_t,) = (
        parts.join(goods, left_on="mineral", right_on="good_mineral")
        .select((pl.col("part_t_best") / pl.col("share_best")).round(6).unique())
        .to_series()
    )
    numbers = Numbers()
    drawn_t, free_t = np.zeros(numbers.draws), np.zeros(numbers.draws)
    for frames in build_chains(inputs.only(goods["good_mineral"].to_list())):
        places = [frames.chain.countries.index(country) for country in ("JPN", "CHN")]
        for chain, total in ((frames.chain, drawn_t), (without_bundles(frames.chain), free_t)):
            at = [stage.name for stage in chain.stages].index("metal")
            stage = drawn_stages(chain, numbers, "pert")[at]
            (k,) = np.flatnonzero((stage.exporter == places[0]) & (stage.importer == places[1]))
            total += stage.lane_t[:, k]
    assert parts.height == goods.height == 12
    assert free_t.max() > 1.2 * shipped_t
    assert drawn_t.max() <= shipped_t * (1 + 1e-6)


def without_bundles(chain: Chain) -> Chain:
    return replace(chain, stages=tuple(replace(stage, bundled=None) for stage in chain.stages))


def test_the_same_inputs_twice_give_the_same_frames() -> None:
    minerals = ("dysprosium", "gallium")
    first = scored(TODAY, minerals=minerals)
    again = score_portfolio(inputs_on(TODAY, minerals=minerals), default_ruleset())
    for name, frame in first.items():
        assert frame.equals(again[name]), name


def test_no_capacity_on_record_is_unknown_and_takes_the_rules_default() -> None:
    """Nothing on record is not a zero: the range of what others could add opens, and the low end falls."""
    base = inputs_on(TODAY, minerals=("gallium",))
    none = EngineInputs(base.question, {**base.frames, "capacity": base["capacity"].clear()})
    chain = build_chains(none)[0].chain
    access = rule_access(none, default_ruleset())
    assert not stage_supply(none, default_ruleset(), access, chain, "refined", 1825).is_known
    unknown = route(score_portfolio(none, default_ruleset()), "gallium", "refined", "CHN", "USA", 1825)
    assert unknown["full_stop_low"] < unknown["full_stop"] < unknown["full_stop_high"]
