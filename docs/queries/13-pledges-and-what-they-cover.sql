-- Which pledges promise minerals, who backs them, and what do they cover?
-- Read: enacted and announced pledges come from the pledging party; beneficiary_asserted means that only the other
-- side says so. covered, unclear and contested count minerals. A pledge that is itself a change of state
-- (implements_measure_id) never mitigates.
-- Limits: a pledge on every mineral counts as one (`*`), and a mineral counts under each coverage that one of its
-- forms or lanes has. Credit is a judgement, empty where none was made.
SELECT
    p.pledge_id, p.agreement_id, p.agreement_state, p.pledging_party, p.beneficiary, p.kind, p.backing,
    p.legal_strength,
    p.is_expired, p.performance, p.implements_measure_id,
    count(DISTINCT i.mineral) FILTER (i.coverage = 'covered') AS covered,
    count(DISTINCT i.mineral) FILTER (i.coverage = 'unclear') AS unclear,
    count(DISTINCT i.mineral) FILTER (i.coverage = 'contested') AS contested,
    count(DISTINCT i.mineral) FILTER (i.coverage = 'not_covered') AS not_covered,
    p.protection_credit_low, p.protection_credit_high, p.source_id
FROM pledges_at(DATE '2026-11-23', DATE '2026-11-23') p
JOIN core.pledge_items i USING (pledge_id)
WHERE i.coverage <> 'not_applicable'
GROUP BY ALL
ORDER BY covered DESC, p.pledge_id;
