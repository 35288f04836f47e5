"""What a buyer's workbook holds: the routes of one importer, or the top routes of all, with reasons and sources."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from ground.counted import counted
from ground.question import Question
from ground.words import MAIN_HORIZON
from jobs.asked import question_of_run
from jobs.errors import InputError
from jobs.marts import OWN, REST, ROUTE
from jobs.places import importer_code
from jobs.ports import Reader

MIN_USD = (
    100_000  # a year; below it a lane of samples may be all that an importer buys, and would head the list
)
SHOWN_FROM = 0.05  # points; smaller terms would all read +0.0
MAX_ROUTES = 50_000  # beyond it a spreadsheet is the wrong tool: Parquet is


@dataclass(frozen=True)
class Selection:
    """Which routes a workbook holds: those of one importer, the top ones by money missing, or both.

    `min_usd` leaves out routes whose trade in the baseline year is worth less; those of unknown value stay. By
    default the top of all importers starts at MIN_USD, and an importer's own routes are all there.
    """

    importer: str | None = None
    top: int | None = None
    horizon_days: int = MAIN_HORIZON
    min_usd: float | None = None

    @property
    def least_usd(self) -> float:
        """Return the value from which routes are taken."""
        if self.min_usd is not None:
            return self.min_usd
        return 0.0 if self.importer else MIN_USD

    @property
    def title(self) -> str:
        """Say it in words."""
        what = f"Routes into {self.importer}" if self.importer else "Routes of all importers"
        return f"{what}, the {self.top} with most money missing" if self.top else what

    @property
    def file_name(self) -> str:
        """Return the workbook's file name."""
        parts = [
            "routes",
            self.importer or "all",
            f"top{self.top}" if self.top else "",
            f"{self.horizon_days}d",
        ]
        return "-".join(part for part in parts if part) + ".xlsx"


@dataclass(frozen=True)
class Book:
    """The tables of a workbook, sorted, and what its front page says."""

    selection: Selection
    question: Question
    curbing_country_name: str
    left_out: str
    run_id: str
    code_version: str
    importers: pl.DataFrame
    risk: pl.DataFrame
    reasons: pl.DataFrame
    measures: pl.DataFrame
    sources: pl.DataFrame


CHOICE = """WHERE r.horizon_days = $horizon
  AND ($importer IS NULL OR r.importer = $importer OR r.importer IN (
        SELECT country FROM members_at($as_of, $known_at) WHERE bloc = $importer))
"""

# Lanes that customs statistics cannot mean, and, where nobody is named, those into the curbing country and entrepots.
HIDDEN = f"r.listing = '{REST}' OR ($importer IS NULL AND r.listing = '{OWN}')"

RISK_SQL = f"""
SELECT r.mineral, r.stage, r.exporter, e.name AS exporter_name, r.importer, i.name AS importer_name,
       r.active_band AS band, r.active AS score, r.active_expected_missing_share AS expected_missing_share,
       r.active_missing_share_p10 AS missing_share_p10, r.active_missing_share_p90 AS missing_share_p90, r.active_confidence AS confidence, r.narrowed_by,
       m.expected_missing_usd,
       r.active_time_to_shortage_days_p50 AS time_to_shortage_days,
       r.snapback_band, r.snapback AS snapback_score, r.full_stop_band, r.full_stop AS full_stop_score,
       r.scheduled AS scheduled_score, r.next_event, r.next_event_date,
       r.active_priority AS priority, r.dependence_share, r.route_t, r.baseline_year, r.latest_t, r.trade_year,
       r.route_usd, r.reconciliation, r.trade_basis, r.trade_completeness, r.hindsight, r.unknown_reason
FROM mart.route_score AS r
LEFT JOIN mart.route_missing AS m
  ON (m.mineral, m.stage, m.exporter, m.importer, m.horizon_days) = (r.mineral, r.stage, r.exporter, r.importer, r.horizon_days)
  AND m.regime = 'active'
LEFT JOIN core.countries AS e ON e.country = r.exporter
LEFT JOIN core.countries AS i ON i.country = r.importer
{CHOICE}  AND coalesce(r.route_usd >= $least, true) AND NOT ({HIDDEN})
ORDER BY m.expected_missing_usd DESC NULLS LAST, r.active_priority DESC NULLS LAST, r.mineral, r.stage, r.exporter, r.importer
LIMIT $most
"""

# Where no importer is named, those that the run tells of first.
IMPORTERS_SQL = """
WITH told AS (
  SELECT unnest(names) AS importer, generate_subscripts(names, 1) AS position
  FROM (SELECT CASE WHEN $importer IS NULL THEN declared_importers ELSE [$importer] END AS names FROM meta.run))
SELECT x.importer, CASE WHEN x.mineral = '*' THEN 'all minerals' ELSE x.mineral END AS mineral, x.traded_usd,
       x.expected_missing_usd, x.missing_usd_p10, x.missing_usd_p90
FROM told JOIN mart.exposure AS x USING (importer)
WHERE x.stage = '*' AND x.regime = 'active' AND x.horizon_days = $horizon AND x.expected_missing_usd >= 1
ORDER BY told.position, x.mineral <> '*', x.expected_missing_usd DESC, x.mineral
"""

