"""Carrying facts from the warehouse to the engine: the frames of one day, in the engine's own columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from engine.scoring.inputs import COLUMNS, ends
from engine.scoring.inputs import Inputs as EngineInputs
from ground.counted import counted
from ground.question import Question
from ground.words import ENDS, HORIZONS
from jobs.errors import HindsightError, InputError, SettingsError
from jobs.settings import ALL_COUNTRIES, DEFAULT_CURBING_COUNTRY, Settings
from jobs.suggest import did_you_mean
from warehouse.asof.inputs import Inputs as WarehouseInputs
from warehouse.asof.state import Warehouse

EVERY = "*"
NOT_APPLICABLE = "not_applicable"
CLOSING_STATES = ("in_force", "lapsed_unverified")
EU_TABLE = "eu_1_minus_si_sr"


def gather(facts: WarehouseInputs, *, strict_knowledge: bool = False) -> EngineInputs:
    """Return the engine's frames for the day, the state of knowledge and the curbing country of ``facts``.

    Args:
        facts: the warehouse's frames.
        strict_knowledge: refuse figures that were first known after known_at.

    Raises:
        InputError: no stage of `chains` has trade.
        HindsightError: strict, and a figure had to be taken from later.
    """
    flows = facts.flows.filter(pl.col("route_t_high") > 0)
    if flows.join(facts.chains, on=["mineral", "stage"], how="semi").is_empty():
        raise InputError(
            f"no chain can be scored on {facts.as_of}, as known on {facts.known_at}: no stage of `chains` has trade "
            "that becomes tonnes of its mineral. Add the stages to `chains`, and their codes and conversions to "
            "`hs_codes` and `conversions`."
        )
    if strict_knowledge:
        _refuse_hindsight(facts, flows)
    scope = flows.select("mineral", "stage").unique(maintain_order=True)
    hindsight = flows.group_by("mineral", "stage").agg(late=pl.col("is_hindsight").any())
    production = facts.production.join(hindsight, on=["mineral", "stage"], how="left").with_columns(
        is_hindsight=pl.col("is_hindsight") | pl.col("late").fill_null(value=False)
    )
    frames = {
        "chains": facts.chains,
        "flows": flows,
        "production": production.drop("late"),
        "measures": facts.measures,
        "timeline": facts.law_changes(facts.as_of + timedelta(days=max(HORIZONS))),
        "pledges": _own_pledges(facts, scope),
        "access": _access(facts, scope),
        "capacity": _capacity(facts.capacity),
        "reserves": _reserves(facts.reserves),
        "stocks": _stocks(facts.stocks, facts.blocs, flows),
        "substitution": _substitution(facts.substitution),
        "transit": _transit(facts.lead_times, facts.blocs),
        "blocs": facts.blocs,
        "countries": facts.countries,
        "bundle_goods": facts.bundles.goods,
        "bundled_trade": facts.bundles.trade,
        "bundled_production": facts.bundles.production,
    }
    return EngineInputs(facts.question, frames)


def gather_in_memory(settings: Settings, as_of: date, known_at: date) -> EngineInputs:
    """Return the engine's frames of the settings' facts, loaded for one question; no output folder is touched.

    Where the settings name every curbing country, the frames are those of the default one.

    Raises:
        InputError, DataError: facts are missing or unreadable.
    """
    country = settings.curbing_country
    country = DEFAULT_CURBING_COUNTRY if country == ALL_COUNTRIES else country
    with Warehouse.open_memory() as state:
        state.load_bundles(settings.facts, strict=settings.strict)
        return gather(WarehouseInputs(state, Question(as_of, known_at, country)))


def only_minerals(inputs: EngineInputs, minerals: Sequence[str]) -> EngineInputs:
    """Return the day's facts on some minerals alone; all where none is named.

    Raises:
        SettingsError: a mineral has no route on the day.
    """
    known = sorted(set(inputs["flows"]["mineral"]))
    for mineral in minerals:
        if mineral not in known:
            raise SettingsError(
                f"--mineral {mineral}: no route of it on {inputs.as_of}{did_you_mean(mineral, known)}"
            )
    return inputs.only(minerals) if minerals else inputs


def _refuse_hindsight(facts: WarehouseInputs, flows: pl.DataFrame) -> None:
    late = {
        f"{row['mineral']} {row['stage']}"
        for frame in (flows, facts.production)
        for row in frame.filter("is_hindsight").select("mineral", "stage").unique().iter_rows(named=True)
    }
    if late:
        shown = ", ".join(sorted(late)[:8])
        message = (
            f"{counted(len(late), 'stage of a mineral', 'stages of minerals')} with figures first known after {facts.known_at}: "
            f"{shown}. Choose a later --known-at, or leave out --strict-knowledge."
        )
        raise HindsightError(message)


def _open_scope(frame: pl.DataFrame, scope: pl.DataFrame) -> pl.DataFrame:
    """Open `*` minerals and empty stages to every mineral and stage that has routes."""
    places = scope.select("mineral", "stage", a_mineral="mineral", a_stage="stage")
    named = _or_every(_or_every(places, "mineral"), "stage")
    return (
        frame.with_columns(pl.col("stage").fill_null(EVERY))
        .join(named, on=["mineral", "stage"], maintain_order="left_right")
        .with_columns(mineral="a_mineral", stage="a_stage")
        .drop("a_mineral", "a_stage")
    )


def _or_every(frame: pl.DataFrame, key: str) -> pl.DataFrame:
    """Return each row twice: under its own key, and under the `*` that means every key."""
    return pl.concat([frame, frame.with_columns(pl.lit(EVERY).alias(key))])


def _by_country(frame: pl.DataFrame, blocs: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return one row per member where a row names a bloc."""
    members = blocs.rename({"bloc": column, "country": "a_member"})
    return (
        frame.join(members, on=column, how="left", maintain_order="left_right")
        .with_columns(pl.coalesce("a_member", column).alias(column))
        .drop("a_member")
    )


