-- Per mineral and stage: the HS revision of this run, its first and last year of trade, and the baseline year.
-- `codes` is the frame of queries/codes.sql.
WITH
code_year AS (
    SELECT hs6, hs_revision, year, sum(value_usd) AS usd
    FROM core.trade
    WHERE known_from <= $known_at AND year <= year($as_of::DATE)
    GROUP BY hs6, hs_revision, year
),
revision AS (
    SELECT c.mineral, c.stage, c.hs_revision, min(y.year) AS first_year, max(y.year) AS last_year
    FROM (SELECT DISTINCT mineral, stage, hs6, hs_revision FROM codes WHERE stage IS NOT NULL) c
    JOIN code_year y USING (hs6, hs_revision)
    GROUP BY c.mineral, c.stage, c.hs_revision
    -- One revision per mineral and stage: the one with most years, then with most trade.
    QUALIFY row_number() OVER (
        PARTITION BY c.mineral, c.stage ORDER BY count(DISTINCT y.year) DESC, sum(y.usd) DESC, c.hs_revision
    ) = 1
),
-- A later year may have come in another revision alone, in which the codes mean the same goods.
newest AS (
    SELECT r.mineral, r.stage, max(t.year) AS last_year
    FROM revision r
    JOIN (SELECT DISTINCT mineral, stage, hs6, hs_revision FROM codes WHERE stage IS NOT NULL) c
        USING (mineral, stage, hs_revision)
    JOIN trade_in_revision($as_of, $known_at) t USING (hs6, hs_revision)
    GROUP BY r.mineral, r.stage
),
-- Only the announcement of an instrument that withholds tonnes from everybody it names ends normal times.
withholding AS (
    SELECT m.measure_id, m.date_announced, i.mineral, i.stage, i.clause
    FROM core.measures m
    JOIN core.measure_items i USING (measure_id)
    WHERE m.curbing_country = $curbing_country
        AND m.known_from <= $known_at
        AND i.known_from <= $known_at
        AND m.date_announced <= $as_of
        AND m.instrument IN (
            SELECT word FROM words_at($as_of, $known_at) WHERE role = 'ends_normal_trade' AND applies
        )
        AND EXISTS (
            SELECT 1 FROM core.measure_states s
            WHERE s.measure_id = m.measure_id
                AND s.known_from <= $known_at
                AND s.valid_from <= $as_of
                AND s.state IN ('announced', 'in_force', 'suspended')
        )
),
begun AS (
    SELECT r.mineral, r.stage, min(w.date_announced) AS first_announced
    FROM revision r
    JOIN withholding w USING (mineral, stage)
    -- Over before the first year of trade: it shaped none of the tonnes that we have.
    WHERE NOT EXISTS (
        SELECT 1 FROM core.measure_states s
        WHERE s.measure_id = w.measure_id
            AND s.clause IN (w.clause, 'all')
            AND s.known_from <= $known_at
            AND (
                (s.state IN ('ended', 'superseded', 'dropped') AND s.valid_from <= make_date(r.first_year, 1, 1))
                OR (s.state = 'in_force' AND s.valid_to <= make_date(r.first_year, 1, 1))
            )
            AND NOT EXISTS (
                SELECT 1 FROM core.measure_states l
                WHERE l.measure_id = s.measure_id
                    AND l.clause = s.clause
                    AND l.known_from <= $known_at
                    AND l.state IN ('announced', 'in_force', 'suspended')
                    AND l.valid_from > s.valid_from
            )
    )
    GROUP BY r.mineral, r.stage
)
SELECT
    r.mineral,
    r.stage,
    r.hs_revision,
    r.first_year,
    n.last_year AS trade_year,
    CASE
        WHEN b.first_announced IS NULL THEN n.last_year
        ELSE least(greatest(year(b.first_announced) - 1, r.first_year), n.last_year)
    END AS baseline_year,
    b.first_announced
FROM revision r
JOIN newest n USING (mineral, stage)
LEFT JOIN begun b USING (mineral, stage)
ORDER BY r.mineral, r.stage
