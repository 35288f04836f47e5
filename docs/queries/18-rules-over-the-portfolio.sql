-- Which rules add or remove most points over the whole portfolio?
-- Read: points over all importers and chains under today's law at one year; points_by_tonnes is the mean over the
-- cells (importer and chain) in which the rule has a part, weighted by imports.
-- Limits: sums of scores rank rules; they do not measure an amount. Terms of the model's own steps have no rule.
SELECT
    c.step, c.step_name, c.rule_id, r.title, count(*) AS cells,
    round(sum(c.points), 1) AS points,
    round(sum(c.points * s.import_t) / sum(s.import_t), 2) AS points_by_tonnes,
    round(min(c.points), 1) AS lowest, round(max(c.points), 1) AS highest
FROM mart.importer_contribution c
JOIN mart.importer_score s USING (mineral, stage, importer, horizon_days)
LEFT JOIN meta.rule r USING (rule_id)
WHERE c.regime = 'active' AND c.horizon_days = 365 AND c.points <> 0
GROUP BY ALL
ORDER BY abs(sum(c.points)) DESC, c.step, c.rule_id;
