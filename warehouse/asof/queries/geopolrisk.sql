-- Features of the GeoPolRisk rules: one row per lane of a mineral and stage in $year.
-- Frame lent by the caller: `coded` (rows of queries/flows.sql for that year).
WITH
lane AS (
    SELECT
        mineral, stage, exporter, importer,
        -- A lane of which one part has no tonnes has no known tonnes.
        CASE WHEN bool_and(t_best IS NOT NULL) THEN sum(t_best ORDER BY t_best, hs6) END AS lane_t
    FROM coded
    WHERE exporter <> importer
    GROUP BY mineral, stage, exporter, importer
    HAVING lane_t IS NULL OR lane_t > 0
),
bought AS (
    SELECT
        mineral, stage, importer,
        CASE WHEN bool_and(lane_t IS NOT NULL) THEN sum(lane_t ORDER BY exporter) END AS imports_t
    FROM lane
    GROUP BY mineral, stage, importer
),
made AS (
    SELECT mineral, stage, country, production_t_low, production_t_best, production_t_high
    FROM production_at($as_of, $known_at)
    WHERE year = $year
),
-- The year's production of the world: what is listed, and what has no row of its own (a stated rest, or a world total
-- less what is listed). A list with neither may leave anybody out, so that no share of it is known.
world AS (
    SELECT
        mineral, stage,
        sum(production_t_best ORDER BY country) FILTER (country NOT IN ('WLD', 'OTH')) AS listed_t,
        sum(production_t_best ** 2 ORDER BY country) FILTER (country NOT IN ('WLD', 'OTH')) AS squares,
        coalesce(
            max(production_t_best) FILTER (country = 'OTH'),
            -- greatest() passes over NULL, and without a total the rest is not 0.
            CASE WHEN count(*) FILTER (country = 'WLD') > 0
                THEN greatest(max(production_t_best) FILTER (country = 'WLD') - coalesce(listed_t, 0), 0)
            END
        ) AS unlisted_t
    FROM made
    GROUP BY mineral, stage
),
concentration AS (
    SELECT
        mineral, stage, unlisted_t, listed_t,
        CASE WHEN listed_t + unlisted_t > 0 THEN squares / (listed_t + unlisted_t) ** 2 END AS hhi,
        CASE
            WHEN listed_t + unlisted_t > 0 THEN (squares + unlisted_t ** 2) / (listed_t + unlisted_t) ** 2
        END AS hhi_high
    FROM world
),
withheld AS (
    SELECT DISTINCT mineral, stage, country
    FROM core.production
    WHERE production_t_best IS NULL AND year = $year AND known_from <= $known_at
),
stability AS (
    SELECT country, estimate
    FROM core.governance
    WHERE indicator = 'political_stability' AND year = $year AND known_from <= $known_at
    QUALIFY row_number() OVER (PARTITION BY country ORDER BY known_from DESC, source_id) = 1
),
-- Who has no row makes nothing at best, and at most all that has no row.
own AS (
    SELECT
        b.mineral, b.stage, b.importer, b.imports_t, c.hhi, c.hhi_high, c.listed_t, c.unlisted_t,
        m.country IS NULL AND w.country IS NOT NULL AS is_withheld,
        CASE WHEN NOT is_withheld THEN coalesce(m.production_t_low, 0) END AS own_t_low,
        CASE WHEN NOT is_withheld THEN coalesce(m.production_t_best, 0) END AS own_t_best,
        CASE WHEN NOT is_withheld THEN coalesce(m.production_t_high, c.unlisted_t) END AS own_t_high
    FROM bought b
    LEFT JOIN concentration c USING (mineral, stage)
    LEFT JOIN made m ON m.mineral = b.mineral AND m.stage = b.stage AND m.country = b.importer
    LEFT JOIN withheld w ON w.mineral = b.mineral AND w.stage = b.stage AND w.country = b.importer
)
SELECT
    l.mineral, l.stage, l.exporter, l.importer, l.lane_t, o.imports_t, o.own_t_best AS own_production_t,
    o.hhi AS production_hhi_low, o.hhi AS production_hhi_best, o.hhi_high AS production_hhi_high,
    g.estimate AS political_stability,
    l.lane_t / (o.imports_t + o.own_t_high) AS supply_share_low,
    l.lane_t / (o.imports_t + o.own_t_best) AS supply_share_best,
    l.lane_t / (o.imports_t + o.own_t_low) AS supply_share_high,
    CASE
        WHEN o.imports_t IS NULL THEN 'the tonnes of some shipments to ' || l.importer || ' are not known'
        WHEN o.listed_t IS NULL AND o.unlisted_t IS NULL
            THEN 'no production of ' || l.mineral || ' (' || l.stage || ') is known for ' || $year
        WHEN o.unlisted_t IS NULL
            THEN 'production of ' || l.mineral || ' (' || l.stage || ') in ' || $year
                || ' is listed without a world total or a rest, so no share of it is known'
        WHEN o.hhi IS NULL THEN 'no producer of ' || l.mineral || ' (' || l.stage || ') is known by name for ' || $year
        WHEN o.is_withheld THEN 'production of ' || l.importer || ' is withheld: unknown, not zero'
    END AS unknown_reason
FROM lane l
JOIN own o USING (mineral, stage, importer)
LEFT JOIN stability g ON g.country = l.exporter
ORDER BY l.mineral, l.stage, l.importer, l.exporter
