-- How well do trade and production agree, and what would close the gaps?
-- Read: unexplained tonnes are exports beyond what production and imports can supply; a grade below good widens every
-- range. us_imports_apart is the share of United States imports for which publishers name another origin than our
-- codes do (for the good with the largest difference).
-- Limits: grades compare yearly totals of the baseline year; stocks and re-exports also show as unexplained. Few
-- stages have a published import share to compare with.
WITH
exact AS (
    SELECT c.mineral, h.stage, max(c.apart_share) AS apart_share
    FROM mart.import_share_check c
    JOIN (SELECT DISTINCT mineral, stage, hs6 FROM core.hs_codes) h
        ON h.mineral = c.mineral AND contains(c.hs6_list, h.hs6)
    WHERE c.importer = 'USA'
    GROUP BY ALL
),
bundle AS (
    SELECT mineral, stage, max(apart_share) AS apart_share
    FROM mart.bundle_share_check
    WHERE importer = 'USA'
    GROUP BY ALL
)
SELECT
    mineral, stage, r.grade, r.baseline_year, round(r.production_t) AS production_t,
    round(r.unexplained_t) AS unexplained_t,
    round(r.unexplained_share, 3) AS unexplained_share, r.producer_count, r.exporter_count,
    round(coalesce(e.apart_share, b.apart_share), 3) AS us_imports_apart, r.what_would_mend
FROM mart.reconciliation r
LEFT JOIN exact e USING (mineral, stage)
LEFT JOIN bundle b USING (mineral, stage)
ORDER BY CASE r.grade WHEN 'insufficient' THEN 0 WHEN 'weak' THEN 1 WHEN 'fair' THEN 2 ELSE 3 END,
    r.unexplained_t DESC NULLS LAST, mineral, stage;
