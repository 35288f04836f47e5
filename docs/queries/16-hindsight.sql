-- Which figures published later would a run for 1 November 2025 use?
-- Read: is_hindsight marks the earliest figure where none was known by then; a latest_year after 2025 is a forecast
-- that was already known. Law, pledges and trade never look ahead.
-- Limits: this file contains what was known on its own known_at. `curbline run --strict-knowledge` refuses such
-- figures.
SELECT
    'production' AS told_in, mineral, stage, count(*) FILTER (is_hindsight) AS hindsight_rows, count(*) AS all_rows,
    min(known_from) FILTER (is_hindsight) AS first_known, max(year) FILTER (is_hindsight) AS latest_year,
    string_agg(DISTINCT source_id, '; ' ORDER BY source_id) FILTER (is_hindsight) AS sources
FROM production_at(DATE '2025-11-01', DATE '2025-11-01')
GROUP BY mineral, stage
HAVING count(*) FILTER (is_hindsight) > 0
UNION ALL
SELECT
    'reserves', mineral, 'mined', count(*) FILTER (is_hindsight), count(*),
    min(known_from) FILTER (is_hindsight), max(year) FILTER (is_hindsight),
    string_agg(DISTINCT source_id, '; ' ORDER BY source_id) FILTER (is_hindsight)
FROM reserves_at(DATE '2025-11-01', DATE '2025-11-01')
GROUP BY mineral
HAVING count(*) FILTER (is_hindsight) > 0
ORDER BY told_in, mineral, stage;
