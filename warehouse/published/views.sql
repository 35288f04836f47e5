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
        mineral, flow_stage, flow_exporter, flow_importer, horizon_days, regime, measure_id, clause, is_extraterritorial,
        arg_max(rule_id, withheld_share_best) AS rule_id,
        sum(withheld_share_best) AS withheld_share_best
    FROM mart.flow_measure
    GROUP BY ALL
)
SELECT
    w.mineral, w.stage, w.exporter, w.importer, w.horizon_days, w.regime,
    t.step, t.step_name,
    CASE s.response
        WHEN 'alternatives' THEN w.alternatives_rule_id
        WHEN 'substitution' THEN w.substitution_rule_id
        WHEN 'stock_days' THEN w.stock_days_rule_id
        ELSE coalesce(m.rule_id, t.rule_id)
    END AS rule_id,
    t.measure_id, t.clause, t.term_stage, t.flow_exporter, t.pledge_id,
    w.points, t.source_ids, t.sort_order, w.term,
    m.flow_importer, m.withheld_share_best
FROM long w
JOIN mart.contribution_term t USING (mineral, term)
JOIN mart.waterfall_step s ON s.step = t.step
-- The flow that the measure hits on this route, if it is one flow: the route's own, one into its exporter, or its goods'.
LEFT JOIN met m
    ON m.mineral = w.mineral
    AND m.flow_stage = t.term_stage
    AND m.horizon_days = w.horizon_days
    AND m.regime = w.regime
    AND m.measure_id = t.measure_id
    AND m.clause = t.clause
    AND m.flow_exporter = t.flow_exporter
    AND m.is_extraterritorial = s.is_extraterritorial
    AND m.flow_importer = CASE
        WHEN NOT s.is_extraterritorial AND w.exporter <> t.flow_exporter THEN w.exporter
        WHEN s.is_extraterritorial <> (w.exporter = t.flow_exporter) AND t.term_stage = w.stage THEN w.importer
    END;

CREATE VIEW mart.importer_contribution AS
SELECT
    w.mineral, w.stage, w.importer, w.horizon_days, w.regime,
    t.step, t.step_name,
    CASE s.response
        WHEN 'alternatives' THEN w.alternatives_rule_id
        WHEN 'substitution' THEN w.substitution_rule_id
        WHEN 'stock_days' THEN w.stock_days_rule_id
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
JOIN mart.contribution_term t USING (mineral, term)
JOIN mart.waterfall_step s ON s.step = t.step;

-- What a route is expected to go short of within the horizon: tonnes and money are a year's, taken to the horizon's
-- length. A route without a score keeps its row, with empty figures.
CREATE VIEW mart.route_missing AS
WITH long AS (
    SELECT *, route_t * horizon_days / 365 AS traded_t, route_usd * horizon_days / 365 AS traded_usd
    FROM mart.route_score
    UNPIVOT INCLUDE NULLS (
        (band, confidence, chance_of_shortage, expected_missing_share, missing_share_p10, missing_share_p90,
         missing_trade_share_p10, missing_trade_share_p90)
        FOR regime IN (
            (active_band, active_confidence, active_chance_of_shortage, active_expected_missing_share,
             active_missing_share_p10, active_missing_share_p90,
             active_missing_trade_share_p10, active_missing_trade_share_p90) AS 'active',
            (snapback_band, snapback_confidence, snapback_chance_of_shortage, snapback_expected_missing_share,
             snapback_missing_share_p10, snapback_missing_share_p90,
             snapback_missing_trade_share_p10, snapback_missing_trade_share_p90) AS 'snapback',
            (full_stop_band, full_stop_confidence, full_stop_chance_of_shortage, full_stop_expected_missing_share,
             full_stop_missing_share_p10, full_stop_missing_share_p90,
             full_stop_missing_trade_share_p10, full_stop_missing_trade_share_p90) AS 'full_stop'
        )
    )
)
SELECT
    mineral, stage, exporter, importer, horizon_days, regime, listing, band, confidence, chance_of_shortage,
    expected_missing_share, missing_share_p10, missing_share_p90,
    expected_missing_share * horizon_days AS days_missing,
    traded_t,
    expected_missing_share * traded_t AS expected_missing_t,
    -- Where the mineral's part of its codes is uncertain, so are the tonnes and the money of the lane.
    coalesce(missing_trade_share_p10, missing_share_p10) * traded_t AS missing_t_p10,
    coalesce(missing_trade_share_p90, missing_share_p90) * traded_t AS missing_t_p90,
    traded_usd,
    expected_missing_share * traded_usd AS expected_missing_usd,
    coalesce(missing_trade_share_p10, missing_share_p10) * traded_usd AS missing_usd_p10,
    coalesce(missing_trade_share_p90, missing_share_p90) * traded_usd AS missing_usd_p90
