"""Moves of scores by cause: planted changes, and the days on which notices lapse."""

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.language.ruleset import load_ruleset
from ground.question import Question
from ground.words import MAIN_HORIZON
from jobs.cli import main
from jobs.diff.asked import diff_replayed, find_night
from jobs.diff.changes import NOTHING, Changes, changes_between, ends_of
from jobs.diff.night import gathered
from jobs.diff.ranges import tonnes, with_ranges
from jobs.diff.reasons import _pledge
from jobs.diff.replayed import ReplayedNight
from jobs.diff.split import CHANGE, MOVED, RANGES, ROW, State, split
from jobs.diff.swaps import Ends
from jobs.diff.text import Shown, as_dict
from jobs.errors import ExitCode, InputError, SettingsError
from jobs.output.identity import code_version
from jobs.output.layout import Layout
from jobs.resources import default_facts_dir, default_rules_dir
from jobs.rules.rulebook import Rulebook, load_rulebook
from jobs.settings import Settings
from warehouse.asof.known import rows_known
from warehouse.asof.state import Warehouse

DRAWS = 16
EVE, DAY = date(2026, 11, 27), date(2026, 11, 28)
LICENCE = "withholding/dual-use-licence.yml"


@cache
def rulebook() -> Rulebook:
    return load_rulebook(default_rules_dir(), facts=[default_facts_dir()])


@cache
def facts(day: date) -> dict[str, pl.DataFrame]:
    with Warehouse.open_memory() as state:
        state.load_bundles([default_facts_dir()])
        return rows_known(state, day)


@cache
def night(day: date, row: bool = False, rule: bool = False, mineral: str = "gallium") -> ReplayedNight:
    """A night on the embedded facts, with a fact row or a rule parameter planted."""
    rows, book = facts(day), rulebook()
    texts = dict(book.texts)
    if row:
        high = pl.when(capacity_id="ca-ga-01").then(40.0).otherwise("add_365_t_high")
        rows = {**rows, "capacity": rows["capacity"].with_columns(add_365_t_high=high)}
    if rule:
        changed = texts[LICENCE].replace("[0.1, 0.35, 0.6]", "[0.2, 0.5, 0.7]")
        assert changed != texts[LICENCE]
        texts[LICENCE] = changed
    ruleset = load_ruleset(texts, book.vocabulary) if rule else book.ruleset
    question = Question(day, day, "CHN")
    return ReplayedNight(question, rows, texts, ruleset, code_version(), DRAWS, (mineral,))


def changes(before: ReplayedNight, after: ReplayedNight) -> Changes:
    return changes_between(ends_of(before, after, code_version(), rulebook().vocabulary, before.minerals))


def causes(found: Changes) -> set[str]:
    return set(found.moves["cause"])


@pytest.mark.slow
def test_each_planted_change_is_one_cause_with_its_reason() -> None:
    fact = changes(night(EVE), night(EVE, row=True))
    assert causes(fact) == {"facts"}
    said = fact.reasons.filter(cause="facts")
    assert said["mineral"].to_list() == ["gallium"]
    assert "capacity ca-ga-01 changed (add_365_t_high 5.6 to 40.0)" in said["reason"].item()
    rule = changes(night(EVE), night(EVE, rule=True))
    assert causes(rule) == {"rules"}
    assert "dual-use-licence" in rule.reasons["reason"].item()
    assert "[0.1, 0.35, 0.6] to [0.2, 0.5, 0.7]" in rule.reasons["reason"].item()
    # A harsher licence lifts what China's buyers miss, and their importer totals.
    japan = rule.moves.filter(exporter="CHN", importer="JPN", horizon_days=365, regime="active")
    assert japan["points"].item() > 1
    assert japan["missing_t_change"].item() > 0
    day = changes(night(EVE), night(DAY))
    assert causes(day) == {"calendar"}
    assert "MOFCOM 46/2024 art. 2: suspended, now lapsed unverified" in day.reasons["reason"].to_list()


