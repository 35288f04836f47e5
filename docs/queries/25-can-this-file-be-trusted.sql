-- Which run made this file, did its checks pass, and was anything left out?
-- Read: quote run_id, facts_hash and rules_hash with any figure; the same hashes give the same tables again.
-- Limits: checks concern form (keys, ranges, sums, counts); they do not prove that a source is right.
SELECT
    r.run_id, r.as_of, r.known_at, r.curbing_country, r.facts_hash, r.rules_hash, r.code_version,
    (SELECT count(*) FROM meta."check") AS checks, (SELECT count(*) FROM meta."check" WHERE NOT passed) AS failed,
    (SELECT count(*) FROM meta.rejected_row) AS rejected_rows, (SELECT count(*) FROM meta.rule) AS rules,
    (SELECT count(*) FROM core.sources) AS sources, (SELECT count(*) FROM mart.route_score) AS route_scores,
    (SELECT count(*) FROM mart.route_score WHERE active IS NULL) AS route_scores_unknown,
    (SELECT count(*) FROM mart.importer_score) AS importer_scores
FROM meta.run r;
