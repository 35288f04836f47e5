"""What the workbook of a company's purchases holds, read out of a published file: one frame a sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from ground.counted import counted
from ground.question import Question
from ground.words import BANDS, MAIN_HORIZON
from jobs.asked import question_of_run
from jobs.errors import InputError
from jobs.marts import MAIN_REGIME
from jobs.ports import Reader
from jobs.purchases.risk import EVERYTHING, Book
from jobs.purchases.routes import require_purchases
from jobs.settings import AudienceSettings

MOST_LINES = 50_000
#: Of each line, in a workbook of few lines and of many.
REASONS_EACH, ALTERNATIVES_EACH = (8, 2), (5, 1)
FEW_LINES = 1_000
SHOWN_FROM = 0.05  # points
DAYS_AHEAD = 365

#: Everything that a row says of a line; the sheet picks and names its columns in `jobs.purchases.columns`.
RISK_SQL = """
SELECT p.*, a.score, a.band, a.gap_share, a.expected_missing_share, a.missing_share_p10, a.missing_share_p90, a.chance_of_shortage,
       a.gap_usd, a.expected_missing_usd, a.missing_usd_p10, a.missing_usd_p90, a.expected_missing_t, a.missing_t_p10,
       a.missing_t_p90, a.tail_usd, a.tail_share, a.days_to_shortage_p10, a.days_to_shortage_p50,
       s.band AS snapback_band, s.expected_missing_usd AS snapback_missing_usd,
       f.band AS full_stop_band, f.expected_missing_usd AS full_stop_missing_usd, coalesce(r.active, i.active) AS route_score
FROM mart.purchase AS p
LEFT JOIN mart.purchase_risk AS a ON a.line_id = p.line_id AND a.regime = 'active'
LEFT JOIN mart.purchase_risk AS s ON s.line_id = p.line_id AND s.regime = 'snapback'
LEFT JOIN mart.purchase_risk AS f ON f.line_id = p.line_id AND f.regime = 'full_stop'
LEFT JOIN mart.route_score AS r ON (r.mineral, r.stage, r.exporter, r.importer, r.horizon_days) = (p.mineral, p.stage, p.exporter, p.importer, a.horizon_days)
LEFT JOIN mart.importer_score AS i ON p.exporter = '*' AND (i.mineral, i.stage, i.importer, i.horizon_days) = (p.mineral, p.stage, p.importer, a.horizon_days)
ORDER BY a.expected_missing_usd DESC NULLS LAST, a.score DESC NULLS LAST, p.line_id
"""
#: Answers of the dated tests beside each line; names that are alike are told with their scores.
CHECKS_SQL = """
SELECT line_id, max(answer) FILTER (check_id = 'dfars-225-7018') AS dfars_225_7018,
       max(reason) FILTER (check_id = 'dfars-225-7018') AS dfars_reason,
       max(answer) FILTER (check_id = 'content-0.1-percent') AS content_0_1_percent,
       max(reason) FILTER (check_id = 'content-0.1-percent') AS content_reason,
       string_agg(concat(reason, ' (', round(match_score)::INTEGER, ')'), '; ' ORDER BY match_score DESC, entity)
           FILTER (check_id = 'named-entity') AS screening
FROM mart.purchase_check GROUP BY line_id
"""
TOTALS_SQL = "SELECT * FROM mart.purchase_total ORDER BY grouping, name, regime"
_UNITS = "WITH units AS (SELECT DISTINCT mineral, stage, exporter, importer FROM mart.purchase WHERE exporter IS NOT NULL)"
REASONS_SQL = f"""
{_UNITS}
SELECT c.mineral, c.stage, c.exporter, c.importer, c.step, c.step_name, c.points, c.sentence, c.measure_id, c.clause, c.rule_id,
       c.source_ids, c.sort_order, c.term
FROM units JOIN mart.contribution_sentence AS c USING (mineral, stage, exporter, importer)
WHERE c.horizon_days = $horizon AND c.regime = $regime AND abs(c.points) >= $least
UNION ALL
SELECT c.mineral, c.stage, '*', c.importer, c.step, c.step_name, c.points, c.sentence, c.measure_id, c.clause, c.rule_id,
       c.source_ids, c.sort_order, c.term
