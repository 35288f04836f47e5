-- For how many days do known stocks cover use, and may civil buyers draw on them?
-- Read: days of cover per mineral and holder; usable_by_civil_buyers says whether the score counts them.
-- Limits: targets, pilot stocks and defence reserves are listed but not counted. No row means unknown, not zero.
SELECT k.mineral, k.holder, k.holder_type, k.metric, k.stock_days_low, k.stock_days_best, k.stock_days_high,
    k.quantity_t_low, k.quantity_t_best, k.quantity_t_high, k.usable_by_civil_buyers, k.valid_from, k.valid_to,
    s.grade, k.source_id
FROM core.stocks k
JOIN core.sources s USING (source_id)
WHERE k.known_from <= DATE '2026-11-23' AND coalesce(k.valid_to > DATE '2026-11-23', true)
ORDER BY k.mineral, k.holder, k.metric, k.stock_id;