@pytest.mark.slow
def test_a_range_is_of_the_move_in_the_same_draws_and_unknown_where_a_side_has_none() -> None:
    before, after = night(EVE), night(DAY)
    ends = ends_of(before, after, code_version(), rulebook().vocabulary, before.minerals)
    plain = changes_between(ends).moves
    assert plain.select(RANGES).null_count().sum_horizontal().item() == plain.height * len(RANGES)
    found = with_ranges(plain, ends)
    assert found.drop(RANGES).equals(plain.drop(RANGES))
    sides = [
        tonnes(gathered(one.rows, one.question), one.ruleset, ["gallium"], DRAWS) for one in (before, after)
    ]
    rows = found.filter(regime="active", horizon_days=365)
    assert (rows["exporter"] == "*").any()
    wide = 0
    for row in rows.iter_rows(named=True):
        drawn = [one.found[tuple(row[name] for name in ROW)] for one in sides]
        for unit in ("t", "usd"):
            if unit not in drawn[0] or unit not in drawn[1]:
                assert row[f"missing_{unit}_change_p10"] is None
                continue
            change = drawn[1][unit] - drawn[0][unit]
            # Only the calendar moved it, so that the mean of its draws is what the cause says.
            assert change.mean() == pytest.approx(row[f"missing_{unit}_change"], rel=1e-5, abs=1e-9)
            ends_found = np.quantile(change, [0.1, 0.9])
            assert row[f"missing_{unit}_change_p10"] == pytest.approx(ends_found[0], rel=1e-6, abs=1e-12)
            assert row[f"missing_{unit}_change_p90"] == pytest.approx(ends_found[1], rel=1e-6, abs=1e-12)
            wide += ends_found[1] > ends_found[0]
    assert wide
    other = replace(ends, before=replace(before, code="another"))
    assert with_ranges(plain, other).equals(plain)


@pytest.mark.slow
def test_three_planted_changes_sum_to_the_move_cause_by_cause() -> None:
    before, after = night(EVE), night(DAY, row=True, rule=True)
    found = changes(before, after)
    assert causes(found) == {"rules", "facts", "calendar"}
    both = found.moves.drop_nulls(["score_before", "score_after"])
    summed = both.group_by(ROW).agg(
        pl.col("points", "missing_share_change").sum(),
        pl.col("missing_t_change", "missing_usd_change").sum(),
        move=pl.col("score_after").first() - pl.col("score_before").first(),
    )
    assert summed.select((pl.col("points") - pl.col("move")).abs() < 1e-9).to_series().all()
    for name, column in (
        ("t", "missing_t_change"),
        ("usd", "missing_usd_change"),
        ("share", "missing_share_change"),
    ):
        ends = [
            one.scores.unpivot(
                on=[f"{regime}_{name}" for regime in ("active", "snapback", "full_stop")],
                index=[key for key in ROW if key != "regime"],
                variable_name="regime",
                value_name=f"value_{place}",
            ).with_columns(pl.col("regime").str.strip_suffix(f"_{name}"))
            for place, one in enumerate((before, after))
        ]
        joined = summed.join(ends[0], on=ROW).join(ends[1], on=ROW)
        apart = (pl.col(column) - (pl.col("value_1") - pl.col("value_0"))).abs()
        assert joined.height == summed.height
        assert joined.select(apart / (1.0 + pl.col("value_1").abs()) < 1e-9).to_series().all()
    # The ban on America lapses by the day alone.
    america = both.filter(exporter="CHN", importer="USA", horizon_days=365, regime="active")
    assert set(america["cause"]) == {"rules", "facts", "calendar"}
    assert america.filter(cause="calendar")["points"].item() > 1


@pytest.mark.slow
def test_the_october_notices_lapse_by_the_calendar_alone() -> None:
    settings = Settings(
        facts=(default_facts_dir(),), rules=default_rules_dir(), out=Path("unused"), draws=DRAWS
    )
    days = (date(2026, 11, 10), date(2026, 11, 11))
    _, _, found = diff_replayed(settings, days, ["dysprosium"])
    assert causes(found) == {"calendar"}
    reasons = found.reasons.filter(mineral="dysprosium")["reason"].to_list()
    assert "MOFCOM 56/2025: suspended, now lapsed unverified" in reasons
    active = found.moves.filter(regime="active", horizon_days=365)
    assert (active["points"] > 0).all()
    _, _, before = diff_replayed(settings, (date(2026, 11, 9), days[0]), ["dysprosium"])
    assert not [one for one in before.reasons["reason"] if "lapsed" in one]


