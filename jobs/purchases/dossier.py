"""The self-assessment that Article 24 of Regulation (EU) 2024/1252 asks of large companies, from a published file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from engine.scoring.portfolio_doubt import EVERY
from ground.counted import counted
from ground.words import MAIN_HORIZON
from jobs.asked import question_of_run
from jobs.errors import InputError
from jobs.marts import MAIN_REGIME
from jobs.places import importer_code
from jobs.ports import Reader
from jobs.purchases.book import RiskBook

#: Producers named of each mineral and stage, and rows of long tables.
NAMED, LONGEST = 4, 40

MADE_SQL = """
WITH latest AS (
    SELECT mineral, stage, country, arg_max(production_t_best, (year, known_from)) AS production_t, max(year) AS year
    FROM core.production WHERE production_t_best > 0 AND list_contains($minerals, mineral) GROUP BY ALL
),
-- Publishers also give the world's total, and others together, which are no countries.
world AS (
    SELECT mineral, stage, max(year) AS year, greatest(
        coalesce(sum(production_t) FILTER (country <> 'WLD'), 0), coalesce(max(production_t) FILTER (country = 'WLD'), 0)
    ) AS world_t
    FROM latest GROUP BY ALL
)
SELECT l.mineral, l.stage, c.name AS country, l.production_t / w.world_t AS share, w.year
FROM latest AS l JOIN world AS w USING (mineral, stage) JOIN core.countries AS c USING (country)
JOIN core.chains AS o USING (mineral, stage)
QUALIFY row_number() OVER (PARTITION BY l.mineral, l.stage ORDER BY l.production_t DESC, l.country) <= $named
ORDER BY l.mineral, o.stage_order, l.production_t DESC, l.country
"""
LAW_SQL = """
SELECT DISTINCT i.mineral, m.notice, m.title, s.state, coalesce(c.name, m.curbing_country) AS curbing_country
FROM measure_state_at($as_of, $known_at) AS s
JOIN core.measures AS m USING (measure_id) JOIN core.measure_items AS i USING (measure_id)
LEFT JOIN core.countries AS c ON c.country = m.curbing_country
WHERE list_contains($minerals, i.mineral) AND NOT m.is_framework AND s.state IN ('in_force', 'suspended', 'announced', 'lapsed_unverified')
ORDER BY ALL
"""
EXPOSED_SQL = """
SELECT mineral, traded_usd, expected_missing_usd, missing_usd_p10, missing_usd_p90 FROM mart.exposure
WHERE importer = $importer AND stage = '*' AND mineral <> '*' AND regime = $regime AND horizon_days = $horizon AND expected_missing_usd >= 1
ORDER BY expected_missing_usd DESC, mineral
"""


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 begins a chapter."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Rows:
    """A table; numbers are written to the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    says: str = ""


Part = Heading | Rows | str


@dataclass(frozen=True)
class Dossier:
    """A document in parts, with the identity of the file that it was made from."""

    title: str
    subtitle: str
    parts: Sequence[Part]


def of_purchases(reader: Reader, book: RiskBook) -> Dossier:
    """Return the dossier of a company's own lines."""
    minerals = book.risk["mineral"].unique().sort().to_list()
    parts: list[Part] = [
        *_board(book),
        *_map(reader, minerals),
        *_factors(reader, book, minerals),
        *_vulnerable(book),
    ]
    parts += [*_mitigations(book), *_requests(book), *_sources(book.sources), *_identity(book.run)]
    return Dossier(
        "Raw-material supply risk: self-assessment",
        _subtitle(book.question.as_of.isoformat(), "own purchases"),
        parts,
    )


def of_importer(reader: Reader, written: str) -> Dossier:
    """Return the dossier of what a country or bloc imports, where a company brings no lines of its own.

    Raises:
        SettingsError: the importer is unknown.
        InputError: nothing that it imports is expected to be missing.
    """
    importer = importer_code(reader, written)
    asked: dict[str, object] = {"importer": importer, "regime": MAIN_REGIME, "horizon": MAIN_HORIZON}
    exposed = reader.query(EXPOSED_SQL, asked)
    if exposed.is_empty():
        raise InputError(
            f"nothing that {importer} imports is expected to be missing, so there is nothing to assess."
        )
    minerals = sorted(exposed["mineral"].to_list())
    question = question_of_run(reader)
    total = reader.query(
        "SELECT traded_usd, expected_missing_usd, missing_usd_p10, missing_usd_p90 FROM mart.exposure "
        f"WHERE importer = $importer AND stage = '*' AND mineral = '{EVERY}' AND regime = $regime AND horizon_days = $horizon",
        asked,
    ).row(0, named=True)
    parts: list[Part] = [
        Heading("For the board"),
        (
            f"Of {_usd(total['traded_usd'])} that {importer} imports a year, {_usd(total['expected_missing_usd'])} are expected to be missing "
            f"within a year because of export curbs. One chance in ten of more than {_usd(total['missing_usd_p90'])}, one in ten of less than "
            f"{_usd(total['missing_usd_p10'])}."
        ),
        *_map(reader, minerals),
        *_law(reader, question.as_of, question.known_at, minerals),
        Heading("3. How vulnerable"),
        Rows(
            (
                "Mineral",
                "Imports a year, USD",
                "Expected missing, USD",
                "One in ten below",
                "One in ten above",
            ),
            [tuple(row) for row in exposed.head(LONGEST).iter_rows()],
        ),
        *_identity(reader.query("SELECT * FROM meta.run").row(0, named=True)),
    ]
    return Dossier(
        f"Raw-material supply risk of {importer}",
        _subtitle(question.as_of.isoformat(), f"imports of {importer}"),
        parts,
    )


