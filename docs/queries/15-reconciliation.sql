-- How well do trade and production agree, and what would mend the gaps?
-- Read: unexplained tonnes are exports beyond what production and imports can supply; a grade below good widens every range.
-- Limits: grades compare yearly totals of the baseline year; stocks and re-exports also show as unexplained.
SELECT
    mineral, stage, grade, baseline_year, round(production_t) AS production_t, round(unexplained_t) AS unexplained_t,
    round(unexplained_share, 3) AS unexplained_share, producer_count, exporter_count, what_would_mend
FROM mart.reconciliation r
ORDER BY CASE grade WHEN 'insufficient' THEN 0 WHEN 'weak' THEN 1 WHEN 'fair' THEN 2 ELSE 3 END,
    r.unexplained_t DESC NULLS LAST, mineral, stage;