FROM (SELECT * FROM units WHERE exporter = '*') AS units
JOIN mart.importer_contribution_sentence AS c USING (mineral, stage, importer)
WHERE c.horizon_days = $horizon AND c.regime = $regime AND abs(c.points) >= $least
ORDER BY ALL
"""
CALENDAR_SQL = """
SELECT event_date, country, event, notice, clause, kind, state_before, state_after, is_unverified, minerals, what_is_open, source_id,
       measure_id
FROM mart.calendar
WHERE event_date <= $as_of + to_days($days) AND (minerals = ['*'] OR list_has_any(minerals, $minerals))
ORDER BY event_date, event, clause
"""
CHANGES_SQL = f"""
{_UNITS}
SELECT c.mineral, c.stage, c.exporter, c.importer, c.cause, c.band_before, c.band_after, c.score_before, c.score_after,
       c.points, c.missing_share_change
FROM units JOIN mart.score_change AS c USING (mineral, stage, exporter, importer)
WHERE c.horizon_days = $horizon AND c.regime = $regime
ORDER BY ALL
"""
ALTERNATIVES_SQL = """
WITH wanted AS (
    SELECT DISTINCT p.mineral, p.stage, p.destination AS importer
    FROM mart.purchase AS p WHERE p.exporter IS NOT NULL AND p.destination IS NOT NULL
),
made AS (
    SELECT mineral, stage, country, arg_max(production_t_best, (year, known_from)) AS production_t, max(year) AS production_year
    FROM core.production WHERE production_t_best IS NOT NULL GROUP BY ALL
),
spare AS (
    SELECT mineral, stage, country, sum(add_365_t_best) AS spare_t FROM core.capacity
    WHERE holds_on(valid_from, valid_to, $as_of) AND add_365_t_best IS NOT NULL GROUP BY ALL
),
held AS (
    SELECT mineral, country, arg_max(reserves_t, (year, known_from)) AS reserves_t,
           arg_max(claim_kind, (year, known_from)) AS reserves_claim
    FROM core.reserves WHERE reserves_t IS NOT NULL GROUP BY ALL
),
curbed AS (
    SELECT m.curbing_country AS exporter, i.mineral,
           string_agg(DISTINCT concat(m.notice, ' (', replace(s.state, '_', ' '), ')'), '; ' ORDER BY concat(m.notice, ' (', replace(s.state, '_', ' '), ')')) AS own_curbs
    FROM measure_state_at($as_of, $known_at) AS s
    JOIN core.measures AS m USING (measure_id)
    JOIN core.measure_items AS i USING (measure_id)
    WHERE s.state IN ('in_force', 'suspended', 'announced', 'lapsed_unverified') GROUP BY ALL
)
SELECT r.mineral, r.stage, r.exporter, r.importer, c.name AS exporter_name, r.active AS score, r.active_band AS band,
       r.active_missing_share_p10 AS missing_share_p10, r.active_missing_share_p90 AS missing_share_p90,
       r.snapback AS snapback_score, r.full_stop AS full_stop_score, r.route_t, r.route_usd, r.trade_year, r.latest_t,
       m.production_t, m.production_year, s.spare_t, h.reserves_t, h.reserves_claim, k.own_curbs, r.touched_share_best
