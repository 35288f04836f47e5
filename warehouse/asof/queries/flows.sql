-- Tonnes of content per mineral, stage and lane, for the baseline and the latest year of each.
-- Frames lent by the caller: `codes` (queries/codes.sql) and `baseline` (queries/baselines.sql).
WITH
wanted AS (
    SELECT mineral, stage, hs_revision, baseline_year AS year FROM baseline
    UNION
    SELECT mineral, stage, hs_revision, trade_year FROM baseline
),
code_year AS (
    SELECT DISTINCT c.hs6, w.hs_revision, w.year
    FROM wanted w JOIN codes c USING (mineral, stage, hs_revision)
),
lane AS (
    SELECT t.year, t.hs6, t.hs_revision, t.exporter, t.importer, t.value_usd, t.quantity_t, t.is_complete
    FROM trade_in_revision($as_of, $known_at) t
    JOIN code_year USING (hs6, hs_revision, year)
    JOIN core.sources s USING (source_id)
    QUALIFY row_number() OVER (
        PARTITION BY t.year, t.exporter, t.importer, t.hs6, t.hs_revision
        ORDER BY t.known_from DESC, s.grade, t.source_id
    ) = 1
),
-- The most specific rows win, per mineral: exporter and importer, exporter, importer, anybody. Where a lane has shares
-- by weight and by value, the one that fits what is known of the lane is taken.
candidate AS (
    SELECT
        l.year, l.hs6, l.hs_revision, l.exporter, l.importer,
        c.mineral, c.stage, c.form, c.share_of, c.share_low, c.share_best, c.share_high,
        c.trade_basis, c.conversion_id, c.is_hindsight,
        2 * (c.exporter <> '*')::INTEGER + (c.importer <> '*')::INTEGER AS specificity,
        (c.share_of = 'weight') = (l.quantity_t IS NOT NULL) AS fits,
        max(CASE WHEN c.share_of = 'value' THEN c.share_best END) OVER (
            PARTITION BY
                l.year, l.hs6, l.hs_revision, l.exporter, l.importer, c.mineral, c.stage, c.form,
                c.exporter, c.importer
        ) AS value_share
    FROM lane l
    JOIN codes c
        ON c.hs6 = l.hs6
        AND c.hs_revision = l.hs_revision
        AND c.exporter IN (l.exporter, '*')
        AND c.importer IN (l.importer, '*')
        AND l.year >= coalesce(c.year_from, l.year)
        AND l.year <= coalesce(c.year_to, l.year)
),
chosen AS (
    SELECT *, max(specificity) OVER (PARTITION BY year, hs6, hs_revision, exporter, importer) AS most
    FROM candidate
    QUALIFY rank() OVER (
        PARTITION BY year, hs6, hs_revision, exporter, importer, mineral ORDER BY specificity DESC, fits DESC
    ) = 1
),
-- Where a lane's own shares leave less room than the general ones take, the general ones shrink into that room.
-- A good counted for several contents (a magnet's Nd and Dy) has one form and one share: it takes its room once.
room AS (
    SELECT
        year, hs6, hs_revision, exporter, importer,
        coalesce(list_sum(list_transform(list_distinct(list(good) FILTER (specificity = most)), lambda g: g.share)), 0)
            AS own,
        coalesce(list_sum(list_transform(list_distinct(list(good) FILTER (specificity < most)), lambda g: g.share)), 0)
            AS general
    FROM (SELECT *, struct_pack(form := form, low := share_low, share := share_best) AS good FROM chosen)
    GROUP BY ALL
    HAVING bool_or(specificity < most)
),
scaled AS (
    SELECT
        c.* EXCLUDE (most, fits),
        CASE
            WHEN c.specificity = c.most OR r.own IS NULL OR r.own + r.general <= 1 THEN 1.0
            ELSE greatest(0.0, 1 - r.own) / r.general
        END AS shrink
    FROM chosen c
    LEFT JOIN room r USING (year, hs6, hs_revision, exporter, importer)
),
content AS (
    SELECT *, known_from > $known_at AS is_hindsight
    FROM core.conversions
    QUALIFY row_number() OVER (
        PARTITION BY conversion_id
        ORDER BY known_from > $known_at, CASE WHEN known_from > $known_at THEN known_from END, known_from DESC
    ) = 1
),
price_in_use AS (
    SELECT *
    FROM core.prices
    QUALIFY known_from <= $known_at OR known_from = min(known_from) OVER (PARTITION BY price_id)
),
-- Price of the form in that year, else of any form of the mineral (then from the lowest to the highest of them).
dated_price AS (
    SELECT w.mineral, w.year, p.form, p.usd_per_t_low, p.usd_per_t_best, p.usd_per_t_high
    FROM (SELECT DISTINCT mineral, year FROM wanted) w
    JOIN price_in_use p
        ON p.mineral = w.mineral
        AND coalesce(p.valid_from <= make_date(w.year, 12, 31), true)
        AND coalesce(p.valid_to > make_date(w.year, 1, 1), true)
),
price_of_form AS (
    SELECT
        mineral, year, form,
        min(usd_per_t_low) AS usd_low, avg(usd_per_t_best) AS usd_best, max(usd_per_t_high) AS usd_high
    FROM dated_price
    WHERE form IS NOT NULL
    GROUP BY mineral, year, form
),
price_of_any AS (
    SELECT
        mineral, year,
        min(usd_per_t_low) AS usd_low, avg(usd_per_t_best) AS usd_best, max(usd_per_t_high) AS usd_high
    FROM dated_price
    GROUP BY mineral, year
),
-- Value per gross tonne of the code in the newest year that has tonnes.
unit_value AS (
    SELECT hs6, hs_revision, sum(value_usd) / sum(quantity_t) AS usd
    FROM core.trade
    WHERE known_from <= $known_at AND quantity_t > 0 AND value_usd > 0
    GROUP BY hs6, hs_revision, year
    QUALIFY row_number() OVER (PARTITION BY hs6, hs_revision ORDER BY year DESC) = 1
),
-- How far a stand-in may lie from the figure; where nobody says, there is no stand-in.
spread AS (
    SELECT
        max(factor) FILTER (spread = 'value_share_for_weight') AS share_factor,
        max(factor) FILTER (spread = 'unit_value_for_weight') AS unit_factor
    FROM (
        FROM core.spreads
        WHERE known_from <= $known_at
        QUALIFY row_number() OVER (PARTITION BY spread ORDER BY known_from DESC) = 1
    )
),
measured AS (
    SELECT
        c.mineral, c.stage, c.form, c.share_of, c.year, c.exporter, c.importer, c.hs6, c.trade_basis, l.is_complete,
        c.is_hindsight OR coalesce(k.is_hindsight, false) AS is_hindsight,
        l.value_usd, l.quantity_t,
        c.share_low * c.shrink AS share_low,
        c.share_best * c.shrink AS share_best,
        c.share_high * c.shrink AS share_high,
        coalesce(c.value_share, c.share_best) * c.shrink AS usd_share,
        CASE WHEN c.conversion_id IS NULL THEN 1.0 ELSE k.content_share_low END AS content_low,
        CASE WHEN c.conversion_id IS NULL THEN 1.0 ELSE k.content_share_best END AS content_best,
        CASE WHEN c.conversion_id IS NULL THEN 1.0 ELSE k.content_share_high END AS content_high,
        coalesce(f.usd_low, a.usd_low) AS usd_low,
        coalesce(f.usd_best, a.usd_best) AS usd_best,
        coalesce(f.usd_high, a.usd_high) AS usd_high,
        u.usd AS unit_usd,
        d.share_factor,
        d.unit_factor,
        CASE
            WHEN l.quantity_t IS NOT NULL AND c.share_of = 'weight' THEN 'weight'
            WHEN l.value_usd IS NOT NULL AND c.share_of = 'value' AND coalesce(f.usd_best, a.usd_best) IS NOT NULL
                THEN 'price'
            WHEN l.quantity_t IS NOT NULL AND d.share_factor IS NOT NULL THEN 'weight_wide'
            WHEN l.value_usd IS NOT NULL AND u.usd IS NOT NULL AND d.unit_factor IS NOT NULL THEN 'unit_value'
            WHEN l.value_usd IS NOT NULL AND coalesce(f.usd_best, a.usd_best) IS NOT NULL THEN 'price'
            ELSE 'none'
        END AS method
    FROM scaled c
    CROSS JOIN spread d
    JOIN wanted w ON w.mineral = c.mineral AND w.stage = c.stage AND w.hs_revision = c.hs_revision AND w.year = c.year
    JOIN lane l
        ON l.year = c.year AND l.hs6 = c.hs6 AND l.hs_revision = c.hs_revision
        AND l.exporter = c.exporter AND l.importer = c.importer
    LEFT JOIN content k ON k.conversion_id = c.conversion_id
    LEFT JOIN price_of_form f ON f.mineral = c.mineral AND f.year = c.year AND f.form = c.form
    LEFT JOIN price_of_any a ON a.mineral = c.mineral AND a.year = c.year
    LEFT JOIN unit_value u ON u.hs6 = c.hs6 AND u.hs_revision = c.hs_revision
)
SELECT
    mineral, stage, form, share_of, year, exporter, importer, hs6, trade_basis, is_complete, is_hindsight, method,
    -- The share of the code that the tonnes below stand for.
    CASE method WHEN 'weight_wide' THEN share_low / share_factor ELSE share_low END AS share_low,
    share_best,
    CASE method WHEN 'weight_wide' THEN share_high * share_factor ELSE share_high END AS share_high,
    value_usd,
    -- A share by weight stands in for one by value where nobody gives the latter.
    value_usd * usd_share AS mineral_usd,
    quantity_t IS NULL AS is_value_only,
    -- A share of value stands for a share of weight only within a factor, and so does a unit value for a price.
    CASE method
        WHEN 'weight' THEN quantity_t * share_low * content_low
        WHEN 'weight_wide' THEN quantity_t * share_low * content_low / share_factor
        WHEN 'price' THEN value_usd * share_low / usd_high * content_low
        WHEN 'unit_value' THEN value_usd * share_low / unit_usd / unit_factor * content_low
    END AS t_low,
    CASE method
        WHEN 'weight' THEN quantity_t * share_best * content_best
        WHEN 'weight_wide' THEN quantity_t * share_best * content_best
        WHEN 'price' THEN value_usd * share_best / usd_best * content_best
        WHEN 'unit_value' THEN value_usd * share_best / unit_usd * content_best
    END AS t_best,
    CASE method
        WHEN 'weight' THEN quantity_t * share_high * content_high
        WHEN 'weight_wide' THEN quantity_t * least(1.0, share_high * share_factor) * content_high
        WHEN 'price' THEN value_usd * share_high / usd_low * content_high
        WHEN 'unit_value' THEN value_usd * least(1.0, share_high) / unit_usd * unit_factor * content_high
    END AS t_high
FROM measured
