-- Which measures are unverified on 23 November 2026, and what do they hit?
-- Read: lapsed_unverified since valid_from means that a stated term ended then and no source says what followed;
-- days_open counts from that day.
-- Limits: it is neither "in force" nor "gone". The active regime gives it a separate weight; snapback treats it as in
-- force.
SELECT
    a.measure_id, m.notice, a.clause, a.state, a.valid_from, DATE '2026-11-23' - a.valid_from AS days_open,
    m.curbing_country, m.instrument, a.destination, a.scope,
    count(DISTINCT i.mineral) AS minerals,
    string_agg(DISTINCT i.mineral, '; ' ORDER BY i.mineral) AS mineral_list,
    a.source_id
FROM measures_at(DATE '2026-11-23', DATE '2026-11-23') a
JOIN core.measures m USING (measure_id)
LEFT JOIN core.measure_items i USING (measure_id)
WHERE a.state IN ('lapsed_unverified', 'unknown')
GROUP BY ALL
ORDER BY m.curbing_country, a.valid_from DESC, a.measure_id, a.clause, a.destination;
