-- Where would the end of the truce hurt most: how far is snapback above today?
-- Read: gap = snapback - active, in points; scheduled lies between them where a date is already known.
-- Limits: in snapback every suspended, announced or unverified measure takes effect at once; nobody has announced
-- that.
SELECT
    s.mineral, s.stage, s.exporter, s.importer, round(s.active, 1) AS active, round(s.scheduled, 1) AS scheduled,
    round(s.snapback, 1) AS snapback, round(s.snapback - s.active, 1) AS gap, s.active_band, s.snapback_band,
    s.route_usd::BIGINT AS route_usd, s.next_event, s.next_event_date
FROM mart.route_score s
WHERE s.horizon_days = 365 AND s.snapback > s.active AND s.route_usd >= 1e6
ORDER BY s.snapback - s.active DESC, s.mineral, s.stage, s.exporter, s.importer
LIMIT 40;