def _own_pledges(facts: WarehouseInputs, scope: pl.DataFrame) -> pl.DataFrame:
    """Pledges of the curbing state that are not state changes themselves: those are the law already."""
    own = facts.pledges.filter(
        pl.col("exporter") == facts.curbing_country,
        pl.col("implements_measure_id").is_null(),
        pl.col("backing") != "third_country",
    )
    return (
        _open_scope(own, scope)
        .select(COLUMNS["pledges"])
        .unique(["pledge_id", "mineral", "stage", "importer", "coverage"], keep="first", maintain_order=True)
    )


def _access(facts: WarehouseInputs, scope: pl.DataFrame) -> pl.DataFrame:
    rows = facts.access.filter((pl.col("access_of") == "pledge") | pl.col("state").is_in(CLOSING_STATES))
    words = ("instrument", "legal_strength", "agreement_state", "coverage", "kind")
    narrow = rows.select(
        "access_of",
        "exporter",
        "importer",
        *(pl.col(word).fill_null(NOT_APPLICABLE) for word in words),
        "mineral",
        "stage",
        pl.col("row_id").alias("fact_id"),
        "source_id",
    )
    return _open_scope(narrow, scope)


def _capacity(capacity: pl.DataFrame) -> pl.DataFrame:
    """Return added tonnes that outside buyers can have: a captive plant's share is not open to them."""
    added = [
        (pl.col(f"add_{days}_t_{end}") * pl.col(f"access_share_{end}").fill_null(1.0)).alias(
            f"add_{days}_t_{end}"
        )
        for days in HORIZONS
        for end in ENDS
    ]
    return capacity.select("mineral", "stage", "country", *added)


