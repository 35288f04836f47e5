-- What was seen under curbs and known by known_at, the newest edition of each, with the days of its curb.
WITH
known AS (
    SELECT * FROM core.outcomes
    WHERE known_from <= $known_at
    QUALIFY row_number() OVER (PARTITION BY outcome_id ORDER BY known_from DESC) = 1
),
started AS (
    SELECT measure_id, min(valid_from) AS in_force_from
    FROM core.measure_states
    WHERE state = 'in_force'
    GROUP BY measure_id
),
-- The first day after its start on which it no longer bound.
stopped AS (
    SELECT s.measure_id, min(s.valid_from) AS in_force_to
    FROM core.measure_states s
    JOIN started b USING (measure_id)
    WHERE s.valid_from > b.in_force_from AND s.state NOT IN ('in_force', 'unknown')
    GROUP BY s.measure_id
)
SELECT
    o.*,
    s.grade,
    m.date_announced,
    greatest(m.date_announced, m.known_from) AS curb_known_from,
    b.in_force_from,
    e.in_force_to
FROM known o
JOIN core.measures m USING (measure_id)
JOIN core.sources s ON s.source_id = o.source_id
LEFT JOIN started b USING (measure_id)
LEFT JOIN stopped e USING (measure_id)
ORDER BY o.window_from, o.outcome_id
