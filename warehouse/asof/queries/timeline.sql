-- Changes of what is stated, after $as_of and up to $until, that are known on $known_at, the lapse of a suspension
-- among them. What a change means for one importer is in law.sql.
WITH
known AS (
    SELECT s.*
    FROM core.measure_states s
    JOIN core.measures m USING (measure_id)
    WHERE m.curbing_country = $curbing_country AND s.known_from <= $known_at AND m.known_from <= $known_at
),
day AS (
    SELECT DISTINCT measure_id, clause, destination, unnest([valid_from, valid_to, $as_of::DATE]) AS day FROM known
),
stated AS (
    SELECT d.day, s.*
    FROM (SELECT DISTINCT day FROM day WHERE day >= $as_of AND day <= $until) d,
        LATERAL (SELECT * FROM measure_state_at(d.day, $known_at)) s
    SEMI JOIN day
        ON day.measure_id = s.measure_id AND day.clause = s.clause AND day.destination = s.destination
        AND day.day = d.day
)
SELECT measure_id, clause, destination AS importer, day AS valid_from, state, source_id
FROM stated
QUALIFY day > $as_of
    AND state IS DISTINCT FROM lag(state) OVER (PARTITION BY measure_id, clause, destination ORDER BY day)
ORDER BY valid_from, measure_id, clause, importer
