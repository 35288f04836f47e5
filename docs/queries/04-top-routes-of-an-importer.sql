-- Which of Germany's supply routes score highest over the next year?
-- Read: `active` is the score under today's law; low and high bound it. Change importer and horizon_days (90, 365,
-- 1825) as you need.
-- Limits: tonnes and USD are those of the baseline year (the last full year before the first curb). Read the flags
-- before quoting.
SELECT
    mineral, stage, exporter, importer, round(active, 1) AS active, active_band, active_confidence,
    round(active_expected_missing_share, 3) AS expected_missing_share,
    round(active_low, 1) AS active_low, round(active_high, 1) AS active_high,
    round(snapback, 1) AS snapback, round(route_t, 3) AS route_t, route_usd::BIGINT AS route_usd,
    round(dependence_share, 3) AS dependence_share, flags
FROM mart.route_score s
WHERE importer = 'DEU' AND horizon_days = 365 AND route_usd >= 100000
ORDER BY s.active DESC NULLS LAST, mineral, stage, exporter
LIMIT 25;
