-- Which input would narrow the wide scores most, and how much trade stands behind it?
-- Read: narrowed_by names the group of inputs whose spread drives the likely range of a route; spread is in points of score.
-- Limits: only routes whose likely range spans three bands or more (confidence `wide`); one group is named even if two
-- matter alike.
SELECT
    narrowed_by, count(*) AS routes, count(DISTINCT mineral) AS minerals, round(sum(route_usd) / 1e6) AS route_usd_million,
    round(median(active_likely_high - active_likely_low), 1) AS median_spread,
    arg_max(mineral || ' ' || stage || ' ' || exporter || '-' || importer, route_usd) AS largest_route
FROM mart.route_score
WHERE horizon_days = 365 AND active_confidence = 'wide'
GROUP BY narrowed_by
ORDER BY route_usd_million DESC NULLS LAST, narrowed_by;