FROM wanted AS w
JOIN mart.route_score AS r USING (mineral, stage, importer)
LEFT JOIN core.countries AS c ON c.country = r.exporter
LEFT JOIN made AS m ON (m.mineral, m.stage, m.country) = (r.mineral, r.stage, r.exporter)
LEFT JOIN spare AS s ON (s.mineral, s.stage, s.country) = (r.mineral, r.stage, r.exporter)
LEFT JOIN held AS h ON (h.mineral, h.country) = (r.mineral, r.exporter)
LEFT JOIN curbed AS k ON (k.exporter, k.mineral) = (r.exporter, r.mineral)
WHERE r.horizon_days = $horizon AND r.exporter <> r.curbing_country AND r.listing = 'listed' AND r.active IS NOT NULL
ORDER BY r.mineral, r.stage, r.importer, r.active, r.route_usd DESC NULLS LAST, r.exporter
"""
SOURCES_SQL = """
SELECT source_id, publisher, title, url, published, licence, grade FROM core.sources
WHERE list_contains($ids, source_id) ORDER BY source_id
"""
UNIT = ["mineral", "stage", "exporter", "importer"]


@dataclass(frozen=True)
class RiskBook:
    """The frames of a workbook, and what its front page says.

    Attributes:
        audience: whose it is.   question, run: of the published file; `run` is its row of meta.run.
        risk, changes, calendar, reasons, alternatives, sources, quality: by sheet.
        totals: of these lines, as mart.purchase_total has them of all.
        names: of countries by code.   notes: what a reader should know.
    """

    audience: AudienceSettings
    question: Question
    run: Mapping[str, object]
    risk: pl.DataFrame
    changes: pl.DataFrame
    calendar: pl.DataFrame
    reasons: pl.DataFrame
    alternatives: pl.DataFrame
    sources: pl.DataFrame
    quality: pl.DataFrame
    totals: pl.DataFrame
    names: Mapping[str, str]
    notes: list[str] = field(default_factory=list)

    @property
    def file_name(self) -> str:
        """Return the workbook's file name."""
        return f"risk_{self.audience.name}_{self.question.as_of.isoformat()}.xlsx"


def load_risk_book(
    reader: Reader, audience: AudienceSettings, actions: pl.DataFrame | None = None
) -> RiskBook:
    """Read a workbook's frames from a published file.

    Args:
        reader: of the file.
        audience: which lines it holds.
        actions: line_id, action_owner, action_status, action_due, action_note, as people keep them.

    Raises:
        InputError: the file holds no purchases, or more lines than a workbook should.
    """
    require_purchases(reader)
    question = question_of_run(reader)
    run = reader.query("SELECT * FROM meta.run").row(0, named=True)
    every = reader.query(RISK_SQL).join(
        reader.query(CHECKS_SQL), on="line_id", how="left", maintain_order="left"
    )
    if every.is_empty():
        raise InputError(
            "this run holds no purchases; add some with `curbline portfolio add FILE`, and run again."
        )
    seen = _seen(every, audience)
    if seen.height > MOST_LINES:
        raise InputError(
            f"{counted(seen.height, 'line')} are more than a workbook holds well ({MOST_LINES:,}). Narrow the audience in the settings, "
            "or open purchase_risk.parquet."
        )
    asked = {"horizon": MAIN_HORIZON, "regime": MAIN_REGIME}
    reasons = reader.query(REASONS_SQL, {**asked, "least": SHOWN_FROM})
    alternatives = reader.query(
        ALTERNATIVES_SQL, {"horizon": MAIN_HORIZON, "as_of": question.as_of, "known_at": question.known_at}
    )
    minerals = seen["mineral"].unique().sort().to_list()
    when = {"as_of": question.as_of, "days": DAYS_AHEAD, "minerals": minerals}
    calendar = _with_spend(reader.query(CALENDAR_SQL, when), seen).with_columns(
        days_left=(pl.col("event_date") - question.as_of).dt.total_days()
    )
    of_lines = _reasons_of(seen, reasons)
    best = _alternatives_of(seen, alternatives)
    risk = _with_best(_with_reasons(seen, of_lines), best)
    if actions is not None:
        risk = risk.join(actions, on="line_id", how="left", maintain_order="left")
    cited = sorted({*of_lines["source_ids"].explode().drop_nulls(), *calendar["source_id"].drop_nulls()})
    sources = reader.query(SOURCES_SQL, {"ids": cited})
    links = sources.select(pl.col("source_id").alias("reason_source"), pl.col("url").alias("source_url"))
    return RiskBook(
        audience=audience,
        question=question,
        run=run,
        risk=risk.join(links, on="reason_source", how="left", maintain_order="left"),
        changes=_changes_of(seen, reader.query(CHANGES_SQL, asked)),
        calendar=calendar.join(
            sources.select("source_id", "url"), on="source_id", how="left", maintain_order="left"
        ),
        reasons=of_lines,
        alternatives=best,
        sources=sources,
        quality=_quality(seen),
        totals=_totals(reader, seen, every),
        names=dict(reader.query("SELECT country, name FROM core.countries").iter_rows()),
    )


