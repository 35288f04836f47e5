-- Why does refined gallium from China to the United States have its score?
-- Read: points from top to bottom sum to the score (last column, the same on every row). A negative term reduces risk:
-- S0 is a full stop, the first S1 term removes it, and the measures then add what the law withholds. Terms without
-- weight are omitted.
-- Limits: the split between terms of one step depends on the order in which rules were swapped; the sum does not.
SELECT
    c.step, c.step_name, round(c.points, 2) AS points, c.rule_id, c.measure_id, c.clause, c.pledge_id, c.sentence,
    c.source_ids, sum(c.points) OVER () AS points_sum, s.active AS score
FROM mart.contribution_sentence c
JOIN mart.route_score s USING (mineral, stage, exporter, importer, horizon_days)
WHERE c.mineral = 'gallium' AND c.stage = 'refined' AND c.exporter = 'CHN' AND c.importer = 'USA'
    AND c.horizon_days = 365 AND c.regime = 'active' AND abs(c.points) > 1e-9
ORDER BY c.step, c.sort_order, c.term;
