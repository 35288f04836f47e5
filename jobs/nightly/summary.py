"""What a run did, short enough to read every morning, and the same as JSON."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from ground.counted import counted
from ground.words import BANDS, MAIN_HORIZON
from jobs.diff.split import CHANGE
from jobs.diff.text import Shown, as_dict, since_text
from jobs.explain.text import amount
from jobs.marts import LISTED, MAIN_REGIME, OWN, REST, SMALL, UNKNOWN_BAND
from jobs.nightly.listing import Floors
from jobs.nightly.phases import PhaseTime
from jobs.nightly.run import RunOutcome
from jobs.ports import Reader
from jobs.tables import as_table

TOP = 10
TOP_MOVES = 5
GRADES = ("good", "fair", "weak", "insufficient")

BY_BAND = """
SELECT coalesce(active_band, 'unknown') AS band, count(*)::BIGINT AS routes, sum(route_usd)::DOUBLE AS usd
FROM mart.route_score WHERE horizon_days = $horizon GROUP BY 1
"""
BY_RECONCILIATION = """
SELECT reconciliation, count(*)::BIGINT AS routes FROM mart.route_score WHERE horizon_days = $horizon GROUP BY 1
"""
# Smaller lanes are counted, not listed: their priority is high and nothing hangs on them.
TOP_ROUTES = f"""
SELECT mineral, stage, exporter, importer, active AS score, active_band AS band, active_confidence AS confidence,
       active_missing_share_p10 AS p10, active_missing_share_p90 AS p90, snapback, full_stop, active_priority AS priority, route_t, route_usd, reconciliation, next_event_date
FROM mart.route_score WHERE horizon_days = $horizon AND listing = '{LISTED}'
ORDER BY active_priority DESC NULLS LAST, mineral, stage, exporter, importer LIMIT {TOP}
"""
NOT_LISTED = f"""
SELECT listing, count(*)::BIGINT AS routes, coalesce(sum(route_usd), 0)::DOUBLE AS usd,
       coalesce(sum(active_expected_missing_share * route_usd), 0)::DOUBLE AS expected_usd
FROM mart.route_score WHERE horizon_days = $horizon AND listing IN ('{SMALL}', '{REST}', '{OWN}') GROUP BY 1
"""
# Money first: by importer, then lane by lane. A country that curbs, and those that pass its goods on, are not their own
# victims.
BY_MONEY = """
WITH own AS (
    SELECT importer, mineral, traded_usd, expected_missing_usd, missing_usd_p10, missing_usd_p90
    FROM mart.exposure WHERE horizon_days = $horizon AND regime = 'active' AND stage = '*'
        AND importer IN (SELECT unnest(declared_importers) FROM meta.run)
)
SELECT t.importer, t.traded_usd, t.expected_missing_usd, t.missing_usd_p10, t.missing_usd_p90,
    (SELECT string_agg(mineral, ', ' ORDER BY expected_missing_usd DESC, mineral) FROM (
        SELECT mineral, expected_missing_usd FROM own WHERE importer = t.importer AND mineral <> '*'
            AND expected_missing_usd > 0 ORDER BY expected_missing_usd DESC, mineral LIMIT 4)) AS most
FROM own t WHERE t.mineral = '*' ORDER BY t.expected_missing_usd DESC, t.importer
"""
LANES_BY_MONEY = f"""
SELECT mineral, stage, exporter, importer, active_expected_missing_share AS expected_share,
       active_missing_share_p10 AS p10, active_missing_share_p90 AS p90,
       active_expected_missing_share * route_usd AS expected_usd, route_usd, reconciliation
FROM mart.route_score
WHERE horizon_days = $horizon AND listing IN ('{LISTED}', '{SMALL}')
ORDER BY active_expected_missing_share * route_usd DESC NULLS LAST, mineral, stage, exporter, importer LIMIT {TOP}
"""
UNVERIFIED = """
SELECT DISTINCT m.notice, a.measure_id, a.clause, a.valid_from AS since
FROM measures_at($as_of, $known_at) AS a
JOIN (SELECT measure_id, arg_max(notice, known_from) AS notice, arg_max(curbing_country, known_from) AS curbing_country
      FROM core.measures GROUP BY measure_id) AS m USING (measure_id)
