"""What of the facts deserves a person's time: stale, contradicted, weak, or most worth finding out; by money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from ground.words import MAIN_HORIZON
from jobs.marts import MAIN_REGIME
from jobs.ports import Reader

#: Claims that lie further apart than this contradict each other.
_APART_SHARE: Final = 0.1

# The money of a measure: what is expected to be missing on routes whose mineral it covers, once each.
_MONEY = """
money AS (
    SELECT mineral, sum(expected_missing_usd) AS usd
    FROM mart.exposure
    WHERE importer = '*' AND mineral <> '*' AND stage = '*' AND horizon_days = $horizon_days AND regime = $regime
    GROUP BY mineral
)
"""
_STALE = f"""
WITH {_MONEY},
state AS (SELECT DISTINCT measure_id, state, valid_from, known_from, source_id FROM measures_at($as_of, $known_at)),
item AS (SELECT DISTINCT measure_id, mineral FROM core.measure_items)
SELECT
    s.measure_id AS what, min(s.state) AS why, max(s.known_from)::VARCHAR AS since, any_value(c.title) AS source,
    sum(m.usd) AS usd
FROM state s
JOIN core.measures x ON x.measure_id = s.measure_id AND x.curbing_country = $country
JOIN core.sources c ON c.source_id = s.source_id
LEFT JOIN item i ON i.measure_id = s.measure_id
LEFT JOIN money m ON m.mineral = i.mineral
WHERE s.state = 'lapsed_unverified' OR (s.state IN ('in_force', 'suspended', 'announced', 'unknown')
    AND s.known_from < $as_of::DATE - $stale_days)
GROUP BY s.measure_id
"""
_WEAK = f"""
WITH {_MONEY},
weak AS (
    SELECT 'production ' || p.stage || ' ' || p.country || ' ' || p.year AS what, p.mineral, p.source_id, p.known_from
    FROM production_at($as_of, $known_at) p JOIN core.sources s USING (source_id) WHERE s.grade = 'D'
    UNION ALL
    SELECT 'measure ' || m.measure_id, i.mineral, m.source_id, m.known_from
    FROM core.measures m JOIN core.sources s USING (source_id) JOIN core.measure_items i USING (measure_id)
    WHERE s.grade = 'D' AND m.curbing_country = $country
    UNION ALL
    SELECT 'stock ' || k.stock_id, k.mineral, k.source_id, k.known_from
    FROM core.stocks k JOIN core.sources s USING (source_id) WHERE s.grade = 'D'
)
SELECT DISTINCT ON (w.what, w.mineral) w.what || ' of ' || w.mineral AS what, 'grade D' AS why, w.known_from::VARCHAR AS since,
    c.title AS source, m.usd
FROM weak w JOIN core.sources c USING (source_id) LEFT JOIN money m USING (mineral)
"""
_CONTRADICTED = f"""
WITH {_MONEY},
claim AS (
    SELECT mineral, stage || ' ' || country || ' ' || year AS what, 'production' AS kind, p.source_id, max(p.known_from) AS known_from,
        sum(production_t_best) AS t
    FROM core.production p WHERE production_t_best IS NOT NULL AND country NOT IN ('WLD', 'OTH')
    GROUP BY ALL
    UNION ALL
    SELECT mineral, stage || ' ' || form || ' ' || exporter || '-' || importer || ' ' || strftime(month, '%Y-%m'), 'month',
        source_id, known_from, quantity_t
    FROM core.observed_months WHERE quantity_t IS NOT NULL
    UNION ALL
    SELECT mineral, claim_kind || ' ' || country, 'reserves', source_id, max(known_from), max(reserves_t)
    FROM core.reserves WHERE reserves_t IS NOT NULL GROUP BY ALL
)
SELECT
    kind || ' ' || mineral || ' ' || what AS what,
    'from ' || printf('%.4g', min(t)) || ' to ' || printf('%.4g', max(t)) || ' t by ' || count(DISTINCT source_id) || ' sources' AS why,
    max(known_from)::VARCHAR AS since, string_agg(DISTINCT source_id, ', ' ORDER BY source_id) AS source, any_value(m.usd) AS usd
FROM claim LEFT JOIN money m USING (mineral)
GROUP BY kind, mineral, what
HAVING count(DISTINCT source_id) > 1 AND max(t) - min(t) > $apart * max(t)
"""
_DOUBT = """
SELECT fact AS what, kind AS why, NULL AS since, fact_id AS source, width_usd - remaining_width_usd AS usd
FROM mart.doubt
WHERE importer = '*' AND mineral = '*' AND horizon_days = $horizon_days AND regime = $regime
"""
_LISTS: Final = {
    "stale": (_STALE, ("horizon_days", "regime", "as_of", "known_at", "country", "stale_days")),
    "contradicted": (_CONTRADICTED, ("horizon_days", "regime", "apart")),
    "weak": (_WEAK, ("horizon_days", "regime", "as_of", "known_at", "country")),
    "worth finding out": (_DOUBT, ("horizon_days", "regime")),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at.

    Attributes:
        what: the row or fact.
        why: state, grade or spread.
        since: day of the newest row; empty where that means nothing.
        source: title or ids of its sources.
        usd: expected missing money of the minerals that it bears on or, of a doubt, by how much the range of the money
            would narrow (USD); None where no money is known.
    """

    what: str
    why: str
    since: str
    source: str
    usd: float | None


def review(reader: Reader, *, stale_days: int, top: int) -> dict[str, list[Finding]]:
    """Return the findings of a published file by list, most money first.

    Args:
        reader: the published file.
        stale_days: a state of a measure that nobody has confirmed for longer is stale.
        top: most findings of a list.
    """
    run = reader.query("SELECT as_of, known_at, curbing_country FROM meta.run").row(0, named=True)
    asked: dict[str, Any] = {
        "horizon_days": MAIN_HORIZON, "regime": MAIN_REGIME, "as_of": run["as_of"], "known_at": run["known_at"],
        "country": run["curbing_country"], "stale_days": stale_days, "apart": _APART_SHARE,
    }  # fmt: skip
    found = {}
    for name, (query, needs) in _LISTS.items():
        rows = reader.query(
            f"SELECT what, why, since, source, usd FROM ({query}) ORDER BY usd DESC NULLS LAST, what LIMIT {int(top)}",
            {key: asked[key] for key in needs},
        )
        found[name] = [Finding(w, y or "", s or "", c or "", usd) for w, y, s, c, usd in rows.iter_rows()]
    return found


def as_lines(found: dict[str, list[Finding]]) -> list[str]:
    """Return the findings as text."""
    lines = []
    for name, findings in found.items():
        lines.append(f"{name.capitalize()}:")
        lines += [
            f"  {_money(one.usd):>12}  {one.what}: {one.why}{f', known {one.since}' if one.since else ''}"
            for one in findings
        ]
        if not findings:
            lines.append("  nothing")
    return lines


def _money(usd: float | None) -> str:
    return "no money" if usd is None else f"{usd / 1e6:,.1f} M USD"