def _subtitle(day: str, what: str) -> str:
    return f"{what}, as of {day}. Prepared along Article 24 of Regulation (EU) 2024/1252, as far as information is available."


def _board(book: RiskBook) -> list[Part]:
    """Return the page that is shown to a board."""
    by_regime = {
        row["regime"]: row for row in book.totals.filter(pl.col("grouping") == "total").iter_rows(named=True)
    }
    parts: list[Part] = [Heading("For the board")]
    if MAIN_REGIME not in by_regime:
        return [*parts, "No line has a route and a known spend, so no figure can be given."]
    now = by_regime[MAIN_REGIME]
    open_lines = book.risk.filter(~pl.col("origin_is_declared")).height
    parts += [
        (
            f"Of {_usd(now['spend_usd'])} a year on {counted(book.risk['mineral'].n_unique(), 'mineral')}, {_usd(now['expected_missing_usd'])} are expected "
            f"to be missing within a year because of export curbs, after our own stock. One chance in ten of more than {_usd(now['missing_usd_p90'])}, "
            f"one in ten of less than {_usd(now['missing_usd_p10'])}."
        ),
        (
            f"If every suspended and lapsed measure came back, {_usd(by_regime['snapback']['expected_missing_usd'])}; if every shipment stopped, "
            f"{_usd(by_regime['full_stop']['expected_missing_usd'])}."
        ),
        f"The origin is not declared on {counted(open_lines, 'line')} of {book.risk.height}. Chapter 5 lists whom to ask.",
    ]
    first = book.risk.filter(pl.col("expected_missing_usd") > 0).head(5)
    parts.append(
        Rows(
            ("Line", "Supplier", "Mineral", "Band", "Spend at risk, USD", "Owner"),
            [
                (
                    row["part"] or row["line_id"],
                    row["supplier_name"],
                    _words(row["mineral"]),
                    row["band"],
                    row["expected_missing_usd"],
                    row["owner"],
                )
                for row in first.iter_rows(named=True)
            ],
            "The five lines with most spend at risk",
        )
    )
    return parts


def _map(reader: Reader, minerals: Sequence[str]) -> list[Part]:
    made = reader.query(MADE_SQL, {"minerals": list(minerals), "named": NAMED})
    rows = []
    for (mineral, stage), own in made.group_by("mineral", "stage", maintain_order=True):
        named = ", ".join(f"{row['country']} {row['share']:.0%}" for row in own.iter_rows(named=True))
        rows.append((_words(str(mineral)), stage, named, int(own["year"].max())))  # type: ignore[arg-type]
    return [
        Heading("1. Where raw materials are extracted and processed"),
        (
            "Largest producers by mineral and stage, as shares of the production that is known. The facts hold no figures on "
            "where materials are recycled: ask suppliers."
        ),
        Rows(("Mineral", "Stage", "Largest producers", "Year"), rows),
    ]


def _law(reader: Reader, as_of: object, known_at: object, minerals: Sequence[str]) -> list[Part]:
    law = reader.query(LAW_SQL, {"minerals": list(minerals), "as_of": as_of, "known_at": known_at})
    rows = []
    for (country, notice, title, state), own in law.group_by(
        "curbing_country", "notice", "title", "state", maintain_order=True
    ):
        names = ", ".join(_words(one) for one in own["mineral"].unique().sort())
        rows.append((country, f"{notice}: {title}", _words(str(state)), names))
    rows.sort(key=lambda row: (str(row[0]), str(row[1])))
    return [
        Heading("2. What may affect supply"),
        "Measures on these minerals and their state on the day. Lapsed unverified: the stated end has passed, and no successor is known.",
        Rows(("Country", "Measure", "State", "Minerals"), rows),
    ]


