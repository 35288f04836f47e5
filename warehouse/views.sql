-- Long views over the wide waterfalls. Points are stored wide (one column per term), and sentences are made when read.
-- A term that moves nothing on a route is left out. The rule of a law term is the one that this route's buyer meets; terms of other steps carry their own.
CREATE VIEW mart.contribution AS
WITH
long AS (
    SELECT
        mineral, stage, exporter, importer, horizon_days, regime, term, points,
        alternatives_rule_id, substitution_rule_id, stock_days_rule_id
    FROM (UNPIVOT mart.contribution_wide ON COLUMNS('^t[0-9]+$') INTO NAME term VALUE points)
    WHERE abs(points) > 1e-12
),
met AS (
    SELECT
        mineral, flow_stage, flow_exporter, flow_importer, horizon_days, regime, measure_id, clause,
        arg_max(rule_id, withheld_share_best) AS rule_id
    FROM mart.flow_measure
    GROUP BY ALL
)
SELECT
    w.mineral, w.stage, w.exporter, w.importer, w.horizon_days, w.regime,
    t.step, t.step_name,
    CASE t.step
        WHEN 'S4' THEN w.alternatives_rule_id
        WHEN 'S5' THEN w.substitution_rule_id
        WHEN 'S6' THEN w.stock_days_rule_id
        ELSE coalesce(m.rule_id, t.rule_id)
    END AS rule_id,
    t.measure_id, t.clause, t.term_stage, t.flow_exporter, t.pledge_id,
    w.points, t.source_ids, t.sort_order, w.term
FROM long w
JOIN mart.contribution_term t USING (mineral, term)
LEFT JOIN met m
    ON m.mineral = w.mineral
    AND m.flow_stage = t.term_stage
    AND m.horizon_days = w.horizon_days
    AND m.regime = w.regime
    AND m.measure_id = t.measure_id
    AND m.clause = t.clause
    AND m.flow_importer = CASE WHEN w.exporter = m.flow_exporter THEN w.importer ELSE w.exporter END;

CREATE VIEW mart.importer_contribution AS
SELECT
    w.mineral, w.stage, w.importer, w.horizon_days, w.regime,
    t.step, t.step_name,
    CASE t.step
        WHEN 'S4' THEN w.alternatives_rule_id
        WHEN 'S5' THEN w.substitution_rule_id
        WHEN 'S6' THEN w.stock_days_rule_id
        ELSE t.rule_id
    END AS rule_id,
    t.measure_id, t.clause, t.term_stage, t.flow_exporter, t.pledge_id,
    w.points, t.source_ids, t.sort_order, w.term
FROM (
    SELECT
        mineral, stage, importer, horizon_days, regime, term, points,
        alternatives_rule_id, substitution_rule_id, stock_days_rule_id
    FROM (UNPIVOT mart.importer_contribution_wide ON COLUMNS('^t[0-9]+$') INTO NAME term VALUE points)
    WHERE abs(points) > 1e-12
) w
JOIN mart.contribution_term t USING (mineral, term);

-- A route's measures: on its own lane, on flows into its exporter at this stage or before, and on its goods' way.
CREATE VIEW mart.route_measure AS
WITH lane AS (
    SELECT r.mineral, r.stage, r.exporter, r.importer, r.horizon_days, r.curbing_country, c.stage_order
    FROM mart.route_score r JOIN core.chains c USING (mineral, stage)
)
SELECT l.mineral, l.stage, l.exporter, l.importer, f.* EXCLUDE (mineral)
FROM lane l
JOIN mart.flow_measure f
    ON f.mineral = l.mineral AND f.horizon_days = l.horizon_days AND f.flow_importer = l.importer
    AND f.flow_stage = l.stage AND f.flow_exporter = l.exporter AND NOT f.is_extraterritorial
UNION ALL
SELECT l.mineral, l.stage, l.exporter, l.importer, f.* EXCLUDE (mineral)
FROM lane l
JOIN mart.flow_measure f
    ON f.mineral = l.mineral AND f.horizon_days = l.horizon_days AND f.flow_importer = l.exporter
    AND NOT f.is_extraterritorial
JOIN core.chains c ON c.mineral = f.mineral AND c.stage = f.flow_stage AND c.stage_order <= l.stage_order
WHERE l.exporter <> l.curbing_country
UNION ALL
SELECT l.mineral, l.stage, l.exporter, l.importer, f.* EXCLUDE (mineral)
FROM lane l
JOIN mart.flow_measure f
    ON f.mineral = l.mineral AND f.horizon_days = l.horizon_days AND f.flow_importer = l.importer
    AND f.flow_stage = l.stage AND f.is_extraterritorial
WHERE l.exporter <> l.curbing_country;

CREATE VIEW mart.contribution_sentence AS
SELECT
    c.*,
    replace(
        regexp_replace(
            regexp_replace(
                regexp_replace(
                    regexp_replace(
                        regexp_replace(t.explain, '\{mineral(:[a-z]+)?\}', replace(c.mineral, '_', ' '), 'g'),
                        '\{stage(:[a-z]+)?\}', c.stage, 'g'
                    ),
                    '\{exporter(:[a-z]+)?\}', c.exporter, 'g'
                ),
                '\{importer(:[a-z]+)?\}', c.importer, 'g'
            ),
            '\{horizon_days(:[a-z]+)?\}', c.horizon_days::VARCHAR, 'g'
        ),
        '{points}', printf('%+.1f', c.points)
    ) AS sentence
FROM mart.contribution c
JOIN mart.contribution_term t USING (mineral, term);

CREATE VIEW meta.source AS SELECT * FROM core.sources;
