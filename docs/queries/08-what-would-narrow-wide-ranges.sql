-- Which inputs would narrow the open scores most?
-- Read: narrowed_by names the group of inputs that explains most of the variance of a route's missing share; the
-- spread is between the tenth and the ninetieth percentile, in percentage points of tonnes.
-- Limits: only routes of which no band holds half of the draws (confidence `open`); one group is named even if two
-- matter alike.
SELECT
    narrowed_by, count(*) AS routes, count(DISTINCT mineral) AS minerals,
    round(sum(route_usd) / 1e6) AS route_usd_million,
    round(100 * median(active_missing_share_p90 - active_missing_share_p10), 1) AS median_spread,
    arg_max(mineral || ' ' || stage || ' ' || exporter || '-' || importer, route_usd) AS largest_route
FROM mart.route_score
WHERE horizon_days = 365 AND active_confidence = 'open'
GROUP BY narrowed_by
ORDER BY route_usd_million DESC NULLS LAST, narrowed_by;
