"""What the report asks of a published file; every query is of the main horizon unless it says otherwise."""

from __future__ import annotations

from jobs.marts import LISTED, MAIN_REGIME, SMALL, UNLISTED

RUN = """
SELECT run_id, as_of, known_at, curbing_country, declared_importers, code_version, since_run_id, since_as_of, draws,
       strict_knowledge, bundles, facts_hash, rules_hash
FROM meta.run
"""
COUNTRIES = "SELECT DISTINCT ON (country) country, name FROM core.countries ORDER BY country, known_from DESC"
MINERALS = """
SELECT DISTINCT ON (mineral) mineral, name, symbol, content_basis
FROM core.minerals SEMI JOIN (SELECT DISTINCT mineral FROM mart.route_score) USING (mineral)
ORDER BY mineral, known_from DESC
"""
CHAINS = """
SELECT mineral, stage, arg_max(stage_order, known_from) AS stage_order, arg_max(product, known_from) AS product
FROM core.chains GROUP BY ALL ORDER BY mineral, stage_order
"""
EXPOSURE = """
SELECT importer, mineral, regime, traded_usd, expected_missing_usd, missing_usd_p10, missing_usd_p90
FROM mart.exposure WHERE stage = '*' AND horizon_days = $horizon
ORDER BY importer, regime, expected_missing_usd DESC NULLS LAST, mineral
"""
# A page for each lane that a list names and that stands to miss something, by the law or if it snaps back; and for those
# whose score is unknown, since no data is not no risk.
ROUTES = f"""
SELECT r.*, a.expected_missing_usd, a.missing_usd_p10, a.missing_usd_p90, s.expected_missing_usd AS snapback_missing_usd
FROM mart.route_score AS r
LEFT JOIN mart.route_missing AS a
  ON (a.mineral, a.stage, a.exporter, a.importer, a.horizon_days) = (r.mineral, r.stage, r.exporter, r.importer, r.horizon_days)
  AND a.regime = '{MAIN_REGIME}'
LEFT JOIN mart.route_missing AS s
  ON (s.mineral, s.stage, s.exporter, s.importer, s.horizon_days) = (r.mineral, r.stage, r.exporter, r.importer, r.horizon_days)
  AND s.regime = 'snapback'
WHERE r.horizon_days = $horizon
  AND (r.listing = '{LISTED}' AND (a.expected_missing_usd > 0 OR s.expected_missing_usd > 0) OR r.listing = '{UNLISTED}')
ORDER BY a.expected_missing_usd DESC NULLS LAST, snapback_missing_usd DESC NULLS LAST,
  r.route_usd DESC NULLS LAST, r.mineral, r.stage, r.exporter, r.importer
LIMIT $most
"""
ROUTE_COUNT = "SELECT count(*)::BIGINT AS n FROM mart.route_score WHERE horizon_days = $horizon"
LANES = f"""
SELECT m.mineral, m.stage, m.exporter, m.importer, m.band, m.confidence, m.expected_missing_share, m.missing_share_p10,
       m.missing_share_p90, m.expected_missing_usd, m.missing_usd_p10, m.missing_usd_p90, m.traded_usd
FROM mart.route_missing AS m
WHERE m.horizon_days = $horizon AND m.regime = '{MAIN_REGIME}' AND m.listing IN ('{LISTED}', '{SMALL}', '{UNLISTED}')
  AND (m.expected_missing_usd > 0 OR m.band IS NULL)
ORDER BY m.expected_missing_usd DESC NULLS LAST, m.traded_usd DESC NULLS LAST, m.mineral, m.stage, m.exporter, m.importer
"""
MATRIX = """
SELECT importer, mineral, stage, active AS score, active_band AS band, active_confidence AS confidence,
       active_expected_missing_share AS expected_missing_share, active_missing_share_p10 AS missing_share_p10,
       active_missing_share_p90 AS missing_share_p90, snapback_band, import_t, unknown_reason
FROM mart.importer_score WHERE horizon_days = $horizon AND list_contains($importers, importer)
ORDER BY importer, mineral, stage
"""
MEMBERS = "SELECT bloc, country FROM members_at($as_of, $known_at) ORDER BY ALL"
DOUBT = f"""
SELECT importer, mineral, fact_rank, kind, fact, explained_share, width_usd, remaining_width_usd
FROM mart.doubt WHERE horizon_days = $horizon AND regime = '{MAIN_REGIME}' ORDER BY importer, mineral, fact_rank
"""
CHANGES = f"""
SELECT * FROM (SELECT mineral, stage, exporter, importer, any_value(score_before) AS score_before, any_value(score_after) AS score_after,
       any_value(band_before) AS band_before, any_value(band_after) AS band_after,
       sum(missing_usd_change) AS missing_usd_change, list(DISTINCT cause ORDER BY cause) AS causes
FROM mart.score_change WHERE horizon_days = $horizon AND regime = '{MAIN_REGIME}' AND exporter <> '*'
GROUP BY ALL) ORDER BY abs(missing_usd_change) DESC NULLS LAST, mineral, stage, exporter, importer
"""
CHANGE_REASONS = """
SELECT cause, kind, reason, reason_id, source_id, list(DISTINCT mineral ORDER BY mineral) AS minerals
FROM mart.score_change_reason GROUP BY ALL ORDER BY cause, reason, reason_id
"""
MEASURES = """
SELECT DISTINCT ON (measure_id) measure_id, curbing_country, authority, notice, title, instrument, date_announced,
       is_framework, implements_note, note, source_id
FROM core.measures ORDER BY measure_id, known_from DESC
"""
STATES = """
SELECT measure_id, clause, destination, state, valid_from, valid_to, basis, note, source_id, known_from
FROM core.measure_states WHERE known_from <= $known_at ORDER BY measure_id, clause, destination, known_from, valid_from
"""
STATES_NOW = """
SELECT measure_id, clause, destination, state, valid_from, valid_to, source_id
FROM measure_state_at($as_of, $known_at) ORDER BY measure_id, clause, destination
"""
# The state on each day on which any could change, by the one rule that decides it.
STATES_OVER_TIME = """
WITH day AS (
  SELECT DISTINCT unnest([valid_from, valid_to]) AS day FROM core.measure_states WHERE known_from <= $known_at)
SELECT s.measure_id, s.clause, s.destination, d.day, s.state
FROM day AS d, LATERAL (SELECT * FROM measure_state_at(d.day, $known_at)) AS s
WHERE d.day IS NOT NULL ORDER BY s.measure_id, s.clause, s.destination, d.day
"""
DESTINATIONS = """
SELECT DISTINCT measure_id, clause, destination, scope FROM core.measure_destinations
WHERE known_from <= $known_at ORDER BY ALL
"""
COVERAGE = """
SELECT measure_id, clause, item_id, mineral, stage, form, hs6, has_trade, route_count, route_usd, reason
FROM mart.measure_coverage ORDER BY measure_id, clause, mineral, stage, form, item_id
"""
TOUCHED = """
SELECT measure_id, regime, mineral, flow_stage, state, count(*)::BIGINT AS flows, min(withheld_share_low) AS low,
       min(withheld_share_best) AS best_from, max(withheld_share_best) AS best_to, max(withheld_share_high) AS high,
       list(DISTINCT rule_id ORDER BY rule_id) AS rule_ids
FROM mart.flow_measure WHERE horizon_days = $horizon AND regime IN ('active', 'snapback')
GROUP BY ALL ORDER BY measure_id, regime, mineral, flow_stage, state
"""
# The newest figure of each country no more than three years behind the newest of all.
PRODUCERS = """
SELECT mineral, stage, country, year, production_t_low, production_t_best, production_t_high, qualifier, source_id, is_hindsight
FROM production_at($as_of, $known_at)
WHERE production_t_best IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY mineral, stage, country ORDER BY year DESC) = 1
    AND max(year) OVER (PARTITION BY mineral, stage) - year <= 3
ORDER BY mineral, stage, production_t_best DESC, country
"""
CLAIMS = """
WITH claim AS (
  SELECT mineral, 'production, ' || stage AS what, country, year, production_t_low AS low, production_t_best AS best,
         production_t_high AS high, qualifier, form, source_id, known_from
  FROM core.production WHERE known_from <= $known_at
  UNION ALL
  SELECT mineral, claim_kind, country, year, NULL, reserves_t, NULL, qualifier, form, source_id, known_from
  FROM core.reserves WHERE known_from <= $known_at
)
SELECT * FROM claim
QUALIFY dense_rank() OVER (PARTITION BY mineral, what, country ORDER BY year DESC) = 1
ORDER BY mineral, what, max(best) OVER (PARTITION BY mineral, what, country) DESC NULLS LAST, country,
    known_from DESC, source_id, form, qualifier, best
"""
RECONCILIATION = """
SELECT mineral, stage, grade, unexplained_share, production_t, producer_count, exporter_count, what_would_mend
FROM mart.reconciliation ORDER BY mineral, stage
"""
RULES = "SELECT rule_id, version, status, title, sets, rationale FROM meta.rule ORDER BY rule_id"
CHECKS = "SELECT check_name, passed, detail FROM meta.check ORDER BY check_name"
REJECTED = 'SELECT file, line, "column", value, reason FROM meta.rejected_row ORDER BY ALL LIMIT 100'
SOURCES = """
SELECT DISTINCT ON (source_id) source_id, publisher, title, url, published, licence, grade
FROM core.sources ORDER BY source_id, known_from DESC
"""