def _factors(reader: Reader, book: RiskBook, minerals: Sequence[str]) -> list[Part]:
    parts = _law(reader, book.question.as_of, book.question.known_at, minerals)
    ahead = book.calendar.filter(pl.col("event_date") >= book.question.as_of, pl.col("kind") != "rule")
    rows = [
        (row["event_date"].isoformat(), row["event"], row["lines"], row["spend_usd"])
        for row in ahead.iter_rows(named=True)
    ]
    return (
        [
            *parts,
            Rows(("Date", "What happens", "Lines", "Spend touched, USD"), rows, "Dates ahead, within a year"),
        ]
        if rows
        else parts
    )


def _vulnerable(book: RiskBook) -> list[Part]:
    by = book.totals.filter(pl.col("grouping") == "mineral", pl.col("regime") == MAIN_REGIME).sort(
        "expected_missing_usd", "name", descending=[True, False]
    )
    stops = dict(
        book.totals.filter(pl.col("grouping") == "mineral", pl.col("regime") == "full_stop")
        .select("name", "expected_missing_usd")
        .iter_rows()
    )
    rows = [
        (_words(row["name"]), row["lines"], row["spend_usd"], row["expected_missing_usd"], row["missing_usd_p10"], row["missing_usd_p90"],
         stops.get(row["name"]), _percent(row["unknown_origin_share"]))
        for row in by.iter_rows(named=True)
    ]  # fmt: skip
    return [
        Heading("3. How vulnerable we are"),
        "Spend expected to be missing within a year after our own stock, from joint draws of all uncertain inputs. Where no stock is stated none is counted.",
        Rows(("Mineral", "Lines", "Spend, USD", "At risk, USD", "One in ten below", "One in ten above", "Full stop, USD", "Origin not declared"), rows),
    ]  # fmt: skip


def _mitigations(book: RiskBook) -> list[Part]:
    parts: list[Part] = [Heading("4. What can be done, and what is under way")]
    acted = (
        book.risk.filter(pl.col("action_status").is_not_null())
        if "action_status" in book.risk.columns
        else book.risk.head(0)
    )
    if acted.is_empty():
        parts.append("No action is on record. `risk/actions_<audience>.xlsx` holds them.")
    else:
        rows = [
            (
                row["part"] or row["line_id"],
                row["action_owner"],
                row["action_status"],
                row["action_due"].isoformat() if row["action_due"] else None,
                row["action_note"],
            )
            for row in acted.iter_rows(named=True)
        ]
        parts.append(Rows(("Line", "Owner", "Status", "Due", "Note"), rows, "Actions"))
    first = book.alternatives.filter(pl.col("rank") <= 2).head(LONGEST)
    others = [
        (
            row["part"] or row["line_id"],
            _words(row["mineral"]),
            row["exporter_name"],
            row["score"],
            row["score_now"],
            row["not_known"],
        )
        for row in first.iter_rows(named=True)
    ]
    if others:
        parts.append(
            Rows(
                ("Line", "Mineral", "Other exporter", "Its score", "Ours", "Not known"),
                others,
                "Other exporters that score lower",
            )
        )
    return parts


def _requests(book: RiskBook) -> list[Part]:
    unclear = book.risk.filter(~pl.col("origin_is_declared"))
    rows = [
        (
            row["supplier_name"] or row["supplier_id"],
            row["part"] or row["line_id"],
            _words(row["mineral"]),
            row["mapped_by"] or row["unknown_reason"],
        )
        for row in unclear.head(LONGEST * 5).iter_rows(named=True)
    ]
    parts: list[Part] = [Heading("5. Information asked of suppliers")]
    if not rows:
        return [*parts, "Every line has a declared origin."]
    return [
        *parts,
        "Lines without a declared origin. Until a supplier answers, public trade data stand in, as paragraph 3 of the article allows.",
        Rows(("Supplier to ask", "Line", "Mineral", "Scored meanwhile as"), rows),
    ]


def _sources(sources: pl.DataFrame) -> list[Part]:
    rows = [
        (
            row["publisher"],
            row["title"],
            row["published"].isoformat() if row["published"] else None,
            row["url"],
        )
        for row in sources.iter_rows(named=True)
    ]
    return [Heading("Sources"), Rows(("Publisher", "Title", "Published", "Address"), rows)]


def _identity(run: Any) -> list[Part]:
    return [
        Heading("Which snapshot this is"),
        (
            f"Run {run['run_id']}, as of {run['as_of']}, as known on {run['known_at']}; facts {run['facts_hash']}; rules {run['rules_hash']}; code "
            f"{run['code_version']}. The same file gives the same figures again."
        ),
    ]


def _usd(value: float) -> str:
    return (
        f"{value / 1e9:,.2f} bn USD"
        if abs(value) >= 1e9
        else f"{value / 1e6:,.1f} m USD"
        if abs(value) >= 1e6
        else f"{value:,.0f} USD"
    )


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share:.0%}"


def _words(name: str) -> str:
    return name.replace("_", " ")


__all__ = ["Dossier", "Heading", "Rows", "of_importer", "of_purchases"]
