-- How does China treat each destination, and how did that change?
-- Read: class_best is the most likely class, class_low and class_high the mildest and harshest that the evidence
-- allows; one row per period.
-- Limits: judged from public acts (bans, lists, visits, general licences), never from how exports developed
-- afterwards.
SELECT destination, mineral, class_low, class_best, class_high, valid_from, valid_to,
    (valid_from <= DATE '2026-11-23' AND coalesce(valid_to > DATE '2026-11-23', true)) AS holds_today,
    confidence, reason, source_id
FROM core.destination_classes
WHERE curbing_country = 'CHN'
ORDER BY destination, mineral, valid_from, class_id;
