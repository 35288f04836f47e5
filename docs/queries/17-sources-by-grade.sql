-- How good are the sources, and how much depends on each grade?
-- Read: A official, B official through an extract or a summary, C trade press or news, D weak or judgement; rows per
-- group of facts.
-- Limits: this counts rows, not their weight: one row of law may decide more than a thousand rows of trade.
WITH used AS (
    SELECT source_id, 'law' AS part FROM core.measures
    UNION ALL SELECT source_id, 'law' FROM core.measure_states
    UNION ALL SELECT source_id, 'law' FROM core.measure_items
    UNION ALL SELECT source_id, 'law' FROM core.measure_destinations
    UNION ALL SELECT source_id, 'pledges' FROM core.agreements
    UNION ALL SELECT source_id, 'pledges' FROM core.agreement_states
    UNION ALL SELECT source_id, 'pledges' FROM core.pledges
    UNION ALL SELECT source_id, 'pledges' FROM core.pledge_items
    UNION ALL SELECT source_id, 'quantities' FROM core.production
    UNION ALL SELECT source_id, 'quantities' FROM core.reserves
    UNION ALL SELECT source_id, 'quantities' FROM core.capacity
    UNION ALL SELECT source_id, 'quantities' FROM core.prices
    UNION ALL SELECT source_id, 'trade' FROM core.trade
    UNION ALL SELECT source_id, 'judgement' FROM core.destination_classes
    UNION ALL SELECT source_id, 'judgement' FROM core.licence_practice
    UNION ALL SELECT source_id, 'judgement' FROM core.substitution
    UNION ALL SELECT source_id, 'judgement' FROM core.stocks
    UNION ALL SELECT source_id, 'judgement' FROM core.lead_times
    UNION ALL SELECT source_id, 'statements' FROM core.statements
)
SELECT
    s.grade, count(DISTINCT s.source_id) AS sources,
    count(*) FILTER (u.part = 'law') AS law_rows, count(*) FILTER (u.part = 'pledges') AS pledge_rows,
    count(*) FILTER (u.part = 'quantities') AS quantity_rows, count(*) FILTER (u.part = 'trade') AS trade_rows,
    count(*) FILTER (u.part = 'judgement') AS judgement_rows,
    count(*) FILTER (u.part = 'statements') AS statement_rows,
    max(s.known_from) AS newest
FROM core.sources s
LEFT JOIN used u USING (source_id)
GROUP BY s.grade
ORDER BY s.grade;
