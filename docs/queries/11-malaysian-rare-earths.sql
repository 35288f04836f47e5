-- How large are Malaysia's rare earths: 16.1 million tonnes, or 0.71?
-- Read: both are kept as claims. 16.1 Mt is a resource (rock in place, according to ministers); 0.71 Mt is what USGS
-- counts as reserves.
-- Limits: the two kinds are never mixed in one range. Statements keep the words and units of their sources.
SELECT
    'reserves table' AS told_in, claim_kind AS what, reserves_t_best / 1e6 AS million_t, r.year::VARCHAR AS said_for,
    s.grade, s.publisher, source_id, r.known_from
FROM reserves_at(DATE '2026-11-23', DATE '2026-11-23') r
JOIN core.sources s USING (source_id)
WHERE r.country = 'MYS' AND r.mineral = 'rare_earths'
UNION ALL
SELECT
    'statement', t.predicate, try_cast(t.value AS DOUBLE), t.stated_on::VARCHAR, s.grade, s.publisher, source_id,
    t.known_from
FROM core.statements t
JOIN core.sources s USING (source_id)
WHERE t.subject = 'MYS rare earths'
ORDER BY told_in, what, known_from;