WHERE a.state = 'lapsed_unverified' AND ($curbing_country = 'all' OR m.curbing_country = $curbing_country)
ORDER BY ALL
"""
WITHOUT_TRADE = """
SELECT c.mineral, count(*)::BIGINT AS items, any_value(c.reason ORDER BY c.reason) AS reason
FROM mart.measure_coverage AS c WHERE NOT c.has_trade GROUP BY 1 ORDER BY 2 DESC, 1
"""
WITHHELD = """
SELECT count(*)::BIGINT AS flows, count(DISTINCT curbing_country)::BIGINT AS countries FROM mart.withheld_share
WHERE horizon_days = (SELECT min(horizon_days) FROM mart.withheld_share)
"""
COVERAGE = "SELECT count(*)::BIGINT AS items, count(*) FILTER (NOT has_trade)::BIGINT AS without FROM mart.measure_coverage"


SINCE = "SELECT since_run_id AS run_id, since_as_of AS as_of, since_as_of AS known_at FROM meta.run"
MOVES = f"""
SELECT {", ".join(CHANGE)} FROM mart.score_change
WHERE horizon_days = {MAIN_HORIZON} AND regime = '{MAIN_REGIME}' ORDER BY ALL
"""
REASONS = "SELECT * FROM mart.score_change_reason ORDER BY cause, mineral, reason_id"


def summarise(outcome: RunOutcome, reader: Reader, phases: list[PhaseTime], seconds: float) -> dict[str, Any]:
    """Collect the summary of a run from its published file.

    Args:
        outcome: What the run did.
        reader: The published file, opened read-only.
        phases: The timed phases.
        seconds: The whole duration.
    """
    stamp = outcome.stamp
    horizon = {"horizon": MAIN_HORIZON}
    bands = dict(reader.query(BY_BAND, horizon).select("band", "routes").rows())
    grades = dict(reader.query(BY_RECONCILIATION, horizon).rows())
    when = asdict(stamp.question)
    coverage = reader.query(COVERAGE).row(0, named=True)
    counts = outcome.facts.row_counts
    return {
        "run_id": stamp.run_id,
        **asdict(stamp.question),
        "facts": {
            "bundles": [f"{item.name} {item.version}" for item in outcome.facts.bundles],
            "rows": sum(counts.values()),
            "trade_rows": counts.get("trade", 0),
            "measures": counts.get("measures", 0),
            "sources": counts.get("sources", 0),
            "rejected": sum(outcome.facts.rejected_by_file.values()),
            "hash": stamp.facts_hash,
        },
        "rules": {"count": len(outcome.rulebook.ruleset.rules), "hash": stamp.rules_hash},
        "routes": {
            "horizon_days": MAIN_HORIZON,
            "total": sum(bands.values()),
            "by_band": {band: bands.get(band, 0) for band in (*reversed(BANDS), UNKNOWN_BAND)},
            "by_reconciliation": {grade: grades.get(grade, 0) for grade in GRADES},
        },
        "withheld": reader.query(WITHHELD).row(0, named=True),
        "since": _since(reader, when),
        "exposure": reader.query(BY_MONEY, horizon).to_dicts(),
        "lanes": reader.query(LANES_BY_MONEY, horizon).to_dicts(),
        "top": reader.query(TOP_ROUTES, horizon).to_dicts(),
        "top_left_out": {
            "floors": asdict(Floors.of(outcome.rulebook.ruleset, stamp.question.as_of)),
            **{row.pop("listing"): row for row in reader.query(NOT_LISTED, horizon).to_dicts()},
        },
        "unverified": reader.query(UNVERIFIED, when).to_dicts(),
        "without_trade": {**coverage, "minerals": reader.query(WITHOUT_TRADE).to_dicts()},
        "checks": len(outcome.checks),
        "phases": [
            {"phase": item.name, "seconds": round(item.seconds, 3), "peak_memory_mb": round(item.peak_mb)}
            for item in phases
        ],
        "seconds": round(seconds, 3),
        "published": str(outcome.snapshot),
        "pointer": str(outcome.layout.pointer),
        "pointer_moved": outcome.pointer_moved,
        "exports": str(outcome.exports),
        "dropped": outcome.dropped.snapshots,
        "dropped_exports": outcome.dropped.exports,
        "warnings": outcome.warnings,
        "notes": outcome.notes,
        "exit_code": int(outcome.code),
    }


def _since(reader: Reader, when: dict[str, Any]) -> dict[str, Any] | None:
    """Return what changed since the last published night; None where there is none to compare with."""
    before = reader.query(SINCE).row(0, named=True)
    if before["run_id"] is None:
        return None
    shown = Shown(MAIN_HORIZON, MAIN_REGIME, TOP_MOVES)
    return as_dict(before, {"run_id": "", **when}, reader.query(MOVES), reader.query(REASONS), shown)


def as_text(found: dict[str, Any]) -> Group:
    """Lay the summary out for a terminal."""
    facts, routes = found["facts"], found["routes"]
    head = Text(f"Curbline, as of {found['as_of']}, curbs of {found['curbing_country']}", style="bold")
    if found["known_at"] != found["as_of"]:
        head.append(f", as known on {found['known_at']}")
    parts: list[RenderableType] = [
        head,
        Text(f"Run {found['run_id']}, {found['seconds']:.1f} s"),
        Text(
            f"Facts: {counted(facts['rows'], 'row')} in {', '.join(facts['bundles'])}; {facts['trade_rows']:,} of trade, "
            f"{facts['measures']} measures, {facts['sources']} sources, {facts['rejected']} rows set aside"
        ),
        Text(f"Rules: {found['rules']['count']}. Checks passed: {found['checks']}."),
        *_routes(routes, found["withheld"]),
        Text(),
        *(since_text(found["since"]) if found["since"] else []),
        *_exposure(found["exposure"]),
        *_lanes(found["lanes"]),
        *_top(found["top"], found["top_left_out"]),
        *_unverified(found["unverified"], found["as_of"]),
        *_without_trade(found["without_trade"]),
        Text("Time: " + ", ".join(f"{item['phase']} {item['seconds']:.1f} s" for item in found["phases"])),
        Text(),
        *_places(found),
    ]
    parts += [Text(f"Note: {note}") for note in found["notes"]]
    parts += [Text(f"Warning: {warning}", style="yellow") for warning in found["warnings"]]
    return Group(*parts)


def _routes(routes: dict[str, Any], withheld: dict[str, Any]) -> list[Text]:
    if not routes["total"]:
        flows = f"{counted(withheld['flows'], 'flow')} of {counted(withheld['countries'], 'country', 'countries')} (mart.withheld_share)"
        return [Text(f"Withheld shares: {flows}. Routes are scored for one curbing country at a time.")]
    bands, grades = _counts(routes["by_band"]), _counts(routes["by_reconciliation"])
    return [
        Text(f"Routes at {routes['horizon_days']} days: {routes['total']:,} ({bands})"),
        Text(f"By reconciliation of trade and production: {grades}"),
    ]


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "none"


def _exposure(rows: list[dict[str, Any]]) -> list[RenderableType]:
    if not rows:
        return []
    shown = [
        (
            row["importer"], amount(row["traded_usd"]), amount(row["expected_missing_usd"]),
            f"{amount(row['missing_usd_p10'])} – {amount(row['missing_usd_p90'])}", row["most"] or "nothing",
        )
        for row in rows
    ]  # fmt: skip
    return [
        Text("Expected to be missing within a year, by importer", style="bold"),
        as_table(("importer", "imports, USD", "missing, USD", "eight chances in ten", "most of it"), shown),
        Text(),
    ]


def _lanes(rows: list[dict[str, Any]]) -> list[RenderableType]:
    if not rows:
        return []
    shown = [
        (
            f"{row['mineral']} / {row['stage']}", f"{row['exporter']} → {row['importer']}", amount(row["route_usd"]),
            amount(row["expected_usd"]), _percent(row["expected_share"]),
            f"{_percent(row['p10'])} – {_percent(row['p90'])}", row["reconciliation"],
        )
        for row in rows
    ]  # fmt: skip
    names = (
        *("mineral / stage", "route", "USD a year", "missing, USD", "missing"),
        *("eight chances in ten", "reconciles"),
    )
    return [Text(f"Top {len(rows)} by money missing", style="bold"), as_table(names, shown), Text()]


def _percent(share: float | None) -> str:
    return "?" if share is None else f"{share * 100:.0f} %"


def _top(rows: list[dict[str, Any]], left_out: dict[str, Any]) -> list[RenderableType]:
    if not rows:
        return []
    shown = [
        (
            f"{row['mineral']} / {row['stage']}", f"{row['exporter']} → {row['importer']}", _one(row["priority"]), _one(row["score"]),
            row["band"] or UNKNOWN_BAND, row["confidence"] or "",
            f"{_percent(row['p10'])} – {_percent(row['p90'])}", _one(row["snapback"]),
            _one(row["full_stop"]), amount(row["route_t"]), amount(row["route_usd"]), row["reconciliation"],
        )
        for row in rows
    ]  # fmt: skip
    names = (
        "mineral / stage",
        "route",
        "priority",
        "score",
        "band",
        "confidence",
        "missing in eight of ten",
        "snapback",
        "full stop",
        "tonnes",
        "USD a year",
        "reconciles",
    )
    lines: list[RenderableType] = [
        Text(f"Top {len(rows)} by priority (100 × √(dependence × missing share))", style="bold"),
        as_table(names, shown),
    ]
    return [*lines, *(Text(line) for line in _left_out(left_out)), Text()]


def _left_out(found: dict[str, Any]) -> list[str]:
    """Count what the list does not name, and say what is expected to be missing there."""
    floors = found["floors"]
    reasons = {
        SMALL: f"under {floors['usd']:,.0f} USD a year, {floors['supply_share'] * 100:g} % of the importer's supply or "
        f"{floors['world_share'] * 100:g} % of the stage's trade",
        REST: f"of bundled codes, under {floors['rest_t'] * 1000:g} kg (mart.lane has them as REST)",
        OWN: "into the curbing country and entrepots",
    }
    told = [
        f"{counted(found[listing]['routes'], 'lane')} {reason}: {amount(found[listing]['expected_usd'])} USD missing of "
        f"{amount(found[listing]['usd'])}"
        for listing, reason in reasons.items()
        if listing in found
    ]
    return [f"Not listed: {'; '.join(told)}."] if told else []


def _unverified(rows: list[dict[str, Any]], as_of: date) -> list[RenderableType]:
    if not rows:
        return [Text(f"Unverified on {as_of}: nothing.")]
    by_notice: dict[str, date] = {}
    for row in rows:
        by_notice.setdefault(row["notice"] or row["measure_id"], row["since"])
    listed = ", ".join(f"{notice} (since {since})" for notice, since in by_notice.items())
    return [Text(f"Unverified on {as_of} (the stated end has passed, no successor is known): {listed}")]


def _without_trade(found: dict[str, Any]) -> list[Text]:
    if not found["items"]:
        return []
    names = ", ".join(f"{row['mineral']} {row['items']}" for row in found["minerals"][:12])
    more = len(found["minerals"]) - 12
    tail = f" and {more} more" if more > 0 else ""
    listed = f": {names}{tail}" if names else ""
    counted = f"{found['without']} of {found['items']}{listed}"
    return [Text(f"Curbed items without trade: {counted} (mart.measure_coverage says why)")]


def _places(found: dict[str, Any]) -> list[RenderableType]:
    lines = [Text(f"Published: {found['published']}")]
    if found["pointer_moved"]:
        lines.append(Text(f"Open:      {found['pointer']}"))
    else:
        lines.append(
            Text(f"Beside {found['pointer']}, which stays on the newest day of the default curbing country")
        )
    lines.append(Text(f"Tables:    {found['exports']}"))
    if found["dropped"]:
        lines.append(Text(f"Dropped {counted(len(found['dropped']), 'old snapshot')} with exports"))
    if found["dropped_exports"]:
        lines.append(Text(f"Dropped the exports of {counted(len(found['dropped_exports']), 'night')}"))
    return list(lines)


def _one(value: float | None) -> str:
    return "?" if value is None else f"{value:.1f}"