@pytest.mark.slow
def test_a_notice_that_comes_known_on_the_day_it_begins_is_law() -> None:
    before, after = night(EVE), night(DAY)
    states = after.rows["measure_states"]
    ban = states.filter(measure_id="cn-46-2024-art2-us", state="suspended").with_columns(
        state=pl.lit("in_force"),
        valid_from=pl.lit(DAY),
        valid_to=pl.lit(None, pl.Date),
        known_from=pl.lit(DAY),
    )
    again = replace(after, rows={**after.rows, "measure_states": pl.concat([states, ban])})
    found = changes(before, again)
    assert causes(found) == {"calendar", "law"}
    said = found.reasons.filter(cause="law")["reason"].to_list()
    assert said == [f"measure states cn-46-2024-art2-us art. 2 * in force {DAY} came, known from {DAY}"]
    america = found.moves.filter(exporter="CHN", importer="USA", horizon_days=365, regime="active")
    points = dict(america.select("cause", "points").iter_rows())
    # By the day alone the ban may bind or not; then it does.
    assert points["calendar"] > 1
    assert points["law"] > 1


def test_runs_of_different_countries_and_draws_are_refused() -> None:
    one = night(EVE)
    congo = replace(one, question=Question(EVE, EVE, "COD"))
    ruleset = rulebook().ruleset
    with pytest.raises(SettingsError, match="curbs of CHN, the second about those of COD"):
        Ends(one, congo, ruleset, ruleset, "x")
    with pytest.raises(SettingsError, match="16 joint draws, the second 64"):
        Ends(one, replace(one, draws=64), ruleset, ruleset, "x")


def test_a_run_that_is_not_there_is_named_with_the_mend(small_root: Path) -> None:
    layout = Layout(small_root)
    with pytest.raises(SettingsError, match=r"no published run of 2020-01-01; published: .*--replay"):
        find_night(layout, "2020-01-01")
    with pytest.raises(SettingsError, match="no published run 'zzz'"):
        find_night(layout, "zzz")
    with pytest.raises(SettingsError, match="no published run '20200101'"):
        find_night(layout, "20200101")  # eight digits are the start of an id
    assert (
        find_night(layout, layout.list_snapshots()[0].as_of.isoformat()).run_id
        == layout.list_snapshots()[0].run_id
    )


def scores(**values: float | None) -> pl.DataFrame:
    """Compared scores of routes CHN → each importer, in the active regime alone."""
    rows = []
    for importer, score in values.items():
        row: dict[str, object] = {
            "mineral": "gallium", "stage": "refined", "exporter": "CHN", "importer": importer, "horizon_days": 365,
        }  # fmt: skip
        for regime in ("active", "snapback", "full_stop"):
            value = score if regime == "active" else 50.0
            row |= {
                f"{regime}_score": value,
                f"{regime}_band": None if value is None else "high" if value >= 60 else "low",
                f"{regime}_share": None if value is None else (value / 100) ** 2,
                f"{regime}_t": None if value is None else value / 10,
                f"{regime}_usd": None,
            }
        rows.append(row)
    types = {
        "active_score": pl.Float64,
        "active_band": pl.String,
        "active_share": pl.Float64,
        "active_t": pl.Float64,
    }
    return pl.DataFrame(rows, infer_schema_length=None, schema_overrides=types)


def moved(found: pl.DataFrame, importer: str) -> dict[str, float | None]:
    return dict(found.filter(importer=importer).select("cause", "points").iter_rows())


def test_a_move_is_split_between_the_states_that_follow_one_another() -> None:
    before, after = scores(USA=20.0, JPN=59.99, DEU=30.0), scores(USA=50.0, JPN=60.0, DEU=30.04)
    states = [
        State("facts", {"gallium"}, scores(USA=26.0, JPN=59.99, DEU=30.0)),
        State("calendar", {"gallium"}, None),
    ]
    found = split(before, after, states)
    assert found.schema == pl.Schema(CHANGE)
    assert moved(found, "USA") == {"facts": 6.0, "calendar": 24.0}
    assert moved(found, "JPN") == {"calendar": pytest.approx(0.01)}  # less than is printed, but another band
    assert moved(found, "DEU") == {}  # less than MOVED, and the same band
    assert found.filter(importer="USA", cause="facts")["missing_t_change"].item() == pytest.approx(0.6)
    assert found["missing_usd_change"].null_count() == found.height  # an unknown value is no zero
    assert MOVED > 0.04