FROM long;

-- What a list of lanes shows: those that customs statistics cannot mean are one lane of each pair of countries.
CREATE VIEW mart.lane AS
SELECT
    mineral, stage, exporter, importer, horizon_days, regime, listing, 1::BIGINT AS lane_count,
    expected_missing_share, missing_share_p10, missing_share_p90,
    traded_t, expected_missing_t, traded_usd, expected_missing_usd, missing_usd_p10, missing_usd_p90
FROM mart.route_missing
WHERE listing <> 'rest'
UNION ALL
SELECT
    'REST', '*', exporter, importer, horizon_days, regime, 'rest', count(*)::BIGINT,
    sum(expected_missing_t) / sum(traded_t), NULL, NULL,
    sum(traded_t), sum(expected_missing_t), sum(traded_usd), sum(expected_missing_usd), NULL, NULL
FROM mart.route_missing
WHERE listing = 'rest'
GROUP BY exporter, importer, horizon_days, regime;

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

-- What `curbline explain` and the workbooks print. A rule speaks for the flow that its measure hits on the route, and
-- says so where that is not the route itself; every other term has its own sentence. A template with a place that has
-- no value here gives way to a plain sentence.
CREATE VIEW mart.contribution_sentence AS
WITH
told AS (
    SELECT
        c.*,
        t.notice,
        c.withheld_share_best IS NOT NULL AS has_flow,
        replace(c.mineral, '_', ' ') AS said_mineral,
        CASE WHEN has_flow THEN c.term_stage ELSE c.stage END AS said_stage,
        CASE WHEN has_flow THEN c.flow_exporter ELSE c.exporter END AS said_exporter,
        CASE WHEN has_flow THEN c.flow_importer ELSE c.importer END AS said_importer,
        coalesce(printf('%.0f %%', 100 * c.withheld_share_best), '') AS said_share,
        CASE WHEN has_flow THEN r.sentence ELSE t.explain END AS template
    FROM mart.contribution c
    JOIN mart.contribution_term t USING (mineral, term)
    LEFT JOIN meta.rule r ON r.rule_id = c.rule_id
),
filled AS (
    SELECT
        *,
        regexp_replace(template, '\{(withheld|extraterritorial|reroute):percent\}', said_share, 'g')
            .replace('{mineral}', said_mineral)
            .replace('{stage}', said_stage)
            .replace('{exporter}', said_exporter)
            .replace('{importer}', said_importer)
            .replace('{horizon_days}', horizon_days::VARCHAR)
            .replace('{horizon_days:days}', horizon_days || ' days')
            .replace('{curbing_country}', coalesce(flow_exporter, ''))
            .replace('{notice}', coalesce(notice, ''))
            .replace('{points}', printf('%+.1f', points)) AS full_text
    FROM told
)
SELECT
    * EXCLUDE (
        notice, has_flow, said_mineral, said_stage, said_exporter, said_importer, said_share, template, full_text, plain_text
    ),
    CASE
        WHEN NOT has_flow OR (said_stage, said_exporter, said_importer) = (stage, exporter, importer) THEN plain_text
        ELSE concat(rtrim(plain_text, '.'), ' (at the ', said_stage, ' stage, ', said_exporter, ' → ', said_importer, ').')
    END AS sentence
FROM (
    SELECT
        *,
        CASE
            WHEN has_flow AND (full_text IS NULL OR contains(full_text, '{')) THEN
                concat(
                    notice, ' is expected to withhold ', said_share, ' of ', said_stage, ' ', said_mineral,
                    ' on the way from ', said_exporter, ' to ', said_importer, '.'
                )
            ELSE full_text
        END AS plain_text
    FROM filled
);

CREATE VIEW mart.importer_contribution_sentence AS
SELECT
    c.*,
    t.explain
        .replace('{mineral}', replace(c.mineral, '_', ' '))
        .replace('{points}', printf('%+.1f', c.points)) AS sentence
FROM mart.importer_contribution c
JOIN mart.contribution_term t USING (mineral, term);

CREATE VIEW meta.source AS SELECT * FROM core.sources;

