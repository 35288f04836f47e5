-- Which facts of the article of 27 October 2025 are in the warehouse, and where?
-- Read: every statement and pledge that the article reports, with the accord that it belongs to and that accord's
-- state today.
-- Limits: source_id may be a better source than the article. Statements without an accord have an empty state.
WITH fact AS (
    SELECT 'statement' AS kind, statement_id AS fact_id, agreement_id, topic,
        concat_ws(' ', subject, '|', predicate, '|', value, unit) AS says, source_id, known_from
    FROM core.statements WHERE in_article_2025_10_27
    UNION ALL
    SELECT 'pledge', pledge_id, agreement_id, kind, array_to_string(pledging_party, ', ') || ': ' || description,
        source_id, known_from
    FROM core.pledges WHERE in_article_2025_10_27
    UNION ALL
    SELECT 'agreement', agreement_id, agreement_id, agreement_type, title || ' (' || array_to_string(parties, ', ') || ')',
        source_id, known_from
    FROM core.agreements
    WHERE agreement_id IN (SELECT agreement_id FROM core.pledges WHERE in_article_2025_10_27)
)
SELECT f.kind, f.fact_id, f.agreement_id, a.state AS agreement_state, f.topic, f.says, f.source_id, f.known_from
FROM fact f
LEFT JOIN agreement_state_at(DATE '2026-11-23', DATE '2026-11-23') a USING (agreement_id)
ORDER BY f.kind, f.agreement_id NULLS LAST, f.fact_id;
