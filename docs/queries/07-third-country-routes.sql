-- Which routes that never touch China do its curbs still hit?
-- Read: flow_stage, flow_exporter and flow_importer say which flow the measure hits; withheld_share_best is its share
-- of that flow.
-- Limits: touched_share_best is attributed from trade totals (proportional mixing), not traced from firm to firm.
SELECT
    s.route_usd::BIGINT AS route_usd, r.mineral, r.stage, r.exporter, r.importer, round(s.active, 1) AS active,
    round(s.touched_share_best, 3) AS touched_share_best,
    r.flow_stage, r.flow_exporter, r.flow_importer, r.measure_id, r.clause, r.state,
    round(max(r.withheld_share_best), 3) AS withheld_share_best
FROM mart.route_measure r
JOIN mart.route_score s USING (mineral, stage, exporter, importer, horizon_days)
WHERE r.horizon_days = 365 AND r.regime = 'active' AND r.exporter <> 'CHN' AND r.importer <> 'CHN'
    AND r.flow_exporter = 'CHN' AND NOT r.is_extraterritorial AND r.withheld_share_best > 0 AND s.active >= 20
GROUP BY ALL
ORDER BY route_usd DESC NULLS LAST, r.mineral, r.stage, r.exporter, r.importer, r.flow_stage, r.measure_id, r.clause
LIMIT 50;
