-- What changes next, what lapsed unverified, and how much trade depends on it?
-- Read: event_date is the first day of the new state; what is unverified comes first, however long ago it lapsed. Lanes
-- and USD a year are those of the country itself that the measure's items and destinations name.
-- Limits: only dates that a source already states. Goods without trade in the facts have no lanes and no money.
SELECT
    c.is_unverified, c.event_date, c.event_date - r.as_of AS days_left, c.kind, c.country, c.notice, c.event,
    c.state_after, c.minerals, c.lane_count, c.route_usd, c.last_confirmed_on, c.last_confirmed_by, c.what_would_settle, c.source_id
FROM mart.calendar c
CROSS JOIN meta.run r
WHERE c.is_unverified OR c.event_date >= r.as_of
ORDER BY NOT c.is_unverified, c.event_date, c.kind, c.event;
