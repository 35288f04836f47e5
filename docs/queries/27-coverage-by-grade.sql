-- How much is scored, by how well trade and production agree?
-- Read: a grade belongs to a mineral and stage; tonnes and dollars are those of the baseline year, summed over routes.
-- Limits: tonnes of different minerals are added up only to show size; a good grade can rest on a judged production
-- row (query 16 and core.production say which).
SELECT
    r.grade,
    count(DISTINCT s.mineral) AS minerals,
    count(DISTINCT (s.mineral, s.stage)) AS stages,
    count(*) AS routes,
    round(sum(s.route_t)) AS route_t,
    round(sum(s.route_usd)) AS route_usd
FROM mart.route_score s
JOIN mart.reconciliation r USING (mineral, stage)
WHERE s.horizon_days = 365
GROUP BY r.grade
ORDER BY routes DESC;
