"""`curbline method geopolrisk`: features of a small world by hand, and questions to the published file."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engine.language.ruleset import load_ruleset
from ground.question import Question
from jobs.cli import main
from jobs.geopolrisk import Scores, score_lanes
from tests.engine.rulebook import texts_of
from tests.jobs.bundle import write_bundle
from warehouse.asof.inputs import Inputs
from warehouse.asof.state import Warehouse
from warehouse.errors import InputError

TODAY = date(2026, 11, 23)
RULES = load_ruleset(texts_of("methods/geopolrisk"))
WORLD = {
    "minerals": """\
mineral,name,symbol,is_group,content_basis,source_id,known_from
gallium,gallium,Ga,false,contained metal,src-a,2020-01-01
dysprosium,dysprosium,Dy,false,contained metal,src-a,2020-01-01
cobalt,cobalt,Co,false,contained metal,src-a,2020-01-01
""",
    "chains": """\
mineral,stage_order,stage,product,source_id,known_from
gallium,1,refined,metal,src-a,2020-01-01
dysprosium,1,refined,oxide,src-a,2020-01-01
cobalt,1,mined,ore,src-a,2020-01-01
""",
    "hs_codes": """\
hs6,hs_revision,mineral,stage,exporter,importer,share_of,share_low,share_best,share_high,trade_basis,source_id,known_from
811292,17,gallium,refined,*,*,weight,0.5,0.5,0.5,dominant,src-a,2020-01-01
284690,17,dysprosium,refined,*,*,weight,1,1,1,exact,src-a,2020-01-01
260500,17,cobalt,mined,*,*,weight,1,1,1,exact,src-a,2020-01-01
""",
    "trade": """\
year,exporter,importer,hs6,hs_revision,value_usd,quantity_t,is_complete,source_id,known_from
2023,CHN,USA,811292,17,1000,99,true,src-a,2025-02-01
2024,CHN,USA,811292,17,1000,8,true,src-a,2026-02-01
2024,JPN,USA,811292,17,1000,2,true,src-a,2026-02-01
2024,CHN,JPN,811292,17,1000,10,true,src-a,2026-02-01
2024,JPN,JPN,811292,17,1000,50,true,src-a,2026-02-01
2024,CHN,DEU,811292,17,1000,4,true,src-a,2026-02-01
2024,CHN,USA,284690,17,1000,7,true,src-a,2026-02-01
2024,COD,USA,260500,17,1000,7,true,src-a,2026-02-01
""",
    "production": """\
mineral,stage,country,year,production_t_low,production_t_best,production_t_high,qualifier,source_id,known_from
gallium,refined,CHN,2024,60,60,60,reported,src-a,2026-02-01
gallium,refined,JPN,2024,5,10,15,estimated,src-a,2026-02-01
gallium,refined,DEU,2024,,,,withheld,src-a,2026-02-01
gallium,refined,OTH,2024,30,30,30,derived,src-a,2026-02-01
cobalt,mined,COD,2024,70,70,70,reported,src-a,2026-02-01
""",
    "governance": """\