-- Published shares of imports beside those of the trade codes: the newest edition of each publisher, the same years as far
-- as trade is on hand. Edges of the grade are those of mart.reconciliation.
CREATE VIEW mart.import_share_check AS
WITH
published AS (
    SELECT i.*, s.publisher
    FROM core.import_shares i JOIN core.sources s USING (source_id)
    QUALIFY rank() OVER (
        PARTITION BY s.publisher, i.mineral, i.form, i.importer ORDER BY i.year_to DESC, i.known_from DESC, i.source_id
    ) = 1
),
good AS (SELECT DISTINCT publisher, mineral, form, importer, year_from, year_to FROM published),
code AS (
    SELECT * FROM core.import_share_codes
    QUALIFY rank() OVER (PARTITION BY mineral, form ORDER BY known_from DESC) = 1
),
compared AS (
    SELECT mineral, form, list(hs6 ORDER BY hs6) FILTER (hs6 IS NOT NULL) AS hs6_list, any_value(reason) AS reason, any_value(note) AS note
    FROM code
    GROUP BY mineral, form
),
content AS (
    SELECT h.hs6, h.hs_revision, h.mineral, max(c.content_share_best) AS content_share
    FROM core.hs_codes h JOIN core.conversions c USING (conversion_id)
    WHERE h.exporter = '*' AND h.importer = '*' AND h.share_best > 0
    GROUP BY ALL
),
flow AS (
    SELECT t.*
    FROM core.trade t JOIN core.sources s USING (source_id)
    SEMI JOIN code USING (hs6, hs_revision)
    SEMI JOIN published p ON p.importer = t.importer
    QUALIFY row_number() OVER (
        PARTITION BY t.year, t.exporter, t.importer, t.hs6, t.hs_revision ORDER BY t.known_from DESC, s.grade, t.source_id
    ) = 1
),
lane AS (
    SELECT
        g.publisher, g.mineral, g.form, g.importer, f.exporter, f.year,
        f.value_usd AS usd,
        f.quantity_t * coalesce(n.content_share, 1) AS t
    FROM good g
    JOIN code c USING (mineral, form)
    JOIN flow f
        ON f.hs6 = c.hs6 AND f.hs_revision = c.hs_revision AND f.importer = g.importer
        AND f.year BETWEEN g.year_from AND g.year_to
    LEFT JOIN content n ON n.hs6 = c.hs6 AND n.hs_revision = c.hs_revision AND n.mineral = g.mineral
),
whole AS (
    SELECT
        publisher, mineral, form, importer,
        sum(usd) AS usd, sum(t) AS t,
        bool_and(usd IS NOT NULL) AS has_usd,
        bool_and(t IS NOT NULL)
            OR coalesce(has_usd AND sum(usd) FILTER (t IS NOT NULL) >= 0.95 * sum(usd), false) AS has_t,
        concat_ws('-', min(year), nullif(max(year), min(year))) AS years
    FROM lane
    GROUP BY ALL
),
ours AS (
    SELECT
        l.publisher, l.mineral, l.form, l.importer, coalesce(p.exporter, 'OTH') AS exporter,
        CASE
            WHEN any_value(w.has_t) THEN coalesce(sum(l.t), 0) / any_value(w.t)
            WHEN any_value(w.has_usd) THEN sum(l.usd) / any_value(w.usd)
        END AS trade_share
    FROM lane l
    JOIN whole w USING (publisher, mineral, form, importer)
    LEFT JOIN published p USING (publisher, mineral, form, importer, exporter)
    GROUP BY ALL
),
paired AS (
    SELECT
        publisher, mineral, form, importer, exporter, p.import_share AS published_share, o.trade_share,
        p.note AS published_note
    FROM published p FULL JOIN ours o USING (publisher, mineral, form, importer, exporter)
),
measured AS (
    SELECT
        p.publisher, p.mineral, p.form, p.importer, p.exporter,
        g.year_from, g.year_to, w.years AS trade_years, c.hs6_list,
        CASE WHEN w.has_t THEN 'tonnes of content' WHEN w.has_usd THEN 'USD' END AS share_basis,
        -- An origin that a publisher does not name, and a rest that it does not state, is what is left of the whole.
        coalesce(p.published_share, 0) AS published_share,
        CASE WHEN w.has_t OR w.has_usd THEN coalesce(p.trade_share, 0) END AS trade_share,
        concat_ws('; ', p.published_note, c.note) AS remark,
        CASE
            WHEN c.mineral IS NULL THEN 'no row of core.import_share_codes says which code holds this good'
            WHEN c.reason IS NULL AND w.years IS NULL THEN 'no trade of these years is on hand'
            WHEN c.reason IS NULL AND NOT (w.has_t OR w.has_usd) THEN 'some flows have no value and some no tonnes'
            ELSE c.reason
        END AS not_compared_because
    FROM paired p
    JOIN good g USING (publisher, mineral, form, importer)
    LEFT JOIN whole w USING (publisher, mineral, form, importer)
    LEFT JOIN compared c USING (mineral, form)
)
SELECT
    publisher, mineral, form, importer, exporter, year_from, year_to, trade_years, hs6_list, share_basis,
    published_share, trade_share,
    100 * (trade_share - published_share) AS difference_points,
    sum(abs(trade_share - published_share)) OVER good_of / 2 AS apart_share,
    CASE
        WHEN trade_share IS NULL THEN 'not compared'
        WHEN apart_share < 0.1 THEN 'good'
        WHEN apart_share < 0.25 THEN 'fair'
        WHEN apart_share < 0.5 THEN 'weak'
        ELSE 'insufficient'
    END AS grade,
    not_compared_because,
    nullif(remark, '') AS remark