LEFT_OUT_SQL = f"""
SELECT count(*) FILTER (NOT ({HIDDEN}))::BIGINT AS routes,
       coalesce(sum(r.route_usd) FILTER (NOT ({HIDDEN})), 0)::DOUBLE AS usd,
       count(*) FILTER ({HIDDEN})::BIGINT AS unlisted, coalesce(sum(r.route_usd) FILTER ({HIDDEN}), 0)::DOUBLE AS unlisted_usd
FROM mart.route_score AS r
{CHOICE}  AND (r.route_usd < $least OR {HIDDEN})
"""

CHOSEN = """
WITH chosen AS (
  SELECT unnest($mineral) AS mineral, unnest($stage) AS stage, unnest($exporter) AS exporter, unnest($importer) AS importer,
         unnest($position) AS position)
"""

REASONS_SQL = f"""
{CHOSEN}
SELECT s.*
FROM chosen AS c
JOIN mart.contribution_sentence AS s USING (mineral, stage, exporter, importer)
WHERE s.horizon_days = $horizon AND s.regime = 'active'
ORDER BY c.position, s.sort_order, s.step, s.term
"""

MEASURES_SQL = f"""
{CHOSEN}
SELECT c.mineral, c.stage, c.exporter, c.importer, rm.regime, m.notice, m.title, rm.clause, m.instrument, rm.state,
       rm.flow_stage, rm.flow_exporter, rm.flow_importer, rm.coverage_share_best, rm.withheld_share_low,
       rm.withheld_share_best, rm.withheld_share_high, rm.measure_id, rm.item_id, rm.rule_id, rm.source_id
FROM chosen AS c
JOIN mart.route_measure AS rm USING (mineral, stage, exporter, importer)
LEFT JOIN (SELECT DISTINCT ON (measure_id) measure_id, notice, title, instrument FROM core.measures
           ORDER BY measure_id, known_from DESC) AS m USING (measure_id)
WHERE rm.horizon_days = $horizon AND rm.regime IN ('active', 'snapback')
ORDER BY c.position, rm.regime, rm.withheld_share_best DESC, rm.measure_id, rm.clause, rm.item_id,
         rm.flow_stage, rm.flow_exporter, rm.flow_importer
"""

SOURCES_SQL = """
SELECT source_id, publisher, title, url, published, licence, grade FROM core.sources
WHERE list_contains($ids, source_id) ORDER BY source_id
"""


def load_book(reader: Reader, selection: Selection) -> Book:
    """Read the tables of a workbook from a published file.

    Raises:
        SettingsError: The importer is unknown.
        InputError: The importer has no routes, or there are more routes than a workbook should hold.
    """
    question = question_of_run(reader)
    run_id, code_version = reader.query("SELECT run_id, code_version FROM meta.run").row(0)
    if selection.importer:
        selection = replace(selection, importer=importer_code(reader, selection.importer))
    most = selection.top or MAX_ROUTES + 1
    wanted: dict[str, object] = {
        "horizon": selection.horizon_days,
        "importer": selection.importer,
        "as_of": question.as_of,
        "known_at": question.known_at,
        "least": selection.least_usd,
    }
    risk = reader.query(RISK_SQL, {**wanted, "most": most})
    left_out = _left_out(reader, wanted)
    if risk.height == 0:
        raise InputError(
            f"{left_out} Nothing else is left; lower --min-usd."
            if left_out
            else _no_routes(reader, selection)
        )
    if risk.height > MAX_ROUTES:
        raise InputError(
            f"more than {MAX_ROUTES:,} routes: too many for a workbook. Choose fewer with --top, or export Parquet."
        )
    chosen: dict[str, object] = {name: risk[name].to_list() for name in ROUTE}
    chosen |= {"position": list(range(risk.height)), "horizon": selection.horizon_days}
    measures = reader.query(MEASURES_SQL, chosen)
    reasons = without_small(reader.query(REASONS_SQL, chosen))
    risk = risk.join(_main_reason(measures), on=list(ROUTE), how="left", maintain_order="left")
    risk = _with_links(reader, risk)
    cited = _cited(reasons["source_ids"], measures["source_id"])
    return Book(
        selection=selection,
        question=question,
        curbing_country_name=_country_name(reader, question.curbing_country),
        left_out=left_out,
        run_id=run_id,
        code_version=code_version,
        importers=reader.query(
            IMPORTERS_SQL, {"importer": selection.importer, "horizon": selection.horizon_days}
        ),
        risk=risk,
        reasons=reasons,
        measures=measures,
        sources=reader.query(SOURCES_SQL, {"ids": cited}),
    )


