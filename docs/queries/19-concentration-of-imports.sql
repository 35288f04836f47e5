-- How concentrated are the imports of the EU27, the United States and Japan?
-- Read: hhi is the sum of squared supplier shares (0..1; above 0.25 is commonly called concentrated), by tonnes of the
-- baseline year.
-- Limits: direct suppliers only; a low figure may hide that several suppliers all buy upstream from China (see
-- touched_by_china).
WITH lane AS (
    SELECT
        r.mineral, r.stage, coalesce(b.bloc, r.importer) AS importer, r.exporter,
        sum(r.route_t) AS t, sum(r.route_t * r.touched_share_best) AS touched_t
    FROM mart.route_score r
    LEFT JOIN core.blocs b ON b.country = r.importer AND b.bloc = 'EU27' AND b.valid_to IS NULL
    LEFT JOIN core.blocs e ON e.country = r.exporter AND e.bloc = 'EU27' AND e.valid_to IS NULL
    WHERE r.horizon_days = 365 AND (b.bloc IS NULL OR e.bloc IS NULL)
    GROUP BY ALL
)
SELECT
    importer, mineral, stage, count(*) AS suppliers, round(sum((t / total) ** 2), 3) AS hhi,
    arg_max(exporter, t) AS largest_supplier, round(max(t / total), 3) AS largest_share,
    round(sum(touched_t) / any_value(total), 3) AS touched_by_china, round(any_value(total)) AS import_t
FROM (SELECT *, sum(t) OVER (PARTITION BY mineral, stage, importer) AS total FROM lane WHERE t > 0)
WHERE importer IN ('EU27', 'USA', 'JPN')
GROUP BY importer, mineral, stage
ORDER BY importer, hhi DESC, mineral, stage;
