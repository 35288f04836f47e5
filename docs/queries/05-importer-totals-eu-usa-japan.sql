-- How do the EU27, the United States and Japan compare by mineral over a year?
-- Read: one row per mineral and stage; each cell is the importer's score over all its suppliers and its own
-- production.
-- Limits: the EU27 is one importer here; trade within it is left out. An empty cell means no imports or no score,
-- never zero risk.
SELECT
    mineral, stage,
    round(max(active) FILTER (importer = 'EU27'), 1) AS eu27_active,
    round(max(active) FILTER (importer = 'USA'), 1) AS usa_active,
    round(max(active) FILTER (importer = 'JPN'), 1) AS jpn_active,
    round(max(snapback) FILTER (importer = 'EU27'), 1) AS eu27_snapback,
    round(max(snapback) FILTER (importer = 'USA'), 1) AS usa_snapback,
    round(max(snapback) FILTER (importer = 'JPN'), 1) AS jpn_snapback,
    any_value(reconciliation) AS reconciliation
FROM mart.importer_score
WHERE horizon_days = 365 AND importer IN ('EU27', 'USA', 'JPN')
GROUP BY mineral, stage
ORDER BY greatest(coalesce(eu27_active, 0), coalesce(usa_active, 0), coalesce(jpn_active, 0)) DESC, mineral, stage;
