-- Do our trade codes agree with published import sources?
-- Read: one row per good of core.import_shares; side_by_side gives each origin as published / by our codes, in per
-- cent, OTH is all other origins; apart_percent is the share of imports attributed to another origin.
-- Limits: a check of the codes, not part of a score. Published shares are means over years of one form; where no code
-- covers exactly that form, not_compared_because says so. mart.import_share_check has a row per origin.
SELECT
    importer, mineral, form, any_value(hs6_list) AS hs6_list, any_value(trade_years) AS trade_years,
    any_value(share_basis) AS share_basis, round(100 * any_value(apart_share), 1) AS apart_percent,
    any_value(grade) AS grade,
    string_agg(
        printf('%s %.0f/%.0f', exporter, 100 * published_share, 100 * trade_share), ', '
        ORDER BY exporter = 'OTH', published_share DESC, exporter
    ) AS side_by_side,
    any_value(not_compared_because) AS not_compared_because
FROM mart.import_share_check
GROUP BY importer, publisher, mineral, form
ORDER BY importer, apart_percent DESC NULLS LAST, mineral, form;
