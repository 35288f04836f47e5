"""The questions of docs/queries, asked of a file that the real nightly job published."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from jobs.sql import Answer, ask

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "queries"
FILES = sorted(FOLDER.glob("*.sql"))
NAMES = [path.stem for path in FILES]
INDEX = (FOLDER / "README.md").read_text(encoding="utf-8")


@cache
def asked(published: Path, number: int) -> Answer:
    path = next(file for file in FILES if file.name.startswith(f"{number:02}-"))
    return ask(published, path.read_text(encoding="utf-8"), limit=10_000, timeout_s=60)


def rows(published: Path, number: int, **where: Any) -> list[dict[str, Any]]:
    return asked(published, number).frame.filter(**where).to_dicts()


def test_there_are_twenty_five_questions_numbered_in_order() -> None:
    assert [name[:2] for name in NAMES] == [f"{n:02}" for n in range(1, len(NAMES) + 1)]
    assert len(NAMES) >= 25


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_file_asks_says_how_to_read_it_names_limits_and_holds_one_statement(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    head = [line for line in lines if line.startswith("--")]
    assert lines[: len(head)] == head, "comments stand before the statement"
    assert re.fullmatch(r"-- [A-Z].*\?", head[0]), "the first line is a question"
    assert any(line.startswith("-- Read: ") for line in head)
    assert any(line.startswith("-- Limits: ") for line in head)
    assert text.count(";") - sum(line.count(";") for line in head) - text.count("'; '") == 1
    assert text.endswith(";\n")


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_the_index_lists_it_with_its_question(path: Path) -> None:
    question = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("-- ")
    assert f"[{question}]({path.name})" in INDEX


@pytest.mark.slow
@pytest.mark.parametrize("number", range(1, len(FILES) + 1), ids=NAMES)
def test_it_answers(published: Path, number: int) -> None:
    answer = asked(published, number)
    assert answer.frame.height
    assert not answer.is_cut
    assert len(set(answer.frame.columns)) == answer.frame.width
    empty = [name for name in answer.frame.columns if answer.frame[name].null_count() == answer.frame.height]
    assert set(empty) <= {"note", "clause", "pledge_id"}, "a column without any value tells nothing"


@pytest.mark.slow
def test_states_of_57_2025_by_day_and_knowledge(published: Path) -> None:
    found = [(str(r["as_of"]), str(r["known_at"]), r["state"]) for r in rows(published, 1)]
    assert found == [
        ("2025-10-30", "2025-10-30", "announced"),
        ("2025-11-20", "2025-11-01", "in_force"),
        ("2025-11-20", "2025-11-07", "suspended"),
        ("2026-11-10", "2026-11-10", "suspended"),
        ("2026-11-11", "2026-11-11", "lapsed_unverified"),
    ]


@pytest.mark.slow
def test_the_notices_of_october_2025_are_unverified_since_the_pause_ended(published: Path) -> None:
    chinese = {r["measure_id"]: r for r in rows(published, 2, curbing_country="CHN")}
    for notice in ("cn-55-2025", "cn-56-2025", "cn-57-2025", "cn-58-2025", "cn-61-2025-ab", "cn-62-2025"):
        assert chinese[notice]["state"] == "lapsed_unverified"
        assert chinese[notice]["valid_from"] == date(2026, 11, 11)
        assert chinese[notice]["days_open"] == 12
    assert "cn-46-2024-art2-us" not in chinese  # suspended until 27 November, so not yet open


@pytest.mark.slow
def test_the_next_date_is_the_end_of_the_gallium_suspension(published: Path) -> None:
    first = next(r for r in rows(published, 3) if r["notice"] == "MOFCOM 46/2024 art. 2")
    assert (first["event_date"], first["days_left"]) == (date(2026, 11, 28), 5)
    assert first["state_after"] == "lapsed_unverified"
    assert first["lane_count"] > 0
    assert first["route_usd"] > 0


@pytest.mark.slow
def test_top_routes_are_sorted_and_within_their_ranges(published: Path) -> None:
    frame = asked(published, 4).frame
    assert frame["active"].is_sorted(descending=True)
    assert frame.filter(
        (pl.col("active") < pl.col("active_low")) | (pl.col("active") > pl.col("active_high"))
    ).is_empty()


@pytest.mark.slow
def test_importer_totals_show_magnet_metals_of_japan_high(published: Path) -> None:
    (terbium,) = rows(published, 5, mineral="terbium", stage="metal")
    assert terbium["jpn_active"] > terbium["eu27_active"] > 20
    for row in rows(published, 5):
        for importer in ("eu27", "usa", "jpn"):
            if row[f"{importer}_active"] is not None:
                assert row[f"{importer}_snapback"] >= row[f"{importer}_active"]


@pytest.mark.slow
def test_points_of_the_waterfall_sum_to_the_score(published: Path) -> None:
    found = rows(published, 6)
    assert found[0]["points_sum"] == pytest.approx(found[0]["score"], abs=1e-6)
    assert any(r["measure_id"] == "cn-23-2023" and r["points"] > 0 for r in found)
    assert all(r["sentence"] for r in found)


@pytest.mark.slow
def test_third_country_routes_name_a_chinese_measure_upstream(published: Path) -> None:
    found = rows(published, 7)
    assert {r["flow_exporter"] for r in found} == {"CHN"}
    assert all(r["exporter"] == r["flow_importer"] for r in found)
    assert all("CHN" not in (r["exporter"], r["importer"]) and r["touched_share_best"] > 0 for r in found)


@pytest.mark.slow
def test_wide_ranges_name_what_would_narrow_them(published: Path) -> None:
    assert "severity" in {r["narrowed_by"] for r in rows(published, 8)}


@pytest.mark.slow
def test_snapback_gap_of_american_germanium_and_gallium_falls_due_on_28_november(published: Path) -> None:
    due = [r for r in rows(published, 9) if r["next_event_date"] == date(2026, 11, 28)]
    assert any((r["mineral"], r["importer"]) == ("germanium", "USA") for r in due)
    assert all(r["active"] <= r["scheduled"] <= r["snapback"] and r["gap"] > 0 for r in due)


@pytest.mark.slow
def test_cobalt_is_free_of_chinese_curbs_and_critical_at_a_full_stop(published: Path) -> None:
    (cobalt,) = rows(published, 10, mineral="cobalt", stage="refined")
    assert cobalt["active_max"] == 0
    assert cobalt["full_stop_weighted"] > 60
    assert cobalt["band_of_largest"] in ("high", "critical")


@pytest.mark.slow
def test_both_claims_on_malaysia_stand(published: Path) -> None:
    found = {(r["what"], r["million_t"], r["grade"]) for r in rows(published, 11, told_in="reserves table")}
    assert found == {("reserve", 0.71, "A"), ("resource", 16.1, "C")}
    assert sorted(r["million_t"] for r in rows(published, 11, told_in="statement")) == [0.03, 0.71, 16.1]


@pytest.mark.slow
def test_every_fact_of_the_article_is_there(published: Path) -> None:
    counts = dict(asked(published, 12).frame["kind"].value_counts().iter_rows())
    assert counts == {"agreement": 6, "pledge": 30, "statement": 14}
    facts = {r["fact_id"] for r in rows(published, 12)}
    assert {"tariff-mys-19", "tariff-khm-19", "tariff-tha-19", "tariff-vnm-20", "surplus-vnm-123"} <= facts
    assert {
        "reserves-mys-161",
        "rawban-mys",
        "mys-no-ban-quota",
        "tha-tariff-99",
        "article-china-curbs",
    } <= facts


@pytest.mark.slow
def test_pledges_keep_who_stands_behind_them_apart(published: Path) -> None:
    found = {r["pledge_id"]: r for r in rows(published, 13)}
    assert found["chn-general-licences"]["backing"] == "beneficiary_asserted"
    assert found["mys-no-ban-quota"]["pledging_party"] == ["MYS"]
    assert any(r["not_covered"] for r in found.values())


@pytest.mark.slow
def test_items_without_a_score_all_have_a_reason(published: Path) -> None:
    assert all(r["items"] > 0 and r["reason"] for r in rows(published, 14))


@pytest.mark.slow
def test_reconciliation_says_what_would_mend_a_weak_grade(published: Path) -> None:
    assert all(r["what_would_mend"] for r in rows(published, 15) if r["grade"] in ("weak", "insufficient"))


@pytest.mark.slow
def test_hindsight_of_november_2025_comes_from_later_editions_or_forecasts(published: Path) -> None:
    found = rows(published, 16)
    assert {r["told_in"] for r in found} == {"production", "reserves"}
    assert all(r["first_known"] > date(2025, 11, 1) or r["latest_year"] > 2025 for r in found)


@pytest.mark.slow
def test_all_trade_is_graded_a_and_every_grade_is_used(published: Path) -> None:
    frame = asked(published, 17).frame
    assert frame["grade"].to_list() == ["A", "B", "C", "D"]
    assert frame.filter(pl.col("trade_rows") > 0)["grade"].to_list() == ["A"]


@pytest.mark.slow
def test_licences_add_and_stocks_take_away(published: Path) -> None:
    signs = {r["rule_id"]: r["points"] for r in rows(published, 18) if r["rule_id"]}
    assert signs["entity-ban"] > 0 > signs["stock-cover"]
    assert signs["alternatives-near"] < 0


@pytest.mark.slow
def test_concentration_lies_between_equal_shares_and_one(published: Path) -> None:
    for row in rows(published, 19):
        assert 1 / row["suppliers"] - 0.001 <= row["hhi"] <= 1
        assert row["touched_by_china"] is None or 0 <= row["touched_by_china"] <= 1 + 1e-6


@pytest.mark.slow
def test_chinese_graphite_is_one_code_and_magnets_are_bundled(published: Path) -> None:
    assert {r["mineral"] for r in rows(published, 20, hs6="250410")} == {"natural_graphite"}
    magnets = rows(published, 20, hs6="850511", year=2024)
    assert {r["trade_basis"] for r in magnets} == {"bundle"}
    assert {"neodymium", "dysprosium", "terbium"} <= {r["mineral"] for r in magnets}


@pytest.mark.slow
def test_capacity_grows_with_the_horizon(published: Path) -> None:
    for row in rows(published, 21):
        known = [row[f"add_{days}_t"] for days in (90, 365, 1825) if row[f"add_{days}_t"] is not None]
        assert known == sorted(known), row["mineral"]
        assert "CHN" not in row["country_list"]


@pytest.mark.slow
def test_every_destination_has_one_class_today(published: Path) -> None:
    today = [(r["destination"], r["mineral"]) for r in rows(published, 22, holds_today=True)]
    assert len(today) == len(set(today))
    assert ("*", "*") in today


@pytest.mark.slow
def test_the_statutory_review_of_45_working_days_is_on_record(published: Path) -> None:
    review = rows(published, 23, metric="statutory_review_time")
    assert any((r["value_best"], r["unit"]) == (45.0, "working days") for r in review)


@pytest.mark.slow
def test_defence_reserves_are_not_for_civil_buyers(published: Path) -> None:
    defence = [r for r in rows(published, 24) if (r["holder_type"] or "").startswith("defence reserve")]
    assert defence
    assert {r["usable_by_civil_buyers"] for r in defence} == {"false"}


@pytest.mark.slow
def test_the_file_says_who_made_it_and_that_its_checks_passed(published: Path) -> None:
    (run,) = rows(published, 25)
    assert (run["as_of"], run["known_at"], run["curbing_country"]) == (
        date(2026, 11, 23), date(2026, 11, 23), "CHN",
    )  # fmt: skip
    assert run["failed"] == 0
    assert run["rejected_rows"] == 0
    assert run["checks"] > 0
    assert run["route_scores"] > 100_000


@pytest.mark.slow
def test_import_sources_stand_beside_ours_and_the_page_repeats_them(published: Path) -> None:
    goods = rows(published, 26)
    page = (ROOT / "docs" / "import-share-check.md").read_text(encoding="utf-8")
    compared = [row for row in goods if row["not_compared_because"] is None]
    assert len(compared) >= 20
    for row in compared:
        assert row["grade"] in {"good", "fair", "weak", "insufficient"}
        name = f"| {row['mineral'].replace('_', ' ')}: {row['form']} | {', '.join(row['hs6_list'])} |"
        line = next(line for line in page.splitlines() if line.startswith(name))
        assert f" {row['apart_percent']:.1f} % | {row['grade']} | {row['side_by_side']} |" in line
    (copper,) = (row for row in compared if row["form"] == "Refined copper")
    assert copper["apart_percent"] < 3
    rest = [row for row in goods if row["not_compared_because"] is not None]
    assert all(row["grade"] == "not compared" and row["side_by_side"] is None for row in rest)


@pytest.mark.slow
def test_every_route_counts_under_one_grade(published: Path) -> None:
    graded = asked(published, 27).frame
    routes = ask(
        published, "SELECT count(*) FILTER (horizon_days = 365) FROM mart.route_score", limit=1, timeout_s=60
    )
    assert graded["routes"].sum() == routes.frame.item()
    assert graded.filter(grade="good")["minerals"].item() >= 50


@pytest.mark.slow
def test_bundles_stand_beside_what_is_published_and_the_page_repeats_them(published: Path) -> None:
    goods = rows(published, 28)
    page = (ROOT / "docs" / "import-share-check.md").read_text(encoding="utf-8").splitlines()
    assert {row["mineral"] for row in goods} >= {
        "gallium",
        "germanium",
        "indium",
        "hafnium",
        "rhenium",
        "yttrium",
    }
    for row in goods:
        name = f"| {row['mineral'].replace('_', ' ')}: {row['form']} |"
        assert f"{name} {row['apart_percent']:.1f} % | {row['grade']} | {row['side_by_side']} |" in page
    (germanium,) = (row for row in goods if row["mineral"] == "germanium")
    assert "CHN 41/" in germanium["side_by_side"]
    stages = {(row["mineral"], row["stage"]): row for row in rows(published, 15)}
    assert stages["germanium", "refined"]["us_imports_apart"] == pytest.approx(
        germanium["apart_percent"] / 100, abs=1e-3
    )
    assert stages["chromium", "mined"]["us_imports_apart"] < 0.1
