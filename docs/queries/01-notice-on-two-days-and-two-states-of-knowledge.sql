-- What was the state of MOFCOM 57/2025, as known when?
-- Read: one row per question (as_of = the day asked about, known_at = what the world knew by then). On 20 November
-- 2025 the notice was due to be in force as known on 1 November, and suspended as known on 7 November.
-- Limits: a row appears once a source reports it. lapsed_unverified is derived: the suspension ran out and no source
-- says what followed.
SELECT DATE '2025-10-30' AS as_of, DATE '2025-10-30' AS known_at, state, valid_from, valid_to, source_id
FROM measures_at(DATE '2025-10-30', DATE '2025-10-30') WHERE measure_id = 'cn-57-2025'
UNION ALL
SELECT DATE '2025-11-20', DATE '2025-11-01', state, valid_from, valid_to, source_id
FROM measures_at(DATE '2025-11-20', DATE '2025-11-01') WHERE measure_id = 'cn-57-2025'
UNION ALL
SELECT DATE '2025-11-20', DATE '2025-11-07', state, valid_from, valid_to, source_id
FROM measures_at(DATE '2025-11-20', DATE '2025-11-07') WHERE measure_id = 'cn-57-2025'
UNION ALL
SELECT DATE '2026-11-10', DATE '2026-11-10', state, valid_from, valid_to, source_id
FROM measures_at(DATE '2026-11-10', DATE '2026-11-10') WHERE measure_id = 'cn-57-2025'
UNION ALL
SELECT DATE '2026-11-11', DATE '2026-11-11', state, valid_from, valid_to, source_id
FROM measures_at(DATE '2026-11-11', DATE '2026-11-11') WHERE measure_id = 'cn-57-2025'
ORDER BY as_of, known_at;
