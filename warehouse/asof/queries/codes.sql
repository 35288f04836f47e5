-- What trade codes mean, as known at $known_at or, where nothing was known by then, as first known (hindsight).
-- Of several editions of one row the newest known one counts.
SELECT *, known_from > $known_at AS is_hindsight
FROM (
    SELECT * FROM core.hs_codes
    QUALIFY known_from <= $known_at OR known_from = min(known_from) OVER (
        PARTITION BY hs6, hs_revision, exporter, importer, year_from, year_to
    )
)
QUALIFY row_number() OVER (
    PARTITION BY hs6, hs_revision, mineral, stage, form, exporter, importer, year_from, share_of
    ORDER BY known_from DESC
) = 1