country,year,indicator,estimate,standard_error,source_id,known_from
CHN,2024,political_stability,-0.5,0.2,src-a,2025-12-01
CHN,2024,political_stability,2.5,0.2,src-a,2026-12-01
CHN,2023,political_stability,-2.5,0.2,src-a,2025-12-01
""",
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inputs]:
    with Warehouse.open_memory() as warehouse:
        warehouse.load_bundles(
            [write_bundle(tmp_path_factory.mktemp("world") / "facts", **WORLD)], strict=True
        )
        yield Inputs(warehouse, Question(TODAY, TODAY, "CHN"))


@pytest.fixture(scope="module")
def scores(inputs: Inputs) -> Scores:
    return score_lanes(inputs.geopolrisk(2024), RULES, 2024)


def one(frame: pl.DataFrame, **keys: str) -> dict[str, Any]:
    return frame.filter(**keys).row(0, named=True)


def test_scores_of_a_small_world_by_hand(scores: Scores) -> None:
    hhi, hhi_high = (60**2 + 10**2) / 100**2, (60**2 + 10**2 + 30**2) / 100**2
    china = one(scores.routes, mineral="gallium", exporter="CHN", importer="USA")
    assert china["lane_t"] == pytest.approx(4)  # half of eight tonnes; 2023 is another year
    assert china["political_stability"] == -0.5  # the estimate of December 2026 was not known yet
    assert china["route_score_best"] == pytest.approx(hhi * 0.6 * 4 / 5, abs=1e-12)
    assert china["route_score_high"] == pytest.approx(hhi_high * 0.6 * 4 / 5, abs=1e-12)
    assert china["route_score_low"] == pytest.approx(
        hhi * 0.6 * 4 / (5 + 30), abs=1e-12
    )  # no row: 0 to the rest
    japan = one(scores.routes, mineral="gallium", exporter="JPN", importer="USA")
    assert japan["political_stability"] is None
    assert japan["route_score_best"] == pytest.approx(hhi * 0.5 * 1 / 5, abs=1e-12)
    assert (japan["route_score_low"], japan["route_score_high"]) == (
        0,
        pytest.approx(hhi_high / 5, abs=1e-12),
    )
    usa = one(scores.importers, mineral="gallium", importer="USA")
    assert usa["importer_score_best"] == pytest.approx(hhi * (0.6 * 4 + 0.5) / 5, abs=1e-12)
    assert (usa["routes"], usa["imports_t"]) == (2, 5)
    own = one(scores.importers, mineral="gallium", importer="JPN")  # its own re-imports are no supply
    assert own["importer_score_best"] == pytest.approx(hhi * 0.6 * 5 / 15, abs=1e-12)
    assert own["importer_score_low"] == pytest.approx(hhi * 0.6 * 5 / 20, abs=1e-12)
    assert own["importer_score_high"] == pytest.approx(hhi_high * 0.6 * 5 / 10, abs=1e-12)


@pytest.mark.parametrize(
    ("mineral", "importer", "reason"),
    [
        ("gallium", "DEU", "production of DEU is withheld: unknown, not zero"),
        ("dysprosium", "USA", "no production of dysprosium (refined) is known for 2024"),
        ("cobalt", "USA", "production of cobalt (mined) in 2024 is listed without a world total or a rest, so no share of it is known"),
    ],
)  # fmt: skip
def test_unknown_production_is_unknown_with_its_reason(
    scores: Scores, mineral: str, importer: str, reason: str
) -> None:
    for frame, name in ((scores.routes, "route_score_best"), (scores.importers, "importer_score_best")):
        row = one(frame, mineral=mineral, importer=importer)
        assert (row[name], row["unknown_reason"]) == (None, reason)


def test_a_year_without_trade_is_refused(inputs: Inputs) -> None:
    with pytest.raises(
        InputError, match=r"no trade of 2022 is known on 2026-11-23. Years with trade: 2023, 2024."
    ):
        inputs.geopolrisk(2022)


def ask(capsys: pytest.CaptureFixture[str], published: Path, *options: str) -> str:
    assert main(["method", "geopolrisk", "--out", str(published.parent), *options]) == 0
    return capsys.readouterr().out


def test_the_published_file_answers(published: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(ask(capsys, published, "--year", "2024", "--importer", "jpn", "--json"))
    assert (found["method"], found["year"]) == ("geopolrisk", 2024)
    by_key = {(row["mineral"], row["stage"]): row for row in found["rows"]}
    germanium = by_key["germanium", "refined"]  # 0 for every importer in the peer, for want of a code
    assert 0.05 < germanium["importer_score_best"] < 0.4
    assert 0.25 < by_key["natural_graphite", "mined"]["importer_score_best"] < 0.45  # 0.316 in the peer
    routes = csv.DictReader(io.StringIO(ask(capsys, published, "--importer", "JPN", "--routes", "--csv")))
    parts = [
        float(r["route_score_best"]) for r in routes if (r["mineral"], r["stage"]) == ("germanium", "refined")
    ]
    assert len(parts) == germanium["routes"]
    assert sum(parts) == pytest.approx(germanium["importer_score_best"], abs=1e-12)


def test_every_route_sums_to_its_importer_and_nothing_unknown_is_a_number(
    published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = ["mineral", "stage", "importer"]
    routes = pl.read_csv(io.StringIO(ask(capsys, published, "--routes", "--csv")), infer_schema_length=None)
    importers = pl.read_csv(io.StringIO(ask(capsys, published, "--csv")), infer_schema_length=None)
    assert importers.height > 3000
    for frame, name in ((routes, "route_score_best"), (importers, "importer_score_best")):
        assert (frame[name].is_null() == frame["unknown_reason"].is_not_null()).all()
        known = frame.drop_nulls(name)
        assert known[name].is_between(0, 1).all()
        low, high = (known[name.replace("best", end)] for end in ("low", "high"))
        assert ((low <= known[name] + 1e-12) & (known[name] <= high + 1e-12)).all()
    summed = routes.drop_nulls("route_score_best").group_by(keys).agg(pl.col("route_score_best").sum())
    both = summed.join(importers.drop_nulls("importer_score_best"), on=keys, validate="1:1")
    assert both.height == summed.height
    assert (both["route_score_best"] - both["importer_score_best"]).abs().max() < 1e-12  # type: ignore[operator]


def test_the_screen_shows_the_highest_first(published: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = ask(capsys, published, "--mineral", "gallium")
    assert "importer_score_best" in said
    assert main(["method", "geopolrisk", "--out", str(published.parent), "--mineral", "galium"]) == 30
    assert "that is not a score of 0; did you mean 'gallium'?" in capsys.readouterr().err


def test_rules_of_the_curb_scores_are_no_rules_of_the_method(
    published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    curbs = str(Path(__file__).parents[2] / "rules")
    assert main(["method", "geopolrisk", "--rules", curbs, "--out", str(published.parent)]) == 40
    assert "these rules are for curb scores, not for geopolrisk" in capsys.readouterr().err