FROM measured
WINDOW good_of AS (PARTITION BY publisher, mineral, form, importer)
ORDER BY mineral, form, importer, publisher, exporter = 'OTH', published_share DESC, exporter;

-- The same for goods whose code holds others too: what the split of the code attributes to each origin. Routes carry the
-- tonnes; every horizon has the same.
CREATE VIEW mart.bundle_share_check AS
WITH
good AS (
    SELECT DISTINCT c.publisher, c.mineral, c.form, k.stage, c.importer, c.year_from, c.year_to
    FROM mart.import_share_check c
    JOIN (
        SELECT mineral, form, stage FROM core.import_share_codes
        QUALIFY rank() OVER (PARTITION BY mineral, form ORDER BY known_from DESC) = 1
    ) k USING (mineral, form)
    WHERE c.hs6_list IS NULL AND k.stage IS NOT NULL
),
published AS (
    SELECT publisher, mineral, form, importer, exporter, published_share
    FROM mart.import_share_check SEMI JOIN good USING (publisher, mineral, form, importer)
),
lane AS (
    SELECT g.*, r.exporter, r.latest_t AS t, r.trade_year
    FROM good g
    JOIN mart.route_score r USING (mineral, stage, importer)
    WHERE r.exporter <> r.importer AND r.latest_t > 0
        AND r.horizon_days = (SELECT min(horizon_days) FROM mart.route_score)
),
ours AS (
    SELECT
        publisher, mineral, form, importer, coalesce(p.exporter, 'OTH') AS exporter, max(l.trade_year) AS trade_year,
        sum(l.t) AS t
    FROM lane l
    LEFT JOIN published p USING (publisher, mineral, form, importer, exporter)
    GROUP BY ALL
),
paired AS (
    SELECT
        publisher, mineral, form, g.stage, importer, exporter, g.year_from, g.year_to,
        max(o.trade_year) OVER good_of AS trade_year,
        coalesce(p.published_share, 0) AS published_share,
        coalesce(o.t, 0) / sum(o.t) OVER good_of AS attributed_share
    FROM published p
    FULL JOIN ours o USING (publisher, mineral, form, importer, exporter)
    JOIN good g USING (publisher, mineral, form, importer)
    WINDOW good_of AS (PARTITION BY publisher, mineral, form, importer)
)
SELECT
    *,
    100 * (attributed_share - published_share) AS difference_points,
    sum(abs(attributed_share - published_share)) OVER (PARTITION BY publisher, mineral, form, importer) / 2 AS apart_share,
    CASE
        WHEN attributed_share IS NULL THEN 'not compared'
        WHEN apart_share < 0.1 THEN 'good'
        WHEN apart_share < 0.25 THEN 'fair'
        WHEN apart_share < 0.5 THEN 'weak'
        ELSE 'insufficient'
    END AS grade
FROM paired
ORDER BY mineral, form, importer, publisher, exporter = 'OTH', published_share DESC, exporter;

-- Scores by day lie beside the published files, since they outlive them: `FROM mart.score_history()` in the output folder,
-- or with its path from anywhere else. A view would have to know where the folder is.
CREATE MACRO mart.score_history(folder := '.') AS TABLE
SELECT * FROM read_parquet(folder || '/history/*/*/scores.parquet', hive_partitioning = false, union_by_name = true);
COMMENT ON MACRO TABLE mart.score_history IS 'Scores of routes and importer totals by day, as known on each; the output folder is its parameter.';

