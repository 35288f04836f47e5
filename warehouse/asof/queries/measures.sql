-- One row per item, importer and scope for the measures of $curbing_country on $as_of, as known on $known_at.
-- Frames lent by the caller: `lane` (mineral, stage, importer) of all flows, and `law`, the state of every clause for
-- every importer on $as_of (law.sql).
WITH
measure AS (
    SELECT * FROM core.measures
    WHERE curbing_country = $curbing_country AND known_from <= $known_at AND date_announced <= $as_of
),
importer AS (SELECT DISTINCT mineral, importer FROM lane WHERE importer <> $curbing_country),
mineral_stage AS (SELECT DISTINCT mineral, stage FROM lane),
member AS (SELECT * FROM members_at($as_of, $known_at)),
role AS (SELECT role, word FROM words_at($as_of, $known_at) WHERE applies),
-- An item without a stage reaches every traded stage, if its instrument holds tonnes back (word_roles says which do);
-- one for every mineral, every traded mineral.
item AS (
    SELECT
        i.item_id, i.measure_id, i.clause, l.mineral, l.stage, coalesce(i.form, 'all') AS form,
        i.coverage_share_low, i.coverage_share_best, i.coverage_share_high,
        i.quota_share_low, i.quota_share_best, i.quota_share_high, i.is_extraterritorial
    FROM core.measure_items i
    JOIN measure m USING (measure_id)
    JOIN mineral_stage l ON i.mineral IN (l.mineral, '*') AND (i.stage = l.stage OR i.stage IS NULL)
    WHERE i.known_from <= $known_at
        AND (
            i.stage IS NOT NULL
            OR m.instrument IN (SELECT word FROM role WHERE role = 'reaches_every_stage')
        )
),
clause AS (SELECT DISTINCT measure_id, clause FROM item),
known_destination AS (
    SELECT measure_id, clause, destination, scope, is_excluded,
        listed_share_low, listed_share_best, listed_share_high
    FROM core.measure_destinations
    WHERE known_from <= $known_at
    QUALIFY row_number() OVER (PARTITION BY measure_id, clause, destination, scope ORDER BY known_from DESC) = 1
),
-- Destinations of a clause: its own rows, else those of the whole measure, else everybody.
named AS (
    SELECT
        c.measure_id, c.clause,
        coalesce(d.destination, '*') AS destination,
        coalesce(d.scope, 'all') AS scope,
        coalesce(d.is_excluded, false) AS is_excluded,
        d.listed_share_low, d.listed_share_best, d.listed_share_high
    FROM clause c
    LEFT JOIN known_destination d
        ON d.measure_id = c.measure_id AND (d.clause IN (c.clause, 'all') OR c.clause = 'all')
    QUALIFY rank() OVER (
        PARTITION BY c.measure_id, c.clause ORDER BY coalesce(d.clause <> c.clause, true)
    ) = 1
),
-- Which of them hit which importer, and how specifically: country 0, bloc 1, everybody 2.
reached AS (
    SELECT n.*, i.importer, 0 AS breadth
    FROM named n JOIN (SELECT DISTINCT importer FROM importer) i ON i.importer = n.destination
    UNION ALL
    SELECT n.*, b.country AS importer, 1 AS breadth FROM named n JOIN member b ON b.bloc = n.destination
    UNION ALL
    SELECT n.*, i.importer, 2 AS breadth
    FROM named n CROSS JOIN (SELECT DISTINCT importer FROM importer) i WHERE n.destination = '*'
),
hit AS (
    SELECT measure_id, clause, importer, scope, listed_share_low, listed_share_best, listed_share_high
    FROM (
        SELECT *, min(CASE WHEN is_excluded THEN breadth END) OVER (PARTITION BY measure_id, clause, importer) AS spared
        FROM reached
    )
    WHERE NOT is_excluded AND (spared IS NULL OR breadth < spared)
    QUALIFY row_number() OVER (PARTITION BY measure_id, clause, importer, scope ORDER BY breadth) = 1
),
state AS (SELECT * FROM measure_state_at($as_of, $known_at)),
-- Since when a measure is in force without a break: what was withheld before a pause drains no stock today. A start that
-- a pause overtook was none. For a measure that is not in force, its first stated start.
past AS (
    SELECT measure_id, unnest([valid_from, valid_to]) AS day
    FROM core.measure_states
    WHERE known_from <= $known_at
),
spell AS (
    SELECT s.measure_id, s.clause, s.destination, s.state = 'in_force' AS binds, p.day
    FROM (SELECT DISTINCT day FROM past WHERE day <= $as_of) p,
        LATERAL (SELECT * FROM measure_state_at(p.day, $known_at)) s
    SEMI JOIN past ON past.measure_id = s.measure_id AND past.day = p.day
),
unbroken AS (
    SELECT measure_id, min(day) FILTER (binds AND day > coalesce(pause, '0001-01-01'::DATE)) AS start_date
    FROM (
        SELECT *, max(CASE WHEN NOT binds THEN day END) OVER (PARTITION BY measure_id, clause, destination) AS pause
        FROM spell
    )
    GROUP BY measure_id
),
start AS (
    SELECT s.measure_id, coalesce(any_value(u.start_date), min(s.valid_from)) AS start_date
    FROM core.measure_states s
    LEFT JOIN unbroken u USING (measure_id)
    WHERE s.known_from <= $known_at AND s.state = 'in_force'
    GROUP BY s.measure_id
),
-- Minerals (or *) for which an enforcement campaign runs.
campaign AS (
    SELECT DISTINCT coalesce(i.mineral, '*') AS mineral
    FROM measure m
    JOIN state s USING (measure_id)
    LEFT JOIN core.measure_items i ON i.measure_id = m.measure_id AND i.known_from <= $known_at
    WHERE m.instrument = 'enforcement_campaign' AND s.state = 'in_force'
),
-- Importers that an easing names. An easing for everybody says that the door exists, not who holds the key.
general_licence AS (
    SELECT DISTINCT coalesce(i.mineral, '*') AS mineral, coalesce(b.country, d.destination) AS importer
    FROM measure m
    JOIN state s USING (measure_id)
    JOIN known_destination d ON d.measure_id = m.measure_id AND NOT d.is_excluded AND d.destination <> '*'
    LEFT JOIN member b ON b.bloc = d.destination
    LEFT JOIN core.measure_items i ON i.measure_id = m.measure_id AND i.known_from <= $known_at
    WHERE m.instrument = 'licence_facilitation' AND s.state = 'in_force'
),
class AS (
    SELECT i.mineral, i.importer, c.class_low, c.class_best, c.class_high
    FROM importer i
    JOIN core.destination_classes c ON c.mineral IN (i.mineral, '*')
    LEFT JOIN member b ON b.bloc = c.destination AND b.country = i.importer
    WHERE c.curbing_country = $curbing_country
        AND c.known_from <= $known_at
        AND holds_on(c.valid_from, c.valid_to, $as_of)
        AND (c.destination IN (i.importer, '*') OR b.country IS NOT NULL)
    QUALIFY row_number() OVER (
        PARTITION BY i.mineral, i.importer
        ORDER BY
            CASE c.destination WHEN i.importer THEN 0 WHEN '*' THEN 2 ELSE 1 END,
            c.mineral = '*',
            c.known_from DESC,
            c.valid_from DESC,
            c.class_id
    ) = 1
)
SELECT
    i.item_id, i.measure_id, i.clause, coalesce(m.notice, m.title) AS notice, m.instrument, s.scope,
    s.scope IN (SELECT word FROM role WHERE role = 'names_buyers') AS is_named_buyers,
    i.mineral, i.stage, i.form,
    i.coverage_share_low, i.coverage_share_best, i.coverage_share_high,
    i.quota_share_low, i.quota_share_best, i.quota_share_high,
    s.listed_share_low, s.listed_share_best, s.listed_share_high,
    p.importer,
    coalesce(c.class_low, 'ordinary') AS destination_class_low,
    coalesce(c.class_best, 'ordinary') AS destination_class_best,
    coalesce(c.class_high, 'ordinary') AS destination_class_high,
    w.state, w.valid_from AS state_valid_from, w.valid_to AS state_valid_to,
    coalesce(a.start_date, m.date_announced) AS start_date,
    i.is_extraterritorial,
    (i.mineral IN (SELECT mineral FROM campaign) OR '*' IN (SELECT mineral FROM campaign)) AS is_enforced,
    g.importer IS NOT NULL AS holds_general_licence,
    w.source_id
FROM item i
JOIN measure m USING (measure_id)
JOIN importer p ON p.mineral = i.mineral
JOIN hit s ON s.measure_id = i.measure_id AND s.clause = i.clause AND s.importer = p.importer
JOIN law w ON w.measure_id = i.measure_id AND w.clause = i.clause AND w.importer = p.importer
LEFT JOIN start a ON a.measure_id = i.measure_id
LEFT JOIN class c ON c.mineral = i.mineral AND c.importer = p.importer
LEFT JOIN (
    SELECT DISTINCT x.mineral, x.importer
    FROM importer x JOIN general_licence y ON y.importer = x.importer AND y.mineral IN (x.mineral, '*')
) g ON g.mineral = i.mineral AND g.importer = p.importer
ORDER BY i.mineral, i.stage, i.measure_id, i.clause, i.item_id, s.scope, p.importer
