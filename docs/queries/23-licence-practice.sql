-- How do export licences work in practice: how long, how many refused, how much shipped?
-- Read: one row per observation, newest first within a metric; value ranges are in `unit`.
-- Limits: single observations by chambers, customs and the press; they calibrate rules, but none is a forecast.
SELECT l.metric, l.mineral, l.destination, l.valid_from, l.valid_to, l.value_low, l.value_best, l.value_high, l.unit,
    s.grade, s.publisher, l.note
FROM core.licence_practice l
JOIN core.sources s USING (source_id)
WHERE l.curbing_country = 'CHN'
ORDER BY l.metric, l.mineral, l.valid_from DESC NULLS LAST, l.practice_id;