def _totals(reader: Reader, seen: pl.DataFrame, every: pl.DataFrame) -> pl.DataFrame:
    """Return the sums of the lines seen; those of some lines alone are made again, inside each draw."""
    if seen.height == every.height:
        return reader.query(TOTALS_SQL)
    return Book.from_marts(seen, reader.query("SELECT * FROM mart.purchase_draw")).totals()


def _seen(lines: pl.DataFrame, audience: AudienceSettings) -> pl.DataFrame:
    wanted = pl.lit(value=True)
    for column, names in (
        ("owner", audience.owners),
        ("mineral", audience.minerals),
        ("supplier_name", audience.suppliers),
    ):
        if names:
            wanted &= pl.col(column).is_in(names)
    if audience.least_usd:
        wanted &= (pl.col("expected_missing_usd") >= audience.least_usd).fill_null(value=True)
    return lines.filter(wanted)


def _reasons_of(lines: pl.DataFrame, reasons: pl.DataFrame) -> pl.DataFrame:
    """Return the largest terms of each line's route, the largest first."""
    most = reasons.with_columns(size=pl.col("points").abs()).sort(
        "size", "sort_order", "term", descending=[True, False, False]
    )
    keyed = lines.filter(pl.col("exporter").is_not_null()).select("line_id", "part", "supplier_name", *UNIT)
    joined = (
        keyed.with_row_index("at")
        .join(most, on=UNIT, how="inner")
        .sort("at", "size", "sort_order", "term", descending=[False, True, False, False])
    )
    ranked = joined.with_columns(reason_rank=pl.int_range(1, pl.len() + 1).over("line_id"))
    return ranked.filter(pl.col("reason_rank") <= REASONS_EACH[lines.height > FEW_LINES]).drop(
        "at", "size", "sort_order", "term"
    )


def _with_reasons(lines: pl.DataFrame, reasons: pl.DataFrame) -> pl.DataFrame:
    """Put the first reasons beside each line: what law withholds comes first, since that is what a buyer can read up."""
    law = reasons.filter(pl.col("measure_id").is_not_null(), pl.col("points") > 0)
    first = law.group_by("line_id", maintain_order=True).agg(
        reason_1=pl.col("sentence").first(),
        reason_2=pl.col("sentence").get(1, null_on_oob=True),
        reason_3=pl.col("sentence").get(2, null_on_oob=True),
        curb_id=pl.col("measure_id").first(),
        reason_source=pl.col("source_ids").first().list.get(0, null_on_oob=True),
    )
    joined = lines.join(first, on="line_id", how="left", maintain_order="left")
    none = (
        pl.when(pl.col("exporter").is_null())
        .then(pl.col("unknown_reason"))
        .otherwise(pl.lit("No measure in force reaches this route."))
    )
    return joined.with_columns(reason_1=pl.coalesce("reason_1", none))


def _alternatives_of(lines: pl.DataFrame, alternatives: pl.DataFrame) -> pl.DataFrame:
    """Return the other exporters that score lower, for each line whose goods are short: the lowest first, then by trade."""
    short = lines.filter(pl.col("expected_missing_share") > 0, pl.col("destination").is_not_null())
    keyed = short.select(
        "line_id",
        "part",
        "supplier_name",
        "mineral",
        "stage",
        importer="destination",
        now="exporter",
        score_now="route_score",
    ).with_row_index("at")
    joined = keyed.join(alternatives, on=["mineral", "stage", "importer"], how="inner").filter(
        pl.col("exporter") != pl.col("now"), pl.col("score") < pl.col("score_now")
    )
    lacks = [
        pl.when(pl.col(column).is_null()).then(pl.lit(words))
        for column, words in (
            ("production_t", "production"),
            ("spare_t", "spare capacity"),
            ("reserves_t", "reserves"),
        )
    ]
    unknown = pl.concat_str(
        [*lacks, pl.lit("whether it is qualified for your part, and its price")],
        separator="; ",
        ignore_nulls=True,
    )
    ranked = joined.sort("at", "score", "route_usd", "exporter", descending=[False, False, True, False], nulls_last=True).with_columns(
        rank=pl.int_range(1, pl.len() + 1).over("line_id"), not_known=unknown,
    )  # fmt: skip
    return ranked.filter(pl.col("rank") <= ALTERNATIVES_EACH[lines.height > FEW_LINES]).drop("at")


