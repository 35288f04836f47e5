-- What are China's exports by code, and which mineral does each code represent?
-- Read: USD and gross tonnes per code and year; share_best is the share of the code that is this mineral, for lanes
-- without a separate row.
-- Limits: gross weight of goods, not content. A code with several minerals appears once for each.
SELECT
    t.hs6, t.hs_revision, h.mineral, h.stage, h.trade_basis, h.share_best, h.share_of, t.year,
    count(*) AS lanes, round(sum(t.value_usd) / 1e6, 1) AS usd_million, round(sum(t.quantity_t)) AS gross_t,
    bool_and(t.is_complete) AS is_complete
FROM trade_at(DATE '2026-11-23', DATE '2026-11-23') t
JOIN core.hs_codes h ON h.hs6 = t.hs6 AND h.hs_revision = t.hs_revision AND h.exporter = '*' AND h.importer = '*'
    AND t.year BETWEEN coalesce(h.year_from, t.year) AND coalesce(h.year_to, t.year)
WHERE t.exporter = 'CHN' AND t.year >= 2022
GROUP BY ALL
ORDER BY t.hs6, t.hs_revision, h.mineral, h.stage, t.year;