-- Single months. Where sources contradict each other the better grade speaks, then what is stated before what is derived,
-- then the newer; the ends are those of all of them. A code of six digits counts where it means one mineral, or nearly.
CREATE VIEW mart.flow_month AS
WITH
spoken AS (
    SELECT
        o.mineral, o.stage, o.form, o.exporter, o.importer, o.month, o.quantity_t, o.value_usd,
        'reported' AS basis, s.grade, o.is_derived, o.source_id, o.known_from
    FROM core.observed_months o JOIN core.sources s USING (source_id)
    UNION ALL
    SELECT
        coalesce(n.mineral, h.mineral), coalesce(n.stage, h.stage), coalesce(n.form, h.form), t.exporter, t.importer, t.month,
        t.quantity_t, t.value_usd, 'code ' || t.code, s.grade, false, t.source_id, t.known_from
    FROM core.trade_months t
    JOIN core.sources s USING (source_id)
    LEFT JOIN (SELECT DISTINCT country, code, mineral, stage, form FROM core.national_codes) n
        ON n.code = t.code AND n.country = t.exporter
    LEFT JOIN (
        SELECT DISTINCT hs6, hs_revision, mineral, stage, form
        FROM core.hs_codes
        WHERE exporter = '*' AND importer = '*' AND stage IS NOT NULL AND share_best >= 0.9
    ) h ON h.hs6 = t.code AND h.hs_revision = t.hs_revision
    WHERE coalesce(n.mineral, h.mineral) IS NOT NULL
    -- An importer weighs what arrives; the exporter speaks where the importer is silent.
    QUALIFY rank() OVER (
        PARTITION BY t.exporter, t.importer, t.code, t.hs_revision, t.month ORDER BY t.reported_by DESC, t.known_from DESC
    ) = 1
),
claim AS (
    SELECT
        mineral, stage, form, exporter, importer, month, count(*) AS claim_count,
        first(quantity_t ORDER BY (quantity_t IS NULL), grade, is_derived, known_from DESC, source_id) AS quantity_t,
        min(quantity_t) AS quantity_t_low,
        max(quantity_t) AS quantity_t_high,
        first(value_usd ORDER BY (value_usd IS NULL), grade, is_derived, known_from DESC, source_id) AS value_usd,
        first(basis ORDER BY (quantity_t IS NULL), grade, is_derived, known_from DESC, source_id) AS basis,
        first(source_id ORDER BY (quantity_t IS NULL), grade, is_derived, known_from DESC, source_id) AS source_id,
        max(known_from) AS known_from
    FROM spoken
    GROUP BY ALL
),
normal AS (
    SELECT DISTINCT mineral, stage, baseline_year FROM mart.route_score
),
paired AS (
    SELECT
        c.*,
        y.quantity_t AS year_before_t,
        n.baseline_year,
        b.quantity_t AS baseline_month_t
    FROM claim c
    LEFT JOIN claim y
        ON y.mineral = c.mineral AND y.stage = c.stage AND y.form = c.form AND y.exporter = c.exporter
        AND y.importer = c.importer AND y.month = c.month - INTERVAL 1 YEAR
    LEFT JOIN normal n ON n.mineral = c.mineral AND n.stage = c.stage
    LEFT JOIN claim b
        ON b.mineral = c.mineral AND b.stage = c.stage AND b.form = c.form AND b.exporter = c.exporter
        AND b.importer = c.importer AND b.month = make_date(n.baseline_year, month(c.month), 1)
)
SELECT
    mineral, stage, form, exporter, importer, month, quantity_t, quantity_t_low, quantity_t_high, value_usd, claim_count,
    basis, year_before_t, baseline_year, baseline_month_t,
    CASE WHEN year_before_t > 0 THEN quantity_t / year_before_t END AS of_year_before_share,
    CASE WHEN baseline_month_t > 0 THEN quantity_t / baseline_month_t END AS of_baseline_share,
    sum(quantity_t) OVER last_twelve AS last_12_known_t,
    count(quantity_t) OVER last_twelve AS last_12_known_months,
    source_id, known_from
FROM paired
WINDOW last_twelve AS (
    PARTITION BY mineral, stage, form, exporter, importer
    ORDER BY month RANGE BETWEEN INTERVAL 11 MONTHS PRECEDING AND CURRENT ROW
);
