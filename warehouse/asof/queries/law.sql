-- The state of every clause of $curbing_country for every importer, as known on $known_at: on $as_of, and on each later
-- day up to $until on which a row of the clause's measure begins or ends.
-- Which row speaks is decided here and nowhere else: the clause's own row before one for all clauses, and within them
-- the importer's own before its bloc's before everybody's.
-- Frame lent by the caller: `lane` (mineral, stage, importer) of all flows.
WITH
clause AS (
    SELECT DISTINCT i.measure_id, i.clause
    FROM core.measure_items i
    JOIN core.measures m USING (measure_id)
    WHERE m.curbing_country = $curbing_country AND m.known_from <= $known_at AND i.known_from <= $known_at
),
importer AS (SELECT DISTINCT importer FROM lane WHERE importer <> $curbing_country),
member AS (SELECT * FROM members_at($as_of, $known_at)),
day AS (
    SELECT measure_id, $as_of::DATE AS day FROM clause
    UNION
    SELECT measure_id, d.day
    FROM (
        SELECT measure_id, unnest([valid_from, valid_to]) AS day
        FROM core.measure_states
        WHERE known_from <= $known_at
    ) d
    SEMI JOIN clause USING (measure_id)
    WHERE d.day > $as_of AND d.day <= $until
),
stated AS (
    SELECT d.day, s.*
    FROM (SELECT DISTINCT day FROM day) d, LATERAL (SELECT * FROM measure_state_at(d.day, $known_at)) s
    SEMI JOIN day ON day.measure_id = s.measure_id AND day.day = d.day
)
SELECT s.day, c.measure_id, c.clause, i.importer, s.state, s.valid_from, s.valid_to, s.source_id
FROM clause c
JOIN stated s ON s.measure_id = c.measure_id
CROSS JOIN importer i
LEFT JOIN member b ON b.bloc = s.destination AND b.country = i.importer
WHERE s.destination IN (i.importer, '*') OR b.country IS NOT NULL
QUALIFY row_number() OVER (
    PARTITION BY s.day, c.measure_id, c.clause, i.importer
    ORDER BY
        CASE s.clause WHEN c.clause THEN 0 WHEN 'all' THEN 1 ELSE 2 END,
        CASE s.destination WHEN i.importer THEN 0 WHEN '*' THEN 2 ELSE 1 END,
        s.valid_from DESC,
        s.clause
) = 1
ORDER BY c.measure_id, c.clause, i.importer, s.day
