-- One row per pledge, item, exporter and importer on $as_of, as known on $known_at; blocs are opened.
WITH
member AS (SELECT * FROM members_at($as_of, $known_at)),
item AS (
    SELECT * FROM core.pledge_items
    WHERE known_from <= $known_at
    QUALIFY row_number() OVER (
        PARTITION BY pledge_id, mineral, stage, form, exporter, importer ORDER BY known_from DESC
    ) = 1
),
lane AS (
    SELECT
        p.*,
        coalesce(i.mineral, '*') AS mineral,
        i.stage,
        i.form,
        coalesce(i.coverage, 'not_applicable') AS coverage,
        CASE WHEN coalesce(i.exporter, '*') = '*' THEN p.pledging_party ELSE [i.exporter] END AS exporters,
        CASE WHEN coalesce(i.importer, '*') = '*' THEN coalesce(p.beneficiary, ['*']) ELSE [i.importer] END AS importers
    FROM pledges_at($as_of, $known_at) p
    LEFT JOIN item i USING (pledge_id)
),
party AS (
    SELECT * EXCLUDE (exporters, importers, exporter, importer),
        coalesce(x.country, exporter) AS exporter, coalesce(y.country, importer) AS importer
    FROM (
        SELECT *, unnest(exporters) AS exporter, importers
        FROM lane
    ) a
    CROSS JOIN LATERAL (SELECT unnest(a.importers) AS importer) b
    LEFT JOIN member x ON x.bloc = exporter
    LEFT JOIN member y ON y.bloc = importer
)
SELECT DISTINCT
    pledge_id, agreement_id, agreement_state, pledging_party, kind, legal_strength,
    CASE
        WHEN NOT is_expired OR backing = 'third_country' THEN backing
        WHEN backing = 'beneficiary_asserted' THEN 'expired_asserted'
        ELSE 'expired_' || backing
    END AS backing,
    is_expired, implements_measure_id, performance, mineral, stage, form, coverage, exporter, importer,
    protection_credit_low, protection_credit_high, valid_from, valid_to, source_id
FROM party
WHERE exporter <> importer
ORDER BY ALL
