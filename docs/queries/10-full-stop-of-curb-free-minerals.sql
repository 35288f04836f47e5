-- Which minerals without a Chinese curb would run short in a full stop?
-- Read: routes from China with an active score of 0, by mineral and stage; full_stop is weighted by route value.
-- Limits: a full stop is a stress test, not a forecast. Cobalt's own curb is Congo's quota: run `curbline run
-- --curbing-country COD` for it.
SELECT
    mineral, stage, count(*) AS routes, round(sum(route_usd) / 1e6, 1) AS route_usd_million, max(active) AS active_max,
    round(sum(full_stop * route_usd) / sum(route_usd), 1) AS full_stop_weighted,
    arg_max(importer, route_usd) AS largest_importer, arg_max(full_stop_band, route_usd) AS band_of_largest
FROM mart.route_score
WHERE horizon_days = 365 AND exporter = 'CHN' AND route_usd > 0
GROUP BY mineral, stage
HAVING max(active) = 0
ORDER BY route_usd_million DESC, mineral, stage;
