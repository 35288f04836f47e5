"""An explanation as a person reads it on the terminal."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from ground.counted import counted
from ground.words import REGIMES
from jobs.explain.route import ALL
from jobs.tables import as_table

SHOWN_FROM = 0.05  # points; smaller terms would all read +0.0
TOLD_FROM = 0.005  # points; what all smaller terms of a step come to would read +0.00
LABELS = {"active": "active", "snapback": "snapback", "full_stop": "full stop"}


def as_text(found: dict[str, Any]) -> Group:
    """Lay out what `jobs.explain.route.explain` collected."""
    question, run, row = found["question"], found["run"], found["row"]
    parts: list[RenderableType] = [
        Text(
            f"{question['mineral']} / {question['stage']} / {question['exporter']} → {question['importer']}"
            f", {question['horizon_days']} days",
            style="bold",
        ),
        Text(
            f"as of {run['as_of']}, as known on {run['known_at']}, curbs of {run['curbing_country']}, run {run['run_id']}"
        ),
        Text(),
        *(Text(line) for line in expected_lines(found["scores"], question)),
        Text(),
        _scores(found["scores"]),
        Text(),
        *(Text(line) for line in context_lines(row)),
        Text(),
        *_waterfall(found),
        *_measures(found),
        *_sources(found["sources"]),
    ]
    return Group(*parts)


def expected_lines(scores: dict[str, Any], question: dict[str, Any]) -> list[str]:
    """Say what the joint draws expect, in words before numbers."""
    drawn = scores["active"]["expected"]
    mean = drawn["missing_share"]
    if mean is None:
        return []
    horizon = question["horizon_days"]
    what = f"Expect {share(mean)} of {horizon} days of {question['mineral']} to be missing ({counted(round(mean * horizon), 'day')})"
    least = (
        f"one in ten of less than {share(drawn['p10'])}"
        if drawn["p10"] > 0
        else "at least one in ten of none"
    )
    odds = (
        f"one chance in ten of more than {share(drawn['p90'])}, {least}"
        if drawn["p90"] > 0
        else "at least nine chances in ten of none"
    )
    others = " and ".join(
        f"{share(scores[regime]['expected']['missing_share'])} in {LABELS[regime]}"
        for regime in REGIMES
        if regime != "active"
    )
    lines = [f"{what}; {odds}.", f"Before stocks {share(drawn['gap_share'])}; expect {others}."]
    if drawn["evidence"] in ("weak", "strong"):
        prior = share(drawn["prior_missing_share"])
        lines.append(
            f"Trade since the curb is {drawn['evidence']} evidence; the rules alone would expect {prior} to be missing."
        )
    return lines


def _scores(scores: dict[str, Any]) -> RenderableType:
    rows = []
    for regime in REGIMES:
        item = scores[regime]
        ends = item["score"]
        rows.append(
            (
                LABELS[regime], points(ends["expected"]), item["band"] or "unknown", f"{share(item['expected']['p10'])} – {share(item['expected']['p90'])}",
                f"{points(ends['low'])}–{points(ends['high'])}", item["confidence"] or "", share(item["expected"]["missing_share"]),
                _shortage_after(item["time_to_shortage_days"]),
            )
        )  # fmt: skip
    return as_table(
        (
            "regime",
            "score",
            "band",
            "missing in eight of ten",
            "bounds",
            "confidence",
            "missing",
            "shortage after",
        ),
        rows,
    )


def _shortage_after(drawn: dict[str, float | None]) -> str:
    """Return the even chance, or the one in ten where the stock else outlasts the horizon."""
    if drawn["p50"] is not None:
        return days(drawn["p50"])
    return "" if drawn["p10"] is None else f"{days(drawn['p10'])} in one of ten"


def context_lines(row: dict[str, Any]) -> list[str]:
    """Return the lines on trade, dependence, what is to come, and what is not known."""
    lines: list[str] = []
    if row.get("unknown_reason"):
        lines.append(f"Unknown: {row['unknown_reason']}")
    tonnes = row.get("route_t", row.get("import_t"))
    what = "Normal trade" if "route_t" in row else "Imports"
    trade = f"{what} {amount(tonnes)} t in {row['baseline_year']}"
    if row.get("latest_t") is not None:
        trade += f", {amount(row['latest_t'])} t in {row['trade_year']}"
    if row.get("route_usd") is not None:
        trade += f"; {amount(row['route_usd'])} USD"
    lines.append(f"{trade}. Trade code fit: {row['trade_basis']}." if row.get("trade_basis") else f"{trade}.")
    if row.get("dependence_share") is not None:
        lines.append(f"The route is {share(row['dependence_share'])} of the importer's supply at this stage.")
    if row.get("touched_share_best") is not None:
        lines.append(
            f"Curbing-country material in the exporter's pool: {share(row['touched_share_best'])} "
            f"({share(row['touched_share_low'])}–{share(row['touched_share_high'])}), assuming that pools mix evenly."
        )
    if row["reconciliation"] is not None:
        graded = f"Trade against production reconciles: {row['reconciliation']}."
        if row["reconciliation"] == "insufficient":
            graded += " Read the score as unverified."
        lines.append(graded)
    if row.get("hindsight"):
        lines.append("Production or reserves published after the date of knowledge were used (hindsight).")
    if row.get("narrowed_by"):
        lines.append(
            f"What would narrow the range most: {row['narrowed_by']} ({share(row['narrowed_by_share'])} of the variance)."
        )
    if row.get("scheduled") is not None:
        lines.append(f"Scheduled (the changes already known, weighted by time): {points(row['scheduled'])}.")
    if row.get("next_event"):
        lines.append(f"Next known event: {row['next_event_date']}, {row['next_event']}.")
    return lines


def _waterfall(found: dict[str, Any]) -> list[RenderableType]:
    """Return the steps with their terms; the points sum to the score."""
    regime = found["question"]["regime"]
    terms = found["waterfall"]
    if not terms and found["row"].get("unknown_reason"):
        return []
    if not terms:
        return [Text(f"No points in {LABELS[regime]}: nothing on this route is hit."), Text()]
    rows: list[tuple[object, ...]] = []
    reached = 0.0
    for (step, name), members in groupby(terms, key=lambda term: (term["step"], term["step_name"])):
        small: list[float] = []
        for term in members:
            reached += term["points"]
            if abs(term["points"]) < SHOWN_FROM:
                small.append(term["points"])
                continue
            stage = f", {term['term_stage']}" if term["measure_id"] else ""
            rows.append((f"{step} {name}{stage}", signed(term["points"]), points(reached), term["sentence"]))
        if abs(sum(small)) >= TOLD_FROM:
            more = f"and {counted(len(small), 'smaller term')}, {sum(small):+.2f} together (--json lists all)"
            rows.append((f"{step} {name}", signed(sum(small)), points(reached), more))
    title = Text(
        f"Points in {LABELS[regime]} (each is the change of the score; together they are the score)",
        style="bold",
    )
    return [title, as_table(("step", "points", "score", "why"), rows), Text()]


def _measures(found: dict[str, Any]) -> list[RenderableType]:
    measures = found["measures"]
    if not measures:
        is_hit = any(term["measure_id"] for term in found["waterfall"])
        return [
            Text(
                "No measure hits this route or a flow into its exporter; those named above bite further upstream."
                if is_hit
                else "No measure withholds anything on this route or upstream of it."
            ),
            Text(),
        ]
    # A total is fed by flows to half the world: there each clause has one line, whomever it hits.
    by_clause = found["question"]["exporter"] == ALL
    groups: dict[tuple[object, ...], list[dict[str, Any]]] = {}
    for place, item in enumerate(measures):
        groups.setdefault(_clause(item) if by_clause else (place,), []).append(item)
    rows = [_measure_row(flows) for flows in groups.values()]
    more = " (--json lists every flow)" if by_clause else ""
    return [
        Text(f"Measures{more}", style="bold"),
        as_table(("notice", "clause", "state", "flow", "withheld", "rule", "source"), rows),
        Text(),
    ]


def _clause(item: dict[str, Any]) -> tuple[object, ...]:
    return tuple(item[name] for name in ("measure_id", "clause", "state", "flow_stage"))


def _measure_row(flows: list[dict[str, Any]]) -> tuple[object, ...]:
    """Return one flow that a clause hits, or all of them in one line."""
    item = flows[0]
    best = [share(end) for end in sorted({flow["withheld_share_best"] for flow in (flows[-1], item)})]
    low, high = min(f["withheld_share_low"] for f in flows), max(f["withheld_share_high"] for f in flows)
    to = item["flow_importer"] if len(flows) == 1 else f"{len(flows)} countries"
    return (
        item["notice"] or item["measure_id"],
        item["clause"],
        str(item["state"]).replace("_", " "),
        f"{item['flow_stage']} {item['flow_exporter']} → {to}",
        f"{' to '.join(best)} ({share(low)}–{share(high)})",
        ", ".join(sorted({str(flow["rule_id"]) for flow in flows})),
        ", ".join(item["source_ids"]),
    )


def _sources(sources: list[dict[str, Any]]) -> list[RenderableType]:
    if not sources:
        return []
    rows = [
        (
            item["source_id"],
            item["grade"],
            ", ".join(str(part) for part in (item["publisher"], item["title"], item["published"]) if part),
            item["url"],
        )
        for item in sources
    ]
    return [
        Text("Sources (A official, B official through an extract, C press, D judgement)", style="bold"),
        as_table(("id", "grade", "what", "link"), rows),
    ]


def signed(value: float) -> str:
    """Return a change of the score with one decimal and a sign; what rounds to nothing has none."""
    written = f"{value:+.1f}"
    return "0.0" if written in {"+0.0", "-0.0"} else written


def points(value: float | None) -> str:
    """Return a score with one decimal; `?` where it is unknown."""
    return "?" if value is None else f"{abs(value) if abs(value) < SHOWN_FROM else value:.1f}"


def share(value: float | None) -> str:
    """Return a share in percent; `?` where it is unknown."""
    return "?" if value is None else f"{value * 100:.3g} %"


def days(value: float | None) -> str:
    """Return whole days; empty where no shortage comes."""
    return "" if value is None else f"{value:.0f} days"


def amount(value: float | None) -> str:
    """Return tonnes or dollars with thousands separated."""
    if value is None:
        return "?"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
