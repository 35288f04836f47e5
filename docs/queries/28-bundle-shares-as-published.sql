-- Does our split of codes agree with published import sources?
-- Read: one row per good; side_by_side gives each origin as published / by the split, in per cent, OTH is all other
-- origins; apart_percent is the share of imports attributed to another origin.
-- Limits: published shares are means over years and ours are of one, so a curb in between sets them apart (germanium
-- from China); for gallium, hafnium and some others the split of the lanes to the United States uses the same
-- publication, so agreement proves nothing.
SELECT
    importer, mineral, form, stage, any_value(trade_year) AS trade_year,
    round(100 * any_value(apart_share), 1) AS apart_percent, any_value(grade) AS grade,
    string_agg(
        printf('%s %.0f/%.0f', exporter, 100 * published_share, 100 * attributed_share), ', '
        ORDER BY exporter = 'OTH', published_share DESC, exporter
    ) AS side_by_side
FROM mart.bundle_share_check
GROUP BY importer, publisher, mineral, form, stage
ORDER BY importer, apart_percent DESC NULLS LAST, mineral, form;