def _reserves(reserves: pl.DataFrame) -> pl.DataFrame:
    """Return one range per mineral and country: reserves give best, and a claimed resource widens it."""
    low, best, high = ends("reserves_t")
    return (
        reserves.sort("mineral", "country", "claim_kind")  # reserve comes before resource
        .group_by("mineral", "country", maintain_order=True)
        .agg(pl.col(low).min(), pl.col(best).first(), pl.col(high).max())
    )


def _stocks(stocks: pl.DataFrame, blocs: pl.DataFrame, lanes: pl.DataFrame) -> pl.DataFrame:
    """Return the days of cover per mineral and importer: the holder's own row first, then its bloc's, then everybody's.

    Only cover that civil buyers may use counts; `core.word_roles` says which metrics are cover.
    """
    columns = list(zip(ends("stock_days"), ends("stock_known_days"), strict=True))
    usable = stocks.filter(
        pl.col("stock_days_best").is_not_null(),
        pl.col("usable_by_civil_buyers") == "true",
        pl.col("is_cover"),
    )
    held = _by_country(usable.with_columns(importer="holder"), blocs, "importer")
    buyers = lanes.select(
        a_mineral="mineral", a_importer="importer", mineral="mineral", importer="importer"
    ).unique(maintain_order=True)
    named = _or_every(_or_every(buyers, "mineral"), "importer")
    return (
        held.join(named, on=["mineral", "importer"], maintain_order="left_right")
        .with_columns(
            breadth=pl.when(pl.col("importer") == EVERY)
            .then(2)
            .when(pl.col("holder") != pl.col("importer"))
            .then(1)
            .otherwise(0),
            is_general=pl.col("mineral") == EVERY,
        )
        .sort(
            "a_mineral",
            "a_importer",
            "breadth",
            "is_general",
            pl.col("valid_from").dt.epoch("d").neg(),
            "stock_id",
        )
        .group_by(mineral="a_mineral", importer="a_importer", maintain_order=True)
        .agg(pl.col(column).first().alias(name) for column, name in columns)
    )


def _substitution(substitution: pl.DataFrame) -> pl.DataFrame:
    """Return the share of all use of a mineral that can switch: uses add up, to no more than all of it.

    Rows for single uses go before the one figure of the EU table, which counts material for material only.
    """
    rows = substitution.filter(pl.col("kind") != "reference_only").with_columns(
        is_table=pl.col("kind") == EU_TABLE
    )
    own = rows.filter(pl.col("is_table") == pl.col("is_table").min().over("mineral"))
    parts = []
    for days in HORIZONS:
        named = zip(ends(f"switch_{days}_share"), ends("switch_share"), strict=True)
        total = own.group_by("mineral").agg(
            pl.when(pl.col(column).is_not_null().any()).then(pl.col(column).sum().clip(0, 1)).alias(name)
            for column, name in named
        )
        parts.append(total.with_columns(pl.lit(days, pl.Int64).alias("horizon_days")))
    return pl.concat(parts).sort("mineral", "horizon_days")


def _transit(lead_times: pl.DataFrame, blocs: pl.DataFrame) -> pl.DataFrame:
    """Sea transit per lane, whatever the mineral; several routes of one lane are a range."""
    low, best, high = ends("days")
    sea = lead_times.filter(
        pl.col("kind") == "transit_sea", pl.col("mineral").is_null() | (pl.col("mineral") == EVERY)
    )
    opened = (
        sea.with_columns(
            exporter=pl.col("origin").str.split(";"), importer=pl.col("destination").str.split(";")
        )
        .explode("exporter")
        .explode("importer")
    )
    opened = _by_country(_by_country(opened, blocs, "exporter"), blocs, "importer")
    return (
        opened.sort("exporter", "importer", best)
        .group_by("exporter", "importer", maintain_order=True)
        .agg(
            pl.col(low).min().alias("transit_days_low"),
            pl.col(best).first().alias("transit_days_best"),
            pl.col(high).max().alias("transit_days_high"),
        )
    )
