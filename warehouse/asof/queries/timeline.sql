-- State changes after $as_of and up to $until that are known on $known_at, the lapse of a suspension among them.
WITH
known AS (
    SELECT s.*
    FROM core.measure_states s
    JOIN core.measures m USING (measure_id)
    WHERE m.curbing_country = $curbing_country AND s.known_from <= $known_at AND m.known_from <= $known_at
),
day AS (
    SELECT measure_id, clause, destination, valid_from AS day FROM known
    UNION
    SELECT measure_id, clause, destination, valid_to FROM known WHERE valid_to IS NOT NULL
    UNION
    SELECT measure_id, clause, destination, $as_of::DATE FROM known
),
winner AS (
    SELECT
        d.day, k.measure_id, k.clause, k.destination, k.source_id,
        CASE
            WHEN k.valid_to <= d.day AND k.state IN ('suspended', 'in_force') THEN 'lapsed_unverified'
            ELSE k.state
        END AS state
    FROM day d
    JOIN known k USING (measure_id, clause, destination)
    WHERE d.day >= $as_of AND d.day <= $until AND k.valid_from <= d.day
    QUALIFY row_number() OVER (
        PARTITION BY k.measure_id, k.clause, k.destination, d.day
        ORDER BY k.known_from DESC, k.valid_from DESC, list_position([
            'unknown', 'proposed', 'announced', 'in_force', 'suspended', 'superseded', 'dropped', 'ended'
        ], k.state) DESC
    ) = 1
)
SELECT measure_id, clause, destination AS importer, day AS valid_from, state, source_id
FROM winner
QUALIFY day > $as_of
    AND state IS DISTINCT FROM lag(state) OVER (PARTITION BY measure_id, clause, destination ORDER BY day)
ORDER BY valid_from, measure_id, clause, importer
