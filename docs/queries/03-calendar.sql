-- What changes next without a new decision, and how much trade depends on it?
-- Read: event_date is the first day of the new state. Routes and USD are those of the curbing country that the
-- measure's items reach.
-- Limits: only dates that a source already states. Routes under several items of one measure are counted once per
-- mineral and stage.
SELECT
    c.event_date, c.event_date - r.as_of AS days_left, c.notice, c.clause, c.event, c.state_after,
    coalesce(sum(v.route_count), 0) AS routes, sum(v.route_usd) AS route_usd, c.source_id
FROM mart.calendar c
CROSS JOIN meta.run r
LEFT JOIN (
    SELECT measure_id, mineral, stage, max(route_count) AS route_count, max(route_usd) AS route_usd
    FROM mart.measure_coverage
    GROUP BY ALL
) v USING (measure_id)
GROUP BY ALL
ORDER BY c.event_date, c.notice, c.clause;
