-- Export curbs of countries other than $curbing_country, as access rows: what a buyer cannot count on there.
WITH
member AS (SELECT * FROM members_at($as_of, $known_at))
SELECT DISTINCT
    'ban' AS access_of,
    m.measure_id AS row_id,
    m.curbing_country AS exporter,
    coalesce(b.country, a.destination) AS importer,
    i.mineral, i.stage, i.form, m.instrument,
    NULL::VARCHAR AS legal_strength, NULL::VARCHAR AS agreement_state, NULL::VARCHAR AS coverage,
    NULL::VARCHAR AS kind,
    a.state,
    i.coverage_share_low, i.coverage_share_best, i.coverage_share_high,
    i.quota_share_low, i.quota_share_best, i.quota_share_high,
    a.source_id
FROM core.measures m
JOIN core.measure_items i USING (measure_id)
JOIN measures_at($as_of, $known_at) a
    ON a.measure_id = m.measure_id AND (a.clause = i.clause OR a.clause = 'all' OR i.clause = 'all')
LEFT JOIN member b ON b.bloc = a.destination
WHERE m.curbing_country <> $curbing_country
    AND m.known_from <= $known_at
    AND i.known_from <= $known_at
    AND m.date_announced <= $as_of
    AND a.state IN ('announced', 'in_force', 'suspended', 'lapsed_unverified')
