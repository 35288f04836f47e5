-- Dated events of every country's measures, agreements and pledges after $since and up to $until, as known on $known_at;
-- and, whenever they lapsed, the states that are unverified on $as_of.
-- Frame lent by the caller: `flow` (mineral, stage, exporter, importer, route_t, route_usd) of all lanes.
WITH
measure AS (
    SELECT * FROM core.measures WHERE known_from <= $known_at
    QUALIFY row_number() OVER (PARTITION BY measure_id ORDER BY known_from DESC) = 1
),
known AS (
    SELECT s.* FROM core.measure_states s SEMI JOIN measure USING (measure_id) WHERE s.known_from <= $known_at
),
day AS (
    SELECT DISTINCT measure_id, clause, destination, unnest([valid_from, valid_to, $since::DATE, $as_of::DATE]) AS day
    FROM known
),
stated AS (
    SELECT d.day, s.*
    FROM (SELECT DISTINCT day FROM day WHERE day >= $since AND day <= $until) d,
        LATERAL (SELECT * FROM measure_state_at(d.day, $known_at)) s
    SEMI JOIN day
        ON day.measure_id = s.measure_id AND day.clause = s.clause AND day.destination = s.destination
        AND day.day = d.day
),
followed AS (
    SELECT *, lag(state) OVER (PARTITION BY measure_id, clause, destination ORDER BY day) AS state_before
    FROM stated
),
changed AS (
    SELECT day AS event_date, measure_id, clause, destination, state_before, state, source_id
    FROM followed
    WHERE day > $since AND state IS DISTINCT FROM state_before
    UNION ALL
    -- What lapsed longer ago, and is unverified still.
    SELECT
        f.valid_from, f.measure_id, f.clause, f.destination, k.state, f.state, f.source_id
    FROM followed f
    LEFT JOIN known k
        ON k.measure_id = f.measure_id AND k.clause = f.clause AND k.destination = f.destination
        AND k.valid_to = f.valid_from AND k.source_id = f.source_id
    WHERE f.day = $as_of::DATE AND f.state = 'lapsed_unverified' AND f.valid_from <= $since
    QUALIFY row_number() OVER (
        PARTITION BY f.measure_id, f.clause, f.destination ORDER BY k.known_from DESC
    ) = 1
),
-- What else was reported of the same state: another start or term, by another source.
reported AS (
    SELECT c.measure_id, c.clause, c.destination, c.event_date,
        list(DISTINCT format(
            '{} says {} from {}{}', s.publisher, replace(k.state, '_', ' '), k.valid_from,
            CASE WHEN k.valid_to IS NULL THEN '' ELSE format(' to before {}', k.valid_to) END
        )) AS other_reports
    FROM changed c
    JOIN known w
        ON w.measure_id = c.measure_id AND w.clause = c.clause AND w.destination = c.destination
        AND w.source_id = c.source_id AND c.event_date IN (w.valid_from, w.valid_to)
    JOIN known k
        ON k.measure_id = w.measure_id AND k.clause = w.clause AND k.destination = w.destination
        AND k.source_id <> w.source_id AND k.state = w.state
        AND (k.valid_from = w.valid_from) <> (k.valid_to IS NOT DISTINCT FROM w.valid_to)
    LEFT JOIN core.sources s ON s.source_id = k.source_id
    GROUP BY ALL
),
said AS (
    SELECT measure_id, clause, destination, source_id, max(note) AS note FROM known GROUP BY ALL
),
member AS (SELECT * FROM members_at($as_of, $known_at)),
-- Lanes of the country itself that a clause names by mineral, stage and destination.
touched AS (
    SELECT e.measure_id, e.clause, f.mineral, f.stage, f.exporter, f.importer, f.route_t, f.route_usd
    FROM (SELECT DISTINCT measure_id, clause FROM changed) e
    JOIN measure m USING (measure_id)
    JOIN core.measure_items i
        ON i.measure_id = e.measure_id AND i.known_from <= $known_at
        AND (i.clause = e.clause OR e.clause = 'all' OR i.clause = 'all')
    JOIN flow f
        ON f.exporter = m.curbing_country AND i.mineral IN (f.mineral, '*') AND (i.stage = f.stage OR i.stage IS NULL)
    WHERE NOT EXISTS (
        SELECT 1 FROM core.measure_destinations d
        WHERE d.measure_id = e.measure_id AND d.known_from <= $known_at AND NOT d.is_excluded
            AND d.clause IN (e.clause, 'all') AND d.destination <> '*'
    ) OR EXISTS (
        SELECT 1 FROM core.measure_destinations d
        LEFT JOIN member b ON b.bloc = d.destination
        WHERE d.measure_id = e.measure_id AND d.known_from <= $known_at AND NOT d.is_excluded
            AND d.clause IN (e.clause, 'all') AND f.importer IN (d.destination, b.country)
    )
    GROUP BY ALL
),
reach AS (
    SELECT measure_id, clause, list_sort(list(DISTINCT mineral)) AS minerals, count(*)::BIGINT AS lane_count,
        CASE WHEN count(DISTINCT (mineral, stage)) = 1 THEN sum(route_t) END AS route_t, sum(route_usd) AS route_usd
    FROM touched
    GROUP BY ALL
),
named AS (
    SELECT measure_id, list_sort(list(DISTINCT mineral)) AS minerals
    FROM core.measure_items WHERE known_from <= $known_at GROUP BY ALL
),
of_measures AS (
    SELECT
        c.event_date, 'measure' AS kind, m.curbing_country AS country, c.measure_id AS subject_id, c.measure_id, c.clause,
        format(
            '{}: {}{}', coalesce(m.notice, m.title), replace(c.state, '_', ' '),
            CASE WHEN c.destination = '*' THEN '' ELSE format(' for {}', c.destination) END
        ) AS event,
        c.state_before, c.state AS state_after,
        c.state = 'lapsed_unverified' AND c.event_date <= $as_of AS is_unverified,
        coalesce(m.notice, m.title) AS notice,
        coalesce(r.minerals, n.minerals, []) AS minerals,
        r.lane_count, r.route_t, r.route_usd,
        coalesce(
            try_cast(nullif(regexp_extract(m.note, 'last confirmed (\d{4}-\d{2}-\d{2})', 1), '') AS DATE), s.published, s.known_from
        ) AS last_confirmed_on,
        s.publisher AS last_confirmed_by,
        q.note AS what_is_open,
        CASE WHEN c.state = 'lapsed_unverified' THEN format(
            'a notice of {} that ends, extends or replaces it, or a report of what its customs ask for since {}',
            coalesce(m.authority, m.curbing_country), c.event_date
        ) END AS what_would_settle,
        coalesce(o.other_reports, []) AS other_reports,
        c.source_id
    FROM changed c
    JOIN measure m ON m.measure_id = c.measure_id
    LEFT JOIN reach r ON r.measure_id = c.measure_id AND r.clause = c.clause
    LEFT JOIN named n ON n.measure_id = c.measure_id
    LEFT JOIN reported o
        ON o.measure_id = c.measure_id AND o.clause = c.clause AND o.destination = c.destination
        AND o.event_date = c.event_date
    LEFT JOIN said q
        ON q.measure_id = c.measure_id AND q.clause = c.clause AND q.destination = c.destination
        AND q.source_id = c.source_id
    LEFT JOIN core.sources s ON s.source_id = c.source_id
),
pledge AS (
    SELECT * FROM core.pledges WHERE known_from <= $known_at
    QUALIFY row_number() OVER (PARTITION BY pledge_id ORDER BY known_from DESC) = 1
),
covered AS (
    SELECT pledge_id, list_sort(list(DISTINCT mineral)) AS minerals
    FROM core.pledge_items WHERE known_from <= $known_at GROUP BY ALL
),
of_pledges AS (
    SELECT
        e.event_date, 'pledge', p.pledging_party[1], p.pledge_id, p.implements_measure_id, 'all',
        format(
            'pledge of {} {}: {}', array_to_string(p.pledging_party, ', '),
            CASE WHEN e.begins THEN 'begins' ELSE 'is over' END, p.description
        ),
        CASE WHEN e.begins THEN 'not_begun' ELSE 'stands' END,
        CASE WHEN e.begins THEN 'stands' ELSE 'expired' END,
        false, p.description, coalesce(v.minerals, []), NULL::BIGINT, NULL::DOUBLE, NULL::DOUBLE,
        coalesce(s.published, s.known_from), s.publisher, p.ambiguity,
        CASE WHEN e.begins THEN NULL ELSE 'a text that renews it, or a statement of a party that it ended' END,
        []::VARCHAR[], p.source_id
    FROM pledge p
    CROSS JOIN LATERAL (SELECT unnest([
        {'event_date': p.valid_from, 'begins': true}, {'event_date': p.valid_to, 'begins': false}
    ], recursive := true)) e
    LEFT JOIN covered v USING (pledge_id)
    LEFT JOIN core.sources s ON s.source_id = p.source_id
    WHERE e.event_date > $since AND e.event_date <= $until
),
agreement AS (
    SELECT * FROM core.agreements WHERE known_from <= $known_at
    QUALIFY row_number() OVER (PARTITION BY agreement_id ORDER BY known_from DESC) = 1
),
stage_of AS (
    SELECT agreement_id, unnest([valid_from, valid_to]) AS day FROM core.agreement_states WHERE known_from <= $known_at
),
agreed AS (
    SELECT d.day, a.*, lag(a.state) OVER (PARTITION BY a.agreement_id ORDER BY d.day) AS state_before
    FROM (
        SELECT DISTINCT day FROM stage_of WHERE day > $since AND day <= $until UNION SELECT $since::DATE
    ) d, LATERAL (SELECT * FROM agreement_state_at(d.day, $known_at)) a
),
of_agreements AS (
    SELECT
        d.day, 'agreement', g.parties[1], d.agreement_id, NULL::VARCHAR, 'all',
        format('{}: {}', g.title, replace(d.state, '_', ' ')), d.state_before, d.state,
        false, g.title, []::VARCHAR[], NULL::BIGINT, NULL::DOUBLE, NULL::DOUBLE,
        coalesce(s.published, s.known_from), s.publisher, NULL::VARCHAR,
        CASE WHEN d.state = 'unknown' THEN 'a text that renews it, or a statement of a party that it ended' END,
        []::VARCHAR[], d.source_id
    FROM agreed d
    JOIN agreement g USING (agreement_id)
    LEFT JOIN core.sources s ON s.source_id = d.source_id
    WHERE d.day > $since AND d.state IS DISTINCT FROM d.state_before
)
SELECT * FROM of_measures
UNION ALL
SELECT * FROM of_pledges
UNION ALL
SELECT * FROM of_agreements
ORDER BY event_date, kind, subject_id, clause, event
