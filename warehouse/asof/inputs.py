"""The frames that the engine and the rules read, for one question.

Every frame is sorted, has a fixed schema even when empty, and carries units in its column names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from functools import cached_property
from typing import Any

import polars as pl

from ground.question import Asked, Question
from warehouse.asof.bundles import Bundles, bundles_of
from warehouse.asof.editions import edition
from warehouse.asof.state import Warehouse
from warehouse.asof.trade import completeness, flow_frame, gap_frame, production_frame, unmeasured_frame
from warehouse.asof.word_roles import WordRoles
from warehouse.ddl import sql_text
from warehouse.errors import InputError


class Inputs(Asked):
    """Input frames at one point in both times; each is computed once."""

    def __init__(self, warehouse: Warehouse, question: Question) -> None:
        self._warehouse, self.question = warehouse, question
        self._words = WordRoles(warehouse, question)

    def under(self, minerals: Sequence[str] | None = None) -> Inputs:
        """Return inputs on facts that are supposed for the moment, see `Warehouse.supposing`.

        What is normal stays as it is here: trade, what its codes mean, and baseline years.

        Args:
            minerals: only these; None for all.
        """
        twin = Inputs(self._warehouse, self.question)
        kept = {name: getattr(self, name) for name in ("_codes", "baselines", "_coded", "flows", "bundles")}
        if minerals is not None:
            for name in ("baselines", "flows"):
                kept[name] = kept[name].filter(pl.col("mineral").is_in(minerals))
        twin.__dict__ |= kept
        return twin

    def _query(self, name: str, **frames: pl.DataFrame) -> pl.DataFrame:
        text = sql_text(f"asof/queries/{name}")
        return self._warehouse.query(text, self._parameters(text), **frames)

    def _parameters(self, text: str, **more: Any) -> dict[str, Any]:
        given = {**asdict(self.question), **more}
        return {name: value for name, value in given.items() if f"${name}" in text}

    @cached_property
    def chains(self) -> pl.DataFrame:
        """mineral, stage_order, stage, product; only real minerals, in order of their chain."""
        return self._warehouse.query(
            "SELECT c.mineral, c.stage_order, c.stage, c.product FROM core.chains c JOIN core.minerals m USING (mineral) "
            "WHERE NOT m.is_group ORDER BY c.mineral, c.stage_order"
        )

    @cached_property
    def minerals(self) -> pl.DataFrame:
        """mineral, name, symbol, is_group, content_basis."""
        return self._warehouse.query(
            "SELECT mineral, name, symbol, is_group, content_basis FROM core.minerals ORDER BY mineral"
        )

    @cached_property
    def countries(self) -> pl.DataFrame:
        """country, name, iso2, is_entrepot."""
        return self._warehouse.query(
            "SELECT country, name, iso2, is_entrepot FROM core.countries ORDER BY country"
        )

    @cached_property
    def blocs(self) -> pl.DataFrame:
        """bloc, country: members on as_of."""
        return self._warehouse.query(
            "SELECT bloc, country FROM members_at($as_of, $known_at) ORDER BY bloc, country",
            {"known_at": self.known_at, "as_of": self.as_of},
        )

    @cached_property
    def _codes(self) -> pl.DataFrame:
        return self._query("codes")

    @cached_property
    def baselines(self) -> pl.DataFrame:
        """mineral, stage, hs_revision, first_year, trade_year, baseline_year, first_announced.

        Raises:
            InputError: no trade at all was known by known_at, or not whether an instrument ends normal trade.
        """
        self._words.having("ends_normal_trade", self.measure_items["instrument"])
        frame = self._query("baselines", codes=self._codes)
        if frame.is_empty():
            raise InputError(
                f"no trade known by {self.known_at} reaches a mineral on {self.as_of}. "
                "Choose later dates, or add a bundle with earlier trade."
            )
        return frame

    @cached_property
    def _coded(self) -> pl.DataFrame:
        return self._query("flows", codes=self._codes, baseline=self.baselines)

    @cached_property
    def trade_years(self) -> list[int]:
        """Years of which trade was known by known_at, in order."""
        found = self._warehouse.query(
            "SELECT DISTINCT year FROM core.trade WHERE known_from <= $known_at AND year <= year($as_of::DATE) ORDER BY year",
            {"known_at": self.known_at, "as_of": self.as_of},
        )
        return found["year"].to_list()

    def geopolrisk(self, year: int) -> pl.DataFrame:
        """Return what the GeoPolRisk rules read (rules/methods/geopolrisk/features.yml), of every lane of one year.

        Columns: mineral, stage, exporter, importer, lane_t, imports_t, own_production_t (t of content, at best; null
        where unknown), the features, and unknown_reason (null where a score can be formed).

        Raises:
            InputError: no trade of that year was known.
        """
        if year not in self.trade_years:
            known = ", ".join(str(one) for one in self.trade_years) or "none at all"
            raise InputError(f"no trade of {year} is known on {self.known_at}. Years with trade: {known}.")
        text = sql_text("asof/queries/geopolrisk")
        lanes = self.coded_in(year).filter(pl.col("year") == year)
        return self._warehouse.query(text, self._parameters(text, year=year), coded=lanes)

    def coded_in(self, year: int) -> pl.DataFrame:
        """Return rows of queries/flows.sql for one year instead of the baseline and the latest one."""
        only = pl.lit(year, pl.Int64)
        return self._query(
            "flows",
            codes=self._codes,
            baseline=self.baselines.with_columns(baseline_year=only, trade_year=only),
        )

    @cached_property
    def flows(self) -> pl.DataFrame:
        """One row per mineral, stage and lane, of the baseline year or the latest year.

        Columns: mineral, stage, exporter, importer, year (= baseline_year), route_t_low, route_t_best, route_t_high
        (t of content; 0 where the lane had no trade in the baseline year), route_usd, part_low and
        part_high (how much of its codes the mineral may be, over what it is at best; 1 without trade in the baseline year), trade_basis, is_complete,
        trade_completeness (complete, small_flows_missing, value_only), latest_t (t of content in trade_year),
        trade_year, baseline_year, is_hindsight (shares or conversions were first known after known_at).
        """
        return flow_frame(self._coded, self.baselines)

    @cached_property
    def unmeasured(self) -> pl.DataFrame:
        """Lanes with trade in the baseline year of which no tonnes can be formed: no score can be either.

        Columns: mineral, stage, exporter, importer, baseline_year, trade_year, route_usd (null where unknown),
        trade_basis, trade_completeness, hindsight, unknown_reason.
        """
        return unmeasured_frame(self._coded, self.baselines)

    @cached_property
    def gaps(self) -> pl.DataFrame:
        """mineral, stage, year, hs6, reason, row_count, value_usd: rows that could not become tonnes of a lane."""
        return pl.concat(
            [gap_frame(self._coded, self.baselines), self._withheld, self._without_meaning]
        ).sort("mineral", "stage", "year", "hs6", "reason")

    @cached_property
    def _withheld(self) -> pl.DataFrame:
        return self._warehouse.query(
            "SELECT mineral, stage, year, NULL::VARCHAR AS hs6, "
            "'production of ' || country || ' is withheld: unknown, not zero' AS reason, "
            "count(*)::BIGINT AS row_count, NULL::DOUBLE AS value_usd FROM core.production "
            "WHERE production_t_best IS NULL AND known_from <= $known_at AND year <= year($as_of::DATE) GROUP BY ALL",
            {"known_at": self.known_at, "as_of": self.as_of},
        )

    @cached_property
    def _without_meaning(self) -> pl.DataFrame:
        return self._warehouse.query(
            "SELECT NULL::VARCHAR AS mineral, NULL::VARCHAR AS stage, year, hs6, "
            "'no row of hs_codes says what this code holds' AS reason, "
            "count(*)::BIGINT AS row_count, sum(value_usd) AS value_usd "
            "FROM core.trade ANTI JOIN core.hs_codes USING (hs6) "
            "WHERE known_from <= $known_at AND year <= year($as_of::DATE) GROUP BY year, hs6",
            {"known_at": self.known_at, "as_of": self.as_of},
        )

    @cached_property
    def trade_completeness(self) -> pl.DataFrame:
        """mineral, stage, trade_completeness over all lanes of the baseline year."""
        return completeness(self.flows)

    @cached_property
    def production(self) -> pl.DataFrame:
        """Production in the year nearest the baseline year (the earlier of two that are equally near).

        Columns: mineral, stage, country (OTH: all producers without a row together), production_t_low,
        production_t_best, production_t_high (t of content), qualifier, year, is_unlisted_total, is_hindsight, source_id.
        Group figures are split into elements; WLD totals and withheld figures are left out.
        """
        found = self._warehouse.query(
            "SELECT * FROM production_at($as_of, $known_at)", {"as_of": self.as_of, "known_at": self.known_at}
        )
        return production_frame(found, self.baselines, self.chains)

    @cached_property
    def bundles(self) -> Bundles:
        """Goods that share a trade code, and elements that share an ore, where their shares may exceed the whole."""
        splits = self._warehouse.query(
            "SELECT * FROM production_split_at($as_of, $known_at)",
            {"as_of": self.as_of, "known_at": self.known_at},
        )
        return bundles_of(self._coded, self.baselines, self.production, splits)

    @cached_property
    def production_all_years(self) -> pl.DataFrame:
        """Everything that `production_at` says: all years, groups, and WLD totals (qualifier world_estimate)."""
        return self._warehouse.query(
            "SELECT * FROM production_at($as_of, $known_at) ORDER BY mineral, stage, country, year",
            {"as_of": self.as_of, "known_at": self.known_at},
        )

    @cached_property
    def reserves(self) -> pl.DataFrame:
        """mineral, country, claim_kind (reserve or resource), reserves_t_low, _best, _high, year, is_hindsight, source_id."""
        return self._warehouse.query(
            "SELECT mineral, country, claim_kind, reserves_t_low, reserves_t_best, reserves_t_high, year, "
            "is_hindsight, source_id FROM reserves_at($as_of, $known_at) WHERE country <> 'WLD' "
            "ORDER BY mineral, country, claim_kind",
            {"as_of": self.as_of, "known_at": self.known_at},
        )

    @cached_property
    def measures(self) -> pl.DataFrame:
        """One row per item, importer and scope; see queries/measures.sql for the columns.

        Importers are all countries that import the mineral at any stage. Rows of every state are here, the derived
        lapsed_unverified among them; a measure without a state on as_of is not.

        Raises:
            InputError: no row of word_roles decides on an instrument or scope that is used.
        """
        stageless = self.measure_items.filter(pl.col("stage").is_null())
        self._words.having("reaches_every_stage", stageless["instrument"])
        found = self._query("measures", lane=self._lanes, law=self._law(self.as_of))
        self._words.having("names_buyers", found["scope"])
        return found

    @cached_property
    def _lanes(self) -> pl.DataFrame:
        return self.flows.select("mineral", "stage", "importer").unique()

    def _law(self, until: date) -> pl.DataFrame:
        text = sql_text("asof/queries/law")
        return self._warehouse.query(text, self._parameters(text, until=until), lane=self._lanes)

    def law_changes(self, until: date) -> pl.DataFrame:
        """Return each later day, up to `until`, on which it is known that one of `measures` will be in another state.

        Columns: measure_id, clause, importer (ISO3), valid_from, state. Only pairs of a clause and an importer of which
        the state really changes are here.
        """
        pair = ["measure_id", "clause", "importer"]
        law = self._law(until).join(self.measures, on=pair, how="semi")
        return (
            law.filter(pl.col("state") != pl.col("state").shift().over(pair, order_by="day"))
            .select(*pair, "day", "state")
            .rename({"day": "valid_from"})
            .sort("valid_from", *pair)
        )

    @cached_property
    def measure_items(self) -> pl.DataFrame:
        """Every item of every measure of the curbing country, with trade or without, for measure coverage.

        Columns: measure_id, clause, item_id, mineral, stage, form, hs6, notice, instrument, date_announced, source_id.
        """
        return self._warehouse.query(
            "SELECT i.measure_id, i.clause, i.item_id, i.mineral, i.stage, coalesce(i.form, 'all') AS form, i.hs6, "
            "coalesce(m.notice, m.title) AS notice, m.instrument, m.date_announced, i.source_id "
            "FROM core.measure_items i JOIN core.measures m USING (measure_id) "
            "WHERE m.curbing_country = $curbing_country AND m.known_from <= $known_at AND i.known_from <= $known_at "
            "AND m.date_announced <= $as_of ORDER BY i.measure_id, i.clause, i.item_id",
            asdict(self.question),
        )

    def calendar(self, since: date, until: date) -> pl.DataFrame:
        """Return dated events of every country's measures, agreements and pledges, as they were known on known_at.

        What a change of state means for one importer is in `law_changes`.

        Args:
            since: events after this day; states that lapsed earlier and are unverified on as_of are there as well.
            until: the last day.

        Columns: those of `mart.calendar`. The end of a suspension, or of a stated term, without a successor comes as
        lapsed_unverified on the day after its last day.
        """
        lanes = ("mineral", "stage", "exporter", "importer", "route_usd")
        flow = self.flows.select(*lanes, route_t="route_t_best")
        text = sql_text("asof/queries/calendar")
        return self._warehouse.query(text, self._parameters(text, since=since, until=until), flow=flow)

    @cached_property
    def pledges(self) -> pl.DataFrame:
        """One row per pledge, item, exporter and importer (ISO3 or *); blocs are opened.

        Columns: pledge_id, agreement_id, agreement_state, pledging_party, kind, legal_strength, backing (an expired
        one as expired_enacted, expired_announced, expired_asserted), is_expired, implements_measure_id, performance,
        mineral (* for all), stage (null for all), form, coverage, exporter, importer, protection_credit_low,
        protection_credit_high, valid_from, valid_to, source_id.
        """
        return self._query("pledges")

    @cached_property
    def access(self) -> pl.DataFrame:
        """Bans of other countries, and third countries' pledges, as rows of grain pledge_importer.

        Columns: access_of (ban or pledge), row_id, exporter, importer (ISO3 or *), mineral, stage, form, instrument,
        legal_strength, agreement_state, coverage, kind, state (of the ban), coverage_share_*, quota_share_*, source_id.
        """
        bans = self._query("bans")
        pledges = (
            self.pledges.filter(
                (pl.col("backing") == "third_country")
                & ~pl.col("is_expired")
                & (pl.col("coverage") != "not_applicable")
            )
            .with_columns(pl.lit("pledge").alias("access_of"), pl.col("pledge_id").alias("row_id"))
            .select(c for c in bans.columns if c in {*self.pledges.columns, "access_of", "row_id"})
        )
        return pl.concat([bans, pledges], how="diagonal").sort(
            "access_of", "row_id", "exporter", "importer", "mineral", "stage", "form", nulls_last=True
        )

    @cached_property
    def outcomes(self) -> pl.DataFrame:
        """What was seen under curbs and known by known_at, of every curbing country; by window and id.

        Columns: those of core.outcomes, and grade (of the source), date_announced, curb_known_from (the first day on
        which the curb could be known), in_force_from, in_force_to (first day after it; null where it still binds).
        """
        return self._query("outcomes")

    @cached_property
    def group_members(self) -> pl.DataFrame:
        """group_mineral, mineral: what each group of minerals is split into."""
        return self._warehouse.query(
            "SELECT DISTINCT group_mineral, mineral FROM core.element_splits ORDER BY group_mineral, mineral"
        )

    def table(self, name: str) -> pl.DataFrame:
        """Return a table of `PLAIN` as it was; see `edition`."""
        return edition(self._warehouse, self.question, name)

    @cached_property
    def stocks(self) -> pl.DataFrame:
        """Stocks as they were, see `table`; and is_cover: the metric is days that buyers hold.

        Raises:
            InputError: no row of word_roles decides on the metric of a row that states days.
        """
        rows = self.table("stocks")
        cover = self._words.having(
            "counts_as_cover", rows.filter(pl.col("stock_days_best").is_not_null())["metric"]
        )
        return rows.with_columns(is_cover=pl.col("metric").is_in(cover))

    @cached_property
    def substitution(self) -> pl.DataFrame:
        """Substitution as it was; see `table`."""
        return self.table("substitution")

    @cached_property
    def capacity(self) -> pl.DataFrame:
        """Capacity as it was; see `table`."""
        return self.table("capacity")

    @cached_property
    def lead_times(self) -> pl.DataFrame:
        """Lead times as they were; see `table`."""
        return self.table("lead_times")