def _no_routes(reader: Reader, selection: Selection) -> str:
    """Say why a selection is empty, and what would not be."""
    horizons = reader.query("SELECT DISTINCT horizon_days FROM mart.route_score ORDER BY 1")[
        "horizon_days"
    ].to_list()
    if selection.horizon_days not in horizons:
        shown = ", ".join(str(days) for days in horizons)
        return f"no scores at a horizon of {selection.horizon_days} days; known: {shown}"
    return f"no routes into {selection.importer} in this file: nothing that it buys is known."


def without_small(reasons: pl.DataFrame) -> pl.DataFrame:
    """Put the terms of a step that would all read +0.0 into one row, so that the points still sum to the score."""
    step = [*ROUTE, "step"]
    is_small = pl.col("points").abs() < SHOWN_FROM
    numbered = reasons.with_row_index("row_in_book")
    small = numbered.filter(is_small)
    together = (
        small.group_by(step, maintain_order=True)
        .agg(pl.col("row_in_book").last(), pl.col("step_name").first(), pl.col("points").sum(), pl.len().alias("terms"))
        .with_columns(
            pl.format(
                "And {} smaller {} of this step together.",
                "terms",
                pl.when(pl.col("terms") == 1).then(pl.lit("term")).otherwise(pl.lit("terms")),
            ).alias("sentence")
        )
        .drop("terms")
    )  # fmt: skip
    last = numbered.group_by(step).agg(pl.col("row_in_book").max().alias("last_of_step"))
    return (
        pl.concat([numbered.filter(~is_small), together], how="diagonal")
        .join(last, on=step, how="left")
        .sort(
            "last_of_step",
            pl.col("rule_id").is_null() & pl.col("sentence").str.starts_with("And "),
            "row_in_book",
        )
        .drop("row_in_book", "last_of_step")
    )


def _left_out(reader: Reader, wanted: dict[str, object]) -> str:
    """Say how many routes are too small to be listed, and what they are worth; empty where none is."""
    routes, usd, unlisted, unlisted_usd = reader.query(LEFT_OUT_SQL, wanted).row(0)
    told = []
    if routes:
        told.append(
            f"{counted(routes, 'route')} worth less than {wanted['least']:,.0f} USD a year each, "
            f"{usd / 1e6:,.1f} million USD together (--min-usd 0 lists them)."
        )
    if unlisted:
        own = "" if wanted["importer"] else ", and those into the curbing country and entrepots"
        told.append(
            f"{counted(unlisted, 'route')} that customs statistics cannot mean{own}, {unlisted_usd / 1e6:,.1f} million USD "
            "together (mart.lane lists them)."
        )
    return " ".join(told)


def _country_name(reader: Reader, country: str) -> str:
    """Return the name and code of a country."""
    names = reader.query("SELECT name FROM core.countries WHERE country = $country", {"country": country})
    return f"{names['name'][0]} ({country})" if names.height else country


def _with_links(reader: Reader, risk: pl.DataFrame) -> pl.DataFrame:
    """Add the link of the main reason's source, and the empty column for the buyer's own owner."""
    links = reader.query(
        "SELECT source_id AS reason_source, url AS reason_url FROM core.sources ORDER BY ALL"
    )
    linked = risk.join(
        links.unique("reason_source", keep="first", maintain_order=True),
        on="reason_source",
        how="left",
        maintain_order="left",
    )
    return linked.with_columns(pl.lit(None, dtype=pl.String).alias("owner"))


def _main_reason(measures: pl.DataFrame) -> pl.DataFrame:
    """Name the measure in force that withholds most of the route or of the flows that feed it."""
    share = (pl.col("withheld_share_best") * 100).round(0).cast(pl.Int64)
    flow = pl.format("{} {} → {}", pl.col("flow_stage"), pl.col("flow_exporter"), pl.col("flow_importer"))
    sentence = pl.format(
        "{} ({}) is expected to withhold {} % of {}",
        pl.coalesce("notice", "measure_id"), pl.col("state").str.replace_all("_", " "), share, flow,
    )  # fmt: skip
    return (
        measures.filter((pl.col("regime") == "active") & (pl.col("withheld_share_best") > 0))
        .group_by(list(ROUTE), maintain_order=True)
        .first()
        .select(*ROUTE, sentence.alias("main_reason"), pl.col("source_id").alias("reason_source"))
    )


def _cited(lists: pl.Series, singles: pl.Series) -> list[str]:
    """Return every source id that the rows name, sorted."""
    return sorted({*lists.explode().drop_nulls(), *singles.drop_nulls()})
