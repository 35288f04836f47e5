-- Which curbed goods are not scored, and why?
-- Read: every item of every measure is in mart.measure_coverage; reason says why none of its routes has a score.
-- Limits: "no trade in the facts" may mean that the facts have no trade under its codes, not that none exists.
SELECT
    m.curbing_country,
    c.reason,
    count(*) AS items,
    count(DISTINCT c.measure_id) AS measures, count(DISTINCT c.mineral) AS minerals,
    count(*) FILTER (c.hs6 IS NOT NULL) AS items_with_codes,
    min(c.item_id) AS for_example
FROM mart.measure_coverage c
JOIN core.measures m USING (measure_id)
WHERE c.reason IS NOT NULL
GROUP BY ALL
ORDER BY items DESC, m.curbing_country, reason;
