-- What could be produced outside China within 90 days, a year and five years?
-- Read: tonnes a year that can be added by each horizon, in the likeliest case and times the share that open buyers
-- may get.
-- Limits: judgements from company and trade reports. Magnets appear as ndfeb_magnets and again by element, so never
-- add minerals up. Sites without any figure are counted as sites, not in tonnes.
SELECT
    mineral, stage, count(*) AS sites, count(DISTINCT country) AS countries,
    round(sum(add_90_t_best), 1) AS add_90_t, round(sum(add_365_t_best), 1) AS add_365_t,
    round(sum(add_1825_t_best), 1) AS add_1825_t,
    round(sum(add_365_t_best * access_share_best), 1) AS open_365_t,
    round(sum(add_1825_t_best * access_share_best), 1) AS open_1825_t,
    string_agg(DISTINCT country, '; ' ORDER BY country) AS country_list
FROM core.capacity
WHERE country <> 'CHN' AND known_from <= DATE '2026-11-23' AND coalesce(valid_to > DATE '2026-11-23', true)
GROUP BY mineral, stage
ORDER BY open_1825_t DESC NULLS LAST, mineral, stage;