def test_a_score_that_appears_or_goes_has_a_cause_and_no_points() -> None:
    before, after = scores(USA=None, JPN=40.0, DEU=10.0), scores(USA=50.0, JPN=None, DEU=20.0)
    between = scores(USA=30.0, JPN=44.0, DEU=None)
    found = split(before, after, [State("facts", {"gallium"}, between), State("law", {"gallium"}, None)])
    assert moved(found, "USA") == {"facts": None, "law": 20.0}
    assert moved(found, "JPN") == {"facts": 4.0, "law": None}
    assert moved(found, "DEU") == {"law": 10.0}


def test_what_is_unknown_of_a_move_is_not_told_as_zero() -> None:
    before, after = scores(USA=None, JPN=40.0), scores(USA=50.0, JPN=60.0)
    states = [
        State("facts", {"gallium"}, scores(USA=30.0, JPN=44.0)),
        State("law", {"gallium"}, None),
    ]
    night = {"run_id": "", "as_of": DAY, "known_at": DAY, "curbing_country": "CHN"}
    told = as_dict(
        night, night, split(before, after, states), NOTHING.reasons, Shown(MAIN_HORIZON, "active", 5)
    )
    routes = {row["importer"]: row for row in told["routes"]}
    assert routes["USA"]["missing_t_change"] is None  # there was no score to move from
    assert routes["JPN"]["missing_t_change"] == pytest.approx(2.0)
    assert routes["JPN"]["missing_usd_change"] is None  # nobody knows what the lane is worth
    assert [cause["missing_usd_change"] for cause in told["causes"]] == [None, None]
    assert told["causes"][0]["missing_t_change_by_mineral"] == {"gallium": pytest.approx(0.4)}


def test_days_in_the_wrong_order_say_that_a_pledge_is_in_its_term_again() -> None:
    row = {"pledge_id": "p", "agreement_state": "x", "agreement_state_after": "x"}
    assert _pledge({**row, "is_expired": True, "is_expired_after": False}) == "pledge p is in its term again"
    assert _pledge({**row, "is_expired": False, "is_expired_after": True}) == "pledge p expired"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("days", "country", "error", "says"),
    [
        ((EVE, DAY), "XXX", SettingsError, "unknown curbing country 'XXX'"),
        ((date(2010, 1, 1), DAY), "CHN", InputError, "A 2010-01-01 is before 20"),
    ],
)
def test_a_replay_that_the_facts_do_not_reach_is_refused(
    days: tuple[date, date], country: str, error: type[Exception], says: str, tmp_path: Path
) -> None:
    chosen = Settings(
        facts=(default_facts_dir(),), rules=default_rules_dir(), out=tmp_path, curbing_country=country
    )
    with pytest.raises(error, match=says):
        diff_replayed(chosen, days, ["gallium"])


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (("--horizon", "77"), "--horizon 77 is not one"),
        (("--regime", "actve"), "did you mean 'active'"),
    ],
)
def test_a_wrong_horizon_or_regime_is_refused_before_anything_is_scored(
    option: tuple[str, str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", "2026-11-10", "2026-11-11", "--replay", *option]) == ExitCode.SETTINGS
    assert says in capsys.readouterr().err


def test_what_todays_code_does_not_say_of_the_later_night_is_code() -> None:
    states = [State("code", {"gallium"}, scores(USA=22.0)), State("calendar", {"gallium"}, scores(USA=30.0))]
    found = split(scores(USA=20.0), scores(USA=33.0), states)
    assert moved(found, "USA") == {"code": 5.0, "calendar": 8.0}
    other = split(scores(USA=20.0), scores(USA=33.0), [State("calendar", {"cobalt"}, scores(USA=90.0))])
    assert moved(other, "USA") == {"code": 13.0}