def _with_best(lines: pl.DataFrame, alternatives: pl.DataFrame) -> pl.DataFrame:
    best = alternatives.group_by("line_id", maintain_order=True).agg(
        alternatives_count=pl.len().cast(pl.Int64),
        best_alternative=pl.col("exporter_name").first(),
        best_alternative_score=pl.col("score").first(),
    )
    return lines.join(best, on="line_id", how="left", maintain_order="left")


def _with_spend(calendar: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Say how many lines and how much spend an event touches, by its minerals."""
    by_mineral = lines.group_by("mineral").agg(lines=pl.len(), usd=pl.col("spend_usd").sum())
    counts = {mineral: (count, usd) for mineral, count, usd in by_mineral.iter_rows()}
    touched = [
        [counts[one] for one in (counts if names == ["*"] else names) if one in counts]
        for names in calendar["minerals"].to_list()
    ]
    return calendar.with_columns(
        lines=pl.Series([sum(count for count, _ in one) for one in touched], dtype=pl.Int64),
        spend_usd=pl.Series([sum(usd for _, usd in one) for one in touched], dtype=pl.Float64),
    )


def _changes_of(lines: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    keyed = lines.select("line_id", "part", "supplier_name", *UNIT, "expected_missing_usd")
    joined = keyed.join(changes, on=UNIT, how="inner")
    moved = pl.col("band_before").ne_missing(pl.col("band_after"))
    return joined.sort(
        ~moved,
        pl.col("points").abs(),
        "line_id",
        "cause",
        descending=[False, True, False, False],
        nulls_last=True,
    )


def _quality(lines: pl.DataFrame) -> pl.DataFrame:
    """Return what is missing, by line, in words."""
    faults: Sequence[tuple[str, pl.Expr, pl.Expr]] = (
        ("no route", pl.col("exporter").is_null(), pl.col("unknown_reason")),
        ("origin not declared", ~pl.col("origin_is_declared"), pl.format("scored as: {}", pl.col("mapped_by").fill_null("not at all"))),
        ("own stock not stated", pl.col("stock_days").is_null(), pl.lit("no stock is counted, so the gap counts from the first day")),
        ("spend unknown", pl.col("spend_usd").is_null(), pl.lit("in no sum of money")),
        ("tonnes unknown", pl.col("quantity_t").is_null(), pl.lit("in no sum of tonnes")),
        ("read with an assumption", pl.col("note").is_not_null(), pl.col("note")),
        ("like a named entity", pl.col("screening").is_not_null(), pl.col("screening")),
        ("no owner", pl.col("owner").is_null(), pl.lit("nobody is told")),
    )  # fmt: skip
    parts = [
        lines.filter(found).select(
            "line_id", "part", "supplier_name", "mineral", "spend_usd", issue=pl.lit(issue), detail=detail
        )
        for issue, found, detail in faults
    ]
    return pl.concat(parts, how="vertical_relaxed")


def sums_of(lines: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return lines, spend and expected spend at risk by a column; only means add up, so ranges come from the marts."""
    return (
        lines.group_by(pl.col(column).fill_null("(not named)").alias("name"))
        .agg(
            lines=pl.len(),
            spend_usd=pl.col("spend_usd").sum(),
            expected_missing_usd=pl.col("expected_missing_usd").sum(),
        )
        .sort("expected_missing_usd", "name", descending=[True, False])
    )


__all__ = ["BANDS", "EVERYTHING", "RiskBook", "load_risk_book", "sums_of"]
